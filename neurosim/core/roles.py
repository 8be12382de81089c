"""Roles: what an array is in the field's terms, and what follows from that."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What an array is. A role says what may be done with an array; it never exempts one from a check."""

    IMAGE = "image"
    ACTIVITY = "activity"
    FORWARD_WEIGHT = "forward weight"
    FEEDBACK_WEIGHT = "feedback weight"
    INVERSE_WEIGHT = "inverse weight"
    PREDICTION_WEIGHT = "prediction weight"
    CHANGE = "change"  # the summed outer products of one batch
    PLASTICITY = "plasticity"  # the traces of one synapse array
    MEMORY = "memory"  # the short-term memory
    ERROR = "error"
    GATE = "gate"
    DEFORMATION = "deformation"
    NOISE = "noise"
    VALUE = "value"  # figures and indices
    RATE = "rate"
    LABEL = "label"

    @property
    def is_weight(self) -> bool:
        """Whether it is the weights of a synapse."""
        return self in _WEIGHTS

    @property
    def is_forward(self) -> bool:
        """Whether it is a weight that feedback must not be made of."""
        return self in (Role.FORWARD_WEIGHT, Role.PREDICTION_WEIGHT)

    @property
    def may_last(self) -> bool:
        """Whether an array of this role may hold its values from one batch to the next."""
        return self.is_weight or self in (Role.PLASTICITY, Role.MEMORY)

    @property
    def is_saved(self) -> bool:
        """Whether a checkpoint keeps it, where it lasts."""
        return self.may_last

    @property
    def is_stimulus(self) -> bool:
        """Whether it comes from outside, without a label."""
        return self in (Role.IMAGE, Role.DEFORMATION, Role.NOISE)

    @property
    def may_hold_label(self) -> bool:
        """Whether labels may stand in it."""
        return self is Role.LABEL


_WEIGHTS = frozenset({Role.FORWARD_WEIGHT, Role.FEEDBACK_WEIGHT, Role.INVERSE_WEIGHT, Role.PREDICTION_WEIGHT})
