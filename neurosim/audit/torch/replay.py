"""A PyTorch model that can be run again and again from one state and one seed, with weights replaced or outputs held."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from neurosim.errors import WiringError

T = TypeVar("T")
Tensor = Any  # of PyTorch, which is not imported here
Gradients = dict[str, Tensor | None]  # of each parameter; None: it received none


@dataclass(frozen=True)
class Pass:
    """One pass of a model.

    Args:
        loss: its value.
        gradients: of every parameter.
        outputs: of every submodule, in the order of the calls.
    """

    loss: float
    gradients: Gradients
    outputs: list[Tensor]


class Replay:
    """Runs a model from the state in which it was built.

    Args:
        model: a ``torch.nn.Module``.
        inputs: what it is called with.
        loss: from its output to one number.

    Raises:
        WiringError: PyTorch was not imported by what built the model.
    """

    def __init__(self, model: Any, inputs: tuple[Any, ...], loss: Callable[[Any], Any]):
        self.torch = sys.modules.get("torch")
        if self.torch is None:
            raise WiringError(
                "PyTorch was not imported by what built the model",
                "a torch.nn.Module",
                "pip install 'neurosim[torch]', and import torch where the model is made",
            )
        self.model, self.inputs, self.loss = model, inputs, loss
        self.parameters: dict[str, Tensor] = dict(model.named_parameters())
        self._state = {name: array.detach().clone() for name, array in self._arrays().items()}

    def _arrays(self) -> dict[str, Tensor]:
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

    def run(
        self,
        before: str | None = None,
        after: str | None = None,
        held: list[Tensor] | None = None,
        gradients: bool = True,
    ) -> Pass:
        """Forward and backward from the first state and seed.

        Args:
            before: a parameter to replace before the forward pass.
            after: a parameter to replace after it.
            held: outputs of an earlier run, to be copied over those of this one.
            gradients: also run backward.

        Raises:
            WiringError: the model or the loss fails, or the loss is no single number.
        """
        self.restore()
        self.torch.manual_seed(0)  # type: ignore[union-attr]
        if before is not None:
            self._replace(before)
            self.torch.manual_seed(0)  # type: ignore[union-attr]
        outputs = _Outputs(self.model, held)
        try:
            value = call_theirs(lambda: self.loss(self.model(*self.inputs)))
        finally:
            outputs.remove_hooks()
        if not (hasattr(value, "backward") and value.numel() == 1):
            raise WiringError(f"the loss gives {type(value).__name__}", "a tensor of one number", "return loss.sum()")
        if after is not None:
            self._replace(after)
        if gradients:
            call_theirs(value.backward)
        found = {name: None if p.grad is None else p.grad.clone() for name, p in self.parameters.items()}
        return Pass(float(value.detach()), found, outputs.outputs)


class _Outputs:
    """Keeps the outputs of all submodules, or copies earlier ones over new ones: same graph, same numbers."""

    def __init__(self, model: Any, held: list[Tensor] | None):
        self.outputs: list[Tensor] = []
        self._held = held
        self._own = {p.data_ptr() for p in model.parameters()}
        self._hooks = [part.register_forward_hook(self._after_call) for part in model.modules()]

    def _after_call(self, part: Any, inputs: Any, output: Any) -> None:
        for array in output if isinstance(output, tuple | list) else (output,):
            if not hasattr(array, "data_ptr"):
                continue
            if self._held is not None and len(self.outputs) < len(self._held) and array.data_ptr() not in self._own:
                earlier = self._held[len(self.outputs)]
                if earlier.shape == array.shape:
                    array.data.copy_(earlier)
            self.outputs.append(array.detach().clone())

    def remove_hooks(self) -> None:
        """Leave the model as it was."""
        for hook in self._hooks:
            hook.remove()


def call_theirs(call: Callable[[], T]) -> T:
    """Call code of the user's.

    Raises:
        WiringError: what goes wrong there, in one line with its place.
    """
    try:
        return call()
    except Exception as problem:
        frame = traceback.extract_tb(problem.__traceback__)[-1]
        raise WiringError(
            f"{type(problem).__name__}: {problem} ({frame.filename}, line {frame.lineno})",
            "a model that runs forward and backward",
            "run it by itself first",
        ) from problem
