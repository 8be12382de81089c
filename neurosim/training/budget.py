"""A budget of minutes: how many passes, or batches of one, it buys is fixed once, before training, from a measured speed.

What is fixed stands in the configuration as ``epochs`` and ``batches``, so that a run that is resumed, on whatever machine, goes
on as it began.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from neurosim.engine.threads import ThreadTeam
from neurosim.training.model import Model
from neurosim.training.stream import ViewStream

if TYPE_CHECKING:
    from neurosim.data.dataset import Dataset
    from neurosim.training.assembly import Given
    from neurosim.training.config import Config

BATCHES = 3  # timed of each phase, after one that is not
SHARE = 0.95  # of the budget that is planned with: checkpoints and metrics take the rest


def within(config: Config, data: Dataset, given: Given) -> Config:
    """A configuration that takes as long as it allows; as it is where it has no budget, or learns nothing.

    Args:
        config: of a run that has not begun.
        data: as it asks for.
        given: parts that were given from Python.
    """
    minutes = config.training.minutes
    if minutes is None:
        return config
    config = config.replace(batches=None)  # a recipe's own length, which the budget takes the place of
    model = Model(config, data.image_shape, given)
    if not model.rule.phases:
        return config
    fit = SHARE * 60 * minutes / (model.rule.epochs(1) * seconds_a_batch(model, data))
    epochs, batches = bought(int(fit), ViewStream(model, data).batches)
    return config.replace(epochs=epochs, batches=batches)


def bought(fit: int, whole: int) -> tuple[int, int | None]:
    """Epochs, and batches of an epoch (None: all): whole passes, or, where not even one fits, a part of one.

    Args:
        fit: batches that fit, of every layer that is trained by itself.
        whole: batches of an epoch.
    """
    return (fit // whole, None) if fit >= whole else (1, max(1, fit))


def seconds_a_batch(model: Model, data: Dataset) -> float:
    """What a batch takes, of all phases together on average; the model learns from what it is timed on, and is not used again."""
    stream = ViewStream(model, data)
    total = 0.0
    with ThreadTeam(model.config.training.threads) as team:
        model.ready(stream, team)
        for phase in model.rule.phases:
            spent = [timed(model, stream, phase, number, team) for number in range(1 + BATCHES)]
            total += sum(spent[1:])
    return total / (BATCHES * len(model.rule.phases))


def timed(model: Model, stream: ViewStream, phase: str, batch: int, team: ThreadTeam) -> float:
    """Seconds of one batch of a phase, from its views to the figures that training reads; the model learns from it.

    Args:
        model: ready to be trained.
        stream: of its views.
        phase: which.
        batch: of the first epoch.
        team: who computes.
    """
    began = time.perf_counter()
    stream.load(0, batch % stream.batches)
    model.rule.draw(0, batch)
    model.program(phase).run(team)
    for units in model.rule.errors_of(phase):
        units.value.host()  # as training does; it waits for a GPU
    return time.perf_counter() - began
