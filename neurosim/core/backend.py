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


class Backend:
    """Gives each kernel's form for one device.

    Args:
        name: ``reference``, ``cpu`` or ``gpu``.
        gpu: what the forms of a GPU are given first; None for the host.
    """

    def __init__(self, name: str, gpu: Repeater | None = None):
        self.name, self.gpu = name, gpu

    @property
    def device(self) -> Device | None:
        """Where its arrays are; None: the host's memory."""
        return None if self.gpu is None else self.gpu.device

    def bind(self, kernel: Kernel) -> Callable[..., Any]:
        """The kernel's form, to be called with the arguments that it declares.

        Raises:
            WiringError: the kernel has no form for this device.
        """
        form = kernel.form(self.name)
        return form if self.gpu is None else partial(form, self.gpu)
