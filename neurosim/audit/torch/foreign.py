"""Other people's code: does a PyTorch module send its errors down through its forward weights? Asked from outside.

``neurosim audit --torch mylab.net:build`` calls ``build()``, which returns ``(model, inputs, loss)``:

- ``model``: a ``torch.nn.Module``;
- ``inputs``: what it is called with, one tensor or a tuple of them;
- ``loss``: a function from the model's output to one number, whose ``backward()`` gives every weight its change.

Two interventions, for each forward weight (one whose replacement alters the loss) in turn:

after
    forward; replace the weight by random numbers; backward. Every activity is what it was, so another weight's
    gradient that differs by a bit was carried by the weight that was replaced: weight transport.
before
    replace the weight first; forward, every submodule's output overwritten with what it was; backward. This also meets
    copies of the weight that the forward pass makes (a transpose, its signs). A module that computes several layers
    inside itself has activities that cannot be held from outside, so what this one alone finds stays undecided.

What it cannot show: conditions (i), (ii) and (iv); what an optimiser does to feedback weights afterwards; weights that a
module keeps where no parameter shows them. PyTorch is never imported here: whoever builds the model has imported it.
"""

from __future__ import annotations

import sys
import traceback
from dataclasses import dataclass, field

from neurosim.core.plugins import imported
from neurosim.errors import WiringError

EXIT = {"plausible": 0, "violated": 1, "undecided": 2}


@dataclass
class Foreign:
    """What was found in one module.

    Args:
        name: as it was asked for.
        forward, feedback: parameters whose replacement alters the loss, and those whose does not.
        silent: parameters that received no change, or one of zeros: nothing can be seen at them.
        after, before: forward weight -> parameters whose gradients it alters, by the two interventions.
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
    def verdict(self) -> str:
        """``violated``, ``undecided`` or ``plausible`` (as far as condition (iii) goes)."""
        if self.after:
            return "violated"
        return "undecided" if self.undecided or self.before else "plausible"

    @property
    def exit_code(self) -> int:
        """0 plausible, 1 violated, 2 undecided."""
        return EXIT[self.verdict]

    def json(self) -> dict:
        """As data."""
        return {"name": self.name, "condition": "iii", "verdict": self.verdict, "forward": self.forward,
                "feedback": self.feedback, "silent": self.silent, "after": self.after, "before": self.before,
                "undecided": self.undecided}  # fmt: skip

    def text(self) -> str:
        """As it is printed."""
        lines = [f"{self.name}: condition (iii), asymmetry: {self.verdict}"]
        for weight, others in self.after.items():
            lines.append(f"  {weight} -> gradients of {', '.join(others)} (replaced after the forward pass)")
        for weight, others in self.before.items():
            if weight not in self.after:
                lines.append(f"  {weight} -> gradients of {', '.join(others)} (replaced before it: through a copy of the weight, "
                             "or an activity inside that module that could not be held)")  # fmt: skip
        if self.undecided:
            lines.append(f"  {self.undecided}")
        lines.append(f"  forward weights {', '.join(self.forward) or 'none'}; others {', '.join(self.feedback) or 'none'}")
        if self.silent:
            lines.append(f"  no change to be seen at {', '.join(self.silent)}")
        lines.append("  not asked: locality (i), arithmetic (ii), labels (iv), what an optimiser does afterwards")
        return "\n".join(lines)


def audit_build(name: str) -> Foreign:
    """Audit what ``module:build`` builds.

    Args:
        name: ``mylab.net:build``, found from the current folder or among what is installed.

    Raises:
        WiringError: a build that is missing, fails, or gives something else.
    """
    place, _, word = name.partition(":")
    if not all(part.isidentifier() for part in [*place.split("."), word]):
        raise WiringError(f"--torch {name}", "module:function with one colon", "write --torch mylab.net:build")
    build = getattr(imported(place, f"--torch {name}"), word, None)
    if not callable(build):
        raise WiringError(f"{place} has no function {word}", "a function that returns (model, inputs, loss)",
                          f"define {word}() in {place}")  # fmt: skip
    return audit_model(name, *_parts(name, build))


def _parts(name: str, build):
    built = _theirs(build)
    if not (isinstance(built, tuple) and len(built) == 3 and hasattr(built[0], "named_parameters") and callable(built[2])):
        raise WiringError(f"{name} gives {type(built).__name__}", "a tuple (model, inputs, loss) with a torch.nn.Module first",
                          "see docs/write-your-own-rule.md")  # fmt: skip
    return built


def audit_model(name: str, model, inputs, loss) -> Foreign:
    """Audit a model at hand; its parameters and buffers are as before afterwards.

    Raises:
        WiringError: the model or the loss fails, or the loss is no single number.
    """
    bench = _Bench(model, inputs if isinstance(inputs, tuple) else (inputs,), loss)
    found = Foreign(name)
    try:
        _question(bench, found)
    finally:
        bench.restore()
    return found


def _question(bench: _Bench, found: Foreign) -> None:
    value, gradients, held = bench.run()
    again = bench.run()[:2]
    if value != again[0] or _differing(gradients, again[1]):
        found.undecided = "two runs on one seed differ: make the model and the loss deterministic"
        return
    found.silent = [name for name, array in gradients.items() if array is None or not bool(array.any())]
    heard = {name: array for name, array in gradients.items() if name not in found.silent}
    for name in gradients:
        altered = bench.run(before=name, gradients=False)[0] != value
        (found.forward if altered else found.feedback).append(name)
    if len([name for name in found.forward if name in heard]) < 2:
        found.undecided = "fewer than two forward weights receive a gradient: there is nothing to compare"
    for name in found.forward:
        others = {other: array for other, array in heard.items() if other != name}
        for intervention, where in (({"after": name}, found.after), ({"before": name, "held": held}, found.before)):
            differing = _differing(others, bench.run(**intervention)[1])
            if differing:
                where[name] = differing


def _differing(wanted: dict, met: dict) -> list[str]:
    """Names whose arrays are not bit for bit the same."""
    return [name for name, array in wanted.items()
            if (array is None) != (met[name] is None) or (array is not None and not array.equal(met[name]))]  # fmt: skip


class _Bench:
    """A model that can be run again and again from one state and one seed."""

    def __init__(self, model, inputs: tuple, loss):
        self.torch = sys.modules.get("torch")
        if self.torch is None:
            raise WiringError("PyTorch was not imported by what built the model", "a torch.nn.Module",
                              "pip install 'neurosim[torch]', and import torch where the model is made")  # fmt: skip
        self.model, self.inputs, self.loss = model, inputs, loss
        self.parameters = dict(model.named_parameters())
        self._state = {name: array.detach().clone() for name, array in self._arrays().items()}

    def _arrays(self) -> dict:
        return {**self.parameters, **dict(self.model.named_buffers())}

    def restore(self) -> None:
        """Every parameter and buffer as it was built."""
        for name, array in self._arrays().items():
            array.data.copy_(self._state[name])
        for array in self.parameters.values():
            array.grad = None

    def _replace(self, name: str) -> None:
        """Random numbers of the same size instead of a parameter, in its place in memory."""
        array = self.parameters[name].data
        size = float(array.abs().mean()) or 1.0
        array.copy_(array.clone().uniform_(-2 * size, 2 * size))

    def run(self, before=None, after=None, held=None, gradients=True):
        """Forward and backward from the first state and seed.

        Args:
            before, after: a parameter to replace before or after the forward pass.
            held: outputs of an earlier run, to be laid over those of this one.
            gradients: also run backward.

        Returns:
            The loss, parameter name -> gradient or None, and every submodule's outputs in the order of the calls.
        """
        self.restore()
        self.torch.manual_seed(0)
        if before is not None:
            self._replace(before)
            self.torch.manual_seed(0)
        hold = _Hold(self.model, held)
        try:
            value = _theirs(lambda: self.loss(self.model(*self.inputs)))
        finally:
            hold.remove()
        if not (hasattr(value, "backward") and value.numel() == 1):
            raise WiringError(f"the loss gives {type(value).__name__}", "a tensor of one number", "return loss.sum()")
        if after is not None:
            self._replace(after)
        if gradients:
            _theirs(value.backward)
        found = {name: None if p.grad is None else p.grad.clone() for name, p in self.parameters.items()}
        return float(value.detach()), found, hold.outputs


class _Hold:
    """Keeps the outputs of all submodules, or lays kept ones over new ones: same graph, same numbers."""

    def __init__(self, model, held):
        self.outputs, self._held = [], held
        self._own = {p.data_ptr() for p in model.parameters()}
        self._hooks = [part.register_forward_hook(self._seen) for part in model.modules()]

    def _seen(self, part, inputs, output) -> None:
        for array in output if isinstance(output, tuple | list) else (output,):
            if not hasattr(array, "data_ptr"):
                continue
            if self._held is not None and len(self.outputs) < len(self._held) and array.data_ptr() not in self._own:
                kept = self._held[len(self.outputs)]
                if kept.shape == array.shape:
                    array.data.copy_(kept)
            self.outputs.append(array.detach().clone())

    def remove(self) -> None:
        for hook in self._hooks:
            hook.remove()


def _theirs(call):
    """Call code of the user's; what goes wrong there is told in one line with its place."""
    try:
        return call()
    except Exception as problem:
        frame = traceback.extract_tb(problem.__traceback__)[-1]
        raise WiringError(f"{type(problem).__name__}: {problem} ({frame.filename}, line {frame.lineno})",
                          "a model that runs forward and backward", "run it by itself first") from problem  # fmt: skip
