"""A budget of minutes: how many passes, or pictures, it buys is fixed once, before training, from a measured speed.

What is fixed stands in the configuration as ``epochs`` and ``images``, so that a run that is resumed, on whatever machine, goes
on as it began.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from neurosim.engine.threads import ThreadTeam
from neurosim.training.model import Model
from neurosim.training.stream import ViewStream, load_data

if TYPE_CHECKING:
    from neurosim.data.dataset import Dataset
    from neurosim.training.assembly import Given
    from neurosim.training.config import Config

BATCHES = 3  # timed of each phase, after one that is not
SHARE = 0.95  # of the budget that is planned with: checkpoints and metrics take the rest


def within(config: Config, data: Dataset, given: Given) -> tuple[Config, Dataset]:
    """A configuration and pictures that take as long as it allows; both as they are where it has no budget.

    Args:
        config: of a run that has not begun.
        data: as it asks for.
        given: parts that were given from Python.
    """
    minutes = config.training.minutes
    if minutes is None:
        return config, data
    model = Model(config, data.image_shape, given)
    count, batch = len(data.train_images), config.training.batch
    if not model.rule.phases:
        return config, data
    passes = SHARE * 60 * minutes / (count // batch * model.rule.epochs(1) * seconds_a_batch(model, data))
    epochs, images = bought(passes, count, batch)
    config = config.replace(epochs=epochs, **({} if images == count else {"images": images}))
    return config, data if images == count else load_data(config, given.get("data"))


def bought(passes: float, count: int, batch: int) -> tuple[int, int]:
    """Epochs and pictures: whole passes, or, where not even one fits, one through some of them, a batch at least.

    Args:
        passes: through all pictures, that fit.
        count: how many there are.
        batch: whole batches are taken of some of them.
    """
    if passes >= 1:
        return int(passes), count
    return 1, max(1, int(passes * count) // batch) * batch


def seconds_a_batch(model: Model, data: Dataset) -> float:
    """What a batch takes, of all phases together on average; the model learns from what it is timed on, and is not used again."""
    stream = ViewStream(model, data)
    total = 0.0
    with ThreadTeam(model.config.training.threads) as team:
        model.ready(stream, team)
        for phase in model.rule.phases:
            for number in range(1 + BATCHES):
                began = time.perf_counter()
                stream.load(0, number % stream.batches)
                model.rule.draw(0, number)
                model.program(phase).run(team)
                total += (time.perf_counter() - began) * (number > 0)
    return total / (BATCHES * len(model.rule.phases))
