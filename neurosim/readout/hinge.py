"""A plausible read-out: a linear classifier with a hinge error, learned by its own outer products (Amit 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from threadpoolctl import threadpool_limits

from neurosim.errors import WiringError
from neurosim.readout.checks import STREAM, fraction, pairs_of, penalties, split
from neurosim.readout.logistic import Path, Readout, answers
from neurosim.readout.softmax import Table, logits, moments

if TYPE_CHECKING:
    from neurosim.core.typing import Array
    from neurosim.engine.threads import ThreadTeam

RATES = (1.0, 3.0, 0.3)  # in units of 1 / features: the mean squared length of a standardised image
STRENGTHS = (0.03, 0.3, 0.1, 0.0)
EPOCHS = (20, 10, 40)
MINIBATCH = 100
_Setting: TypeAlias = tuple[float, float, int]  # rate, strength, epochs


@dataclass(frozen=True, eq=False)
class HingeReadout(Readout):
    """A read-out fitted by `Hinge`.

    Attributes:
        rate: of the first change, in units of 1 / features.
        epochs: passes through the images.
    """

    rate: float = 0.0
    epochs: int = 0


@dataclass(frozen=True)
class Hinge:
    """A linear classifier with a hinge error; rate, strength and epochs are chosen on held-out images.

    Every class has a unit ``u_c = w_c x``. Its error is that of one class against the rest,
    ``[1 - u_c]_+`` for the images of the class and ``[1 + u_c]_+`` for all others: the postsynaptic factor is -1, +1 or,
    where the margin is kept, 0. A comparison decides it, and nothing else. The weights change by the outer product
    ``w_c -= rate (factor x + strength w_c)``, summed over a minibatch; the rate falls to zero in a straight line.
    Source: Amit 2019, section 2.1.

    The rate is chosen first, at the first strength and number of epochs given; then the strength; then the epochs. Then all
    images are learned from.

    Args:
        rates: to choose from, above 0.
        strengths: of the pull to zero, to choose from, 0 or more.
        epochs: passes through the images, to choose from, 1 or more.
        held_out: fraction of the training images to choose on, each class in proportion; over 0 up to 0.5.
        seed: of the choice of held-out images and of the order.

    Raises:
        WiringError: a rate, strength, fraction or number of epochs that does not exist.
    """

    rates: Sequence[float] = RATES
    strengths: Sequence[float] = STRENGTHS
    epochs: Sequence[int] = EPOCHS
    held_out: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if not len(self.rates) or not all(0 < rate < np.inf for rate in self.rates):
            raise WiringError(f"rates {tuple(self.rates)}", "one finite number or more, all above 0", "leave them out")
        penalties(self.strengths)
        if not len(self.epochs) or min(self.epochs) < 1:
            raise WiringError(f"{tuple(self.epochs)} epochs", "one whole number or more, all above 0", "leave them out")
        fraction(self.held_out)

    def fit(self, features: Array, labels: Array, classes: int, team: ThreadTeam) -> HingeReadout:
        """Learn a read-out.

        Args:
            features: ``(sample, feature)``, standardised before anything is learned; not changed.
            labels: ``(sample,)``, integers 0 .. classes - 1.
            classes: how many, 2 or more.
            team: who computes, inside their context; any number of threads gives the same bits.

        Raises:
            DataError: features or labels that cannot be used.
        """
        features, labels = pairs_of(features, labels, classes)
        with threadpool_limits(1):
            mean, scale = moments(features, team)
            learner = _Learner(Table(features, mean, scale, team), labels, classes, self.seed)
            (rate, strength, passes), path = self._choose(learner, *split(labels, self.held_out, self.seed))
            weights, error, steps = learner.learn(rate, strength, passes, np.arange(len(labels)))
        return HingeReadout(weights, mean, scale, strength, "hinge", path, error, steps, True, rate, passes)

    def _choose(self, learner: _Learner, kept: Array, aside: Array) -> tuple[_Setting, Path]:
        """Rate, strength and epochs, chosen one after another where there is a choice, and the strengths tried for it."""
        tried: dict[_Setting, float] = {}

        def right(setting: _Setting) -> float:
            if setting not in tried:
                weights = learner.learn(*setting, kept)[0]
                tried[setting] = float(np.mean(answers(learner.table, weights, aside) == learner.labels[aside]))
            return tried[setting]

        def best(settings: list[_Setting]) -> _Setting:
            return settings[0] if len(settings) == 1 else max(settings, key=right)  # of equal ones the first

        rate, strength, epochs = best([(rate, self.strengths[0], self.epochs[0]) for rate in self.rates])
        rate, strength, epochs = best([(rate, strength, epochs) for strength in self.strengths])
        rate, strength, epochs = best([(rate, strength, epochs) for epochs in self.epochs])
        return (rate, strength, epochs), tuple((strength, share) for (_, strength, _), share in tried.items())


class _Learner:
    """Weights ``(feature + 1, class)`` from zero, changed by outer products of a standardised image and its factors."""

    def __init__(self, table: Table, labels: Array, classes: int, seed: int):
        self.table, self.labels, self.seed = table, labels, seed
        self.shape = (table.features.shape[1] + 1, classes)

    def learn(self, rate: float, strength: float, epochs: int, rows: Array) -> tuple[Array, float, int]:
        """Weights after so many epochs on some images, the mean hinge in the last one, and the changes made."""
        random = np.random.default_rng([self.seed, STREAM, 3])
        weights, step, error = np.zeros(self.shape), 0, 0.0
        steps = epochs * -(-len(rows) // MINIBATCH)
        for _ in range(epochs):
            order, error = random.permutation(rows), 0.0
            for start in range(0, len(order), MINIBATCH):
                part = order[start : start + MINIBATCH]
                now = rate / (self.shape[0] - 1) * (1 - step / steps)
                hinge, change, last = self._products(weights, part)
                weights[:-1] *= 1 - min(1.0, now * strength * len(part))
                weights[:-1] -= now * change
                weights[-1] -= now * last
                step, error = step + 1, error + hinge
        return weights, error / len(rows), steps

    def _products(self, weights: Array, rows: Array) -> list[Any]:
        """The minibatch's hinges, and its summed outer products for the weights and for the last row."""
        answer, labels = logits(weights, self.table.features.dtype), self.labels[rows]

        def visit(place: slice, block: Array) -> tuple[float, Array, Array]:
            sense = np.ones((len(block), self.shape[1]))
            sense[np.arange(len(block)), labels[place]] = -1
            hinge = 1 + sense * answer(block)
            factor = np.where(hinge > 0, sense, 0)
            return float(hinge[hinge > 0].sum()), block.T @ factor.astype(block.dtype), factor.sum(axis=0)

        return self.table.sweep(visit, rows)
