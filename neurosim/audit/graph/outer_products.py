"""Condition (i) from the declarations: every weight changes by an outer product of its own two populations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from neurosim.audit.graph.graph import PER_ROW, Graph, Site
from neurosim.audit.graph.kinds import builtin, kernel_name
from neurosim.audit.graph.updates import populations_of, same_populations, updates_of
from neurosim.core.kernel import Kind
from neurosim.core.roles import Role

if TYPE_CHECKING:
    from neurosim.audit.evidence import Evidence
    from neurosim.core.buffer import Buffer

PRESYNAPTIC = (Role.IMAGE, Role.ACTIVITY, Role.NOISE, Role.MEMORY)  # what a synapse may have for its presynaptic side


class OuterProducts:
    """Follows every change of a weight back to the outer product that it is made of.

    Args:
        graph: of all phases.
        evidence: of the structure, to which the answer is added.
    """

    def __init__(self, graph: Graph, evidence: Evidence):
        self.graph, self.evidence = graph, evidence
        self.populations = same_populations(graph)

    def answer(self) -> None:
        """The answer to condition (i), as far as declarations give one."""
        updates = updates_of(self.graph)
        weights = {b.base.name: b.base for s in updates for b in s.step.changed.values() if b.role.is_weight}
        for weight in weights.values():
            for site in updates:
                if site.changes(weight):
                    self._change(weight, site)
        text = f"{len(weights)} weight arrays change, each by one outer product of its own two populations"
        self.evidence.add_check("i", text)

    def _fail(self, text: str, why: str = "") -> None:
        self.evidence.add_finding("i", text, why=why)

    def _change(self, weight: Buffer, site: Site) -> None:
        """One step that changes one weight array: by its own change and its own traces, or not at all."""
        others = [b for b in site.inputs.values() if b.owner != weight.owner and b.role is not Role.RATE]
        if not builtin(site.step):  # what it does with activities and with numbers for all is measured
            others = [b for b in others if _of_synapses(b)]
        if others:
            b = others[0]
            self._fail(f"{weight.name} changes by {b.name}, a {b.role} of {b.owner}, in {site}")
        if site.kind is Kind.SEND:
            if not others and not all(b.role.is_weight for b in site.inputs.values()):
                self._fail(f"{weight.name} is overwritten by no outer product, in {site}")
            return
        if site.kind is not Kind.PLASTICITY or not any(b.base is weight for b in site.step.updates.values()):
            self._fail(f"{weight.name} is changed by a step that is no plasticity, {site}")
            return
        self._undecided(site, "whether it works synapse by synapse is run")
        changes = [b for b in site.step.reads.values() if b.role is Role.CHANGE]
        if not changes and builtin(site.step):
            self._fail(f"{weight.name} changes without an outer product, in {site}")
        for change in changes:
            makers, earlier = self.graph.makers(site, change)
            if not makers or earlier:
                self._fail(f"{weight.name} changes by {change.name} of no step of this batch, in {site}")
            for maker in makers:
                self._product(weight, maker)

    def _undecided(self, site: Site, rest: str) -> None:
        """A kernel from outside this package may do anything: another analysis decides."""
        if not builtin(site.step):
            self.evidence.undecided["i"] = f"kernel {kernel_name(site.step)} is not of this package: {rest}"

    def _product(self, weight: Buffer, site: Site) -> None:
        """The step that makes a change: an outer product of the two populations that the synapse connects.

        Numbers of its own places, which give a block of rows its place, are no third factor.
        """
        inputs = [b for b in site.inputs.values() if not _place_in_own_rows(b, weight)]
        pre = [b for b in inputs if b.role in PRESYNAPTIC and not _one_for_all(b)]
        post = [b for b in inputs if b.role is Role.ERROR] or pre[1:]
        measured = not builtin(site.step) and inputs and not any(_of_synapses(b, weight) for b in inputs)
        if measured:
            self._undecided(site, "what every synapse's change moves with is measured")
            if not pre or not post:
                return
        elif site.kind is not Kind.HEBBIAN or not pre or not post or len(inputs) != 2:
            made_of = ", ".join(f"{b.name} ({b.role})" for b in inputs)
            self._fail(
                f"the change of {weight.name} is no outer product of two activities but made of {made_of}, in {site}",
                why="numbers that are copied from a product equal the product",
            )
            return
        self._ends(weight, pre[0], post[0], site)
        self._rows(weight, pre[0], post[0], site)

    def _ends(self, weight: Buffer, pre: Buffer, post: Buffer, site: Site) -> None:
        """Pre and post belong to the two populations that the weight connects."""
        ends = populations_of(self.graph, weight)
        if not ends:
            self.evidence.undecided["i"] = f"no step uses {weight.name}, so its two populations are not known"
        elif self._shared(pre.owner, post.owner) not in {self._shared(*end) for end in ends}:
            pairs = " or ".join(sorted("{} and {}".format(*sorted(end)) for end in ends if len(end) == 2))
            self._fail(
                f"{weight.name} connects {pairs}, and changes by {pre.name} of {pre.owner} and {post.name} "
                f"of {post.owner}, in {site}"
            )

    def _shared(self, *owners: str) -> frozenset[str]:
        """Owners, those of one population under one name."""
        return frozenset(self.populations[owner] for owner in owners)

    def _rows(self, weight: Buffer, pre: Buffer, post: Buffer, site: Site) -> None:
        """Pre and post of a product are of the same moments of this batch."""
        for b in (pre, post):
            makers, earlier = self.graph.makers(site, b)
            if earlier and makers and b.role is not Role.MEMORY:
                self._fail(f"{weight.name} changes by {b.name} of another batch, in {site}")
        rows = [b.base.shape[0] - b.start - b.shape[0] for b in (pre, post) if b.axes[0] in PER_ROW]
        if len(set(rows)) > 1:
            self._fail(f"{weight.name} pairs row i of {post.name} with another moment's row of {pre.name}, in {site}")


def _of_synapses(buffer: Buffer, weight: Buffer | None = None) -> bool:
    """Whether a buffer belongs to synapses, to others than those of a weight."""
    synaptic = buffer.role.is_weight or buffer.role in (Role.CHANGE, Role.PLASTICITY, Role.LABEL)
    return synaptic and (weight is None or buffer.owner != weight.owner)


def _one_for_all(buffer: Buffer) -> bool:
    """Whether a buffer is one number that is kept, as a mean reward is: neither side of a synapse."""
    return buffer.role is Role.MEMORY and math.prod(buffer.shape) == 1


def _place_in_own_rows(buffer: Buffer, weight: Buffer) -> bool:
    whole = buffer.dtype.kind == "i"
    return buffer.role is Role.VALUE and whole and buffer.owner == weight.owner
