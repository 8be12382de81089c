"""Synapses: the sole owners of weights, changed by outer products of stored activities and by nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.core.buffer import Buffer, View
from neurosim.core.roles import Role
from neurosim.core.step import Step
from neurosim.kernels.convolution import hebbian_convolution
from neurosim.kernels.dense import hebbian_bias, hebbian_dense
from neurosim.kernels.inverse import hebbian_upconvolution
from neurosim.kernels.local import hebbian_local

if TYPE_CHECKING:
    from neurosim.core.typing import Array
    from neurosim.plasticity.base import Plasticity

CONVOLUTION = ("tap_row", "tap_column", "in", "out")
DENSE = ("presynaptic", "postsynaptic")
LOCAL = ("row", "column", *CONVOLUTION)
PREDICTION = ("row", "in", "out")


def widens(pre: Buffer, post: Buffer) -> bool:
    """Whether a convolution leads from a map ``(sample, row, column, channel)`` to one of twice its rows and columns."""
    return len(pre.shape) == len(post.shape) == 4 and post.shape[1] == 2 * pre.shape[1]


class Synapse:
    """One weight array: ``(tap, tap, in, out)`` shared over places, the same for each place, or ``(presynaptic, postsynaptic)``.

    Initial weights: uniform in +-1/sqrt(fan in), drawn from a generator of the array's own. ``(1, postsynaptic)`` is
    the bias of units that all receive from one unit whose activity is constantly one.

    Args:
        name: as in the equations: ``W3``, ``H3``, ``B3``.
        shape: four sizes for a convolution, six (row and column first) for an untied layer, two for a dense projection,
            three for predictions: one matrix a row of patches.
        role: one of the weights' roles.
        seed: seeds of the generator.
        plasticity: of its changes; None for weights that never change.
        dtype: of the weights.
        gain: multiplies the initial weights; the bound, in which signum counts its rate, stays.
        fan_in: of the postsynaptic unit; None: as many as the array has. A bias shares the fan in of the weights beside it.
    """

    def __init__(
        self,
        name: str,
        shape: Sequence[int],
        role: Role | str,
        seed: Sequence[int],
        plasticity: Plasticity | None = None,
        dtype: Any = np.float32,
        gain: float = 1.0,
        fan_in: int | None = None,
    ):
        self.name, self.shape, self.dtype, self.plasticity = name, tuple(shape), dtype, plasticity
        self.axes = {2: DENSE, 3: PREDICTION, 4: CONVOLUTION, 6: LOCAL}[len(shape)]
        self.fan_in = fan_in or int(np.prod(shape[:-1][-3:] if len(shape) != 3 else shape[1]))
        self.bound = 1 / np.sqrt(self.fan_in)
        bound = gain * self.bound

        def draw() -> Array:
            return np.random.default_rng(seed).uniform(-bound, bound, self.shape)

        self.weight = Buffer(name, self.axes, shape, role, name, dtype, lasts=True, initial=draw)
        self._index: Buffer | None = None
        if plasticity is not None:
            self.change = Buffer(f"d{name}", self.axes, shape, Role.CHANGE, name, dtype)
            self.learn_by(plasticity)

    def learn_by(self, plasticity: Plasticity) -> None:
        """Learn by a plasticity from now on, before a plan is made: with new traces."""
        self.plasticity = plasticity
        self.state = plasticity.state(self.name, self.shape, self.axes, self.dtype)

    def rescale(self, gain: float) -> None:
        """Multiply the initial weights and their bound, before anything is learned and before a plan is made."""
        self.bound *= gain
        self.weight.array[...] *= self.weight.dtype.type(gain)

    def hebbian(self, pre: Buffer, post: Buffer) -> Iterator[Step]:
        """The only way to change: ``c = sum of presynaptic activity x postsynaptic factor``, one a sample and place.

        Args:
            pre: stored activity ``(sample, row, column, channel)``, or ``(sample, presynaptic)``; ``(one,)`` for a bias.
            post: stored factor delta of the population above, of the same samples.
        """
        equation = f"d{self.name} = sum {pre.name} (x) {post.name}"
        label, arguments = f"{self.name} sums its outer products", {"pre": pre, "post": post, "change": self.change}
        kernel, over = hebbian_dense, "presynaptic"
        if self.axes is LOCAL:
            kernel, over, arguments = hebbian_local, "row", self._places(pre, post)
        elif "sample" not in pre.axes:  # the constant unit: the same for every view
            kernel, over = hebbian_bias, "sample"
        elif self.axes is CONVOLUTION:
            kernel, over = hebbian_upconvolution if widens(pre, post) else hebbian_convolution, "sample"
        yield Step(kernel, label, equation, arguments, over=over)

    def _places(self, pre: Buffer, post: Buffer) -> dict[str, Buffer]:
        """An untied layer's arguments: cut into rows of places, so that no lane holds an array of changes of its own."""
        rows = post.shape[post.axes.index("row")]
        if self._index is None:
            self._index = Buffer(
                f"rows {self.name}",
                ("row",),
                (rows,),
                Role.VALUE,
                self.name,
                np.int64,
                given=True,
                initial=np.arange(rows),
            )
        seen = View(pre, pre.name, ("sample", "row_seen", "column", "channel"), pre.shape)
        shape = (rows, self.shape[0] // rows, *self.shape[1:])
        change = View(self.change, self.change.name, ("row", "row_of_window", *LOCAL[1:]), shape)
        return {"pre": seen, "post": post, "index": self._index, "change": change}

    def consolidate(self) -> Iterator[Step]:
        """Turn the summed outer products into a lasting change."""
        assert self.plasticity is not None
        yield from self.plasticity.consolidate(self.name, self.weight, self.change, self.state, self.bound)
