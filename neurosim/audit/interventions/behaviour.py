"""The conditions answered by intervention: replace one thing, run the rest again, compare bits."""

from __future__ import annotations

import numpy as np

from neurosim.audit.answers import Evidence
from neurosim.audit.graph.graph import FORWARD, WEIGHTS, Site, known
from neurosim.audit.interventions.bench import Bench, Difference
from neurosim.audit.interventions.linearity import bent
from neurosim.audit.interventions.locality import Locality
from neurosim.audit.interventions.naive import products_differ, settling_differs
from neurosim.core.buffer import Buffer


class Behaviour:
    """Questions a bench.

    Args:
        bench: recorded.
        light: fewer interventions, for the start of a training: the weights, the labels, the products.
    """

    def __init__(self, bench: Bench, light: bool = False):
        self.bench, self.light, self.graph = bench, light, bench.graph
        self.rng = np.random.default_rng([bench.subject.rule.network.seed, ord("I")])
        self.evidence = Evidence("behaviour")

    def testify(self) -> Evidence:
        """All answers."""
        self._fence()
        self._arithmetic()
        self._weights()
        self._labels()
        self._products()
        locality = Locality(self.bench, self.evidence, self.rng)
        locality.moments() if self.light else locality.testify()
        return self.evidence

    # -- declared

    def _fence(self) -> None:
        touched = self.bench.fence()
        for site, what in touched[:3]:
            self.evidence.find("declared", f"{site}: {what}", why="a declaration cannot tell what a kernel reads beside it")
        count = len(self.graph.sites)
        self.evidence.see("declared", f"{count} steps ran with all they do not declare filled with NaN: no bit differs")

    # -- (ii)

    def _arithmetic(self) -> None:
        met = [s for s in self.graph.sites if s.kind == "compare" or (s.kind == "gate" and not known(s.step))]
        for site in met:
            share, size = bent(self.bench, site, self.rng)
            if share > 0.8:
                self.evidence.find("ii", f"{site}: its error bends with the activities (mixed second difference {size:.1e} of "
                                          "the largest error): products, norms or divisions of activities", 
                                    why="sums, differences and comparisons give straight pieces")  # fmt: skip
        if met:
            self.evidence.see("ii", f"the error of {len(met)} steps is piecewise straight in every activity it compares")

    # -- (iii)

    def _weights(self) -> None:
        tell, bench = self.evidence, self.bench
        quiet = [s for s in self.graph.sites if s.kind == "compare" and not any(
            bench.after[m][k].any() for m in bench.moments if m.site is s
            for k, b in s.step.changed.items() if b.role == "error")]  # fmt: skip
        if quiet:
            tell.silent["iii"] = f"{quiet[0]} gave no error at all, so nothing could carry weights"
        forward = [b for b in bench.bases if b.role in FORWARD]
        for weight in forward:
            found = bench.replay(self._swap(weight))
            found = [d for d in found if set(d.buffers) - {weight.name}]
            if found:
                way, updates = self._told(weight, found)
                words = (weight.name, *way, "update of " + ", ".join(updates) if updates else "no update")
                verb = "differs" if len(updates) < 2 else "differ"
                tell.find("iii", f"{weight.name} replaced, activities held: {' -> '.join(words)} {verb}", words)
        for site in sorted(self.graph.forward, key=lambda s: s.number):
            if not known(site.step) and site.kind == "transmit" and not self._silent_at_rest(site):
                tell.find("iii", f"{site} leaves forward weights behind where no activity comes in",
                          why="it is declared as a transmission, and only a run without activity shows otherwise")  # fmt: skip
        own = [b for b in bench.bases if b.role in WEIGHTS and b.role not in FORWARD and self._sent(b)]
        if not self.light:
            deaf = [b.name for b in own if not bench.replay(self._swap(b))]
            if own and len(deaf) == len(own):
                tell.silent["iii"] = f"replacing {', '.join(deaf)} changes nothing either: the intervention shows nothing here"
        control = "" if self.light else f"; control: replacing {', '.join(b.name for b in own) or 'no feedback'} does change errors"
        tell.see("iii", f"{', '.join(b.name for b in forward)} replaced one by one, activities held, {bench.batches} batches: "
                        f"every error and every other weight's change has the same bits{control}")  # fmt: skip

    def _sent(self, buffer: Buffer) -> bool:
        """Whether a weight array is read by a delivery or transmission (and not made anew before)."""
        senders = [s for s in self.graph.sites if s.kind in ("deliver", "send", "transmit")]
        return any(b.base is buffer for s in senders for b in s.step.reads.values())

    def _swap(self, weight: Buffer):
        size = np.abs(weight.array).max() or 1.0
        values = self.rng.uniform(-size, size, weight.shape).astype(weight.dtype)

        def change(moment):
            if moment is None:
                weight.array[...] = values

        return change

    def _told(self, weight: Buffer, found: list[Difference]) -> tuple[list[str], list[str]]:
        """The way in words, and the weights whose change differs."""
        way: list[str] = []
        for difference in found:
            site = difference.moment.site
            if site.kind == "deliver":
                way.append(f"feedback into {next(iter(site.step.changed.values())).owner}")
                break
            if site.kind not in ("gate", "hebbian", "plasticity"):
                way.append(f"{next(iter(difference.buffers))} (step {site.number}: {site.step.label})")
        updates = {b.owner: None for d in found for name, (b, _) in d.buffers.items()
                   if b.role in ("change", *WEIGHTS) and (b.role == "change" or name != weight.name)}  # fmt: skip
        return way, list(updates)

    def _silent_at_rest(self, site: Site) -> bool:
        """Whether a transmission of no activity is the same whatever its weights are."""
        self.bench.restore()
        left = []
        for _ in range(2):
            for buffer in site.inputs.values():
                weights = buffer.role in WEIGHTS
                buffer.array[...] = self.rng.uniform(-1, 1, buffer.shape).astype(buffer.dtype) if weights else 0
            self.bench.run(site)
            left.append([b.array.copy() for b in site.step.changed.values()])
        self.bench.restore()
        return all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(*left, strict=True))

    # -- (iv)

    def _labels(self) -> None:
        tell, bench, held = self.evidence, self.bench, self.bench.subject.labels
        buffers = [b for b in bench.bases if b.role == "label"]
        if held is not None:
            kept = held.copy()

            def permute(moment):
                if moment is None:
                    held[...] = kept.max() - kept if (kept != kept.max() - kept).any() else np.roll(kept, 1)

            found = bench.replay(permute, held=False, again=True)
            held[...] = kept
            self._leak(found, "the labels of the pictures", "the labels are read outside the plan, where declarations do not reach")
            tell.see("iv", f"{len(held)} labels of the pictures permuted: no bit differs")

        def replace(moment):
            for b in buffers:
                b.array[...] = (b.array + 1) % 10

        if buffers:
            self._leak(bench.replay(replace, held=False), ", ".join(b.name for b in buffers))
            tell.see("iv", f"{len(buffers)} buffers of labels permuted: no bit differs")
        elif held is None:
            tell.see("iv", "no label exists in the plan, and none is shown to the stimulus")

    def _leak(self, found: list[Difference], what: str, why: str = "") -> None:
        if found:
            updates = {b.owner: None for d in found for b, _ in d.buffers.values() if b.role in ("change", *WEIGHTS)}
            if updates:
                self.evidence.find("iv", f"{what} permuted: {found[0].moment.site} differs, and the update of "
                                          f"{', '.join(updates)}", why=why)  # fmt: skip

    # -- (i)

    def _products(self) -> None:
        tell, bench = self.evidence, self.bench
        last, count, worst = bench.batches - 1, 0, 0.0
        for moment in (m for m in bench.moments if m.batch == last):
            if moment.site.kind == "hebbian":
                told, met, error = products_differ(bench, moment, self.rng)
            elif moment.site.kind == "plasticity":
                told, met, error = settling_differs(bench, moment, self.rng)
            else:
                continue
            count, worst = count + met, max(worst, error)
            if told:
                tell.find("i", f"{moment.site}: {told}")
        tell.see("i", f"{count} single synapses of every array recomputed by naive loops in float64: largest relative "
                      f"difference {worst:.0e}")  # fmt: skip
