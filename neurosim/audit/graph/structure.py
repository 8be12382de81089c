"""The conditions answered from the declarations alone: owners, aliases, and walks back from every update."""

from __future__ import annotations

import numpy as np

from neurosim.audit.answers import Evidence
from neurosim.audit.graph.graph import FORWARD, STIMULUS, WEIGHTS, Graph, Site, Slice, known
from neurosim.core.buffer import Buffer

PER_ROW = ("sample", "moment", "moment_stored")  # axes of which a row is one view or one moment
TIME = "not strictly local in time:"  # how a remark begins that tells of moments to come
CAUSED = ("image", "activity")  # what a synapse may have for its presynaptic side


class Structure:
    """Walks the graph of a rule's plans and answers conditions (i) to (iv).

    Args:
        graph: of all phases.
        feedbacks: the feedback parts as the rule names them, whose word is compared with what was built.
        alias: whether the graph has looked at the arrays.
    """

    def __init__(self, graph: Graph, feedbacks=()):
        self.graph, self.feedbacks = graph, feedbacks
        self.evidence = Evidence("structure")
        self.updates = [s for s in graph.sites if any(b.role in WEIGHTS for b in s.step.changed.values())]
        self.slices: dict[Site, Slice] = {site: graph.slice(site) for site in self.updates}

    def testify(self) -> Evidence:
        """All answers."""
        self._claims()
        self._owners()
        self._locality()
        self._moments()
        self._transport()
        self._labels()
        self.evidence.silent["ii"] = "a graph names no arithmetic: the operations are recorded"
        return self.evidence

    # -- what parts say of themselves

    def _claims(self) -> None:
        tell, graph = self.evidence, self.graph
        for part in self.feedbacks:
            own, name = part.synapse.weight, part.synapse.name
            if own.name not in graph.bases:
                continue
            makers = [s for s in self.updates if any(b.base is own.base for b in s.step.changed.values())]
            if part.kind == "rf" and makers:
                tell.find("i", f"{name} is declared fixed (rf), and {makers[0]} changes it")
            if part.kind in ("urf", "sign") and not makers:
                tell.find("declared", f"{name} is declared to learn ({part.kind}), and no step changes it")
        tell.see("declared", f"{len(self.feedbacks)} feedback paths are built as their rule says")

    def _owners(self) -> None:
        tell = self.evidence
        for one, other in self.graph.aliases:
            pair = f"{one.name} ({one.role} of {one.owner}) and {other.name} ({other.role} of {other.owner})"
            roles = {one.role, other.role}
            forward, feedback = roles & set(FORWARD), roles & {"feedback weight", "inverse weight"}
            condition = "iii" if forward and feedback else "i" if roles & {*WEIGHTS, "change", "plasticity"} else "declared"
            tell.find(condition, f"{pair} share memory")
        tell.see("declared", f"{len(self.graph.bases)} buffers: no memory of one is shared with another")

    # -- (i)

    def _locality(self) -> None:
        learners = {b.base.name: b.base for s in self.updates for b in s.step.changed.values() if b.role in WEIGHTS}
        for weight in learners.values():
            sites = [s for s in self.updates if any(b.base is weight for b in s.step.changed.values())]
            for site in sites:
                self._change(weight, site)
        count = len(learners)
        self.evidence.see("i", f"{count} weight arrays change, each by one outer product of its own two populations")

    def _change(self, weight: Buffer, site: Site) -> None:
        """One step that changes one weight array: by its own change and its own traces, or not at all."""
        tell = self.evidence
        strangers = [b for b in site.inputs.values() if b.owner != weight.owner and b.role != "rate"]
        if strangers:
            b = strangers[0]
            tell.find("i", f"{weight.name} changes by {b.name}, a {b.role} of {b.owner}, in {site}")
        if site.kind == "send":
            if not strangers and not all(b.role in WEIGHTS for b in site.inputs.values()):
                tell.find("i", f"{weight.name} is overwritten by no outer product, in {site}")
            return
        if site.kind != "plasticity" or not any(b.base is weight for b in site.step.updates.values()):
            tell.find("i", f"{weight.name} is changed by a step that is no plasticity, {site}")
            return
        if not known(site.step):
            tell.silent["i"] = f"kernel {site.step.kernel} is not of the protocol: whether it works synapse by synapse is run"
        changes = [b for b in site.step.reads.values() if b.role == "change"]
        if not changes:
            tell.find("i", f"{weight.name} changes without an outer product, in {site}")
        for change in changes:
            makers, earlier = self.graph.makers(site, change)
            if not makers or earlier:
                tell.find("i", f"{weight.name} changes by {change.name} of no step of this batch, in {site}")
            for maker in makers:
                self._product(weight, maker)

    def _product(self, weight: Buffer, site: Site) -> None:
        """The step that makes a change: an outer product of the two populations that the synapse connects.

        Numbers of its own places, which tell a block of rows where it lies, are no third factor.
        """
        tell = self.evidence
        inputs = [b for b in site.inputs.values() if not (b.role == "value" and b.dtype.kind == "i" and b.owner == weight.owner)]
        roles = [b.role for b in inputs]
        pre = [b for b in inputs if b.role in CAUSED]
        post = [b for b in inputs if b.role == "error"] or pre[1:]
        if site.kind != "hebbian" or not pre or not post or len(inputs) != 2:
            told = ", ".join(f"{b.name} ({role})" for b, role in zip(inputs, roles, strict=True))
            tell.find("i", f"the change of {weight.name} is no outer product of two activities but made of {told}, in {site}",
                      why="numbers that are copied from a product equal the product")  # fmt: skip
            return
        if not known(site.step):
            tell.silent["i"] = f"kernel {site.step.kernel} is not of the protocol: whether it is an outer product is recomputed"
        ends = self.ends(weight)
        if not ends:
            tell.silent["i"] = f"no step uses {weight.name}, so its two populations are not known"
        elif {pre[0].owner, post[0].owner} not in ends:
            told = " or ".join(sorted("{} and {}".format(*sorted(end)) for end in ends if len(end) == 2))
            tell.find("i", f"{weight.name} connects {told}, and changes by {pre[0].name} of {pre[0].owner} and {post[0].name} "
                           f"of {post[0].owner}, in {site}")  # fmt: skip
        self._rows(weight, pre[0], post[0], site)

    def _rows(self, weight: Buffer, pre: Buffer, post: Buffer, site: Site) -> None:
        """Pre and post of a product are of the same moments of this batch."""
        for b in (pre, post):
            if self.graph.makers(site, b)[1] and self.graph.makers(site, b)[0]:
                self.evidence.find("i", f"{weight.name} changes by {b.name} of another batch, in {site}")
        rows = [b.base.shape[0] - b.start - b.shape[0] for b in (pre, post) if b.axes[0] in PER_ROW]
        if len(set(rows)) > 1:
            self.evidence.find("i", f"{weight.name} pairs row i of {post.name} with another moment's row of {pre.name}, "
                                     f"in {site}")  # fmt: skip

    def ends(self, weight: Buffer) -> set[frozenset[str]]:
        """The two populations (owners) that a weight array connects, wherever it is used."""
        found = set()
        sent = {weight.base.name}
        for site in self.graph.sites:  # an array wholly made of it is used in its place
            if site.kind == "send" and any(b.base.name in sent for b in site.inputs.values()):
                sent |= {b.base.name for b in site.step.changed.values() if b.owner == weight.owner}
        for site in self.graph.sites:
            if site.kind not in ("transmit", "deliver") or not any(b.base.name in sent for b in site.inputs.values()):
                continue
            for b in site.inputs.values():
                if b.role not in WEIGHTS:
                    found |= {frozenset((b.owner, out.owner)) for out in site.step.changed.values()}
        return found

    def _moments(self) -> None:
        """Errors of past views, and comparisons with moments that have not come yet: declared, they are told."""
        tell = self.evidence
        asked = {id(s) for one in self.slices.values() for s in one.parents}
        for site in self.graph.sites:
            if site.kind != "compare" or id(site) not in asked:
                continue
            past = [b for b in site.step.changed.values() if self._past(b) and b.role == "error" and self._reaches(b)]
            whole = [b for b in site.step.reads.values() if b.role == "activity" and self._past(b)]
            if past:
                tell.remarks.append(f"{TIME} view 1 is past when view 2 comes, and still receives an error "
                                    f"({past[0].base.name}); the gradient block keeps it out")  # fmt: skip
            if whole and site.step.over == "moment":
                tell.remarks.append(f"{TIME} every moment is compared with all of {whole[0].name}, later moments included; "
                                    "a memory of lags knows earlier ones alone")  # fmt: skip
            elif whole and not past:
                tell.silent["i"] = f"{site} sees all moments at once: which of them it uses is run"

    @staticmethod
    def _past(buffer: Buffer) -> bool:
        return buffer.axes[0] == "moment_stored"

    def _reaches(self, buffer: Buffer) -> bool:
        name = self.graph.class_of(buffer)
        low, high = buffer.start, buffer.start + buffer.shape[0]
        return any(b.start < high and low < b.start + b.shape[0]
                   for one in self.slices.values() for _, b in one.met.get(name, []))  # fmt: skip

    # -- (iii)

    def _transport(self) -> None:
        reached = self.transported()
        for name, (way, updates) in reached.items():
            words = (name, *way, "update of " + ", ".join(updates))
            self.evidence.find("iii", " -> ".join(words), words)
        for part in self.feedbacks:
            roles = {b.role for b in self.graph.members(self.graph.class_of(part.sent))} if self._has(part.sent) else set()
            if part.kind != "bp" and roles & set(FORWARD):
                self.evidence.find("iii", f"feedback {part.synapse.name} is declared {part.kind} and sends through "
                                           f"{self.graph.class_of(part.sent)}, a forward weight")  # fmt: skip
        sent = {b.name: b for s in self.graph.sites if s.kind in ("deliver", "transmit") and s not in self.graph.forward
                for b in s.step.reads.values() if b.role in WEIGHTS}  # fmt: skip
        told = ", ".join(sent) or "no array"
        self.evidence.see("iii", f"{len(self.updates)} updates walked back: errors come down through {told}; "
                                  "no forward weight is met before a stored activity")  # fmt: skip

    def _has(self, buffer: Buffer) -> bool:
        return buffer.base.name in self.graph.bases

    def transported(self) -> dict[str, tuple[list[str], list[str]]]:
        """Forward weight -> (the way down in words, the updates that it reaches)."""
        found: dict[str, tuple[list[str], list[str]]] = {}
        for start, one in self.slices.items():
            targets = [b.base.name for b in start.step.changed.values() if b.role in WEIGHTS]
            for name, uses in one.met.items():
                forward = [b.name for b in self.graph.members(name) if b.role in FORWARD]
                used = [site for site, buffer in uses if not self.own(site, buffer)]
                if not forward or not used:
                    continue
                way, updates = found.setdefault(forward[0], ([], []))
                words = self._words(one.path(used[0]))
                if not way or (words[-1].startswith("feedback") and not way[-1].startswith("feedback")):
                    way[:] = words  # the way into an error tells more than the way into a copy
                updates += [t for t in targets if t not in updates]
        for _, updates in found.values():
            updates.sort(key=self._place)
        return found

    def _place(self, weight: str) -> int:
        """When a weight's outer product is summed: the higher layer first, as its error comes first."""
        owner = self.graph.bases[weight].owner
        made = [(b, n) for n, s in enumerate(self.graph.sites) for b in s.step.changed.values() if b.role == "change"]
        return min((n for b, n in made if b.owner == owner), default=len(self.graph.sites))

    @staticmethod
    def own(site: Site, buffer: Buffer) -> bool:
        """A weight that decays reads itself: that is no transport."""
        held = [b for b in site.inputs.values() if b.role in WEIGHTS]
        return site.kind == "plasticity" and len(held) == 1 and any(b.base is buffer.base for b in site.step.updates.values())

    @staticmethod
    def _words(path: list[Site]) -> list[str]:
        words = []
        for site in path:
            if site.kind == "deliver":
                words.append(f"feedback into {next(iter(site.step.changed.values())).owner}")
                break
            if site.kind not in ("gate", "hebbian"):
                words.append(f"{next(iter(site.step.changed.values())).name} (step {site.number}: {site.step.label})")
        return words

    # -- (iv)

    def _labels(self) -> None:
        tell, leaves = self.evidence, set()
        made = {id(b.base) for s in self.graph.sites for b in s.step.changed.values()}
        for one in self.slices.values():
            for name, uses in one.met.items():
                site, buffer = uses[0]
                for base in self.graph.members(name):
                    if id(base) not in made:
                        leaves.add(f"{base.name} ({base.role})")
                        self._leaf(base, site, buffer)
        known = sorted({b.role for s in self.graph.sites for b in s.step.buffers.values() if b.role in STIMULUS})
        tell.see("iv", f"beyond the stimulus ({', '.join(known)}) updates are made of " + (", ".join(sorted(leaves)) or "nothing"))

    def _leaf(self, base: Buffer, site: Site, buffer: Buffer) -> None:
        """A value that no step makes: a label, or something per moment that may be one."""
        if base.role == "label":
            self.evidence.find("iv", f"the label {base.name} reaches a synapse through {site}")
        elif base.role in (*WEIGHTS, *STIMULUS, "rate", "memory", "plasticity") or buffer.axes[0] not in PER_ROW:
            return
        elif base.role != "value" or not np.array_equal(base.array, np.arange(len(base.array))):
            self.evidence.find("iv", f"{base.name} ({base.role}) holds a number for every moment that no stimulus causes and "
                                      f"that is not its place in the batch: a label? It enters at {site}")  # fmt: skip
