"""The systems as the peers see them: atoms, bonds and positions from a file, force-field numbers from the
literature, transcribed here a second time and apart from `potentials/`, in the units of their sources, so that a
slip of the pen on either side shows.

Units inside: nm, kJ/mol, e, u, rad.
"""

import itertools
import json
import math
from dataclasses import dataclass, field

KCAL = 4.184
EV = 96.48533212331002

# Lennard-Jones: sigma in nm, epsilon in kJ/mol. OPLS-AA 1996 ethers (Jorgensen, Maxwell, Tirado-Rives, JACS 118,
# 11225 (1996)); TFSI: CL&P (Canongia Lopes, Padua, JPCB 108, 16893 (2004)) with the O and F of its il.ff since 2018;
# Li: Aqvist, J. Phys. Chem. 94, 8021 (1990).
LENNARD_JONES = {
    "OS": (0.290, 0.140 * KCAL), "CT": (0.350, 0.066 * KCAL), "HC": (0.250, 0.030 * KCAL),
    "NB": (0.325, 0.71128), "SB": (0.355, 1.04600), "OB": (0.315, 0.83736), "CF": (0.350, 0.27614),
    "FB": (0.3118, 0.25540), "Li": (0.2126452, 0.018279 * KCAL),
}

# Matsui and Akaogi, Mol. Simul. 6, 239 (1991): A_i, B_i in angstrom, C_i in angstrom^3 (kJ/mol)^1/2;
# U = f (B_i + B_j) exp[(A_i + A_j - r)/(B_i + B_j)] - C_i C_j / r^6 with f = 4.184 kJ/mol/angstrom.
MATSUI_AKAOGI = {"Ti": (1.1823, 0.077, 22.5), "O_ox": (1.6339, 0.117, 54.0)}


def buckingham(a, b):
    """(A kJ/mol, rho nm, C kJ/mol nm^6) of a pair of oxide types."""
    (ai, bi, ci), (aj, bj, cj) = MATSUI_AKAOGI[a], MATSUI_AKAOGI[b]
    rho = bi + bj
    return KCAL * rho * math.exp((ai + aj) / rho), rho * 0.1, ci * cj * 1e-6


# Bonds: k/2 (r - r0)^2; (r0 nm, k kJ/mol/nm^2). OPLS in kcal/mol/A^2 without the half, CL&P in kJ/mol/A^2 with it.
opls_bond = lambda r0, k: (r0 * 0.1, 2 * k * KCAL * 100)
clp_bond = lambda r0, k: (r0 * 0.1, k * 100)
BONDS = {
    ("CT", "CT"): opls_bond(1.529, 268), ("CT", "OS"): opls_bond(1.410, 320), ("CT", "HC"): opls_bond(1.090, 340),
    ("NB", "SB"): clp_bond(1.570, 3137), ("OB", "SB"): clp_bond(1.437, 5331),
    ("CF", "SB"): clp_bond(1.818, 1950), ("CF", "FB"): clp_bond(1.323, 3698),
}

# Angles: k/2 (theta - theta0)^2; (theta0 rad, k kJ/mol/rad^2).
opls_angle = lambda t0, k: (math.radians(t0), 2 * k * KCAL)
clp_angle = lambda t0, k: (math.radians(t0), k)
ANGLES = {
    ("CT", "OS", "CT"): opls_angle(109.5, 60), ("CT", "CT", "OS"): opls_angle(109.5, 50),
    ("HC", "CT", "OS"): opls_angle(109.5, 35), ("HC", "CT", "HC"): opls_angle(107.8, 33),
    ("CT", "CT", "HC"): opls_angle(110.7, 37.5),
    ("SB", "NB", "SB"): clp_angle(125.6, 671), ("NB", "SB", "OB"): clp_angle(113.6, 789),
    ("OB", "SB", "OB"): clp_angle(118.5, 969), ("NB", "SB", "CF"): clp_angle(103.5, 764),
    ("CF", "SB", "OB"): clp_angle(102.6, 870), ("SB", "CF", "FB"): clp_angle(111.7, 694),
    ("FB", "CF", "FB"): clp_angle(107.1, 781),
}

# Torsions: V1..V4 (kJ/mol) of 1/2 sum V_n (1 -(-1)^n cos n phi).
opls_torsion = lambda *v: tuple(x * KCAL for x in v)
DIHEDRALS = {
    ("CT", "CT", "OS", "CT"): opls_torsion(0.650, -0.250, 0.670, 0), ("OS", "CT", "CT", "OS"): opls_torsion(-0.550, 0, 0, 0),
    ("HC", "CT", "OS", "CT"): opls_torsion(0, 0, 0.760, 0), ("HC", "CT", "CT", "OS"): opls_torsion(0, 0, 0.468, 0),
    ("HC", "CT", "CT", "HC"): opls_torsion(0, 0, 0.300, 0),
    ("SB", "NB", "SB", "CF"): (32.773, -10.420, -3.195, 0), ("SB", "NB", "SB", "OB"): (0, 0, -0.015, 0),
    ("FB", "CF", "SB", "NB"): (0, 0, 1.322, 0), ("FB", "CF", "SB", "OB"): (0, 0, 1.451, 0),
}


def lookup(table, types):
    key = tuple(types)
    for k in (key, key[::-1]):
        if k in table:
            return table[k]
    raise KeyError(f"no parameters for {key}")


def ryckaert_bellemans(v):
    """C0..C5 in psi = phi - 180 deg of the OPLS V1..V4."""
    v1, v2, v3, v4 = v
    return (v2 + 0.5 * (v1 + v3), 0.5 * (3 * v3 - v1), -v2 + 4 * v4, -2 * v3, -4 * v4, 0.0)


@dataclass
class System:
    name: str
    cell: list          # 3 rows, nm
    positions: list     # n x 3, nm
    types: list
    charges: list
    masses: list
    bonds: list
    molecules: list     # (name, count of atoms) in order
    r_cut: float        # nm
    angles: list = field(default_factory=list)
    dihedrals: list = field(default_factory=list)
    pairs14: list = field(default_factory=list)
    exclusions: set = field(default_factory=set)

    def __post_init__(self):
        n = len(self.types)
        neighbours = [[] for _ in range(n)]
        for i, j in self.bonds:
            neighbours[i].append(j)
            neighbours[j].append(i)
        for j in range(n):
            for i, k in itertools.combinations(sorted(neighbours[j]), 2):
                self.angles.append((i, j, k))
        for j, k in self.bonds:
            for i in neighbours[j]:
                for l in neighbours[k]:
                    if i != k and l != j and i != l:
                        self.dihedrals.append((i, j, k, l))
        near = set()
        for i, j in self.bonds:
            near.add((min(i, j), max(i, j)))
        for i, _, k in self.angles:
            near.add((min(i, k), max(i, k)))
        far = {(min(d[0], d[3]), max(d[0], d[3])) for d in self.dihedrals}
        self.pairs14 = sorted(far - near)
        self.exclusions = near | far

    @property
    def r_switch(self):
        """Where a force switch begins (nm)."""
        return round(self.r_cut - 0.15, 12)

    @property
    def is_oxide(self):
        return all(t in MATSUI_AKAOGI for t in self.types)

    @property
    def n_atoms(self):
        return len(self.types)


def load(path):
    with open(path) as f:
        d = json.load(f)
    return System(d["name"], d["cell"], d["positions"], d["types"], d["charges"], d["masses"],
                  [tuple(b) for b in d["bonds"]], [tuple(m) for m in d["molecules"]], d["r_cut"])
