"""Backends: which form of the kernels runs, and where the arrays are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from neurosim.core.device import Device
from neurosim.core.kernel import Kernel


class Repeater(Protocol):
    """What a GPU's forms are given first: it launches, and repeats what was launched before."""

    @property
    def device(self) -> Device:
        """Where the arrays are."""
        ...

    def clear(self, total: Any) -> None:
        """0 everywhere."""
        ...

    def repeat(self, who: object, work: Callable[[], None]) -> None:
        """Run work that launches the same at every run."""
        ...


class Compiler(Protocol):
    """What compiled forms are given first: it makes machine code of a loop over arrays and numbers."""

    def takes(self, kernel: Kernel) -> bool:
        """Whether a kernel's compiled form is used."""
        ...

    def __call__(self, loop: Callable[..., None]) -> Callable[..., None]:
        """The loop, compiled."""
        ...


class Backend:
    """Gives each kernel's form for one device.

    Args:
        name: ``reference``, ``cpu`` or ``gpu``.
        gpu: what the forms of a GPU are given first; None for the host.
        compiler: what compiled forms are given first; None: they are not used.
    """

    def __init__(self, name: str, gpu: Repeater | None = None, compiler: Compiler | None = None):
        self.name, self.gpu, self.compiler = name, gpu, compiler

    @property
    def device(self) -> Device | None:
        """Where its arrays are; None: the host's memory."""
        return None if self.gpu is None else self.gpu.device

    def bind(self, kernel: Kernel) -> Callable[..., Any]:
        """The kernel's form, to be called with the arguments that it declares.

        Raises:
            WiringError: the kernel has no form for this device.
        """
        if self.compiler is not None and self.compiler.takes(kernel):
            return partial(kernel.form("compiled"), self.compiler)
        form = kernel.form(self.name)
        return form if self.gpu is None else partial(form, self.gpu)
