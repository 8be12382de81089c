"""What a step does, and the functions behind it: the one file of the audit that knows how a step holds its kernel."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from neurosim.core.kernel import Kind
from neurosim.core.plan import Step
from neurosim.core.roles import Role
from neurosim.errors import WiringError
from neurosim.kernels import reference

Function = Callable[..., Any]
_BY_KIND = {
    Kind.SEE: "deform deform_simclr present",
    Kind.TRANSMIT: "convolve convolve_local upconvolve dense add_bias predict",
    Kind.RESPOND: "activate pool average add_noise",
    Kind.COMPARE: "hinge_all hinge_lags hinge_mean positive nt_xent barlow gaze clapp mismatch",
    Kind.DELIVER: "deliver_convolution deliver_dense deliver_local deliver_prediction",
    Kind.GATE: "gate gate_pooled aim correct_target spread",
    Kind.HEBBIAN: "hebbian_convolution hebbian_dense hebbian_bias hebbian_local hebbian_prediction hebbian_upconvolution",
    Kind.PLASTICITY: "sgd momentum signum adam",
    Kind.SEND: "send_sign",
    Kind.STORE: "push",
    Kind.COUNT: "tick",
}
KINDS = {name: kind for kind, names in _BY_KIND.items() for name in names.split()}


def builtin(step: Step) -> bool:
    """Whether a step's kernel is one of this package, so that its kind is known."""
    return step.function is None and step.kernel in KINDS


def kernel_name(step: Step) -> str:
    """The name of a step's kernel."""
    return step.kernel


def kernel_key(step: Step) -> Hashable:
    """The same for two steps exactly where they run the same kernel."""
    return step.kernel, step.function


def callable_of(step: Step, kernels: Any) -> Function:
    """The function that a step runs.

    Args:
        step: of a plan.
        kernels: the backend that has the package's kernels.

    Raises:
        WiringError: no such kernel.
    """
    function = step.function or getattr(kernels, step.kernel, None)
    if function is None:
        raise WiringError(
            f"step {step.label!r} asks for the kernel {step.kernel}", "one that the kernels have", "check its name"
        )
    return function


def reference_of(step: Step) -> Function | None:
    """The specification of a step's kernel: naive loops; None for a kernel of somebody else's without one."""
    return None if step.function is not None else getattr(reference, step.kernel, None)


def source_of(step: Step) -> Function:
    """The function to be read as the definition of a step: the specification, or the rule's own kernel."""
    return reference_of(step) or callable_of(step, reference)


def kind(step: Step) -> Kind:
    """What a step does: declared by a kernel of this package, otherwise judged by the roles of what it touches."""
    return KINDS[step.kernel] if builtin(step) else kind_by_roles(step)


def kind_by_roles(step: Step) -> Kind:
    """What a step does, judged by the roles of what it reads and changes; no name is believed."""
    changed = {b.role for b in step.changed.values()}
    if any(b.role.is_weight for b in step.updates.values()):
        return Kind.PLASTICITY
    if any(role.is_weight for role in changed):
        return Kind.SEND
    for role, kind in ((Role.CHANGE, Kind.HEBBIAN), (Role.PLASTICITY, Kind.COUNT), (Role.MEMORY, Kind.STORE)):
        if role in changed:
            return kind
    read = {b.role for b in (*step.reads.values(), *step.updates.values())}
    weighted = any(role.is_weight for role in read)
    if Role.ERROR in changed:
        return Kind.DELIVER if weighted else Kind.GATE if Role.ERROR in read else Kind.COMPARE
    if changed & {Role.ACTIVITY, Role.GATE, Role.IMAGE}:
        return Kind.TRANSMIT if weighted else Kind.RESPOND
    return Kind.OTHER
