"""How long a grid will take: from one batch of every plan, and how far it has come, from the plans' arithmetic."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.engine.threads import ThreadTeam
from neurosim.readout.features import GRID
from neurosim.training.assembly import make_method
from neurosim.training.budget import timed
from neurosim.training.model import Model
from neurosim.training.stream import ViewStream
from neurosim.training.trainer import Trainer

if TYPE_CHECKING:
    from neurosim.reproduce.cells import Cell
    from neurosim.reproduce.grid import Grid

VIEWS, SAMPLE = 128, 1000  # images encoded and read out for a measurement
# Bytes of a process without pictures, and how many times its features a read-out takes. Measured with 15,000 pictures of 8192
# features: 1.05 GB by ridge and 0.88 GB by lbfgs, of 1.17 GB that are reckoned with.
PROCESS, FEATURES = 250_000_000, 1.5
REPEATS, SECONDS = 5, 3.0  # batches of a plan for a measurement, and where it stops
# What a fit costs for each labelled image and feature, in operations of a convolution that takes as long; measured.
FIT = {"lbfgs": 2e4, "ridge": 2e4, "adam": 1e5, "knn": 1e3}


def work(grid: Grid, cell: Cell) -> float:
    """Arithmetic operations of one cell, read-out included: its weight in the time that is left, not a measurement.

    Of a cell with a budget of minutes, they are its weight.
    """
    if "minutes" in cell.options:
        return float(str(cell.options["minutes"]))
    model = Model(grid.config(cell, 0), grid.data.image_shape)
    phases = [model.plan(phase).flops for phase in model.rule.phases] or [0]
    train = float(Trainer(model, ViewStream(model, grid.data)).batches * np.mean(phases))
    forward = sum(step.flops for step in model.network.propagate()) / model.network.populations[0].views
    views = model.framing.views(grid.data.image_shape[0])
    top = model.network.populations[-1]
    features = min(top.shape[0], GRID) ** 2 * top.shape[2]
    config = model.config
    labelled = min(config.readout.images, len(grid.labelled.images))
    reading = FIT.get(config.readout.name, FIT["lbfgs"]) * labelled * features
    return float(train + _images(grid, cell) * views * forward + reading)


def memory(grid: Grid) -> int:
    """Bytes that the process of a cell will take at most: itself, pictures, arrays, and what a read-out makes of features."""
    held = {id(each.base if each.base is not None else each): each.nbytes for each in _arrays(grid)}
    needed = 0
    for cell in {(_shape(grid, cell)): cell for cell in grid.cells}.values():
        model = Model(grid.config(cell, 0), grid.data.image_shape)
        top = model.network.populations[-1]
        features = min(top.shape[0], GRID) ** 2 * top.shape[2]
        needed = max(needed, model.memory() + int(FEATURES * 4 * features * _images(grid, cell)))
    return int(PROCESS + sum(held.values()) + needed)


def _arrays(grid: Grid) -> list[Any]:
    """The pictures that every process holds for itself; a map of a file is shared by all."""
    data, given = grid.data, grid.labelled
    every = [data.train_images, data.test_images, given.images, given.test_images]
    return [each for each in every if each is not None and not isinstance(each, np.memmap)]


def _shape(grid: Grid, cell: Cell) -> tuple[Any, ...]:
    """What the size of a cell's arrays depends on, as far as one can say without building them."""
    config = grid.config(cell, 0)
    return config.rule.name, *map(repr, (config.network, config.loss, config.views, config.training.batch))


def _images(grid: Grid, cell: Cell) -> int:
    """Pictures that a cell's read-out encodes."""
    return min(grid.config(cell, 0).readout.images, len(grid.labelled.images)) + len(grid.labelled.test_images)


def measure(
    grid: Grid, cells: list[Cell], threads: int, on_cell: Callable[[Cell], None]
) -> dict[str, tuple[float, float]]:
    """Cell's name -> seconds of training and of read-out expected with one seed.

    One batch of each distinct plan is run, a few times where it is quick; the read-out of each kind of network is
    measured once: `VIEWS` pictures encoded, `SAMPLE` of them read out.

    Args:
        grid: whose cells.
        cells: which.
        threads: how many compute.
        on_cell: called before each cell.
    """
    readings: dict[tuple[Any, ...], tuple[float, float]] = {}
    batches: dict[tuple[Any, ...], float] = {}
    found = {}
    with ThreadTeam(threads) as team:
        for cell in cells:
            on_cell(cell)
            found[cell.name] = _expected(grid, cell, team, batches, readings)
    return found


def _expected(
    grid: Grid,
    cell: Cell,
    team: ThreadTeam,
    batches: dict[tuple[Any, ...], float],
    readings: dict[tuple[Any, ...], tuple[float, float]],
) -> tuple[float, float]:
    """Seconds of training and of read-out of one cell; what is measured is kept for cells alike."""
    config = grid.config(cell, 0)
    model = Model(config, grid.data.image_shape)
    stream = ViewStream(model, grid.data)
    model.ready(stream, team)
    kinds = {phase: _kind(model, phase) for phase in model.rule.phases}
    for phase, plan in kinds.items():
        if plan not in batches:
            batches[plan] = _batch(model, stream, phase, team)
    phases = [batches[plan] for plan in kinds.values()] or [0.0]
    kind = config.network.text, config.views.patch, config.views.grey, config.readout.name
    if kind not in readings:
        readings[kind] = _reading(grid, model, team)
    encode, read = readings[kind]
    labelled = min(config.readout.images, len(grid.labelled.images))
    reading = encode * _images(grid, cell) + read * labelled
    minutes = config.training.minutes
    return (60 * minutes if minutes else Trainer(model, stream).batches * float(np.mean(phases))), reading


def _kind(model: Model, phase: str) -> tuple[Any, ...]:
    """What a plan costs depends on: the kernel of every step, and its arrays' sizes."""
    return tuple((step.kernel, *(b.shape for b in step.buffers.values())) for step in model.plan(phase))


def _batch(model: Model, stream: ViewStream, phase: str, team: ThreadTeam) -> float:
    """Seconds of one batch of a phase: of a few that are quick the quickest, since others may compute here too."""
    found: list[float] = []
    while len(found) < REPEATS and sum(found) < SECONDS:
        found.append(timed(model, stream, phase, 0, team))
    return min(found)


def _reading(grid: Grid, model: Model, team: ThreadTeam) -> tuple[float, float]:
    """Seconds to encode a picture and to read the top layer of one labelled image out."""
    encoder = model.encoder(untrained=True, image=grid.read.image_shape)
    images = grid.labelled.test_images[:VIEWS]
    encoder.features(images, team)
    began = time.perf_counter()
    features = encoder.features(images, team)[-1].shape[1]
    encode = (time.perf_counter() - began) / len(images)
    classes = len(grid.read.classes)
    rng = np.random.default_rng(0)
    labels = np.arange(max(SAMPLE, 2 * classes)) % classes
    began = time.perf_counter()
    make_method(model.config).fit(rng.standard_normal((len(labels), features), np.float32), labels, classes, team)
    return encode, (time.perf_counter() - began) / len(labels)
