"""Diagnostics of learning, by an observer with copies of its own: measuring changes no bit of what is measured.

At a diagnosis the observer copies the weights as they are into models of its own and shows them pictures in an order
and with deformations that training never draws. It runs the rule's plans without the steps that change a weight, and
beside them those of back-propagation on the same weights, images and error.

Columns, ``n`` a layer's number:

===================== ======= ======================================================================================
``feedback_angle_B3`` degrees between a feedback array and the forward array that it goes along; of an inverse, the
                              transposed forward array, averaged over the places of a pooled window
``update_angle_W3``   degrees between the summed outer products by the rule and by bp; of layer-wise learning: bp of the
                              same error through the layer's own head
``active_n``          share   of the comparisons of head n that are active
``sparsity_n``        share   ``1 - mean(|x|)^2 / mean(x^2)``: 0 where all units are equally active (Rolls, Tovee 1995)
``dead_n``            share   of units whose activity is the same for every view
``dimension_n``               participation ratio of the activities' covariance: how many dimensions they fill; of a head's
                              units ``dimension_head_n``
``common_n``          share   of the activities' variance along the direction in which all units go up and down together; of
                              a head's units ``common_head_n``
``saturated_n``       share   of activities whose gate is shut: ``|x| = 1`` of hardtanh, ``|x| > 0.99`` of tanh
``inverse_G3``, ...           the rule's own figures of a batch: of dtp the mean squared error of each inverse, noise included
``readout_n``         share   right, of a linear read-out of a few labelled training images, on others of them
===================== ======= ======================================================================================

An angle to a change that is zero is not defined: its place stays empty. Without an error (``hebb``), or where a layer that learns
has no head for it, bp has nothing to send down, and there is no ``update_angle``. A read-out needs labels: without them there is
none. Anything else that cannot be measured is an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from neurosim.core.plan import Plan
from neurosim.core.roles import Role
from neurosim.diagnostics.dimension import common, participation
from neurosim.engine.program import Program
from neurosim.errors import WiringError
from neurosim.readout import logistic
from neurosim.readout.floor import labelled
from neurosim.training.model import Model
from neurosim.training.stream import ViewStream
from neurosim.training.trainer import Callback, Trainer

if TYPE_CHECKING:
    from neurosim.core.buffer import Buffer
    from neurosim.core.typing import Array
    from neurosim.data.dataset import Dataset
    from neurosim.engine.threads import ThreadTeam
    from neurosim.parts.inverse import Inverse
    from neurosim.training.assembly import Given
    from neurosim.training.config import Config

ASIDE = 10**6  # epochs that training never reaches: their draws are nobody else's
PICTURES, ITERATIONS, STRENGTH = 900, 20, 0.1  # of the small read-out: a third of the pictures are judged
SHUT = {"hardtanh": 1.0, "tanh": 0.99}  # where |activity| shuts the gate


class Observer:
    """Measures a model that learns, on copies of its own.

    Args:
        model: what is measured; nothing of it is ever changed.
        data: the pictures.

    Raises:
        WiringError: a rule that is wired already, of which no copies can be made.
    """

    def __init__(self, model: Model, data: Dataset):
        self.measured, self.data = model, data
        if model.wired:
            raise WiringError(
                "diagnose_every with a rule that is wired already",
                "a rule's name or class, of which the observer can make copies",
                "leave diagnose_every out",
                argument="diagnose_every",
            )
        parts = {kind: thing for kind, thing in model.given.items() if kind not in ("network", "data")}
        config = model.config.replace(diagnose_every=None)
        self.own = _Copy(config, data, parts)
        self.reference = self._reference(config, parts) if model.rule.errors else None

    def _reference(self, config: Config, parts: Given) -> _Copy | None:
        """A copy whose changes are bp's; None where bp could not be given the error, because a layer that learns has no head."""
        other = reference(config, self.measured)
        if other == config:
            return self.own
        found = _Copy(other, self.data, {kind: thing for kind, thing in parts.items() if kind != "rule"})
        return found if found.model.weights().keys() <= self.measured.weights().keys() else None

    def measure(self, team: ThreadTeam) -> dict[str, float | None]:
        """Column -> what is measured now, see above."""
        given = self.measured.weights()
        for mine in (self.own, *filter(None, [self.reference])):
            for name, weight in mine.model.weights().items():
                weight.put(given[name].host())
        rule = self.own.model.rule
        changes = self.own.changes(team) if rule.phases else {}
        found = dict(self._feedback())
        if self.reference is not None:
            wanted = changes if self.reference is self.own else self.reference.changes(team)
            found |= {f"update_angle_{name}": angle(change, wanted[name]) for name, change in changes.items()}
        for number, units in rule.errors.items():
            _, active, compared = units.value.host()
            found[f"active_{number}"] = float(active / max(1.0, compared))
        found |= {name: float(value.host()[0]) for name, value in rule.figures().items()}
        return {**found, **dict(self._activities(team)), **dict(self._read_out(team))}

    def _feedback(self) -> Iterator[tuple[str, float | None]]:
        rule = self.own.model.rule
        for feedback in rule.feedbacks:
            forward = feedback.projection.synapse.weight
            if feedback.sent.shape == forward.shape:  # a path of another rule's may go along no projection
                yield f"feedback_angle_{feedback.synapse.name}", angle(feedback.sent.host(), forward.host())
        for inverse in getattr(rule, "inverses", []):
            yield f"feedback_angle_{inverse.synapse.name}", angle(inverse.synapse.weight.host(), transposed(inverse))

    def _activities(self, team: ThreadTeam) -> Iterator[tuple[str, float]]:
        model = self.own.model
        self.own.stream.load(ASIDE, 0)
        Program(model.propagation(), model.kernels).run(team)
        for population in model.network.populations[1:]:
            x = population.activity.host()
            size, number = np.abs(x), population.number
            square = float(np.mean(np.square(x, dtype=np.float64)))
            yield f"sparsity_{number}", 1 - float(size.mean(dtype=np.float64)) ** 2 / square if square else 1.0
            yield f"dead_{number}", float(np.mean(x.max(axis=0) == x.min(axis=0)))
            shut = SHUT.get(population.nonlinearity, np.inf)
            yield f"saturated_{number}", float(np.mean(size >= shut))
            yield f"dimension_{number}", participation(x)
            yield f"common_{number}", common(x)
        heads = list(model.rule.errors)
        if heads:
            Program(model.propagation(heads), model.kernels).run(team)
        for number in heads:
            z = model.network.head(number).post.activity.host()
            yield f"dimension_head_{number}", participation(z)
            yield f"common_head_{number}", common(z)

    def _read_out(self, team: ThreadTeam) -> Iterator[tuple[str, float]]:
        if self.data.labelled is None:
            return
        seed, classes = self.own.model.config.training.seed, len(self.data.classes)
        images, labels = self.data.labelled
        chosen = labelled(self.data, PICTURES, seed)
        judged = np.arange(len(chosen)) % 3 == 2
        regression = logistic.Logistic(strengths=(STRENGTH,), iterations=ITERATIONS, seed=seed)
        for number, features in enumerate(self.own.model.encoder().features(images[chosen], team), 1):
            fitted = regression.fit(features[~judged], labels[chosen][~judged], classes, team)
            yield f"readout_{number}", fitted.accuracy(features[judged], labels[chosen][judged], team)


class _Copy:
    """A model and its stream that only the observer uses; nothing of it ever learns."""

    def __init__(self, config: Config, data: Dataset, given: Given):
        self.model = Model(config, data.image_shape, given)
        self.stream = ViewStream(self.model, data)

    def changes(self, team: ThreadTeam) -> dict[str, Array]:
        """Forward synapse's name -> the sum of its outer products over one batch; no weight changes.

        With a short-term memory a batch before it fills the memory.
        """
        found: dict[str, Array] = {}
        model = self.model
        remembers = any(units.memory is not None for units in model.rule.errors.values())
        for phase in model.rule.phases:
            steps = [s for s in model.plan(phase) if not any(_is_learned(b) for b in s.updates.values())]
            summed = [b for s in steps for b in s.changed.values() if b.role is Role.CHANGE]
            plan = Plan.needed(phase, steps, [*summed, *model.rule.outputs(phase)])
            program = Program(plan, model.kernels)
            for epoch in (ASIDE + 1, ASIDE) if remembers else (ASIDE,):
                self.stream.load(epoch, 0)
                model.rule.draw(epoch, 0)
                program.run(team)
            changed = {id(b.base) for s in steps for b in s.changed.values()}
            for projection in model.network.projections:
                synapse = projection.synapse
                if id(synapse.change) in changed:
                    found[synapse.name] = synapse.change.host().copy()
        return found


class Diagnosis(Callback):
    """Measures before the first batch of a run, after every so many batches, and after the last one.

    Args:
        observer: that measures.
        every: batches from one diagnosis to the next.
    """

    def __init__(self, observer: Observer, every: int):
        self._observer, self._every = observer, every

    def on_start(self, trainer: Trainer) -> None:
        if not trainer.diagnoses:
            self._diagnose(trainer)

    def on_batch(self, trainer: Trainer) -> None:
        if trainer.progress.done % self._every == 0 or trainer.progress.epoch == trainer.epochs:
            self._diagnose(trainer)

    def _diagnose(self, trainer: Trainer) -> None:
        progress = trainer.progress
        place = round(progress.epoch + progress.batch / trainer.stream.batches, 4)
        assert trainer.team is not None  # within `Trainer.train`
        images = progress.done * trainer.model.config.training.batch
        trainer.diagnoses.append({"epoch": place, "images": images, **self._observer.measure(trainer.team)})


def reference(config: Config, model: Model) -> Config:
    """The configuration whose changes are back-propagation's: of the same error at the top, or at every layer."""
    layered = any(number != len(model.network) for number in model.rule.errors)
    options = {"rule": "ll", "order": "simultaneous", "feedback": "bp"} if layered else {"rule": "bp"}
    return config.replace(**options)


def _is_learned(buffer: Buffer) -> bool:
    role = Role(buffer.role)
    return role is Role.PLASTICITY or role.is_weight


def angle(a: Array, b: Array) -> float | None:
    """Degrees between two arrays of one shape, 0 to 180; None where one of them is zero."""
    a, b = a.ravel().astype(np.float64), b.ravel().astype(np.float64)
    norm = np.sqrt(a @ a) * np.sqrt(b @ b)
    return float(np.degrees(np.arccos(np.clip(a @ b / norm, -1, 1)))) if norm else None


def transposed(inverse: Inverse) -> Array:
    """What an inverse's array would be if it carried down by the transposed forward weights, in its own shape.

    Of a pooled layer each place of the window wins equally often: ``T[i, j] = mean over the window (r, c) of
    W[i - r, j - c]^T``, as far as the inverse reaches. Of an untied layer the mean over places stands for all.
    """
    weight = inverse.projection.synapse.weight.host()
    if weight.ndim == 2:
        return weight.T
    if weight.ndim == 6:
        weight = weight.mean(axis=(0, 1))
    back = weight.swapaxes(2, 3)
    if not inverse.path.widens:
        return back[::-1, ::-1]
    found = np.zeros_like(back)
    for row, column in np.ndindex(2, 2):
        found[row:, column:] += back[: 3 - row, : 3 - column] / 4
    return found
