"""What kernels of other people hold beside their arguments: arrays within their reach, the process, numbers that they keep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.audit.interventions.reach import MANY, Reach, Thunk, is_foreign
from neurosim.audit.interventions.trial import Trial

if TYPE_CHECKING:
    from neurosim.audit.evidence import Evidence
    from neurosim.audit.graph.graph import Site
    from neurosim.audit.interventions.bench import Bench

RUNS = 4  # of a kernel, to see whether what it keeps still moves
WHY = "in the batches that were run it may not have happened"


class Held:
    """Reads the code of every kernel that is not this package's.

    Args:
        bench: recorded.
        evidence: to which the answers are added.
        rng: of a trial.
    """

    def __init__(self, bench: Bench, evidence: Evidence, rng: np.random.Generator):
        self.bench, self.evidence, self.rng = bench, evidence, rng

    def answer(self) -> None:
        """What its code reaches, asks, and keeps; each kernel once."""
        done: set[int] = set()
        for site in self.bench.graph.sites:
            function = self.bench.function(site)
            if id(function) in done or not is_foreign(getattr(function, "__module__", "")):
                continue
            done.add(id(function))
            try:
                self._read(site, Reach(function))
            except Exception as problem:  # objects of somebody else's may stand no looking
                self.evidence.leave_out(f"what the code of {site} reaches: {type(problem).__name__}: {problem}")
        if done:
            text = (
                f"the code of {len(done)} kernels from outside this package reaches no array that it does not declare"
            )
            self.evidence.add_check("declared", text)

    def _read(self, site: Site, reach: Reach) -> None:
        own = {b.base.name: b.base for b in site.step.buffers.values()}
        for name, way in reach.buffers.items():
            if name not in own:
                self._fail(f"{site}: its code reaches {name} ({way}), which the step does not declare")
        others = [b for b in self.bench.bases if b.name not in own]
        for array, way in reach.arrays:
            for base in others:
                if np.may_share_memory(array, base.array):
                    self._fail(f"{site}: its code reaches {base.name} ({way}), which the step does not declare")
        for asked in dict.fromkeys(reach.asks):
            self._fail(f"{site}: its code asks for {asked}, which no array declares")
        if reach.kept:
            run = next(r for r in self.bench.runs if r.site is site)
            for path in moving(reach.kept, self._again(Trial(self.bench, run, self.rng))):
                self._fail(f"{site}: {path} is another after every run of its kernel: hidden state")

    @staticmethod
    def _again(trial: Trial) -> Iterator[None]:
        for _ in range(RUNS):
            trial.run({})
            yield

    def _fail(self, text: str) -> None:
        self.evidence.add_finding("declared", text, why=WHY)


def digest(value: Any, depth: int = 4) -> Any:
    """What a number or a container holds, to be compared with itself later; of an object its kind alone."""
    if isinstance(value, np.ndarray):
        return value.tobytes() if value.dtype != object else None
    if isinstance(value, np.random.Generator):
        return str(value.bit_generator.state)
    if isinstance(value, dict) and depth:
        return [(digest(k, depth - 1), digest(v, depth - 1)) for k, v in list(value.items())[:MANY]], len(value)
    if isinstance(value, list | tuple | set | frozenset) and depth:
        return [digest(part, depth - 1) for part in list(value)[:MANY]], len(value)
    if isinstance(value, int | float | complex | str | bytes | bytearray | np.generic):
        return repr(value)
    text = type(value).__module__
    return repr(value) if text in ("itertools", "collections") else type(value).__name__


def moving(kept: dict[str, Thunk], runs: Iterator[None]) -> list[str]:
    """What is still another after some runs: a table that was filled once has stopped.

    Args:
        kept: of a `Reach`.
        runs: each step of it runs the kernel once.
    """
    seen = [{path: digest(thunk()) for path, thunk in kept.items()} for _ in runs]
    return [path for path in kept if seen[-1][path] != seen[-2][path]]
