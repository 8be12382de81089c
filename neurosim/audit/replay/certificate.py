"""What a reviewer needs to compute a verdict again, and the comparison of what comes out with what is written."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import neurosim
from neurosim.audit.evidence import HOLDS
from neurosim.audit.package import digest
from neurosim.audit.replay.digests import source_digest
from neurosim.audit.replay.recipe import LIVE, Recipe
from neurosim.audit.report import sentence
from neurosim.core.reading import File
from neurosim.errors import RunError

if TYPE_CHECKING:
    from neurosim.audit.target import AuditTarget
    from neurosim.audit.torch.verdict import TorchVerdict
    from neurosim.audit.verdict import Verdict
    from neurosim.rules.base import Rule
    from neurosim.training.model import Model

COMPARED = ("verdict", "violated", "undecided", "grade", "weight sharing")
OF_TORCH = ("verdict", "forward", "feedback", "silent", "after", "before")


def certificate(target: AuditTarget, light: bool) -> dict[str, Any]:
    """Of a target's verdict."""
    return _certificate(target.rule, target.recipe, "light" if light else "full" if target.recipe else LIVE)


def of_preflight(model: Model, recipe: Recipe | None) -> dict[str, Any]:
    """Of the short audit before a training.

    Args:
        model: that will be trained.
        recipe: how it is built again; None: it cannot be.
    """
    return _certificate(model.rule, recipe, "light")


def _certificate(rule: Rule, recipe: Recipe | None, kind: str) -> dict[str, Any]:
    network = rule.network
    parts = {"rule": type(rule), "loss": type(rule.loss), "plasticity": type(network.plasticity)}
    return {
        "kind": kind,
        "recipe": asdict(recipe) if recipe else None,
        "rule": f"{type(rule).__module__}:{type(rule).__qualname__}",
        "sources": {
            name: f"{part.__module__}:{part.__qualname__} {source_digest(part)}" for name, part in parts.items()
        },
        "network": str(network),
        "seed": network.seed,
        "versions": {
            "neurosim": neurosim.__version__,
            "neurosim's files": digest(),
            "numpy": np.__version__,
            "python": platform.python_version(),
            "machine": platform.machine(),
        },
    }


class Certificate:
    """A file that ``train`` or ``audit --json`` wrote.

    Args:
        path: of it.

    Raises:
        RunError: it is no such file, or says nothing by which it can be computed again.
    """

    def __init__(self, path: Path):
        self.path = path
        try:
            self.record: dict[str, Any] = File(path, "a file of --json, or a run's audit.json", _HINT).json()
            self.torch = (
                str(self.record["name"]) if "certificate" not in self.record and "forward" in self.record else ""
            )
            self.compared = OF_TORCH if self.torch else COMPARED
            self.said = {name: self.record[name] for name in self.compared}
            of_torch = {"recipe": None, "sources": self.record.get("sources", {})}
            self.written: dict[str, Any] = of_torch if self.torch else self.record["certificate"]
            self.conditions = {} if self.torch else _by_analysis(self.record)
            recipe = self.written["recipe"]
            self.recipe = None if recipe is None else Recipe(str(recipe["kind"]), dict(recipe["arguments"]))
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            what = f"{path} is no certificate ({type(problem).__name__}: {problem})"
            raise RunError(what, "a file of --json, or a run's audit.json, of this version", _HINT) from None
        if self.recipe is None and not self.torch:
            raise RunError(
                f"{path} is of parts that were given from Python, which no file holds",
                "a rule that is named: its name, or module:Class",
                "audit it from Python again",
            )

    @property
    def outside(self) -> list[str]:
        """Names of somebody else's code that it needs.

        Raises:
            RunError: the run that it is of is not there.
        """
        if self.recipe is None:
            return [self.torch]
        try:
            return self.recipe.outside
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
            raise RunError(f"{self.path} names what is not there ({problem})", "the run that it is of", _HINT) from None

    def compute(self) -> Verdict | TorchVerdict:
        """The verdict once more.

        Raises:
            NeurosimError: what cannot be built here.
        """
        from neurosim.audit.checks import check, preflight_audit

        if self.recipe is None:
            from neurosim.audit.torch.audit import audit_build

            return audit_build(self.torch)
        if self.recipe.kind == "preflight":
            return preflight_audit(self.recipe.model())
        return check(self.recipe.build(), self.written["kind"] == "light")

    def differences(self, verdict: Verdict | TorchVerdict) -> list[str]:
        """What the verdict says otherwise than the file, by name.

        Args:
            verdict: that was computed once more.
        """
        again = verdict.json()
        found = [
            f"{name}: {_short(self.said[name])} is written, {_short(again[name])} comes out"
            for name in self.compared
            if self.said[name] != again[name]
        ]
        others = {} if self.torch else _by_analysis(again)
        for condition, by in sorted(self.conditions.keys() ^ others.keys()):
            where = (
                "is written, and does not come out" if (condition, by) in self.conditions else "comes out, unwritten"
            )
            found.append(f"condition {condition}: an answer by {by} {where}")
        both = sorted(self.conditions.keys() & others.keys())
        found += [
            f"condition {each[0]} by {each[1]}: {self.conditions[each]} is written, {others[each]} comes out"
            for each in both
            if self.conditions[each] != others[each]
        ]
        was, now = (c.get("sources", {}) for c in (self.written, again if self.torch else again.get("certificate", {})))
        found += [f"the {name} is another: {now.get(name)}" for name in was if _other(was[name], now.get(name))]
        return found

    def remarks(self, verdict: Verdict | TorchVerdict) -> list[str]:
        """Versions that are not those of the file."""
        was, now = (c.get("versions", {}) for c in (self.written, verdict.json().get("certificate", {})))
        return [
            f"{name} {_short(now.get(name))}, not {_short(was[name])}" for name in was if was[name] != now.get(name)
        ]

    def said_again(self, verdict: Verdict | TorchVerdict) -> tuple[str, int]:
        """What a comparison with the verdict prints, and its exit code: 1 where anything differs."""
        wrong = self.differences(verdict)
        lines = [
            f"{self.path} computed once more: {'DIFFERS' if wrong else 'the same answer'}",
            *(f"  {x}" for x in wrong),
        ]
        lines += [f"  with {remark}" for remark in self.remarks(verdict)]
        lines.append(f"verdict: {sentence(verdict) if not self.torch else verdict.json()['verdict']}")  # type: ignore[arg-type]
        return "\n".join(lines), 1 if wrong else verdict.exit_code


_HINT = "write one by `neurosim audit --json FILE`"


def _by_analysis(record: dict[str, Any]) -> dict[tuple[str, str], str]:
    """(condition, analysis) -> its answer."""
    return {
        (condition, by): str(answer["verdict"])
        for condition, answers in record["conditions"].items()
        for by, answer in answers.items()
        if isinstance(answer, dict)
        and (by != "isolation" or answer["verdict"] != HOLDS)  # of the process, not of the rule
    }


def _other(was: str, now: str | None) -> bool:
    """Whether a part of somebody else's is not what it was; this package's own go by its version."""
    return not was.startswith("neurosim.") and was != now


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) < 60 else f"{text[:12]}..."
