"""What was found in a PyTorch module: as a verdict, as text, as data."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

NONE_FOUND, VIOLATED, UNDECIDED = "no violation found", "violated", "undecided"
EXIT = {NONE_FOUND: 0, VIOLATED: 1, UNDECIDED: 3}
NOT_ASKED = (
    "not asked: locality (i), arithmetic (ii), labels (iv), what an optimiser outside the module does afterwards"
)


@dataclass
class TorchVerdict:
    """What was found in one module.

    Args:
        name: as it was asked for.
        forward: weights whose replacement alters the loss.
        feedback: weights whose replacement alters what others learn, and not the loss.
        silent: weights that received no change, or one of zeros: nothing can be seen at them.
        after: forward weight -> weights whose changes it alters, replaced after the forward pass.
        before: the same, replaced before it, every activity held.
        alike: feedback weight -> the forward weight that it resembles at the start, and how.
        delivered: weight -> how what it receives resembles what transported weights would deliver.
        undecided: why nothing could be decided, or None.
        interventions: how many runs with something replaced were compared.
        sources: what built it, and every kind of module of somebody else's in it -> digest of the file that it stands in.
    """

    name: str
    forward: list[str] = field(default_factory=list)
    feedback: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    after: dict[str, list[str]] = field(default_factory=dict)
    before: dict[str, list[str]] = field(default_factory=dict)
    alike: dict[str, str] = field(default_factory=dict)
    delivered: dict[str, str] = field(default_factory=dict)
    undecided: str | None = None
    interventions: int = 0
    sources: dict[str, str] = field(default_factory=dict)

    @property
    def outcome(self) -> str:
        """Violated, undecided or no violation found (as far as condition (iii) goes)."""
        if self.after or self.before or self.alike or self.delivered:
            return VIOLATED
        return UNDECIDED if self.undecided else NONE_FOUND

    @property
    def exit_code(self) -> int:
        """0 no violation found, 1 violated, 3 undecided."""
        return EXIT[self.outcome]

    def data(self) -> dict[str, Any]:
        """All of it, from which it can be made again."""
        return dataclasses.asdict(self)

    def json(self) -> dict[str, Any]:
        """As a record."""
        return {
            "condition": "iii",
            "verdict": self.outcome,
            "exit code": self.exit_code,
            **self.data(),
            "not asked": NOT_ASKED,
        }

    def text(self) -> str:
        """As it is printed."""
        lines = [f"{self.name}: condition (iii), asymmetry: {self.outcome}"]
        for weight, others in self.after.items():
            lines.append(f"  {weight} -> gradients of {', '.join(others)} (replaced after the forward pass)")
        for weight, others in self.before.items():
            if weight not in self.after:
                how = "replaced before it, every activity held: through a copy of the weight, or by hand"
                lines.append(f"  {weight} -> changes of {', '.join(others)} ({how})")
        lines += [f"  {name} resembles {how}" for name, how in self.alike.items()]
        lines += [f"  {name} receives {how}" for name, how in self.delivered.items()]
        if self.undecided:
            lines.append(f"  {self.undecided}")
        lines.append(
            f"  forward weights {', '.join(self.forward) or 'none'}; others {', '.join(self.feedback) or 'none'}"
        )
        if self.silent:
            lines.append(f"  no change to be seen at {', '.join(self.silent)}")
        lines.append(f"  tried: {self.interventions} interventions, 2 passes each, random errors at the output")
        lines.append(f"  {NOT_ASKED}")
        return "\n".join(lines)
