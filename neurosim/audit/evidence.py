"""Conditions, findings and answers: what the analyses of the audit hand to the verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

HOLDS, VIOLATED, UNDECIDED = "holds", "violated", "cannot tell"
CONDITIONS = {
    "declared": "every step touches what it declares, and every part is what it is declared to be",
    "i": "locality: every weight changes by its own presynaptic activity x postsynaptic factor, now or remembered",
    "ii": "simple arithmetic: no normalisation, inner product or division where the error is computed",
    "iii": "asymmetry: no feedback is made of forward weights",
    "iv": "unsupervised: no label reaches a synapse",
}
# Where these cannot tell, a kernel has failed or left the recording, and no other analysis answers for it.
DECISIVE = frozenset({("behaviour", "i"), ("operations", "ii")})
ANALYSES = ("structure", "behaviour", "operations", "symmetry", "replay", "record", "isolation")


def label(condition: str) -> str:
    """A condition as it stands in a line: ``(iii)``, ``declared``."""
    return f"({condition})" if condition != "declared" else condition


class Grade(IntEnum):
    """How local a rule is; a larger grade is more local. The smallest that any analysis gives is the rule's."""

    NOT_LOCAL = 0
    OVER_A_BATCH = 1
    BROADCAST_SCALAR = 2
    STRICT = 3

    @property
    def words(self) -> str:
        """As it is printed."""
        return GRADES[self]


GRADES = {
    Grade.STRICT: "strictly local",
    Grade.BROADCAST_SCALAR: "local with a broadcast scalar",
    Grade.OVER_A_BATCH: "local over a batch",
    Grade.NOT_LOCAL: "not local",
}
MEANINGS = {
    Grade.STRICT: "a synapse knows its own two units, its own memory, and what feedback delivers to its unit, at its time",
    Grade.BROADCAST_SCALAR: "it also knows a number that every unit gets alike: a reward, a loss times a rate",
    Grade.OVER_A_BATCH: "it also knows its whole batch (a mean, a comparison of all moments), or earlier rows by a trace",
    Grade.NOT_LOCAL: "it transports weights, or looks elsewhere (other units, one moment to come): exit code 1",
}
REQUIRED = {"strict": Grade.STRICT, "scalar": Grade.BROADCAST_SCALAR, "batch": Grade.OVER_A_BATCH}


@dataclass(frozen=True)
class Extent:
    """How much was tried: a pass says nothing beyond it.

    Args:
        batches: that were run and compared.
        epochs: over which they ran.
        sizes: of the populations, from the stimulus to the top.
        interventions: runs with one thing replaced.
    """

    batches: int = 0
    epochs: int = 0
    sizes: str = ""
    interventions: int = 0

    def __str__(self) -> str:
        batches = f"{self.batches} batch{'es' * (self.batches != 1)}"
        epochs = f"{self.epochs} epoch{'s' * (self.epochs != 1)}"
        tried = f"{self.interventions} intervention{'s' * (self.interventions != 1)}"
        return f"{batches} over {epochs}, sizes {self.sizes or 'none'}, {tried}"


@dataclass(frozen=True)
class Finding:
    """One thing that breaks a condition.

    Args:
        condition: one of `CONDITIONS`.
        by: the analysis that found it, one of `ANALYSES`.
        text: one line, with the arrays and the numbers.
        path: the way from a forward weight to the updates that it reaches, where there is one.
        why: why another analysis may not find it.
    """

    condition: str
    by: str
    text: str
    path: tuple[str, ...] = ()
    why: str = ""


@dataclass
class Answer:
    """What one analysis answers to one condition: holds, violated or cannot tell, with evidence."""

    verdict: str
    evidence: list[str] = field(default_factory=list)


@dataclass
class Evidence:
    """All that one analysis found.

    Args:
        by: its name.
        findings: what breaks a condition.
        checked: condition -> lines of what was examined and found in order.
        undecided: condition -> why the analysis cannot decide it; a finding outweighs it.
        remarks: what breaks no condition and a reader must know: it stands among what is assumed.
        grades: grade below `Grade.STRICT` -> lines that say why it is no higher.
        not_asked: what could not be asked, or was left out, and why; a pass says nothing about it.
        interventions: how many runs with something replaced were compared.
        batches, epochs: how long the longest run was.
    """

    by: str
    findings: list[Finding] = field(default_factory=list)
    checked: dict[str, list[str]] = field(default_factory=dict)
    undecided: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    grades: dict[Grade, list[str]] = field(default_factory=dict)
    not_asked: list[str] = field(default_factory=list)
    interventions: int = 0
    batches: int = 0
    epochs: int = 0

    @property
    def grade(self) -> Grade:
        """The lowest that was found."""
        return min(self.grades, default=Grade.STRICT)

    def lower_grade(self, grade: Grade, text: str) -> None:
        """Note that the rule is no more local than a grade, and why; what is not local at all breaks condition (i)."""
        lines = self.grades.setdefault(grade, [])
        if text not in lines:
            lines.append(text)
        if grade is Grade.NOT_LOCAL:
            self.add_finding("i", text)

    def leave_out(self, text: str) -> None:
        """Note what could not be asked, or was left out, and why."""
        if text not in self.not_asked:
            self.not_asked.append(text)

    def add_finding(self, condition: str, text: str, path: tuple[str, ...] = (), why: str = "") -> None:
        """Note what breaks a condition, once."""
        finding = Finding(condition, self.by, text, path, why)
        if finding not in self.findings:
            self.findings.append(finding)

    def add_check(self, condition: str, text: str) -> None:
        """Note what was examined and is in order."""
        self.checked.setdefault(condition, []).append(text)

    def answer(self, condition: str) -> Answer | None:
        """The answer to one condition; None where the analysis does not ask about it."""
        broken = [f.text for f in self.findings if f.condition == condition]
        if broken:
            return Answer(VIOLATED, broken)
        if condition in self.undecided:
            return Answer(UNDECIDED, [self.undecided[condition], *self.checked.get(condition, [])])
        return Answer(HOLDS, self.checked[condition]) if condition in self.checked else None
