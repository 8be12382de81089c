"""Declared state: what lasts and what is given, recorded and loaded; batches played step by step, with digests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from neurosim.audit.single import SingleStep
from neurosim.errors import WiringError
from neurosim.training.record import digest

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from neurosim.audit.replay.watch import Watch
    from neurosim.audit.target import AuditTarget
    from neurosim.core.buffer import Buffer
    from neurosim.core.step import Step
    from neurosim.core.typing import Array
    from neurosim.engine.threads import ThreadTeam

Arrays = dict[str, "Array"]
Left = tuple[str, dict[str, str]]  # a step, and the digest of every array that it left


def declared(target: AuditTarget) -> dict[str, Buffer]:
    """Every array of a target that lasts or is given, by name."""
    return {b.name: b for plan in target.plans.values() for b in plan.buffers if b.lasts or b.given}


def read(buffers: Iterable[Buffer]) -> Arrays:
    """Copies of arrays, by name."""
    return {b.name: b.host().copy() for b in buffers}


def load(target: AuditTarget, arrays: Arrays) -> None:
    """Put declared state into a target.

    Raises:
        WiringError: the target has other arrays.
    """
    there = declared(target)
    for name in sorted(there.keys() | arrays.keys()):
        if name not in there or name not in arrays or there[name].shape != arrays[name].shape:
            raise WiringError(
                f"the array {name} is not the same where the rule is built anew",
                "arrays that follow from the rule, its options and its network",
                "declare what they depend on as options",
            )
    for name, values in arrays.items():
        there[name].put(values)


class Player:
    """Plays the phases of a target one step at a time.

    Args:
        target: whose.
        team: one thread is enough.
        aside: see `neurosim.audit.single.SingleStep.run`.
        watch: listens while a step runs.
    """

    def __init__(
        self, target: AuditTarget, team: ThreadTeam, aside: Executor | None = None, watch: Watch | None = None
    ):
        self.team, self.aside, self.watch = team, aside, watch
        self._steps = [
            SingleStep(step, f"step {number} of {phase!r} ({step.label})", target.kernels)
            for phase, plan in target.plans.items()
            for number, step in enumerate(plan, 1)
        ]

    def play(self) -> list[Left]:
        """Every phase once, in order.

        Raises:
            UndecidedError: a step fails; it is named.
        """
        left = []
        for each in self._steps:
            self._listen(each.name)
            each.run(self.team, self.aside)
            self._listen("")
            left.append((each.name, {b.name: digest(b.host()) for b in each.step.changed.values()}))
        return left

    def _listen(self, place: str) -> None:
        if self.watch is not None:
            self.watch.place = place


def written_plans(target: AuditTarget) -> dict[str, list[Any]]:
    """Phase -> what each step is: label, kernel, names of its arrays, scalars; as plain values that can be compared."""
    return {phase: [_written(step) for step in plan] for phase, plan in target.plans.items()}


def wired_again(target: AuditTarget) -> dict[str, list[Any]]:
    """As `written_plans`, of the steps that the rule lists when it is asked once more; the stimulus left out."""
    return {phase: [_written(step) for step in target.rule.wire(phase)] for phase in target.plans}


def _written(step: Step) -> list[Any]:
    arrays = {name: [b.name, list(b.shape)] for name, b in step.buffers.items()}
    return [step.label, step.kernel.name, arrays, {name: repr(value) for name, value in step.scalars.items()}]
