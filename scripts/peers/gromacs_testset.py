#!/usr/bin/env python3
"""GROMACS' own test systems, imported and compared with GROMACS in double precision.

  gromacs_testset.py FOLDER [--amelo PATH] [--top PATH]

FOLDER is src/testutils/simulationdatabase of a GROMACS source tree, which is read and never copied; `--top` the folder
of its force fields (default /usr/share/gromacs/top), `--amelo` the binary (default target/release/amelo). Needs `gmx_d`.
Prints |dE| / sum |terms| of the worst term, rms dF / rms F, and why a system does not apply.
"""

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import gromacs_peer  # noqa: E402

# Name and cut-off (nm). Forces on a single molecule are small sums of large ones, where the tables that GROMACS has for
# 1-4 pairs show.
SYSTEMS = [("lysozyme", 1.0), ("alanine_vacuo", 0.9), ("glycine_no_constraints_vacuo", 0.9), ("ala", 0.9), ("spc216", 0.9),
           ("tip3p5", 0.9), ("spc216_with_methane", 0.9), ("4water", 0.5), ("argon12", 0.9), ("nonanol_vacuo", 0.9), ("vsite_test", 0.9)]
ENERGY, FORCE = 2e-9, 5e-8


def evaluate(amelo, folder, name, r_cut, top):
    """Energies and forces of amelo; an error's first line where it refuses."""
    def run(*a):
        r = subprocess.run([amelo, *a], capture_output=True, text=True)
        if r.returncode:
            raise RuntimeError(r.stderr.strip().splitlines()[0].strip(" ×"))
        return r.stdout
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(folder, name)
        system = os.path.join(d, "s.h5")
        run("import", "gromacs", path + ".top", path + ".gro", "-I", top, "-o", system, "-q",
            "--set", f'nonbonded.r_cut="{r_cut} nm"', "--set", "nonbonded.coulomb.ewald.tolerance=1e-13")
        return json.loads(run("energy", system, "--json", "--forces"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--amelo", default="target/release/amelo")
    parser.add_argument("--top", default="/usr/share/gromacs/top")
    args = parser.parse_args()
    if not os.path.isdir(args.folder) or not shutil.which("gmx_d"):
        print("the test systems or gmx_d are not there: skipped")
        return
    failed = False
    for name, r_cut in SYSTEMS:
        try:
            ours = evaluate(args.amelo, args.folder, name, r_cut, args.top)
        except RuntimeError as e:
            print(f"{name:30s} does not apply: {str(e)[:150]}")
            continue
        with tempfile.TemporaryDirectory() as d:
            for f in os.listdir(args.folder):
                if f.split(".")[-1] in ("top", "itp", "gro"):
                    shutil.copy(os.path.join(args.folder, f), d)
            # The mesh follows the splitting, which a short cut-off makes fine.
            mdp = gromacs_peer.MDP.format(r_cut=r_cut, modifier="Potential-shift", spacing=0.04 * r_cut, rtol=1e-12)
            theirs, program = gromacs_peer.single_point(d, name, mdp)
        e = ours["energy"]
        found = {k: e["coulomb_real"] + e["coulomb_14"] + e["coulomb_reciprocal"] if k == "coulomb" else e[k] for k in theirs["energy"]}
        scale = sum(abs(v) for v in theirs["energy"].values())
        d_energy = max(abs(found[k] - v) for k, v in theirs["energy"].items()) / scale
        pairs = [(a, b) for x, y in zip(ours["forces"], theirs["forces"]) for a, b in zip(x, y)]
        d_force = math.sqrt(sum((a - b) ** 2 for a, b in pairs) / sum(b * b for _, b in pairs))
        ok = d_energy < ENERGY and d_force < FORCE
        failed |= not ok
        print(f"{name:30s} {program:36s} energy {d_energy:.1e} force {d_force:.1e} {'ok' if ok else 'DIFFERS'}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
