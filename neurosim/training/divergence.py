"""Divergence: after every batch, whether the numbers that a batch changed can still be used; if not, training stops.

Watched are the weights and memories that the phase changes (of an array of more than a quarter of a million values an eighth a
batch, in turn), and its error. A value that is not finite in any of them, weights
far beyond the scale at which they were drawn, or an error that compares nothing, is divergence. Before a checkpoint is written, and
at the end, the layers that learn are shown some pictures besides: a layer of which every unit is silent, or saturated, for
all of them learns nothing more and tells no picture from another. A hinge hides all this, because ``nan > 0`` is false: its error
is 0, and nothing else complains.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.core.roles import Role
from neurosim.errors import DivergenceError, RunError
from neurosim.training.trainer import Callback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neurosim.core.buffer import Buffer
    from neurosim.core.step import Step
    from neurosim.training.trainer import Trainer

CHOICES = ("stop", "warn")
FAR = 1e4  # root mean square of weights, in bounds of their initial values, beyond which they are of no use
LARGE, PARTS = (
    2**18,
    8,
)  # values of an array of which so many parts are looked at in turn: all of it took 2 % of a batch
EVERY_ON_GPU = 50  # batches from one look to the next where looking waits for a GPU
SHOWN = 32  # pictures that layers are shown
SILENT = 1e-6  # of an activity; what rounding leaves of none
SHUT = 0.999  # of an activity whose largest value is 1: saturated


class Divergence(Callback):
    """Looks after every batch (on a GPU: every 50) at what the batch changed, and stops training that has diverged.

    Args:
        what: ``stop``: raise; ``warn``: say it once on stderr and go on.

    Raises:
        RunError: another word.
        DivergenceError: from its hooks, naming array, step and the likely cause; no checkpoint is written after that.
    """

    def __init__(self, what: str = "stop"):
        if what not in CHOICES:
            raise RunError(
                f"on_divergence={what!r}", f"one of {', '.join(CHOICES)}", "write on_divergence='stop'", "on_divergence"
            )
        self._warn, self._said = what == "warn", False
        self._changed: dict[str, list[tuple[Step, Buffer]]] = {}

    def on_start(self, trainer: Trainer) -> None:
        self._changed = {}

    def on_batch(self, trainer: Trainer) -> None:
        if trainer.model.device is None or trainer.progress.done % EVERY_ON_GPU == 0:
            self._report(trainer, self._numbers(trainer, trainer.progress.done % PARTS) or _error(trainer))

    def on_epoch(self, trainer: Trainer) -> None:
        row = trainer.rows[-1]
        if row["error"] == 0 and row["active"] == 0:  # at its end, or blind
            self._report(trainer, self._layers(trainer))

    def before_saving(self, trainer: Trainer) -> None:
        """What is looked at before a checkpoint replaces the last good one."""
        self._report(trainer, self._numbers(trainer) or self._layers(trainer))

    def _report(self, trainer: Trainer, found: str) -> None:
        if not found or self._said:
            return
        progress, config = trainer.progress, trainer.model.config
        done = f"{progress.done} batches ({progress.phase})"
        how = config.plasticity
        error = DivergenceError(
            f"training diverged after {done}: {found}",
            "numbers that can be learned from",
            f"the rate {how.rate:g} of {how.name} is likely too high: try rate={how.rate / 10:g}, or on_divergence='warn' to go on",
        )
        if not self._warn:
            raise error
        self._said = True
        print(f"warning: {error}", file=sys.stderr, flush=True)

    def _numbers(self, trainer: Trainer, part: int | None = None) -> str:
        """The first array that the last phase changes whose numbers are of no use, in words; of large ones a part, or all."""
        phase = trainer.progress.phase
        if not phase:
            return ""
        if phase not in self._changed:
            self._changed[phase] = list(_lasting(trainer.model.plan(phase).steps))
        bounds = {synapse.name: synapse.bound for synapse in trainer.model.rule.synapses()}
        for step, buffer in self._changed[phase]:
            values = buffer.array.reshape(-1)
            if part is not None and len(values) > LARGE:
                values = values[len(values) * part // PARTS : len(values) * (part + 1) // PARTS]
            square = _square(values)
            if not math.isfinite(square):
                return _not_finite(step, buffer)
            size = math.sqrt(square / max(1, len(values)))
            if size > FAR * bounds.get(buffer.name, math.inf):
                return f"{buffer.name} of {step.label!r} is {size / bounds[buffer.name]:.1g} times as large as it was drawn"
        return ""

    def _layers(self, trainer: Trainer) -> str:
        """The first layer that learns and is silent, or saturated, for every picture; in words."""
        if not trainer.progress.phase:  # nothing was trained: no rule, or a run that is at its end already
            return ""
        model, images = trainer.model, trainer.stream.data.train_images[:SHOWN]
        learned = {id(buffer) for _, buffer in _lasting(model.plan(trainer.progress.phase).steps)}
        numbers = [p.post.number for p in model.network.projections if id(p.synapse.weight) in learned]
        if not numbers or trainer.team is None:
            return ""
        for number, x in zip(numbers, model.encoder().features(images, trainer.team, numbers), strict=True):
            bounded = "tanh" in model.network.populations[number].nonlinearity
            if not np.isfinite(x).all():
                return f"the activity of layer {number} is not finite"
            if np.abs(x).max() < SILENT:
                return f"every unit of layer {number} is silent for {len(images)} pictures"
            if bounded and np.abs(x).min() > SHUT:
                return f"every unit of layer {number} is saturated for {len(images)} pictures"
        return ""


def _lasting(steps: Any) -> Iterator[tuple[Step, Buffer]]:
    """The weights and memories that steps change, each once, beside the step; traces of plasticity reach the weights at once."""
    seen = set()
    for step in steps:
        for buffer in (each.base for each in step.changed.values()):
            if buffer.lasts and buffer.role.may_last and buffer.dtype.kind == "f" and id(buffer) not in seen:
                seen.add(id(buffer))
                if buffer.role.is_weight or buffer.role is Role.MEMORY:
                    yield step, buffer


def _square(values: Any) -> float:
    """The sum of squares: one pass, and not finite where one value is not."""
    with np.errstate(over="ignore", invalid="ignore"):
        return float(values @ values)


def _not_finite(step: Step, buffer: Buffer) -> str:
    values = buffer.host()
    count = int(values.size - np.isfinite(values).sum())
    what = (
        f"{count} of {values.size} values of {buffer.name} are not finite" if count else f"{buffer.name} is too large"
    )
    return f"{what}, changed by {step.label!r}"


def _error(trainer: Trainer) -> str:
    """What is wrong with the error, in words."""
    progress = trainer.progress
    units = trainer.model.rule.errors_of(progress.phase)
    return "the error is not finite" if units and not math.isfinite(progress.error) else ""
