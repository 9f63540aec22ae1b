#!/usr/bin/env python3
"""Makes a NAME.system.json for reference.py from a checkpoint or system file of amelo.

  from_checkpoint.py CHECKPOINT.h5 NAME R_CUT_NM OUT.system.json
"""

import json
import sys

import h5py
import numpy as np

DIGITS = 6  # of positions, nm: they are the definition of the system, not a result


def read(path):
    """The keys of a system.json that a checkpoint holds."""
    with h5py.File(path, "r") as f:
        topology = json.loads(bytes(np.array(f["description/topology"]).astype(np.uint8)))
        cell, positions = f["system/cell"][()], f["system/positions"][()]
    types = [topology["types"][t]["name"] for t in topology["type_of"]]
    return {"cell": np.round(cell, DIGITS).tolist(), "positions": positions.tolist(), "types": types,
            "charges": topology["charges"], "masses": topology["masses"], "bonds": topology["bonds"],
            "molecules": [(m["kind"], m["count"]) for m in topology["molecules"]]}


def write(path, name, r_cut, system):
    rounded = {k: np.round(system[k], DIGITS).tolist() for k in ("positions", "frames") if k in system}
    with open(path, "w") as f:
        json.dump({"name": name, **system, **rounded, "r_cut": r_cut}, f)


def main():
    path, name, r_cut, out = sys.argv[1:]
    write(out, name, float(r_cut), read(path))


if __name__ == "__main__":
    main()
