"""One training step of conv5: neurosim beside PyTorch, in one process, turn by turn.

    python benchmarks/step.py --pairs 250 --threads 2 --repeats 7 --rules bp,ll-greedy,ll-simultaneous --out FILE.json

Before anything is timed, both sides take a step from the same weights and must agree on the loss and on every summed
outer product. The step is everything between two batches of views: forward, error, feedback, outer products,
plasticity; reading and deforming images is not part of it. Peak memory is measured in processes of their own.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

RULES = ("bp", "ll-greedy", "ll-simultaneous")
SIDES = ("neurosim", "tuned", "published")
SMALL = 8  # pairs of the stricter comparison, see `sides.validate`
VARIANTS = {"all": None, "lags": 5}  # all negatives and no gradient block; 5 lags and the gradient block


def busy_seconds():
    """Processor seconds that everybody has used, and that this process has used; None where nobody counts."""
    try:
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    except OSError:
        return None
    return sum(int(fields[i]) for i in (0, 1, 2, 5, 6, 7)) / os.sysconf("SC_CLK_TCK"), time.process_time()


def alternate(sides, repeats):
    """All sides turn by turn, a different one first each time.

    Returns side -> for every turn after the first, which warms up: seconds of each lesson; and the processor seconds
    of all threads together, which a busy machine disturbs less.
    """
    found, processor, order = {name: [] for name in sides}, {name: [] for name in sides}, list(sides)
    for turn in range(repeats + 1):
        first = turn % len(order)
        for name in order[first:] + order[:first]:
            side, seconds = sides[name], []
            side.prepare()
            used = time.process_time()
            for lesson in side.lessons:
                start = time.perf_counter()
                side.step(lesson)
                seconds.append(time.perf_counter() - start)
            if turn:
                found[name].append(seconds)
                processor[name].append((time.process_time() - used) / len(seconds))
    return found, processor


def check(rule, sides, gain, tolerance):
    from sides import validate

    return validate(sides["neurosim"], {n: side for n, side in sides.items() if n != "neurosim"}, rule, gain, tolerance)


def compare(rule, sides, repeats):
    """Time one rule on its sides. Returns its record; seconds are the mean over a rule's lessons."""
    record = {}
    before, start = busy_seconds(), time.perf_counter()
    lessons, record["processor seconds"] = alternate(sides, repeats)
    wall, after = time.perf_counter() - start, busy_seconds()
    if before:
        others = (after[0] - before[0]) - (after[1] - before[1])
        record["others"] = max(0.0, others) / wall / os.cpu_count()
    seconds = {name: [statistics.mean(turn) for turn in turns] for name, turns in lessons.items()}
    record["seconds"] = seconds
    record["lessons"] = {name: [statistics.median(s) for s in zip(*t, strict=True)] for name, t in lessons.items()}
    for name in SIDES[1:]:
        ratios = [a / b for a, b in zip(seconds["neurosim"], seconds[name], strict=True)]
        record[f"ratio to {name}"] = [min(ratios), statistics.median(ratios), max(ratios)]
    return record


def build(names, rule, pairs, options, threads, workers):
    """Name -> side, all on the same images."""
    from sides import Ours, Theirs, images_for

    images = images_for(pairs)
    return {
        name: Ours(rule, images, workers, **options)
        if name == "neurosim"
        else Theirs(rule, images, threads, tuned=name == "tuned", **options)
        for name in names
    }


def child(name, rule, options, args):
    """In a process of its own: two steps of every lesson of one side; prints its peak memory in MiB."""
    workers = None
    if name == "neurosim":
        from neurosim.execute import Workers

        workers = Workers(args.threads).__enter__()
    else:
        import peers_torch  # noqa: F401  what the process needs before it has any data
    imported = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    side = build([name], rule, args.pairs, options, args.threads, workers)[name]
    for lesson in side.lessons:
        for _ in range(2):
            side.step(lesson)
    print(json.dumps([imported, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))


def memory(rules, args):
    """Rule -> side -> (MiB once the libraries are there, MiB at the peak).

    Call it before this process grows: a child's ru_maxrss begins at what its parent had when it started.
    """
    found = {}
    for rule in rules:
        for name in SIDES:
            command = [sys.executable, __file__, *sys.argv[1:], "--child", name, rule]
            answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            found.setdefault(rule, {})[name] = json.loads(answer.splitlines()[-1])
    return found


def table(side, lesson, workers, rates):
    """The steps of one lesson beside their floors, printed; returns the rows for the record."""
    from floors import print_rows, time_steps

    rows = time_steps(side.plan(lesson), side.kernels, workers, rates)
    print(f"\n{side.rule.name}, {side.rule.lessons[lesson]}: ms within the step, shared by the threads; processor ms;\n"
          "ms that its flops, its bytes of memory and its bytes of cache take at the measured rates; ms / largest of these")
    print_rows(rows)
    return [asdict(row) for row in rows]


def print_record(rule, record):
    others = f"; other processes used {record['others']:.0%} of the machine meanwhile" if "others" in record else ""
    few, many = record["largest differences"]
    print(f"\n{rule}: loss and outer products agree to {few:.0e} ({SMALL} pairs), {many:.0e} (all){others}")
    for name in SIDES:
        line = f"  {name:<10}"
        if "seconds" in record:
            seconds, processor = (statistics.median(record[key][name]) for key in ("seconds", "processor seconds"))
            line += f" {seconds:7.3f} s a step, {processor:.3f} s of processors"
        if f"ratio to {name}" in record:
            low, middle, high = record[f"ratio to {name}"]
            line += f"   neurosim takes {middle:.2f} of it ({low:.2f} to {high:.2f})"
        if "memory" in record:
            line += f"   peak {record['memory'][name][1]:.0f} MiB ({record['memory'][name][0]:.0f} before any data)"
        lessons = record.get("lessons", {}).get(name, ())
        print(line + ("   lessons " + ", ".join(f"{s:.3f}" for s in lessons) if len(lessons) > 1 else ""), flush=True)


def bench(args, rules, options, held):
    """Everything but the memory, in this process. Returns the record."""
    import numpy
    import torch
    from floors import best, measure_rates

    from neurosim.execute import Workers

    record = {"numpy": numpy.__version__, "torch": torch.__version__, "rules": {}}
    with Workers(args.threads) as workers:
        rates = measure_rates(workers)
        torch.set_num_threads(args.threads)
        square = torch.rand(2048, 2048)
        theirs = 2 * 2048**3 / best(lambda: torch.mm(square, square))
        print(f"{args.threads} threads: sgemm {rates.product / 1e9:.0f} GFLOP/s (PyTorch's {theirs / 1e9:.0f}), "
              f"copies {rates.memory / 1e9:.0f} GB/s in memory, {rates.cache / 1e9:.0f} GB/s in cache")  # fmt: skip
        rates.product = max(rates.product, theirs)
        record["rates"] = asdict(rates)
        for rule in rules:
            small, sides = (build(SIDES, rule, n, options, args.threads, workers) for n in (SMALL, args.pairs))
            agreed = [check(rule, small, 1.7, 1e-3), check(rule, sides, 1.0, 1e-2)]
            found = record["rules"][rule] = {"largest differences": agreed}
            found |= compare(rule, sides, args.repeats) if args.repeats else {}
            found |= {"memory": held[rule]} if rule in held else {}
            print_record(rule, found)
            if not args.no_table:
                found["steps"] = [table(sides["neurosim"], n, workers, rates) for n in sides["neurosim"].lessons]
    return record


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pairs", type=int, default=250, help="moments in a batch; twice as many views")
    parser.add_argument("--threads", type=int, default=2, help="for both sides")
    parser.add_argument("--repeats", type=int, default=7, help="timed turns; 0: none, only the table")
    parser.add_argument("--rules", default=",".join(RULES), help="some of " + ", ".join(RULES))
    parser.add_argument("--variant", choices=VARIANTS, default="all", help="all negatives, or 5 lags and gradient block")
    parser.add_argument("--feedback", choices=("bp", "rf", "urf"), default="urf", help="of the layer-wise rule")
    parser.add_argument("--plasticity", choices=("adam", "signum"), default="adam")
    parser.add_argument("--no-memory", action="store_true", help="leave out the processes that measure memory")
    parser.add_argument("--no-table", action="store_true", help="leave out the table of the plan's steps")
    parser.add_argument("--out", type=Path, help="write everything measured as JSON")
    parser.add_argument("--child", nargs=2, metavar=("SIDE", "RULE"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    unknown = [rule for rule in args.rules.split(",") if rule not in RULES]
    if unknown or args.pairs < 2 or args.threads < 1 or args.repeats < 0:
        parser.error(f"--rules {args.rules} --pairs {args.pairs} --threads {args.threads} --repeats {args.repeats}; "
                     f"expected rules among {', '.join(RULES)}, 2 pairs, 1 thread, 0 repeats or more")  # fmt: skip
    return args


def main():
    args = arguments()
    options = {"lags": VARIANTS[args.variant], "feedback": args.feedback, "plasticity": args.plasticity}
    if args.child:
        child(*args.child, options, args)
        return
    rules = args.rules.split(",")
    held = {} if args.no_memory else memory(rules, args)
    record = {k: str(v) if isinstance(v, Path) else v for k, v in vars(args).items()} | bench(args, rules, options, held)
    if args.out:
        args.out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
