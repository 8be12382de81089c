"""Which callbacks stand beside a training, in the order in which they need one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from neurosim.training.callbacks import Bar, Checkpoints, Metrics, Signals
from neurosim.training.record import Record

if TYPE_CHECKING:
    from neurosim.training.divergence import Divergence
    from neurosim.training.folder import Run
    from neurosim.training.trainer import Callback


def in_order(
    mine: Sequence[Callback], diagnosis: Sequence[Callback], watch: Divergence, run: Run | None, checkpoint_every: float
) -> list[Callback]:
    """All callbacks of a training.

    Args:
        mine: of whoever trains. Without a `Bar` among them there is one on a terminal or in a notebook.
        diagnosis: adds to the trainer's rows.
        watch: stops training that has diverged, before anything of it is kept.
        run: the folder that keeps metrics, records and checkpoints; None: nothing is kept.
        checkpoint_every: seconds from one checkpoint to the next.
    """
    bar = [Bar()] if Bar.wanted() and not any(isinstance(callback, Bar) for callback in mine) else []
    kept = [Metrics(run), Record(run)] if run else []
    saved = [Checkpoints(run, checkpoint_every, watch.before_saving)] if run else []
    return [watch, *diagnosis, *kept, *bar, *mine, *saved, Signals()]
