"""The verdict: what was tried, what was found, how local the rule is, and what is trusted without test."""

from __future__ import annotations

import dataclasses
import platform
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.audit import report
from neurosim.audit.evidence import (
    ANALYSES,
    CONDITIONS,
    DECISIVE,
    HOLDS,
    UNDECIDED,
    VIOLATED,
    Answer,
    Evidence,
    Extent,
    Finding,
    Grade,
    label,
)
from neurosim.audit.graph.export import exported, graph_json
from neurosim.audit.graph.structure import TIME
from neurosim.audit.package import SHOWN, digest
from neurosim.errors import PlausibilityError

if TYPE_CHECKING:
    from neurosim.audit.graph.export import Exported
    from neurosim.audit.graph.graph import Graph

NONE_FOUND, BELOW, OPEN = "no violation found", "below the grade required", "undecided"
EXIT = {NONE_FOUND: 0, VIOLATED: 1, BELOW: 1, OPEN: 3}  # 2 is wrong usage, or bad input
FIRST = ("iii", "iv", "ii", "i", "declared")  # which condition one line names, where several are violated
SHARING = "weight sharing:"  # how an assumption begins on places that share one weight
WHY = {
    "structure": "the numbers of these batches are the same either way, so that no intervention shows it",
    "behaviour": "it follows from no declaration: only what the kernels do shows it",
    "operations": "it is a matter of arithmetic, which the graph does not name",
    "symmetry": "it is a matter of the numbers that the weights hold, which no step makes",
    "replay": "only another process shows what this one keeps beside its arrays",
    "record": "a plan says what a batch does, and not what happened between two of them",
    "isolation": "it is a matter of the process, whatever the plan says",
}


@dataclass
class Verdict:
    """All that the audit of one target found; printed, it is the whole report.

    Args:
        title: what was audited.
        note: lines about it.
        analyses: the evidence of each analysis.
        assumed: what the conditions let pass, and a reader should know.
        graph: of the plans, or what another process exported of it.
        seconds: that the audit took.
        light: fewer interventions were made.
        extent: how much was tried.
        required: the grade of locality below which the exit code is 1.
        certificate: what is needed to compute it again, see `neurosim.audit.replay.certificate`.

    Attributes:
        table: condition -> analysis -> its answer.
    """

    title: str
    note: list[str]
    analyses: list[Evidence]
    assumed: list[str]
    graph: Graph | Exported
    seconds: float = 0.0
    light: bool = False
    extent: Extent = field(default_factory=Extent)
    required: Grade = Grade.OVER_A_BATCH
    certificate: dict[str, Any] = field(default_factory=dict)
    table: dict[str, dict[str, Answer]] = field(init=False)

    def __post_init__(self) -> None:
        self.table = {
            condition: {a.by: answer for a in self.analyses if (answer := a.answer(condition)) is not None}
            for condition in CONDITIONS
        }

    # -- the answer

    @property
    def findings(self) -> list[Finding]:
        """What breaks a condition, condition by condition."""
        found = [f for a in self.analyses for f in a.findings]
        return [f for condition in CONDITIONS for f in found if f.condition == condition]

    @property
    def violated(self) -> list[str]:
        """The conditions that some analysis found broken."""
        return [c for c in CONDITIONS if any(f.condition == c for f in self.findings)]

    @property
    def undecided(self) -> list[str]:
        """The conditions of which no analysis can decide that they hold, or not the one that must."""
        return [
            condition
            for condition, answers in self.table.items()
            if not any(a.verdict != UNDECIDED for a in answers.values())
            or any(a.verdict == UNDECIDED for by, a in answers.items() if (by, condition) in DECISIVE)
        ]

    @property
    def outcome(self) -> str:
        """No violation found, violated, below the grade required, or undecided."""
        if self.violated:
            return VIOLATED
        if self.undecided:
            return OPEN
        return NONE_FOUND if self.grade >= self.required else BELOW

    @property
    def plausible(self) -> bool:
        """Whether all conditions were asked, and no violation was found."""
        return self.outcome == NONE_FOUND

    @property
    def exit_code(self) -> int:
        """0 no violation found, 1 violated (or below the grade required), 3 undecided."""
        return EXIT[self.outcome]

    # -- how local

    @property
    def grade(self) -> Grade:
        """How local the rule is: the lowest grade that any analysis gives; what transports or looks elsewhere has the last."""
        if {"i", "iii"} & set(self.violated):
            return Grade.NOT_LOCAL
        return min(self.grades, default=Grade.STRICT)

    @property
    def grades(self) -> dict[Grade, list[str]]:
        """Grade -> lines that say why it is no higher, the lowest first."""
        found: dict[Grade, list[str]] = {}
        for analysis in self.analyses:
            for grade, lines in analysis.grades.items():
                found.setdefault(grade, []).extend(lines)
        found.setdefault(Grade.OVER_A_BATCH, []).extend(line for line in self.assumed if line.startswith(TIME))
        return {grade: list(dict.fromkeys(lines)) for grade, lines in sorted(found.items()) if lines}

    @property
    def shares_weights(self) -> bool:
        """Whether places share one weight, as no brain's do."""
        return any(line.startswith(SHARING) for line in self.assumed)

    @property
    def locality(self) -> str:
        """The grade in words; that weights are shared over places is said apart."""
        shared = ", but for weight sharing" * (self.shares_weights and self.grade > Grade.NOT_LOCAL)
        return self.grade.words + " (not strictly local in time)" * (self.grade is Grade.OVER_A_BATCH) + shared

    # -- what was tried

    @property
    def not_asked(self) -> list[str]:
        """What could not be asked, or was left out, and why."""
        return list(dict.fromkeys(line for a in self.analyses for line in a.not_asked))

    @property
    def trusted(self) -> dict[str, str]:
        """What is trusted without test, by version or digest."""
        return {"numpy": np.__version__, "python": platform.python_version(), "kernels": digest()[:SHOWN]}

    @property
    def paths(self) -> list[str]:
        """The ways of transported weights, as the structure or, where it finds none, the interventions show them."""
        found = {by: [f.path for f in self.findings if f.path and f.by == by] for by in ANALYSES}
        return [" -> ".join(path) for path in found["structure"] or found["behaviour"]]

    def require_plausible(self, path: bool = False) -> Verdict:
        """Go on only where no violation was found.

        Args:
            path: the error shows the path of the violation, in three lines, and not one line alone.

        Returns:
            The verdict itself.

        Raises:
            PlausibilityError: a condition is violated or cannot be decided.
        """
        if not self.plausible:
            raise PlausibilityError(
                f"{self.title} is not plausible: {self.line()}",
                "conditions (i) to (iv)",
                "`neurosim audit` shows the evidence",
                path=report.three_lines(self) if path else (),
            )
        return self

    def detached(self) -> Verdict:
        """The same, without the plans: whoever keeps verdicts for long keeps no network's arrays with them."""
        return dataclasses.replace(self, graph=exported(self.graph))

    def disagreements(self) -> list[str]:
        """Where one analysis alone finds a thing: which, and why."""
        lines = []
        for condition, answers in self.table.items():
            found = [by for by, a in answers.items() if a.verdict == VIOLATED]
            others = [by for by in ("structure", "behaviour") if by in answers and answers[by].verdict == HOLDS]
            if found and others:
                reasons = [f.why for f in self.findings if f.condition == condition and f.by in found and f.why]
                why = next(iter(reasons), WHY.get(found[0], "only it asks"))
                lines.append(f"{label(condition)}: {' and '.join(found)} alone, not {' or '.join(others)}: {why}")
        return lines

    @property
    def first(self) -> Finding:
        """The finding that one line names."""
        return min(self.findings, key=_rank)

    # -- as text and data

    def line(self) -> str:
        """One line: the outcome, and what was tried or the first evidence."""
        return report.line(self)

    def text(self) -> str:
        """The whole report as printed."""
        return report.text(self)

    def __str__(self) -> str:
        return self.text()

    def json(self) -> dict[str, Any]:
        """The verdict as data; `neurosim audit --json` writes it."""
        return {
            "audit": 3,
            "target": self.title,
            "note": self.note,
            "verdict": self.outcome,
            "exit code": self.exit_code,
            "line": self.line(),
            "violated": self.violated,
            "undecided": self.undecided,
            "grade": self.grade.words,
            "required": self.required.words,
            "grades": {grade.words: lines for grade, lines in self.grades.items()},
            "weight sharing": self.shares_weights,
            "light": self.light,
            "tried": vars(self.extent),
            "not asked": self.not_asked,
            "certificate": self.certificate,
            "trusted": self.trusted,
            "seconds": round(self.seconds, 3),
            "conditions": {condition: _answers_json(condition, answers) for condition, answers in self.table.items()},
            "findings": [vars(f) | {"path": list(f.path)} for f in self.findings],
            "paths": self.paths,
            "disagreements": self.disagreements(),
            "assumed": self.assumed,
            "graph": graph_json(self.graph),
        }


def _answers_json(condition: str, answers: dict[str, Answer]) -> dict[str, Any]:
    found = {by: {"verdict": a.verdict, "evidence": a.evidence} for by, a in answers.items()}
    return {"condition": CONDITIONS[condition], **found}


def _rank(finding: Finding) -> tuple[int, int]:
    """Which finding one line names first; of condition (ii) the arithmetic by name."""
    by = ANALYSES.index(finding.by) if finding.by in ANALYSES else len(ANALYSES)
    return FIRST.index(finding.condition), -by if finding.condition == "ii" else 0
