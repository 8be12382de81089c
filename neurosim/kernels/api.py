"""Where kernels come from: one namespace a device, with the functions and arguments of the reference."""

from types import ModuleType

from neurosim.errors import WiringError

CLOSED = 4  # a winner's number where hardtanh is saturated: none of the four places receives the error
DEVICES = ("cpu", "gpu")


def backend(device: str) -> ModuleType:
    """The kernels of a device: a module with every function of `neurosim.kernels.reference`.

    Args:
        device: ``cpu``, or ``reference`` for the naive float64 loops.

    Raises:
        WiringError: a device that this version cannot run on; nothing falls back silently.
    """
    if device == "cpu":
        from neurosim.kernels import cpu

        return cpu
    if device == "reference":
        from neurosim.kernels import reference

        return reference
    if device == "gpu":
        raise WiringError("device gpu was asked for and this version has no GPU kernels", "device cpu",
                          "leave --device out, or write --device cpu")  # fmt: skip
    raise WiringError(f"unknown device {device!r}", "one of " + ", ".join(DEVICES), "write --device cpu")
