"""Does a PyTorch module send its errors down through its forward weights?

``neurosim audit --torch mylab.net:build`` calls ``build()``, which returns ``(model, inputs, loss)``:

- ``model``: a ``torch.nn.Module``;
- ``inputs``: what it is called with, one tensor or a tuple of them;
- ``loss``: a function from the model's output to one number, whose ``backward()`` gives every weight its change; or that
  changes weights, or sets their gradients, by itself.

Every tensor that the module and its loss can reach is asked: parameters, buffers, plain attributes, what lies in lists and
closures. For each forward weight (one whose replacement alters the loss):

after
    forward; replace the weight by other numbers; backward. Every activity is what it was, so another weight's gradient that
    differs by a bit was carried by the weight that was replaced: weight transport.
before
    replace the weight first; then every activity (what is made of inputs, and part of the loss) is overwritten with what it
    was, operation by operation. This also finds copies of the weight that the forward pass or the pass before it makes, and
    errors that are computed by hand.
alike
    feedback arrays that resemble forward weights at the start.
delivered
    random errors at the output: what weights receive, beside what transported weights would deliver.

What it cannot show: conditions (i), (ii) and (iv); what an optimiser outside the module does to feedback weights afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from neurosim.audit.replay.digests import source_digest
from neurosim.audit.symmetry.chance import FEW
from neurosim.audit.symmetry.compare import compare
from neurosim.audit.torch.delivered import Delivered
from neurosim.audit.torch.replay import Changes, Pass, Replay, Tensor, call_theirs
from neurosim.audit.torch.verdict import TorchVerdict
from neurosim.core.importing import imported
from neurosim.errors import WiringError

MATTERS = 1e-4  # of the loss: a smaller difference is rounding, as of x + (y - y)
# Operations whose weights are a unit's own gain or slope: no synapse between two units.
OF_UNITS = ("batch_norm", "layer_norm", "group_norm", "instance_norm", "prelu")
INSIDE = (
    "parametrizations.",
    "weight_u",
    "weight_v",
    "weight_g",
    "weight_orig",
)  # how PyTorch names parts of one weight


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
    verdict = audit_model(name, *built)
    kinds = sorted(
        {type(part) for part in built[0].modules()}, key=lambda kind: f"{kind.__module__}:{kind.__qualname__}"
    )
    theirs = [kind for kind in kinds if kind.__module__.split(".")[0] != "torch"]
    verdict.sources = {f"{x.__module__}:{x.__qualname__}": source_digest(x) for x in theirs} | {
        name: source_digest(build)
    }
    return verdict


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
        _Question(replay, verdict).ask()
    finally:
        replay.restore()
    return verdict


class _Question:
    """All questions to one model.

    Args:
        replay: of it.
        verdict: to which the answers are added.
    """

    def __init__(self, replay: Replay, verdict: TorchVerdict):
        self.replay, self.verdict = replay, verdict

    def ask(self) -> None:
        """Ask them."""
        verdict, first = self.verdict, self.replay.run()
        again = self.replay.run()
        if first.loss != again.loss or _differing(first.changes, again.changes):
            verdict.undecided = "two runs on one seed differ: make the model and the loss deterministic"
            return
        if unfit := self._unfit(first):
            verdict.undecided = unfit
            return
        self.first = first
        self._sort()
        if not self.learned:
            verdict.undecided = "no weight receives a change: there is nothing to see"
            return
        for name in verdict.forward:
            if not self._is_of_units(name):
                self._replace(name)
        self._alike()
        if not (verdict.after or verdict.before):
            self._delivered()  # which takes longest
        if len([name for name in verdict.forward if name in self.learned]) < 2:
            verdict.undecided = "fewer than two forward weights receive a gradient: there is nothing to compare"

    def _sort(self) -> None:
        """Which weights learn, which alter the loss, which alter what others learn."""
        verdict, changes = self.verdict, self.first.changes
        self.learned = {name for name, change in changes.items() if change is not None and bool(change.any())}
        for name in changes:
            other = self._run(before={name: self.replay.drawn(name, 1)})
            if _matters(self.first, other):
                verdict.forward.append(name)
            elif [n for n in _differing(changes, other.changes) if n != name]:
                verdict.feedback.append(name)
        named = {*verdict.forward, *verdict.feedback}
        own = self._parameters()
        verdict.feedback = [n for n in changes if n in verdict.feedback or (n in self.learned and n not in named)]
        verdict.silent = [n for n in changes if n in own and n not in self.learned and n not in verdict.feedback]

    def _parameters(self) -> set[str]:
        return {name for name, _ in self.replay.model.named_parameters()}

    def _run(self, **given: Any) -> Pass:
        self.verdict.interventions += 1
        return self.replay.run(**given)

    def _unfit(self, found: Pass) -> str:
        """Which numbers of a run are not finite, in words; empty: all are."""
        outputs = {f"output {n}": array for n, array in enumerate(found.outputs, 1)}
        changes = {f"the change of {name}": array for name, array in found.changes.items() if array is not None}
        bad = [name for name, array in (outputs | changes).items() if not bool(self.replay.torch.isfinite(array).all())]
        bad = ["the loss"] * (not all(map(math.isfinite, found.loss))) + bad
        return f"numbers that are not finite say nothing: {bad[0]}; scale what the model is given" if bad else ""

    def _replace(self, name: str) -> None:
        """One forward weight replaced after the forward pass, and before it with the activities held."""
        verdict, values = self.verdict, self.replay.drawn(name, 2)
        others = {
            n: self.first.changes[n] for n in (*verdict.forward, *verdict.feedback) if n in self.learned and n != name
        }
        others = {n: change for n, change in others.items() if not _are_parts(n, name)}
        later, again = self._run(after={name: values}), self._run(before={name: values}, held=self.first)
        if unfit := self._unfit(later) or self._unfit(again):
            verdict.undecided = f"with {name} replaced, {unfit}"
            return
        if found := _differing(others, later.changes):
            verdict.after[name] = found
        if any(tape.mismatch for tape in again.tapes):
            verdict.undecided = f"with {name} replaced the model does other operations: its activities cannot be held"
        elif found := _differing(others, again.changes):
            verdict.before[name] = found
        if self.first.tapes[0].both_ways(name):
            verdict.before.setdefault(name, []).append(
                f"what {name} learns from: activity goes through it in both directions"
            )
        if name in self.learned and self.first.tapes[0].uses(name) > 1 and not any(word in name for word in INSIDE):
            self._replace_half(name, values)

    def _replace_half(self, name: str, values: Tensor) -> None:
        """A weight that is used more than once: half of its numbers replaced, the changes of the others compared."""
        own = self.replay._state[name]
        half = (self.replay.torch.arange(own.numel()) % 2 == 0).reshape(own.shape)
        mixed = self.replay.torch.where(half, values, own)
        for word, found, given in (
            ("after", self.verdict.after, {"after": {name: mixed}}),
            ("before", self.verdict.before, {"before": {name: mixed}, "held": self.first}),
        ):
            again = self._run(**given)
            if word == "before" and any(tape.mismatch for tape in again.tapes):
                continue
            mine, other = self.first.changes[name], again.changes[name]
            if mine is None or other is None or not mine[:1, ~half].equal(other[:1, ~half]):
                found.setdefault(name, []).append(f"{name} itself, where it is used again")

    def _is_of_units(self, name: str) -> bool:
        """Whether it is a gain or a slope of units, and no synapse."""
        if self.replay.weights[name].dim() > 1 and name in self._parameters():
            return False
        uses = [o.name for tape in self.first.tapes for o in tape.operations if name in o.alone and o.driven]
        return bool(uses) and all(any(word in use for word in OF_UNITS) for use in uses)

    def _alike(self) -> None:
        """Feedback that resembles forward weights at the start."""
        state = self.replay._state
        for back in self.verdict.feedback:
            for forward in self.verdict.forward:
                b, w = (state[n].double().numpy() for n in (back, forward))
                if sorted(b.shape) != sorted(w.shape) or b.size < FEW or min(b.std(), w.std()) == 0:
                    continue
                found = compare(b, w)
                one_sign = found.how in ("sign copy", "magnitude copy") and ((b >= 0).all() or (b <= 0).all())
                if found.verdict == "violated" and not one_sign:
                    self.verdict.alike[back] = f"{forward}: {found}"

    def _delivered(self) -> None:
        """What weights receive, beside what transported weights would deliver."""
        weights = [n for n in self.verdict.forward if n in self.learned and not self._is_of_units(n)]
        found = Delivered(self.replay, self.first).answer(weights, self.verdict.forward)
        for name, (above, correlation, chance) in found.items():
            self.verdict.delivered[name] = (
                f"what {above} transported would deliver: correlation {correlation:+.2f} (chance {chance:+.2f})"
            )


def _matters(first: Pass, other: Pass) -> bool:
    """Whether a loss or an output differs by more than rounding."""
    a, b = first.loss[0], other.loss[0]  # in the second pass everything that learned differs
    if not abs(a - b) <= MATTERS * max(abs(a), 1e-30):
        return True
    for x, y in zip(first.outputs, other.outputs, strict=False):
        if x.shape != y.shape or not float((x - y).abs().max()) <= MATTERS * max(float(x.abs().max()), 1e-30):
            return True
    return False


def _are_parts(one: str, other: str) -> bool:
    """Whether both are parts of one weight, as PyTorch names them."""
    homes = [name.rpartition("parametrizations.")[0] or name.rpartition(".")[0] for name in (one, other)]
    return homes[0] == homes[1] and all(any(word in name for word in INSIDE) for name in (one, other))


def _differing(wanted: Changes, actual: Changes) -> list[str]:
    """Names whose arrays are not bit for bit the same."""
    differing = []
    for name, array in wanted.items():
        other = actual[name]
        if (array is None) != (other is None) or (array is not None and not _same(array, other)):
            differing.append(name)
    return differing


def _same(array: Tensor, other: Tensor) -> bool:
    array = array[: len(other)]  # of runs with one pass
    return bool(array.shape == other.shape and (array.eq(other) | (array.isnan() & other.isnan())).all())
