"""amelo, GROMACS, LAMMPS and OpenMM behind one face: milliseconds per step, forces of the starting state, energy drift.

Every program gets the same state, cut-off, time step and constraints, at constant energy. `first` steps are never
counted: a program's own timers are reset behind them. Forces are in kJ/mol/nm, drifts in kJ/mol/ps per 1000 atoms.
"""

import csv
import json
import math
import os
import re
import shutil
import struct
import sys
from array import array

from bench_process import Failed, call, rms_difference, slope

KCAL = 4.184
HERE = os.path.dirname(os.path.abspath(__file__))
# Log rows of a drift measurement.
ROWS = 200


def clean_environment(**more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "GMX", "AMELO_THREADS"))}
    return {**kept, **more}


class Program:
    """What all have: a case, threads, and the last peak of memory (MB)."""

    name = version = note = ""
    stand_in = False

    def __init__(self, case, threads):
        self.case, self.threads, self.peak_mb = case, threads, None

    def settings(self):
        """Of a peer: what of its own its forces and drift depend on, beside its version."""
        return ""

    def drift_of(self, times, energies):
        """Without the first tenth, where each program finds its own half-step velocities."""
        first = len(times) // 10
        value, error = slope(times[first:], energies[first:])
        return value / self.case.n_atoms * 1e3, error / self.case.n_atoms * 1e3


class Amelo(Program):
    """`force_error` (kJ/mol/nm), where given, chooses the mesh."""

    name = "amelo"

    def __init__(self, case, threads, binary, sets, force_error=None):
        super().__init__(case, threads)
        self.binary, self.force_error = binary, force_error
        if force_error is not None:
            self.name = f"amelo, force_error {force_error:g}"
            # The last word: whatever `sets` chooses for the other row.
            sets = [*sets, f'nonbonded.coulomb={{ pme = {{ force_error = "{force_error} kJ/mol/nm" }} }}']
        self.sets = [x for s in sets for x in ("--set", s)]
        self.version = call([binary, "--version"], case.folder).out.split()[1]
        found = json.loads(call([binary, "check", case.deck, "--json", *self.sets], case.folder).out)["nonbonded"]
        self.precision = found["precision"]
        coulomb = found["coulomb"]
        pme = coulomb["pme"] if "pme" in coulomb else None
        self.mesh = f", mesh {'×'.join(map(str, pme['mesh']))} of order {pme['order']}" if pme else ""

    def time(self, steps):
        done = call([self.binary, "bench", self.case.deck, "--steps", steps, "--json", "-q", "--threads", self.threads, *self.sets], self.case.folder)
        self.peak_mb = done.peak_mb
        self.report = json.loads(done.out)
        self.note = f"{self.report['isa']}, {self.report['precision']}{self.mesh}"
        return self.report["ms_per_step"]

    def energy(self, *more):
        sets = [x for s in more for x in ("--set", s)]
        return json.loads(call([self.binary, "energy", self.case.deck, "--forces", "--json", *sets], self.case.folder).out)

    def forces(self, precision=None):
        return self.energy(*self.sets[1::2], f'nonbonded.precision="{precision or self.precision}"')["forces"]

    def rounding(self, mobile):
        """What the arithmetic of a run changes in the forces: rms difference from double precision, all else equal."""
        return rms_difference(self.forces(), self.forces("double"), mobile)

    def reference(self):
        """Double precision, Ewald's sum by a mesh that is good to 1e-10, the same cut-off."""
        return self.energy('nonbonded.coulomb={ pme = { tolerance = 1e-12, spacing = "0.05 nm", order = 12 } }',
                           'nonbonded.precision="double"')["forces"]

    def drift(self, steps):
        dt = self.case.settings["timestep"]
        every = max(1, steps // ROWS)
        call([self.binary, "run", self.case.deck, "--out", "drift.run", "--overwrite", "-q", "--threads", self.threads,
              "--set", f'stage.nve.duration="{steps * dt:.6f} ps"', "--set", f'output.log.every="{every * dt:.6f} ps"', *self.sets],
             self.case.folder)
        with open(self.case.path("drift.run", "log.csv")) as f:
            rows = list(csv.DictReader(line for line in f if not line.startswith("#")))
        return self.drift_of([float(r["time [ps]"]) for r in rows], [float(r["conserved_quantity [kJ/mol]"]) for r in rows])


class Gromacs(Program):
    name = "GROMACS"
    # Steps before the timers are reset: list and grid are built, and a list may be kept for 100 steps.
    FIRST = 200

    def __init__(self, case, threads, binary):
        super().__init__(case, threads)
        self.binary, self.stand_in = binary, case.is_stand_in
        words = call([binary, "--version"], case.folder).out
        find = lambda key: (re.search(rf"{key}:\s*(\S+)", words) or ["", "?"])[1]
        self.version = f"{find('GROMACS version')} {find('SIMD instructions')}"
        self.precision = find("Precision")
        self.note = self.precision + (", LJ stand-in" if self.stand_in else "")
        self.folder = case.path("gmx")
        self.tag = re.sub(r"\W", "_", f"{self.version} {self.precision}")
        self.ready = set()

    def settings(self):
        return self.precision

    def double(self):
        """The same in double precision, where it is beside this one or on PATH."""
        if self.precision == "double":
            return None
        beside = shutil.which(os.path.basename(self.binary) + "_d", path=os.path.dirname(self.binary)) or shutil.which("gmx_d")
        return Gromacs(self.case, self.threads, beside) if beside else None

    def rounding(self, mobile):
        """As for amelo: mixed beside double precision with the same splitting and mesh; none without a `gmx_d`."""
        double = self.double()
        if double is None:
            return None
        mixed_forces, double_forces = self.forces(), double.forces()
        if self.mesh() != double.mesh():
            raise Failed(f"{self.binary} takes the mesh {self.mesh()}, {double.binary} {double.mesh()}")
        return rms_difference(mixed_forces, double_forces, mobile)

    def mesh(self):
        """Of the run that gave the forces."""
        with open(os.path.join(self.folder, f"{self.tag}_force.log")) as f:
            return re.findall(r"(?m)^\s*fourier-n[xyz]\s*=\s*(\d+)", f.read())

    def mdp(self, nstenergy, nstfout):
        s, case = self.case.settings, self.case
        freeze = "freezegrps = amelo_frozen\nfreezedim = Y Y Y\n" if case.frozen else ""
        return f"""integrator = md
dt = {s['timestep']}
nsteps = -1
continuation = yes
cutoff-scheme = Verlet
verlet-buffer-tolerance = 0.005
nstlist = 20
coulombtype = PME
rcoulomb = {s['r_cut']}
fourierspacing = {s['spacing']}
pme-order = {s['order']}
ewald-rtol = {s['tolerance']}
vdwtype = Cut-off
vdw-modifier = Potential-shift
rvdw = {s['r_cut']}
constraints = {s['constraints']}
constraint-algorithm = lincs
lincs-order = 4
lincs-iter = 1
nstcalcenergy = {min(100, nstenergy)}
nstenergy = {nstenergy}
nstlog = 0
nstfout = {nstfout}
nstcomm = 100
{freeze}"""

    def tpr(self, kind, nstenergy, nstfout=0):
        stem = f"{self.tag}_{kind}"
        if (kind, nstenergy) not in self.ready:
            with open(os.path.join(self.folder, stem + ".mdp"), "w") as f:
                f.write(self.mdp(nstenergy, nstfout))
            call([self.binary, "grompp", "-f", stem + ".mdp", "-c", "conf.gro", "-r", "conf.gro", "-p", "topol.top", "-n", "index.ndx",
                  "-o", stem + ".tpr", "-po", stem + ".out.mdp", "-maxwarn", "5"], self.folder)
            self.ready.add((kind, nstenergy))
        return stem

    def mdrun(self, stem, *more):
        return call([self.binary, "mdrun", "-s", stem + ".tpr", "-deffnm", stem, "-ntmpi", "1", "-ntomp", self.threads, "-pin", "off",
                     "-nb", "cpu", "-noconfout", "-nobackup", *more], self.folder, env=clean_environment())

    def time(self, steps):
        stem = self.tpr("time", 1000)
        done = self.mdrun(stem, "-nsteps", self.FIRST + steps, "-resetstep", self.FIRST)
        self.peak_mb = done.peak_mb
        with open(os.path.join(self.folder, stem + ".log")) as f:
            speed = re.findall(r"(?m)^Performance:\s+(\S+)", f.read())
        return 86.4e3 * self.case.settings["timestep"] / float(speed[-1])

    def forces(self):
        stem = self.tpr("force", 1, 1)
        self.mdrun(stem, "-nsteps", "0")
        return forces_of_trr(os.path.join(self.folder, stem + ".trr"))

    def drift(self, steps):
        every = max(1, steps // ROWS)
        stem = self.tpr("drift", every)
        self.mdrun(stem, "-nsteps", steps)
        call([self.binary, "energy", "-f", stem + ".edr", "-o", stem + ".xvg", "-nobackup"], self.folder, stdin="Total-Energy\n\n")
        with open(os.path.join(self.folder, stem + ".xvg")) as f:
            rows = [[float(x) for x in line.split()] for line in f if not line.startswith(("#", "@"))]
        return self.drift_of([r[0] for r in rows], [r[1] for r in rows])


def forces_of_trr(path):
    """Forces of the first frame of a TRR file, single or double precision."""
    with open(path, "rb") as f:
        data = f.read()
    length = struct.unpack(">i", data[8:12])[0]
    offset = 12 + (length + 3) // 4 * 4
    _, _, box, vir, pres, _, _, x, v, force, n, _, _ = struct.unpack(">13i", data[offset:offset + 52])
    real = box // 9
    offset += 52 + 2 * real + box + vir + pres + x + v
    numbers = array("d" if real == 8 else "f")
    numbers.frombytes(data[offset:offset + force])
    if sys.byteorder == "little":
        numbers.byteswap()
    return [list(numbers[3 * k:3 * k + 3]) for k in range(n)]


class Lammps(Program):
    name = "LAMMPS"
    FIRST = 50
    STYLES = {"plain": [], "opt": ["-sf", "opt"], "omp": ["-sf", "omp"]}
    ACCURACIES = (1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 3e-7)

    def __init__(self, case, threads, environment):
        super().__init__(case, threads)
        self.bin = lambda program: os.path.join(environment, "bin", program)
        self.folder = case.path("lmp")
        if not os.path.isdir(self.folder):
            raise Failed("; ".join(n for n in case.notes if n.startswith("lammps")))
        library = os.path.join(environment, "lib")
        self.env = clean_environment(LD_LIBRARY_PATH=library + ":" + os.environ.get("LD_LIBRARY_PATH", ""))
        found = re.search(r"Simulator - ([^\n]*)", call([self.bin("lmp"), "-h"], self.folder, env=self.env, check=False).out)
        self.version = found[1].strip() if found else "?"
        self.style, self.accuracy = None, self.ACCURACIES[2]

    def script(self, name, run, shake=True):
        """The exported script with settings of a production run: tables of Coulomb's force, a mesh from an accuracy, the
        list checked every 5 steps, SHAKE to 1e-4; then `run`."""
        with open(os.path.join(self.folder, "in.lmp")) as f:
            text = f.read()
        text = re.sub(r"(?m)^pair_modify table 0\n", "", text)
        text = re.sub(r"(?m)^kspace_style .*\n", f"kspace_style pppm {self.accuracy:g}\n", text)
        text = re.sub(r"(?m)^kspace_modify gewald .*\n", "", text)
        text = re.sub(r"(?m)^neigh_modify .*$", "neigh_modify delay 0 every 5 check yes", text)
        text = re.sub(r"(?m)^(fix constraints \S+ shake) \S+ \S+ \S+", r"\1 1e-4 20 0" if shake else "#", text)
        text = re.sub(r"(?m)^(thermo \d+|variable steps .*|run \S+)\n?", "", text)
        with open(os.path.join(self.folder, name), "w") as f:
            f.write(text.rstrip("\n") + "\n" + run)
        return name

    def call(self, script, style):
        """Threads of OpenMP for `omp`, ranks of MPI for the others."""
        options = list(self.STYLES[style])
        ranks = self.threads
        if style == "omp":
            ranks, options = 1, [*options, "-pk", "omp", str(self.threads)]
        launch = [self.bin("mpiexec"), "-n", ranks] if ranks > 1 else []
        env = {**self.env, "OMP_NUM_THREADS": str(self.threads if style == "omp" else 1)}
        return call([*launch, self.bin("lmp"), "-in", script, "-log", "none", *options], self.folder, env=env, program="lmp")

    def settings(self):
        return f"pppm {self.accuracy:g}"

    def time(self, steps):
        if self.style is None:
            speeds = {style: self.time_style(max(10, steps // 4), style) for style in self.STYLES}
            self.style = min(speeds, key=speeds.get)
            tried = ", ".join(f"{s} {ms:.0f}" for s, ms in speeds.items())
            self.note = f"{self.style} (ms: {tried}), pppm {self.accuracy:g}"
        return self.time_style(steps, self.style)

    def time_style(self, steps, style):
        done = self.call(self.script("time.lmp", f"thermo 1000000\nrun {self.FIRST}\nrun {steps}\n"), style)
        self.peak_mb = done.peak_mb
        seconds = float(re.findall(r"Loop time of (\S+)", done.out)[-1])
        return seconds * 1e3 / steps

    def forces(self):
        """Without SHAKE, which adds its own."""
        run = "dump forces all custom 1 forces.dump id fx fy fz\ndump_modify forces sort id format float %.12g\nrun 0\n"
        self.call(self.script("force.lmp", run, shake=False), "plain")
        with open(os.path.join(self.folder, "forces.dump")) as f:
            lines = f.read().split("\n")
        start = next(k for k, line in enumerate(lines) if line.startswith("ITEM: ATOMS")) + 1
        return [[float(x) * KCAL * 10 for x in line.split()[1:]] for line in lines[start:] if line]

    def match(self, force_error, error):
        """The finest accuracy at which forces are still no better than `error`: an equal comparison that gives the peer
        its speed."""
        for accuracy in self.ACCURACIES:
            before, self.accuracy = self.accuracy, accuracy
            if force_error(self) < error:
                self.accuracy = before if accuracy != self.ACCURACIES[0] else accuracy
                return

    def drift(self, steps):
        every = max(1, steps // ROWS)
        done = self.call(self.script("drift.lmp", f"thermo {every}\nthermo_style custom step etotal\nthermo_modify norm no format float %.12g\nrun {steps}\n"),
                         self.style or "plain")
        table = done.out.split("Loop time")[0]
        rows = re.findall(r"(?m)^\s*(\d+)\s+(-?\d[\d.eE+-]*)\s*$", table[table.rindex("TotEng"):])
        dt = self.case.settings["timestep"]
        return self.drift_of([int(a) * dt for a, _ in rows], [float(b) * KCAL for _, b in rows])


class OpenMM(Program):
    """The exported GROMACS topology through OpenMM's own reader, on the platform CPU. `mixing` lorentz-berthelot: its fast
    path, with another force field than everybody else's; as-given: the pairs of the topology, by a custom force."""

    name = "OpenMM"
    TOLERANCES = (5e-4, 1e-4, 3e-5, 1e-5)

    def __init__(self, case, threads, environment, mixing):
        super().__init__(case, threads)
        self.python, self.mixing = os.path.join(environment, "bin", "python"), mixing
        if case.is_stand_in:
            raise Failed("no Buckingham in the exported topology")
        self.wrong = mixing != "as-given"
        self.tolerance = self.TOLERANCES[0]
        self.version = self.work("version")["version"]

    def work(self, what, **more):
        job = {"what": what, "threads": self.threads, "mixing": self.mixing, "tolerance": self.tolerance,
               "settings": self.case.settings, "folder": self.case.path("gmx"), **more}
        done = call([self.python, os.path.join(HERE, "bench_openmm.py"), json.dumps(job)], self.case.folder, env=clean_environment())
        self.peak_mb = done.peak_mb
        return json.loads(done.out)

    def settings(self):
        return f"{self.mixing}, {self.tolerance:g}"

    def time(self, steps):
        self.note = f"mixing {self.mixing}, tolerance {self.tolerance:g}"
        return self.work("time", steps=steps)["ms_per_step"]

    def forces(self):
        return self.work("forces")["forces"]

    def match(self, force_error, error):
        """As for LAMMPS; with the wrong mixing rule there is nothing to match."""
        for tolerance in self.TOLERANCES if not self.wrong else ():
            before, self.tolerance = self.tolerance, tolerance
            if force_error(self) < error:
                self.tolerance = before
                return

    def drift(self, steps):
        answer = self.work("drift", steps=steps, every=max(1, steps // ROWS))
        return self.drift_of(answer["times"], answer["energies"])


def finite(x):
    return x if x is not None and math.isfinite(x) else None
