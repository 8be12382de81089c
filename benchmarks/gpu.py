"""What a GPU does, in one run: agreement with the CPU, images/s beside PyTorch, share of the roofline, a cell of table 1.

    python -m neurosim.bench.gpu --out gpu.json

needs a GPU and CuPy (``pip install 'neurosim[gpu]'``), for the comparison PyTorch built for CUDA, and writes everything as JSON.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from neurosim.bench.sides import PEERS, RULES, Compiled, Ours, Theirs, compiles, gain_for, images_for, validate

from neurosim.core.backend import Backend
from neurosim.core.plan import Plan
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import DeviceError, NeurosimError
from neurosim.kernels.devices import backend
from neurosim.kernels.gpu import Gpu
from neurosim.training.assembly import build
from neurosim.training.config import Config
from neurosim.training.model import Model
from neurosim.training.stream import ViewStream, load_data
from neurosim.training.trainer import Trainer

# Every rule and every error, as `agreement` runs them; small networks, so that the CPU is not waited for.
SMALL, PATCHES = (
    "5 hardtanh, 6 pool, 17 tanh pool",
    {"network": "5 hardtanh, 6 hardtanh", "patch": 4, "crop": 12, "grey": False},
)
CASES = {
    "bp": {"rule": "bp"},
    "bp, all negatives": {"rule": "bp", "lags": "all", "block": False},
    "rf": {"rule": "rf"},
    "urf": {"rule": "urf", "plasticity": "adam"},
    "sign": {"rule": "sign", "plasticity": "momentum"},
    "ll": {"rule": "ll"},
    "ll greedy": {"order": "greedy", "feedback": "rf"},
    "ll random": {"order": "random", "feedback": "sign"},
    "ll in tiles": {"network": "17 hardtanh, 18 pool"},
    "untied": {"network": "5 hardtanh local, 6 local pool"},
    "averaged": {"network": "5 hardtanh, 6 pool, head average bias tanh"},
    "dtp": {
        "rule": "dtp",
        "network": "5 bias tanh pool, 6 bias tanh pool, head bias tanh",
        "plasticity": "adam",
        "block": False,
    },
    "dtp, transported": {"rule": "dtp", "top": "transport", "network": "5 tanh, 6 tanh pool", "loss": "hinge-mean"},
    "simclr": {"loss": "simclr", "block": False},
    "barlow": {"loss": "barlow"},
    "positive": {"loss": "positive", "plasticity": "sgd"},
    "clapp": {"loss": "clapp", **PATCHES},
    "gaze": {"loss": "gaze", **PATCHES},
}
TOLERANCES = {"float64": 1e-10, "float32": 1e-4}  # relative to the whole array
OPTIONS = {"lags": None, "feedback": "urf", "plasticity": "adam"}  # of the timed steps: all negatives, no block
IMAGES = 50_000  # of a cell of table 1: CIFAR-10's training images


def configured(name: str, precision: str) -> Config:
    """One of `CASES` as a configuration."""
    options = {"network": SMALL, "batch": 5, "rate": 0.05, **CASES[name]}
    if "loss" not in options and options.get("rule") != "dtp":
        options = {"lags": 3, "threshold": 0.6, "delta": 0.2} | options
    config = Config.resolve(**options, precision=precision)
    if precision == "float32" and config.plasticity.name in ("signum", "adam"):
        # A sign tells two roundings of 0 apart, and so does what divides by a size.
        options |= {"plasticity": "sgd", "rate": 1e-3}
    return Config.resolve(**options, precision=precision)


def steps(config: Config, kernels, count: int = 3, again: bool = False) -> dict[str, np.ndarray]:
    """Some steps on random pictures: every array of the plans that a later step, or a reader, could see, by name.

    Args:
        config, kernels: of the steps. count: how many.
        again: each phase's program is bound once and run again, as training does; else it is bound anew.
    """
    assembly = build(config, (12, 12, 3) if config.views.patch else (8, 8, 3))
    rule, stimulus = assembly.rule, assembly.stimulus
    rng, found, programs = np.random.default_rng(4), {}, {}
    with ThreadTeam(1) as team:
        for batch in range(count):
            stimulus.load(rng.integers(0, 256, stimulus.images.shape, np.uint8))
            stimulus.draw(rng)
            rule.draw(0, batch)
            phase = rule.phases[batch % len(rule.phases)]
            if phase not in programs or not again:
                programs[phase] = Program(assembly.plan(phase), kernels)
            programs[phase].run(team)
            found |= {b.name: b.host().copy() for b in programs[phase].plan.buffers if not b.local}
    return found


def apart(found: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> float:
    """The largest difference of two arrays of a name, relative to the whole array."""
    return max(
        float(np.linalg.norm(found[n] - a.astype(float)) / max(np.linalg.norm(a.astype(float)), 1e-2))
        for n, a in wanted.items()
    )


def agreement(kernels) -> dict:
    """Rule -> precision -> difference of the GPU from the CPU after three steps.

    Raises:
        DeviceError: one above its tolerance.
    """
    told = {}
    for name in CASES:
        for precision, tolerance in TOLERANCES.items():
            config = configured(name, precision)
            difference = apart(steps(config, kernels), steps(config, backend("cpu")))
            told.setdefault(name, {})[precision] = difference
            if not difference <= tolerance:
                raise DeviceError(
                    f"{name} in {precision} differs from the CPU by {difference:.1e}",
                    f"at most {tolerance}",
                    "run tests/test_gpu.py to see which kernel",
                )
    return told


def timed(step, wait, times: int) -> float:
    """Seconds of one of so many steps in a row, waited for at the end only."""
    wait()
    start = time.perf_counter()
    for _ in range(times):
        step()
    wait()
    return (time.perf_counter() - start) / times


class Plain(Gpu):
    """The same kernels without CUDA graphs: every launch and every product anew."""

    def repeat(self, who, work):
        work()


def peers(rule: str, images, rounded: bool) -> dict:
    """PyTorch's sides on the GPU, products ``rounded`` to TF32 or not; none where PyTorch, or its CUDA, is missing."""
    try:
        import torch
    except ImportError:
        return {}
    if not torch.cuda.is_available():
        return {}
    torch.set_default_device("cuda")
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = rounded
    kinds = {"eager, published": (Theirs, False), "eager, tuned": (Theirs, True), "compiled": (Compiled, True)}
    sides = {name: kind(rule, images, 1, tuned=tuned, **OPTIONS) for name, (kind, tuned) in kinds.items()}
    if not compiles(rule, sides["compiled"]):
        del sides["compiled"]
    return sides


def speed(rule: str, pairs: int, repeats: int, times: int) -> dict:
    """Images/s of one rule on every side, in turns; medians, and neurosim's ratio to each peer (above 1: faster)."""
    images = images_for(pairs)
    kernels = {precision: backend("gpu", precision) for precision in ("float32", "tf32")}
    kernels["tf32 without graphs"] = Backend("gpu", Plain(kernels["tf32"].device))
    with ThreadTeam(1) as team:
        ours = {
            f"neurosim, {p}": Ours(rule, images, team, deformed=False, kernels=k, **OPTIONS) for p, k in kernels.items()
        }
        theirs, record = {}, {}
        if rule in PEERS:
            few = images_for(8)
            exact = peers(
                rule, few, rounded=False
            )  # before the others: what is compiled keeps how products are rounded
            if exact:
                small = Ours(rule, few, team, deformed=False, kernels=kernels["float32"], **OPTIONS)
                record["largest difference from PyTorch"] = validate(small, exact, rule, gain_for(rule), 1e-3)
            theirs = peers(rule, images, rounded=True)
        sides, wait = {**ours, **theirs}, kernels["float32"].device.wait
        if theirs:
            import torch

            wait = torch.cuda.synchronize
        seconds = {name: [] for name in sides}
        for turn in range(repeats + 1):
            for name, side in sides.items():
                each = [timed(lambda side=side, n=n: side.step(n), wait, times if turn else 1) for n in side.phases]
                seconds[name] += [statistics.mean(each)] * bool(turn)
    record["images/s"] = {name: pairs / statistics.median(s) for name, s in seconds.items()}
    record["ratios"] = {
        f"{mine} to {other}": [f(b / a for a, b in zip(seconds[mine], seconds[other], strict=True)) for f in (min, max)]
        for mine in ours
        for other in theirs
    }
    return record


def rates(kernels) -> dict[str, float]:
    """Bytes/s of a copy within the GPU (read and written) and flop/s of a square product."""
    device, gpu = kernels.device, kernels.gpu
    a, b = (device.zeros((1 << 27,), np.float32) for _ in range(2))
    copied = timed(lambda: b.__setitem__(slice(None), a), device.wait, 20)
    x, y, z = (device.zeros((8192, 8192), np.float32) for _ in range(3))
    product = timed(lambda: gpu.matmul(x, y, z), device.wait, 10)
    return {"bytes/s": 2 * a.nbytes / copied, "flop/s": 2 * 8192**3 / product}


def roofline(rule: str, pairs: int, kernels, known: dict) -> list[dict]:
    """Every step of every phase, images deformed: microseconds, its floor by bytes and by flops, the share of it reached."""
    rows, device = [], kernels.device
    with ThreadTeam(1) as team:
        side = Ours(rule, images_for(pairs), team, deformed=True, kernels=kernels, **OPTIONS)
        for phase in side.phases:
            side.step(phase)
            for step in side.plan(phase):
                program = Program(Plan.alone("one step", [step]), kernels)
                program.run(team)
                spent = timed(lambda program=program: program.run(team), device.wait, 20)
                floor = max(step.nbytes / known["bytes/s"], step.flops / known["flop/s"])
                rows.append({"phase": phase, "step": step.label, "microseconds": 1e6 * spent, "share": floor / spent})
    return rows


def cell(rule: str, epochs: int, batch: int) -> dict:
    """Seconds of some epochs of table 1, data and progress included, and what 400 of them a layer, or in all, would take."""
    order = {"order": "greedy"} if rule == "ll" else {}
    with tempfile.TemporaryDirectory() as folder, ThreadTeam() as team:
        np.savez(
            f"{folder}/random.npz", images=np.random.default_rng(0).integers(0, 256, (IMAGES, 32, 32, 3), np.uint8)
        )
        config = Config.resolve(
            rule=rule,
            data=f"{folder}/random.npz",
            network="conv5",
            batch=batch,
            epochs=epochs,
            device="gpu",
            precision="tf32",
            **order,
        )
        data = load_data(config)
        model = Model(config, data.image_shape)
        seconds = Trainer(model, ViewStream(model, data)).train(team).seconds
    return {"epochs": epochs, "seconds": seconds, "seconds of 400": seconds * 400 / epochs}


def main(arguments=None) -> None:
    """Measure everything and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=5, help="turns")
    parser.add_argument("--times", type=int, default=10, help="steps in a row, a turn")
    parser.add_argument("--epochs", type=int, default=2, help="of a cell; 0 leaves it out")
    asked = parser.parse_args(arguments)
    kernels = backend("gpu")
    record = {
        "date": f"{datetime.datetime.now():%Y-%m-%d %H:%M}",
        "gpu": kernels.device.name,
        "numpy": np.__version__,
        "python": platform.python_version(),
        **kernels.device.versions(),
        "pairs": asked.pairs,
    }

    def keep(name, make):
        record[name] = make()
        print(name, json.dumps(record[name], indent=1), flush=True)
        asked.out.write_text(
            json.dumps(record, indent=1) + "\n", encoding="utf-8"
        )  # what was measured stays, whatever comes after

    keep("agreement", lambda: agreement(kernels))
    keep("rates", lambda: {p: rates(backend("gpu", p)) for p in ("float32", "tf32")})
    for rule in RULES:
        keep(f"speed {rule}", lambda rule=rule: speed(rule, asked.pairs, asked.repeats, asked.times))
    for rule in ("bp", "ll-simultaneous"):
        keep(f"roofline {rule}", lambda rule=rule: roofline(rule, asked.pairs, kernels, record["rates"]["float32"]))
    for rule in ("ll", "bp") if asked.epochs else ():
        keep(f"cell {rule}", lambda rule=rule: cell(rule, asked.epochs, asked.pairs))


if __name__ == "__main__":
    try:
        main()
    except NeurosimError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
