"""A verdict from one process to another: the evidence travels, and whoever receives it computes the outcome."""

from __future__ import annotations

import dataclasses
from typing import Any

from neurosim.audit.evidence import CONDITIONS, Evidence, Extent, Finding, Grade
from neurosim.audit.graph.export import Exported, exported
from neurosim.audit.verdict import Verdict


def packed(verdict: Verdict) -> dict[str, Any]:
    """A verdict as plain data."""
    graph = exported(verdict.graph)
    return {
        "title": verdict.title,
        "note": verdict.note,
        "assumed": verdict.assumed,
        "seconds": verdict.seconds,
        "light": verdict.light,
        "extent": dataclasses.asdict(verdict.extent),
        "certificate": verdict.certificate,
        "graph": {"data": graph.data, "walked": graph.walked},
        "analyses": [_packed(evidence) for evidence in verdict.analyses],
    }


def unpacked(data: dict[str, Any]) -> Verdict:
    """The verdict again; its graph is one that can be shown and no longer walked.

    Args:
        data: from `packed`.

    Raises:
        ValueError: something that `packed` does not give.
    """
    try:
        return Verdict(
            str(data["title"]),
            _texts(data["note"]),
            [_unpacked(each) for each in data["analyses"]],
            _texts(data["assumed"]),
            Exported(data["graph"]["data"], str(data["graph"]["walked"])),
            float(data["seconds"]),
            bool(data["light"]),
            Extent(**data["extent"]),
            certificate=dict(data["certificate"]),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        raise ValueError(f"no evidence: {type(problem).__name__} {problem}") from problem


def _packed(evidence: Evidence) -> dict[str, Any]:
    return dataclasses.asdict(evidence) | {"grades": {grade.name: lines for grade, lines in evidence.grades.items()}}


def _unpacked(data: dict[str, Any]) -> Evidence:
    checked = {condition: _texts(lines) for condition, lines in data["checked"].items()}
    undecided = {condition: str(line) for condition, line in data["undecided"].items()}
    findings = [Finding(**each | {"path": tuple(_texts(each["path"]))}) for each in data["findings"]]
    conditions = {*checked, *undecided, *(f.condition for f in findings)}
    if not conditions <= CONDITIONS.keys():
        raise ValueError(f"unknown conditions {conditions - CONDITIONS.keys()}")
    return Evidence(
        by=str(data["by"]),
        findings=findings,
        checked=checked,
        undecided=undecided,
        remarks=_texts(data["remarks"]),
        grades={Grade[name]: _texts(lines) for name, lines in data["grades"].items()},
        not_asked=_texts(data["not_asked"]),
        **{word: int(data[word]) for word in ("interventions", "batches", "epochs")},
    )


def _texts(data: list[Any]) -> list[str]:
    if not isinstance(data, list):
        raise ValueError(f"{type(data).__name__} where lines are expected")
    return [str(each) for each in data]
