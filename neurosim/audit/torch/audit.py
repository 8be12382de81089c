"""Does a PyTorch module send its errors down through its forward weights?

``neurosim audit --torch mylab.net:build`` calls ``build()``, which returns ``(model, inputs, loss)``:

- ``model``: a ``torch.nn.Module``;
- ``inputs``: what it is called with, one tensor or a tuple of them;
- ``loss``: a function from the model's output to one number, whose ``backward()`` gives every weight its change.

Two interventions, for each forward weight (one whose replacement alters the loss) in turn:

after
    forward; replace the weight by random numbers; backward. Every activity is what it was, so another weight's
    gradient that differs by a bit was carried by the weight that was replaced: weight transport.
before
    replace the weight first; forward, every submodule's output overwritten with what it was; backward. This also finds
    copies of the weight that the forward pass makes (a transpose, its signs). A module that computes several layers
    inside itself has activities that cannot be held from outside, so what this one alone finds stays undecided.

What it cannot show: conditions (i), (ii) and (iv); what an optimiser does to feedback weights afterwards; weights that a
module keeps where no parameter shows them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from neurosim.audit.torch.replay import Gradients, Replay, call_theirs
from neurosim.core.importing import imported
from neurosim.errors import WiringError

NONE_FOUND, VIOLATED, UNDECIDED = "no violation found", "violated", "undecided"
EXIT = {NONE_FOUND: 0, VIOLATED: 1, UNDECIDED: 3}


@dataclass
class TorchVerdict:
    """What was found in one module.

    Args:
        name: as it was asked for.
        forward: parameters whose replacement alters the loss.
        feedback: parameters whose replacement does not.
        silent: parameters that received no change, or one of zeros: nothing can be seen at them.
        after: forward weight -> parameters whose gradients it alters, replaced after the forward pass.
        before: the same, replaced before it.
        undecided: why nothing could be decided, or None.
    """

    name: str
    forward: list[str] = field(default_factory=list)
    feedback: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    after: dict[str, list[str]] = field(default_factory=dict)
    before: dict[str, list[str]] = field(default_factory=dict)
    undecided: str | None = None

    @property
    def outcome(self) -> str:
        """Violated, undecided or no violation found (as far as condition (iii) goes)."""
        if self.after:
            return VIOLATED
        return UNDECIDED if self.undecided or self.before else NONE_FOUND

    @property
    def exit_code(self) -> int:
        """0 no violation found, 1 violated, 3 undecided."""
        return EXIT[self.outcome]

    def json(self) -> dict[str, Any]:
        """As data."""
        return {
            "name": self.name,
            "condition": "iii",
            "verdict": self.outcome,
            "forward": self.forward,
            "feedback": self.feedback,
            "silent": self.silent,
            "after": self.after,
            "before": self.before,
            "undecided": self.undecided,
        }

    def text(self) -> str:
        """As it is printed."""
        lines = [f"{self.name}: condition (iii), asymmetry: {self.outcome}"]
        for weight, others in self.after.items():
            lines.append(f"  {weight} -> gradients of {', '.join(others)} (replaced after the forward pass)")
        for weight, others in self.before.items():
            if weight not in self.after:
                how = "through a copy of the weight, or an activity inside that module that could not be held"
                lines.append(f"  {weight} -> gradients of {', '.join(others)} (replaced before it: {how})")
        if self.undecided:
            lines.append(f"  {self.undecided}")
        names = f"{', '.join(self.forward) or 'none'}; others {', '.join(self.feedback) or 'none'}"
        lines.append(f"  forward weights {names}")
        if self.silent:
            lines.append(f"  no change to be seen at {', '.join(self.silent)}")
        lines.append("  not asked: locality (i), arithmetic (ii), labels (iv), what an optimiser does afterwards")
        return "\n".join(lines)


def audit_build(name: str) -> TorchVerdict:
    """Audit what ``module:build`` builds.

    Args:
        name: ``mylab.net:build``, found from the current folder or among what is installed.

    Raises:
        WiringError: a build that is missing, fails, or gives something else.
    """
    place, _, word = name.partition(":")
    if not all(part.isidentifier() for part in [*place.split("."), word]):
        raise WiringError(f"torch={name!r}", "module:function with one colon", "write torch='mylab.net:build'")
    build = getattr(imported(place, f"torch={name}"), word, None)
    if not callable(build):
        raise WiringError(
            f"{place} has no function {word}",
            "a function that returns (model, inputs, loss)",
            f"define {word}() in {place}",
        )
    built = call_theirs(build)
    three = isinstance(built, tuple) and len(built) == 3
    if not (three and hasattr(built[0], "named_parameters") and callable(built[2])):
        raise WiringError(
            f"{name} gives {type(built).__name__}",
            "a tuple (model, inputs, loss) with a torch.nn.Module first",
            "see docs/write-your-own-rule.md",
        )
    return audit_model(name, *built)


def audit_model(name: str, model: Any, inputs: Any, loss: Callable[[Any], Any]) -> TorchVerdict:
    """Audit a model at hand; its parameters and buffers are as before afterwards.

    Args:
        name: what the verdict calls it.
        model: a ``torch.nn.Module``.
        inputs: what it is called with, one tensor or a tuple of them.
        loss: from its output to one number.

    Raises:
        WiringError: the model or the loss fails, or the loss is no single number.
    """
    replay = Replay(model, inputs if isinstance(inputs, tuple) else (inputs,), loss)
    verdict = TorchVerdict(name)
    try:
        _question(replay, verdict)
    finally:
        replay.restore()
    return verdict


def _question(replay: Replay, verdict: TorchVerdict) -> None:
    first, again = replay.run(), replay.run()
    if first.loss != again.loss or _differing(first.gradients, again.gradients):
        verdict.undecided = "two runs on one seed differ: make the model and the loss deterministic"
        return
    gradients = first.gradients
    verdict.silent = [name for name, array in gradients.items() if array is None or not bool(array.any())]
    learned = {name: array for name, array in gradients.items() if name not in verdict.silent}
    for name in gradients:
        altered = replay.run(before=name, gradients=False).loss != first.loss
        (verdict.forward if altered else verdict.feedback).append(name)
    if len([name for name in verdict.forward if name in learned]) < 2:
        verdict.undecided = "fewer than two forward weights receive a gradient: there is nothing to compare"
    for name in verdict.forward:
        others = {other: array for other, array in learned.items() if other != name}
        if differing := _differing(others, replay.run(after=name).gradients):
            verdict.after[name] = differing
        if differing := _differing(others, replay.run(before=name, held=first.outputs).gradients):
            verdict.before[name] = differing


def _differing(wanted: Gradients, actual: Gradients) -> list[str]:
    """Names whose arrays are not bit for bit the same."""
    differing = []
    for name, array in wanted.items():
        other = actual[name]
        if (array is None) != (other is None) or (array is not None and not array.equal(other)):
            differing.append(name)
    return differing
