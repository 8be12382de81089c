"""The conditions answered by intervention: replace one thing, run the rest again, compare bits."""

from __future__ import annotations

import numpy as np

from neurosim.audit.answers import Testimony
from neurosim.audit.bench import Bench, Difference, Moment, poison
from neurosim.audit.graph import WEIGHTS, Site, known
from neurosim.audit.linearity import bent
from neurosim.audit.naive import products_differ, settling_differs
from neurosim.buffer import Buffer


class Behaviour:
    """Questions a bench.

    Args:
        bench: recorded.
        light: fewer interventions, for the start of a training: the weights, the labels, the products.
    """

    def __init__(self, bench: Bench, light: bool = False):
        self.bench, self.light, self.graph = bench, light, bench.graph
        self.rule, self.pairs = bench.subject.rule, bench.subject.rule.network.pairs
        self.rng = np.random.default_rng([self.rule.network.seed, ord("I")])
        self.testimony = Testimony("behaviour")
        self.hebbian = [s for s in self.graph.sites if s.kind == "hebbian"]
        self.posts = {b.name for s in self.hebbian for b in s.step.reads.values() if b.role == "error"}

    def testify(self) -> Testimony:
        """All answers."""
        self._fence()
        self._arithmetic()
        self._weights()
        self._labels()
        self._products()
        if not self.light:
            self._moments()
            self._memory()
            self._units()
        return self.testimony

    # -- declared

    def _fence(self) -> None:
        touched = self.bench.fence()
        for site, what in touched[:3]:
            self.testimony.find("declared", f"{site}: {what}", why="a declaration cannot tell what a kernel reads beside it")
        self.testimony.see("declared", f"{len(self.graph.sites)} steps ran with all they do not declare filled with NaN: no bit differs")

    # -- (ii)

    def _arithmetic(self) -> None:
        met = [s for s in self.graph.sites if s.kind == "compare" or (s.kind == "gate" and not known(s.step))]
        for site in met:
            share, size = bent(self.bench, site, self.rng)
            if share > 0.5:
                self.testimony.find("ii", f"{site}: its error bends with the activities (mixed second difference {size:.1e} of "
                                          "the largest error): products, norms or divisions of activities", 
                                    why="sums, differences and comparisons give straight pieces")  # fmt: skip
        if met:
            self.testimony.see("ii", f"the error of {len(met)} steps is piecewise straight in every activity it compares")

    # -- (iii)

    def _weights(self) -> None:
        tell, bench = self.testimony, self.bench
        quiet = [s for s in self.graph.sites if s.kind == "compare" and not any(
            bench.after[m][k].any() for m in bench.moments if m.site is s
            for k, b in s.step.changed.items() if b.role == "error")]  # fmt: skip
        if quiet:
            tell.silent["iii"] = f"{quiet[0]} gave no error at all, so nothing could carry weights"
        forward = [b for b in bench.bases if b.role == "forward weight"]
        for weight in forward:
            found = bench.replay(self._swap(weight))
            found = [d for d in found if set(d.buffers) - {weight.name}]
            if found:
                way, updates = self._told(weight, found)
                words = (weight.name, *way, "update of " + ", ".join(updates) if updates else "no update")
                tell.find("iii", f"{weight.name} replaced, activities held: {' -> '.join(words)} differ{'s' * (len(updates) < 2)}", words)
        for site in sorted(self.graph.forward, key=lambda s: s.number):
            if not known(site.step) and site.kind == "transmit" and not self._silent_at_rest(site):
                tell.find("iii", f"{site} leaves forward weights behind where no activity comes in",
                          why="its kernel is declared as a transmission, and only a run without activity shows otherwise")  # fmt: skip
        own = [b for b in bench.bases if b.role in WEIGHTS[1:] and self._sent(b)]
        if not self.light:
            deaf = [b.name for b in own if not bench.replay(self._swap(b))]
            if own and len(deaf) == len(own):
                tell.silent["iii"] = f"replacing {', '.join(deaf)} changes nothing either: the intervention shows nothing here"
        control = "" if self.light else f"; control: replacing {', '.join(b.name for b in own) or 'no feedback'} does change errors"
        tell.see("iii", f"{', '.join(b.name for b in forward)} replaced one by one, activities held, {bench.batches} batches: "
                        f"every error and every other weight's change has the same bits{control}")  # fmt: skip

    def _sent(self, buffer: Buffer) -> bool:
        """Whether a weight array is read by a delivery or transmission (and not made anew before)."""
        return any(s.kind in ("deliver", "send", "transmit") and any(b.base is buffer for b in s.step.reads.values()) for s in self.graph.sites)

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
        tell, bench, held = self.testimony, self.bench, self.bench.subject.labels
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
            tell.see("iv", "no label exists in the plan, and none is shown to the eye")

    def _leak(self, found: list[Difference], what: str, why: str = "") -> None:
        if found:
            updates = {b.owner: None for d in found for b, _ in d.buffers.values() if b.role in ("change", *WEIGHTS)}
            if updates:
                self.testimony.find("iv", f"{what} permuted: {found[0].moment.site} differs, and the update of "
                                          f"{', '.join(updates)}", why=why)  # fmt: skip

    # -- (i)

    def _products(self) -> None:
        tell, bench = self.testimony, self.bench
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

    def _moments(self) -> None:
        """The last moment's views replaced: nothing that came before may learn otherwise."""
        for view in (0, 1):
            early = {}
            for difference in self.bench.replay(self._strange(view), batches=1):
                for name, (buffer, mask) in difference.buffers.items():
                    times = self._times(buffer, mask) if self._heard(buffer) else []
                    early |= {name: t for t in times[:1] if t < 2 * (self.pairs - 1) + view and name not in early}
            if early:
                name, time = next(iter(early.items()))
                more = f" (and {', '.join(list(early)[1:])})" if len(early) > 1 else ""
                self.testimony.find("i", f"view {view + 1} of moment {self.pairs} replaced: {name} of view {time % 2 + 1} of moment "
                                         f"{time // 2 + 1}, which came before, differs{more}")  # fmt: skip
        self.testimony.see("i", "the last moment's activities replaced: no error of an earlier view differs")

    def _strange(self, view: int):
        """Other activities of the last moment, in one of its views."""
        row = (view + 1) * self.pairs - 1

        def change(moment):
            if moment is None or moment.site not in self.graph.forward:
                return
            for key, buffer in moment.site.step.changed.items():
                if buffer.axes[0] == "sample" and buffer.shape[0] == 2 * self.pairs and buffer.dtype.kind == "f":
                    size = 3 * np.abs(self.bench.after[moment][key]).max()
                    buffer.array[row] = self.rng.uniform(-size, size, buffer.shape[1:])

        return change

    def _heard(self, buffer: Buffer) -> bool:
        """Whether a synapse learns from these rows of an error."""
        return any(b.base is buffer.base and b.start < buffer.start + buffer.shape[0] and buffer.start < b.start + b.shape[0]
                   for s in self.hebbian for b in s.step.reads.values() if b.role == "error")  # fmt: skip

    def _times(self, buffer: Buffer, mask: np.ndarray) -> list[int]:
        """When the rows that differ were seen: 2 x moment + (0 for view 1, 1 for view 2)."""
        rows = np.flatnonzero(mask.reshape(len(mask), -1).any(axis=1)) + buffer.start
        if len(buffer.base.array) == 2 * self.pairs:
            return sorted(int(2 * (r % self.pairs) + r // self.pairs) for r in rows)
        return sorted(int(2 * r + 1) for r in rows) if len(buffer.base.array) == self.pairs else []

    def _memory(self) -> None:
        """What lies in the memory beyond its lags is NaN before the second batch: nothing may differ."""
        lags = self.rule.loss.lags
        stores = [s for s in self.graph.sites if s.kind == "store"]
        rings = {b.base.name: (b.base, c.base) for s in stores for b in s.step.updates.values()
                 for c in s.step.updates.values() if b.dtype.kind == "f" and c.dtype.kind == "i"}  # fmt: skip
        if not rings or lags is None:
            return
        last = [m for m in self.bench.moments if m.batch == 0][-1]

        def change(moment: Moment | None):
            if moment is not last:
                return
            for trace, cursor in rings.values():
                stored, capacity = int(cursor.array[0]), len(trace.array)
                kept = {m % capacity for m in range(max(0, stored - (lags - 1)), stored)}
                for row in set(range(capacity)) - kept:
                    poison(trace.array[row])

        for difference in self.bench.replay(change):
            names = [n for n, (b, _) in difference.buffers.items() if b.role != "memory"]
            if names:
                self.testimony.find("i", f"memory older than {lags} lags replaced: {names[0]} differs at {difference.moment.site}")
                break
        self.testimony.see("i", f"{', '.join(rings)}: what is older than {lags} lags replaced by NaN: no bit differs")

    def _units(self) -> None:
        """One unit of each stored activity changed, all else held: which changes may differ follows from who touches it."""
        stored = {b.base.name: (s, k, b.base) for s in self.graph.sites if s in self.graph.forward and s.kind != "see"
                  for k, b in s.step.changed.items() if b.role == "activity" and b.dtype.kind == "f" and not b.local}  # fmt: skip
        for name, (site, _, base) in stored.items():
            index = self._open_unit(name, base)

            def change(moment, site=site, base=base, index=index):
                if moment is not None and moment.site is site:
                    base.array[index] *= base.dtype.type(0.75)

            for difference in self.bench.replay(change, batches=1):
                self._touched(difference, base, index)
        self.testimony.see("i", f"one unit of {', '.join(stored)} changed in turn: only synapses on it differ, and those that "
                                "its error reaches through declared feedback")  # fmt: skip

    def _open_unit(self, name: str, base: Buffer) -> tuple[int, ...]:
        """A unit of a learning view that is active."""
        made = [v for m in self.bench.moments for k, v in self.bench.after[m].items()
                if m.batch == 0 and m.site.step.changed[k].base.name == name and len(v) == len(base.array)]  # fmt: skip
        row = min(self.pairs, len(base.array) - 1)
        size = np.abs(made[-1][row])
        place = np.argmin(np.abs(np.where(size > 0, size, np.inf) - np.median(size[size > 0]))) if size.any() else 0
        return (row, *(int(i) for i in np.unravel_index(int(place), size.shape)))

    def _touched(self, difference: Difference, base: Buffer, index: tuple[int, ...]) -> None:
        site = difference.moment.site
        if site.kind != "hebbian" or not any(b.role in ("activity", "image", "error") for b in site.step.reads.values()):
            return  # a change that is made of no activity is the structure's business
        for name, (buffer, mask) in difference.buffers.items():
            allowed = self._allowed(site, buffer, base, index)
            if (mask.reshape(buffer.shape) & ~allowed).any():
                self.testimony.find("i", f"one unit of {base.name} changed: {name} differs at synapses that do not touch it, in {site}")

    def _allowed(self, site: Site, change: Buffer, base: Buffer, index: tuple[int, ...]) -> np.ndarray:
        """Where a change may differ when one unit of an activity does, as declared."""
        allowed, cls = np.zeros(change.shape, bool), self.graph.class_of(base)
        unit = index[-1] if len(change.shape) == 4 else int(np.ravel_multi_index(index[1:], base.shape[1:]))
        for argument, buffer in site.step.reads.items():
            if buffer.role == "error":
                walk = self.graph.slice(site, [argument])
                readers = [s for s, _ in walk.met.get(cls, [])]
                if readers and all(known(s.step) and s.kind == "gate" and b.owner == buffer.owner for s in readers for b in s.step.changed.values()):
                    allowed[..., index[-1]] = True
                elif readers:
                    allowed[...] = True
            elif self.graph.class_of(buffer) == cls:
                allowed[..., unit, :] = True
        return allowed
