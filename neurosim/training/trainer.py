"""The training loop: batches and the rate's schedule, and nothing else. What happens beside it is in callbacks."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.errors import RunError

if TYPE_CHECKING:
    from neurosim.engine.threads import ThreadTeam
    from neurosim.training.model import Model
    from neurosim.training.stream import ViewStream

# How far the schedule has come, 0 to 1 -> what the rate is multiplied by.
SHAPES: dict[str, Callable[[float], float]] = {
    "constant": lambda done: 1.0,
    "linear": lambda done: 1.0 - done,
    "cosine": lambda done: 0.5 * (1 + math.cos(math.pi * done)),
}
Row = dict[str, Any]  # a row of metrics.csv: column -> value


@dataclass
class Progress:
    """Where training is.

    Args:
        epoch, batch: counted from 0; batches of this epoch that are done.
        phase: what the last batch trained.
        error: mean loss of a moment in this epoch, of the phase's error units together.
        active: share of comparisons that were active in this epoch.
        done: batches done in all.
        seconds: of training, earlier parts of a run that was resumed included, callbacks left out.
    """

    epoch: int = 0
    batch: int = 0
    phase: str = ""
    error: float = math.nan
    active: float = math.nan
    done: int = 0
    seconds: float = 0.0


class Interrupted(Exception):
    """Training was stopped between two batches, by Ctrl-C, SIGTERM or a callback; what keeps the run has saved it."""


class Callback:
    """What happens beside the loop. Derive from it and override any of its four hooks; each gets the trainer.

    A hook may read everything and may call ``trainer.stop()``. Callbacks are called in the order in which they are given.
    """

    def on_start(self, trainer: Trainer) -> None:
        """Before the first batch of a call to `Trainer.train`."""

    def on_batch(self, trainer: Trainer) -> None:
        """After every batch; after the last one of an epoch it comes after `on_epoch`."""

    def on_epoch(self, trainer: Trainer) -> None:
        """After every epoch: ``trainer.rows[-1]`` is its row of metrics."""

    def on_stop(self, trainer: Trainer) -> None:
        """After the last batch of a call to `Trainer.train`, also where an error ends it: ``trainer.failed`` then."""


class Trainer:
    """Trains a model on a stream.

    Args:
        model: what is trained; made `ready` before its first batch.
        stream: what it learns from.
        callbacks: what happens beside the loop, in order.

    Attributes:
        progress: where training is.
        rows: the epochs' rows of metrics. diagnoses: those of diagnoses, which a callback adds.
        team: who computes, within `train`.
        failed: whether an error ended the last call of `train`.
    """

    def __init__(self, model: Model, stream: ViewStream, callbacks: Iterable[Callback] = ()):
        self.model, self.stream, self.callbacks = model, stream, list(callbacks)
        self.progress = Progress()
        self.rows: list[Row] = []
        self.diagnoses: list[Row] = []
        self.failed = False
        self.team: ThreadTeam | None = None
        self._totals = np.zeros(4)  # loss, active, comparisons, moments of the epoch
        self._figures = np.zeros(len(model.rule.figures()))  # sums over the epoch of the rule's figures
        self._stop = False

    @property
    def epochs(self) -> int:
        """Passes through the pictures in all."""
        return self.model.rule.epochs(self.model.config.training.epochs)

    @property
    def batches(self) -> int:
        """Batches in all."""
        return self.epochs * self.stream.batches

    def stop(self) -> None:
        """Stop after the present batch."""
        self._stop = True

    def train(self, team: ThreadTeam) -> Progress:
        """Train to the end of the last epoch.

        Raises:
            Interrupted: a callback called `stop` before the last batch.
        """
        self.team, self._stop, self.failed = team, False, True
        progress = self.progress
        try:
            self.model.ready(self.stream, team)
            self._call("on_start")
            while progress.epoch < self.epochs and not self._stop:
                began = time.perf_counter()
                self._batch(team)
                progress.seconds += time.perf_counter() - began
                if progress.batch == self.stream.batches:
                    self._end_epoch()
                    self._call("on_epoch")
                self._call("on_batch")
            self.failed = False
        finally:
            self._call("on_stop")
            self.team = None
        if progress.epoch < self.epochs:
            raise Interrupted
        return progress

    def _call(self, hook: str) -> None:
        for callback in self.callbacks:
            getattr(callback, hook)(self)

    def _batch(self, team: ThreadTeam) -> None:
        model, progress, config = self.model, self.progress, self.model.config
        rule = model.rule
        phase = rule.phase(progress.epoch, progress.batch, config.training.epochs)
        done = rule.progress(progress.epoch, progress.batch / self.stream.batches, config.training.epochs)
        for plasticity in rule.plasticities():
            plasticity.rate.put(plasticity.base_rate * SHAPES[config.plasticity.schedule](min(1.0, done)))
        self.stream.load(progress.epoch, progress.batch)
        rule.draw(progress.epoch, progress.batch)
        model.program(phase).run(team)
        errors = rule.errors_of(phase)
        for units in errors:
            self._totals[:3] += units.value.host()
        self._totals[3] += config.training.batch * bool(errors)
        self._figures += [buffer.host()[0] for buffer in rule.figures().values()]
        progress.phase, progress.batch, progress.done = phase, progress.batch + 1, progress.done + 1
        progress.error = self._totals[0] / self._totals[3] if self._totals[3] else math.nan
        progress.active = self._totals[1] / max(1.0, self._totals[2])

    def _end_epoch(self) -> None:
        """The epoch's row; then everything that is summed over an epoch starts from 0."""
        progress, model, batches = self.progress, self.model, self.stream.batches
        seconds = max(progress.seconds - sum(row["seconds"] for row in self.rows), 1e-9)
        means = (self._figures / batches).tolist()
        self.rows.append(
            {
                "epoch": progress.epoch + 1,
                "phase": progress.phase if model.greedy else "all",
                "images": progress.done * model.config.training.batch,
                "error": progress.error,
                "active": progress.active,
                "rate": float(model.network.plasticity.rate.host()[0]),
                "seconds": round(seconds, 3),
                "images_per_second": round(batches * model.config.training.batch / seconds, 1),
                **dict(zip(model.rule.figures(), means, strict=True)),
            }
        )
        progress.epoch, progress.batch = progress.epoch + 1, 0
        self._totals[:] = self._figures[:] = 0

    def state(self) -> dict[str, Any]:
        """The place in the stream and what is summed so far, as plain values; every draw is a function of that place."""
        p = self.progress
        return {
            "epoch": p.epoch,
            "batch": p.batch,
            "done": p.done,
            "seconds": p.seconds,
            "totals": self._totals.tolist(),
            "figures": self._figures.tolist(),
            "rows": self.rows,
            "diagnoses": self.diagnoses,
            "data": self.stream.fingerprint,
        }

    def place(self, state: dict[str, Any]) -> None:
        """Go to a place in the stream, and to what was summed until then, as `state` gave it.

        Raises:
            RunError: the data are not those that it was at this place of.
        """
        self._check_data(state.get("data"))
        self.progress = Progress(
            epoch=state["epoch"], batch=state["batch"], done=state["done"], seconds=state["seconds"]
        )
        self._totals, self._figures = np.array(state["totals"]), np.array(state["figures"])
        self.rows, self.diagnoses = state["rows"], state["diagnoses"]

    def _check_data(self, then: dict[str, Any] | None) -> None:
        """Hold that the images are those of a checkpoint; one without a fingerprint is older, and believed."""
        now, name = self.stream.fingerprint, self.stream.data.name
        if then is None or then == now:
            return
        what = next(word for word in ("images", "shape", "digest") if then[word] != now[word])
        texts = {
            "images": (f"{now['images']} images", f"the {then['images']}"),
            "shape": (f"images of shape {now['shape']}", f"{then['shape']}, those"),
            "digest": ("other images", "those"),
        }
        there, wanted = texts[what]
        raise RunError(
            f"{name} has {there}", f"{wanted} that the run was trained on", "give the same data again, or train anew"
        )

    def restore(self, arrays: dict[str, Any], state: dict[str, Any]) -> None:
        """Go back to a checkpoint: the model's arrays, and what `state` gave.

        Raises:
            RunError: arrays of another network, rule or plasticity.
        """
        self.model.restore(arrays)
        self.place(state)
