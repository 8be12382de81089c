"""What every rule offers: a plan for each phase, and the order of the phases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from neurosim.core.buffer import Buffer
from neurosim.core.options import Declared
from neurosim.core.plan import Plan
from neurosim.core.step import Step
from neurosim.networks.network import Network
from neurosim.parts.error_units import ErrorUnits, error_units
from neurosim.parts.feedback import Feedback

if TYPE_CHECKING:
    from neurosim.losses.base import Loss
    from neurosim.parts.projection import Projection
    from neurosim.parts.synapse import Synapse
    from neurosim.plasticity.base import Plasticity

FEEDBACK_TEXTS = {
    "bp": "the transposed forward weights",
    "rf": "fixed, random, its own",
    "urf": "its own, learned by its own outer product",
    "sign": "signs of its own, learned by its own outer product",
}


class Rule(Declared):
    """The wiring of one learning rule; it lists steps and computes nothing.

    A *phase* is one batch's plan: all layers at once, or one layer. Subclasses give `name`, `summary`, fill
    `errors` and `feedbacks`, and say in `wire` which steps a phase has.

    Args:
        network: whose populations and projections are wired.
        loss: from `neurosim.losses`.

    Attributes:
        phases: what can be trained in one batch, by name; empty where nothing learns.
        errors: the error units, by layer.
        feedbacks: every feedback path as built, for the audit and for the realised wiring.
    """

    name = ""
    summary = ""

    def __init__(self, network: Network, loss: Loss):
        self.network, self.loss = network, loss
        self.phases: tuple[str, ...] = ()
        self.errors: dict[int, ErrorUnits] = {}
        self.feedbacks: list[Feedback] = []

    def wire(self, phase: str) -> Iterator[Step]:
        """The steps of one phase, after the views lie in ``x0``."""
        yield from ()

    def plan(self, phase: str) -> Plan:
        """The phase's steps, frozen; ``x0`` is given, and the picture before it."""
        image = self.network.image
        return Plan(phase, self.wire(phase), self.outputs(phase), [image.shown, image.activity])

    def outputs(self, phase: str) -> list[Buffer]:
        """What is looked at after a phase: the figures of its error units, and the rule's own."""
        return [*(units.value for units in self.errors_of(phase)), *self.figures().values()]

    def errors_of(self, phase: str) -> list[ErrorUnits]:
        """The error units that a phase runs."""
        return list(self.errors.values())

    def epochs(self, asked: int) -> int:
        """Passes through the images in all, when ``asked`` epochs are asked for."""
        return asked if self.phases else 0

    def phase(self, epoch: int, batch: int, asked: int) -> str:
        """Which phase a batch trains."""
        return self.phases[0]

    def progress(self, epoch: int, part: float, asked: int) -> float:
        """How far the schedule of the rate has come, 0 to 1, in ``epoch`` after ``part`` of its batches."""
        return (epoch + part) / self.epochs(asked)

    def plasticities(self) -> list[Plasticity]:
        """Every plasticity whose rate follows the schedule."""
        return [self.network.plasticity, self.network.head_plasticity, *self.network.layer_plasticities]

    def draw(self, epoch: int, batch: int) -> None:
        """Draw what a phase needs, a function of the seed and the place in the stream: the losses' random patches."""
        for number, units in self.errors.items():
            units.draw(np.random.default_rng([self.network.seed, ord("G"), epoch, batch, number]))

    def figures(self) -> dict[str, Buffer]:
        """Column of metrics.csv -> a value ``(1,)`` of every batch, shown as its mean over the epoch; none by default."""
        return {}

    def _attach(self, number: int) -> ErrorUnits:
        self.errors[number] = error_units(
            self.network.head(number).post, self.loss, self.network.head_plasticity, self.network.seed
        )
        return self.errors[number]

    def _feed(self, projection: Projection, kind: str) -> Feedback:
        self.feedbacks.append(self.network.feedback(projection, kind))
        return self.feedbacks[-1]

    def synapses(self) -> list[Synapse]:
        """Every synapse that the rule's plans touch: forward, heads', feedback's; each array once."""
        found = list(self.network.synapses)
        found += [s for number in self.errors for s in self.network.head(number).synapses]
        found += [s for units in self.errors.values() for s in units.synapses]
        found += [feedback.synapse for feedback in self.feedbacks]
        return list({s.name: s for s in found}.values())

    def wiring(self) -> list[str]:
        """The wiring as realised, one line a path: which array carries the error where, and whether it learns."""
        lines = []
        for f in self.feedbacks:
            p, post = f.projection, f.projection.post
            how = FEEDBACK_TEXTS.get(f.kind) or first_line(f)
            lines.append(f"{f.synapse.name}: {post.post.name} -> layer {p.pre.number} ({f.kind}: {how})")
        return lines


def first_line(part: object) -> str:
    """How a part of somebody else's describes itself: the first line of its docstring."""
    return (type(part).__doc__ or type(part).__name__).strip().splitlines()[0].rstrip(".")


def random_phase(seed: int, epoch: int, batch: int, count: int) -> int:
    """Which of ``count`` phases a batch draws; a function of its place, so that nothing needs to be saved."""
    return int(np.random.default_rng([seed, ord("L"), epoch, batch]).integers(count))
