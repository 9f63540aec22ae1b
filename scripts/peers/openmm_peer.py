"""OpenMM (PyPI `openmm`), Reference platform (f64): Ewald for charges (smooth PME on a fine mesh where the cell is
triclinic, which OpenMM's Ewald refuses), custom forces for Lennard-Jones with geometric mixing, for Buckingham and for
the slab correction. OpenMM has no virial: it is the strain derivative of the energy."""

import numpy as np

from model import ANGLES, BONDS, DIHEDRALS, IMPROPERS, buckingham, is_buckingham, lennard_jones, lookup, ryckaert_bellemans

COULOMB = 138.935457644                      # CODATA 2018, kJ/mol nm/e^2
PME_MESH = 300                               # points along each axis; B-splines of order 5 have this error: 1e-9
PAIR = "4*E(t1,t2)*((S(t1,t2)/r)^12 - (S(t1,t2)/r)^6) + P(t1,t2)*exp(-r/R(t1,t2)) - C(t1,t2)/r^6"


def plain_pair(system, a, b):
    """The parameters of two types in the formula PAIR, and (U, F, dF/dr) at the cut-off."""
    r = system.r_cut
    if is_buckingham(a, b):
        A, rho, C = buckingham(a, b)
        e = A * np.exp(-r / rho)
        return {"parameters": {"P": A, "R": rho, "C": C, "S": 1.0, "E": 0.0},
                "at_cut": (e - C / r**6, e / rho - 6 * C / r**7, -e / rho**2 + 42 * C / r**8)}
    s, e = lennard_jones(a, b)
    x = (s / r) ** 6
    return {"parameters": {"P": 0.0, "R": 1.0, "C": 0.0, "S": s, "E": e},
            "at_cut": (4 * e * (x * x - x), 4 * e * (12 * x * x - 6 * x) / r, 4 * e * (-156 * x * x + 42 * x) / r**2)}


def build(system, tolerance, mesh=PME_MESH):
    import openmm as mm
    s = mm.System()
    for m in system.masses:
        s.addParticle(m)
    s.setDefaultPeriodicBoxVectors(*[mm.Vec3(*row) for row in system.cell])
    groups = {}
    periodic = not system.gas

    def add(force, name):
        groups[name] = len(groups)
        force.setForceGroup(groups[name])
        s.addForce(force)

    if system.bonds:
        bond = mm.HarmonicBondForce()
        bond.setUsesPeriodicBoundaryConditions(periodic)
        for i, j in system.bonds:
            bond.addBond(i, j, *lookup(BONDS, (system.types[i], system.types[j])))
        add(bond, "bond")
        angle = mm.HarmonicAngleForce()
        angle.setUsesPeriodicBoundaryConditions(periodic)
        for a in system.angles:
            angle.addAngle(*a, *lookup(ANGLES, [system.types[x] for x in a]))
        add(angle, "angle")
        dihedral = mm.RBTorsionForce()
        dihedral.setUsesPeriodicBoundaryConditions(periodic)
        for d in system.dihedrals:
            dihedral.addTorsion(*d, *ryckaert_bellemans(lookup(DIHEDRALS, [system.types[x] for x in d])))
        add(dihedral, "dihedral")
    if system.impropers:
        improper = mm.PeriodicTorsionForce()
        improper.setUsesPeriodicBoundaryConditions(periodic)
        for d in system.impropers:
            improper.addTorsion(*d, 2, np.pi, IMPROPERS[tuple(system.types[x] for x in d)])
        add(improper, "improper")

    coulomb = mm.NonbondedForce()
    method = "NoCutoff" if system.gas else "PME" if system.is_triclinic else "Ewald"
    coulomb.setNonbondedMethod(getattr(mm.NonbondedForce, method))
    coulomb.setCutoffDistance(system.r_cut)
    coulomb.setEwaldErrorTolerance(tolerance)
    if method == "PME":
        coulomb.setPMEParameters(np.sqrt(-np.log(2 * tolerance)) / system.r_cut, mesh, mesh, mesh)
    coulomb.setUseDispersionCorrection(False)
    for q in system.charges:
        coulomb.addParticle(q, 1.0, 0.0)
    pairs14 = set(system.pairs14)
    for i, j in sorted(system.exclusions):
        qq = 0.5 * system.charges[i] * system.charges[j] if (i, j) in pairs14 else 0.0
        coulomb.addException(i, j, qq, 1.0, 0.0)
    coulomb.setExceptionsUsePeriodicBoundaryConditions(periodic)
    add(coulomb, "coulomb")

    if system.slab:  # 2 pi k / V M_z^2 of a neutral film, whole molecules, nowhere cut by the boundary
        moment = mm.CustomExternalForce("q*z")
        moment.addPerParticleParameter("q")
        for k, q in enumerate(system.charges):
            moment.addParticle(k, [q])
        slab = mm.CustomCVForce("prefactor*moment^2/volume")
        slab.addCollectiveVariable("moment", moment)
        slab.addGlobalParameter("prefactor", 2 * np.pi * COULOMB)
        slab.addGlobalParameter("volume", 1.0)
        add(slab, "slab")

    # With a force switch, F + A t^2 + B t^3 with t = r - r_switch; A, B and the shift K from U, F, F' at the cut-off.
    types = sorted(set(system.types))
    table = [[plain_pair(system, a, b) for b in types] for a in types]
    rc, rs = system.r_cut, system.r_switch
    d = rc - rs

    def switch(u, f, slope):
        a, b = (slope * d - 3 * f) / d**2, (2 * f - slope * d) / d**3
        return a, b, -u + a * d**3 / 3 + b * d**4 / 4

    switched = "U + K(t1,t2) - step(r-rs)*(A(t1,t2)*(r-rs)^3/3 + B(t1,t2)*(r-rs)^4/4); U = "
    vdw = mm.CustomNonbondedForce(PAIR if system.gas else switched + PAIR)
    columns = {name: [table[i][j]["parameters"][name] for i in range(len(types)) for j in range(len(types))] for name in table[0][0]["parameters"]}
    if not system.gas:
        columns.update(zip("ABK", zip(*[switch(*table[i][j]["at_cut"]) for i in range(len(types)) for j in range(len(types))])))
        vdw.addGlobalParameter("rs", rs)
    for name, values in columns.items():
        vdw.addTabulatedFunction(name, mm.Discrete2DFunction(len(types), len(types), list(values)))
    vdw.addPerParticleParameter("t")
    for t in system.types:
        vdw.addParticle([types.index(t)])
    vdw.setNonbondedMethod(mm.CustomNonbondedForce.NoCutoff if system.gas else mm.CustomNonbondedForce.CutoffPeriodic)
    vdw.setCutoffDistance(system.r_cut)
    for i, j in sorted(system.exclusions):
        vdw.addExclusion(i, j)
    add(vdw, "vdw")

    if pairs14:
        vdw14 = mm.CustomBondForce("4*eps*((sig/r)^12 - (sig/r)^6)")
        vdw14.addPerBondParameter("sig")
        vdw14.addPerBondParameter("eps")
        vdw14.setUsesPeriodicBoundaryConditions(periodic)
        for i, j in sorted(pairs14):
            sigma, epsilon = lennard_jones(system.types[i], system.types[j])
            vdw14.addBond(i, j, [sigma, 0.5 * epsilon])
        add(vdw14, "vdw_14")
    return s, groups


def evaluate(system, modifier, tolerance=1e-11):
    smooth = "smooth at the cut-off, so that the energy has a strain derivative"
    assert modifier == ("none" if system.gas else "force-switch"), smooth
    import openmm as mm
    from openmm import unit
    kj = unit.kilojoule_per_mole
    s, groups = build(system, tolerance)
    context = mm.Context(s, mm.VerletIntegrator(0.001), mm.Platform.getPlatformByName("Reference"))
    cell, x = np.array(system.cell), np.array(system.positions)

    def place(strain):
        h = cell @ (np.eye(3) + strain)
        context.setPeriodicBoxVectors(*[mm.Vec3(*row) for row in h])
        if system.slab:
            context.setParameter("volume", np.linalg.det(h))
        context.setPositions((x @ (np.eye(3) + strain)).tolist())

    place(np.zeros((3, 3)))
    state = context.getState(getForces=True)
    forces = state.getForces(asNumpy=True).value_in_unit(kj / unit.nanometer)
    energy = {name: context.getState(getEnergy=True, groups=1 << g).getPotentialEnergy().value_in_unit(kj) for name, g in groups.items()}
    energy["coulomb"] += energy.pop("slab", 0.0)
    result = {"energy": energy, "forces": np.array(forces).tolist()}

    # W = -dU/d(strain), five points. Off the diagonal the cell becomes triclinic, which OpenMM's Ewald refuses; the
    # strains are lower-triangular as OpenMM's cells are.
    def u(strain):
        place(strain)
        return context.getState(getEnergy=True).getPotentialEnergy().value_in_unit(kj)

    w, h = [[None] * 3 for _ in range(3)], 2e-4
    for i in range(3):
        for j in range(0 if system.gas or system.is_triclinic else i, i + 1):
            e = np.zeros((3, 3))
            e[i, j] = h
            w[i][j] = w[j][i] = -(8 * (u(e) - u(-e)) - (u(2 * e) - u(-2 * e))) / (12 * h)
    result["virial"] = w
    coulomb = "NoCutoff" if system.gas else f"PME mesh {PME_MESH}, erfc tolerance {tolerance:g}" if system.is_triclinic else f"Ewald tolerance {tolerance:g}"
    vdw = "CustomNonbondedForce" + ("" if system.gas else " with force switch") + ("; slab correction as CustomCVForce" if system.slab else "")
    settings = f"NonbondedForce.{coulomb}; {vdw}; virial by strain, five points, h = {h:g}"
    return result, f"OpenMM {mm.version.version} Reference", settings
