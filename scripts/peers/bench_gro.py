"""Coordinates and topologies as `amelo export gromacs` writes them: read, made whole, replicated. Standard library."""

import os


def read_gro(path):
    """The 20 columns of names before each atom's numbers, positions and velocities (nm, nm/ps), box edges."""
    with open(path) as f:
        lines = f.read().rstrip("\n").split("\n")
    atoms = lines[2:2 + int(lines[1])]
    rows = [[float(x) for x in line[20:].split()] for line in atoms]
    box = [float(x) for x in lines[-1].split()]
    if any(box[3:]):
        raise ValueError(f"{path}: the box is oblique")
    velocities = [r[3:] for r in rows] if all(len(r) == 6 for r in rows) else None
    return [line[:20] for line in atoms], [r[:3] for r in rows], velocities, box[:3]


def bonds_of(path):
    """Pairs of bonded atoms of the whole system, from 0."""
    kinds, molecules, section, name = {}, [], "", ""
    with open(path) as f:
        for line in f:
            words = line.split(";")[0].split()
            if line.startswith("["):
                section = line.strip("[] \n")
            elif not words:
                continue
            elif section == "moleculetype":
                name = words[0]
                kinds[name] = [0, []]
            elif section == "atoms":
                kinds[name][0] += 1
            elif section in ("bonds", "constraints"):
                kinds[name][1].append((int(words[0]) - 1, int(words[1]) - 1))
            elif section == "molecules":
                molecules.append((words[0], int(words[1])))
    bonds, first = [], 0
    for name, count in molecules:
        n_atoms, pairs = kinds[name]
        for _ in range(count):
            bonds += [(first + i, first + j) for i, j in pairs]
            first += n_atoms
    return bonds


def make_whole(positions, bonds, box):
    """Moves atoms by whole edges next to what they are bonded to."""
    partners = {}
    for i, j in bonds:
        partners.setdefault(i, []).append(j)
        partners.setdefault(j, []).append(i)
    placed = set()
    for first in partners:
        todo = [] if first in placed else [first]
        placed.update(todo)
        while todo:
            i = todo.pop()
            for j in partners[i]:
                if j not in placed:
                    positions[j] = [b - e * round((b - a) / e) for a, b, e in zip(positions[i], positions[j], box)]
                    placed.add(j)
                    todo.append(j)


def replicate(source, target, copies):
    """Copies of a box beside each other: conf.gro and topol.top of the folder `source` as those of `target`."""
    names, positions, velocities, box = read_gro(os.path.join(source, "conf.gro"))
    # A molecule cut by the boundary of one copy would not be one in the larger box.
    make_whole(positions, bonds_of(os.path.join(source, "topol.top")), box)
    shifts = [(i, j, k) for i in range(copies[0]) for j in range(copies[1]) for k in range(copies[2])]
    os.makedirs(target, exist_ok=True)
    with open(os.path.join(target, "conf.gro"), "w") as f:
        f.write(f"{len(shifts)} copies\n{len(names) * len(shifts)}\n")
        for shift in shifts:
            for k, name in enumerate(names):
                moved = [x + s * e for x, s, e in zip(positions[k], shift, box)]
                v = "".join(f"{x:17.13f}" for x in velocities[k]) if velocities else ""
                f.write(name + "".join(f"{x:17.12f}" for x in moved) + v + "\n")
        f.write(" ".join(f"{e * c:.12f}" for e, c in zip(box, copies)) + "\n")
    with open(os.path.join(source, "topol.top")) as f:
        head, molecules = f.read().split("[ molecules ]\n")
    with open(os.path.join(target, "topol.top"), "w") as f:
        f.write(head + "[ molecules ]\n" + (molecules.rstrip("\n") + "\n") * len(shifts))
