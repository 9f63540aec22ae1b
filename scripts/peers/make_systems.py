#!/usr/bin/env python3
"""Builds the systems of the matrix: tests/data/peers/NAME.system.json, for reference.py to evaluate.

  make_systems.py AMELO [NAME ...]     AMELO: the program; all systems, or those named

Polymers, salts and slabs come from amelo's builder with a short relaxation; water and the peptide are placed here and
relaxed by OpenMM. The structures are stored, so this runs only when a system is added: positions are rounded, then
every program sees the same numbers. The scans turn one torsion of a rigid molecule by 30 degrees at a time.
Needs h5py and openmm.
"""

import math
import os
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import model  # noqa: E402
import openmm_peer  # noqa: E402
from from_checkpoint import DIGITS, read, write  # noqa: E402

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "data", "peers")
AMELO = "amelo"

DECK = """seed = {seed}
{system}
[forcefield]
files = [{files}]
charge_scale = {{ {scale} }}
[nonbonded]
r_cut = "{r_cut} nm"
[dynamics]
timestep = "1 fs"
[[stage]]
name = "relax"
minimize = {{ force_tolerance = "300 kJ/mol/nm", max_steps = 500 }}
"""
WARM = """[[stage]]
name = "warm"
nvt = { temperature = "363 K", thermostat = "langevin", friction = "5 1/ps" }
duration = "0.3 ps"
"""
QUENCH = """[[stage]]
name = "melt"
nvt = { temperature = "4500 K", thermostat = "langevin", friction = "5 1/ps" }
duration = "3 ps"
[[stage]]
name = "quench"
nvt = { temperature = "300 K", thermostat = "langevin", friction = "5 1/ps" }
duration = "1 ps"
"""
LITFSI = '"peo-opls-aa", "tfsi-clp", "li-clp"'
OXIDE = LITFSI + ', "tio2-matsui-akaogi", "tio2-organic"'


def molecule(name, count, monomers=None):
    return f'[[system.molecule]]\nname = "{name}"\ncount = {count}\n' + (f"monomers = {monomers}\n" if monomers else "")


def built(system, files, r_cut, scale="", seed=1, stages=WARM):
    """What amelo makes of a deck, molecules whole."""
    with tempfile.TemporaryDirectory() as d:
        deck = DECK.format(seed=seed, system=system, files=files, scale=scale, r_cut=r_cut) + stages
        open(os.path.join(d, "deck.toml"), "w").write(deck)
        subprocess.run([AMELO, "run", "deck.toml", "-q", "--threads", "1"], cwd=d, check=True)
        return whole(read(os.path.join(d, "deck.run", "checkpoint.h5")))


def whole(s):
    """Every molecule in one piece: each atom beside the one that it is bonded to."""
    cell, x = np.array(s["cell"]), np.array(s["positions"])
    inverse, neighbours = np.linalg.inv(cell), [[] for _ in x]
    for i, j in s["bonds"]:
        neighbours[i].append(j)
        neighbours[j].append(i)
    seen = set()
    for start in range(len(x)):
        stack = [] if start in seen else [start]
        seen.add(start)
        while stack:
            i = stack.pop()
            for j in neighbours[i]:
                if j not in seen:
                    d = x[j] - x[i]
                    x[j] -= np.round(d @ inverse) @ cell
                    seen.add(j)
                    stack.append(j)
    return {**s, "positions": x.tolist()}


def as_model(name, s, r_cut):
    return model.System(name, s["cell"], s["positions"], s["types"], s["charges"], s["masses"], [tuple(b) for b in s["bonds"]], s["molecules"],
                        r_cut, s.get("slab", False), s.get("gas", False), [tuple(i) for i in s.get("impropers", [])])


def relaxed(name, s, r_cut, temperature=300):
    """Minimised and stirred by OpenMM."""
    import openmm as mm
    from openmm import unit
    system, _ = openmm_peer.build(as_model(name, s, r_cut), 1e-4, mesh=32)
    integrator = mm.LangevinMiddleIntegrator(temperature, 5, 0.0005)
    integrator.setRandomNumberSeed(1)
    context = mm.Context(system, integrator, mm.Platform.getPlatformByName("Reference"))
    context.setPositions(s["positions"])
    mm.LocalEnergyMinimizer.minimize(context, 100, 60)
    context.setVelocitiesToTemperature(temperature, 1)
    integrator.step(100)
    x = context.getState(getPositions=True).getPositions(asNumpy=True).value_in_unit(unit.nanometer)
    return whole({**s, "positions": x.tolist()})


# ---- the gas phase

def scan(s, types, first=0):
    """Configurations with the torsion of these types turned through a circle, 7 degrees off the planar ones."""
    m = as_model("scan", s, 1.9)
    a, b, c, d = next(t for t in m.dihedrals[first:] if tuple(m.types[k] for k in t) in (types, types[::-1]))
    x, side, stack = np.array(s["positions"]), {c}, [c]
    while stack:
        i = stack.pop()
        for j in (q for bond in m.bonds if i in bond for q in bond):
            if j not in side and (i, j) != (c, b):
                side.add(j)
                stack.append(j)
    axis = (x[c] - x[b]) / np.linalg.norm(x[c] - x[b])
    side = sorted(side)
    u, w = np.cross(x[a] - x[b], axis), np.cross(x[d] - x[c], axis)
    phi = math.atan2(np.dot(np.cross(u, w), axis), np.dot(u, w))
    frames = []
    for k in range(12):
        turn = math.radians(7 + 30 * k) - phi
        y, r = x.copy(), x[side] - x[b]
        y[side] = x[b] + r * math.cos(turn) + np.cross(axis, r) * math.sin(turn) + np.outer(r @ axis, axis) * (1 - math.cos(turn))
        frames.append(y)
    return frames


def gas(text, files, *torsions):
    s = built('[system]\nbox = ["4 nm", "4 nm", "4 nm"]\n' + text, files, 1.9, stages="")
    x = np.array(s["positions"])
    s["positions"] = (x - x.mean(axis=0) + 2.0).tolist()
    frames = [f for types in torsions for f in scan(s, types)]
    del s["positions"]
    return {**s, "gas": True, "frames": frames}, 1.9


# ---- films and oblique cells

def as_film(s):
    """The same molecules as one film, which fills 4 of 9 parts of the cell's height; `s` may hold a gap already."""
    cell, x = np.array(s["cell"]), np.array(s["positions"])
    z = np.sort(x[:, 2] % cell[2, 2])
    gaps = np.diff(np.append(z, z[0] + cell[2, 2]))
    start = z[(gaps.argmax() + 1) % len(z)]
    x[:, 2] = x[:, 2] - np.floor((x[:, 2] - start) / cell[2, 2]) * cell[2, 2] if gaps.max() > 1.0 else x[:, 2]
    s = whole({**s, "positions": x.tolist()})
    x = np.array(s["positions"])
    height = float(np.ptp(x[:, 2]))
    cell[2, 2] = round(height * 9 / 4, 2)
    x[:, 2] += (cell[2, 2] - height) / 2 - x[:, 2].min()
    return {**s, "cell": cell.tolist(), "positions": x.tolist(), "slab": True}


def sheared(s, tilt):
    """Centres of the molecules moved along with the cell's edges."""
    cell, x = np.array(s["cell"]), np.array(s["positions"])
    oblique, first = cell + np.array(tilt), 0
    for _, n in s["molecules"]:
        centre = x[first:first + n].mean(axis=0)
        x[first:first + n] += centre @ np.linalg.inv(cell) @ oblique - centre
        first += n
    return {**s, "cell": oblique.tolist(), "positions": x.tolist()}


# ---- water and a peptide

MASS = {"OW": 15.9994, "HW": 1.008, "PC": 12.011, "PO": 15.9994, "PN": 14.0067, "PH": 1.008, "PT": 12.011, "PA": 12.011, "PX": 1.008}


def empty(edge):
    return {"cell": np.diag([edge] * 3).tolist(), "positions": [], "types": [], "charges": [], "masses": [], "bonds": [], "molecules": [], "impropers": []}


def add(s, name, types, charges, positions, bonds, impropers=()):
    n = len(s["types"])
    s["positions"] += np.array(positions).tolist()
    s["types"] += types
    s["charges"] += charges
    s["masses"] += [MASS[t] for t in types]
    s["bonds"] += [[i + n, j + n] for i, j in bonds]
    s["impropers"] += [[i + n for i in d] for d in impropers]
    s["molecules"].append((name, len(types)))


def fill_with_water(s, per_edge):
    """SPC/E at the corners of a grid, turned at random, where nothing stands yet."""
    random, edge, solute = np.random.default_rng(1), s["cell"][0][0], np.array(s["positions"]).reshape(-1, 3)
    half = math.radians(109.47) / 2
    body = np.array([[0, 0, 0], [0.1 * math.sin(half), 0.1 * math.cos(half), 0], [-0.1 * math.sin(half), 0.1 * math.cos(half), 0]])
    for corner in np.ndindex(per_edge, per_edge, per_edge):
        o = (np.array(corner) + 0.5) * edge / per_edge
        if len(solute) and np.linalg.norm(solute - o, axis=1).min() < 0.27:
            continue
        q, r = np.linalg.qr(random.normal(size=(3, 3)))
        add(s, "SPCE", ["OW", "HW", "HW"], [-0.8476, 0.4238, 0.4238], o + body @ (q * np.sign(np.diag(r))), [(0, 1), (0, 2)])
    return s


# Ace-Ala-NMe: name of the type, charge, then (bonded to, nm), (angle with, degrees), (dihedral with, degrees).
PEPTIDE = [
    ("PT", -0.18), ("PC", 0.50, 0, 0.152), ("PO", -0.50, 1, 0.123, 0, 120.4), ("PN", -0.50, 1, 0.1335, 0, 116.6, 2, 180),
    ("PX", 0.06, 0, 0.109, 1, 109.5, 2, 0), ("PX", 0.06, 0, 0.109, 1, 109.5, 2, 120), ("PX", 0.06, 0, 0.109, 1, 109.5, 2, -120),
    ("PH", 0.30, 3, 0.101, 1, 119.8, 2, 175), ("PA", 0.14, 3, 0.145, 1, 121.9, 2, -5), ("PX", 0.06, 8, 0.109, 3, 109.5, 1, 40),
    ("PT", -0.18, 8, 0.153, 3, 109.7, 1, 160), ("PC", 0.50, 8, 0.152, 3, 110.1, 1, -80),
    ("PX", 0.06, 10, 0.109, 8, 110.7, 3, 60), ("PX", 0.06, 10, 0.109, 8, 110.7, 3, 180), ("PX", 0.06, 10, 0.109, 8, 110.7, 3, -60),
    ("PO", -0.50, 11, 0.123, 8, 120.4, 3, -110), ("PN", -0.50, 11, 0.1335, 8, 116.6, 3, 70),
    ("PH", 0.30, 16, 0.101, 11, 119.8, 8, 5), ("PT", 0.02, 16, 0.145, 11, 121.9, 8, 178),
    ("PX", 0.06, 18, 0.109, 16, 109.5, 11, 0), ("PX", 0.06, 18, 0.109, 16, 109.5, 11, 120), ("PX", 0.06, 18, 0.109, 16, 109.5, 11, -120),
]
PEPTIDE_IMPROPERS = [(0, 3, 1, 2), (1, 8, 3, 7), (8, 16, 11, 15), (11, 18, 16, 17)]


def peptide(s):
    x = []
    for _, _, *place in PEPTIDE:
        if not place:
            x.append(np.zeros(3))
            continue
        b, r = x[place[0]], place[1]
        a = x[place[2]] if len(place) > 2 else b + [0, 0, 1.0]
        d = x[place[4]] if len(place) > 4 else a + [1.0, 0.3, 0]
        theta, phi = math.radians(place[3] if len(place) > 3 else 180), math.radians(place[5] if len(place) > 5 else 0)
        e = (a - b) / np.linalg.norm(a - b)
        n = (d - a) - np.dot(d - a, e) * e
        n /= np.linalg.norm(n)
        x.append(b + r * (math.cos(theta) * e + math.sin(theta) * (math.cos(phi) * n + math.sin(phi) * np.cross(n, e))))
    x = np.array(x)
    x += np.array(s["cell"])[0, 0] / 2 - x.mean(axis=0)
    bonds = [(place[0], k) for k, (_, _, *place) in enumerate(PEPTIDE) if place]
    add(s, "ALAD", [p[0] for p in PEPTIDE], [p[1] for p in PEPTIDE], x, bonds, PEPTIDE_IMPROPERS)
    return s


# ---- the list

SCALE = "Li = 0.8, TFSI = 0.8"
ELECTROLYTE = '[system]\npacking_density = "0.95 g/cm^3"\n' + molecule("PEO", 5, 6) + molecule("LiTFSI", 3)
ON_OXIDE = '[system.oxide.anatase]\nsurface = "101"\nthickness = "0.7 nm"\n' + molecule("PEO", 6, 4) + molecule("LiTFSI", 2)
LATERAL = '[system]\nlateral = ["2.05 nm", "1.5 nm"]\n'

SYSTEMS = {
    "tfsi": lambda: gas(molecule("TFSI", 1), '"tfsi-clp"', ("SB", "NB", "SB", "CF")),
    "fsi": lambda: gas(molecule("FSI", 1), '"fsi-clp"', ("SB", "NB", "SB", "FB")),
    "dimethoxyethane": lambda: gas(molecule("PEO", 1, 1), '"peo-opls-aa"', ("OS", "CT", "CT", "OS")),
    "peo-trimer": lambda: gas(molecule("PEO", 1, 3), '"peo-opls-aa"', ("OS", "CT", "CT", "OS"), ("CT", "CT", "OS", "CT")),
    "peo-melt": lambda: (built('[system]\npacking_density = "1.0 g/cm^3"\n' + molecule("PEO", 8, 6), '"peo-opls-aa"', 0.78), 0.78),
    "peo-nafsi": lambda: (built('[system]\npacking_density = "1.0 g/cm^3"\n' + molecule("PEO", 7, 6) + molecule("NaFSI", 4),
                                '"peo-opls-aa", "fsi-clp", "na-clp"', 0.78), 0.78),
    "amorphous-tio2": lambda: (built("[system.oxide.anatase]\nsupercell = [4, 4, 2]\n", '"tio2-matsui-akaogi"', 0.75, stages=QUENCH), 0.75),
    "interface": lambda: (built(LATERAL + ON_OXIDE, OXIDE, 0.74, SCALE), 0.74),
    "interface-vacuum": lambda: (as_film(built(LATERAL + 'geometry.film = { vacuum = "3 nm" }\n' + ON_OXIDE, OXIDE, 0.74, SCALE)), 0.74),
    "film-vacuum": lambda: (as_film(built(ELECTROLYTE, LITFSI, 0.75, SCALE)), 0.75),
    "triclinic": lambda: (relaxed("triclinic", sheared(built(ELECTROLYTE, LITFSI, 0.75, SCALE, seed=2), [[0, 0, 0], [0.3, 0, 0], [-0.25, 0.2, 0]]), 0.75), 0.75),
    "spce-water": lambda: (relaxed("spce-water", fill_with_water(empty(1.552), 5), 0.75), 0.75),
    "peptide-in-water": lambda: (relaxed("peptide-in-water", fill_with_water(peptide(empty(1.9)), 6), 0.9), 0.9),
}


def check_cutoff(name, s, r_cut):
    """Truncation is ill-defined for a pair at the cut-off itself."""
    cell = np.array(s["cell"])
    inverse = np.linalg.inv(cell)
    widths = 1 / np.linalg.norm(inverse, axis=0)
    assert r_cut < widths.min() / 2, f"{name}: cut-off {r_cut} nm, widths {widths} nm"
    if "frames" in s:
        return
    x = np.round(s["positions"], DIGITS)
    for i in range(len(x)):
        d = x[i + 1:] - x[i]
        d -= np.round(d @ inverse) @ cell
        for shift in np.ndindex(3, 3, 3):
            r = np.linalg.norm(d + (np.array(shift) - 1) @ cell, axis=1)
            assert not (abs(r - r_cut) < 1e-9).any(), f"{name}: a pair at the cut-off {r_cut} nm"


def main():
    global AMELO
    AMELO = os.path.abspath(sys.argv[1])
    for name in sys.argv[2:] or SYSTEMS:
        s, r_cut = SYSTEMS[name]()
        check_cutoff(name, s, r_cut)
        write(os.path.join(DATA, name + ".system.json"), name, r_cut, s)
        print(f"{name:24s} {len(s['types'])} atoms, {len(s.get('frames', [0]))} configurations, cell {s['cell']}")


if __name__ == "__main__":
    main()
