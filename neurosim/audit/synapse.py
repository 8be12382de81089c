"""One synapse described: its equation, its two sides now, its change, and the source lines that make it."""

from __future__ import annotations

import inspect
import linecache
import re
from pathlib import Path
from types import FrameType, GeneratorType
from typing import TYPE_CHECKING, Any

from neurosim.audit.graph.graph import Graph, Site
from neurosim.audit.graph.kinds import kernel_name, source_of
from neurosim.audit.interventions.products import Terms, pair_of, terms
from neurosim.core.kernel import Kind
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import WiringError

if TYPE_CHECKING:
    from neurosim.audit.target import AuditTarget
    from neurosim.core.buffer import Buffer
    from neurosim.core.step import Step

WORDS = {"conv": "W", "head": "H"}  # other arrays go by their own names: B3, F2, G4, bW1
LARGEST = 4  # terms of the sum that are listed
ROOT = Path(__file__).resolve().parents[2]

Tap = tuple[int, int]


def parse(text: str) -> tuple[str, tuple[int, int], Tap | None]:
    """Read ``conv3:17,4``, ``conv3:17,4@0,2``, ``head3:120,5`` or ``B3:17,4``.

    Of a convolution the two numbers are the presynaptic and the postsynaptic channel; the tap (row, column) comes
    after ``@`` and is the middle one of the field, 1,1 of 3 x 3, if left out. Of a head they are the presynaptic unit
    (of the layer's activity as one vector: row, column, channel) and the postsynaptic unit.

    Returns:
        The array's name, its pre and post, the tap or None.

    Raises:
        WiringError: a text that is none of these.
    """
    found = re.fullmatch(r"([A-Za-z]+?)(\d+):(\d+),(\d+)(?:@(\d+),(\d+))?", text.strip())
    if not found:
        raise WiringError(
            f"the synapse {text!r}",
            "an array, two numbers and perhaps a tap, like conv3:17,4 or conv3:17,4@0,2",
            "write synapse='conv3:17,4'",
        )
    word, number, pre, post, row, column = found.groups()
    tap = (int(row), int(column)) if row is not None else None
    return WORDS.get(word, word) + number, (int(pre), int(post)), tap


def describe_synapse(target: AuditTarget, text: str) -> list[str]:
    """Lines about one synapse after one batch of the target.

    Args:
        target: a rule, wired.
        text: as for `parse`.

    Raises:
        WiringError: no such array in the plan, or no such synapse in it.
    """
    name, pair, tap = parse(text)
    graph = Graph(target.plans, alias=())
    weight = _array(graph, name, text)
    index = _index(weight, pair, tap, text)
    phase = _phase(graph, weight)
    before = float(weight.array[index])
    target.present_batch(0)
    with ThreadTeam(1) as team:
        Program(target.plans[phase], target.kernels, hold=True).run(team)
    place = ", ".join(map(str, index))
    lines = [f"synapse   {name}[{place}] of {target.title}, {weight.role}"]
    sites = graph.phases[phase]
    product = _product_site(sites, weight)
    if product is None:
        users = [s for s in sites if any(b.base is weight for b in s.step.reads.values())]
        lines.append(f"weight    {before:.6g}; no step of the plan changes it")
        return [*lines, *(f"used by   {s.step.equation} (step {s.number})" for s in users)]
    lines += _product(product, weight, index, target)
    update = next(s for s in sites if s.kind is Kind.PLASTICITY and _updates(s, weight))
    after = float(weight.array[index])
    lines.append(f"weight    {before:.6g} -> {after:.6g}: {update.step.equation} (step {update.number})")
    return [*lines, *_source(update.step, "weight"), *_wired(target, phase, (product.step, update.step))]


# -- which array, which step


def _array(graph: Graph, name: str, text: str) -> Buffer:
    arrays = {b.name: b for b in graph.bases.values() if b.role.is_weight}
    if name not in arrays:
        raise WiringError(
            f"the synapse {text} lies in {name}, and the plan has no such array",
            "one of " + (", ".join(arrays) or "none: nothing learns"),
            "write synapse='conv1:0,0'",
        )
    return arrays[name]


def _index(weight: Buffer, pair: tuple[int, int], tap: Tap | None, text: str) -> tuple[int, ...]:
    convolution = len(weight.shape) == 4
    if tap is not None and not convolution:
        raise WiringError(
            f"the synapse {text} has a tap, and {weight.name} is no convolution", "two numbers", "leave the @ out"
        )
    index = (*(tap or _middle(weight)), *pair) if convolution else pair
    if tap is not None and max(tap) >= len(weight.array):
        raise WiringError(
            f"the synapse {text} has a tap outside the fields of {weight.name}",
            f"two numbers after the @, each below {len(weight.array)}",
            "write synapse='conv3:17,4@0,2'",
        )
    if any(i >= size for i, size in zip(index, weight.shape, strict=True)):
        sizes = "pre below {} and post below {}".format(*weight.shape[-2:])
        raise WiringError(f"the synapse {text} lies outside {weight.name}", sizes, "write smaller numbers")
    return index


def _middle(weight: Buffer) -> Tap:
    """The tap of a convolution that lies at its own place."""
    before = (len(weight.array) - 1) // 2
    return before, before


def _updates(site: Site, weight: Buffer) -> bool:
    return any(b.base is weight for b in site.step.updates.values())


def _phase(graph: Graph, weight: Buffer) -> str:
    """The first phase that changes an array, or else the first that uses it."""
    changing = [s.phase for s in graph.sites if _updates(s, weight)]
    using = [s.phase for s in graph.sites if any(b.base is weight for b in s.step.buffers.values())]
    return [*changing, *using][0]


def _product_site(sites: list[Site], weight: Buffer) -> Site | None:
    """The step that sums the outer products of an array."""
    products = [s for s in sites if s.kind is Kind.HEBBIAN and pair_of(s)]
    return next((s for s in products for b in s.step.changed.values() if b.owner == weight.owner), None)


# -- in words


def _product(site: Site, weight: Buffer, index: tuple[int, ...], target: AuditTarget) -> list[str]:
    """Equation, both sides, the largest terms, the sum."""
    pair = pair_of(site)
    assert pair is not None  # of `_product_site`
    pre, post = pair
    [change] = list(site.step.changed.values())
    convolution = len(index) == 4
    found = terms(pre.array, post.array, index, weight.shape[0] if convolution else 3)
    ends = [f"channel {i}" if convolution else f"unit {i}" for i in index[-2:]]
    tap = f", tap {index[0]},{index[1]}" if convolution else ""
    tap += " (the middle one)" if convolution and index[:2] == _middle(weight) else ""
    total = sum(a * b for _, a, b in found)
    made = f"change    {change.name} = {float(change.array[index]):.6g}"
    where = f"(step {site.number} of {site.phase!r}, kernel {kernel_name(site.step)})"
    return [
        f"connects  {ends[0]} of {pre.owner} -> {ends[1]} of {post.owner}{tap}",
        f"equation  {site.step.equation} {where}",
        *_source(site.step, "change"),
        *_side("pre", pre, [a for _, a, _ in found]),
        *_side("post", post, [b for _, _, b in found]),
        *_largest(found, target.rule.network.pairs, len(post.array)),
        f"{made}; the sum of the {len(found)} products by hand {total:.6g}",
    ]


def _side(word: str, buffer: Buffer, values: list[float]) -> list[str]:
    active = [v for v in values if v]
    extent = f"from {min(values):.6g} to {max(values):.6g}" if values else "none"
    return [f"{word:9} {buffer.name} ({buffer.role}): {len(values)} values now, {len(active)} not zero, {extent}"]


def _largest(found: Terms, pairs: int, rows: int) -> list[str]:
    """The terms that contribute most; ``rows`` of the postsynaptic side, which may be of view 2 alone."""
    lines = []
    for place, a, b in sorted(found, key=lambda term: -abs(term[1] * term[2]))[:LARGEST]:
        if a * b:
            row = place[0] + (pairs if rows == pairs else 0)
            where = f", row {place[1]}, column {place[2]}" if len(place) > 1 else ""
            lines.append(f"  moment {row % pairs + 1}, view {row // pairs + 1}{where}: {a:.6g} x {b:.6g} = {a * b:.6g}")
    return lines


# -- in the source


def _source(step: Step, target: str) -> list[str]:
    """The line of the naive kernel that changes the target: the specification of what runs."""
    function = source_of(step)
    source, first = inspect.getsourcelines(function)
    assigned = re.compile(rf"\b{target}\b(\[.*?\])?\s*[-+*/]?=(?!=)|out={target}")
    number = ([n for n, line in enumerate(source) if assigned.search(line)] or [0])[-1]
    return [f"source    {_short(inspect.getsourcefile(function) or '')}:{first + number}: {source[number].strip()}"]


def _short(file: str) -> str:
    path = Path(file).resolve()
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def _wired(target: AuditTarget, phase: str, steps: tuple[Step, ...]) -> list[str]:
    """The lines of the rule that list these steps: the rule's wiring is run again, and watched."""
    lines: dict[str, None] = {}
    labels = {step.label for step in steps}
    wiring = target.rule.wire(phase)
    for step in wiring if isinstance(wiring, GeneratorType) else ():
        if step.label in labels:
            frames = _frames(wiring)
            outside = [f for f in frames if "/parts/" not in f[0].replace("\\", "/")] or frames
            file, number = outside[-1]
            lines[f"wired by  {_short(file)}:{number}: {linecache.getline(file, number).strip()}"] = None
    return list(lines)


def _frames(at: Any) -> list[tuple[str, int]]:
    """Where a generator and those that it yields from stand: (file, line)."""
    frames = []
    while isinstance(at, GeneratorType) and isinstance(at.gi_frame, FrameType):
        frames.append((at.gi_code.co_filename, at.gi_frame.f_lineno))
        at = at.gi_yieldfrom
    return frames
