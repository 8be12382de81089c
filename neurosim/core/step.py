"""Steps: one kernel and every array that it may touch, said before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from neurosim.core.arguments import Sizes
from neurosim.core.buffer import Buffer
from neurosim.core.kernel import Kernel
from neurosim.errors import ShapeError

_USES = {**{use: (use,) for use in ("reads", "writes", "updates", "sums")}, "changed": ("writes", "updates", "sums")}


@dataclass(frozen=True, eq=False)
class Step:
    """One kernel and every array that it may touch; what it may do with each is in the kernel's declaration.

    Args:
        kernel: what is computed.
        label: what happens, in the field's words: ``W3: x2 -> u3``.
        equation: the same as a formula, with the paper's symbols.
        arguments: argument name -> buffer. An optional argument is left out, or None.
        scalars: argument name -> a plain number, word or truth value.
        over: the axis along which rows do not depend on one another, so that the engine may cut it into blocks;
            None: the kernel wants whole arrays.
        rows: how many rows a block should hold; None: as many as fit the cache. Products with a large weight array
            want more, or they read the weights too often.

    Attributes:
        sizes: the sizes of the axes that the kernel's declaration names.

    Raises:
        WiringError: arguments other than the kernel declares, or work that cannot be cut along ``over``.
        ShapeError: sizes or types that the declaration does not allow.
    """

    kernel: Kernel
    label: str
    equation: str
    arguments: Mapping[str, Buffer | None]
    scalars: Mapping[str, object] = field(default_factory=dict)
    over: str | None = None
    rows: int | None = None
    buffers: Mapping[str, Buffer] = field(init=False)
    sizes: Sizes = field(init=False)
    _by_use: dict[str, dict[str, Buffer]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "buffers", {name: b for name, b in self.arguments.items() if b is not None})
        object.__setattr__(self, "sizes", self.kernel.fit(self.label, self.buffers, self.scalars, self.over))
        object.__setattr__(self, "_by_use", {word: self._used(*uses) for word, uses in _USES.items()})
        if self.over and len(self.extents) != 1:
            raise ShapeError(
                f"step {self.label!r} works over {self.over} with sizes {sorted(self.extents)}",
                "one size of that axis in all its buffers",
                "check which rows each buffer holds",
            )

    def _used(self, *uses: str) -> dict[str, Buffer]:
        return {name: b for name, b in self.buffers.items() if self.kernel.arguments[name].use in uses}

    @property
    def reads(self) -> Mapping[str, Buffer]:
        """Argument name -> buffer that is never changed."""
        return MappingProxyType(self._by_use["reads"])

    @property
    def writes(self) -> Mapping[str, Buffer]:
        """Argument name -> buffer that is wholly overwritten and never read before."""
        return MappingProxyType(self._by_use["writes"])

    @property
    def updates(self) -> Mapping[str, Buffer]:
        """Argument name -> buffer that is read and changed in place."""
        return MappingProxyType(self._by_use["updates"])

    @property
    def sums(self) -> Mapping[str, Buffer]:
        """Argument name -> buffer that receives the sum over ``over`` of what each row contributes."""
        return MappingProxyType(self._by_use["sums"])

    @property
    def changed(self) -> Mapping[str, Buffer]:
        """Argument name -> buffer that the kernel may change."""
        return MappingProxyType(self._by_use["changed"])

    @property
    def extents(self) -> set[int]:
        """The sizes of the axis ``over`` among the step's buffers."""
        return {b.shape[b.axes.index(self.over)] for b in self.buffers.values() if self.over in b.axes}

    @property
    def flops(self) -> int:
        """Additions and multiplications of products in one run on whole arrays."""
        return self.kernel.flops(self.sizes)

    @property
    def nbytes(self) -> int:
        """Bytes read and written when every buffer passes once through memory."""
        return sum(b.nbytes for b in self.buffers.values()) + sum(b.nbytes for b in self.updates.values())

    def __str__(self) -> str:
        return f"{self.label:40} {self.equation}"
