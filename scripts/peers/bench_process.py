"""Processes whose peak memory counts, and statistics of what they print. Standard library only."""

import json
import math
import os
import statistics
import subprocess
import tempfile
import time

POLL = 0.1  # s
BLOCKS = 10


class Failed(Exception):
    """A program that ended with an error; its last words."""


class Kept:
    """Numbers in a file that hold as long as `of`, what they were measured on, is the same."""

    def __init__(self, path, of):
        self.path, self.of, self.values = path, of, {}
        try:
            with open(path) as f:
                stored = json.load(f)
            if stored["of"] == of:
                self.values = stored["values"]
        except (OSError, ValueError, KeyError):
            pass

    def get(self, key, make):
        """The number of `key`; made and kept where there is none yet."""
        if key not in self.values:
            self.values[key] = make()
            with open(self.path, "w") as f:
                json.dump({"of": self.of, "values": self.values}, f, indent=1)
        return self.values[key]


class Finished:
    def __init__(self, out, err, seconds, peak_mb):
        self.out, self.err, self.seconds, self.peak_mb = out, err, seconds, peak_mb


def descendants(pid):
    """`pid` and every process below it."""
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        try:
            for task in os.listdir(f"/proc/{one}/task"):
                with open(f"/proc/{one}/task/{task}/children") as f:
                    todo.extend(int(x) for x in f.read().split())
        except OSError:
            pass
    return found


def peak_memory(pid):
    """Largest resident memory so far of one process (MB, 10^6 bytes) and its name."""
    try:
        with open(f"/proc/{pid}/status") as f:
            lines = dict(line.split(":", 1) for line in f if ":" in line)
        return int(lines["VmHWM"].split()[0]) * 1024e-6, lines["Name"].strip()
    except (OSError, KeyError, ValueError):
        return None


def call(arguments, cwd, stdin="", env=None, check=True, program=None):
    """Runs a command. Its peak memory is the sum over its processes called `program` (all but launchers), else its own:
    read from /proc while it runs, because a child's rusage begins with the memory of the parent that started it."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err, tempfile.TemporaryFile("w+") as words:
        words.write(stdin)
        words.seek(0)
        began = time.monotonic()
        process = subprocess.Popen([str(a) for a in arguments], cwd=cwd, stdin=words, stdout=out, stderr=err, env=env)
        peaks = {}
        while process.poll() is None:
            for pid in descendants(process.pid) if program else [process.pid]:
                found = peak_memory(pid)
                if found and (program is None or found[1] == program):
                    peaks[pid] = found[0]
            try:
                process.wait(POLL)
            except subprocess.TimeoutExpired:
                pass
        seconds = time.monotonic() - began
        out.seek(0), err.seek(0)
        out, err = out.read(), err.read()
    if check and process.returncode not in (0, *(check if isinstance(check, tuple) else ())):
        raise Failed(f"{' '.join(map(str, arguments))}: exit code {process.returncode}\n{err[-1500:] or out[-1500:]}")
    return Finished(out, err, seconds, sum(peaks.values()) if peaks else None)


def rms_difference(f, g, atoms=None):
    """sqrt(mean over atoms of |f - g|^2)."""
    chosen = range(len(f)) if atoms is None else atoms
    total = sum((a - b) ** 2 for k in chosen for a, b in zip(f[k], g[k], strict=True))
    return math.sqrt(total / len(chosen))


def slope(times, values):
    """Least-squares slope; its standard error from the slopes of ten blocks, whose noise is independent."""
    def fit(t, y):
        t0, y0 = statistics.fmean(t), statistics.fmean(y)
        return sum((a - t0) * (b - y0) for a, b in zip(t, y)) / sum((a - t0) ** 2 for a in t)

    n = len(times)
    if n < 3:
        raise Failed(f"{n} energies are too few for a drift")
    whole = fit(times, values)
    if n < 5 * BLOCKS:
        return whole, math.inf
    bounds = [k * n // BLOCKS for k in range(BLOCKS + 1)]
    blocks = [fit(times[a:b], values[a:b]) for a, b in zip(bounds, bounds[1:])]
    # A block is that much shorter: its slope has BLOCKS^1.5 times the error of the whole's.
    return whole, statistics.stdev(blocks) / BLOCKS**1.5


def median_and_range(values):
    return {"median": statistics.median(values), "low": min(values), "high": max(values), "all": list(values)}
