"""OpenMM (PyPI `openmm`), Reference platform (f64): Ewald for charges, custom forces for Lennard-Jones with
geometric mixing and for Buckingham. OpenMM has no virial: it is the strain derivative of the energy."""

import numpy as np

from model import ANGLES, BONDS, DIHEDRALS, LENNARD_JONES, buckingham, lookup, ryckaert_bellemans


def plain_pair(system, a, b):
    """The pair potential of two types: OpenMM expression, parameters, and (U, F, dF/dr) at the cut-off."""
    r = system.r_cut
    if system.is_oxide:
        A, rho, C = buckingham(a, b)
        e = A * np.exp(-r / rho)
        return {"formula": "P(t1,t2)*exp(-r/R(t1,t2)) - C(t1,t2)/r^6", "parameters": {"P": A, "R": rho, "C": C},
                "at_cut": (e - C / r**6, e / rho - 6 * C / r**7, -e / rho**2 + 42 * C / r**8)}
    (si, ei), (sj, ej) = LENNARD_JONES[a], LENNARD_JONES[b]
    s, e = (si * sj) ** 0.5, (ei * ej) ** 0.5
    x = (s / r) ** 6
    return {"formula": "4*E(t1,t2)*((S(t1,t2)/r)^12 - (S(t1,t2)/r)^6)", "parameters": {"S": s, "E": e},
            "at_cut": (4 * e * (x * x - x), 4 * e * (12 * x * x - 6 * x) / r, 4 * e * (-156 * x * x + 42 * x) / r**2)}


def build(system, tolerance):
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

    # Force switch: F + A t^2 + B t^3 with t = r - r_switch; A, B and the shift K from U, F, F' at the cut-off.
    types = sorted(set(system.types))
    table = [[plain_pair(system, a, b) for b in types] for a in types]
    rc, rs = system.r_cut, system.r_switch
    d = rc - rs

    def switch(u, f, slope):
        a, b = (slope * d - 3 * f) / d**2, (2 * f - slope * d) / d**3
        return a, b, -u + a * d**3 / 3 + b * d**4 / 4

    vdw = mm.CustomNonbondedForce("U + K(t1,t2) - step(r-rs)*(A(t1,t2)*(r-rs)^3/3 + B(t1,t2)*(r-rs)^4/4); U = " + table[0][0]["formula"])
    columns = {name: [table[i][j]["parameters"][name] for i in range(len(types)) for j in range(len(types))] for name in table[0][0]["parameters"]}
    columns.update(zip("ABK", zip(*[switch(*table[i][j]["at_cut"]) for i in range(len(types)) for j in range(len(types))])))
    for name, values in columns.items():
        vdw.addTabulatedFunction(name, mm.Discrete2DFunction(len(types), len(types), list(values)))
    vdw.addGlobalParameter("rs", rs)
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


def evaluate(system, modifier, tolerance=1e-11):
    assert modifier == "force-switch", "smooth at the cut-off, so that the energy has a strain derivative"
    import openmm as mm
    from openmm import unit
    kj = unit.kilojoule_per_mole
    s, groups = build(system, tolerance)
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
    # W = -dU/d(strain), five points. OpenMM's Ewald takes no triclinic cell, so only the diagonal is to be had.
    def u(strain):
        place(strain)
        return context.getState(getEnergy=True).getPotentialEnergy().value_in_unit(kj)

    w, h = [[None] * 3 for _ in range(3)], 2e-4
    for i in range(3):
        e = np.zeros((3, 3))
        e[i, i] = h
        w[i][i] = -(8 * (u(e) - u(-e)) - (u(2 * e) - u(-2 * e))) / (12 * h)
    result["virial"] = w
    settings = f"NonbondedForce.Ewald tolerance {tolerance:g}; CustomNonbondedForce with force switch; virial by strain, five points, h = {h:g}"
    return result, f"OpenMM {mm.version.version} Reference", settings
