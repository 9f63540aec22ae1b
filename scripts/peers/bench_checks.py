"""What the measured numbers must show, each as one row: what, amelo's number, its limit, whether it holds."""

import statistics

# Cost per atom and step of systems of different size: farthest from their mean.
ALIKE_COST = 0.15
SIZES = ("melt-2k5", "melt", "melt-40k", "melt-160k")
# Slope of the memory with the number of atoms (bytes).
BYTES_PER_ATOM = 1000
# Time of the flexible oxide's step over that of the frozen one.
FROZEN_GAIN = 1.5


def check(what, value, limit, unit, against="", at_least=False):
    passed = value >= limit if at_least else value <= limit
    return {"what": what, "value": value, "limit": limit, "unit": unit, "at_least": at_least, "against": against, "passed": passed}


def of_case(case):
    """amelo beside each GROMACS that runs the same force field; memory beside any."""
    ours, checks = case["rows"][0], []
    for row in case["rows"]:
        if row["program"] != "GROMACS":
            continue
        name = f"{row['program']} {row['version']}"
        for key, what in (("rounding", "rounding of mixed precision"), ("force_error", "force error")):
            if not row["stand_in"] and ours.get(key) is not None and row.get(key) is not None:
                checks.append(check(what, ours[key], row[key], "kJ/mol/nm", name))
        # A drift without a standard error was too short to be told from its swings.
        if ours.get("drift_error") is not None and row.get("drift_error") is not None:
            noise = 2 * (ours["drift_error"] ** 2 + row["drift_error"] ** 2) ** 0.5
            checks.append(check("size of the drift", abs(ours["drift"]), abs(row["drift"]) + noise, "kJ/mol/ps per 1000 atoms", f"{name} and two standard errors"))
        if ours.get("peak_mb") and row.get("peak_mb"):
            checks.append(check("memory", ours["peak_mb"], row["peak_mb"], "MB", name))
    for row in case["rows"]:
        if row.get("force_error_asked") is not None and row.get("force_error") is not None:
            checks.append(check("force error, asked for", row["force_error"], row["force_error_asked"], "kJ/mol/nm", row["program"]))
    return checks


def across(cases):
    """The melt in all sizes that were measured, and the frozen oxide beside the flexible one."""
    by_name, checks = {c["case"]: c for c in cases}, []
    sizes = [by_name[n] for n in SIZES if n in by_name]
    if len(sizes) > 1:
        # ns per atom and step.
        cost = [1e6 * c["rows"][0]["ms_per_step"]["median"] / c["n_atoms"] for c in sizes]
        mean = statistics.fmean(cost)
        worst = max(abs(x / mean - 1) for x in cost)
        told = ", ".join(f"{c['case']} {x:.0f}" for c, x in zip(sizes, cost))
        checks.append(check("cost per atom and step, farthest from its mean", 100 * worst, 100 * ALIKE_COST, "%", f"ns: {told}"))
        first, last = (by_name.get(n) for n in ("melt", "melt-160k"))
        if first and last and first["rows"][0]["peak_mb"] and last["rows"][0]["peak_mb"]:
            slope = 1e6 * (last["rows"][0]["peak_mb"] - first["rows"][0]["peak_mb"]) / (last["n_atoms"] - first["n_atoms"])
            checks.append(check("memory per further atom", slope, BYTES_PER_ATOM, "bytes", "melt to melt-160k"))
    flexible, frozen = (by_name.get(n) for n in ("interface", "interface-frozen"))
    if flexible and frozen:
        for row in (r["program"] for r in flexible["rows"] if r["program"].startswith("amelo")):
            times = [r["ms_per_step"]["all"] for c in (flexible, frozen) for r in c["rows"] if r["program"] == row]
            if len(times) == 2:
                gain = statistics.median(a / b for a, b in zip(*times))
                checks.append(check(f"{row}: flexible over frozen oxide, time of a step", gain, FROZEN_GAIN, "", "same rounds", at_least=True))
    return checks
