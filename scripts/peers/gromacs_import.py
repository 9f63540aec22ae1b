#!/usr/bin/env python3
"""What GROMACS in double precision makes of the topologies in tests/data/gromacs, which `amelo import gromacs` reads.

  gromacs_import.py            evaluate every system, write tests/data/gromacs/NAME.json
  gromacs_import.py --check    evaluate again and compare with what is stored
"""

import json
import math
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import gromacs_peer  # noqa: E402
from gromacs_systems import DATA  # noqa: E402

# Name, cut-off (nm), macros. Where there are constraints GROMACS' virial has a part of theirs, which depends on the
# integrator: it is not stored.
SYSTEMS = [("functions", 0.9, ["CLCHARGE=-1.8"]), ("rule1", 0.9, []), ("water", 0.75, []), ("peptide-oplsaa", 0.9, []), ("peptide-charmm27", 0.9, [])]
CONSTRAINED = ["water"]
MODIFIER, SPACING, RTOL = "potential-shift", 0.04, 1e-12


def deviation(new, old):
    """(|dE| / sum |terms|, rms dF / rms F, max |dW| / max |W|) of two results."""
    energy = sum(abs(new["energy"][k] - v) for k, v in old["energy"].items()) / sum(abs(v) for v in old["energy"].values())
    flat = lambda rows: [x for row in rows or [] for x in row]
    pairs = list(zip(flat(new["forces"]), flat(old["forces"])))
    force = math.sqrt(sum((a - b) ** 2 for a, b in pairs) / sum(b * b for _, b in pairs))
    pairs = list(zip(flat(new["virial"]), flat(old["virial"])))
    virial = max((abs(a - b) for a, b in pairs), default=0.0) / max((abs(b) for _, b in pairs), default=1.0)
    return energy, force, virial


def main():
    check, failed = "--check" in sys.argv[1:], False
    if not shutil.which("gmx_d"):
        print("gmx_d is not installed: the topologies of tests/data/gromacs are skipped")
        return
    for name, r_cut, define in SYSTEMS:
        if not os.path.exists(os.path.join(DATA, name + ".top")):
            print(f"{name:24s} not there: run gromacs_public.py, which needs GROMACS' force fields")
            continue
        mdp = gromacs_peer.MDP.format(r_cut=r_cut, modifier="Potential-shift", spacing=SPACING, rtol=RTOL)
        if define:
            mdp += "define = " + " ".join(f"-D{d}" for d in define) + "\n"
        with tempfile.TemporaryDirectory() as d:
            shutil.copytree(DATA, d, dirs_exist_ok=True)
            result, program = gromacs_peer.single_point(d, name, mdp)
        record = {"program": program, "command": f"PME order 12, fourierspacing {SPACING:g}, ewald-rtol {RTOL:g}, modifiers Potential-shift",
                  "r_cut": r_cut, "modifier": MODIFIER, "define": define, "units": "kJ/mol, nm", **result}
        if name in CONSTRAINED:
            record["virial"] = None
        path = os.path.join(DATA, name + ".json")
        if check:
            with open(path) as f:
                stored = json.load(f)
            e, f_, w = deviation(record, stored)
            ok = e < 1e-10 and f_ < 1e-9 and w < 1e-8
            failed |= not ok
            print(f"{name:24s} {program:34s} energy {e:.1e} force {f_:.1e} virial {w:.1e} {'ok' if ok else 'DIFFERS'}")
        else:
            with open(path, "w") as f:
                json.dump(record, f)
            print(f"{name:24s} {program:34s} written")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
