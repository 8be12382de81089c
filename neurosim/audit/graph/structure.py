"""The conditions answered from the declarations alone: owners, aliases, and walks back from every update."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from neurosim.audit.evidence import Evidence
from neurosim.audit.graph.graph import PER_ROW, Graph, Site
from neurosim.audit.graph.outer_products import OuterProducts
from neurosim.audit.graph.transport import answer_transport
from neurosim.audit.graph.updates import slices_of
from neurosim.core.kernel import Kind
from neurosim.core.roles import Role

if TYPE_CHECKING:
    from neurosim.core.buffer import Buffer
    from neurosim.parts.feedback import Feedback

TIME = "not strictly local in time:"  # how a remark begins on moments to come
NO_LABEL = (Role.RATE, Role.MEMORY, Role.PLASTICITY)  # besides weights and stimulus: what may stand at a walk's end


class Structure:
    """Walks the graph of a rule's plans and answers conditions (i) to (iv).

    Args:
        graph: of all phases.
        feedbacks: the feedback parts as the rule names them, whose declaration is compared with what was built.
    """

    def __init__(self, graph: Graph, feedbacks: Sequence[Feedback] = ()):
        self.graph, self.feedbacks = graph, feedbacks
        self.evidence = Evidence("structure")
        self.slices = slices_of(graph)

    def analyse(self) -> Evidence:
        """All answers."""
        self._declared_kinds()
        self._owners()
        OuterProducts(self.graph, self.evidence).answer()
        self._moments()
        answer_transport(self.graph, self.slices, self.feedbacks, self.evidence)
        self._labels()
        self.evidence.undecided["ii"] = "a graph names no arithmetic: the operations are recorded"
        return self.evidence

    # -- what parts are declared to be

    def _declared_kinds(self) -> None:
        """Fixed feedback is changed by no step, learned feedback by some."""
        for part in self.feedbacks:
            own, name = part.synapse.weight, part.synapse.name
            if own.name not in self.graph.bases:
                continue
            makers = [s for s in self.slices if s.changes(own.base)]
            # Somebody else's class that has products of its own learns, and inherited the word; one without drifts.
            learns = type(part).learn.__module__.split(".")[0] != "neurosim"
            if part.kind == "rf" and makers and not learns:
                self.evidence.add_finding("i", f"{name} is declared fixed (rf), and {makers[0]} changes it")
            if part.kind in ("urf", "sign") and not makers:
                text = f"{name} is declared to learn ({part.kind}), and no step changes it"
                self.evidence.add_finding("declared", text)
        self.evidence.add_check("declared", f"{len(self.feedbacks)} feedback paths are built as their rule declares")

    def _owners(self) -> None:
        """Buffers apart by declaration are apart in memory."""
        for one, other in self.graph.aliases:
            roles = {one.role, other.role}
            forward = any(role.is_forward for role in roles)
            feedback = bool(roles & {Role.FEEDBACK_WEIGHT, Role.INVERSE_WEIGHT})
            synaptic = any(role.is_weight or role in (Role.CHANGE, Role.PLASTICITY) for role in roles)
            condition = "iii" if forward and feedback else "i" if synaptic else "declared"
            pair = f"{one.name} ({one.role} of {one.owner}) and {other.name} ({other.role} of {other.owner})"
            self.evidence.add_finding(condition, f"{pair} share memory")
        text = f"{len(self.graph.bases)} buffers: no memory of one is shared with another"
        self.evidence.add_check("declared", text)

    # -- (i) in time

    def _moments(self) -> None:
        """Errors of past views, and comparisons with moments that have not come yet: declared, they are remarked."""
        on_the_way = {id(s) for one in self.slices.values() for s in one.parents}
        for site in self.graph.sites:
            if site.kind is Kind.COMPARE and id(site) in on_the_way:
                self._comparison(site)

    def _comparison(self, site: Site) -> None:
        remarks = self.evidence.remarks
        errors = [b for b in site.step.changed.values() if b.role is Role.ERROR]
        past = [b for b in errors if _stored(b) and self._reaches(b)]
        whole = [b for b in site.step.reads.values() if b.role is Role.ACTIVITY and _stored(b)]
        if past:
            remarks.append(
                f"{TIME} view 1 is past when view 2 comes, and still receives an error "
                f"({past[0].base.name}); the gradient block keeps it out"
            )
        if whole and site.step.over == "moment":
            remarks.append(
                f"{TIME} every moment is compared with all of {whole[0].name}, later moments included; "
                "a memory of lags knows earlier ones alone"
            )
        elif whole and not past:
            self.evidence.undecided["i"] = f"{site} sees all moments at once: which of them it uses is run"

    def _reaches(self, buffer: Buffer) -> bool:
        """Whether some update is made of these rows of a buffer."""
        name = self.graph.class_of(buffer)
        low, high = buffer.start, buffer.start + buffer.shape[0]
        uses = [b for one in self.slices.values() for _, b in one.uses.get(name, [])]
        return any(b.start < high and low < b.start + b.shape[0] for b in uses)

    # -- (iv)

    def _labels(self) -> None:
        """What updates are made of and no step makes is stimulus, state of the synapse, or a place in the batch."""
        ends = set()
        made = {id(b.base) for s in self.graph.sites for b in s.step.changed.values()}
        for one in self.slices.values():
            for name, uses in one.uses.items():
                site, buffer = uses[0]
                for base in self.graph.members(name):
                    if id(base) not in made:
                        ends.add(f"{base.name} ({base.role})")
                        self._end(base, site, buffer)
        stimuli = {b.role for s in self.graph.sites for b in s.step.buffers.values() if b.role.is_stimulus}
        text = f"beyond the stimulus ({', '.join(sorted(stimuli))}) updates are made of "
        self.evidence.add_check("iv", text + (", ".join(sorted(ends)) or "nothing"))

    def _end(self, base: Buffer, site: Site, buffer: Buffer) -> None:
        """A value that no step makes: a label, or something per moment that may be one."""
        if base.role is Role.LABEL:
            self.evidence.add_finding("iv", f"the label {base.name} reaches a synapse through {site}")
        elif base.role.is_weight or base.role.is_stimulus or base.role in NO_LABEL or buffer.axes[0] not in PER_ROW:
            return
        elif base.role is not Role.VALUE or not np.array_equal(base.array, np.arange(len(base.array))):
            self.evidence.add_finding(
                "iv",
                f"{base.name} ({base.role}) holds a number for every moment that no stimulus causes and "
                f"that is not its place in the batch: a label? It enters at {site}",
            )


def _stored(buffer: Buffer) -> bool:
    return bool(buffer.axes[0] == "moment_stored")
