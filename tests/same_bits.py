"""Prove that a refactoring changed no bit: train by two commits, compare everything that they keep.

    python tests/same_bits.py BASE HEAD

BASE and HEAD are git revisions; HEAD may be ``.``, the working tree. Each is installed into a temporary folder, and
both use the NumPy of this interpreter. Two processes, one for each, run the same cases through the command line alone:
``train``, and for some cases ``train --resume`` or ``evaluate``. Then the arrays of ``checkpoint.npz``, the numbers of
``metrics.csv`` and those of ``results.json`` are compared, name by name and bit by bit; numbers that measure time are
left out. A case that BASE refuses (exit code 2) must be refused by HEAD too. Each process draws the built-in images
anew, so that those are compared as well.

Most cases come from a covering design: every two values of two factors (`FACTORS`) occur together in some case, where
they can. These train for a few batches of small networks, and skip the audit before training unless ``--audit`` is
given. ``--full`` adds the product of rule, loss, plasticity and precision. Exit code 0: no difference; 1: some, or a
commit that cannot be run; 2: wrong usage.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import importlib
import io
import itertools
import json
import os
import queue
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

# What HEAD calls otherwise than BASE, on purpose. Options: the exact name, such as "--grey": "--gray". Arrays of the
# checkpoint, and numbers such as "metrics.csv/0/error": a regular expression of the whole name, and what replaces it,
# such as r"bound (\w+)": r"limit \1".
RENAMED_OPTIONS: dict[str, str] = {}
RENAMED_ARRAYS: dict[str, str] = {}
RENAMED_NUMBERS: dict[str, str] = {}
# Where commits have the audit before training: a file, and the name by which the function is found there.
AUDITS = (("neurosim.audit.examine", "at_start"), ("neurosim.experiment", "preflight_audit"))
TIMING = re.compile("second")  # in the name of a number that differs from run to run

ROOT = Path(__file__).resolve().parents[1]
SEED = 1  # of the covering design and of the images
NAMES = ("BASE", "HEAD")
SHOWN = 5  # differences of one case that are printed

Array = npt.NDArray[Any]
Choice = dict[str, str]  # factor -> the name of its value
Order = tuple[bool, list[tuple[list[str], bool]]]
Reports: TypeAlias = "queue.Queue[tuple[Side, bool]]"

# ----------------------------------------------------------------------------------------------------------- the cases

PLAIN = "8 hardtanh, 8 pool, 16 pool"
DEEP = "5 tanh pool, 7 pool, 8 hardtanh pool, 8 pool, 9 pool"  # down to a single place
WIRINGS = {
    **{
        f"ll {order} {feedback}": f"--rule ll --order {order} --feedback {feedback}"
        for order in ("simultaneous", "greedy", "random")
        for feedback in ("urf", "rf", "sign", "bp")
    },
    **{rule: f"--rule {rule}" for rule in ("bp", "urf", "rf", "sign", "none")},
    **{f"dtp {top}": f"--rule dtp --top {top}" for top in ("target", "transport")},
}
LOSSES = {
    "hinge lags 5": "--loss hinge --lags 5",
    "hinge lags all": "--loss hinge --lags all",
    **{loss: f"--loss {loss}" for loss in ("simclr", "barlow", "hinge-mean", "positive")},
    **{loss: f"--loss {loss} --patch 8" for loss in ("gaze", "clapp")},
}
PATCHES = ("gaze", "clapp")
# The rates are small where changes are sums over all pairs, so that numbers stay finite and units stay active.
PLASTICITIES = {
    "signum": "--plasticity signum --rate 0.01",
    "adam": "--plasticity adam --rate 0.001",
    "momentum": "--plasticity momentum --rate 1e-5",
    "sgd": "--plasticity sgd --rate 1e-4",
}
NETWORKS = {
    "plain": PLAIN,
    "bias": "8 bias hardtanh, 7 bias pool, 16 bias tanh pool",
    "local": "4 hardtanh, 4 local pool, 8 local hardtanh pool",
    "local bias": "4 local bias hardtanh pool, 6 bias pool, 8 local bias tanh",
    "head average": f"{PLAIN}, head average",
    "head bias tanh": "8 hardtanh, 8 bias pool, 16 pool, head bias tanh",
    "head average bias hardtanh": "8 linear, 8 tanh pool, 12 pool, head average bias hardtanh",
    "deep": DEEP,
}
SMALL, LARGE = "--data {data}/small.npz", "--data {data}/large.npz"
# Options of a loss and of dtp that the choice "tuned" adds.
TUNED = {
    "hinge lags 5": "--negative-weight 0.2 --threshold 1.5 --delta 0.5",
    "hinge lags all": "--threshold 1.5 --delta 0.5",
    "simclr": "--temperature 0.5",
    "hinge-mean": "--threshold 1.5 --delta 0.5",
    "gaze": "--negatives 3 --threshold 1.5 --delta 0.5",
    "clapp": "--negatives 2",
    "dtp": "--target-step 0.5 --noise 1 --inverse-rate 2 --inverse-steps 2 --inverse-first 2",
}
# Every factor's values. Of some the first is the quickest: where nothing else decides, it is drawn more often.
QUICKEST = ("views", "pairs", "threads", "flow")
FACTORS: dict[str, tuple[str, ...]] = {
    "rule": tuple(WIRINGS),
    "loss": tuple(LOSSES),
    "plasticity": tuple(PLASTICITIES),
    "network": tuple(NETWORKS),
    "precision": ("float32", "float64"),
    "block": ("default block", "no block"),
    "views": ("affine", "simclr views", "motion"),
    "pairs": ("8 pairs", "50 pairs", "225 pairs"),
    "crop": ("whole", "crop"),
    "grey": ("default grey", "grey", "no grey"),
    "layer rates": ("one rate", "rates rise", "top stays"),
    "decay": ("no decay", "decay"),
    "schedule": ("cosine", "linear", "constant"),
    "gain": ("gain 1", "gain 0.1"),
    "trace": ("momentum 0.9", "momentum 0.5"),
    "match": ("match", "no match"),
    "tuned": ("plain options", "tuned"),
    "readout": ("lbfgs", "knn", "hinge read-out", "adam read-out"),
    "threads": ("1 thread", "2 threads"),
    "flow": ("at once", "longer", "stopped"),
}
# The options of further values; a value that is not here is the default.
OPTIONS = {
    "float64": "--precision float64",
    "no block": "--no-block",
    "simclr views": "--deformation simclr",
    "motion": "--views motion",
    "grey": "--grey",
    "no grey": "--no-grey",
    "decay": "--decay 0.5",
    "linear": "--schedule linear",
    "constant": "--schedule constant",
    "gain 1": "--feedback-gain 1",
    "gain 0.1": "--feedback-gain 0.1 --head-rate 0.5",
    "momentum 0.5": "--momentum 0.5 --seed 3",
    "no match": "--no-match",
    "knn": "--readout knn",
    "hinge read-out": "--readout hinge",
    "adam read-out": "--readout adam",
    "1 thread": "--threads 1",
    "2 threads": "--threads 2",
}
NAMED = ("rule", "loss", "plasticity")  # factors that every name has; of the others what is not the first value


@dataclass
class Command:
    """One call of the command line.

    Args:
        text: as typed after ``neurosim``; ``{data}`` is the folder of images, ``{run}`` a folder of the case's own.
        stop: press Ctrl-C when the first checkpoint is written.
    """

    text: str
    stop: bool = False


@dataclass
class Case:
    """What both commits do, one command after another.

    Args:
        name: for people, and for ``--only``.
        commands: calls of the command line.
        audited: False: the audit before training may be skipped, see `audits_once`.
    """

    name: str
    commands: list[Command]
    audited: bool = True


def training(options: str) -> Command:
    """A command that trains the run of a case."""
    return Command(f"train {options} --out {{run}}")


def resuming(options: str = "") -> Command:
    """A command that goes on with the run of a case."""
    return Command(f"train --resume {{run}} {options}")


def batches(pairs: int, count: int = 5) -> str:
    """Options of one epoch of so many batches, read out on few images."""
    return f"--batch {pairs} --images {count * pairs} --epochs 1 --readout-images 30"


TINY = f'{SMALL} --network "{PLAIN}" {batches(8)}'


def allowed(choice: Choice) -> bool:
    """Whether values of factors can go together; False only for two that no option can join."""
    patches, views = choice.get("loss") in PATCHES, choice.get("views")
    if patches and (views in ("motion", "simclr views") or choice.get("network") == "deep"):
        return False
    if choice.get("crop") == "crop" and (views == "motion" or choice.get("network") == "deep"):
        return False
    if choice.get("grey") == "grey" and views == "motion":
        return False
    if choice.get("plasticity") == "sgd" and choice.get("trace") == "momentum 0.5":  # sgd has no trace
        return False
    return not (choice.get("flow") == "longer" and re.match("ll (greedy|random)", choice.get("rule", "")))


def covering(rng: random.Random) -> list[Choice]:
    """Cases in which every two values of two factors meet, where they can: few, by a greedy search."""
    order = list(FACTORS)
    missing: dict[tuple[str, str, str, str], None] = {}  # a dict keeps the order
    for first, second in itertools.combinations(order, 2):
        for one, other in itertools.product(FACTORS[first], FACTORS[second]):
            if allowed({first: one, second: other}):
                missing[first, one, second, other] = None

    def pair(first: str, one: str, second: str, other: str) -> tuple[str, str, str, str]:
        return (first, one, second, other) if order.index(first) < order.index(second) else (second, other, first, one)

    found = []
    while missing:
        first, one, second, other = next(iter(missing))
        choice = {first: one, second: other}
        rest = [name for name in order if name not in choice]
        for name in rng.sample(rest, len(rest)):
            fits = [value for value in FACTORS[name] if allowed(choice | {name: value})]
            new = [sum(pair(name, value, *known) in missing for known in choice.items()) for value in fits]
            best = [value for value, count in zip(fits, new, strict=True) if count == max(new)]
            choice[name] = drawn(rng, name, best)
        for (a, x), (b, y) in itertools.combinations(choice.items(), 2):
            missing.pop(pair(a, x, b, y), None)
        found.append(choice)
    return found


def drawn(rng: random.Random, factor: str, values: list[str]) -> str:
    """One of some values of a factor; of the factors in `QUICKEST` an early one more often."""
    weights = [(1 + FACTORS[factor].index(value)) ** -2 if factor in QUICKEST else 1 for value in values]
    return rng.choices(values, weights)[0]


def product(rng: random.Random) -> Iterator[Choice]:
    """Every rule, loss, plasticity and precision together; the other factors are drawn."""
    four = ("rule", "loss", "plasticity", "precision")
    for values in itertools.product(*(FACTORS[name] for name in four)):
        choice = dict(zip(four, values, strict=True))
        for name in FACTORS:
            if name not in four:
                choice[name] = drawn(rng, name, [value for value in FACTORS[name] if allowed(choice | {name: value})])
        yield choice


def made(choice: Choice) -> Case:
    """The case of a choice of all factors."""
    deep, cropped, patches = choice["network"] == "deep", choice["crop"] == "crop", choice["loss"] in PATCHES
    rates = {"rates rise": "0.5,1,1.5,1.5,2" if deep else "0.5,1,1.5", "top stays": "1,1,1,1,0" if deep else "1,1,0"}
    parts = [WIRINGS[choice["rule"]], LOSSES[choice["loss"]], PLASTICITIES[choice["plasticity"]]]
    parts += [f'--network "{NETWORKS[choice["network"]]}"', batches(int(choice["pairs"].split()[0]))]
    parts += ["--data toys" if choice["views"] == "motion" else SMALL]
    parts += [f"--crop {24 if cropped else 32}"] * (cropped or patches)
    if choice["layer rates"] in rates:
        parts += ["--layer-rates", rates[choice["layer rates"]]]
    if choice["tuned"] == "tuned":
        parts += [TUNED[name] for name in (choice["loss"], choice["rule"].split()[0]) if name in TUNED]
    parts += [OPTIONS[value] for factor, value in choice.items() if factor not in NAMED and value in OPTIONS]
    command = training(" ".join(parts))
    commands = [command]
    if choice["flow"] == "longer":
        commands = [command, resuming("--epochs 2")]
    if choice["flow"] == "stopped":
        commands = [Command(f"{command.text} --checkpoint-every 0", stop=True), resuming()]
    words = [choice[name] for name in FACTORS if name in NAMED or choice[name] != FACTORS[name][0]]
    return Case(", ".join(words), commands, audited=False)


def one(name: str, options: str, *then: Command) -> Case:
    """A case that trains, and then perhaps does more."""
    return Case(name, [training(options), *then])


def defaults() -> Iterator[Case]:
    """Whatever options are chosen for the user."""
    yield one("defaults on toys", "--rule ll --images 500 --epochs 1 --readout-images 200")
    yield one("defaults of dtp on toys", "--rule dtp --images 250 --readout-images 200")
    for rule in ("ll", "bp", "urf", "rf", "sign", "dtp", "none"):
        name = f"defaults of {rule} on photographs"
        yield one(name, f"--rule {rule} {SMALL} --images 250 --readout-images 40")


def presets() -> Iterator[Case]:
    """Networks as large as in use, at sizes that are cut into blocks differently."""
    conv5, conv4 = "--network conv5", "--network conv4-tanh --rule dtp"
    negatives = "--lags all --plasticity adam --rate 1e-3 --no-block"
    published = "--top transport --loss hinge --lags 5 --block --target-step 0.2"
    for pairs, threads in ((50, 1), (225, 2)):
        size, text = f"{SMALL} {batches(pairs)} --threads {threads}", f"{pairs} pairs, {threads} threads"
        yield one(f"conv5, bp, {text}", f"{conv5} --rule bp {size}")
        yield one(f"conv5, ll, all negatives, adam, {text}", f"{conv5} {negatives} {size}")
        yield one(f"conv4-tanh, dtp, {text}", f"{conv4} {size}")
        yield one(f"conv4-tanh, dtp, transport, hinge, block, {text}", f"{conv4} {published} {size}")
    size = f"{SMALL} {batches(50, 3)}"
    average = "32 hardtanh, 32 pool, 64 hardtanh, 64 pool, 128 pool, head average"
    yield one("conv5, bp, float64", f"{conv5} --rule bp --precision float64 --threads 2 {size}")
    yield one("conv5, ll, greedy, simclr", f"{conv5} --order greedy --loss simclr {size}")
    yield one("conv5, urf, head average", f'--network "{average}" --rule urf {size}')
    yield one("vgg6", f"--rule ll {LARGE} --network vgg6 --crop 32 {batches(8, 2)} --threads 2")
    for loss in PATCHES:
        views = f"--loss {loss} --patch 16 --crop 64"
        yield one(
            f"large patches, {loss}", f'{LARGE} --network "16 hardtanh, 16 pool, 32 pool" {views} {batches(8, 3)}'
        )


def pictures_and_threads() -> Iterator[Case]:
    """Other images, and other numbers of threads."""
    yield one("toys, bp, float64", f'--rule bp --network "{PLAIN}" {batches(50)} --precision float64')
    yield one("large pictures, crop", f'--rule urf {LARGE} --network "{PLAIN}" --crop 48 {batches(8)}')
    yield one("no labels", f"{TINY} --data {{data}}/unlabelled.npz")
    for rule in ("ll", "bp", "dtp"):
        odd = f'--data {{data}}/odd.npz --network "7 hardtanh, 5 pool, 9 pool" {batches(11)}'
        yield one(f"grey pictures of 20 x 28, {rule}", f"--rule {rule} {odd}")
    for threads in (1, 2, 3, 4):
        yield one(f"threads, {threads}", f'{SMALL} --network "{PLAIN}" {batches(225, 3)} --threads {threads}')


def commands() -> Iterator[Case]:
    """Diagnoses, resumed and evaluated runs, and what is refused."""
    for rule in ("ll", "bp", "dtp"):
        yield one(f"diagnosed, {rule}", f"--rule {rule} {TINY} --diagnose-every 2")
    yield one("diagnosed, longer", f"{TINY} --diagnose-every 3", resuming("--epochs 3"))
    yield one("resumed by other threads", f"{TINY} --threads 2", resuming("--epochs 2 --threads 1"))
    yield one("resumed when done", TINY, resuming())
    for how in ("adam", "hinge", "knn"):
        yield one(f"evaluated by {how}", TINY, Command(f"evaluate {{run}} --readout {how}"))
    yield one("evaluated on fewer images", TINY, Command("evaluate {run} --readout-images 20"))
    yield one("plausible alone", f"{TINY} --require-plausible")
    yield one("refused: not plausible", f"{TINY} --rule bp --require-plausible")
    yield one("refused: the folder is there", TINY, training(TINY))
    yield one("refused: longer in greedy order", f"{TINY} --order greedy", resuming("--epochs 2"))
    yield one("refused: fewer epochs", f"{TINY} --epochs 2", resuming("--epochs 1"))
    yield one("refused: another rate beside --resume", TINY, resuming("--rate 1"))
    for refused in REFUSED:
        yield one(f"refused: {refused}", f"{TINY} {refused}")


# Each beside options that go together.
REFUSED = [
    "--batch 41",
    "--batch 1",
    "--epochs 0",
    "--rule dpt",
    "--rule bp --order greedy",
    "--rule urf --feedback rf",
    "--rule ll --top target",
    "--order sideways",
    "--feedback psychic",
    "--loss mse",
    "--loss barlow --lags 5",
    "--lags 1",
    "--lags some",
    "--loss simclr --threshold 1",
    "--loss gaze",
    "--patch 8",
    "--views gaze",
    "--loss gaze --patch 8 --crop 32 --block",
    "--views motion",
    "--views sideways",
    "--views motion --deformation simclr",
    "--crop 33",
    "--layer-rates 1,1",
    "--layer-rates 0,0,0",
    "--plasticity lamb",
    "--rate -1",
    "--momentum 1",
    "--schedule steps",
    "--threads 0",
    "--precision tf32",
    "--precision int8",
    "--device tpu",
    "--readout svm",
    '--network "8 relu"',
    '--network "8 pool, 8 pool, 8 pool, 8 pool, 8 pool, 8 pool"',
    "--data nowhere.npz",
    "--images 100000",
    "--threshold 1 --delta 2",
    "--rule dtp --noise -1",
    "--no-such-option",
]


def cases(full: bool) -> list[Case]:
    """All cases, in the order in which they run."""
    chosen = covering(random.Random(SEED))
    if full:
        chosen += product(random.Random(SEED))
    every = [*defaults(), *presets(), *pictures_and_threads(), *commands(), *map(made, chosen)]
    return list({case.name: case for case in every}.values())


def write_images(folder: Path) -> None:
    """Write the images of the cases: noise on a few colours, so that read-outs are neither perfect nor at chance."""
    rng = np.random.default_rng(SEED)

    def pictures(labels: Array, rows: int, columns: int, channels: int) -> Array:
        kinds = np.random.default_rng(SEED).integers(0, 256, (10, 4, 4, channels))[labels]
        coarse = kinds.repeat(-(-rows // 4), axis=1).repeat(-(-columns // 4), axis=2)[:, :rows, :columns]
        own = rng.integers(0, 256, (len(labels), rows // 4, columns // 4, channels)).repeat(4, axis=1).repeat(4, axis=2)
        fine = rng.integers(0, 256, own.shape)
        return ((coarse + 3 * own + 2 * fine) // 6).astype(np.uint8)

    sizes = {"small": (1125, 30, (32, 32, 3)), "large": (60, 20, (64, 64, 3)), "odd": (60, 30, (20, 28, 1))}
    for name, (count, aside, shape) in sizes.items():
        train, test = np.arange(count) % 10, np.arange(aside) % 10
        seen, unseen = pictures(train, *shape), pictures(test, *shape)
        np.savez(folder / f"{name}.npz", images=seen, labels=train, test_images=unseen, test_labels=test)
    np.savez(folder / "unlabelled.npz", images=pictures(np.arange(60) % 10, 32, 32, 3))


# ------------------------------------------------------------------------------------------- what runs inside a commit


def work(target: Path, orders: Path, folder: Path) -> None:
    """Run all cases by the package in ``target``; write one line of JSON for each.

    Args:
        target: where a commit is installed.
        orders: a JSON file: for every case whether it is audited, and its commands, as ``[args, stop]``.
        folder: case number i gets the folder ``i`` in it.
    """
    lines = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else writes to this process's output cannot spoil the lines
    sys.path.insert(0, str(target))
    sys.modules["matplotlib"] = None  # type: ignore[assignment]  # a page without curves is written much sooner
    command_line = importlib.import_module("neurosim.cli.main")
    if target not in Path(str(command_line.__file__)).parents:
        raise SystemExit(f"error: {command_line.__file__} was imported; expected the package in {target}")
    skip = audits_once()
    for number, (audited, commands) in enumerate(json.loads(orders.read_text(encoding="utf-8"))):
        began, said, own = time.perf_counter(), io.StringIO(), folder / str(number)
        own.mkdir()
        skip(not audited)
        codes = []
        for args, stop in commands:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), stopping(stop):
                codes.append(called(command_line.main, [arg.replace("{run}", str(own / "run")) for arg in args]))
        (own / "said.txt").write_text(said.getvalue(), encoding="utf-8")
        print(json.dumps([number, codes, time.perf_counter() - began]), file=lines, flush=True)


def audits_once() -> Callable[[bool], None]:
    """Let the audit before training, which takes longer than a small case, give its last report again.

    Gives a function that switches this on and off. The report is only written beside the run. Where a commit has its
    audit elsewhere than `AUDITS` says, every case is audited.
    """
    skipping, last = False, None

    def switch(on: bool) -> None:
        nonlocal skipping
        skipping = on

    def wrapped(audit: Callable[..., object]) -> Callable[..., object]:
        def give(*args: object, **options: object) -> object:
            nonlocal last
            if last is None or not skipping:
                last = audit(*args, **options)
            return last

        return give

    for place, name in AUDITS:
        with contextlib.suppress(ImportError, AttributeError):
            owner = importlib.import_module(place)
            setattr(owner, name, wrapped(getattr(owner, name)))
    return switch


def called(main: Callable[[list[str]], object], args: list[str]) -> str:
    """The exit code of a command, or the exception that it failed with."""
    try:
        main(args)
    except SystemExit as left:
        return str(left.code or 0)
    except Exception as problem:
        traceback.print_exc()
        return f"{type(problem).__name__}: {problem}"
    return "0"


@contextlib.contextmanager
def stopping(wanted: bool) -> Iterator[None]:
    """Press Ctrl-C once, when the first checkpoint gets its name: after the same batch in every run."""
    replace = os.replace
    done = not wanted

    def replaced(source: str | Path, to: str | Path) -> None:
        nonlocal done
        replace(source, to)
        if not done and Path(to).name == "checkpoint.npz":
            done = True
            os.kill(os.getpid(), signal.SIGINT)

    os.replace = replaced  # type: ignore[assignment]
    try:
        yield
    finally:
        os.replace = replace


# ------------------------------------------------------------------------------------------------------ the comparison


@dataclass
class Finding:
    """What a comparison of one case found.

    Args:
        differences: a line each; none where all bits are the same.
        arrays, numbers: how many arrays were compared, and the numbers in them and beside them.
        refused: both refused it.
        broken: an array holds numbers that are not finite.
    """

    differences: list[str] = field(default_factory=list)
    arrays: int = 0
    numbers: int = 0
    refused: bool = False
    broken: bool = False


def compared(codes: list[list[str]], folders: list[Path]) -> Finding:
    """Compare what BASE and HEAD kept of one case.

    Args:
        codes: of BASE's and of HEAD's commands.
        folders: of the case, BASE's and HEAD's.
    """
    found = Finding(refused=codes[0][-1] == codes[1][-1] == "2")
    failed = sorted({code for code in codes[0] + codes[1] if code not in ("0", "2", "130")})
    found.differences += [f"a command failed with {code}" for code in failed]
    if codes[0] != codes[1]:
        found.differences.append(f"exit codes {', '.join(codes[0])} and {', '.join(codes[1])}")
        found.differences += [
            f"{name} ended with {last_line(folder)}" for name, folder in zip(NAMES, folders, strict=True)
        ]
    runs = [folder / "run" for folder in folders]
    files = [{path.name for path in run.glob("*")} & {"checkpoint.npz", "metrics.csv", "results.json"} for run in runs]
    if files[0] != files[1]:
        found.differences.append(f"files {sorted(files[0])} and {sorted(files[1])}")
    if not found.differences and not files[0] and not found.refused:
        found.differences.append("nothing was kept, and nothing refused")
    if found.differences or not files[0]:
        return found
    (base, books), (head, others) = map(checkpoint, runs)
    base = {renamed(name, RENAMED_ARRAYS): array for name, array in base.items()}
    found.broken = any(not np.isfinite(array).all() for array in base.values())
    # Commits may keep their books otherwise; what both note must be the same.
    both = books.keys() & others.keys()
    base |= {renamed(name, RENAMED_NUMBERS): array for name, array in numbers(runs[0]).items()}
    base |= {name: books[name] for name in both}
    head |= numbers(runs[1]) | {name: others[name] for name in both}
    found.differences += [f"{name}: BASE has it, HEAD has not" for name in base if name not in head]
    found.differences += [f"{name}: HEAD has it, BASE has not" for name in head if name not in base]
    for name in base:
        if name in head:
            found.arrays, found.numbers = found.arrays + 1, found.numbers + base[name].size
            if text := differing(base[name], head[name]):
                found.differences.append(f"{name}: {text}")
    return found


def last_line(folder: Path) -> str:
    """The last line that the commands of a case printed."""
    return (folder / "said.txt").read_text(encoding="utf-8").strip().rpartition("\n")[2]


def renamed(name: str, table: dict[str, str]) -> str:
    """What HEAD calls it."""
    for pattern, new in table.items():
        if re.fullmatch(pattern, name):
            return re.sub(pattern, new, name)
    return name


def checkpoint(run: Path) -> tuple[dict[str, Array], dict[str, Array]]:
    """The arrays of a run's checkpoint, and the numbers of the JSON beside them, if there is a checkpoint."""
    arrays: dict[str, Array] = {}
    books: dict[str, Array] = {}
    if (run / "checkpoint.npz").is_file():
        with np.load(run / "checkpoint.npz", allow_pickle=False) as file:
            for name in file.files:
                text = decoded(file[name])
                if text is None:
                    arrays[name] = file[name]
                elif isinstance(text, dict):
                    books |= leaves("books", text.get("state", {}))
    return arrays, books


def decoded(array: Array) -> object:
    """The JSON that an array of bytes holds; None of any other array."""
    try:
        return json.loads(array.tobytes()) if array.dtype == np.uint8 and array.ndim == 1 else None
    except ValueError:
        return None


def numbers(run: Path) -> dict[str, Array]:
    """The numbers of metrics.csv and results.json, without those that measure time."""
    found: dict[str, Array] = {}
    if (run / "metrics.csv").is_file():
        with (run / "metrics.csv").open(newline="", encoding="utf-8") as file:
            found |= leaves("metrics.csv", list(csv.DictReader(file)))
    if (run / "results.json").is_file():
        found |= leaves("results.json", json.loads((run / "results.json").read_text(encoding="utf-8")))
    return found


def leaves(name: str, record: object) -> dict[str, Array]:
    """The numbers of a record by their paths in it; words are left out, but words that read as numbers."""
    if TIMING.search(name):
        return {}
    if isinstance(record, dict | list):
        inner = record.items() if isinstance(record, dict) else enumerate(record)
        return {key: value for part, held in inner for key, value in leaves(f"{name}/{part}", held).items()}
    try:
        return {name: np.array(float(record))} if isinstance(record, int | float | str) else {}
    except ValueError:
        return {}


def differing(base: Array, head: Array) -> str | None:
    """How two arrays differ, in words; None where every bit is the same."""
    if (base.dtype, base.shape) != (head.dtype, head.shape):
        return f"{base.dtype} {base.shape} and {head.dtype} {head.shape}"
    if base.tobytes() == head.tobytes():
        return None
    size = base.dtype.itemsize
    first, second = (np.frombuffer(array.tobytes(), np.uint8).reshape(-1, size) for array in (base, head))
    places = np.flatnonzero((first != second).any(axis=1))
    one, other = base.ravel()[places], head.ravel()[places]
    apart = np.abs(one.astype(float) - other.astype(float)).max()
    return f"{len(places)} of {base.size} differ, first {one[0]!r} and {other[0]!r}, at most by {apart:.3g}"


# ------------------------------------------------------------------------------------------------------------- the run


def git(*args: str) -> bytes:
    """What a git command says.

    Raises:
        SystemExit: it failed.
    """
    done = subprocess.run(["git", "-C", str(ROOT), *args], capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"error: git {' '.join(args)}: {done.stderr.decode().strip()}")
    return done.stdout


def install(revision: str, place: Path) -> Path:
    """Install a revision, or the working tree; gives the folder to import from."""
    source, target = place / "source", place / "installed"
    if revision == ".":
        for name in git("ls-files", "-z", "--cached", "--others", "--exclude-standard").decode().split("\0"):
            if name and (ROOT / name).is_file():
                (source / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, source / name)
    else:
        with zipfile.ZipFile(io.BytesIO(git("archive", "--format=zip", revision))) as archive:
            archive.extractall(source)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    pip += ["--no-build-isolation"] * builds_wheels()
    done = subprocess.run([*pip, "--target", target, source], capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise SystemExit(f"error: {revision} cannot be installed:\n{done.stderr}")
    return target


def builds_wheels() -> bool:
    """Whether this interpreter's own setuptools can build the package, so that nothing needs to be fetched."""
    try:
        major, minor = map(int, metadata.version("setuptools").split(".")[:2])
        return (major, minor) >= (70, 1) or (major >= 68 and bool(metadata.version("wheel")))
    except metadata.PackageNotFoundError:
        return False


class Side:
    """One of the two commits at work: its process, and what it reported.

    Args:
        name: BASE or HEAD.
        target: where the commit is installed.
        place: a folder for it alone.
        orders: every case, as `work` reads it.
        reports: gets this side and True after every case, and False at the end.

    Attributes:
        done: of every finished case, the exit codes of its commands, and seconds.
    """

    def __init__(self, name: str, target: Path, place: Path, orders: list[Order], reports: Reports) -> None:
        (place / "cases").mkdir()
        (place / "orders.json").write_text(json.dumps(orders), encoding="utf-8")
        parts = [target, place / "orders.json", place / "cases"]
        call = [sys.executable, "-I", __file__, "--worker", *map(str, parts)]
        environment = os.environ | {"XDG_CACHE_HOME": str(place / "cache")}
        # A group of its own: Ctrl-C in the terminal is for this process, which ends the other.
        with (place / "errors.txt").open("w", encoding="utf-8") as errors:
            self.process = subprocess.Popen(
                call,
                cwd=place,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                encoding="utf-8",
                start_new_session=True,
            )
        self.name, self.place = name, place
        self.done: dict[int, tuple[list[str], float]] = {}
        self.listener = threading.Thread(target=self.listen, args=(reports,), daemon=True)
        self.listener.start()

    def listen(self, reports: Reports) -> None:
        """Note every report, and pass on that there is one, and at the end that there are no more."""
        with self.process.stdout or io.StringIO() as lines:
            for line in lines:
                number, codes, seconds = json.loads(line)
                self.done[number] = codes, seconds
                reports.put((self, True))
        reports.put((self, False))

    def end(self) -> None:
        """End the process, whether it is done or not."""
        self.process.kill()
        self.process.wait()
        self.listener.join()


def run(sides: list[Side], todo: list[Case], reports: Reports, keep: Path | None) -> list[Finding]:
    """Compare the cases as both sides finish them, and print a line for each; gives the findings.

    Raises:
        SystemExit: a side ended before its work.
    """
    findings: list[Finding] = []
    ended: list[Side] = []
    for number, case in enumerate(todo):
        while missing := [side for side in sides if number not in side.done]:
            if lost := [side for side in missing if side in ended]:
                error = (lost[0].place / "errors.txt").read_text(encoding="utf-8")[-2000:]
                raise SystemExit(f"error: {lost[0].name} ended in or before the case {case.name!r}:\n{error}")
            side, more = reports.get()
            ended += [side] * (not more)
        folders = [side.place / "cases" / str(number) for side in sides]
        found = compared([side.done[number][0] for side in sides], folders)
        findings.append(found)
        word = "DIFFERS" if found.differences else "refused" if found.refused else "same"
        times = "  ".join(f"{side.done[number][1]:5.1f} s" for side in sides)
        note = "  (not finite)" if found.broken else ""
        print(f"[{number + 1:3}/{len(todo)}] {word:7} {found.arrays:4} arrays {times}  {case.name}{note}", flush=True)
        for line in found.differences[:SHOWN]:
            print(f"      {line}")
        if len(found.differences) > SHOWN:
            print(f"      and {len(found.differences) - SHOWN} more")
        if found.differences:
            print("      " + "\n      ".join(command.text for command in case.commands), flush=True)
        for side, folder in zip(sides, folders, strict=True):
            if found.differences and keep is not None:
                shutil.copytree(folder, keep / side.name / str(number + 1))
            shutil.rmtree(folder)
    return findings


def order(case: Case, data: Path, renames: dict[str, str], audit: bool) -> Order:
    """A case as `work` reads it, with the folder of images and a commit's own names of options."""
    commands = []
    for command in case.commands:
        args = [renames.get(arg, arg).replace("{data}", str(data)) for arg in shlex.split(command.text)]
        commands.append((args, command.stop))
    return case.audited or audit, commands


def compare(base: str, head: str, todo: list[Case], keep: Path | None, audit: bool) -> bool:
    """Run the cases by two revisions; gives whether every bit is the same."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="same-bits-") as text:
        place, sides = Path(text), []
        reports: Reports = queue.Queue()
        (place / "data").mkdir()
        write_images(place / "data")
        try:
            for name, revision, renames in zip(NAMES, (base, head), ({}, RENAMED_OPTIONS), strict=True):
                (place / name).mkdir()
                target = install(revision, place / name)
                orders = [order(case, place / "data", renames, audit) for case in todo]
                sides.append(Side(name, target, place / name, orders, reports))
            findings = run(sides, todo, reports, keep)
        finally:
            for side in sides:
                side.end()
    differ = sum(bool(found.differences) for found in findings)
    refused, broken = (sum(getattr(found, name) for found in findings) for name in ("refused", "broken"))
    arrays, size = (sum(getattr(found, name) for found in findings) for name in ("arrays", "numbers"))
    one, other = (
        "the working tree" if name == "." else git("rev-parse", "--short", name).decode().strip()
        for name in (base, head)
    )
    verdict = f"{differ} cases DIFFER" if differ else "same bits"
    seconds = time.perf_counter() - began
    print(
        f"{verdict}: {one} and {other}, {len(findings)} cases ({refused} refused by both, {broken} with numbers not "
        f"finite), {arrays} arrays, {size / 1e6:.1f} million numbers, {seconds:.0f} s"
    )
    return not differ


def main() -> None:
    """Read the command line; exit code 1 where anything differs."""
    if sys.argv[1:2] == ["--worker"]:
        work(*map(Path, sys.argv[2:]))
        return
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))  # end both processes, and clear up
    summary, _, rest = (__doc__ or "").partition("\n")
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=summary, epilog=rest, formatter_class=form)
    parser.add_argument("base", nargs="?", metavar="BASE", help="a revision")
    parser.add_argument("head", nargs="?", metavar="HEAD", help="a revision, or . for the working tree")
    parser.add_argument("--only", default="", metavar="REGEX", help="only the cases whose names match somewhere")
    parser.add_argument("--full", action="store_true", help="every rule, loss, plasticity and precision together, too")
    parser.add_argument("--audit", action="store_true", help="audit before every training, as the command line does")
    parser.add_argument("--list", action="store_true", help="print the names of the cases and leave")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep runs that differ in this new folder")
    asked = parser.parse_args()
    todo = [case for case in cases(asked.full) if re.search(asked.only, case.name)]
    if asked.list:
        print("\n".join(case.name for case in todo))
        return
    if not (asked.base and asked.head) or not todo:
        parser.error("no case matches" if asked.base and asked.head else "expected BASE and HEAD")
    if asked.keep is not None and asked.keep.exists():
        parser.error(f"{asked.keep} exists; expected a new folder")
    sys.exit(0 if compare(asked.base, asked.head, todo, asked.keep, asked.audit) else 1)


if __name__ == "__main__":
    main()
