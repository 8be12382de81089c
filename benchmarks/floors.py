"""Where a plan's time goes: every step on its own, beside what its flops and its bytes cost at the machine's rates."""

import threading
import time
from dataclasses import dataclass, replace

import numpy as np

from neurosim.core.backend import Backend
from neurosim.core.plan import Plan
from neurosim.engine.program import Program


@dataclass
class Rates:
    """What the machine does with the same threads: products in flop/s, copies in byte/s (read + written)."""

    product: float
    memory: float
    cache: float


def best(task, repeats=20):
    """Seconds of the fastest of some runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return min(times)


def measure_rates(team) -> Rates:
    """Square sgemm, copies through memory and copies within a core's cache, one array set a thread, all at once."""
    threads, draw = team.threads, np.random.default_rng(0)

    def together(work, sets):
        team.run([lambda arrays=arrays: work(*arrays) for arrays in sets])

    def copies(source, target, times):
        for _ in range(times):
            np.copyto(target, source)

    size = 1024
    square = [[draw.random((size, size), np.float32) for _ in range(3)] for _ in range(threads)]
    product = best(lambda: together(lambda a, b, c: np.matmul(a, b, out=c), square))
    rates = []
    for count, times in ((1 << 24, 1), (1 << 15, 400)):
        sets = [(np.ones(count, np.float32), np.ones(count, np.float32), times) for _ in range(threads)]
        rates.append(2 * 4 * count * times * threads / best(lambda sets=sets: together(copies, sets)))
    return Rates(2 * size**3 * threads / product, *rates)


@dataclass
class Row:
    """One step of a plan, or what a segment spends outside its steps; milliseconds of the whole machine."""

    segment: int
    block: int
    label: str
    kernel: str
    ms: float
    cpu_ms: float
    flops_ms: float = 0.0
    memory_ms: float = 0.0
    cache_ms: float = 0.0

    @property
    def floor(self) -> float:
        return max(self.flops_ms, self.memory_ms, self.cache_ms)


class _Watched(Backend):
    """The CPU's forms, by functions of its own: kernel -> function."""

    def __init__(self, functions):
        super().__init__("cpu")
        self._functions = functions

    def bind(self, kernel):
        return self._functions[kernel]


def _own(kernel):
    """A kernel of its own for every step; `copy` gives a kernel that has a name in a module back as it is."""
    found = object.__new__(type(kernel))
    found.__dict__.update(vars(kernel))
    return found


def _timed(form, spent, place, lock):
    def call(**arguments):
        wall, cpu = time.perf_counter(), time.thread_time()
        form(**arguments)
        cpu, wall = time.thread_time() - cpu, time.perf_counter() - wall
        with lock:
            spent[place] += wall, cpu

    return call


def _bytes(step, local):
    """Bytes a step must move through memory, and bytes it finds and leaves in the cache."""
    memory = cache = 0
    for name, buffer in step.buffers.items():
        moved = buffer.nbytes * (2 if name in step.updates else 1)
        if buffer.base.name in local:
            cache += moved
        elif name not in step.sums:  # sums go to an array per lane that stays where it is
            memory += moved
    return memory, cache


def time_steps(plan, kernels, team, rates, repeats=3) -> list[Row]:
    """A plan's steps one by one: wall time within the lanes, divided by the threads that share it.

    Args:
        plan: a `neurosim.core.plan.Plan`.
        kernels: the backend, of the host.
        team: entered.
        rates: of `measure_rates`.
        repeats: passes; each number is the mean of them, after one pass to warm up.
    """
    spent, lock = np.zeros((len(plan), 2)), threading.Lock()
    steps = [replace(step, kernel=_own(step.kernel)) for step in plan]
    timed = {step.kernel: _timed(kernels.bind(step.kernel), spent, i, lock) for i, step in enumerate(steps)}
    program = Program(Plan(plan.name, steps, plan.outputs, plan.inputs), _Watched(timed))
    program.run(team)
    spent[...], walls = 0, np.zeros(len(program.segments))
    for _ in range(repeats):
        for number, segment in enumerate(program.segments):
            start = time.perf_counter()
            segment.run(team)
            walls[number] += time.perf_counter() - start
    rows, left = [], iter(zip(plan, spent, strict=True))
    for number, (segment, wall) in enumerate(zip(program.segments, walls, strict=True), 1):
        rows += _rows(number, segment, [next(left) for _ in segment.steps], wall, team, rates, repeats)
    return rows


def _rows(number, segment, timed, wall, team, rates, repeats):
    scale = 1e3 / repeats / min(team.threads, segment.lanes)
    for step, (ms, cpu_ms) in timed:
        memory, cache = _bytes(step, segment.local)
        floors = 1e3 * step.flops / rates.product, 1e3 * memory / rates.memory, 1e3 * cache / rates.cache
        yield Row(number, segment.block, step.label, step.kernel.name, ms * scale, cpu_ms * scale, *floors)
    rest = wall * 1e3 / repeats - sum(ms for _, (ms, _) in timed) * scale
    yield Row(number, segment.block, "  lanes: added up, waited for", "", rest, 0.0)


def print_rows(rows, least=0.5):
    """The table; steps below ``least`` ms and without a floor to speak of are added up in one line."""
    heads = ("ms", "cpu ms", "flops", "memory", "cache", "x floor")
    print(f"{'part':>4} {'rows':>5}  {'step':<42}" + "".join(f"{head:>9}" for head in heads))
    small = 0.0
    for row in rows:
        if row.ms < least:
            small += row.ms
            continue
        figures = [row.ms, row.cpu_ms, row.flops_ms, row.memory_ms, row.cache_ms]
        figures += [row.ms / row.floor] if row.floor > 0.01 else []
        print(f"{row.segment:4d} {row.block:5d}  {row.label[:42]:<42}" + "".join(f"{f:9.1f}" for f in figures))
    total, floor = sum(r.ms for r in rows), sum(r.floor for r in rows)
    print(f"{'':10}  {f'steps under {least} ms, together':<42}{small:9.1f}")
    print(f"{'':10}  {'all':<42}{total:9.1f}{sum(r.cpu_ms for r in rows):9.1f}{floor:27.1f}{total / floor:9.1f}")
