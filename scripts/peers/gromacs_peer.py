"""GROMACS in double precision (Debian `gromacs`, `gmx_d`): PME of order 12 on a fine mesh."""

import math
import os
import re
import struct
import subprocess
import tempfile

from model import ANGLES, BONDS, DIHEDRALS, IMPROPERS, LENNARD_JONES, lennard_jones, lookup, ryckaert_bellemans

MDP = """integrator = md
nsteps = 0
dt = 0.001
continuation = yes
cutoff-scheme = Verlet
verlet-buffer-tolerance = -1
nstlist = 1
rlist = {r_cut:.12g}
rcoulomb = {r_cut:.12g}
rvdw = {r_cut:.12g}
coulombtype = PME
coulomb-modifier = None
vdwtype = Cut-off
vdw-modifier = {modifier}
fourierspacing = {spacing:g}
pme-order = 12
ewald-rtol = {rtol:g}
DispCorr = no
nstcalcenergy = 1
nstenergy = 1
nstxout = 0
nstfout = 1
constraints = none
comm-mode = None
"""


def topology(system, one_four="scaled"):
    """The system as one molecule; its 1-4 pairs "scaled" by a list of pairs, or at "full" strength, or with "none"."""
    lines = ["[ defaults ]", "1 3 no 1.0 1.0", "[ atomtypes ]"]
    for t in sorted(set(system.types)):
        sigma, epsilon = LENNARD_JONES[t]
        lines.append(f"{t} 1 {system.masses[system.types.index(t)]:.10g} 0.0 A {sigma:.17g} {epsilon:.17g}")
    lines += ["[ moleculetype ]", "all 0", "[ atoms ]"]
    for k, t in enumerate(system.types):
        lines.append(f"{k + 1} {t} 1 MOL A{k % 9999} {k + 1} {system.charges[k]:.17g} {system.masses[k]:.10g}")
    lines.append("[ bonds ]")
    for i, j in system.bonds:
        r0, k = lookup(BONDS, (system.types[i], system.types[j]))
        lines.append(f"{i + 1} {j + 1} 1 {r0:.17g} {k:.17g}")
    lines.append("[ angles ]")
    for a in system.angles:
        t0, k = lookup(ANGLES, [system.types[x] for x in a])
        lines.append(" ".join(str(x + 1) for x in a) + f" 1 {math.degrees(t0):.17g} {k:.17g}")
    lines.append("[ dihedrals ]")
    for d in system.dihedrals:
        c = ryckaert_bellemans(lookup(DIHEDRALS, [system.types[x] for x in d]))
        lines.append(" ".join(str(x + 1) for x in d) + " 3 " + " ".join(f"{x:.17g}" for x in c))
    for d in system.impropers:
        lines.append(" ".join(str(x + 1) for x in d) + f" 4 180 {IMPROPERS[tuple(system.types[x] for x in d)]:.17g} 2")
    lines.append("[ pairs ]")
    for i, j in system.pairs14 if one_four == "scaled" else []:  # function 2: fudgeQQ, q_i, q_j, sigma, epsilon of its own
        sigma, epsilon = lennard_jones(system.types[i], system.types[j])
        lines.append(f"{i + 1} {j + 1} 2 0.5 {system.charges[i]:.17g} {system.charges[j]:.17g} {sigma:.17g} {0.5 * epsilon:.17g}")
    partners = {}
    for i, j in sorted(system.exclusions - set(system.pairs14 if one_four == "full" else [])):
        partners.setdefault(i, []).append(j)
    lines.append("[ exclusions ]")
    for i, js in partners.items():
        lines.append(" ".join(str(x + 1) for x in [i, *js]))
    lines += ["[ system ]", system.name, "[ molecules ]", "all 1", ""]
    return "\n".join(lines)


def gro(system):
    lines = [system.name, str(system.n_atoms)]
    for k, r in enumerate(system.positions):
        lines.append(f"{1:5d}MOL  {'A' + str(k % 9999):>5s}{(k + 1) % 100000:5d}" + "".join(f"{x:20.15f}" for x in r))
    a, b, c = system.cell
    lines.append(" ".join(f"{x:.15f}" for x in [a[0], b[1], c[2], a[1], a[2], b[0], b[2], c[0], c[1]]))
    return "\n".join(lines) + "\n"


def read_trr_forces(path):
    """Forces of the first frame; `gmx dump` prints too few digits."""
    with open(path, "rb") as f:
        data = f.read()
    magic, _, length = struct.unpack(">iii", data[:12])
    assert magic == 1993
    offset = 12 + (length + 3) // 4 * 4
    sizes = struct.unpack(">13i", data[offset:offset + 52])
    ir, e, box, vir, pres, top, sym, x, v, force, natoms, step, nre = sizes
    real = box // 9
    offset += 52 + 2 * real + box + vir + pres + x + v
    assert real == 8, "a double-precision trajectory"
    values = struct.unpack(f">{3 * natoms}d", data[offset:offset + force])
    return [list(values[k:k + 3]) for k in range(0, 3 * natoms, 3)]


TERMS = ["Bond", "Harmonic-Pot.", "Angle", "U-B", "Proper-Dih.", "Ryckaert-Bell.", "Fourier-Dih.", "Improper-Dih.", "Per.-Imp.-Dih.", "Imp.-Dih.-Per.",
         "LJC-14-q", "LJ-14", "Coulomb-14", "LJ-(SR)", "Coulomb-(SR)", "Coul.-recip.", "Potential"]


def single_point(folder, name, mdp):
    """Energies by term, forces and virial of folder/name.top and name.gro with the settings `mdp`; the version."""
    at = lambda ending: os.path.join(folder, name + ending)
    open(at(".mdp"), "w").write(mdp)
    run = lambda *a, **k: subprocess.run(a, cwd=folder, check=True, capture_output=True, text=True, **k)
    try:
        run("gmx_d", "grompp", "-f", name + ".mdp", "-c", name + ".gro", "-p", name + ".top", "-o", name + ".tpr", "-maxwarn", "5")
        run("gmx_d", "mdrun", "-s", name + ".tpr", "-deffnm", name, "-ntmpi", "1", "-ntomp", "1", "-nb", "cpu")
        terms = "\n".join([*TERMS, *[f"Vir-{a}{b}" for a in "XYZ" for b in "XYZ"], "", ""])
        run("gmx_d", "energy", "-f", name + ".edr", "-dp", "-o", name + ".xvg", input=terms)
    except subprocess.CalledProcessError as e:
        raise RuntimeError(f"{' '.join(e.cmd)}\n{e.stderr[-3000:]}") from e
    names, row = [], None
    for line in open(at(".xvg")):
        m = re.match(r'@ s\d+ legend "(.*)"', line)
        if m:
            names.append(m.group(1))
        elif not line.startswith(("#", "@")) and row is None:
            row = [float(x) for x in line.split()[1:]]
    e = dict(zip(names, row))
    version = re.search(r"GROMACS version:\s*(\S+)", run("gmx_d", "--version").stdout).group(1)
    w = [[-2 * e[f"Vir-{a}{b}"] for b in "XYZ"] for a in "XYZ"]
    total = lambda *keys: sum(v for k, v in e.items() if k in keys)
    energy = {"bond": total("Bond", "Harmonic Pot."), "angle": total("Angle", "U-B"),
              "dihedral": total("Proper Dih.", "Ryckaert-Bell.", "Fourier Dih."),
              "improper": total("Improper Dih.", "Per. Imp. Dih.", "Imp. Dih. Per.", "Improper Dih. Per."),
              "vdw": e["LJ (SR)"], "vdw_14": e.get("LJ-14", 0.0),
              "coulomb": e["Coulomb (SR)"] + e.get("Coul. recip.", 0.0) + e.get("Coulomb-14", 0.0)}
    missed = e["Potential"] - sum(energy.values())
    if abs(missed) > 1e-6 * sum(abs(v) for v in energy.values()):
        raise RuntimeError(f"{missed} kJ/mol of the potential are in none of the terms {e}")
    return {"energy": energy, "forces": read_trr_forces(at(".trr")), "virial": w, "all_terms": e}, f"GROMACS {version} (gmx_d)"


def evaluate(system, modifier, spacing=0.025, rtol=1e-12):
    """Energies with a list of scaled pairs. GROMACS takes these from tables of 2000 points per nm, whose forces are good
    to 1e-7 only; forces and virial are therefore the mean of two runs with 1-4 pairs at full strength and with none,
    which is the factor 0.5 for both van der Waals and Coulomb."""
    if system.has_oxide:
        raise ValueError("GROMACS cannot evaluate Buckingham with its Verlet scheme")
    mdp = {"none": "None", "potential-shift": "Potential-shift"}[modifier]
    text = MDP.format(r_cut=system.r_cut, modifier=mdp, spacing=spacing, rtol=rtol)
    settings = f"PME order 12, fourierspacing {spacing:g}, ewald-rtol {rtol:g}, modifiers {mdp}"
    if system.gas:
        text = text.replace("coulombtype = PME", "coulombtype = Cut-off")
        settings = f"coulombtype Cut-off, modifiers {mdp}"
    if system.slab:
        text += "ewald-geometry = 3dc\n"
        settings += ", ewald-geometry 3dc"

    def run(one_four):
        with tempfile.TemporaryDirectory() as d:
            open(os.path.join(d, "s.top"), "w").write(topology(system, one_four))
            open(os.path.join(d, "s.gro"), "w").write(gro(system))
            return single_point(d, "s", text)

    result, program = run("scaled")
    if system.pairs14:
        runs = [run(one_four)[0] for one_four in ("full", "none")]
        for key in ("forces", "virial"):
            result[key] = [[(a + b) / 2 for a, b in zip(*rows)] for rows in zip(*[r[key] for r in runs])]
        settings += "; forces and virial: mean of runs with 1-4 pairs at full strength and with none"
    return result, program, settings
