"""Where kernels come from: one namespace a device, with the functions and arguments of the reference."""

from functools import cache
from types import ModuleType

from neurosim.errors import DeviceError, WiringError

CLOSED = 4  # a winner's number where hardtanh is saturated: none of the four places receives the error
DEVICES = ("cpu", "gpu")
PRECISIONS = ("float32", "tf32", "float64")


def backend(device: str, precision: str = "float32") -> ModuleType:
    """The kernels of a device: a module with every function of `neurosim.kernels.reference`.

    Args:
        device: ``cpu``, ``gpu``, or ``reference`` for the naive float64 loops.
        precision: one of `PRECISIONS`; ``tf32`` is how a GPU computes products.

    Raises:
        WiringError: an unknown device, or tf32 without a GPU.
        DeviceError: no GPU where one was asked for; nothing falls back silently.
    """
    if precision == "tf32" and device != "gpu":
        raise WiringError(f"--precision tf32 with --device {device}", "a GPU, whose products it is about", "leave it out")
    if device == "cpu":
        from neurosim.kernels import cpu

        return cpu
    if device == "reference":
        from neurosim.kernels import reference

        return reference
    if device == "gpu":
        return _gpu(precision)
    raise WiringError(f"unknown device {device!r}", "one of " + ", ".join(DEVICES), "write --device cpu")


@cache  # one set of compiled kernels and of scratch for all who ask
def _gpu(precision: str):
    from neurosim.kernels.cuda import Cuda
    from neurosim.kernels.gpu import Gpu

    return Gpu(Cuda(precision))


def choose() -> tuple[str, str]:
    """The device that ``--device auto`` takes, and why: a GPU where one can be used."""
    try:
        return "gpu", backend("gpu").machine.name
    except DeviceError as problem:
        return "cpu", str(problem).split(";")[0].removeprefix("device gpu was asked for and ")
