"""Which callbacks stand beside a training, in the order in which they need one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from neurosim.training import tracking
from neurosim.training.callbacks import Bar, Checkpoints, Metrics, Signals
from neurosim.training.lock import Lock
from neurosim.training.probes import Probes, watched
from neurosim.training.record import Record
from neurosim.training.tracking import Tracking

if TYPE_CHECKING:
    from neurosim.training.divergence import Divergence
    from neurosim.training.folder import Run
    from neurosim.training.model import Model
    from neurosim.training.trainer import Callback


def prepare(model: Model) -> None:
    """Refuse now, and not in training, what cannot be recorded or tracked.

    Args:
        model: that will be trained; its programs hold what is recorded from now on.

    Raises:
        WiringError: an array that no plan has.
        RunError: a library that is not installed.
    """
    tracking.check(model.config.training.track)
    model.watched = watched(model)


@contextmanager
def holding(run: Run | None, model: Model, audit: dict[str, Any]) -> Iterator[None]:
    """Hold a run's folder within, and note in it what is trained now and what the audit says of that.

    Args:
        run: new, or loaded and going on with other words; None: nothing is kept.
        model: that is trained.
        audit: of it, as data.

    Raises:
        RunError: another process holds the folder, or it cannot be written.
    """
    if run is None:
        yield
        return
    with Lock(run.folder):
        if run.config != model.config:
            run.config = model.config
            run.save_config(model.rule.wiring(), model.image)
        run.save_audit(audit)
        yield


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
    files = [Metrics(run), Record(run)] if run else []
    saved = [Checkpoints(run, checkpoint_every, watch.before_saving)] if run else []
    return [watch, *diagnosis, *files, Probes(run), Tracking(run), *bar, *mine, *saved, Signals()]
