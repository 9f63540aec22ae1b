"""The systems that speeds are measured on, each as files of every program in one folder.

A case is made once, from a deck of inputs/bench or from a GROMACS topology, and kept: `deck.toml` starts amelo from its
state at constant energy; amelo itself exports the same state to GROMACS (`gmx/`) and LAMMPS (`lmp/`)."""

import hashlib
import json
import os
import re
import shutil

from bench_gro import replicate
from bench_process import Failed, call
from model import LENNARD_JONES

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

SETTINGS = {"r_cut": 1.2, "spacing": 0.12, "order": 4, "tolerance": 1e-5, "timestep": 0.002, "constraints": "h-bonds"}
SETTLE_STEPS = 100
# What a deck makes: inputs/bench/DECK.toml, with --set texts; `frozen` groups; copies along the axes of another case.
CASES = {
    "melt": {"deck": "melt"},
    "interface": {"deck": "interface"},
    "interface-frozen": {"deck": "interface", "frozen": ["oxide"]},
    "melt-2k5": {"deck": "melt", "set": ["system.molecule[0].count=14", "system.molecule[1].count=16"]},
    "melt-40k": {"copies_of": "melt", "copies": (2, 2, 1)},
    "melt-160k": {"copies_of": "melt", "copies": (4, 2, 2)},
}


class Case:
    """Files of one system."""

    is_stand_in = False

    def __init__(self, name, folder, settings, frozen=()):
        self.name, self.folder, self.settings, self.frozen = name, folder, settings, list(frozen)
        self.deck = os.path.join(folder, "deck.toml")
        self.n_atoms = 0
        self.notes = []

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write_deck(self, start):
        s = self.settings
        frozen = f"frozen = {json.dumps(self.frozen)}\n" if self.frozen else ""
        with open(self.deck, "w") as f:
            f.write(f'title = "bench-peers: {self.name}"\n[system.restart]\nfrom = "{start}"\n'
                    f'[nonbonded]\nr_cut = "{s["r_cut"]} nm"\nvdw = {{ modifier = "potential-shift" }}\n'
                    f'coulomb.pme = {{ tolerance = {s["tolerance"]}, spacing = "{s["spacing"]} nm", order = {s["order"]} }}\n'
                    f'[dynamics]\nconstraints = "{s["constraints"]}"\ntimestep = "{1e3 * s["timestep"]:g} fs"\n{frozen}'
                    # Energies every 100 steps, as GROMACS (nstcalcenergy).
                    f'[output]\nlog = {{ every = "{100 * s["timestep"]:g} ps" }}\n'
                    '[[stage]]\nname = "nve"\nnve = {}\nduration = "1 ps"\n')

    def export(self, amelo):
        """Files of GROMACS and LAMMPS. GROMACS makes constraints itself, which spares it the constrained bonds."""
        for program, folder in (("gromacs", "gmx"), ("lammps", "lmp")):
            flexible = ["--set", 'dynamics.constraints="none"'] if program == "gromacs" else []
            arguments = [amelo, "export", program, self.deck, "-o", self.path(folder), "--overwrite", "--json", *flexible]
            done = call(arguments, self.folder, check=(2,))
            report = json.loads(done.out)
            if "error" in report and program == "gromacs" and "Buckingham" in done.out:
                done = call([*arguments, "--without-buckingham"], self.folder)
                self.stand_in()
            elif "error" in report:
                shutil.rmtree(self.path(folder), ignore_errors=True)
                self.notes.append(f"{program}: {report['error']['problems'][0]['message']}")
        with open(self.path("gmx", "conf.gro")) as f:
            self.n_atoms = int(f.read().split("\n", 2)[1])

    def stand_in(self):
        """GROMACS has no Buckingham: Lennard-Jones of UFF for the oxide's own pairs (A. K. Rappe et al., J. Am. Chem.
        Soc. 114, 10024 (1992)), which fits the geometric rule of all others, and tethers that hold the lattice."""
        self.is_stand_in = True
        path = self.path("gmx", "topol.top")
        with open(path) as f:
            text = f.read()
        oxide = {t: LENNARD_JONES[t] for t in ("Ti", "O_ox")}
        for a, (sigma, epsilon) in oxide.items():
            text = re.sub(rf"(?m)^({a} \S+ \S+ A) 0\.0 0\.0$", rf"\1 {sigma!r} {epsilon!r}", text)
        (sa, ea), (sb, eb) = oxide["O_ox"], oxide["Ti"]
        text, n = re.subn(r"(?m)^O_ox Ti 1 0\.0 0\.0$|^Ti O_ox 1 0\.0 0\.0$", f"O_ox Ti 1 {(sa * sb) ** 0.5!r} {(ea * eb) ** 0.5!r}", text)
        molecule = re.search(r"(?ms)^\[ moleculetype \]\n; name nrexcl\noxide 0\n(.*?)(?=^\[ moleculetype \])", text)
        if n != 1 or molecule is None:
            raise Failed("the exported topology has no oxide of Ti and O_ox; a stand-in is known for that alone")
        if not self.frozen:
            atoms = re.search(r"(?ms)\[ atoms \]\n(.*?)\n\n", molecule.group(1)).group(1)
            n_atoms = sum(1 for line in atoms.split("\n") if line and not line.startswith(";"))
            tethers = "[ position_restraints ]\n" + "".join(f"{k + 1} 1 1000 1000 1000\n" for k in range(n_atoms)) + "\n"
            text = text[:molecule.end()] + tethers + text[molecule.end():]
        with open(path, "w") as f:
            f.write(text)

    def fingerprint(self):
        """Of the state, its force field and its settings: what does not depend on who wrote the files."""
        digest = hashlib.sha256(json.dumps([self.settings, self.frozen]).encode())
        for name in ("conf.gro", "topol.top"):
            with open(self.path("gmx", name)) as f:
                digest.update("".join(line for line in list(f)[1:] if not line.startswith(";")).encode())
        return digest.hexdigest()

    def mobile(self):
        """Numbers of the atoms that move; none where all do."""
        if not self.frozen:
            return None
        with open(self.path("gmx", "index.ndx")) as f:
            groups = re.findall(r"\[ (\S+) \]\n([^\[]*)", f.read())
        frozen = {int(x) - 1 for name, atoms in groups if name == "amelo_frozen" for x in atoms.split()}
        return [k for k in range(self.n_atoms) if k not in frozen]


def terms(amelo, system):
    """Energies by term (kJ/mol)."""
    return json.loads(call([amelo, "energy", system, "--json"], os.getcwd()).out)["energy"]


def make(name, work, amelo, options):
    """The case `name` in `work`; what is there already is kept."""
    folder = os.path.join(work, name)
    os.makedirs(folder, exist_ok=True)
    settings = dict(SETTINGS, **options.settings)
    if name == "own":
        case = Case(name, folder, settings)
        start = case.path("system.h5")
        call([amelo, "import", "gromacs", options.top, options.gro, *[x for d in options.include for x in ("-I", d)],
              "-o", start, "--overwrite", "-q"], os.getcwd())
        # Coordinates are rounded in the file: some steps bring constrained bonds back to their lengths.
        case.write_deck(start)
        call([amelo, "run", case.deck, "--out", case.path("own.run"), "--overwrite", "-q",
              "--set", f'stage.nve.duration="{SETTLE_STEPS * settings["timestep"]:.6f} ps"'], folder)
        case.write_deck(case.path("own.run"))
        case.export(amelo)
        return case
    kind = CASES[name]
    case = Case(name, folder, settings, kind.get("frozen", ()))
    if "copies_of" in kind:
        source = make(kind["copies_of"], work, amelo, options)
        start = case.path("system.h5")
        replicate(source.path("gmx"), case.path("copies"), kind["copies"])
        call([amelo, "import", "gromacs", "copies/topol.top", "copies/conf.gro", "-o", start, "--overwrite", "-q"], folder)
        case.write_deck(start)
        one, all_of_them = (terms(amelo, c.deck) for c in (source, case))
        n = kind["copies"][0] * kind["copies"][1] * kind["copies"][2]
        # The meshes of the two boxes differ.
        if abs(all_of_them["potential"] - n * one["potential"]) > 1e-4 * n * sum(abs(e) for e in one.values()):
            raise Failed(f"{n} copies have {all_of_them['potential']} kJ/mol, one of them {one['potential']}")
    else:
        # Cases of one deck share its run.
        run = kind["deck"] if not kind.get("set") else name
        start = os.path.join(work, run + ".run")
        if not os.path.exists(os.path.join(start, "results.json")):
            sets = [x for s in [*kind.get("set", []), *options.deck_set] for x in ("--set", s)]
            deck = os.path.join(ROOT, "inputs", "bench", kind["deck"] + ".toml")
            call([amelo, "run", deck, "--out", start, "--resume", *sets], work)
    case.write_deck(start)
    case.export(amelo)
    return case
