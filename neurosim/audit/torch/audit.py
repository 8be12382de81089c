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
from typing import Any

from neurosim.audit.torch.replay import Gradients, Replay, call_theirs
from neurosim.audit.torch.verdict import TorchVerdict
from neurosim.core.importing import imported
from neurosim.errors import WiringError


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
