"""The verdict: the table of conditions with their evidence, and what remains assumed."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from neurosim.audit.evidence import ANALYSES, CONDITIONS, HOLDS, UNDECIDED, VIOLATED, Answer, Evidence, Finding, label
from neurosim.audit.graph.export import graph_json
from neurosim.audit.graph.structure import TIME
from neurosim.errors import PlausibilityError

if TYPE_CHECKING:
    from neurosim.audit.graph.graph import Graph

PLAUSIBLE = "plausible"
EXIT = {PLAUSIBLE: 0, VIOLATED: 1, UNDECIDED: 2}
FIRST = ("iii", "iv", "ii", "i", "declared")  # which condition one line names, where several are violated
WHY = {
    "structure": "the numbers of these batches are the same either way, so that no intervention shows it",
    "behaviour": "it follows from no declaration: only what the kernels do shows it",
    "operations": "it is a matter of arithmetic, which the graph does not name",
    "symmetry": "it is a matter of the numbers that the weights hold, which no step makes",
    "replay": "only another process shows what this one keeps beside its arrays",
}
WIDTH = 118


@dataclass
class Verdict:
    """All that the audit of one target found; printed, it is the whole report.

    Args:
        title: what was audited.
        note: lines about it.
        analyses: the evidence of each analysis.
        assumed: what the conditions let pass, and a reader should know.
        graph: of the plans.
        seconds: that the audit took.
        light: fewer interventions were made.

    Attributes:
        table: condition -> analysis -> its answer.
    """

    title: str
    note: list[str]
    analyses: list[Evidence]
    assumed: list[str]
    graph: Graph
    seconds: float = 0.0
    light: bool = False
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
        """The conditions of which no analysis can decide that they hold."""
        return [c for c, answers in self.table.items() if not any(a.verdict != UNDECIDED for a in answers.values())]

    @property
    def outcome(self) -> str:
        """plausible, violated or cannot tell."""
        return VIOLATED if self.violated else UNDECIDED if self.undecided else PLAUSIBLE

    @property
    def plausible(self) -> bool:
        """Whether all conditions hold."""
        return self.outcome == PLAUSIBLE

    @property
    def exit_code(self) -> int:
        """0 plausible, 1 violated, 2 cannot tell."""
        return EXIT[self.outcome]

    @property
    def paths(self) -> list[str]:
        """The ways of transported weights, as the structure or, where it finds none, the interventions show them."""
        found = {by: [f.path for f in self.findings if f.path and f.by == by] for by in ANALYSES}
        return [" -> ".join(path) for path in found["structure"] or found["behaviour"]]

    def require_plausible(self) -> Verdict:
        """Go on only where the target is plausible.

        Returns:
            The verdict itself.

        Raises:
            PlausibilityError: a condition is violated or cannot be decided, in one line.
        """
        if not self.plausible:
            raise PlausibilityError(
                f"{self.title} is not plausible: {self.line()}",
                "conditions (i) to (iv)",
                "`neurosim audit` shows the evidence",
            )
        return self

    def disagreements(self) -> list[str]:
        """Where one analysis alone finds a thing: which, and why."""
        lines = []
        for condition, answers in self.table.items():
            found = [by for by, a in answers.items() if a.verdict == VIOLATED]
            others = [by for by in ("structure", "behaviour") if by in answers and answers[by].verdict == HOLDS]
            if found and others:
                reasons = [f.why for f in self.findings if f.condition == condition and f.by in found and f.why]
                why = next(iter(reasons), WHY[found[0]])
                lines.append(f"{label(condition)}: {' and '.join(found)} alone, not {' or '.join(others)}: {why}")
        return lines

    # -- as text and data

    def line(self) -> str:
        """One line: the outcome and the first evidence."""
        if self.plausible:
            arrays = len([b for b in self.graph.bases.values() if b.role.is_weight])
            strict = ", not strictly local in time" if any(line.startswith(TIME) for line in self.assumed) else ""
            size = f"{arrays} weight arrays, {len(self.graph.sites)} steps"
            return f"plausible{strict}: conditions (i) to (iv) hold ({size})"
        if self.outcome == UNDECIDED:
            condition = self.undecided[0]
            lines = [line for a in self.table[condition].values() for line in a.evidence]
            return f"cannot tell: {label(condition)}: {next(iter(lines), 'no analysis has an answer')}"
        first = min(self.findings, key=_rank)
        evidence = self.paths[0] if first.condition == "iii" and self.paths else first.text
        return f"violated {', '.join(map(label, self.violated))}: {evidence}"

    def __str__(self) -> str:
        return self.text()

    def text(self) -> str:
        """The whole report as printed."""
        lines = [f"audit of {self.title}", *(f"  {line}" for line in self.note), "", *self._table_lines()]
        lines += self._evidence_lines()
        for title, notes in (("found by one analysis alone", self.disagreements()), ("assumed", self.assumed)):
            if notes:
                lines += ["", title, *(w for line in notes for w in _wrapped(line))]
        if self.paths:
            lines += ["", "weight transport", *self.paths]
        end = self.line().split(":")[0] if self.plausible else self.line()
        return "\n".join([*lines, "", f"verdict: {end}"])

    def _table_lines(self) -> Iterator[str]:
        """A row a condition, a column an analysis."""
        columns = [by for by in ANALYSES if any(by in answers for answers in self.table.values())]
        yield "  ".join([f"{'condition':<26}", *(f"{by:<11}" for by in columns)]).rstrip()
        for condition, answers in self.table.items():
            cells = [f"{answers[by].verdict if by in answers else '-':<11}" for by in columns]
            short = CONDITIONS[condition].split(":")[0]
            name = "as declared" if condition == "declared" else f"{label(condition)} {short}"
            yield "  ".join([f"{name:<26}", *cells]).rstrip()

    def _evidence_lines(self) -> Iterator[str]:
        """Every condition with the evidence of every analysis."""
        for condition, answers in self.table.items():
            yield ""
            yield f"{label(condition)}{':' * (condition == 'declared')} {CONDITIONS[condition]}"
            for by, answer in answers.items():
                for line in answer.evidence:
                    yield from _wrapped(f"{by}: {line}", hyphens=False)

    def json(self) -> dict[str, Any]:
        """The verdict as data; `neurosim audit --json` writes it."""
        return {
            "audit": 2,
            "target": self.title,
            "note": self.note,
            "verdict": self.outcome,
            "line": self.line(),
            "violated": self.violated,
            "undecided": self.undecided,
            "light": self.light,
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
    return FIRST.index(finding.condition), -ANALYSES.index(finding.by) if finding.condition == "ii" else 0


def _wrapped(line: str, hyphens: bool = True) -> list[str]:
    return textwrap.wrap(line, WIDTH, initial_indent="  ", subsequent_indent="      ", break_on_hyphens=hyphens)
