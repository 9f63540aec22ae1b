"""Results of scripts/bench-peers as tables in Markdown."""

import json

BEGIN, END = "<!-- scripts/bench-peers table: begin -->", "<!-- scripts/bench-peers table: end -->"
HEAD = ("| program | ms/step | ns/day | ratio to amelo (range) | memory, MB | force error (rounding), kJ/mol/nm | drift, kJ/mol/ps per 1000 atoms | |\n"
        "|---|---|---|---|---|---|---|---|\n")
CHECKS = "\n| check | amelo | must be | |\n|---|---|---|---|\n"
PARTS = ("pair", "neighbor", "bonded", "pme", "constraints", "integrate", "output", "other")


def number(x, digits=3):
    return "" if x is None else f"{x:.{digits}g}"


def program_row(row, ours):
    ms, ratio = row["ms_per_step"], row["ratio"]
    versus = "1" if row is ours else f"{ratio['median']:.2f} ({ratio['low']:.2f}–{ratio['high']:.2f})"
    drift = number(row.get("drift"), 2)
    if drift and row.get("drift_error") is not None:
        drift += f" ± {row['drift_error']:.1g}"
    remarks = [r for r in (row["note"], row.get("unequal") and f"**fails: {row['unequal']}**") if r]
    error = number(row.get("force_error"))
    if row.get("rounding") is not None:
        error += f" ({number(row['rounding'])})"
    cells = [f"{row['program']} {row['version']}", f"{ms['median']:.3f} ({ms['low']:.3f}–{ms['high']:.3f})", number(row["ns_per_day"], 4), versus,
             number(row["peak_mb"]), error, drift, "; ".join(remarks)]
    return "| " + " | ".join(cells) + " |\n"


def checks(rows):
    def line(c):
        unit = f" {c['unit']}" if c["unit"] else ""
        against = f" ({c['against']})" if c["against"] else ""
        return f"| {c['what']} | {number(c['value'])}{unit} | {'≥' if c['at_least'] else '≤'} {number(c['limit'])}{against} | {'holds' if c['passed'] else '**missed**'} |\n"

    return CHECKS + "".join(map(line, rows)) if rows else ""


def text(result):
    """Every case of one result."""
    m = result["machine"]
    out = [f"{result['date']}: {m['processor']}, {m['cores']} cores, {m['best_isa']}, load {m['load_at_start']:.1f} at the start; {result['pairs']} interleaved rounds, median (range).\n"]
    for case in result["cases"]:
        s = case["settings"]
        ours = case["rows"][0]
        out.append(f"\n**{case['case']}**: {case['n_atoms']} atoms, {case['threads']} threads, {1e3 * s['timestep']:g} fs, {s['constraints']}, "
                   f"cut-off {s['r_cut']} nm, PME {s['spacing']} nm of order {s['order']}"
                   + (f", frozen: {', '.join(case['frozen'])}" if case["frozen"] else "")
                   + (f", amelo with {', '.join(case['set'])}" if case["set"] else "") + "\n\n")
        out.append(HEAD)
        out += [program_row(row, ours) for row in case["rows"]]
        parts = ", ".join(f"{p} {ours['breakdown'][p]:.3f}" for p in PARTS)
        out.append(f"\namelo's last round by part, ms per step: {parts}; {1e3 * ours['ms_per_step']['median'] / case['n_atoms']:.3f} µs per atom and step.\n")
        out += [f"\n{note}\n" for note in case["notes"]]
        out.append(checks(case["checks"]))
    if result["checks"]:
        out += ["\n**All cases**\n", checks(result["checks"])]
    return "".join(out)


def write(page, files):
    """The tables of result files between the two marks of `page`."""
    with open(page) as f:
        before, rest = f.read().split(BEGIN)
    _, after = rest.split(END)
    tables = []
    for name in files:
        with open(name) as f:
            tables.append(text(json.load(f)))
    with open(page, "w") as f:
        f.write(before + BEGIN + "\n" + "\n".join(tables) + END + after)
