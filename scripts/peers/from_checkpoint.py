#!/usr/bin/env python3
"""Makes a NAME.system.json for reference.py from a checkpoint or system file of amelo.

  from_checkpoint.py CHECKPOINT.h5 NAME R_CUT_NM OUT.system.json
"""

import json
import sys

import h5py
import numpy as np


def main():
    path, name, r_cut, out = sys.argv[1:]
    with h5py.File(path, "r") as f:
        topology = json.loads(bytes(np.array(f["description/topology"]).astype(np.uint8)))
        cell, positions = f["system/cell"][()], f["system/positions"][()]
    types = [topology["types"][t]["name"] for t in topology["type_of"]]
    with open(out, "w") as f:
        json.dump({"name": name, "cell": cell.tolist(), "positions": np.round(positions, 12).tolist(), "types": types,
                   "charges": topology["charges"], "masses": topology["masses"], "bonds": topology["bonds"],
                   "molecules": [(m["kind"], m["count"]) for m in topology["molecules"]], "r_cut": float(r_cut)}, f)


if __name__ == "__main__":
    main()
