"""Diagnostics of learning, by an observer with copies of its own: what it looks at never feels that it was looked at.

At a diagnosis the observer copies the weights as they are into sessions of its own and shows them pictures in an order
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
``saturated_n``       share   of activities whose gate is shut: ``|x| = 1`` of hardtanh, ``|x| > 0.99`` of tanh
``inverse_G3``, ...           what the rule tells of a batch: of dtp the mean squared error of each inverse, noise included
``readout_n``         share   right, of a linear read-out of a few labelled training images, on others of them
===================== ======= ======================================================================================

An angle to a change that is zero is not defined: its place stays empty. A read-out needs labels: without them there is
none. Anything else that cannot be told is an error.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from neurosim.core.plan import Plan
from neurosim.core.roles import Role
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import WiringError
from neurosim.parts.inverse import Inverse
from neurosim.readout import logistic
from neurosim.readout.features import Encoder, forward_weights
from neurosim.readout.floor import labelled
from neurosim.training.config import OF_RULES, Config
from neurosim.training.session import CENTRED, Session, make_dtype, make_framing

ASIDE = 10**6  # epochs that training never reaches: their draws are nobody else's
PICTURES, ITERATIONS, STRENGTH = 900, 20, 0.1  # of the small read-out: a third of the pictures are judged
SHUT = {"hardtanh": 1.0, "tanh": 0.99}  # where |activity| shuts the gate


class Observer:
    """Looks at a session that learns, and tells what it sees.

    Args:
        session: what is looked at; nothing of it is ever changed.

    Raises:
        WiringError: a rule whose error bp cannot be given, because it has not the heads for it.
    """

    def __init__(self, session: Session):
        self.measured = session
        config = dataclasses.replace(session.config, diagnose_every=None)
        self.own = Session(config, session.data)
        self.reference = None
        if session.rule.phases:
            other = reference(config, self.own)
            self.reference = self.own if other == config else Session(other, session.data)
            missing = sorted(_weights(self.reference).keys() - _weights(session).keys())
            if missing:
                raise WiringError(f"--diagnose-every with --rule {config.rule}: it has no {missing[0]}, which bp would need",
                                  "a rule with an error at the top, or at every layer",
                                  "leave --diagnose-every out")  # fmt: skip

    def look(self, team: ThreadTeam) -> dict[str, float | None]:
        """Column -> what is seen now, see above."""
        for mine in (self.own, *filter(None, [self.reference])):
            given = _weights(self.measured)
            for name, weight in _weights(mine).items():
                weight.put(given[name].host())
        changes = _changes(self.own, team) if self.own.rule.phases else {}
        seen = dict(self._feedback())
        if self.reference is not None:
            wanted = changes if self.reference is self.own else _changes(self.reference, team)
            seen |= {f"update_angle_{name}": angle(change, wanted[name]) for name, change in changes.items()}
        for number, units in self.own.rule.errors.items():
            _, active, compared = units.value.host()
            seen[f"active_{number}"] = float(active / max(1.0, compared))
        seen |= {name: float(value.host()[0]) for name, value in self.own.rule.figures().items()}
        return {**seen, **dict(self._activities(team)), **dict(self._read_out(team))}

    def _feedback(self) -> Iterator[tuple[str, float | None]]:
        rule = self.own.rule
        for feedback in rule.feedbacks:
            forward = feedback.projection.synapse.weight
            if feedback.sent.shape == forward.shape:  # a path of another rule's may go along no projection
                yield f"feedback_angle_{feedback.synapse.name}", angle(feedback.sent.host(), forward.host())
        for inverse in getattr(rule, "inverses", []):
            yield f"feedback_angle_{inverse.synapse.name}", angle(inverse.synapse.weight.host(), transposed(inverse))

    def _activities(self, team: ThreadTeam) -> Iterator[tuple[str, float]]:
        session = self.own
        session.show(ASIDE, 0)
        steps = [*session.stimulus.present(session.deformed), *session.network.propagate()]
        seen = [population.activity for population in session.network.populations[1:]]
        Program(Plan("activities", steps, seen), session.kernels).run(team)
        for population in session.network.populations[1:]:
            x = population.activity.host()
            size, number = np.abs(x), population.number
            square = float(np.mean(np.square(x, dtype=np.float64)))
            yield f"sparsity_{number}", 1 - float(size.mean(dtype=np.float64)) ** 2 / square if square else 1.0
            yield f"dead_{number}", float(np.mean(x.max(axis=0) == x.min(axis=0)))
            shut = SHUT.get(population.nonlinearity, np.inf)
            yield f"saturated_{number}", float(np.mean(size >= shut))

    def _read_out(self, team: ThreadTeam) -> Iterator[tuple[str, float]]:
        config, data = self.own.config, self.own.data
        if data.labelled is None:
            return
        images, labels = data.labelled
        chosen = labelled(data, PICTURES, config.seed)
        encoder = Encoder(config.network, data.image_shape, forward_weights(self.own.network), framing=make_framing(config),
                          dtype=make_dtype(config), kernels=self.own.kernels, **CENTRED)  # fmt: skip
        judged = np.arange(len(chosen)) % 3 == 2
        for number, features in enumerate(encoder.features(images[chosen], team), 1):
            regression = logistic.Logistic(strengths=(STRENGTH,), iterations=ITERATIONS, seed=config.seed)
            fitted = regression.fit(features[~judged], labels[chosen][~judged], len(data.classes), team)
            yield f"readout_{number}", fitted.accuracy(features[judged], labels[chosen][judged], team)


def reference(config: Config, session: Session) -> Config:
    """The configuration whose changes are back-propagation's: of the same error at the top, or at every layer."""
    layered = any(number != len(session.network) for number in session.rule.errors)
    options = {"rule": "ll", "order": "simultaneous", "feedback": "bp"} if layered else {"rule": "bp"}
    return dataclasses.replace(config, **{**dict.fromkeys(OF_RULES), **options})


def _weights(session: Session) -> dict:
    """Name -> every weight array of a session's rule."""
    found = {s.name: s.weight for s in session.rule.synapses()}
    return found | {name: b for name, b in session.buffers().items() if b.role.endswith("weight")}


def _changes(session: Session, team: ThreadTeam) -> dict[str, np.ndarray]:
    """Forward synapse's name -> the sum of its outer products over one batch; no weight changes.

    With a short-term memory a batch before it fills the memory.
    """
    found = {}
    remembers = any(units.memory is not None for units in session.rule.errors.values())
    for phase in session.rule.phases:
        steps = [s for s in session.plan(phase) if not any(_lasting(b) for b in s.updates.values())]
        changes = [b for s in steps for b in s.changed.values() if b.role is Role.CHANGE]
        program = Program(Plan(phase, steps, [*changes, *session.rule.outputs(phase)]), session.kernels)
        for epoch in (ASIDE + 1, ASIDE) if remembers else (ASIDE,):
            session.show(epoch, 0)
            session.rule.draw(epoch, 0)
            program.run(team)
        changed = {id(b.base) for s in steps for b in s.changed.values()}
        for projection in session.network.projections:
            synapse = projection.synapse
            if id(synapse.change) in changed:
                found[synapse.name] = synapse.change.host().copy()
    return found


def _lasting(buffer) -> bool:
    return buffer.lasts and buffer.role is not Role.MEMORY


def angle(a: np.ndarray, b: np.ndarray) -> float | None:
    """Degrees between two arrays of one shape, 0 to 180; None where one of them is zero."""
    a, b = a.ravel().astype(np.float64), b.ravel().astype(np.float64)
    norm = np.sqrt(a @ a) * np.sqrt(b @ b)
    return float(np.degrees(np.arccos(np.clip(a @ b / norm, -1, 1)))) if norm else None


def transposed(inverse: Inverse) -> np.ndarray:
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
