#!/usr/bin/env python3
"""A tripeptide with GROMACS' own tools and force fields, written to tests/data/gromacs as one topology each that holds
only the parameters in use (OPLS-AA: G. A. Kaminski et al., J. Phys. Chem. B 105, 6474 (2001); CHARMM27: A. D. MacKerell
et al., J. Phys. Chem. B 102, 3586 (1998); numbers as GROMACS distributes them). Needs `gmx_d` with its force fields.

  gromacs_public.py     writes peptide-oplsaa and peptide-charmm27
"""

import math
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from gromacs_systems import add, cross, unit, write  # noqa: E402


def place(a, b, c, r, theta, phi):
    """The point at distance r from c, angle theta with b, dihedral phi with a (degrees)."""
    theta, phi = math.radians(theta), math.radians(phi)
    bc = unit(add(c, b, -1))
    n = unit(cross(add(b, a, -1), bc))
    m = cross(n, bc)
    d = [-r * math.cos(theta), r * math.sin(theta) * math.cos(phi), r * math.sin(theta) * math.sin(phi)]
    return [c[k] + d[0] * bc[k] + d[1] * m[k] + d[2] * n[k] for k in range(3)]


def peptide():
    """Heavy atoms of Ala-Asn-Gly, nearly stretched, in angstrom: (residue, atom, position)."""
    atoms, back = [], []
    names = ["ALA", "ASN", "GLY"]
    for k, name in enumerate(names):
        if k == 0:
            n, ca = [0.0, 0.0, 0.0], [1.458, 0.0, 0.0]
            c = [1.458 + 1.525 * math.cos(math.radians(69)), 1.525 * math.sin(math.radians(69)), 0.0]
        else:
            p_n, p_ca, p_c = back
            n = place(p_n, p_ca, p_c, 1.329, 116.6, 140)
            ca = place(p_ca, p_c, n, 1.458, 121.7, 176)
            c = place(p_c, n, ca, 1.525, 111.0, -125)
        side = []
        if name != "GLY":
            cb = place(n, c, ca, 1.53, 110.1, 122.6)
            side.append(("CB", cb))
        if name == "ASN":
            cg = place(n, ca, cb, 1.516, 112.6, -65)
            side += [("CG", cg), ("OD1", place(ca, cb, cg, 1.231, 120.8, 35)), ("ND2", place(ca, cb, cg, 1.328, 116.4, 215))]
        o = place(n, ca, c, 1.231, 120.1, -40)
        for atom, r in [("N", n), ("CA", ca), *side, ("C", c), ("O", o)]:
            atoms.append((k + 1, name, atom, r))
        back = (n, ca, c)
    return atoms


def pdb():
    lines = []
    for serial, (number, residue, atom, r) in enumerate(peptide(), 1):
        lines.append(f"ATOM  {serial:5d}  {atom:<3s} {residue} A{number:4d}    {r[0]:8.3f}{r[1]:8.3f}{r[2]:8.3f}  1.00  0.00           {atom[0]}")
    return "\n".join(lines + ["END", ""])


def reduce(text):
    """A preprocessed topology with only the types that its molecules use."""
    sections, name = [], None
    for line in text.splitlines():
        line = line.split(";")[0].strip()
        if not line or line.startswith("#"):
            continue
        m = re.match(r"\[\s*(\w+)\s*\]", line)
        if m:
            sections.append((m.group(1), []))
        elif sections:
            sections[-1][1].append(line.split() if sections[-1][0] != "system" else [line])
    used = {f[1] for n, rows in sections if n == "atoms" for f in rows}
    bonded = {}
    for n, rows in sections:
        if n == "atomtypes":
            for f in rows:
                letter = next(k for k in (5, 3, 4) if len(f[k]) == 1 and f[k].isalpha())
                has_bonded = letter == 5 or (letter == 4 and not f[1].isdigit())
                bonded[f[0]] = f[1] if has_bonded else f[0]
    kinds = {bonded[t] for t in used} | {"X"}
    arity = {"bondtypes": 2, "constrainttypes": 2, "angletypes": 3, "pairtypes": 2, "nonbond_params": 2}
    out = []
    for n, rows in sections:
        if n == "atomtypes":
            rows = [f for f in rows if f[0] in used]
        elif n in ("pairtypes", "nonbond_params"):
            rows = [f for f in rows if set(f[:2]) <= used]
        elif n == "dihedraltypes":
            count = lambda f: 2 if len(f[2]) == 1 and f[2].isdigit() else 4
            rows = [f for f in rows if set(f[: count(f)]) <= kinds]
        elif n in arity:
            rows = [f for f in rows if set(f[: arity[n]]) <= kinds]
        elif n in ("cmaptypes", "implicit_genborn_params"):
            continue
        if rows:
            out.append(f"[ {n} ]")
            out += [" ".join(f) for f in rows]
    return "\n".join(out) + "\n"


def main():
    for field, options in [("oplsaa", []), ("charmm27", ["-nocmap"])]:
        with tempfile.TemporaryDirectory() as d:
            def run(*a):
                r = subprocess.run(a, cwd=d, capture_output=True, text=True)
                if r.returncode:
                    raise RuntimeError(f"{' '.join(a)}\n{r.stderr[-3000:]}")
            open(os.path.join(d, "p.pdb"), "w").write(pdb())
            open(os.path.join(d, "p.mdp"), "w").write("")
            run("gmx_d", "pdb2gmx", "-f", "p.pdb", "-ff", field, "-water", "none", "-ignh", "-o", "p.gro", "-p", "p.top", "-i", "posre.itp", *options)
            run("gmx_d", "editconf", "-f", "p.gro", "-o", "b.gro", "-bt", "triclinic", "-box", "2.2", "2.3", "2.4", "-angles", "80", "75", "85", "-c")
            run("gmx_d", "grompp", "-f", "p.mdp", "-c", "b.gro", "-p", "p.top", "-pp", "full.top", "-o", "p.tpr", "-maxwarn", "9")
            head = f"; Ala-Asn-Gly with GROMACS' {field}.ff, reduced to the parameters in use by scripts/peers/gromacs_public.py\n"
            write(f"peptide-{field}.top", head + reduce(open(os.path.join(d, "full.top")).read()))
            write(f"peptide-{field}.gro", open(os.path.join(d, "b.gro")).read())
            print(f"peptide-{field} written")


if __name__ == "__main__":
    main()
