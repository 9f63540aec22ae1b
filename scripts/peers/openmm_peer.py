"""OpenMM (PyPI `openmm`), Reference platform (f64): Ewald for charges, custom forces for Lennard-Jones with
geometric mixing and for Buckingham. OpenMM has no virial: it is the strain derivative of the energy."""

import numpy as np

from model import ANGLES, BONDS, DIHEDRALS, LENNARD_JONES, buckingham, lookup, ryckaert_bellemans


def build(system, modifier, tolerance):
    import openmm as mm
    s = mm.System()
    for m in system.masses:
        s.addParticle(m)
    s.setDefaultPeriodicBoxVectors(*[mm.Vec3(*row) for row in system.cell])
    groups = {}

    def add(force, name):
        groups[name] = len(groups)
        force.setForceGroup(groups[name])
        s.addForce(force)

    if system.bonds:
        bond = mm.HarmonicBondForce()
        bond.setUsesPeriodicBoundaryConditions(True)
        for i, j in system.bonds:
            bond.addBond(i, j, *lookup(BONDS, (system.types[i], system.types[j])))
        add(bond, "bond")
        angle = mm.HarmonicAngleForce()
        angle.setUsesPeriodicBoundaryConditions(True)
        for a in system.angles:
            angle.addAngle(*a, *lookup(ANGLES, [system.types[x] for x in a]))
        add(angle, "angle")
        dihedral = mm.RBTorsionForce()
        dihedral.setUsesPeriodicBoundaryConditions(True)
        for d in system.dihedrals:
            dihedral.addTorsion(*d, *ryckaert_bellemans(lookup(DIHEDRALS, [system.types[x] for x in d])))
        add(dihedral, "dihedral")

    coulomb = mm.NonbondedForce()
    coulomb.setNonbondedMethod(mm.NonbondedForce.Ewald)
    coulomb.setCutoffDistance(system.r_cut)
    coulomb.setEwaldErrorTolerance(tolerance)
    coulomb.setUseDispersionCorrection(False)
    for q in system.charges:
        coulomb.addParticle(q, 1.0, 0.0)
    pairs14 = set(system.pairs14)
    for i, j in sorted(system.exclusions):
        qq = 0.5 * system.charges[i] * system.charges[j] if (i, j) in pairs14 else 0.0
        coulomb.addException(i, j, qq, 1.0, 0.0)
    coulomb.setExceptionsUsePeriodicBoundaryConditions(True)
    add(coulomb, "coulomb")

    types = sorted(set(system.types))
    shift = 1.0 if modifier == "potential-shift" else 0.0
    if system.is_oxide:
        vdw = mm.CustomNonbondedForce("U - shift*Uc; U = A(t1,t2)*exp(-r/rho(t1,t2)) - C(t1,t2)/r^6;"
                                      "Uc = A(t1,t2)*exp(-rc/rho(t1,t2)) - C(t1,t2)/rc^6")
        table = [[buckingham(a, b) for a in types] for b in types]
        for k, name in enumerate(["A", "rho", "C"]):
            values = [table[i][j][k] for i in range(len(types)) for j in range(len(types))]
            vdw.addTabulatedFunction(name, mm.Discrete2DFunction(len(types), len(types), values))
    else:
        vdw = mm.CustomNonbondedForce("U - shift*Uc; U = 4*eps*((sig/r)^12 - (sig/r)^6); Uc = 4*eps*((sig/rc)^12 - (sig/rc)^6);"
                                      "eps = epsf(t1,t2); sig = sigf(t1,t2)")
        lj = [LENNARD_JONES[t] for t in types]
        for k, name in enumerate(["sigf", "epsf"]):
            values = [(lj[i][k] * lj[j][k]) ** 0.5 for i in range(len(types)) for j in range(len(types))]
            vdw.addTabulatedFunction(name, mm.Discrete2DFunction(len(types), len(types), values))
    vdw.addGlobalParameter("rc", system.r_cut)
    vdw.addGlobalParameter("shift", shift)
    vdw.addPerParticleParameter("t")
    for t in system.types:
        vdw.addParticle([types.index(t)])
    vdw.setNonbondedMethod(mm.CustomNonbondedForce.CutoffPeriodic)
    vdw.setCutoffDistance(system.r_cut)
    for i, j in sorted(system.exclusions):
        vdw.addExclusion(i, j)
    add(vdw, "vdw")

    if pairs14:
        vdw14 = mm.CustomBondForce("4*eps*((sig/r)^12 - (sig/r)^6)")
        vdw14.addPerBondParameter("sig")
        vdw14.addPerBondParameter("eps")
        vdw14.setUsesPeriodicBoundaryConditions(True)
        for i, j in sorted(pairs14):
            (si, ei), (sj, ej) = LENNARD_JONES[system.types[i]], LENNARD_JONES[system.types[j]]
            vdw14.addBond(i, j, [(si * sj) ** 0.5, 0.5 * (ei * ej) ** 0.5])
        add(vdw14, "vdw_14")
    return s, groups


def evaluate(system, modifier, tolerance=1e-11, with_virial=True):
    import openmm as mm
    from openmm import unit
    kj = unit.kilojoule_per_mole
    s, groups = build(system, modifier, tolerance)
    context = mm.Context(s, mm.VerletIntegrator(0.001), mm.Platform.getPlatformByName("Reference"))
    cell, x = np.array(system.cell), np.array(system.positions)

    def place(strain):
        h = cell @ (np.eye(3) + strain)
        context.setPeriodicBoxVectors(*[mm.Vec3(*row) for row in h])
        context.setPositions((x @ (np.eye(3) + strain)).tolist())

    place(np.zeros((3, 3)))
    state = context.getState(getForces=True)
    forces = state.getForces(asNumpy=True).value_in_unit(kj / unit.nanometer)
    energy = {name: context.getState(getEnergy=True, groups=1 << g).getPotentialEnergy().value_in_unit(kj) for name, g in groups.items()}
    result = {"energy": energy, "forces": np.array(forces).tolist()}
    if with_virial:
        # W = -dU/d(strain). The step is so small that no pair crosses the cut-off, where the force jumps.
        def u(strain):
            place(strain)
            return context.getState(getEnergy=True).getPotentialEnergy().value_in_unit(kj)
        # OpenMM's Ewald takes no triclinic cell, so only the diagonal is to be had.
        w, h = [[None] * 3 for _ in range(3)], 2e-6
        for i in range(3):
            e = np.zeros((3, 3))
            e[i, i] = h
            w[i][i] = -(8 * (u(e) - u(-e)) - (u(2 * e) - u(-2 * e))) / (12 * h)
        result["virial"] = w
        place(np.zeros((3, 3)))
    return result, f"OpenMM {mm.version.version} Reference", f"NonbondedForce.Ewald tolerance {tolerance:g}; CustomNonbondedForce; virial by strain, five points, h = 2e-6"
