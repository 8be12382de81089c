"""The verdict: the table of conditions with their evidence, and what remains assumed."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field

from neurosim.audit.answers import CONDITIONS, HOLDS, UNDECIDED, VIOLATED, WITNESSES, Answer, Evidence, Finding
from neurosim.audit.graph.graph import Graph
from neurosim.audit.graph.structure import TIME

PLAUSIBLE = "plausible"
EXIT = {PLAUSIBLE: 0, VIOLATED: 1, UNDECIDED: 2}
TELLING = ("iii", "iv", "ii", "i", "declared")  # which condition one line tells of, where several are violated
WHY = {
    "structure": "the numbers of these batches are the same either way, so that no intervention shows it",
    "behaviour": "it follows from no declaration: only what the kernels do shows it",
    "operations": "it is a matter of arithmetic, which the graph does not name",
    "symmetry": "it is a matter of the numbers that the weights hold, which no step makes",
}


@dataclass
class Report:
    """All that the audit of one subject found.

    Args:
        title: what was audited.
        note: lines about it.
        testimonies: of the witnesses.
        assumed: what the conditions let pass, and a reader should know.
        graph: of the plans.
        seconds: that the audit took.
    """

    title: str
    note: list[str]
    testimonies: list[Evidence]
    assumed: list[str]
    graph: Graph
    seconds: float = 0.0
    light: bool = False
    table: dict[str, dict[str, Answer]] = field(init=False)

    def __post_init__(self):
        self.table = {
            condition: {t.by: answer for t in self.testimonies if (answer := t.answer(condition)) is not None}
            for condition in CONDITIONS
        }

    @property
    def findings(self) -> list[Finding]:
        """What breaks a condition, condition by condition."""
        found = [f for t in self.testimonies for f in t.findings]
        return [f for condition in CONDITIONS for f in found if f.condition == condition]

    @property
    def violated(self) -> list[str]:
        """The conditions that some witness saw broken."""
        return [c for c in CONDITIONS if any(f.condition == c for f in self.findings)]

    @property
    def undecided(self) -> list[str]:
        """The conditions of which no witness can tell that they hold."""
        return [c for c, answers in self.table.items() if not any(a.verdict != UNDECIDED for a in answers.values())]

    @property
    def verdict(self) -> str:
        """plausible, violated or cannot tell."""
        return VIOLATED if self.violated else UNDECIDED if self.undecided else PLAUSIBLE

    @property
    def exit_code(self) -> int:
        """0 plausible, 1 violated, 2 cannot tell."""
        return EXIT[self.verdict]

    @property
    def paths(self) -> list[str]:
        """The ways of transported weights, as the structure or, where it sees none, the interventions tell them."""
        seen = {by: [f.path for f in self.findings if f.path and f.by == by] for by in WITNESSES}
        return [" -> ".join(path) for path in seen["structure"] or seen["behaviour"]]

    def disagreements(self) -> list[str]:
        """Where one witness alone sees a thing: which, and why."""
        lines = []
        for condition, answers in self.table.items():
            saw = [by for by, a in answers.items() if a.verdict == VIOLATED]
            missed = [by for by in ("structure", "behaviour") if by in answers and answers[by].verdict == HOLDS]
            if saw and missed:
                why = next((f.why for f in self.findings if f.condition == condition and f.by in saw and f.why), WHY[saw[0]])
                lines.append(f"{_label(condition)}: {' and '.join(saw)} alone, not {' or '.join(missed)}: {why}")
        return lines

    def line(self) -> str:
        """One line: the verdict and the first evidence."""
        if self.verdict == PLAUSIBLE:
            arrays = len([b for b in self.graph.bases.values() if b.role.endswith("weight")])
            strict = ", not strictly local in time" if any(line.startswith(TIME) for line in self.assumed) else ""
            return f"plausible{strict}: conditions (i) to (iv) hold ({arrays} weight arrays, {len(self.graph.sites)} steps)"
        if self.verdict == UNDECIDED:
            condition = self.undecided[0]
            evidence = next((line for a in self.table[condition].values() for line in a.evidence), "no witness has an answer")
            return f"cannot tell: {_label(condition)}: {evidence}"
        first = min(self.findings, key=lambda f: (TELLING.index(f.condition), -WITNESSES.index(f.by) if f.condition == "ii" else 0))
        told = self.paths[0] if first.condition == "iii" and self.paths else first.text
        return f"violated {', '.join(map(_label, self.violated))}: {told}"

    def text(self) -> str:
        """The report as printed."""
        lines = [f"audit of {self.title}", *(f"  {line}" for line in self.note), ""]
        witnesses = [by for by in WITNESSES if any(by in answers for answers in self.table.values())]
        lines.append("  ".join([f"{'condition':<26}", *(f"{by:<11}" for by in witnesses)]).rstrip())
        for condition, answers in self.table.items():
            cells = [f"{answers[by].verdict if by in answers else '-':<11}" for by in witnesses]
            name = f"{_label(condition)} {CONDITIONS[condition].split(':')[0]}" if condition != "declared" else "as declared"
            lines.append("  ".join([f"{name:<26}", *cells]).rstrip())
        for condition, answers in self.table.items():
            lines += ["", f"{_label(condition)}{':' * (condition == 'declared')} {CONDITIONS[condition]}"]
            for by, answer in answers.items():
                for line in answer.evidence:
                    lines += textwrap.wrap(f"{by}: {line}", 118, initial_indent="  ", subsequent_indent="      ",
                                           break_on_hyphens=False)  # fmt: skip
        for title, told in (("seen by one alone", self.disagreements()), ("assumed", self.assumed)):
            if told:
                lines += ["", title, *(w for line in told for w in textwrap.wrap(line, 118, initial_indent="  ",
                                                                                   subsequent_indent="      "))]  # fmt: skip
        if self.paths:
            lines += ["", "weight transport", *self.paths]
        return "\n".join([*lines, "", f"verdict: {self.line() if self.verdict != PLAUSIBLE else self.line().split(':')[0]}"])

    def json(self) -> dict:
        """The report as data; `neurosim audit --json` writes it."""
        return {
            "audit": 1, "subject": self.title, "note": self.note, "verdict": self.verdict, "line": self.line(),
            "violated": self.violated, "undecided": self.undecided, "light": self.light, "seconds": round(self.seconds, 3),
            "conditions": {
                condition: {"says": CONDITIONS[condition],
                            **{by: {"verdict": a.verdict, "evidence": a.evidence} for by, a in answers.items()}}
                for condition, answers in self.table.items()
            },
            "findings": [vars(f) | {"path": list(f.path)} for f in self.findings],
            "paths": self.paths, "one_alone": self.disagreements(), "assumed": self.assumed,
            "graph": graph_json(self.graph),
        }  # fmt: skip


def _label(condition: str) -> str:
    return f"({condition})" if condition != "declared" else condition


def graph_json(graph: Graph) -> dict:
    """Buffers, steps and aliases as data."""
    return {
        "buffers": [{"name": b.name, "role": b.role, "owner": b.owner, "shape": list(b.shape), "axes": list(b.axes),
                     "dtype": str(b.dtype)} for b in graph.bases.values()],
        "steps": [{"phase": s.phase, "number": s.number, "label": s.step.label, "equation": s.step.equation,
                   "kernel": s.step.kernel, "kind": s.kind, "forward": s in graph.forward,
                   **{word: {k: b.base.name for k, b in getattr(s.step, word).items()}
                      for word in ("reads", "writes", "updates", "sums")}} for s in graph.sites],
        "aliases": [[a.name, b.name] for a, b in graph.aliases],
    }  # fmt: skip


def graph_text(graph: Graph) -> str:
    """Every update of a weight walked back to stored activities and to what no step makes."""
    lines = []
    for phase, sites in graph.phases.items():
        lines.append(f"phase {phase!r}")
        for start in sites:
            targets = [b.name for b in start.step.updates.values() if b.role.endswith("weight")]
            if targets:
                lines.append(f"  {targets[0]}  {start.step.equation}")
                walk = graph.slice(start)
                lines += [f"    {s.number:3}  {s.step.equation}" for s in list(walk.parents)[1:] if s.phase == phase]
                lines.append(f"         stops at the activities {', '.join(sorted(walk.activities)) or 'none'}")
    return "\n".join(lines)
