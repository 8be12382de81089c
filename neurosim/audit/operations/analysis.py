"""The ledger of every kernel that makes an error or a change: conditions (i) and (ii) by name of the operation."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any

from neurosim.audit.evidence import Evidence
from neurosim.audit.graph.kinds import builtin, callable_of
from neurosim.audit.graph.updates import updates_of
from neurosim.audit.operations import categories as C
from neurosim.audit.operations.judgement import ALLOWED, place_of
from neurosim.audit.operations.ledger import Ledger, ledger
from neurosim.core.kernel import Kind

if TYPE_CHECKING:
    from neurosim.audit.graph.graph import Graph, Site

RECORDED = (Kind.COMPARE, Kind.GATE, Kind.HEBBIAN, Kind.PLASTICITY, Kind.DELIVER, Kind.STORE)
ERRORS = (Kind.COMPARE, Kind.GATE, Kind.DELIVER)
ERROR_PLACES = ("error units", "gate", "memory")  # where condition (ii) asks for simple arithmetic


Excuses = Callable[["Site", str], bool]  # a step, and a category of operations


def _nothing(site: Site, kind: str) -> bool:
    """Nothing was measured."""
    return False


def analyse_operations(graph: Graph, kernels: Any, excuses: Excuses = _nothing) -> Evidence:
    """Record every kernel that makes an error or a change.

    Args:
        graph: of all phases.
        kernels: of the device.
        excuses: whether an operation of a category breaks nothing at a step of somebody else's, as measurements show.
    """
    evidence = Evidence("operations")
    sites = _one_each(graph)
    counts: dict[tuple[str, str], dict[str, int]] = {}  # (condition, kernel) -> category -> how often
    for site in sites:
        found = ledger(site.step, callable_of(site.step, kernels), _place(site))
        _judge(site, found, evidence, excuses)
        if site.kind in (Kind.COMPARE, Kind.PLASTICITY):
            condition = "ii" if site.kind is Kind.COMPARE else "i"
            counts.setdefault((condition, found.kernel), {}).update(found.counts)
    text = f"{len(sites)} kernels recorded: every product is of a presynaptic and a postsynaptic number"
    evidence.add_check("i", text)
    for (condition, kernel), numbers in counts.items():
        evidence.add_check(condition, f"kernel {kernel}: {counted(numbers)}")
    if not any(site.kind in ERRORS for site in graph.sites):
        evidence.add_check("ii", "no step computes an error")
    return evidence


def _one_each(graph: Graph) -> list[Site]:
    """One site for every kernel and way through it: tanh and hardtanh, for example, take different ways through one gate.

    Of other people's kernels all are recorded that a change is made of, and those whose results are compared, whatever they
    are said to be.
    """
    found: dict[Hashable, Site] = {}
    on_the_way = {site for update in updates_of(graph) for site in graph.slice(update).parents}
    for site in graph.sites:
        own = not builtin(site.step)
        if site.kind in RECORDED or (own and (site in on_the_way or is_compared(graph, site))):
            step = site.step
            way = (site.kind, step.kernel, len(step.buffers), str(dict(step.scalars)))
            found.setdefault(way if not own else (way, site.number), site)
    return list(found.values())


def is_compared(graph: Graph, site: Site) -> bool:
    """Whether some result of a step is compared, as it is or after steps without weights."""
    waiting, seen = [site], {site}
    for one in waiting:  # grows while it is walked
        made = {graph.class_of(b) for b in one.step.changed.values()}
        for other in graph.phases[one.phase]:
            if other in seen or not made & {graph.class_of(b) for b in other.inputs.values()}:
                continue
            if other.kind is Kind.COMPARE:
                return True
            if not any(b.role.is_weight for b in other.inputs.values()):
                seen.add(other)
                waiting.append(other)
    return False


def _place(site: Site) -> str | None:
    """Where a step is judged: as its roles say; at the error units where they say that nothing is asked of it."""
    return "error units" if not builtin(site.step) and place_of(site.step) not in ALLOWED else None


def _judge(site: Site, found: Ledger, evidence: Evidence, excuses: Excuses) -> None:
    where = f"({found.place}: {site})"
    own = not builtin(site.step)
    for operation in found.forbidden:
        if own and excuses(site, operation.kind):
            continue
        condition = "ii" if found.place in ERROR_PLACES else "i"
        evidence.add_finding(condition, f"{operation} {where}")
    asked = site.kind in (Kind.COMPARE, Kind.GATE) and not (own and excuses(site, C.ESCAPE))
    if found.undecided and not found.forbidden and asked:
        evidence.undecided["ii"] = f"{found.undecided[0]} {where}"


def counted(counts: dict[str, int]) -> str:
    """Categories and their numbers in a line."""
    return ", ".join(f"{category} {number}" for category, number in counts.items())
