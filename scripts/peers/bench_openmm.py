"""OpenMM at work on an exported GROMACS topology: one job as JSON in argv, one answer as JSON on stdout. Run by
bench_programs.py with a Python that has OpenMM."""

import json
import math
import os
import sys
import time

import openmm as mm
from bench_gro import bonds_of, make_whole, read_gro
from openmm import app, unit

HYDROGEN = 1.5  # u: what is lighter is one


def sections(topology):
    """Section and words of each line; no words for a line without content."""
    section = ""
    for line in open(topology):
        if line.startswith("["):
            section = line.strip("[] \n")
            yield line, section, []
        else:
            yield line, section, line.split(";")[0].split()


def of_types(topology):
    """Sigma and epsilon of each atom type."""
    return {words[0]: (float(words[4]), float(words[5])) for _, section, words in sections(topology) if section == "atomtypes" and words}


def by_rule(topology):
    """The topology itself, or where all its pairs of types are what geometric mixing (rule 3) gives a copy without them: OpenMM has
    a faster expression for the rule than for a table."""
    own = of_types(topology)
    lines = list(sections(topology))
    rule = next(words[1] for _, section, words in lines if section == "defaults" and words)
    pairs = [words for _, section, words in lines if section == "nonbond_params" and words]

    def mixes(i, j, _, *parameters):
        return all(math.isclose(float(p), math.sqrt(a * b), rel_tol=1e-12) for p, a, b in zip(parameters, own[i], own[j]))

    if rule != "3" or not all(mixes(*words) for words in pairs):
        return topology
    copy = os.path.join(os.path.dirname(topology), "by_rule.top")
    with open(copy, "w") as file:
        file.writelines(line for line, section, _ in lines if section != "nonbond_params")
    return copy


def build(job):
    s = job["settings"]
    folder = job["folder"]
    _, positions, velocities, box = read_gro(os.path.join(folder, "conf.gro"))
    topology = os.path.join(folder, "topol.top")
    # OpenMM's bonds and constraints know no images.
    make_whole(positions, bonds_of(topology), box)
    top = app.GromacsTopFile(by_rule(topology), periodicBoxVectors=[mm.Vec3(*(e if i == k else 0 for k in range(3))) for i, e in enumerate(box)] * unit.nanometer)
    system = top.createSystem(nonbondedMethod=app.PME, nonbondedCutoff=s["r_cut"] * unit.nanometer, constraints=None,
                              rigidWater=False, removeCMMotion=False, ewaldErrorTolerance=job["tolerance"])
    nonbonded = next(f for f in system.getForces() if isinstance(f, mm.NonbondedForce))
    nonbonded.setUseDispersionCorrection(False)
    for force in system.getForces():
        if isinstance(force, mm.CustomNonbondedForce):
            force.setUseLongRangeCorrection(False)
    if job["mixing"] != "as-given":
        # OpenMM's own rule in place of the custom force for the pairs that the topology gives.
        own = of_types(topology)
        types = [fields[1] for name, n in top._molecules for _ in range(n) for fields in top._moleculeTypes[name].atoms]
        for k, t in enumerate(types):
            q, _, _ = nonbonded.getParticleParameters(k)
            nonbonded.setParticleParameters(k, q, *own[t])
        for k in reversed(range(system.getNumForces())):
            if isinstance(system.getForce(k), mm.CustomNonbondedForce):
                system.removeForce(k)
    if s["constraints"] == "h-bonds":
        mass = [system.getParticleMass(k).value_in_unit(unit.dalton) for k in range(system.getNumParticles())]
        for force in system.getForces():
            if isinstance(force, mm.HarmonicBondForce):
                for k in range(force.getNumBonds()):
                    i, j, length, stiffness = force.getBondParameters(k)
                    if min(mass[i], mass[j]) < HYDROGEN:
                        system.addConstraint(i, j, length)
                        force.setBondParameters(k, i, j, length, 0 * stiffness)
    integrator = mm.VerletIntegrator(s["timestep"])
    platform = mm.Platform.getPlatformByName("CPU")
    context = mm.Context(system, integrator, platform, {"Threads": str(job["threads"])})
    context.setPositions(positions)
    if velocities:
        context.setVelocities(velocities)
    return context, integrator


def energy(context):
    state = context.getState(getEnergy=True)
    return (state.getPotentialEnergy() + state.getKineticEnergy()).value_in_unit(unit.kilojoule_per_mole)


def main():
    job = json.loads(sys.argv[1])
    if job["what"] == "version":
        return {"version": mm.version.version}
    context, integrator = build(job)
    if job["what"] == "forces":
        forces = context.getState(getForces=True).getForces(asNumpy=True)
        return {"forces": forces.value_in_unit(unit.kilojoule_per_mole / unit.nanometer).tolist()}
    if job["what"] == "drift":
        times, energies = [], []
        for done in range(0, job["steps"] + 1, job["every"]):
            times.append(done * job["settings"]["timestep"])
            energies.append(energy(context))
            integrator.step(job["every"])
        return {"times": times, "energies": energies}
    integrator.step(max(5, min(50, job["steps"])))
    energy(context)
    began = time.perf_counter()
    integrator.step(job["steps"])
    context.getState(getVelocities=True)  # what was asked for is done when it comes back
    return {"ms_per_step": (time.perf_counter() - began) * 1e3 / job["steps"]}


print(json.dumps(main()))
