"""A training step with compiled forms, and with the NumPy forms and every result made by its own step, in turns.

python -m neurosim.bench.compiled --pairs 8 --plasticity ladder
"""

import statistics
import time

import click
from neurosim.bench.sides import RULES, Ours, images_for
from neurosim.bench.turns import machine_line, this_machine
from neurosim.cli.main import main

from neurosim.core.backend import Backend
from neurosim.engine import program
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import WiringError
from neurosim.kernels.compiled import faster

SIDES = ("plain", "once", "compiled")  # NumPy forms, every step run; NumPy forms, results made once; compiled ones too
LAGS = 20  # with the ladder, as the photographs' recipe has it; with Adam all negatives


def bound(name, rule, images, team, plasticity):
    """A side whose programs are made: what decides how is set while they are."""
    lags = None if plasticity == "adam" else LAGS
    side = Ours(rule, images, team, deformed=True, lags=lags, feedback="urf", plasticity=plasticity)
    side.kernels = faster(Backend("cpu")) if name == "compiled" else Backend("cpu")
    usual = program.made_once
    try:
        if name == "plain":
            program.made_once = lambda runs, passing: (runs, {})
        for phase in side.phases:
            side.step(phase)
    finally:
        program.made_once = usual
    return side


def turns(sides, repeats, steps):
    """Name -> seconds a step and processor seconds a step, a pair for each turn."""
    found = {name: [] for name in sides}
    for _ in range(repeats):
        for name, side in sides.items():
            start, used = time.perf_counter(), time.process_time()
            for _ in range(steps):
                for phase in side.phases:
                    side.step(phase)
            count = steps * len(side.phases)
            found[name].append(((time.perf_counter() - start) / count, (time.process_time() - used) / count))
    return found


@click.command()
@click.option("--rules", default="bp,ll-greedy,ll-simultaneous,dtp", show_default=True, help="Some of the rules.")
@click.option("--pairs", type=click.IntRange(min=2), default=8, show_default=True, help="Moments in a batch.")
@click.option(
    "--plasticity",
    type=click.Choice(["adam", "ladder", "signum"]),
    default="adam",
    show_default=True,
    help=f"Adam: all negatives; the others: {LAGS} lags and the block.",
)
@click.option("--threads", type=click.IntRange(min=1), help="[default: as many as the machine has]")
@click.option("--repeats", type=click.IntRange(min=1), default=9, show_default=True, help="Turns.")
def compiled(rules, pairs, plasticity, threads, repeats):
    """Time a training step with compiled forms and without."""
    if faster(Backend("cpu")).compiler is None:
        raise WiringError("no Numba here", "the library that compiles", "pip install 'neurosim[compiled]'")
    unknown = sorted(set(rules.split(",")) - set(RULES))
    if unknown:
        raise WiringError(f"rule {unknown[0]!r}", f"some of {', '.join(RULES)}", "change --rules")
    with ThreadTeam(threads) as team:
        print(machine_line(this_machine(team.threads)))
        print(f"{pairs} pairs, {plasticity}; ms a step, ms of processors, median ratio of turns to the plain side")
        for rule in rules.split(","):
            images = images_for(pairs)
            times = turns({n: bound(n, rule, images, team, plasticity) for n in SIDES}, repeats, 4 if pairs < 20 else 2)
            texts = []
            for name, each in times.items():
                wall, busy = (1000 * statistics.median(column) for column in zip(*each, strict=True))
                ratio = statistics.median(a / b for (a, _), (b, _) in zip(each, times["plain"], strict=True))
                texts.append(f"{name} {wall:.1f}, {busy:.1f}, {ratio:.2f}")
            print(f"{rule:16} {';  '.join(texts)}", flush=True)


if __name__ == "__main__":
    main(command=compiled, name="python -m neurosim.bench.compiled")
