#!/usr/bin/env python3
"""Reference numbers from other programs for the systems in tests/data/peers: energies by term, forces, virial.

  reference.py            evaluate every system with every peer that is installed, write tests/data/peers/*.reference.json
  reference.py --check    evaluate again and compare with what is stored

`scripts/peers/run` makes an environment with the peers and calls this.
"""

import glob
import importlib.util
import json
import os
import shutil
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import gromacs_peer  # noqa: E402
import lammps_peer  # noqa: E402
import model  # noqa: E402
import openmm_peer  # noqa: E402

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "data", "peers")

# GROMACS shifts the pair potential; OpenMM, whose virial is a strain derivative, needs one that is smooth at the
# cut-off; LAMMPS would also shift its scaled 1-4 pairs, so it is compared without a modifier.
PEERS = {
    "gromacs": (gromacs_peer.evaluate, "potential-shift", lambda s: not s.is_oxide, lambda: shutil.which("gmx_d")),
    "openmm": (openmm_peer.evaluate, "force-switch", lambda s: True, lambda: importlib.util.find_spec("openmm")),
    "lammps": (lammps_peer.evaluate, "none", lambda s: True, lambda: importlib.util.find_spec("lammps")),
}


def deviation(new, old):
    """(|dE| / sum |terms|, rms dF / rms F, max |dW| / max |W|) of two results."""
    terms = [k for k in old["energy"]]
    scale = sum(abs(old["energy"][k]) for k in terms)
    energy = sum(abs(new["energy"][k] - old["energy"][k]) for k in terms) / scale
    f_new, f_old = np.array(new["forces"]), np.array(old["forces"])
    force = np.sqrt(((f_new - f_old) ** 2).sum() / (f_old**2).sum())
    pairs = [(a, b) for row_a, row_b in zip(new["virial"], old["virial"]) for a, b in zip(row_a, row_b) if b is not None]
    virial = max(abs(a - b) for a, b in pairs) / max(abs(b) for _, b in pairs)
    return energy, force, virial


def main():
    check = "--check" in sys.argv[1:]
    failed = False
    for path in sorted(glob.glob(os.path.join(DATA, "*.system.json"))):
        system = model.load(path)
        for peer, (evaluate, modifier, applies, installed) in PEERS.items():
            if not applies(system):
                continue
            if not installed():
                print(f"{system.name:24s} {peer:8s} not installed, skipped")
                continue
            result, program, command = evaluate(system, modifier)
            stored_at = path.replace(".system.json", f".{peer}.json")
            record = {"program": program, "command": command, "r_cut": system.r_cut, "modifier": modifier,
                      "r_switch": system.r_switch if modifier == "force-switch" else None,
                      "units": "kJ/mol, nm", **result}
            if check:
                with open(stored_at) as f:
                    e, f_, w = deviation(record, json.load(f))
                ok = e < 1e-10 and f_ < 1e-9 and w < 1e-8
                failed |= not ok
                print(f"{system.name:24s} {peer:8s} {program:28s} energy {e:.1e} force {f_:.1e} virial {w:.1e} {'ok' if ok else 'DIFFERS'}")
            else:
                with open(stored_at, "w") as f:
                    json.dump(record, f)
                print(f"{system.name:24s} {peer:8s} {program:28s} written")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
