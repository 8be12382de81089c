"""What each place of a simulation may do, and how a product is named there.

Condition (ii) asks for simple arithmetic where the error is computed: additions, subtractions, comparisons, signs and
constant weights; no normalisation, inner product, division or product of two activities (Tang, Yang, Amit 2022).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.audit.operations import categories as C
from neurosim.audit.operations.operation import DECIDED, Labels, Operation
from neurosim.audit.operations.recording import bare
from neurosim.core.roles import Role

if TYPE_CHECKING:
    from neurosim.audit.operations.naming import Product
    from neurosim.core.step import Step

FELT = frozenset(
    {Role.ACTIVITY, Role.MEMORY, Role.IMAGE, Role.ERROR}
)  # roles whose numbers change from moment to moment
ACTIVE = FELT | {Role.VALUE, Role.GATE}
# What each place may do beyond simple arithmetic; what it may do with a remark; the rest is forbidden.
ALLOWED: dict[str, tuple[set[str], set[str]]] = {
    "error units": (set(), {C.BY_COUNT, C.TIMES_COUNT}),
    "memory": (set(), set()),
    "gate": (set(), {C.SLOPE, C.SQUARE, C.CURVED}),
    "feedback": ({C.DELIVERED, C.TRANSMITTED}, set()),
    "hebbian": ({C.OUTER}, set()),
    "plasticity": (set(), {C.DIVIDE, C.ROOT, C.SQUARE, C.OTHER_PRODUCT}),  # of a synapse's own numbers, as Oja's decay
}


def place_of(step: Step) -> str:
    """Where in the simulation a step works, by the roles of what it changes and reads; never by its name."""
    changed = {b.role for b in step.changed.values()}
    read = {b.role for b in (*step.reads.values(), *step.updates.values())}
    if {Role.ERROR, Role.VALUE} <= changed:
        return "error units"
    if Role.PLASTICITY in changed or any(b.role.is_weight for b in step.updates.values()):
        return "plasticity"
    if Role.CHANGE in changed:
        return "hebbian"
    if Role.MEMORY in changed:
        return "memory"
    if any(role.is_weight for role in changed):
        return "feedback"
    if Role.ERROR in changed:
        weighted = any(role.is_weight for role in read)
        return "feedback" if weighted else "gate" if Role.ERROR in read else "error units"
    return "response" if {Role.ACTIVITY, Role.GATE} & changed else "other"


def product_category(place: str, roles: Mapping[str, Role]) -> Product:
    """How a product is named at a place.

    Args:
        place: from `place_of`.
        roles: argument -> role of its buffer.

    Returns:
        A function of the labels of two factors (the second None for a number by itself), whether the products are summed,
        and the factors.
    """

    def name(a: Labels, b: Labels | None, summed: bool, operands: tuple[Any, ...] = ()) -> str:
        factors = [{roles.get(label) for label in side - DECIDED} for side in (a, a if b is None else b)]
        active = all(f <= ACTIVE for f in factors)
        if b is None:
            return C.PRODUCT if active and place != "gate" else C.SQUARE
        if place == "gate" and not summed and not a & b and any((np.asarray(bare(x)) >= 0).all() for x in operands):
            return C.SLOPE
        if place == "hebbian" and len(a) == len(b) == 1 and a != b:
            return C.OUTER
        weights = [_connects(f) for f in factors]
        if place in ("feedback", "response") and sum(weights) == 1:
            return C.DELIVERED if factors[weights.index(False)] == {Role.ERROR} else C.TRANSMITTED
        if place in ("error units", "gate", "memory", "hebbian") and not summed and _one_for_all(operands):
            return C.SHARED
        return C.INNER if summed else C.PRODUCT if active else C.OTHER_PRODUCT

    return name


def _one_for_all(operands: tuple[Any, ...]) -> bool:
    """Whether one factor has one number where the other has one for every unit."""
    if len(operands) != 2:
        return False
    one, other = (np.shape(bare(x))[-1:] or (1,) for x in operands)
    return min(one, other) == (1,) != max(one, other)


def _connects(roles: set[Role | None]) -> bool:
    """Whether a factor is made of weights, and perhaps of masks, noise or constants: of nothing that units did."""
    return any(role is not None and role.is_weight for role in roles) and not roles & FELT


def judged(place: str, operation: Operation, sums: bool, of_sum: bool = False) -> tuple[str, Operation]:
    """How a place takes an operation.

    Args:
        place: from `place_of`, or ``read-out``.
        operation: recorded there.
        sums: it adds numbers of one array, which at a plasticity are those of several synapses.
        of_sum: it works on what was added up of an array: a curve of that may divide, as the tangent of an arc does.

    Returns:
        ``simple``, ``forbidden``, ``assumed`` or ``undecided``, and the operation under the name by which it is judged.
    """
    if place == "read-out":
        return ("simple" if operation.kind in C.SIMPLE else "assumed"), operation
    if place not in ALLOWED:
        return "simple", operation
    allowed, remarked = ALLOWED[place]
    if operation.kind in (C.ESCAPE, C.UNKNOWN):
        return "undecided", operation
    if place == "plasticity" and sums:
        return "forbidden", replace(operation, kind=C.ACROSS)
    if operation.kind == C.CURVED and of_sum:
        return "forbidden", replace(operation, kind=C.CURVED_SUM)
    if operation.kind in remarked:
        return "assumed", operation
    return ("simple" if operation.kind in C.SIMPLE | allowed else "forbidden"), operation
