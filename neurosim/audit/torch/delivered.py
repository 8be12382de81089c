"""Errors as they are delivered, beside those that transported weights would deliver.

Random errors are put at a model's output. What a weight receives then is a linear map of them; what it would receive if every
error came down through the forward weights is another, and can be measured by moving the weight a little and watching the
output. Feedback that is its own stands at chance to that map, whatever the signs and sizes of its numbers are: chance is what
the forward weights give when their numbers are put in another order. A copy, wherever it lies and however it is hidden, does
not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.audit.symmetry.chance import pearson
from neurosim.audit.torch.replay import call_theirs, seeded

if TYPE_CHECKING:
    from neurosim.audit.torch.replay import Pass, Replay
    from neurosim.core.typing import Array

Tensor = Any  # of PyTorch, which is not imported here
ERRORS, MOVES, DRAWS = 24, 16, 12
STEP = 1e-3  # of the size of a weight
SURE, NEAR = 8.0, 0.97  # standard deviations of chance; a correlation that few numbers do not reach by chance
LEAST = 0.2  # a correlation below this is no copy


class Delivered:
    """Compares what weights receive with what transported weights would give them.

    Args:
        replay: of the model.
        first: a run of it.
    """

    def __init__(self, replay: Replay, first: Pass):
        self.replay, self.first, self.torch = replay, first, replay.torch
        self.rng = np.random.default_rng(0)
        self._drawn: dict[int, Array] = {}

    def answer(self, weights: list[str], forward: list[str]) -> dict[str, tuple[str, float, float]]:
        """Weights that receive what only transported weights deliver: name -> a weight above, the correlation, chance's.

        Args:
            weights: that learn.
            forward: of which some may stand above them.
        """
        if not getattr(self.first.ends[0], "requires_grad", False):
            return {}  # its loss teaches it in a way of its own
        received = self._received()
        if received is None:
            return {}
        found = {}
        for name in weights:
            above = sorted(set(forward) & self.first.tapes[0].above(name) - {name}, key=self._rank)
            got = received.get(name)
            if not above or got is None or not got.any():
                continue
            moves = [self._random(self.replay.weights[name].shape) for _ in range(MOVES)]
            delivered = self._map(got, moves)
            own = pearson(delivered, self._moved(name, moves, {}))
            chance = []
            for draw in range(DRAWS):
                other = {each: self._reordered(each, draw) for each in above}
                chance.append(pearson(delivered, self._moved(name, moves, other)))
            mean, spread = float(np.mean(chance)), float(np.std(chance))
            sure = abs(own) > LEAST and abs(own - mean) > SURE * max(spread, 0.01)
            if sure or (abs(own) > NEAR and max(map(abs, chance)) < 0.85):
                found[name] = (above[0], own, mean + spread)
        return found

    def _rank(self, name: str) -> tuple[bool, str]:
        """A matrix before a bias, which carries nothing on."""
        return self.replay.weights[name].dim() < 2, name

    def _received(self) -> dict[str, Array] | None:
        """Weight -> what it receives for each of the errors: ``(error, number of the weight)``; None: errors cannot be put."""
        gradients: dict[str, list[Array]] = {}
        for number in range(ERRORS):
            self.replay.restore()
            seeded(self.torch, 0)
            outputs = self.replay.tensors(call_theirs(lambda: self.replay.model(*self.replay.inputs)))
            errors = [self._error(number, k, t) for k, t in enumerate(outputs)]
            taught = [k for k, t in enumerate(outputs) if t.requires_grad]
            if not taught:
                return None
            try:
                self.torch.autograd.backward([outputs[k] for k in taught], [errors[k] for k in taught])
            except RuntimeError:  # a model that only its own loss can teach
                return None
            for name, array in self.replay.weights.items():
                gradient = array.grad if array.is_leaf else None
                if gradient is not None:
                    dense = gradient.to_dense() if gradient.layout is not self.torch.strided else gradient
                    gradients.setdefault(name, []).append(dense.detach().double().numpy().ravel().copy())
        self.replay.restore()
        return {name: np.array(each) for name, each in gradients.items() if len(each) == ERRORS}

    def _error(self, number: int, place: int, output: Tensor) -> Tensor:
        return self.torch.from_numpy(np.asarray(self._errors(place, tuple(output.shape))[number])).to(output.dtype)

    def _errors(self, place: int, shape: tuple[int, ...]) -> Array:
        """All errors at one of the outputs."""
        if place not in self._drawn:
            self._drawn[place] = np.random.default_rng(place).normal(size=(ERRORS, *shape))
        return self._drawn[place]

    def _random(self, shape: Any) -> Array:
        return self.rng.normal(size=tuple(shape))

    def _map(self, received: Array, moves: list[Array]) -> Array:
        return np.array([[float(row @ move.ravel()) for move in moves] for row in received])

    def _moved(self, name: str, moves: list[Array], other: dict[str, Tensor]) -> Array:
        """How the outputs, weighted by the errors, move with a weight: ``(error, move)``."""
        weight = self.replay._state[name]
        size = STEP * (float(weight.abs().mean()) or 1.0)
        found = np.empty((ERRORS, len(moves)))
        for column, move in enumerate(moves):
            step = self.torch.from_numpy(move * size).to(weight.dtype)
            up = self.replay.forward({name: weight + step, **other})
            down = self.replay.forward({name: weight - step, **other})
            found[:, column] = 0
            for place, (a, b) in enumerate(zip(up, down, strict=True)):
                slope = np.asarray((a.detach().double() - b.detach().double()).numpy()) / (2 * size)
                found[:, column] += self._errors(place, slope.shape).reshape(ERRORS, -1) @ slope.ravel()
        return found

    def _reordered(self, name: str, draw: int) -> Tensor:
        array = self.replay._state[name]
        generator = self.torch.Generator().manual_seed(1000 + draw)
        return array.reshape(-1)[self.torch.randperm(array.numel(), generator=generator)].reshape(array.shape)
