#!/usr/bin/env python3
"""Reference numbers from other programs for the systems in tests/data/peers: energies by term, forces, virial.

  reference.py [NAME ...]            evaluate every system, or those named, with every peer that is installed, and
                                     write tests/data/peers/NAME.PEER.json
  reference.py --check [NAME ...]    evaluate again and compare with what is stored

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
# cut-off; LAMMPS would also shift its scaled 1-4 pairs, so it is compared without a modifier. In the gas phase no
# pair is beyond the cut-off and there is none.
PEERS = {
    "gromacs": (gromacs_peer.evaluate, "potential-shift", lambda s: not s.has_oxide, lambda: shutil.which("gmx_d")),
    "openmm": (openmm_peer.evaluate, "force-switch", lambda s: True, lambda: importlib.util.find_spec("openmm")),
    "lammps": (lammps_peer.evaluate, "none", lambda s: True, lambda: importlib.util.find_spec("lammps")),
}
FORCE_DIGITS = 8   # kJ/mol/nm, of forces of hundreds: what the files keep


def deviation(new, old):
    """(|dE| / sum |terms|, rms dF / rms F, max |dW| / max |W|) of two results; the largest where there are several
    configurations."""
    if "frames" in old:
        return tuple(max(d) for d in zip(*[deviation(a, b) for a, b in zip(new["frames"], old["frames"], strict=True)]))
    terms = [k for k in old["energy"]]
    scale = sum(abs(old["energy"][k]) for k in terms)
    energy = sum(abs(new["energy"][k] - old["energy"][k]) for k in terms) / scale
    f_new, f_old = np.array(new["forces"]), np.array(old["forces"])
    force = np.sqrt(((f_new - f_old) ** 2).sum() / (f_old**2).sum())
    pairs = [(a, b) for row_a, row_b in zip(new["virial"], old["virial"]) for a, b in zip(row_a, row_b) if b is not None]
    virial = max((abs(a - b) for a, b in pairs), default=0.0) / max((abs(b) for _, b in pairs), default=1.0)
    return energy, force, virial


def evaluate_all(evaluate, system, modifier):
    """One result, or one for each configuration; forces rounded."""
    configurations = [system.at(x) for x in system.frames] or [system]
    results = []
    for configuration in configurations:
        result, program, command = evaluate(configuration, modifier)
        result["forces"] = [[round(x, FORCE_DIGITS) for x in f] for f in np.array(result["forces"]).tolist()]
        if system.slab and evaluate is not openmm_peer.evaluate:  # the others leave the slab term out of the virial
            result["virial"] = [[None] * 3] * 3
        result.pop("all_terms", None)
        results.append(result)
    return ({"frames": results} if system.frames else results[0]), program, command


def main():
    check = "--check" in sys.argv[1:]
    wanted = [a for a in sys.argv[1:] if not a.startswith("-")]
    failed = False
    for path in sorted(glob.glob(os.path.join(DATA, "*.system.json"))):
        system = model.load(path)
        if wanted and system.name not in wanted:
            continue
        for peer, (evaluate, modifier, applies, installed) in PEERS.items():
            if not applies(system):
                continue
            if not installed():
                print(f"{system.name:24s} {peer:8s} not installed, skipped")
                continue
            modifier = "none" if system.gas else modifier
            result, program, command = evaluate_all(evaluate, system, modifier)
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
