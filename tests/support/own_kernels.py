"""Steps with a kernel of a test's own: every test of the audit that lies to it, or stands beside it, makes them here."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from neurosim.core.buffer import Buffer
from neurosim.core.kernel import Kernel
from neurosim.core.plan import Plan
from neurosim.core.step import Step
from neurosim.parts.feedback import send_sign

Buffers = Mapping[str, Buffer]
KERNELS: dict[str, Kernel] = {kernel.name: kernel for kernel in (send_sign,)}


def own_step(
    name: str,
    function: Callable[..., Any],
    label: str,
    equation: str,
    reads: Buffers | None = None,
    writes: Buffers | None = None,
    updates: Buffers | None = None,
    sums: Buffers | None = None,
    scalars: Mapping[str, object] | None = None,
    over: str | None = None,
) -> Step:
    """A step that runs ``function`` on what it declares.

    Args:
        name: of the kernel.
        function: takes every argument and scalar by name; it may do more, or other things, than is declared. What may be
            left out is None by default.
        label: of the step.
        equation: of the step.
        reads: argument -> buffer, as of `neurosim.core.step.Step`.
        writes: argument -> buffer.
        updates: argument -> buffer.
        sums: argument -> buffer.
        scalars: name -> value.
        over: axis along which the work may be cut.
    """
    uses = {"reads": reads or {}, "writes": writes or {}, "updates": updates or {}, "sums": sums or {}}
    declared = {use: dict.fromkeys(buffers, "*") for use, buffers in uses.items()}
    given = {*(scalars or {}), *(argument for buffers in uses.values() for argument in buffers)}
    optional = [p.name for p in inspect.signature(function).parameters.values() if p.default is None]
    declared["reads"] |= {argument: "?*" for argument in optional if argument not in given}
    kernel = Kernel(name, **declared, scalars=tuple(scalars or {}))
    kernel.cpu(function)
    arguments = {argument: buffer for buffers in uses.values() for argument, buffer in buffers.items()}
    return Step(kernel, label, equation, arguments, scalars or {}, over)


def sent_of(function: Callable[[Any], Any]) -> Callable[..., None]:
    """A kernel that makes ``sent`` of ``weight``."""

    def kernel(weight: Any, sent: Any) -> None:
        sent[...] = function(weight)

    return kernel


def altered_step(
    step: Step,
    function: Callable[..., Any] | None = None,
    name: str = "own",
    scalars: Mapping[str, object] | None = None,
    over: str | None = None,
    **buffers: Buffers,
) -> Step:
    """A step of a rule with something else in it.

    Args:
        step: of the rule.
        function: a kernel of the test's own; None: the step's.
        name: of that kernel.
        scalars: name -> value; None: the step's.
        over: the axis along which the work may be cut; None: the step's.
        **buffers: ``reads``, ``writes``, ``updates``, ``sums`` in place of the step's.
    """
    uses = {use: buffers.get(use, getattr(step, use)) for use in ("reads", "writes", "updates", "sums")}
    scalars, over = step.scalars if scalars is None else scalars, over or step.over
    declared = all(uses[use].keys() == getattr(step, use).keys() for use in uses)
    if function is not None or not declared:
        function, name = function or step.kernel.form("cpu"), name if function else step.kernel.name
        return own_step(name, function, step.label, step.equation, **uses, scalars=scalars, over=over)
    arguments = {argument: buffer for group in uses.values() for argument, buffer in group.items()}
    return Step(step.kernel, step.label, step.equation, arguments, scalars=scalars, over=over)


def builtin_step(
    name: str,
    label: str,
    equation: str,
    reads: Buffers,
    writes: Buffers,
    scalars: Mapping[str, object] | None = None,
    over: str | None = None,
) -> Step:
    """A step with a kernel of the package, by its name; the rest as of `own_step`."""
    return Step(KERNELS[name], label, equation, {**reads, **writes}, scalars=scalars or {}, over=over)


def named(step: Step, name: str) -> bool:
    """Whether a step runs the kernel of that name."""
    return step.kernel.name == name


def unchecked_plan(
    name: str, steps: Iterable[Step], outputs: Iterable[Buffer] = (), inputs: Iterable[Buffer] = ()
) -> Plan:
    """A plan that may read what nothing made, and make what nothing uses: the audit must not rely on those checks."""
    plan = Plan.__new__(Plan)
    plan.name, plan.steps, plan.outputs, plan.inputs = name, tuple(steps), tuple(outputs), tuple(inputs)
    return plan
