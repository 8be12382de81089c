"""The bench: a rule's phases run step by step, recorded, and run again with the forward pass held."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from neurosim.audit.graph.graph import WEIGHTS, Graph, Site
from neurosim.audit.target import AuditTarget
from neurosim.core.buffer import Buffer
from neurosim.core.plan import Plan
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import WiringError
from neurosim.kernels import workspace


@dataclass(frozen=True, eq=False)
class Moment:
    """One run of one step: which batch, which site."""

    batch: int
    site: Site


@dataclass
class Difference:
    """What a run of a step left otherwise than recorded: buffer name -> where (a mask of the buffer's shape)."""

    moment: Moment
    buffers: dict[str, tuple[Buffer, np.ndarray]]


def bits(array: np.ndarray) -> np.ndarray:
    """An array as whole numbers, so that NaN equals NaN and -0 is not 0."""
    kinds = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}
    return array.view(kinds[array.dtype.itemsize])


class Bench:
    """Runs every phase of a subject, batch after batch, one step at a time.

    Args:
        subject: what is audited.
        graph: of its plans.
        team: one thread is enough.
        batches: how often all phases run: what a batch leaves behind shows in the next.

    Attributes:
        moments: every run of a step, in order.
        before: moment of the last batch -> argument -> values that a product or a plasticity found.
        after: moment -> argument -> values that the step left.
    """

    def __init__(self, subject: AuditTarget, graph: Graph, team: ThreadTeam, batches: int = 2):
        self.subject, self.graph, self.team, self.batches = subject, graph, team, batches
        self.bases = list(graph.bases.values())
        self._program = {site: self._bound(site) for site in graph.sites}
        self.moments = [Moment(n, site) for n in range(batches) for sites in graph.phases.values() for site in sites]
        self.start = {b.name: b.array.copy() for b in self.bases}
        self.before: dict[Moment, dict[str, np.ndarray]] = {}
        self.after: dict[Moment, dict[str, np.ndarray]] = {}
        self._shown: dict[int, dict[str, np.ndarray]] = {}
        self._record()

    def _bound(self, site: Site) -> Program:
        try:
            return Program(Plan(site.step.label, [site.step]), self.subject.kernels, hold=True)
        except AttributeError:
            raise WiringError(f"{site} asks for the kernel {site.step.kernel}", "one of the protocol, or the step's own function",
                              "check its name") from None  # fmt: skip

    def run(self, site: Site) -> None:
        """One step, as it stands.

        Raises:
            WiringError: its kernel stumbled, so that nothing can be decided.
        """
        try:
            self._program[site].run(self.team)
        except Exception as problem:  # somebody else's kernel may stumble in any way
            raise WiringError(f"{site} stumbles: {type(problem).__name__}: {problem}", "a kernel that runs on what it declares",
                              f"mend {site.step.kernel}; until then nothing can be decided") from problem  # fmt: skip

    def restore(self) -> None:
        """Every array as it was before the first batch."""
        for base in self.bases:
            base.array[...] = self.start[base.name]

    def _show(self, moment: Moment, again: bool = False) -> None:
        """Lay the batch before the stimulus, where a batch begins; the same arrays as when it was recorded."""
        if moment.site is not self._first:
            return
        made = {b.base.name for s in self.graph.sites for b in s.step.changed.values()}
        if again or moment.batch not in self._shown:
            self.subject.show(moment.batch)
            # Weights that nothing changes and labels are what interventions replace: they are not laid again.
            given = {b.name: b.array.copy() for b in self.bases if b.name not in made and b.role not in (*WEIGHTS, "label")}
            self._shown.setdefault(moment.batch, given)
        else:
            for name, values in self._shown[moment.batch].items():
                self.graph.bases[name].array[...] = values

    @property
    def _first(self) -> Site:
        return self.graph.sites[0]

    def _record(self) -> None:
        for moment in self.moments:
            self._show(moment)
            step = moment.site.step
            if moment.site.kind in ("plasticity", "hebbian") and moment.batch == self.batches - 1:
                self.before[moment] = {k: b.array.copy() for k, b in moment.site.inputs.items()}
            self.run(moment.site)
            self.after[moment] = {k: b.array.copy() for k, b in step.changed.items()}
        self.restore()

    def replay(
        self,
        change: Callable[[Moment | None], None],
        held: bool = True,
        batches: int | None = None,
        again: bool = False,
        also: frozenset[Site] = frozenset(),
    ) -> list[Difference]:
        """Run everything again, other than recorded in one thing, and compare what every step leaves, bit by bit.

        Args:
            change: called with None before the first step, and with every moment right after its values are there.
            held: steps of the forward pass are not run: what they left is put back.
            batches: how many; all if None.
            again: ask the subject for its pictures anew.
            also: steps held besides those of the forward pass.

        Returns:
            The runs of steps that left something else, in order; held steps are not compared.
        """
        self.restore()
        change(None)
        found = []
        for moment in self.moments:
            if batches is not None and moment.batch >= batches:
                break
            self._show(moment, again)
            step = moment.site.step
            if held and (moment.site in self.graph.forward or moment.site in also):
                for argument, buffer in step.changed.items():
                    buffer.array[...] = self.after[moment][argument]
                change(moment)
                continue
            self.run(moment.site)
            change(moment)
            buffers = {}
            for argument, buffer in step.changed.items():
                other = bits(np.ascontiguousarray(buffer.array)) != bits(self.after[moment][argument])
                if other.any():
                    buffers[buffer.base.name] = (buffer, other)
            if buffers:
                found.append(Difference(moment, buffers))
        self.restore()
        return found

    def fence(self) -> list[tuple[Site, str]]:
        """Run every step of the first batch with everything that it did not declare filled with NaN (whole numbers: -1).

        Returns:
            (site, what it touched) for every step that read or changed something undeclared.
        """
        self.restore()
        true = {b.name: b.array.copy() for b in self.bases}
        touched: list[tuple[Site, str]] = []
        for base in self.bases:
            poison(base.array)
        for moment in (m for m in self.moments if m.batch == 0):
            if moment.site is self._first:
                for name, values in self._shown[0].items():
                    true[name][...] = values
            self._fenced(moment, true, touched)
        self.restore()
        return touched

    def _fenced(self, moment: Moment, true: dict[str, np.ndarray], touched: list) -> None:
        step = moment.site.step
        inputs = {b.name: b for b in moment.site.inputs.values()}
        for buffer in inputs.values():
            buffer.array[...] = _like(buffer, true)
        workspace.poison()
        self.run(moment.site)
        for argument, buffer in step.changed.items():
            values = buffer.array.copy()
            if not np.array_equal(bits(values), bits(self.after[moment][argument])):
                touched.append((moment.site, f"{buffer.name} comes out otherwise: something undeclared was read"))
            _like(buffer, true)[...] = self.after[moment][argument]
        for base in {b.base.name: b.base for b in step.buffers.values()}.values():
            poison(base.array)
        for base in self.bases:
            if not _poisoned(base.array):
                touched.append((moment.site, f"{base.name} was changed and is not declared"))
                poison(base.array)


def _like(buffer: Buffer, true: dict[str, np.ndarray]) -> np.ndarray:
    """The rows of a stored base that a buffer or view shows, in the shape of the view."""
    whole = true[buffer.base.name]
    row = max(1, whole[0].size) if whole.ndim else 1
    flat = whole.reshape(-1)
    start = buffer.start * row
    return flat[start : start + int(np.prod(buffer.shape))].reshape(buffer.shape)


def poison(array: np.ndarray) -> None:
    """NaN in every real number, -1 (or the largest) in every whole one."""
    if array.flags.c_contiguous:
        array.view(np.uint8).fill(0xFF)
    else:
        array[...] = np.nan if array.dtype.kind == "f" else np.array(-1).astype(array.dtype)


def _poisoned(array: np.ndarray) -> bool:
    if array.dtype.kind == "f":
        return bool(np.isnan(array).all())
    return bool((array.view(np.uint8) == 0xFF).all()) if array.flags.c_contiguous else True
