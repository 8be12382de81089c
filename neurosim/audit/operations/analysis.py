"""The ledger of every kernel that makes an error or a change: conditions (i) and (ii) by name of the operation."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from neurosim.audit.evidence import Evidence
from neurosim.audit.graph.kinds import callable_of
from neurosim.audit.operations.ledger import Ledger, ledger
from neurosim.core.kernel import Kind

if TYPE_CHECKING:
    from neurosim.audit.graph.graph import Graph, Site

RECORDED = (Kind.COMPARE, Kind.GATE, Kind.HEBBIAN, Kind.PLASTICITY, Kind.DELIVER, Kind.STORE)
ERROR_PLACES = ("error units", "gate", "memory")  # where condition (ii) asks for simple arithmetic


def analyse_operations(graph: Graph, kernels: Any) -> Evidence:
    """Record every kernel that makes an error or a change.

    Args:
        graph: of all phases.
        kernels: of the device.
    """
    evidence = Evidence("operations")
    sites = _one_each(graph)
    counts: dict[tuple[str, str], dict[str, int]] = {}  # (condition, kernel) -> category -> how often
    for site in sites:
        found = ledger(site.step, callable_of(site.step, kernels))
        _judge(site, found, evidence)
        if site.kind in (Kind.COMPARE, Kind.PLASTICITY):
            condition = "ii" if site.kind is Kind.COMPARE else "i"
            counts.setdefault((condition, found.kernel), {}).update(found.counts)
    text = f"{len(sites)} kernels recorded: every product is of a presynaptic and a postsynaptic number"
    evidence.add_check("i", text)
    for (condition, kernel), numbers in counts.items():
        evidence.add_check(condition, f"kernel {kernel}: {counted(numbers)}")
    return evidence


def _one_each(graph: Graph) -> list[Site]:
    """One site for every kernel and way through it: tanh and hardtanh, for example, take different ways through one gate."""
    found: dict[Hashable, Site] = {}
    for site in graph.sites:
        if site.kind in RECORDED:
            step = site.step
            way = (site.kind, step.kernel, len(step.buffers), str(dict(step.scalars)))
            found.setdefault(way, site)
    return list(found.values())


def _judge(site: Site, found: Ledger, evidence: Evidence) -> None:
    where = f"({found.place}: {site})"
    for operation in found.forbidden:
        condition = "ii" if found.place in ERROR_PLACES else "i"
        evidence.add_finding(condition, f"{operation} {where}")
    if found.undecided and not found.forbidden and site.kind in (Kind.COMPARE, Kind.GATE):
        evidence.undecided["ii"] = f"{found.undecided[0]} {where}"


def counted(counts: dict[str, int]) -> str:
    """Categories and their numbers in a line."""
    return ", ".join(f"{category} {number}" for category, number in counts.items())
