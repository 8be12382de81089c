"""Buffers: named arrays, allocated once, that know their axes, their role and their owner."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from neurosim.core.roles import Role
from neurosim.errors import ShapeError, WiringError

ROLES = (
    "image", "activity", "forward weight", "feedback weight", "inverse weight", "prediction weight", "change",
    "plasticity", "memory", "error", "gate", "deformation", "noise", "value", "rate", "label",
)  # fmt: skip


class Buffer:
    """One array of the simulation, declared before it exists.

    The array is allocated at the first touch and stays at its place in memory. What a buffer marked ``local`` holds is
    needed only while a plan runs: the executor keeps a block of it a thread, or lends it memory that others use too.
    Of such a buffer nothing is left to look at, and `array` says so, unless a program was told to hold it.

    Args:
        name: unique within a network, as it stands in the equations: ``x2``, ``W3``, ``e5``.
        axes: one name an axis; ``sample`` first where there is one.
        shape: sizes, one an axis.
        role: one of `ROLES`.
        owner: the part that owns it, for messages and for the audit.
        dtype: of the elements.
        local: nobody looks at it once a plan has run.
        initial: values to start from, or a function that makes them at the first touch; zeros if None.

    Raises:
        ShapeError: not one name an axis, or a size below one.
    """

    def __init__(self, name, axes, shape, role, owner, dtype=np.float32, local=False, initial=None):
        if len(axes) != len(shape) or any(size < 1 for size in shape):
            raise ShapeError(f"buffer {name} has axes {axes} and shape {shape}", "one size of at least 1 an axis",
                             "check the network's sizes")  # fmt: skip
        if role not in ROLES:
            raise ValueError(f"buffer {name}: unknown role {role!r}")
        self.name, self.axes, self.shape = name, tuple(axes), tuple(int(size) for size in shape)
        self.role, self.owner, self.dtype, self.local = Role(role), owner, np.dtype(dtype), local
        self._initial, self._array, self._shared = initial, None, False

    start = 0  # first row of the base that a view shows
    machine = None  # where the array is: None for the host's memory, or a GPU

    @property
    def base(self) -> Buffer:
        """The buffer that owns the memory: itself, unless it is a view."""
        return self

    @property
    def array(self) -> np.ndarray:
        """The whole array; the same object at every call.

        Raises:
            WiringError: programs had memory that others use too lent for it, and none kept it.
        """
        if self._array is None:
            if self._shared:
                raise WiringError(f"{self.name} is not kept: its memory is used by other arrays of the same batch",
                                  "a program told to hold it", "bind the plan by Program(plan, kernels, hold=True)")  # fmt: skip
            self.own_storage()
        return self._array

    def own_storage(self) -> None:
        """Have an array of one's own from now on."""
        self._shared = False
        if self._array is None:
            self._array = (self.machine or np).zeros(self.shape, self.dtype)
            if self._initial is not None:
                self.put(self._initial() if callable(self._initial) else self._initial)
                self._initial = None

    def move(self, machine) -> None:
        """Bring the array, with what it holds, to a machine (see `neurosim.kernels.gpu`); None: to the host's memory."""
        if machine is not self.machine:
            held = None if self._array is None else self.host()
            self.machine, self._array = machine, None
            self._initial = self._initial if held is None else held

    def bind_storage(self, array: np.ndarray | None) -> np.ndarray | None:
        """Take an array of this shape for a while, None: give it back; returns what it had."""
        before, self._array, self._shared = self._array, array, True
        return before

    def put(self, values, rows: slice = slice(None)) -> None:
        """Write values of the host's memory into the array, wherever it is, or into some rows of it."""
        if self.machine is None:
            self.array[rows] = values
        else:
            self.machine.put(self.array[rows], values)

    def host(self) -> np.ndarray:
        """What the array holds, in the host's memory: the array itself, or a copy of what a GPU has."""
        return self.array if self.machine is None else self.machine.host(self.array)

    def fill(self, draw: Callable[[np.ndarray], object]) -> None:
        """Let ``draw`` write into an array of this shape in the host's memory, and take what it wrote."""
        if self.machine is None:
            draw(self.array)
        else:
            drawn = np.empty(self.shape, self.dtype)
            draw(drawn)
            self.put(drawn)

    @property
    def nbytes(self) -> int:
        """Bytes of the whole array, allocated or not."""
        return int(np.prod(self.shape)) * self.dtype.itemsize

    def part(self, name: str, start: int, stop: int, axis: str | None = None) -> View:
        """Rows ``start`` to ``stop`` of the first axis, as a view on the same memory; ``axis`` renames it."""
        return View(self, name, (axis or self.axes[0], *self.axes[1:]), (stop - start, *self.shape[1:]), start)

    def flat(self, axis: str = "presynaptic") -> View:
        """The same memory with every axis but the first folded into one named ``axis``."""
        return View(self, self.name, (self.axes[0], axis), (self.shape[0], int(np.prod(self.shape[1:]))))

    def line(self, axis: str = "synapse") -> View:
        """The same memory as one axis."""
        return View(self, self.name, (axis,), (int(np.prod(self.shape)),))

    def __repr__(self):
        sizes = " x ".join(f"{size} {axis}" for size, axis in zip(self.shape, self.axes, strict=True))
        return f"{self.name} ({self.role}, {sizes}, {self.dtype})"


class View(Buffer):
    """Some rows of a buffer, or a buffer folded to fewer axes: other sizes, the same memory."""

    def __init__(self, source: Buffer, name, axes, shape, start=0):
        self._source, self._first, self.start, self._seen = source, start, source.start + start, None
        super().__init__(name, axes, shape, source.role, source.owner, source.dtype)
        if start < 0 or (len(shape) == len(source.shape) and start + shape[0] > source.shape[0]):
            raise ShapeError(f"rows {start} to {start + shape[0]} of {source.name}", f"0 to {source.shape[0]}",
                             "check the number of rows")  # fmt: skip

    @property
    def base(self) -> Buffer:
        return self._source.base

    @property
    def machine(self):
        return self.base.machine

    @property
    def array(self) -> np.ndarray:
        whole = self._source.array
        if self._array is None or self._seen is not whole:
            rows = whole[self._first : self._first + self.shape[0]] if len(self.shape) == whole.ndim else whole
            assert rows.flags.c_contiguous, f"{self.name} would be a copy"
            self._array, self._seen = rows.reshape(self.shape), whole
        return self._array
