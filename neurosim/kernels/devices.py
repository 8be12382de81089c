"""Backends by name: the forms of all kernels for one device."""

from __future__ import annotations

from functools import cache

from neurosim.core.backend import Backend
from neurosim.errors import WiringError

DEVICES = ("cpu", "gpu")
PRECISIONS = ("float32", "tf32", "float64")


def backend(device: str, precision: str = "float32") -> Backend:
    """The backend of a device.

    Args:
        device: ``cpu``, ``gpu``, or ``reference`` for the naive float64 loops.
        precision: one of `PRECISIONS`; ``tf32`` is how a GPU computes products.

    Raises:
        WiringError: an unknown device, or tf32 without a GPU.
        DeviceError: no GPU where one was asked for; nothing falls back silently.
    """
    if precision == "tf32" and device != "gpu":
        raise WiringError(
            f"precision tf32 with device {device}", "a GPU, whose products it is about", "leave it out", "precision"
        )
    if device == "gpu":
        return _gpu(precision)
    if device not in ("cpu", "reference"):
        raise WiringError(f"unknown device {device!r}", "one of " + ", ".join(DEVICES), "write device cpu", "device")
    return Backend(device)


@cache  # one set of compiled functions and of workspace for all who ask
def _gpu(precision: str) -> Backend:
    from neurosim.kernels.cuda import Cuda
    from neurosim.kernels.gpu import Gpu

    return Backend("gpu", Gpu(Cuda(precision)))
