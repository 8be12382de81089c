"""The verdict in words: one line, three lines of a path, the whole report, the table of grades."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from neurosim.audit.evidence import ANALYSES, CONDITIONS, DECISIVE, GRADES, MEANINGS, REQUIRED, Grade, label

if TYPE_CHECKING:
    from neurosim.audit.verdict import Verdict

WIDTH = 118


def line(verdict: Verdict) -> str:
    """The outcome, and what was tried or the first evidence."""
    if verdict.violated:
        evidence = verdict.paths[0] if verdict.first.condition == "iii" and verdict.paths else verdict.first.text
        return f"violated {', '.join(map(label, verdict.violated))}: {evidence}"
    if verdict.undecided:
        condition = verdict.undecided[0]
        answers = sorted(verdict.table[condition].items(), key=lambda each: (each[0], condition) not in DECISIVE)
        lines = [text for _, a in answers for text in a.evidence]
        return f"undecided: {label(condition)}: {next(iter(lines), 'no analysis has an answer')}"
    if verdict.plausible:
        return f"no violation found ({verdict.locality}): {verdict.extent}"
    reasons = [text for lines in verdict.grades.values() for text in lines]
    return f"{verdict.outcome}: {verdict.locality}, not {verdict.required.words}: {reasons[0]}"


def sentence(verdict: Verdict) -> str:
    """How the report ends: what was tried and what is trusted; or the violation; or what is undecided."""
    if not verdict.plausible:
        return verdict.line()
    trusted = verdict.trusted
    return (
        f"No violation found: {verdict.extent}. Trusted without test: NumPy {trusted['numpy']}, the Python interpreter "
        f"{trusted['python']}, neurosim's own kernels (digest {trusted['kernels']})."
    )


def three_lines(verdict: Verdict) -> tuple[str, str, str]:
    """What is violated and by whom it was found; the path; what was seen there, or what to ask next."""
    more = f"  all the evidence: check({verdict.title!r}) prints it, or neurosim audit"
    if not verdict.violated:
        head, _, rest = verdict.line().partition(": ")
        return f"{verdict.title} is not plausible: {head}", f"  {rest}", more
    condition = verdict.first.condition
    found = [f for f in verdict.findings if f.condition == condition]
    who = " and ".join(dict.fromkeys(f.by for f in found))
    paths = [" -> ".join(f.path) for f in found if f.path]
    way = verdict.paths[0] if condition == "iii" and verdict.paths else [*paths, verdict.first.text][0]
    from_there = [f for f in found if f.text != way and (not f.path or f.path[0] == way.split(" -> ")[0])]
    seen = sorted(from_there, key=lambda f: f.by != "behaviour")
    name = CONDITIONS[condition].split(":")[0]
    named = "a declaration" if condition == "declared" else f"{label(condition)} {name}"
    return (
        f"{verdict.title} is not plausible: violated {named}, found by {who}",
        f"  {way}",
        f"  {seen[0].by}: {seen[0].text}" if seen else more,
    )


def text(verdict: Verdict) -> str:
    """The whole report as printed."""
    lines = [f"audit of {verdict.title}", *(f"  {note}" for note in verdict.note), "", *_table(verdict)]
    lines += _evidence(verdict)
    notes = (
        ("found by one analysis alone", verdict.disagreements()),
        ("assumed", verdict.assumed),
        ("not asked", verdict.not_asked),
    )
    for title, found in notes:
        if found:
            lines += ["", title, *(w for note in found for w in wrapped(note))]
    if verdict.paths:
        lines += ["", "weight transport", *verdict.paths]
    return "\n".join([*lines, "", *_grade(verdict), f"verdict: {sentence(verdict)}"])


def _table(verdict: Verdict) -> Iterator[str]:
    """A row a condition, a column an analysis."""
    columns = [by for by in ANALYSES if any(by in answers for answers in verdict.table.values())]
    yield "  ".join([f"{'condition':<26}", *(f"{by:<11}" for by in columns)]).rstrip()
    for condition, answers in verdict.table.items():
        cells = [f"{answers[by].verdict if by in answers else '-':<11}" for by in columns]
        short = CONDITIONS[condition].split(":")[0]
        name = "as declared" if condition == "declared" else f"{label(condition)} {short}"
        yield "  ".join([f"{name:<26}", *cells]).rstrip()


def _evidence(verdict: Verdict) -> Iterator[str]:
    """Every condition with the evidence of every analysis."""
    for condition, answers in verdict.table.items():
        yield ""
        yield f"{label(condition)}{':' * (condition == 'declared')} {CONDITIONS[condition]}"
        for by, answer in answers.items():
            for found in answer.evidence:
                yield from wrapped(f"{by}: {found}", hyphens=False)


def _grade(verdict: Verdict) -> Iterator[str]:
    """The grade, and why it is no higher."""
    yield f"grade: {verdict.locality}"
    if not verdict.violated:
        for found in verdict.grades.get(verdict.grade, []):
            yield from wrapped(found)


def wrapped(note: str, hyphens: bool = True) -> list[str]:
    """A line of the report, wrapped and indented."""
    return textwrap.wrap(note, WIDTH, initial_indent="  ", subsequent_indent="      ", break_on_hyphens=hyphens)


def grade_table() -> list[tuple[str, str, str]]:
    """The four grades, the most local first: in words, what ``--require`` calls it, what it means."""
    words = {grade: word for word, grade in REQUIRED.items()}
    return [(GRADES[grade], words.get(grade, "-"), MEANINGS[grade]) for grade in sorted(Grade, reverse=True)]
