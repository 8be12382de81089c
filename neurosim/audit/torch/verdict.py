"""What was found in a PyTorch module: as a verdict, as text, as data."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

NONE_FOUND, VIOLATED, UNDECIDED = "no violation found", "violated", "undecided"
EXIT = {NONE_FOUND: 0, VIOLATED: 1, UNDECIDED: 3}


@dataclass
class TorchVerdict:
    """What was found in one module.

    Args:
        name: as it was asked for.
        forward: parameters whose replacement alters the loss.
        feedback: parameters whose replacement does not.
        silent: parameters that received no change, or one of zeros: nothing can be seen at them.
        after: forward weight -> parameters whose gradients it alters, replaced after the forward pass.
        before: the same, replaced before it.
        undecided: why nothing could be decided, or None.
    """

    name: str
    forward: list[str] = field(default_factory=list)
    feedback: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    after: dict[str, list[str]] = field(default_factory=dict)
    before: dict[str, list[str]] = field(default_factory=dict)
    undecided: str | None = None

    @property
    def outcome(self) -> str:
        """Violated, undecided or no violation found (as far as condition (iii) goes)."""
        if self.after:
            return VIOLATED
        return UNDECIDED if self.undecided or self.before else NONE_FOUND

    @property
    def exit_code(self) -> int:
        """0 no violation found, 1 violated, 3 undecided."""
        return EXIT[self.outcome]

    def data(self) -> dict[str, Any]:
        """All of it, from which it can be made again."""
        return dataclasses.asdict(self)

    def json(self) -> dict[str, Any]:
        """As data."""
        return {
            "name": self.name,
            "condition": "iii",
            "verdict": self.outcome,
            "forward": self.forward,
            "feedback": self.feedback,
            "silent": self.silent,
            "after": self.after,
            "before": self.before,
            "undecided": self.undecided,
        }

    def text(self) -> str:
        """As it is printed."""
        lines = [f"{self.name}: condition (iii), asymmetry: {self.outcome}"]
        for weight, others in self.after.items():
            lines.append(f"  {weight} -> gradients of {', '.join(others)} (replaced after the forward pass)")
        for weight, others in self.before.items():
            if weight not in self.after:
                how = "through a copy of the weight, or an activity inside that module that could not be held"
                lines.append(f"  {weight} -> gradients of {', '.join(others)} (replaced before it: {how})")
        if self.undecided:
            lines.append(f"  {self.undecided}")
        names = f"{', '.join(self.forward) or 'none'}; others {', '.join(self.feedback) or 'none'}"
        lines.append(f"  forward weights {names}")
        if self.silent:
            lines.append(f"  no change to be seen at {', '.join(self.silent)}")
        lines.append("  not asked: locality (i), arithmetic (ii), labels (iv), what an optimiser does afterwards")
        return "\n".join(lines)
