"""Every feedback array against every forward array of its size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from neurosim.audit.evidence import Evidence
from neurosim.audit.symmetry.compare import compare
from neurosim.audit.symmetry.delivered import Delivered
from neurosim.core.typing import Array

if TYPE_CHECKING:
    from neurosim.audit.graph.graph import Graph
    from neurosim.audit.interventions.bench import Bench
    from neurosim.core.buffer import Buffer

Arrays = dict[str, Array]


def analyse_symmetry(
    graph: Graph, start: Arrays | None = None, bench: Bench | None = None, light: bool = False, explained: bool = True
) -> Evidence:
    """Every feedback array against every forward array of its size: no copy, whatever memory it lies in.

    Args:
        graph: whose arrays are compared.
        start: the weights before training, by name; None: these are they.
        bench: recorded: the errors that are delivered are compared, too.
        light: fewer of these.
        explained: whether every change of every array in the bench is explained by an audited step.
    """
    evidence = Evidence("symmetry")
    forward = [b for b in graph.bases.values() if b.role.is_forward and b.array.size > 1]
    own = [b for b in graph.bases.values() if b.role.is_weight and not b.role.is_forward]
    pairs = [(back, weight) for back in own for weight in forward if sorted(back.shape) == sorted(weight.shape)]
    for when, arrays, trained in _times({b.name: b.array for b in (*own, *forward)}, start):
        _compare_pairs(pairs, when, arrays, trained, evidence)
    if bench is not None:
        Delivered(bench, evidence, start, light, explained).answer()
    return evidence


def _times(now: Arrays, start: Arrays | None) -> Iterator[tuple[str, Arrays, bool]]:
    """When arrays are compared: in words, the arrays, whether something was learned since they were drawn."""
    if start is None:
        yield "", now, False
    else:
        yield "at the start ", start, False
        yield "after training ", now, True


def _compare_pairs(
    pairs: list[tuple[Buffer, Buffer]], when: str, arrays: Arrays, trained: bool, evidence: Evidence
) -> None:
    compared = []
    for back, weight in pairs:
        found = compare(arrays[back.name], arrays[weight.name], trained=trained)
        if found.verdict == "violated":
            evidence.add_finding("iii", f"{when}{back.name} against {weight.name}: {found}")
        compared.append((-abs(found.correlation), f"{back.name} against {weight.name}: {found}"))
    if compared:
        count, nearest = len(compared), min(compared)[1]
        text = f"{when}{count} pairs of a feedback and a forward array compared, nearest: {nearest}"
        evidence.add_check("iii", text)
