"""Findings, answers and conditions: what the parts of the audit hand to the report."""

from __future__ import annotations

from dataclasses import dataclass, field

HOLDS, VIOLATED, UNDECIDED = "holds", "violated", "cannot tell"
CONDITIONS = {
    "declared": "every step touches what it declares, and every part is what it says",
    "i": "locality: every weight changes by its own presynaptic activity x postsynaptic factor, now or remembered",
    "ii": "simple arithmetic: no normalisation, inner product or division where the error is computed",
    "iii": "asymmetry: no feedback is made of forward weights",
    "iv": "unsupervised: no label reaches a synapse",
}
WITNESSES = ("structure", "behaviour", "operations", "symmetry")


@dataclass(frozen=True)
class Finding:
    """One thing that breaks a condition.

    Args:
        condition: one of `CONDITIONS`.
        by: the witness that saw it, one of `WITNESSES`.
        text: one line, with the arrays and the numbers.
        path: the way from a forward weight to the updates that it reaches, where there is one.
        why: why another witness may miss it.
    """

    condition: str
    by: str
    text: str
    path: tuple[str, ...] = ()
    why: str = ""


@dataclass
class Answer:
    """What one witness says of one condition: holds, violated or cannot tell, with evidence."""

    verdict: str
    evidence: list[str] = field(default_factory=list)


@dataclass
class Evidence:
    """All that one witness says.

    Args:
        by: its name.
        findings: what breaks a condition.
        seen: condition -> lines of what was looked at and found in order.
        silent: condition -> why the witness cannot tell; a finding outweighs it.
        remarks: what breaks no condition, and must be told: it stands among what is assumed.
    """

    by: str
    findings: list[Finding] = field(default_factory=list)
    seen: dict[str, list[str]] = field(default_factory=dict)
    silent: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def find(self, condition: str, text: str, path: tuple[str, ...] = (), why: str = "") -> None:
        """Note what breaks a condition, once."""
        finding = Finding(condition, self.by, text, path, why)
        if finding not in self.findings:
            self.findings.append(finding)

    def see(self, condition: str, text: str) -> None:
        """Note what was looked at and is in order."""
        self.seen.setdefault(condition, []).append(text)

    def answer(self, condition: str) -> Answer | None:
        """The answer on one condition; None where the witness has nothing to say."""
        broken = [f.text for f in self.findings if f.condition == condition]
        if broken:
            return Answer(VIOLATED, broken)
        if condition in self.silent:
            return Answer(UNDECIDED, [self.silent[condition], *self.seen.get(condition, [])])
        return Answer(HOLDS, self.seen[condition]) if condition in self.seen else None
