"""The systems as the peers see them: atoms, bonds and positions from a file, force-field numbers from the
literature, transcribed here a second time and apart from `potentials/`, in the units of their sources, so that a
slip of the pen on either side shows.

Units inside: nm, kJ/mol, e, u, rad.
"""

import copy
import itertools
import json
import math
from dataclasses import dataclass, field

KCAL = 4.184
EV = 96.48533212331002

# Lennard-Jones: sigma in nm, epsilon in kJ/mol. OPLS-AA 1996 ethers (Jorgensen, Maxwell, Tirado-Rives, JACS 118,
# 11225 (1996)); TFSI: CL&P (Canongia Lopes, Padua, JPCB 108, 16893 (2004)) with the O and F of its il.ff since 2018;
# Li, Na: Aqvist, J. Phys. Chem. 94, 8021 (1990). Ti and O of the oxide against organic atoms: UFF, Rappe et al., JACS
# 114, 10024 (1992), table 1, x / 2^(1/6). SPC/E water: Berendsen, Grigera, Straatsma, J. Phys. Chem. 91, 6269 (1987).
# Peptide (C, O, N, H, and CT and HC under names of their own): OPLS-AA as in GROMACS 2022.5 oplsaa.ff, opls_235, 236,
# 238, 241, 135, 224B, 140. Where epsilon is 0, sigma has no effect.
LENNARD_JONES = {
    "OS": (0.290, 0.140 * KCAL), "CT": (0.350, 0.066 * KCAL), "HC": (0.250, 0.030 * KCAL),
    "NB": (0.325, 0.71128), "SB": (0.355, 1.04600), "OB": (0.315, 0.83736), "CF": (0.350, 0.27614),
    "FB": (0.3118, 0.25540), "Li": (0.2126452, 0.018279 * KCAL),
    "Na": (0.3330445, 0.002772 * KCAL), "Ti": (0.28286, 0.017 * KCAL), "O_ox": (0.31181, 0.060 * KCAL),
    "OW": (0.3166, 0.650), "HW": (0.1, 0.0),
    "PC": (0.375, 0.439320), "PO": (0.296, 0.878640), "PN": (0.325, 0.711280), "PH": (0.1, 0.0),
    "PT": (0.350, 0.276144), "PA": (0.350, 0.276144), "PX": (0.250, 0.125520),
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
    ("CF", "SB"): clp_bond(1.818, 1950), ("CF", "FB"): clp_bond(1.323, 3698), ("SB", "FB"): clp_bond(1.575, 1879),
    # Springs for rigid water and the peptide as in GROMACS 2022.5 oplsaa.ff: spce.itp under FLEXIBLE, ffbonded.itp.
    ("OW", "HW"): (0.1, 345000), ("PC", "PT"): (0.1522, 265265.6), ("PC", "PA"): (0.1522, 265265.6), ("PC", "PN"): (0.1335, 410032.0),
    ("PC", "PO"): (0.1229, 476976.0), ("PT", "PA"): (0.1529, 224262.4), ("PT", "PX"): (0.109, 284512.0), ("PA", "PX"): (0.109, 284512.0),
    ("PT", "PN"): (0.1449, 282001.6), ("PA", "PN"): (0.1449, 282001.6), ("PH", "PN"): (0.101, 363171.2),
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
    ("FB", "SB", "OB"): clp_angle(104.1, 1077), ("FB", "SB", "NB"): clp_angle(103.0, 902),
    ("HW", "OW", "HW"): clp_angle(109.47, 383),
    ("PT", "PC", "PN"): clp_angle(116.6, 585.76), ("PA", "PC", "PN"): clp_angle(116.6, 585.76),
    ("PT", "PC", "PO"): clp_angle(120.4, 669.44), ("PA", "PC", "PO"): clp_angle(120.4, 669.44), ("PN", "PC", "PO"): clp_angle(122.9, 669.44),
    ("PC", "PA", "PT"): clp_angle(111.1, 527.184), ("PC", "PT", "PX"): clp_angle(109.5, 292.88), ("PC", "PA", "PX"): clp_angle(109.5, 292.88),
    ("PC", "PA", "PN"): clp_angle(110.1, 527.184), ("PT", "PA", "PX"): clp_angle(110.7, 313.8), ("PA", "PT", "PX"): clp_angle(110.7, 313.8),
    ("PT", "PA", "PN"): clp_angle(109.7, 669.44), ("PX", "PT", "PX"): clp_angle(107.8, 276.144),
    ("PX", "PT", "PN"): clp_angle(109.5, 292.88), ("PX", "PA", "PN"): clp_angle(109.5, 292.88),
    ("PC", "PN", "PT"): clp_angle(121.9, 418.4), ("PC", "PN", "PA"): clp_angle(121.9, 418.4), ("PC", "PN", "PH"): clp_angle(119.8, 292.88),
    ("PT", "PN", "PH"): clp_angle(118.4, 317.984), ("PA", "PN", "PH"): clp_angle(118.4, 317.984),
}

# Torsions: V1..V4 (kJ/mol) of 1/2 sum V_n (1 -(-1)^n cos n phi).
opls_torsion = lambda *v: tuple(x * KCAL for x in v)
DIHEDRALS = {
    ("CT", "CT", "OS", "CT"): opls_torsion(0.650, -0.250, 0.670, 0), ("OS", "CT", "CT", "OS"): opls_torsion(-0.550, 0, 0, 0),
    ("HC", "CT", "OS", "CT"): opls_torsion(0, 0, 0.760, 0), ("HC", "CT", "CT", "OS"): opls_torsion(0, 0, 0.468, 0),
    ("HC", "CT", "CT", "HC"): opls_torsion(0, 0, 0.300, 0),
    ("SB", "NB", "SB", "CF"): (32.773, -10.420, -3.195, 0), ("SB", "NB", "SB", "OB"): (0, 0, -0.015, 0),
    ("FB", "CF", "SB", "NB"): (0, 0, 1.322, 0), ("FB", "CF", "SB", "OB"): (0, 0, 1.451, 0),
    ("FB", "SB", "NB", "SB"): (11.445, -15.186, -3.212, 0),
}
# The peptide's, from the C0 ... C3 (kJ/mol) of GROMACS 2022.5 oplsaa.ff ffbonded.itp: V3 = -C3/2, V2 = -C2, V1 = 3 V3 - 2 C1.
opls_from_rb = lambda c0, c1, c2, c3: (3 * (-c3 / 2) - 2 * c1, -c2, -c3 / 2, 0)
threefold = lambda c3: (0, 0, -c3 / 2, 0)
ZERO = (0, 0, 0, 0)
DIHEDRALS |= {
    ("PC", "PN", "PA", "PT"): opls_from_rb(15.70255, 31.75656, -3.66936, -43.78975), ("PC", "PN", "PA", "PX"): ZERO,
    ("PC", "PN", "PA", "PC"): opls_from_rb(-10.35749, -29.58716, -1.16734, 41.11199), ("PC", "PN", "PT", "PX"): threefold(1.16315),
    ("PC", "PA", "PN", "PH"): ZERO, ("PT", "PA", "PN", "PH"): ZERO, ("PX", "PA", "PN", "PH"): ZERO, ("PX", "PT", "PN", "PH"): ZERO,
    ("PC", "PA", "PT", "PX"): threefold(0.63596),
    ("PT", "PC", "PN", "PH"): opls_from_rb(20.5016, 0, -20.5016, 0), ("PA", "PC", "PN", "PH"): opls_from_rb(20.5016, 0, -20.5016, 0),
    ("PO", "PC", "PN", "PH"): opls_from_rb(20.5016, 0, -20.5016, 0),
    ("PT", "PC", "PN", "PA"): opls_from_rb(30.28798, -4.8116, -25.47638, 0), ("PA", "PC", "PN", "PT"): opls_from_rb(30.28798, -4.8116, -25.47638, 0),
    ("PO", "PC", "PN", "PT"): opls_from_rb(25.47638, 0, -25.47638, 0), ("PO", "PC", "PN", "PA"): opls_from_rb(25.47638, 0, -25.47638, 0),
    ("PX", "PT", "PC", "PN"): ZERO, ("PX", "PT", "PC", "PO"): ZERO, ("PX", "PA", "PC", "PN"): ZERO, ("PX", "PA", "PC", "PO"): ZERO,
    ("PT", "PA", "PC", "PO"): ZERO, ("PN", "PA", "PC", "PO"): ZERO,
    ("PX", "PT", "PA", "PN"): threefold(-3.88275), ("PX", "PT", "PA", "PX"): threefold(-2.5104),
    ("PT", "PA", "PC", "PN"): opls_from_rb(5.00825, -1.6987, -0.37238, -2.93716),
    ("PN", "PA", "PC", "PN"): opls_from_rb(10.36376, -6.60654, -10.49347, 6.73624),
}

# Impropers: k (1 + cos(2 phi - 180 deg)); k in kJ/mol. oplsaa.ff improper_O_C_X_Y and improper_Z_N_X_Y.
IMPROPERS = {("PT", "PN", "PC", "PO"): 43.932, ("PA", "PN", "PC", "PO"): 43.932, ("PC", "PA", "PN", "PH"): 4.184, ("PC", "PT", "PN", "PH"): 4.184}


def is_buckingham(a, b):
    """Pairs inside the oxide have their own potential; all others mix."""
    return a in MATSUI_AKAOGI and b in MATSUI_AKAOGI


def lennard_jones(a, b):
    """(sigma nm, epsilon kJ/mol) of two types, mixed geometrically."""
    (si, ei), (sj, ej) = LENNARD_JONES[a], LENNARD_JONES[b]
    return (si * sj) ** 0.5, (ei * ej) ** 0.5


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
    slab: bool = False  # one film in vacuum: Yeh and Berkowitz' correction along z
    gas: bool = False   # a molecule alone: plain 1/r, r_cut beyond all distances and below half the cell
    impropers: list = field(default_factory=list)
    frames: list = field(default_factory=list)   # configurations, where there are several
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

    def at(self, positions):
        """The same molecules elsewhere."""
        other = copy.copy(self)
        other.positions = positions
        return other

    @property
    def has_oxide(self):
        return any(t in MATSUI_AKAOGI for t in self.types)

    @property
    def is_triclinic(self):
        return any(self.cell[i][j] != 0 for i, j in ((1, 0), (2, 0), (2, 1)))

    @property
    def n_atoms(self):
        return len(self.types)


def load(path):
    with open(path) as f:
        d = json.load(f)
    frames = d.get("frames", [])
    return System(d["name"], d["cell"], frames[0] if frames else d["positions"], d["types"], d["charges"], d["masses"],
                  [tuple(b) for b in d["bonds"]], [tuple(m) for m in d["molecules"]], d["r_cut"], d.get("slab", False), d.get("gas", False),
                  [tuple(i) for i in d.get("impropers", [])], frames)
