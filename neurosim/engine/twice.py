"""Results that two steps would make alike are made once: feedback that learns sums the outer product that its head sums.

The plan says what is computed, and stays as it is. Where a second step would give the same kernel the same arrays, with
nothing changed in between, it would give the same bits; its result then lies where the first one's does.
"""

from __future__ import annotations

from collections.abc import Collection

from neurosim.core.buffer import Buffer
from neurosim.core.step import Step


def made_once(runs: list[list[Step]], passing: Collection[Buffer]) -> tuple[list[list[Step]], dict[int, Buffer]]:
    """Leave out steps whose results another step of the same run makes.

    Args:
        runs: of steps, in order.
        passing: buffers that nobody sees when the plan has run.

    Returns:
        The runs without those steps; the id of each buffer that they would have made -> the one that holds the same.
    """
    unseen, changed = {id(b) for b in passing}, _changed(runs)
    same: dict[int, Buffer] = {}
    found = []
    for steps in runs:
        made: dict[object, Step] = {}
        kept = []
        for step in steps:
            key = _key(step) if _alone(step, unseen, changed) else None
            if key in made:
                pairs = zip(step.writes.values(), made[key].writes.values(), strict=True)
                same |= {id(mine): other for mine, other in pairs}
                continue
            kept.append(step)
            touched = {id(b.base) for b in step.changed.values()}
            made = {k: s for k, s in made.items() if not touched & {id(b.base) for b in s.buffers.values()}}
            if key is not None:
                made[key] = step
        found.append(kept)
    return found, same


def _changed(runs: list[list[Step]]) -> dict[int, int]:
    """How many steps change each buffer, by its id."""
    found: dict[int, int] = {}
    for step in (step for steps in runs for step in steps):
        for place in {id(b.base) for b in step.changed.values()}:
            found[place] = found.get(place, 0) + 1
    return found


def _alone(step: Step, unseen: Collection[int], changed: dict[int, int]) -> bool:
    """Whether a step of this package's only writes, whole buffers that nobody sees and no other step changes."""
    if not step.kernel.builtin or step.updates or step.sums:
        return False
    return all(b.base is b and id(b) in unseen and changed[id(b)] == 1 for b in step.writes.values())


def _key(step: Step) -> object:
    """What decides its bits: the kernel, its numbers, where it is cut, and what it reads."""
    reads = [(name, id(b.base), b.start, b.shape, b.axes) for name, b in sorted(step.reads.items())]
    writes = [(name, b.shape, b.axes, b.dtype) for name, b in sorted(step.writes.items())]
    return repr(
        (step.kernel.origin, step.kernel.name, sorted(step.scalars.items()), step.over, step.rows, reads, writes)
    )
