"""The executor: blocks, lanes, sums and threads never change a result, and an error never gets lost."""

import threading
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from neurosim.core import tuning
from neurosim.core.backend import Backend
from neurosim.core.buffer import Buffer
from neurosim.core.kernel import Kernel
from neurosim.core.plan import Plan
from neurosim.core.step import Step
from neurosim.engine.arena import Arena, allocate
from neurosim.engine.program import PASSING, Program
from neurosim.engine.segments import cut_into_segments
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import WiringError
from neurosim.losses import make as make_loss
from neurosim.networks.network import Network
from neurosim.rules import make

cpu = Backend("cpu")


def kernel(name, form, **declared):
    """A kernel of the test's own, for the CPU alone."""
    made = Kernel(name, **{"over": "sample", **declared})
    made.cpu(form)
    return made


double = kernel("double", lambda x, y: np.multiply(x, 2, out=y), reads={"x": "sample"}, writes={"y": "sample"})
total = kernel("total", lambda y, s: np.add(s, y.sum(), out=s), reads={"y": "sample"}, sums={"s": "1"})
less = kernel("less", lambda y, s, z: np.subtract(y, s, out=z), reads={"y": "sample", "s": "1"}, writes={"z": "sample"})
leave = kernel("leave", lambda x: None, updates={"x": "sample ...: uint8 real"})

WIRINGS = [
    ("bp", {}),
    ("rf", {}),
    ("urf", {}),
    ("sign", {}),
    *(("ll", {"order": "simultaneous", "feedback": kind}) for kind in ("bp", "rf", "urf", "sign")),
    ("ll", {"order": "random"}),
]


def trained(name, options, block=True, lags=3, threads=1, hold=False, steps=3, dtype=np.float32, arena=None):
    """Every array of every phase's plan after some training steps on random views; with an arena, what lasts."""
    network = Network("5 hardtanh, 6 pool, 7 tanh pool", (8, 8, 3), 11, block=block, dtype=dtype, head_units=6)
    rule = make(name, network, make_loss("hinge", lags=lags, threshold=0.4, delta=0.1), **options)
    plans = [rule.plan(phase) for phase in rule.phases]
    rng = np.random.default_rng(1)
    with ThreadTeam(threads) as team:
        programs = [Program(plan, cpu, hold=hold, arena=arena) for plan in plans]
        for _ in range(steps):
            network.populations[0].activity.array[...] = rng.uniform(-1, 1, (22, 8, 8, 3))
            for program in programs:
                program.run(team)
    gone = PASSING if arena else ()
    return {b.name: b.array.copy() for plan in plans for b in plan.buffers if hold or not (b.local or b.role in gone)}


def assert_same_bits(found, wanted):
    for name in found.keys() & wanted.keys():
        assert found[name].tobytes() == wanted[name].tobytes(), name
    assert found.keys() & wanted.keys()


@pytest.mark.parametrize(("name", "options"), WIRINGS, ids=[f"{n}-{'-'.join(o.values())}" for n, o in WIRINGS])
def test_any_number_of_threads_gives_the_same_bits(name, options):
    alone = trained(name, options)
    for threads in (2, 3, 5):
        assert_same_bits(trained(name, options, threads=threads), alone)


@pytest.mark.parametrize("block", [True, False])
@pytest.mark.parametrize("lags", [3, None])
def test_threads_do_not_matter_to_the_error_units(block, lags):
    alone = trained("urf", {}, block, lags)
    assert_same_bits(trained("urf", {}, block, lags, threads=5), alone)
    assert alone["value3"][1] > 0  # comparisons were active


@pytest.mark.parametrize(("name", "options"), WIRINGS, ids=[f"{n}-{'-'.join(o.values())}" for n, o in WIRINGS])
def test_held_buffers_give_the_same_bits_as_local_ones(name, options):
    held = trained(name, options, hold=True, threads=2)
    assert_same_bits(trained(name, options, threads=2), held)
    assert held["u1"].any()
    assert held["d1"].any()


@pytest.mark.parametrize("block", [True, False])
@pytest.mark.parametrize(("name", "options"), WIRINGS, ids=[f"{n}-{'-'.join(o.values())}" for n, o in WIRINGS])
def test_an_arena_changes_no_bit_of_what_lasts(name, options, block):
    for lags in (3, None):
        arena = Arena()
        found = trained(name, options, block, lags, threads=2, arena=arena)
        wanted = trained(name, options, block, lags)
        assert_same_bits(found, wanted)
        assert {"W1", "value3", "H3"} <= found.keys() and "dW3" not in found
        assert arena.nbytes > 0


def test_buffers_of_an_arena_are_not_kept_and_held_ones_are():
    network = Network("4 hardtanh, 4 pool", (8, 8, 3), 4)
    rule = make("ll", network, make_loss("hinge"))
    plan = rule.plan("all layers")
    x1, z2 = network.populations[1].activity, network.head(2).post.activity
    change, u2 = network.projections[1].synapse.change, network.populations[2].potential
    network.populations[0].activity.array[...] = np.random.default_rng(0).uniform(-1, 1, (8, 8, 8, 3))
    with ThreadTeam(1) as team:
        program = Program(plan, cpu, hold=[z2], arena=Arena())
        program.run(team)
        for buffer, name in ((x1, "x1"), (change, "dW2"), (network.populations[1].activity.flat(), "x1"), (u2, "u2")):
            with pytest.raises(WiringError, match=f"{name} is not held.*hold=True"):
                assert buffer.array is None  # zeros would look like a network that is silent
        assert z2.array.any()
        keeps = Program(plan, cpu)  # without an arena every activity and every change keeps its place
        keeps.run(team)
    assert x1.array.any() and change.array.any()
    assert program.nbytes < keeps.nbytes


def test_what_lanes_sum_lies_in_the_arena():
    network = Network("64 hardtanh, 64 hardtanh", (8, 8, 3), 16)
    plan, arena = make("bp", network, make_loss("hinge")).plan("all layers"), Arena()
    first = Program(plan, cpu, arena=arena)
    lanes = sum(s.lanes * b.nbytes for s in first.segments for b in s.sums.values())
    assert lanes > 1 << 20
    tracemalloc.start()
    try:
        Program(plan, cpu, arena=arena)
        assert tracemalloc.get_traced_memory()[1] < lanes // 4
    finally:
        tracemalloc.stop()


def test_a_flat_view_of_a_local_buffer_lives_in_the_block():
    maps = Buffer("maps", ("sample", "row", "column"), (20, 2, 3), "activity", "maps", float, local=True)
    x, y = declare("x", initial=np.arange(20.0), given=True), declare("y")
    spread = kernel(
        "spread",
        lambda x, maps: np.copyto(maps, x[:, None, None]),
        reads={"x": "sample"},
        writes={"maps": "sample row column"},
    )
    gather = kernel(
        "gather", lambda flat, y: np.sum(flat, axis=1, out=y), reads={"flat": "sample place"}, writes={"y": "sample"}
    )
    steps = [
        Step(spread, "", "", {"x": x, "maps": maps}, over="sample"),
        Step(gather, "", "", {"flat": maps.flat(), "y": y}, over="sample"),
    ]
    program = Program(Plan("p", steps, [y]), cpu)
    assert list(program.segments[0].local) == ["maps"]
    with ThreadTeam(2) as team:
        program.run(team)
    assert np.array_equal(y.array, 6 * np.arange(20.0))


def test_what_is_needed_at_one_moment_lies_apart():
    rng = np.random.default_rng(3)
    for _ in range(50):
        count = rng.integers(1, 12)
        sizes = rng.integers(1, 1000, count).tolist()
        spans = [tuple(sorted(span)) for span in rng.integers(0, 8, (count, 2)).tolist()]
        begins, total = allocate(sizes, spans)
        for moment in range(8):
            there = sorted(
                (begin, begin + size)
                for begin, size, (first, last) in zip(begins, sizes, spans, strict=True)
                if first <= moment <= last
            )
            assert all(end <= begin for (_, end), (begin, _) in pairwise(there))
        assert total >= max(sum(s for s, (a, b) in zip(sizes, spans, strict=True) if a <= m <= b) for m in range(8))
        assert all(begin + size <= total and begin % 64 == 0 for begin, size in zip(begins, sizes, strict=True))
    assert allocate([640, 64, 640], [(0, 1), (0, 2), (2, 3)]) == ([0, 640, 0], 704)


def test_local_buffers_are_never_allocated_whole():
    network = Network("4 hardtanh, 4 pool", (8, 8, 3), 4)
    plan = make("rf", network, make_loss("hinge")).plan("all layers")
    with ThreadTeam(1) as team:
        Program(plan, cpu).run(team)
    inner = [b for b in plan.buffers if b.name in ("u1", "u2", "d1", "e1")]
    assert len(inner) == 4
    assert all(b.local and b._array is None for b in inner)


def declare(name, size=20, axes=("sample",), **more):
    return Buffer(name, axes, (size,), "activity", name, float, **more)


def test_sums_are_complete_before_they_are_read():
    """y = 2 x, s = sum y, z = y - s: the segment is cut before z, although all three work row by row."""
    x, y, z = declare("x", initial=np.arange(20.0), given=True), declare("y", local=True), declare("z")
    s = declare("s", 1, ("one",), initial=99)
    steps = [
        Step(double, "", "", {"x": x, "y": y}, over="sample"),
        Step(total, "", "", {"y": y, "s": s}, over="sample"),
        Step(less, "", "", {"y": y, "s": s, "z": z}, over="sample"),
    ]
    program = Program(Plan("p", steps, [z]), cpu)
    assert [len(segment.steps) for segment in program.segments] == [2, 1]
    for threads in (1, 3):
        with ThreadTeam(threads) as team:
            for _ in range(2):  # a sum starts from nothing at every run
                program.run(team)
        assert s.array.tolist() == [380.0]
        assert z.array.tolist() == [2.0 * i - 380 for i in range(20)]


def test_rows_that_another_block_makes_are_waited_for():
    """A step that reads its rows one further up needs what the block before has made, or the block behind."""
    x, y, z = declare("x", given=True), declare("y"), declare("z")
    whole, up = (y.part("whole", 1, 20), y.part("up", 0, 19))
    steps = [Step(double, "", "", {"x": x.part("x", 1, 20), "y": whole}, over="sample")]
    for source, segments in ((whole, 1), (up, 2)):
        last = Step(double, "", "", {"x": source, "y": z.part("z", 1, 20)}, over="sample")
        assert len(list(cut_into_segments([*steps, last]))) == segments


def test_an_arena_keeps_rows_that_are_given_beside_rows_that_are_made():
    x, y, z = declare("x", 8, initial=3, given=True), declare("y", initial=1, given=True), declare("z")
    steps = [Step(double, "", "", {"x": x, "y": y.part("made", 0, 8)}, over="sample")]
    steps.append(Step(double, "", "", {"x": y, "y": z}, over="sample"))
    program = Program(Plan("p", steps, [z]), cpu, arena=Arena())
    with ThreadTeam(1) as team:
        program.run(team)
    assert z.array.tolist() == [12.0] * 8 + [2.0] * 12


def test_two_sums_into_one_buffer_are_two_segments():
    """Each starts from nothing: the later one alone is left, so that the earlier one must be optional."""
    x, s = declare("x", initial=1, given=True), declare("s", 1, ("one",))
    steps = [Step(total, "", "", {"y": x, "s": s}, over="sample") for _ in range(2)]
    assert len(list(cut_into_segments(steps))) == 2
    with pytest.raises(WiringError, match=r"step 1 of plan 'p' \(.*\) makes s, which nothing uses"):
        Plan("p", steps, [s])

    def negate(y, z, s):
        np.negative(y, out=z)
        s += y.sum()

    both = kernel("both", negate, reads={"y": "sample"}, writes={"z": "sample"}, sums={"s": "?1"})
    z = [declare(f"z{number}") for number in range(2)]
    steps = [Step(both, "", "", {"y": x, "z": each, "s": s}, over="sample") for each in z]
    program = Program(Plan("p", steps, [*z, s]), cpu)
    assert len(program.segments) == 2
    with ThreadTeam(1) as team:
        program.run(team)
    assert s.array.tolist() == [20.0]


def test_rows_are_cut_once_each_and_whole_arrays_stay_whole():
    """Blocks cover every row exactly once, whichever place the axis has; an array without the axis comes whole."""
    wide = Buffer("wide", ("unit", "sample"), (3, 50), "activity", "a", float)
    fixed = declare("fixed", 7, ("unit",))
    seen, lock = [], threading.Lock()

    def add(wide, fixed, *, word):
        wide += 1
        with lock:
            seen.append((wide.shape[1], fixed.shape, word))

    count = kernel("count", add, reads={"fixed": "unit"}, updates={"wide": "row sample"}, scalars=("word",))
    step = Step(count, "", "", {"fixed": fixed, "wide": wide}, scalars={"word": "w"}, over="sample", rows=8)
    with ThreadTeam(3) as team:
        Program(Plan.alone("p", [step]), cpu).run(team)
    assert (wide.array == 1).all()
    assert sorted(size for size, _, _ in seen) == [2, 8, 8, 8, 8, 8, 8]
    assert {(shape, word) for _, shape, word in seen} == {((7,), "w")}


@pytest.mark.parametrize("kind", [ArithmeticError, IndexError, KeyboardInterrupt])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_an_error_inside_a_thread_surfaces(threads, kind):
    def fails(x):
        if x[0] >= 10:
            raise kind(f"rows from {x[0]:g}")

    x, fail = declare("x", initial=np.arange(20.0)), kernel("fail", fails, updates={"x": "sample"})
    program = Program(Plan.alone("p", [Step(fail, "", "", {"x": x}, over="sample")]), cpu)
    with ThreadTeam(threads) as team:
        with pytest.raises(kind, match="rows from 1"):
            program.run(team)
        x.array[...] = 0
        program.run(team)  # the team is still there


def test_the_calling_thread_works_with_its_helpers_and_waits_for_them():
    seen, together = set(), threading.Barrier(3)

    def task():
        together.wait(timeout=60)
        seen.add(threading.current_thread())

    with ThreadTeam(3) as team:
        for _ in range(50):
            team.run([task] * 3)
            assert len(seen) == 3
            assert threading.current_thread() in seen
            team.run([])
        helpers = seen - {threading.current_thread()}
    assert not any(helper.is_alive() for helper in helpers)


@pytest.mark.parametrize("mine", [True, False])
def test_after_an_error_nothing_runs_any_more_and_nothing_new_begins(mine):
    """Whichever thread it is in: arrays may be looked at, or saved, as soon as run returns."""
    begun, ended, together = [], [], threading.Barrier(2)

    def fails():
        together.wait(timeout=60)
        if (threading.current_thread() is threading.main_thread()) is mine:
            raise KeyboardInterrupt("first")
        begun.append(0)
        threading.Event().wait(0.1)
        ended.append(0)

    def later():
        begun.append(1)

    with ThreadTeam(2) as team:
        with pytest.raises(KeyboardInterrupt, match="first"):
            team.run([fails, fails, *[later] * 100])
        assert begun == ended == [0]
        team.run([later] * 5)
        assert begun == [0, *[1] * 5]


def test_blocks_hold_enough_rows_for_calls_to_be_long(monkeypatch):
    """Few rows make few lanes, so that threads do not wait for each other between short calls."""
    monkeypatch.undo()
    found = {}
    for rows in (5, 47, 50, 95, 100, 400):
        plan = Plan.alone("p", [Step(leave, "", "", {"x": declare("x", rows)}, over="sample")])
        [segment] = Program(plan, cpu).segments
        found[rows] = segment.lanes, segment.block
    wide = Buffer("wide", ("sample", "byte"), (400, 300_000), "activity", "a", np.uint8, local=True)
    [segment] = Program(Plan.alone("p", [Step(leave, "", "", {"x": wide}, over="sample")]), cpu).segments
    assert segment.block == 48  # 14 MB, more than block_bytes
    assert found == {
        5: (2, 3),
        47: (2, 24),
        50: (2, 25),
        95: (2, 48),
        100: (4, 25),
        400: (8, 50),
    }


def test_a_form_that_is_missing_is_refused_before_anything_runs():
    x, nowhere = declare("x"), Kernel("nowhere", updates={"x": "sample"}, over="sample")
    plan = Plan.alone("p", [Step(nowhere, "", "", {"x": x}, over="sample")])
    with pytest.raises(WiringError, match="kernel nowhere has no form for cpu; expected one of its forms"):
        Program(plan, cpu)
    assert x._array is None


def test_workers_hold_the_blas_to_one_thread_and_let_it_go():
    def threads():
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    before = threads()
    with ThreadTeam(2):
        assert set(threads()) <= {1}
    assert threads() == before
    assert ThreadTeam().threads >= 1


@pytest.mark.parametrize(("lanes", "rows", "size"), [(1, 1, 1), (3, 5, 1 << 12), (16, 64, 1 << 20)])
def test_other_lanes_and_blocks_give_the_same_numbers(monkeypatch, relative_error, lanes, rows, size):
    """Not the same bits: sums are grouped otherwise; but the same numbers to rounding in float64."""
    wanted = trained("urf", {}, dtype=np.float64)
    monkeypatch.setattr(tuning.CPU, "lanes", lanes)
    monkeypatch.setattr(tuning.CPU, "block_bytes", size)
    monkeypatch.setattr(tuning.CPU, "dense_rows", rows)
    found = trained("urf", {}, dtype=np.float64)
    for name in ("dW1", "dB2", "dH3", "z3", "value3"):
        assert relative_error(found[name], wanted[name]) < 1e-10, name


def start(buffer, over):
    """The address of a buffer's first row, or "whole" where it is not cut."""
    return buffer.array.__array_interface__["data"][0] if over in buffer.axes else "whole"


@pytest.mark.parametrize("block", [True, False])
@pytest.mark.parametrize(("name", "options"), WIRINGS, ids=[f"{n}-{'-'.join(o.values())}" for n, o in WIRINGS])
def test_no_block_reads_what_another_block_changes(name, options, block):
    """Inside a segment, memory that is changed is cut at the same rows by all its steps, so threads never meet."""
    for lags in (3, None):
        network = Network("4 hardtanh, 5 pool", (4, 4, 3), 4, block=block)
        rule = make(name, network, make_loss("hinge", lags=lags), **options)
        segments = [s for phase in rule.phases for s in Program(rule.plan(phase), cpu, hold=True).segments]
        for steps in (segment.steps for segment in segments if segment.steps[0].over):
            sums = {id(b.base) for step in steps for b in step.sums.values()}
            changed = {id(b.base) for step in steps for b in step.changed.values()} - sums
            ways = {}
            for step in steps:
                for buffer in step.buffers.values():
                    if id(buffer.base) in changed:
                        ways.setdefault(buffer.base.name, set()).add(start(buffer, step.over))
            assert all(len(way) == 1 and "whole" not in way for way in ways.values()), ways
