#!/usr/bin/env python3
"""Writes the topologies and coordinates in tests/data/gromacs: small systems that use, between them, every directive,
function and combination rule that `amelo import gromacs` takes. The force fields are invented; only SPC/E is not.

  gromacs_systems.py     writes the files anew, always the same
"""

import math
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import model  # noqa: E402

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "data", "gromacs")


def add(a, b, s=1.0):
    return [x + s * y for x, y in zip(a, b)]


def norm(a):
    return math.sqrt(sum(x * x for x in a))


def cross(a, b):
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def unit(a):
    return [x / norm(a) for x in a]


def direction(rng):
    while True:
        v = [rng.uniform(-1, 1) for _ in range(3)]
        if 0.1 < norm(v) < 1:
            return unit(v)


def image(d, box):
    for k in (2, 1, 0):
        d = add(d, box[k], -round(d[k] / box[k][k]))
    return d


def rotate(v, rng_axis, angle):
    c, s = math.cos(angle), math.sin(angle)
    k = rng_axis
    dot = sum(x * y for x, y in zip(k, v))
    return [x * c + y * s + z * dot * (1 - c) for x, y, z in zip(v, cross(k, v), k)]


class Packing:
    """Rigid shapes at random places and turns, no two atoms of different molecules closer than `least`."""

    def __init__(self, box, least, seed):
        self.box, self.least, self.rng, self.placed, self.names = box, least, random.Random(seed), [], []

    def put(self, residue, names, shape):
        residues = residue if isinstance(residue, list) else [residue] * len(names)
        for _ in range(20000):
            axis, angle = direction(self.rng), self.rng.uniform(0, math.pi)
            s = [self.rng.random() for _ in range(3)]
            centre = [sum(s[k] * self.box[k][d] for k in range(3)) for d in range(3)]
            atoms = [add(rotate(r, axis, angle), centre) for r in shape]
            if all(norm(image(add(a, b, -1), self.box)) > self.least for a in atoms for b in self.placed):
                self.placed += atoms
                self.names += list(zip(residues, names))
                return
        raise RuntimeError("no room")

    def gro(self, path, title, velocities=False, decimals=12):
        lines = [title, str(len(self.placed))]
        for k, (r, (residue, name)) in enumerate(zip(self.placed, self.names)):
            line = f"{(k + 1) % 100000:5d}{residue:<5s}{name:>5s}{(k + 1) % 100000:5d}" + "".join(f"{x:{decimals + 5}.{decimals}f}" for x in r)
            if velocities:
                line += "".join(f"{self.rng.gauss(0, 0.5):17.13f}" for _ in range(3))
            lines.append(line)
        b = self.box
        numbers = [b[0][0], b[1][1], b[2][2]]
        if any(b[i][j] for i, j in ((1, 0), (2, 0), (2, 1))):
            numbers += [0, 0, b[1][0], 0, b[2][0], b[2][1]]
        lines.append(" ".join(f"{x:.12f}" for x in numbers))
        write(path, "\n".join(lines) + "\n")


def write(name, text):
    path = os.path.join(DATA, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)


def chain(n, bond, seed, least=0.24):
    """A self-avoiding chain with angles around 112 degrees."""
    rng = random.Random(seed)
    while True:
        atoms = [[0.0, 0.0, 0.0], [bond, 0.0, 0.0]]
        for _ in range(2, n):
            back = unit(add(atoms[-2], atoms[-1], -1))
            side = unit(cross(back, direction(rng)))
            turn = math.radians(rng.uniform(106, 118))
            step = add([x * math.cos(turn) for x in back], side, math.sin(turn))
            atoms.append(add(atoms[-1], step, bond * rng.uniform(0.95, 1.05)))
        far = [norm(add(atoms[i], atoms[j], -1)) for i in range(n) for j in range(i + 3, n)]
        if min(far) > least:
            return atoms


def functions():
    """Lorentz-Berthelot, generated pairs, every bonded function, macros, conditions, includes; a skewed box."""
    write("functions.ff/forcefield.itp", """\
; an invented force field
#define _FF_FUNCTIONS
[ defaults ]
; nbfunc comb-rule gen-pairs fudgeLJ fudgeQQ
1 2 yes 0.6 0.75
#include "nonbonded.itp"
#include "bonded.itp"
""")
    write("functions.ff/nonbonded.itp", """\
[ atomtypes ]
; name bonded number mass charge ptype sigma epsilon
 CA  CT  6  12.011   0.00  A  0.33  0.35
 CB  CT  6  13.019   0.00  A  0.36  0.41 ; same bonded type
 OA  OT  8  15.999  -0.30  A  0.30  0.70
 HA  HT  1   1.008   0.10  A  0.22  0.10
 ION II 11  22.990   0.80  A  0.26  0.30
[ nonbond_params ]
 ION OA 1 0.27 0.55
[ pairtypes ]
 CA OA 1 0.31 0.19
""")
    write("functions.ff/bonded.itp", """\
#define gb_ct 0.153 220000
#define tors_phase 25
[ bondtypes ]
CT CT 1 gb_ct
CT OT 1 0.143 260000 0.143 260000 ; state B repeats state A
HT CT 1 0.109 280000
[ angletypes ]
CT CT CT 5 111.0 480.0 0.2560 6694.4
CT CT OT 1 108.5 430.0
CT OT CT 1 112.0 500.0
HT CT CT 5 109.5 300.0 0.2180 \\
  18000.0
HT CT OT 1 109.0 290.0
[ dihedraltypes ]
X  CT CT X  9 0.0 0.65 3
X  CT CT X  9 tors_phase 0.30 2
CT CT CT CT 9 180.0 0.80 1
CT CT CT CT 9 10.0 0.40 4
CT CT CT CT 9 -35.0 0.25 6
OT CT 3 1.5 -2.5 0.75 3.0 -0.5 0.25
CT OT 4 0.0 0.1 2
CT X X CT 2 35.0 150.0
""")
    write("functions.itp", """\
[ moleculetype ]
CHAIN 3
[ atoms ]
; nr type resnr residue atom cgnr charge mass
 1 HA  1 AAA H1 1
 2 CA  1 AAA C1 1 0.12
 3 CA  1 AAA C2 1 0.08 14.027
 4 CB  1 AAA C3 2 0.05
 5 CB  2 BBB C4 2 0.05
 6 CA  2 BBB C5 3 0.10
 7 OA  2 BBB O1 3
 8 CA  2 BBB C6 4 0.10
 9 CB  2 BBB C7 4
10 HA  2 BBB H2 5 0.20
[ bonds ]
1 2
2 3 1
3 4 1 0.155 210000
4 5
5 6
6 7
7 8
8 9
9 10
1 10 6 0.9 150 ; excludes nobody
[ angles ]
1 2 3 5
2 3 4 5
3 4 5 5
4 5 6 1 111.5 455.0
#ifndef STIFF
5 6 7
#else
5 6 7 1 100 9999
#endif
6 7 8
7 8 9
8 9 10 5 112.5 310.0 0.2200 17000.0
[ dihedrals ]
1 2 3 4 9
2 3 4 5 9
3 4 5 6 9
4 5 6 7 9
5 6 7 8 3
6 7 8 9 1 15.0 1.75 3
7 8 9 10 5 1.1 -0.9 2.2 0.4
[ dihedrals ] ; out of plane
2 3 5 4 2
6 8 4 7 2 -20 80
1 3 6 8 4 155.0 3.25 2
[ pairs ]
1 4 1
2 5 1
3 6 1
4 7 1
5 8 1 0.32 0.11
6 9 2
7 10 2
1 5 2 0.9 0.25 -0.15 0.30 0.12
[ exclusions ]
1 6 5
2 8
""")
    write("functions.top", """\
#include "functions.ff/forcefield.itp"
#include "functions.itp"

[ moleculetype ]
NA 1
[ atoms ]
1 ION 1 NA NA 1
[ moleculetype ]
CL 1
[ atoms ]
#ifdef HALF
1 OA 1 CL CL 1 -0.5 35.45
#else
1 OA 1 CL CL 1 CLCHARGE 35.45
#endif
[ system ]
every function
[ molecules ]
CHAIN 6
NA 4
CL 4
CHAIN 2
""")
    box = [[2.3, 0, 0], [0.5, 2.2, 0], [-0.4, 0.6, 2.25]]
    p = Packing(box, 0.26, 1)
    names = "H1 C1 C2 C3 C4 C5 O1 C6 C7 H2".split()
    residues = ["AAA"] * 4 + ["BBB"] * 6
    put = lambda k: p.put(residues, names, chain(10, 0.147, k))
    for k in range(6):
        put(k)
    for _ in range(4):
        p.put("NA", ["NA"], [[0, 0, 0]])
    for _ in range(4):
        p.put("CL", ["CL"], [[0, 0, 0]])
    for k in range(6, 8):
        put(k)
    p.gro("functions.gro", "every function")


def rule1():
    """C6 and C12, no generated pairs, nrexcl 2."""
    c6 = lambda s, e: 4 * e * s**6
    c12 = lambda s, e: 4 * e * s**12
    types = {"P": (0.34, 0.45), "Q": (0.30, 0.62), "R": (0.25, 0.2)}
    lines = "".join(f"{t} {m} {q} A {c6(*se):.10e} {c12(*se):.10e}\n" for (t, se), m, q in zip(types.items(), (12.011, 15.999, 1.008), (0.2, -0.4, 0.2)))
    write("rule1.top", f"""\
[ defaults ]
1 1 no 1.0 0.5
[ atomtypes ]
{lines}[ nonbond_params ]
Q R 1 {c6(0.26, 0.5):.10e} {c12(0.26, 0.5):.10e}
[ pairtypes ]
P P 1 {c6(0.33, 0.2):.10e} {c12(0.33, 0.2):.10e}
Q P 1 {c6(0.31, 0.3):.10e} {c12(0.31, 0.3):.10e}
[ constrainttypes ]
P Q 1 0.14
[ moleculetype ]
FIVE 2
[ atoms ]
1 P 1 FIVE P1 1
2 Q 1 FIVE Q1 1
3 P 1 FIVE P2 1 0.3
4 P 1 FIVE P3 1 0.1
5 R 1 FIVE R1 1 -0.2
[ bonds ]
1 2 1 0.145 200000
2 3 1 0.145 200000
3 4 1 0.147 180000
4 5 1 0.144 190000
[ angles ]
1 2 3 1 110 400
2 3 4 1 112 410
3 4 5 1 108 420
[ dihedrals ]
1 2 3 4 1 0 1.2 -3
2 3 4 5 9 40 0.8 2
[ pairs ]
1 4
2 5 1 {c6(0.3, 0.25):.10e} {c12(0.3, 0.25):.10e}
[ system ]
combination rule 1
[ molecules ]
FIVE 16
""")
    p = Packing([[2.0, 0, 0], [0, 2.1, 0], [0, 0, 2.05]], 0.26, 2)
    for k in range(16):
        p.put("FIVE", "P1 Q1 P2 P3 R1".split(), chain(5, 0.145, 100 + k))
    p.gro("rule1.gro", "combination rule 1")


def water():
    """SPC/E (H. J. C. Berendsen et al., J. Phys. Chem. 91, 6269 (1987)) with settles, and a rod with constraints;
    velocities."""
    write("water.top", """\
[ defaults ]
1 3 yes 0.5 0.5
[ atomtypes ]
OW 8 15.9994 -0.8476 A 0.3165655 0.6501940
HW 1 1.0080 0.4238 A 0.0 0.0
ROD 15 30.0 0.0 A 0.30 0.5
[ moleculetype ]
SOL 2
[ atoms ]
1 OW 1 SOL OW 1
2 HW 1 SOL HW1 1
3 HW 1 SOL HW2 1
#ifndef FLEXIBLE
[ settles ]
1 1 0.1 0.163298086184023
[ exclusions ]
1 2 3
2 1 3
3 1 2
#else
[ bonds ]
1 2 1 0.1 345000
1 3 1 0.1 345000
[ angles ]
2 1 3 1 109.47 383
#endif
[ moleculetype ]
ROD 1
[ atoms ]
1 ROD 1 ROD R1 1 0.2
2 ROD 1 ROD R2 1 -0.1
3 ROD 1 ROD R3 1 -0.1
[ constraints ]
1 2 1 0.15
2 3 1 0.15
1 3 2 0.25
[ system ]
water and rods
[ molecules ]
SOL 60
rod 5
SOL 4
""")
    half = math.acos(-1 / 3) / 2
    shape = [[0, 0, 0], [0.1 * math.sin(half), 0.1 * math.cos(half), 0], [-0.1 * math.sin(half), 0.1 * math.cos(half), 0]]
    rod = [[-0.125, 0, 0], [0, math.sqrt(0.15**2 - 0.125**2), 0], [0.125, 0, 0]]
    p = Packing([[1.6, 0, 0], [0, 1.6, 0], [0, 0, 1.6]], 0.17, 3)
    for _ in range(60):
        p.put("SOL", ["OW", "HW1", "HW2"], shape)
    for _ in range(5):
        p.put("ROD", ["R1", "R2", "R3"], rod)
    for _ in range(4):
        p.put("SOL", ["OW", "HW1", "HW2"], shape)
    p.gro("water.gro", "water and rods", velocities=True)


def peo_litfsi():
    """The system of tests/data/peers as a user of GROMACS would write it: parameters by types, generated pairs,
    neighbours excluded along the bonds. Its numbers are those of tests/data/peers/peo-litfsi.gromacs.json, which
    GROMACS made from another topology of the same model."""
    s = model.load(os.path.join(DATA, "..", "peers", "peo-litfsi.system.json"))
    g = lambda *values: " ".join(f"{v:.15g}" for v in values)
    number = {"C": 6, "O": 8, "H": 1, "N": 7, "S": 16, "F": 9, "L": 3}
    top = "[ defaults ]\n1 3 yes 0.5 0.5\n[ atomtypes ]\n"
    for t, (sigma, epsilon) in model.LENNARD_JONES.items():
        if t in s.types:
            top += f"{t} {number[t[0]]} {g(s.masses[s.types.index(t)])} 0 A {g(sigma, epsilon)}\n"
    top += "[ bondtypes ]\n" + "".join(f"{' '.join(k)} 1 {g(*v)}\n" for k, v in model.BONDS.items())
    top += "[ angletypes ]\n" + "".join(f"{' '.join(k)} 1 {g(math.degrees(v[0]), v[1])}\n" for k, v in model.ANGLES.items())
    top += "[ dihedraltypes ]\n"
    for k, v in model.DIHEDRALS.items():
        # Those of the polymer as Ryckaert-Bellemans, those of the anion as Fourier functions.
        top += f"{' '.join(k)} " + (f"3 {g(*model.ryckaert_bellemans(v))}\n" if "OS" in k or k.count("HC") == 2 else f"5 {g(*v)}\n")
    first, done = 0, set()
    for name, count in s.molecules:
        atoms = range(first, first + count)
        first += count
        if name in done:
            continue
        done.add(name)
        inside = lambda terms: [[x - atoms[0] + 1 for x in t] for t in terms if t[0] in atoms]
        rows = lambda title, terms, f: f"[ {title} ]\n" + "".join(" ".join(map(str, t)) + f" {f(t)}\n" for t in terms) if terms else ""
        top += f"[ moleculetype ]\n{name} 3\n[ atoms ]\n"
        for k in atoms:
            top += f"{k - atoms[0] + 1} {s.types[k]} 1 {name} {s.types[k]} 1 {g(s.charges[k])}\n"
        fourier = lambda t: 5 if {s.types[x + atoms[0] - 1] for x in t} & {"SB"} else 3
        top += rows("bonds", inside(s.bonds), lambda t: 1) + rows("angles", inside(s.angles), lambda t: 1)
        top += rows("dihedrals", inside(s.dihedrals), fourier) + rows("pairs", inside(s.pairs14), lambda t: 1)
    top += "[ system ]\nPEO and LiTFSI\n[ molecules ]\n" + "".join(f"{name} 1\n" for name, _ in s.molecules)
    write("peo-litfsi.top", top)
    p = Packing(s.cell, 0, 0)
    p.placed = s.positions
    p.names = [(name, t) for (name, t) in zip([n for n, c in s.molecules for _ in range(c)], s.types)]
    p.gro("peo-litfsi.gro", "PEO and LiTFSI", decimals=15)


if __name__ == "__main__":
    functions()
    rule1()
    water()
    peo_litfsi()
