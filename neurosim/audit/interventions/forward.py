"""The forward pass, verified: which steps carry activity up, found by what their kernels do and not by what they say.

What these steps leave is held while weights are replaced, so that it must not hide anything. A kernel from outside this
package belongs to the forward pass if every row of what it leaves is made of its own row alone (or of the same unit of all rows
alike, as where a batch is normalised), out of activities, state of its own units, and weights in one direction; and if no step
before it compares. Whatever is not verified is run again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurosim.audit.graph.kinds import builtin
from neurosim.audit.interventions.trial import Trial, codes, has_rows
from neurosim.audit.interventions.units import of_units, over_rows
from neurosim.core.kernel import Kind
from neurosim.core.roles import Role
from neurosim.errors import UndecidedError

if TYPE_CHECKING:
    from neurosim.audit.graph.graph import Graph, Site
    from neurosim.audit.interventions.bench import Bench
    from neurosim.core.buffer import Buffer

CARRIED = frozenset({Role.IMAGE, Role.ACTIVITY, Role.NOISE, Role.GATE})  # what is held, once it is verified
STATE = frozenset({Role.MEMORY, Role.PLASTICITY, Role.VALUE})  # what else such a step may leave
FORWARD = (Kind.SEE, Kind.TRANSMIT, Kind.RESPOND)
UP, DOWN = -1, -2  # the axis of a weight array of which every unit of a result has one part of its own


class ForwardPass:
    """Verifies the forward pass of a graph, and tells the graph.

    Args:
        bench: recorded.

    Attributes:
        refused: steps that claim to leave an activity and are not verified -> why.
        over_batch: verified steps that take the rows of a batch together.
    """

    def __init__(self, bench: Bench):
        self.bench, self.graph = bench, bench.graph
        self.rng = np.random.default_rng([bench.target.rule.network.seed, ord("V")])
        self.refused: dict[Site, str] = {}
        self.over_batch: set[Site] = set()
        self._directions: dict[Site, dict[str, set[int]]] = {}

    def verify(self) -> None:
        """Find the forward pass, what carries activity in it, and the kinds of steps that only claim to belong to it."""
        claims = [s for s in self.graph.sites if self._claims(s) or self._keeps_state(s)]
        for site in claims:
            if not builtin(site.step) and (why := self._measure(site)):
                self.refused[site] = why
        found = self._closed({s for s in claims if s not in self.refused})
        while against := self._against(found):
            self.refused |= against
            found = self._closed(found - set(against))
        forward = {s for s in found if any(b.role in CARRIED for b in s.step.changed.values())}
        for site in claims:
            if site not in found and not builtin(site.step):
                self.refused.setdefault(site, "it works on what is no verified activity")
        self.graph.refine(forward, self._carriers(forward), self._kinds(forward))

    # -- who claims to belong to it

    def _claims(self, site: Site) -> bool:
        """Whether a step says that it leaves activity."""
        roles = {b.role for b in site.step.changed.values()}
        if builtin(site.step):
            return site.kind in FORWARD and bool(roles & CARRIED)
        return bool(roles & CARRIED) and roles <= CARRIED | STATE

    def _keeps_state(self, site: Site) -> bool:
        """Whether a step of somebody else's leaves nothing but state of units: a threshold that adapts, a trace."""
        return not builtin(site.step) and {b.role for b in site.step.changed.values()} <= {Role.MEMORY}

    # -- what a kernel does

    def _measure(self, site: Site) -> str:
        """Why a kernel does not carry activity up, seen by itself; empty if it may."""
        try:
            trial = Trial(self.bench, next(r for r in self.bench.runs if r.site is site), self.rng)
            return self._rows(site, trial) or self._connections(site, trial)
        except UndecidedError:
            return ""  # its numbers are not finite: that is noted, and says nothing
        except Exception as problem:  # somebody else's kernel may fail in any way on other numbers
            return f"it fails on other numbers: {type(problem).__name__}"

    def _rows(self, site: Site, trial: Trial) -> str:
        """Every row of its own; or the same unit of all rows alike."""
        if not self._claims(site):
            return ""  # state of units may be of many rows
        for result, buffer in site.step.changed.items():
            for argument, given in site.inputs.items():
                apart = has_rows(buffer) and has_rows(given) and given.shape[0] != buffer.shape[0]
                if apart and buffer.role in CARRIED and trial.moved(self._other(trial, argument), result).any():
                    return f"its rows are made of other rows of {given.name}"
        if over_rows(trial):
            found = of_units(trial)
            if found.elsewhere or not found.batch:
                return "its rows are made of several rows"
            self.over_batch.add(site)
        return ""

    @staticmethod
    def _other(trial: Trial, argument: str) -> dict[str, np.ndarray]:
        return trial.run({argument: trial.other(argument, np.array(True))})

    def _connections(self, site: Site, trial: Trial) -> str:
        """Every array of connections in one direction."""
        self._directions[site] = {}
        results = {k: b for k, b in site.step.changed.items() if b.dtype.kind == "f"}
        for argument, buffer in site.inputs.items():
            if not results or not connects_units(buffer, site) or is_mask(self.graph, buffer):
                continue
            moved = self._other(trial, argument)
            if not any(trial.moved(moved, k).any() for k in results):
                continue
            axes = set.intersection(*(self._axes(trial, argument, k) for k in results))
            if not axes:
                return f"its units are not made of one part each of {buffer.name}"
            self._directions[site][self.graph.class_of(buffer)] = axes
        return ""

    @staticmethod
    def _axes(trial: Trial, argument: str, result: str) -> set[int]:
        """The axes of an array of connections along which every unit of a result has one part of its own."""
        values, left, found = trial.given[argument], trial.left[result], set()
        flat = left.reshape(len(left), -1).shape[1] if left.ndim > 1 else left.size
        for axis in (UP, DOWN):
            for size, units in {(left.shape[-1], left.shape[-1:]), (flat, left.shape[1:])}:
                if values.ndim < 2 or values.shape[axis] != size or size < 2:
                    continue
                if all(_own_part(trial, argument, result, axis, inside, units) for inside in codes(size)):
                    found.add(axis)
        return found

    # -- all of them together

    def _closed(self, sites: set[Site]) -> set[Site]:
        """Of some steps those that are made of one another, of stimuli, and of what lasts; and that a stimulus drives."""
        while more := {s for s in sites if not self._admitted(s, sites)}:
            sites = sites - more
        driven: set[Site] = set()
        while more := {s for s in sites - driven if self._driven(s, driven)}:
            driven |= more
        states = {s for s in sites if self._keeps_state(s) and not self._claims(s)}
        left = driven | states
        return left if left == sites else self._closed(left)

    def _admitted(self, site: Site, sites: set[Site]) -> bool:
        for buffer in site.inputs.values():
            makers, earlier = self.graph.makers(site, buffer)
            if not makers:
                if buffer.role is Role.LABEL or (earlier and not (buffer.lasts or buffer.given)):
                    return False
            elif not sites.issuperset(makers):
                weights = buffer.lasts and (buffer.role.is_weight or not _is_state(buffer, site))
                if not weights or self._keeps_state(site):
                    return False
            elif earlier and not buffer.lasts:
                return False
        return not (self._keeps_state(site) and self._directions.get(site))

    def _driven(self, site: Site, driven: set[Site]) -> bool:
        """Whether a stimulus causes what a step leaves."""
        for buffer in site.inputs.values():
            makers, _ = self.graph.makers(site, buffer)
            stimulus = not makers and buffer.role.is_stimulus
            if stimulus or (driven & set(makers) and not buffer.lasts):
                return True
        return False

    def _against(self, sites: set[Site]) -> dict[Site, str]:
        """Steps that carry activity through an array against the direction in which an earlier step does."""
        first: dict[str, tuple[set[int], Site]] = {}
        found = {}
        for site in self.graph.sites:
            if site not in sites:
                continue
            for name, axes in self._through(site).items():
                known, other = first.setdefault(name, (axes, site))
                if not known & axes:
                    found[site] = f"it carries activity down through {name}, by which {other} carries it up"
        return found

    def _through(self, site: Site) -> dict[str, set[int]]:
        """The arrays through which a step carries activity, and in which directions."""
        if not builtin(site.step):
            return self._directions.get(site, {})
        weights = [b for b in site.inputs.values() if is_connection(site, b)]
        return {self.graph.class_of(b): {UP} for b in weights} if site.kind is Kind.TRANSMIT else {}

    # -- what follows

    def _carriers(self, forward: set[Site]) -> set[str]:
        """Arrays through which the forward pass carries activity."""
        return {b.name for s in forward for name in self._through(s) for b in self.graph.members(name)}

    def _kinds(self, forward: set[Site]) -> dict[Site, Kind]:
        """What kernels of other people do, where it was measured."""
        found = {s: Kind.TRANSMIT if self._directions.get(s) else Kind.RESPOND for s in forward if not builtin(s.step)}
        for site in self.refused:
            if self._claims(site):
                through = any(is_connection(site, b) for b in site.inputs.values())
                found[site] = Kind.DELIVER if through else Kind.COMPARE
        return found


def is_connection(site: Site, buffer: Buffer) -> bool:
    """Whether a step reads a buffer as weights: it connects units, or is a bias, and lasts or is given."""
    return buffer.role.is_weight or ((buffer.lasts or buffer.given) and connects_units(buffer, site))


def connects_units(buffer: Buffer, site: Site) -> bool:
    """Whether a buffer may hold connections of the units of a step's results: it has two axes or more, none of them of rows."""
    changed = site.step.changed.values()
    units = {b.shape for b in changed} | {b.shape[has_rows(b) :] for b in changed}  # one number a unit is no connection
    return buffer.dtype.kind == "f" and not has_rows(buffer) and len(buffer.shape) > 1 and buffer.shape not in units


def is_mask(graph: Graph, buffer: Buffer) -> bool:
    """Whether an array never changes and only lets through, turns round, or not: it holds no more numbers than -1, 0 and 1."""
    made = any(s.changes(buffer.base) for s in graph.sites)
    return not made and bool(np.isin(buffer.array, (-1, 0, 1)).all())


def _is_state(buffer: Buffer, site: Site) -> bool:
    """Whether an array that lasts is state of units: one number a unit, or a count."""
    return buffer.dtype.kind != "f" or not connects_units(buffer, site)


def _own_part(trial: Trial, argument: str, result: str, axis: int, inside: np.ndarray, units: tuple[int, ...]) -> bool:
    """Whether only the units inside a set move where their part of an array of connections is another."""
    mask = inside if axis == UP else inside[:, None]
    moved = trial.moved(trial.run({argument: trial.other(argument, mask)}), result)
    return not (moved & ~inside.reshape(units)).any()
