"""A PyTorch model that can be run again and again from one state and one seed, with weights replaced or activities held."""

from __future__ import annotations

import contextlib
import copy
import functools
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from neurosim.audit.torch.tape import Made, Tape, listening, place
from neurosim.audit.torch.tensors import PLAIN, Reach
from neurosim.core.importing import failure
from neurosim.errors import WiringError

T = TypeVar("T")
Tensor = Any  # of PyTorch, which is not imported here
Changes = dict[str, Tensor | None]  # of each weight; None: it received none
PASSES = 2  # what one pass leaves behind shows in the next
WRAPPERS = ("DataParallel", "DistributedDataParallel")


@dataclass(frozen=True)
class Pass:
    """Two passes of a model, one after the other.

    Args:
        loss: its values.
        changes: of every weight: its gradient, or else what was added to it; both passes after one another.
        outputs: of the model, from the first.
        tapes: of both.
        ends: the losses, as tensors.
    """

    loss: list[float]
    changes: Changes
    outputs: list[Tensor]
    tapes: list[Tape]
    ends: list[Tensor]


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
        self.torch: Any = sys.modules.get("torch")
        if self.torch is None:
            raise WiringError(
                "PyTorch was not imported by what built the model",
                "a torch.nn.Module",
                "pip install 'neurosim[torch]', and import torch where the model is made",
            )
        self.model, self.inputs, self.loss = _unwrapped(model), inputs, loss
        reach = Reach(self.torch, self.model, loss, inputs)
        self.weights = reach.weights
        kept = (*PLAIN, self.torch.Tensor)
        self._spaces = [(each, {k: v for k, v in each.items() if isinstance(v, kept)}) for each in reach.spaces]
        self._optimisers = [(each, copy.deepcopy(each.state_dict())) for each in reach.optimisers]
        self._state = {name: array.detach().clone() for name, array in self.weights.items()}
        self._rest = [
            (b, b.detach().clone()) for b in self.model.buffers() if b.numel() < 2 or not b.is_floating_point()
        ]

    def restore(self) -> None:
        """Everything as it was built."""
        for name, array in self.weights.items():
            array.data.copy_(self._state[name])
            if array.is_leaf:
                array.grad = None
        for buffer, value in self._rest:
            buffer.data.copy_(value)
        for parameter in self.model.parameters():
            parameter.grad = None
        for space, values in self._spaces:
            space.update(values)
        for optimiser, state in self._optimisers:
            optimiser.load_state_dict(copy.deepcopy(state))

    def drawn(self, name: str, seed: int) -> Tensor:
        """Other numbers for a weight: its own in another order and other sizes, so that signs and zeros stay as likely."""
        torch, array = self.torch, self._state[name]
        generator = torch.Generator().manual_seed(seed)
        own = array.reshape(-1)
        if bool((own == own[0]).all()):
            size = float(own[0].abs()) or 1.0
            values = torch.rand(own.shape, generator=generator, dtype=own.dtype) * 2 * size
            return values.reshape(array.shape) * (1 if float(own[0]) > 0 else -1)
        order = torch.randperm(own.numel(), generator=generator)
        sizes = 0.5 + torch.rand(own.shape, generator=generator, dtype=own.dtype)
        return (own[order] * sizes).reshape(array.shape)

    def run(
        self,
        before: dict[str, Tensor] | None = None,
        after: dict[str, Tensor] | None = None,
        held: Pass | None = None,
    ) -> Pass:
        """Forward and backward, twice, from the first state and seed.

        Args:
            before: weights to replace before the first forward pass.
            after: weights to replace after the forward pass; there is no second one then.
            held: an earlier run, whose activities are put over those of this one.

        Raises:
            WiringError: the model or the loss fails, or the loss is no single number.
        """
        self.restore()
        for name, values in (before or {}).items():
            self.weights[name].data.copy_(values)
        losses, changes, tapes, ends = [], [], [], []
        outputs: list[Tensor] = []
        for number in range(1 if after else PASSES):
            at_first = {name: array.detach().clone() for name, array in self.weights.items()}
            first = held.tapes[number] if held else None
            tape, output, value = self._forward(number, first, first and held and held.ends[number], set(before or {}))
            for name, values in (after or {}).items():
                self.weights[name].data.copy_(values)
                at_first[name] = values
            if getattr(value, "requires_grad", False):
                call_theirs(value.backward)
            changes.append({name: self._change(name, at_first[name]) for name in self.weights})
            outputs = outputs or [t.detach().clone() for t in self.tensors(output)]
            losses.append(float(value.detach() if hasattr(value, "detach") else value))
            ends.append(value)
            tapes.append(tape)
            for array in (*self.weights.values(), *self.model.parameters()):
                array.grad = None
        joined = {name: self._joined([c[name] for c in changes]) for name in self.weights}
        return Pass(losses, joined, outputs, tapes, ends)

    def _forward(self, number: int, first: Tape | None, end: Tensor, replaced: set[str]) -> tuple[Tape, Any, Any]:
        """One forward pass and its loss: the tape, what the model gives, the loss."""
        tape = self._tape()
        seeded(self.torch, number)
        with self._eager(), listening(self.torch, tape, first, first.held([end], replaced) if first else None):
            output = call_theirs(functools.partial(self.model, *self.inputs))
            tape.of_model = len(tape.operations)
            value = call_theirs(functools.partial(self.loss, output))
        self._check(value)
        return tape, output, value

    def tensors(self, thing: Any) -> list[Tensor]:
        """The tensors of real numbers in what a model gives."""
        if isinstance(thing, self.torch.Tensor):
            return [thing] if thing.is_floating_point() and thing.layout is self.torch.strided else []
        inner = thing.values() if isinstance(thing, dict) else thing if isinstance(thing, list | tuple) else ()
        return [t for each in inner for t in self.tensors(each)]

    def forward(self, changed: dict[str, Tensor]) -> list[Tensor]:
        """What the model gives with some weights replaced; nothing learns."""
        self.restore()
        for name, values in changed.items():
            self.weights[name].data.copy_(values)
        seeded(self.torch, 0)
        with self._eager():
            return self.tensors(call_theirs(lambda: self.model(*self.inputs)))

    # -- inside

    def _tape(self) -> Tape:
        tape = Tape(named=self.weights)
        for name, array in self.weights.items():
            tape.made[place(array)] = Made(weights=frozenset([name]))
        for each in self.inputs:
            for array in _all_tensors(self.torch, each):
                tape.made[place(array)] = Made(driven=True)
        return tape

    def _eager(self) -> Any:
        """Whatever was compiled runs as it was written."""
        compiles = "torch._dynamo" in sys.modules and hasattr(self.torch.compiler, "set_stance")
        return self.torch.compiler.set_stance("force_eager") if compiles else contextlib.nullcontext()

    def _check(self, value: Any) -> None:
        if not (isinstance(value, self.torch.Tensor) and value.numel() == 1) and not isinstance(value, float):
            raise WiringError(f"the loss gives {type(value).__name__}", "a tensor of one number", "return loss.sum()")

    def _change(self, name: str, at_first: Tensor) -> Tensor | None:
        """The gradient of a weight, or what was added to it where it has none."""
        array = self.weights[name]
        gradient = array.grad if array.is_leaf else None
        if gradient is not None:
            return (gradient.to_dense() if gradient.layout is not self.torch.strided else gradient).detach().clone()
        moved = array.detach() - at_first
        return moved if bool(moved.any()) else None

    def _joined(self, changes: list[Tensor | None]) -> Tensor | None:
        shown = [c for c in changes if c is not None]
        if not shown:
            return None
        blank = self.torch.zeros_like(shown[0])
        return self.torch.stack([blank if c is None else c for c in changes])


def seeded(torch: Any, number: int) -> None:
    """The same random numbers in every run."""
    torch.manual_seed(number)
    random.seed(number)
    np.random.seed(number)  # noqa: NPY002  what a model may draw from


def _unwrapped(model: Any) -> Any:
    """The model inside what distributes or compiles it."""
    while True:
        kind = type(model)
        if kind.__name__ in WRAPPERS and kind.__module__.startswith("torch.nn.parallel"):
            model = model.module
        elif kind.__name__ == "OptimizedModule" and kind.__module__.startswith("torch._dynamo"):
            model = model._orig_mod
        else:
            return model


def _all_tensors(torch: Any, thing: Any) -> list[Tensor]:
    if isinstance(thing, torch.Tensor):
        return [thing] if thing.layout is torch.strided else []
    inner = thing.values() if isinstance(thing, dict) else thing if isinstance(thing, list | tuple) else ()
    return [t for each in inner for t in _all_tensors(torch, each)]


def call_theirs(call: Callable[[], T]) -> T:
    """Call code of the user's.

    Raises:
        WiringError: what goes wrong there, in one line with its place.
    """
    try:
        return call()
    except Exception as problem:
        raise WiringError(
            failure(problem),
            "a model that runs forward and backward",
            "run it by itself first",
        ) from problem
