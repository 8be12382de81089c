"""Errors as delivered: every passage of activity upwards against every map of errors downwards between the same units.

Whatever arrays, kernels or detours carry an error, what arrives below is compared with what the forward weights, transposed,
would have delivered. Before anything is learned nothing but chance may make the two alike. Later they may grow alike by
outer products of the feedback's own, which are recomputed; then that is said, and breaks nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from neurosim.audit.depth import Part, asked
from neurosim.audit.graph.kinds import builtin
from neurosim.audit.interventions.trial import has_rows
from neurosim.audit.symmetry.probe import Descent, Passage, chosen, passages, sent, units
from neurosim.audit.symmetry.resemblance import likenesses
from neurosim.core.kernel import Kind

if TYPE_CHECKING:
    from neurosim.audit.evidence import Evidence
    from neurosim.audit.interventions.bench import Bench, StepRun
    from neurosim.core.buffer import Buffer
    from neurosim.core.typing import Array

ABOVE, LATER, FEW_ABOVE = 48, 16, 8  # units above that are asked; after some batches; in the light audit


class Delivered:
    """Compares what errors deliver with what transported weights would.

    Args:
        bench: recorded.
        evidence: to which the answers are added.
        start: weights before training, by name; None: those of the bench's first batch.
        light: fewer units, and the first batch alone.
        explained: whether every change of every array in the bench is explained by an audited step.
    """

    def __init__(self, bench: Bench, evidence: Evidence, start: dict[str, Array] | None, light: bool, explained: bool):
        self.bench, self.evidence, self.light, self.explained = bench, evidence, light, explained
        self.start = start or {}
        self.count, self.few, self.grown = 0, set[str](), set[str]()
        self._alike: set[str] = set()  # weights that were found: not again

    def answer(self) -> None:
        """The answer to condition (iii)."""
        found: dict[str, Passage] = {}
        for passage in passages(self.bench):
            found.setdefault(passage.weight.name, passage)
        last = self.bench.batches - 1
        for passage in found.values():
            self._passage(passage, 0, "at the start", self.start)
            if last and asked(Part.LATER, self.light):
                self._passage(passage, last, "after some batches" if not self.start else "after training", {})
        self._say()

    def _passage(self, passage: Passage, batch: int, when: str, weights: dict[str, Array]) -> None:
        rng = np.random.default_rng([batch, passage.site.number])
        most = LATER if batch else ABOVE
        above, below = chosen(passage, most if asked(Part.ABOVE, self.light) else FEW_ABOVE, rng)
        up: list[Array] = []
        many = units(passage.site.step.buffers[passage.pre])
        for run, source in self._sources(passage, batch):
            descent = Descent(self.bench, run, source, weights or self._unlearned(run), many)
            if not descent.runs:
                continue
            for (name, _), delivered in descent.maps(above, below).items():
                if not delivered.any():
                    continue
                up = up or self._ups(passage, batch, above, below, weights)
                for sent_up in up:
                    self._compare(passage, source, name, delivered, sent_up, when)

    def _ups(self, passage: Passage, batch: int, above: Array, below: Array, weights: dict[str, Array]) -> list[Array]:
        """What is sent up: in this batch, and, where that is another, by the weights of the first."""
        run = next(r for r in self.bench.runs if r.site is passage.site and r.batch == batch)
        name, weights = passage.weight.name, weights or self._unlearned(run)
        found = [sent(self.bench, passage, run, above, below, weights.get(name))]
        if batch:
            first = self.start.get(name, self.bench.start[name])
            found.append(sent(self.bench, passage, run, above, below, first))
        return found

    def _unlearned(self, run: StepRun) -> dict[str, Array]:
        """In the first batch: as they were at the start, the weights that this package's plasticities changed before a run."""
        earlier = self.bench.runs[: self.bench.runs.index(run)] if not run.batch else []
        updates = [r.site.step for r in earlier if builtin(r.site.step) and r.site.kind is Kind.PLASTICITY]
        changed = {b.base.name for step in updates for b in step.changed.values() if b.role.is_weight}
        return {name: self.bench.start[name] for name in changed}

    def _sources(self, passage: Passage, batch: int) -> Iterator[tuple[StepRun, Buffer]]:
        """Errors of as many units as the passage leads to, and the runs that made them."""
        many = units(passage.site.step.buffers[passage.post])
        for run in self.bench.runs:
            if run.batch != batch or run.site.phase != passage.site.phase or run.site in self.bench.graph.forward:
                continue
            for buffer in {**run.site.step.writes, **run.site.step.sums}.values():
                if has_rows(buffer) and buffer.dtype.kind == "f" and units(buffer) == many:
                    yield run, buffer

    def _compare(self, passage: Passage, source: Buffer, result: str, delivered: Array, up: Array, when: str) -> None:
        maps = {f"what errors deliver, {result},": delivered, f"what {passage.weight.name} sends": up}
        if not self.bench.is_fit(f"errors from {source.name}, one at a time", maps):
            return
        is_open = delivered.any(axis=0)  # a gate that is closed delivers nothing, and its channel is not whole then
        channels = passage.site.step.buffers[passage.pre].shape[-1] if is_open.all() else 0
        found = likenesses(delivered[:, is_open], up[:, is_open], channels)
        way = f"{source.name} -> {result}"
        self.count += 1
        if found is None:
            self.few.add(f"{way} along {passage.weight.name}")
            return
        self.few.discard(f"{way} along {passage.weight.name}")
        if not found:
            return
        text = f"{when} errors come from {way} as {passage.weight.name} transposed would deliver them: "
        text += ", ".join(map(str, found[:2]))
        key = passage.weight.name
        if key in self._alike:
            return
        if when != "at the start" and self.explained:
            self.grown.add(f"{way} along {passage.weight.name}")
            return
        self._alike.add(key)
        self.evidence.add_finding("iii", text, (passage.weight.name, f"errors from {way}"))

    def _say(self) -> None:
        if self.few:
            self.evidence.leave_out(
                "(iii) too few units to know a resemblance from chance: " + ", ".join(sorted(self.few))
            )
        grown = f"; grown alike by outer products that were recomputed: {', '.join(sorted(self.grown))}"
        if self.count:
            self.evidence.add_check(
                "iii",
                f"{self.count} maps of delivered errors compared with transported weights, at the start"
                + (" and after the last batch" if asked(Part.LATER, self.light) else "")
                + (grown if self.grown else ""),
            )
