"""What a step does, and the functions behind it: the one file of the audit that knows how a step holds its kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from neurosim.core.kernel import Kind
from neurosim.core.roles import Role

if TYPE_CHECKING:
    from neurosim.core.backend import Backend
    from neurosim.core.step import Step

Function = Callable[..., Any]


def builtin(step: Step) -> bool:
    """Whether a step's kernel is one of this package, so that its kind is believed."""
    return step.kernel.builtin and step.kernel.kind is not None


def kernel_name(step: Step) -> str:
    """The name of a step's kernel."""
    return step.kernel.name


def callable_of(step: Step, kernels: Backend) -> Function:
    """The function that a step runs.

    Args:
        step: of a plan.
        kernels: of the device.

    Raises:
        WiringError: the kernel has no form for the device.
    """
    return kernels.bind(step.kernel)


def reference_of(step: Step) -> Function | None:
    """The specification of a step's kernel: naive loops; None for a kernel of somebody else's."""
    return step.kernel.form("reference") if step.kernel.builtin else None


def source_of(step: Step) -> Function:
    """The function to be read as the definition of a step: the specification, or the rule's own kernel."""
    return reference_of(step) or step.kernel.form("cpu")


def kind(step: Step) -> Kind:
    """What a step does: declared by a kernel of this package, otherwise judged by the roles of what it touches."""
    own = step.kernel.kind if builtin(step) else None
    return own or kind_by_roles(step)


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
