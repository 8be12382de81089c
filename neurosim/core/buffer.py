"""Buffers: named arrays, allocated once, that know their axes, their role and their owner."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from neurosim.core.device import Device
from neurosim.core.roles import Role
from neurosim.core.typing import Array
from neurosim.errors import ShapeError, WiringError


class Buffer:
    """One array of the simulation, declared before it exists.

    The array is allocated at the first touch and stays at its place in memory. What a buffer marked ``local`` holds is
    needed only while a plan runs: the engine has a block of it for each thread, or uses memory that other arrays use too.
    Of such a buffer nothing is left to look at, and `array` refuses, unless a program was asked to hold it.

    Args:
        name: unique within a network, as it stands in the equations: ``x2``, ``W3``, ``e5``.
        axes: one name an axis; ``sample`` first where there is one.
        shape: sizes, one an axis.
        role: one of `neurosim.core.roles.Role`, or its value.
        owner: the part that owns it, for messages and for the audit.
        dtype: of the elements.
        local: nobody looks at it once a plan has run.
        lasts: it holds its values from batch to batch: weights, traces, memory.
        given: its values are set from outside before every run, or are initial and constant; no step makes them.
        initial: values to start from, or a function that makes them at the first touch; zeros if None.

    Attributes:
        device: where the array is: None for the host's memory, or a GPU.

    Raises:
        ShapeError: not one name an axis, or a size below one.
        WiringError: an unknown role, or an array that lasts and whose role cannot.
    """

    def __init__(
        self,
        name: str,
        axes: Sequence[str],
        shape: Sequence[int],
        role: Role | str,
        owner: str,
        dtype: Any = np.float32,
        local: bool = False,
        lasts: bool = False,
        given: bool = False,
        initial: Any = None,
    ):
        if len(axes) != len(shape) or any(size < 1 for size in shape):
            raise ShapeError(
                f"buffer {name} has axes {tuple(axes)} and shape {tuple(shape)}",
                "one size of at least 1 an axis",
                "check the network's sizes",
            )
        if role not in list(Role):
            raise WiringError(f"buffer {name} has the role {role!r}", f"one of {', '.join(Role)}", "take one of them")
        self.role = Role(role)
        if lasts and not self.role.may_last:
            last = ", ".join(each for each in Role if each.may_last)
            raise WiringError(f"buffer {name} lasts and has the role {self.role}", f"one of {last}", "take one of them")
        self.name, self.axes, self.shape = name, tuple(axes), tuple(int(size) for size in shape)
        self.owner, self.dtype = owner, np.dtype(dtype)
        self.local, self.lasts, self.given = local, lasts, given
        self._initial = initial
        self._array: Any = None
        self._shared = False
        self._device: Device | None = None

    start = 0  # first row of the base that a view shows

    @property
    def device(self) -> Device | None:
        """Where the array is: None for the host's memory, or a GPU."""
        return self._device

    @property
    def base(self) -> Buffer:
        """The buffer that owns the memory: itself, unless it is a view."""
        return self

    @property
    def rows(self) -> range:
        """The rows of the base that it covers."""
        return range(self.shape[0])

    @property
    def array(self) -> Any:
        """The whole array; the same object at every call.

        Raises:
            WiringError: programs used memory for it that other arrays use too, and none holds it.
        """
        if self._array is None:
            if self._shared:
                raise WiringError(
                    f"{self.name} is not held: its memory is used by other arrays of the same batch",
                    "a program asked to hold it",
                    "bind the plan by Program(plan, backend, hold=True)",
                )
            self.own_storage()
        return self._array

    def own_storage(self) -> None:
        """Have an array of its own from now on."""
        self._shared = False
        if self._array is None:
            self._array = (self.device or np).zeros(self.shape, self.dtype)
            if self._initial is not None:
                self.put(self._initial() if callable(self._initial) else self._initial)
                self._initial = None

    def move(self, device: Device | None) -> None:
        """Bring the array, with what it holds, to a device; None: to the host's memory."""
        if device is not self.device:
            held = None if self._array is None else self.host()
            self._device, self._array = device, None
            self._initial = self._initial if held is None else held

    def bind_storage(self, array: Any) -> Any:
        """Use an array of this shape for a while, None: no longer; returns what it had."""
        before, self._array, self._shared = self._array, array, True
        return before

    def put(self, values: Any, rows: slice = slice(None)) -> None:
        """Write values of the host's memory into the array, wherever it is, or into some rows of it."""
        if self.device is None:
            self.array[rows] = values
        else:
            self.device.put(self.array[rows], values)

    def host(self) -> Array:
        """What the array holds, in the host's memory: the array itself, or a copy of what a GPU has."""
        found: Array = self.array if self.device is None else self.device.host(self.array)
        return found

    def fill(self, draw: Callable[[Array], object]) -> None:
        """Let ``draw`` write into an array of this shape in the host's memory, and use what it wrote."""
        if self.device is None:
            draw(self.array)
        else:
            drawn = np.empty(self.shape, self.dtype)
            draw(drawn)
            self.put(drawn)

    @property
    def nbytes(self) -> int:
        """Bytes of the whole array, allocated or not."""
        return int(np.prod(self.shape)) * int(self.dtype.itemsize)

    def part(self, name: str, start: int, stop: int, axis: str | None = None) -> View:
        """Rows ``start`` to ``stop`` of the first axis, as a view on the same memory; ``axis`` renames it."""
        return View(self, name, (axis or self.axes[0], *self.axes[1:]), (stop - start, *self.shape[1:]), start)

    def flat(self, axis: str = "presynaptic") -> View:
        """The same memory with every axis but the first folded into one named ``axis``."""
        return View(self, self.name, (self.axes[0], axis), (self.shape[0], int(np.prod(self.shape[1:]))))

    def line(self, axis: str = "synapse") -> View:
        """The same memory as one axis."""
        return View(self, self.name, (axis,), (int(np.prod(self.shape)),))

    def __repr__(self) -> str:
        sizes = " x ".join(f"{size} {axis}" for size, axis in zip(self.shape, self.axes, strict=True))
        return f"{self.name} ({self.role}, {sizes}, {self.dtype})"


class View(Buffer):
    """Some rows of a buffer, or a buffer folded to fewer axes: other sizes, the same memory.

    Args:
        source: whose memory it is.
        name, axes, shape: as for `Buffer`.
        start: first row of the source that it shows, where it has as many axes as the source.

    Raises:
        ShapeError: rows that the source has not.
    """

    def __init__(self, source: Buffer, name: str, axes: Sequence[str], shape: Sequence[int], start: int = 0):
        self._source, self._first, self.start = source, start, source.start + start
        self._seen: Any = None
        super().__init__(
            name, axes, shape, source.role, source.owner, source.dtype, lasts=source.lasts, given=source.given
        )
        self._some = len(self.shape) == len(source.shape)  # of the source's rows; else all, folded
        if start < 0 or (self._some and start + self.shape[0] > source.shape[0]):
            raise ShapeError(
                f"rows {start} to {start + self.shape[0]} of {source.name}",
                f"0 to {source.shape[0]}",
                "check the number of rows",
            )

    @property
    def base(self) -> Buffer:
        return self._source.base

    @property
    def device(self) -> Device | None:
        return self.base.device

    @property
    def rows(self) -> range:
        if not self._some:
            return self._source.rows
        first = self._source.rows.start + self._first
        return range(first, first + self.shape[0])

    @property
    def array(self) -> Any:
        whole = self._source.array
        if self._array is None or self._seen is not whole:
            rows = whole[self._first : self._first + self.shape[0]] if self._some else whole
            assert rows.flags.c_contiguous, f"{self.name} would be a copy"
            self._array, self._seen = rows.reshape(self.shape), whole
        return self._array
