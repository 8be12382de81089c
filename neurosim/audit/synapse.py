"""One synapse told: its equation, its two sides now, its change, and the source lines that make it."""

from __future__ import annotations

import inspect
import linecache
import re
from pathlib import Path
from types import GeneratorType

from neurosim.audit.graph.graph import Graph, Site
from neurosim.audit.interventions.naive import pair_of, terms
from neurosim.audit.target import AuditTarget
from neurosim.core.buffer import Buffer
from neurosim.core.step import Step
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import WiringError
from neurosim.kernels import reference

WORDS = {"conv": "W", "head": "H"}  # other arrays go by their own names: B3, F2, G4, bW1
SHOWN = 4  # terms of the sum
ROOT = Path(__file__).resolve().parents[2]


def parse(text: str) -> tuple[str, tuple[int, int], tuple[int, int] | None]:
    """Read ``conv3:17,4``, ``conv3:17,4@0,2``, ``head3:120,5`` or ``B3:17,4``.

    Of a 3 x 3 convolution the two numbers are the presynaptic and the postsynaptic channel; the tap (row, column) comes
    after ``@`` and is the middle one, 1,1, if left out. Of a head they are the presynaptic unit (of the layer's
    activity as one vector: row, column, channel) and the postsynaptic unit.

    Returns:
        The array's name, its pre and post, the tap or None.

    Raises:
        WiringError: a text that is none of these.
    """
    found = re.fullmatch(r"([A-Za-z]+?)(\d+):(\d+),(\d+)(?:@([012]),([012]))?", text.strip())
    if not found:
        raise WiringError(f"the synapse {text!r}", "an array, two numbers and perhaps a tap, like conv3:17,4 or conv3:17,4@0,2",
                          "write --synapse conv3:17,4")  # fmt: skip
    word, number, pre, post, row, column = found.groups()
    tap = (int(row), int(column)) if row is not None else None
    return WORDS.get(word, word) + number, (int(pre), int(post)), tap


def tell(subject: AuditTarget, text: str) -> list[str]:
    """Lines about one synapse after one batch of the subject.

    Raises:
        WiringError: no such array in the plan, or no such synapse in it.
    """
    name, pair, tap = parse(text)
    graph = Graph(subject.plans, alias=())
    weight = _array(graph, name, text)
    index = _index(weight, pair, tap, text)
    phase = next((s.phase for s in graph.sites if any(b.base is weight for b in s.step.updates.values())), None)
    phase = phase or next(s.phase for s in graph.sites if any(b.base is weight for b in s.step.buffers.values()))
    before = float(weight.array[index])
    plan = subject.plans[phase]
    subject.show(0)
    with ThreadTeam(1) as team:
        Program(plan, subject.kernels, hold=True).run(team)
    lines = [f"synapse   {name}[{', '.join(map(str, index))}] of {subject.title}, {weight.role}"]
    product = _maker(graph, weight, phase)
    if product is None:
        users = [s for s in graph.phases[phase] if any(b.base is weight for b in s.step.reads.values())]
        lines.append(f"weight    {before:.6g}; no step of the plan changes it")
        return [*lines, *(f"used by   {s.step.equation} (step {s.number})" for s in users)]
    lines += _product(product, weight, index, subject)
    settle = next(s for s in graph.phases[phase] for b in s.step.updates.values() if s.kind == "plasticity" and b.base is weight)
    after = float(weight.array[index])
    lines += [f"weight    {before:.6g} -> {after:.6g}: {settle.step.equation} (step {settle.number})",
              *_source(settle.step, "weight")]  # fmt: skip
    return [*lines, *_wired(subject, phase, (product.step, settle.step))]


def _array(graph: Graph, name: str, text: str) -> Buffer:
    arrays = {b.name: b for b in graph.bases.values() if b.role.endswith("weight")}
    if name not in arrays:
        raise WiringError(f"the synapse {text} lies in {name}, and the plan has no such array",
                          "one of " + (", ".join(arrays) or "none: nothing learns"), "write --synapse conv1:0,0")  # fmt: skip
    return arrays[name]


def _index(weight: Buffer, pair: tuple[int, int], tap, text: str) -> tuple[int, ...]:
    convolution = len(weight.shape) == 4
    if tap is not None and not convolution:
        raise WiringError(f"the synapse {text} has a tap, and {weight.name} is no convolution", "two numbers", "leave the @ out")
    index = (*(tap or (1, 1)), *pair) if convolution else pair
    if any(i >= size for i, size in zip(index, weight.shape, strict=True)):
        sizes = "pre below {} and post below {}".format(*weight.shape[-2:])
        raise WiringError(f"the synapse {text} lies outside {weight.name}", sizes, "write smaller numbers")
    return index


def _maker(graph: Graph, weight: Buffer, phase: str) -> Site | None:
    """The step that sums the outer products of an array."""
    return next((s for s in graph.phases[phase] if s.kind == "hebbian" and pair_of(s)
                 for b in s.step.changed.values() if b.owner == weight.owner), None)  # fmt: skip


def _product(site: Site, weight: Buffer, index: tuple[int, ...], subject: AuditTarget) -> list[str]:
    """Equation, both sides, the largest terms, the sum."""
    pre, post = pair_of(site)
    [change] = list(site.step.changed.values())
    met = terms(pre.array, post.array, index)
    ends = [f"channel {i}" if len(index) == 4 else f"unit {i}" for i in index[-2:]]
    tap = f", tap {index[0]},{index[1]}{' (the middle one)' * (index[:2] == (1, 1))}" if len(index) == 4 else ""
    lines = [f"connects  {ends[0]} of {pre.owner} -> {ends[1]} of {post.owner}{tap}",
             f"equation  {site.step.equation} (step {site.number} of {site.phase!r}, kernel {site.step.kernel})",
             *_source(site.step, "change"),
             *_side("pre", pre, [a for _, a, _ in met]), *_side("post", post, [b for _, _, b in met])]  # fmt: skip
    pairs = subject.rule.network.pairs
    for place, a, b in sorted(met, key=lambda term: -abs(term[1] * term[2]))[:SHOWN]:
        if a * b:
            row = place[0] + (pairs if len(post.array) == pairs else 0)
            where = f", row {place[1]}, column {place[2]}" if len(place) > 1 else ""
            lines.append(f"  moment {row % pairs + 1}, view {row // pairs + 1}{where}: {a:.6g} x {b:.6g} = {a * b:.6g}")
    total = sum(a * b for _, a, b in met)
    told = f"change    {change.name} = {float(change.array[index]):.6g}"
    return [*lines, f"{told}; the sum of the {len(met)} products by hand {total:.6g}"]


def _side(word: str, buffer: Buffer, values: list[float]) -> list[str]:
    active = [v for v in values if v]
    told = f"from {min(values):.6g} to {max(values):.6g}" if values else "none"
    return [f"{word:9} {buffer.name} ({buffer.role}): {len(values)} values now, {len(active)} not zero, {told}"]


def _source(step: Step, target: str) -> list[str]:
    """The line of the naive kernel that changes the target: the specification of what runs."""
    function = step.function or getattr(reference, step.kernel)
    source, first = inspect.getsourcelines(function)
    hits = [n for n, line in enumerate(source) if re.search(rf"\b{target}\b(\[.*?\])?\s*[-+*/]?=(?!=)|out={target}", line)]
    number = hits[-1] if hits else 0
    return [f"source    {_short(inspect.getsourcefile(function))}:{first + number}: {source[number].strip()}"]


def _short(file: str) -> str:
    path = Path(file).resolve()
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def _wired(subject: AuditTarget, phase: str, steps: tuple[Step, ...]) -> list[str]:
    """The lines of the rule that list these steps: the rule's wiring is run again, and watched."""
    lines, labels = {}, {step.label for step in steps}
    wiring = subject.rule.wire(phase)
    for step in wiring if isinstance(wiring, GeneratorType) else ():
        if step.label in labels:
            at, frames = wiring, []
            while isinstance(at, GeneratorType) and at.gi_frame is not None:
                frames.append((at.gi_code.co_filename, at.gi_frame.f_lineno))
                at = at.gi_yieldfrom
            inside = [f for f in frames if "/parts/" not in f[0].replace("\\", "/")] or frames
            file, number = inside[-1]
            lines[f"wired by  {_short(file)}:{number}: {linecache.getline(file, number).strip()}"] = None
    return list(lines)


