"""Training steps of several sides, turn by turn in one process, and what they take.

Before anything is timed, all sides take a step from the same weights and must agree on the loss and on every summed
outer product. The step is everything between two batches of views: forward, error, feedback, outer products,
plasticity, and, where all sides are asked to, the deformation of both views. Reading images is not part of it, nor is
drawing random numbers: the deformation's and dtp's are drawn once, the same on every side.
"""

import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
from neurosim.bench.floors import measure_rates, print_rows, time_steps
from neurosim.bench.sides import Compiled, Ours, Theirs, compiles, gain_for, images_for, validate

from neurosim.core.backend import Backend
from neurosim.core.cores import cores
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import WiringError
from neurosim.kernels.compiled import faster

SIDES = ("neurosim", "tuned", "compiled", "published")
INSTRUCTIONS = ("avx2", "fma", "avx512f", "avx512_bf16", "amx_tile", "asimd", "sve")  # that products may use
SMALL = 8  # pairs of the stricter comparison, see `neurosim.bench.sides.validate`


def this_machine(threads):
    """What a record says of where, when and with what it was measured."""
    said = {}
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            said.setdefault(name.strip(), value.strip())  # of the first core
    except OSError:
        pass
    flags = said.get("flags", said.get("Features", "")).split()
    return {
        "machine": said.get("model name") or platform.processor() or platform.machine(),
        "family": f"{said['cpu family']}, model {said['model']}" if {"cpu family", "model"} <= set(said) else "",
        "instructions": [name for name in INSTRUCTIONS if name in flags],
        "MHz": round(float(said["cpu MHz"])) if "cpu MHz" in said else None,
        "cores": cores()[0],
        "threads": threads,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": getattr(faster(Backend("cpu")).compiler, "version", None),
        "date": f"{datetime.datetime.now():%Y-%m-%d %H:%M}",
    }


def machine_line(found):
    """What `this_machine` found, on one line, so that figures of two machines can be compared."""
    parts = [found["machine"] + (f" (family {found['family']})" if found["family"] else "")]
    parts.append(" ".join(found["instructions"]) or "instruction sets unknown")
    if found["MHz"]:
        parts.append(f"{found['MHz'] / 1000:.1f} GHz")
    parts.append(f"{found['threads']} of {found['cores']} cores")
    numba = f"Numba {found['numba']}" if found["numba"] else "without Numba"
    parts.append(f"Python {found['python']}, NumPy {found['numpy']}, {numba}, {found['date']}")
    return ", ".join(parts)


def check_place(path, option="--out"):
    """Refuse a file, where one is asked for, whose folder does not exist.

    Raises:
        WiringError: it does not.
    """
    if path and not path.absolute().parent.is_dir():
        raise WiringError(f"folder {path.parent} does not exist", "a folder that does", f"make it, or change {option}")


def busy_seconds():
    """Processor seconds that everybody has used, and that this process has used; None where nobody counts."""
    try:
        fields = Path("/proc/stat").read_text(encoding="utf-8").split("\n", 1)[0].split()[1:]
    except OSError:
        return None
    return sum(int(fields[i]) for i in (0, 1, 2, 5, 6, 7)) / os.sysconf("SC_CLK_TCK"), time.process_time()


def alternate(sides, repeats):
    """All sides turn by turn, a different one first each time.

    Returns side -> for every turn after the first, which warms up: seconds of each phase; and the processor seconds
    of all threads together, which a busy machine disturbs less.
    """
    found, processor, order = {name: [] for name in sides}, {name: [] for name in sides}, list(sides)
    for turn in range(repeats + 1):
        first = turn % len(order)
        for name in order[first:] + order[:first]:
            side, seconds = sides[name], []
            side.prepare()
            used = time.process_time()
            for phase in side.phases:
                start = time.perf_counter()
                side.step(phase)
                seconds.append(time.perf_counter() - start)
            if turn:
                found[name].append(seconds)
                processor[name].append((time.process_time() - used) / len(seconds))
    return found, processor


def check(rule, sides, gain, tolerance):
    """See `neurosim.bench.sides.validate`; the first side against the others."""
    return validate(sides["neurosim"], {n: side for n, side in sides.items() if n != "neurosim"}, rule, gain, tolerance)


def compare(rule, sides, repeats):
    """Time one rule on its sides. Returns its record; seconds are the mean over a rule's phases."""
    record = {}
    before, start = busy_seconds(), time.perf_counter()
    phases, record["processor seconds"] = alternate(sides, repeats)
    wall, after = time.perf_counter() - start, busy_seconds()
    if before:
        others = (after[0] - before[0]) - (after[1] - before[1])
        record["others"] = max(0.0, others) / wall / os.cpu_count()
    seconds = {name: [statistics.mean(turn) for turn in turns] for name, turns in phases.items()}
    record["seconds"] = seconds
    record["phases"] = {name: [statistics.median(s) for s in zip(*t, strict=True)] for name, t in phases.items()}
    for name in list(sides)[1:]:
        ratios = [a / b for a, b in zip(seconds["neurosim"], seconds[name], strict=True)]
        record[f"ratio to {name}"] = [min(ratios), statistics.median(ratios), max(ratios)]
    return record


def build(names, rule, pairs, threads, team, options):
    """Name -> side, all on the same images; what PyTorch's compiler cannot compile here is left out, with a word."""
    images, found = images_for(pairs), {}
    for name in names:
        if name == "neurosim":
            found[name] = Ours(rule, images, team, **options)
        elif name != "compiled":
            found[name] = Theirs(rule, images, threads, tuned=name == "tuned", **options)
        else:
            side = Compiled(rule, images, threads, mode="max-autotune", tuned=True, **options)
            if compiles(rule, side):
                found[name] = side
    return found


def memory(names, rules, pairs, threads, options):
    """Rule -> side -> (MiB once the libraries are there, MiB at the peak), each in a process of its own."""
    found = {}
    for rule in rules:
        for name in names:
            if name == "compiled":  # its peak is its compiler's
                continue
            asked = {"name": name, "rule": rule, "pairs": pairs, "threads": threads, "options": options}
            found.setdefault(rule, {})[name] = alone(asked)
    return found


def alone(asked):
    """What `neurosim.bench.alone` is asked, in a process of its own: MiB before any data, MiB at the peak."""
    command = [sys.executable, "-m", "neurosim.bench.alone", json.dumps(asked)]
    return json.loads(
        subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout.splitlines()[-1]
    )


def table(side, phase, team, rates):
    """The steps of one phase beside their floors, printed; returns the rows for the record."""
    rows = time_steps(side.plan(phase), side.kernels, team, rates)
    print(
        f"\n{side.rule.name}, {side.rule.phases[phase]}: ms within the step, shared by the threads; processor ms;\n"
        "ms that its flops, its bytes of memory and its bytes of cache take at the measured rates; ms / largest of these"
    )
    print_rows(rows)
    return [asdict(row) for row in rows]


def print_record(rule, record, pairs):
    """What one rule took, a line a side."""
    others = f"; other processes used {record['others']:.0%} of the machine meanwhile" if "others" in record else ""
    agreed = ""
    if "largest differences" in record:
        agreed = " loss and outer products agree to {:.0e} ({} pairs), {:.0e} (all)".format(
            record["largest differences"][0], SMALL, record["largest differences"][1]
        )
    print(f"\n{rule}:{agreed}{others}".replace(":;", ":"))
    for name, turns in record["seconds"].items():
        seconds, processor = statistics.median(turns), statistics.median(record["processor seconds"][name])
        line = f"  {name:<10} {pairs / seconds:6.0f} images/s, {seconds:.3f} s a step, {processor:.3f} s of processors"
        if f"ratio to {name}" in record:
            low, middle, high = record[f"ratio to {name}"]
            line += f"   neurosim takes {middle:.2f} of it ({low:.2f} to {high:.2f})"
        if name in record.get("memory", {}):
            line += f"   peak {record['memory'][name][1]:.0f} MiB ({record['memory'][name][0]:.0f} before any data)"
        phases = record["phases"][name]
        print(line + ("   phases " + ", ".join(f"{s:.3f}" for s in phases) if len(phases) > 1 else ""), flush=True)


def torch_rate(threads):
    """Flop/s of PyTorch's square products."""
    import torch
    from neurosim.bench.floors import best

    torch.set_num_threads(threads)
    square = torch.rand(2048, 2048)
    return 2 * 2048**3 / best(lambda: torch.mm(square, square), 5)


def bench(rules, *, pairs, threads, repeats, against, options, with_memory=True, with_table=True):
    """Measure and print everything.

    Args:
        rules: names, `neurosim.bench.sides.RULES`.
        pairs: moments in a batch; twice as many views.
        threads: for all sides.
        repeats: timed turns.
        against: whether PyTorch's sides take turns too.
        options: lags, feedback, plasticity, deformed, as `neurosim.bench.sides.Ours` takes them.
        with_memory, with_table: whether to measure peak memory, and to time each step.

    Returns:
        dict: everything measured, fit for JSON.
    """
    names = SIDES if against else SIDES[:1]
    held = memory(names, rules, pairs, threads, options) if with_memory else {}
    machine = this_machine(threads)
    record = {**machine, "pairs": pairs, **options, "rules": {}}
    print(machine_line(machine))
    with ThreadTeam(threads) as team:
        rates = measure_rates(team)
        record["rates"] = asdict(rates)
        line = f"{threads} threads: products {rates.product / 1e9:.0f} GFLOP/s"
        if against:
            theirs = torch_rate(threads)
            line += f" (PyTorch's {theirs / 1e9:.0f})"
            rates.product = max(rates.product, theirs)
        print(f"{line}, copies {rates.memory / 1e9:.0f} GB/s in memory, {rates.cache / 1e9:.0f} GB/s in cache")
        for rule in rules:
            sides = build(names, rule, pairs, threads, team, options)
            found = record["rules"][rule] = {}
            if against:
                small = build(names, rule, SMALL, threads, team, options)
                found["largest differences"] = [check(rule, small, gain_for(rule), 1e-3), check(rule, sides, 1.0, 1e-2)]
            found |= compare(rule, sides, repeats) | ({"memory": held[rule]} if held else {})
            print_record(rule, found, pairs)
            if with_table:
                found["steps"] = [table(sides["neurosim"], n, team, rates) for n in sides["neurosim"].phases]
    return record
