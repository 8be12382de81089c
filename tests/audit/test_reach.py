"""What the code of a kernel can reach is read, not run; and who must not leave a condition undecided."""

import collections
import functools
import os
import time
import weakref

import numpy as np
import pytest

from neurosim.audit.evidence import CONDITIONS, Evidence
from neurosim.audit.interventions.held import moving
from neurosim.audit.interventions.reach import Reach
from neurosim.audit.verdict import Verdict
from neurosim.core.buffer import Buffer

W = Buffer("W", ("unit",), (3,), "forward weight", "W")
TABLE = np.arange(3.0)


class Holder:
    """Has an array, a number of its own and a method."""

    def __init__(self):
        self.w, self.gain, self.calls, self.parts = W, 2.0, 0, [W]

    def called(self):
        self.calls += 1
        return self.calls > 5

    @property
    def hidden(self):
        return self.w.array


def closures():
    """Name -> a function that reaches W, never where it is called as it is here."""
    holder, weak, box, never = Holder(), weakref.ref(W), {"w": W}, False
    whole = functools.partial(lambda w, e: w.array if never else e, W)

    def default(e, w=W):
        return w.array if never else e

    @functools.lru_cache
    def wrapped(n):
        return holder.w.array

    def alias(e):
        own = holder.w
        return own.array if never else e

    def nested(e):
        return [holder.w.array for _ in e] if never else e

    return {
        "attribute": lambda e: holder.w.array if never else e,
        "weak": lambda e: weak().array if never else e,
        "box": lambda e: box["w"].array if never else e,
        "list": lambda e: holder.parts[0].array if never else e,
        "property": lambda e: holder.hidden if never else e,
        "wrapped": lambda e: wrapped(0) if never else e,
        "partial": whole,
        "default": default,
        "alias": alias,
        "nested": nested,
    }


@pytest.mark.parametrize("name", closures())
def test_an_array_within_reach_is_named_though_it_is_never_touched(name):
    assert "W" in Reach(closures()[name]).buffers


def test_what_is_known_of_an_array_beside_its_numbers_is_free():
    holder = Holder()
    reach = Reach(lambda e: e * holder.gain + holder.w.shape[0] * TABLE[0] + np.tanh(e))
    assert not reach.buffers and not reach.asks and [path for _, path in reach.arrays] == ["TABLE"]


def test_the_process_is_not_asked():
    def clock(e):
        import threading

        return e * time.time() + threading.active_count() + len(os.environ) + chance.rand() + eval("1")

    chance, wanted = np.random, {"time.time", "numpy.random.rand", "threading.active_count", "os.environ", "eval"}
    assert wanted == set(Reach(clock).asks)
    assert not Reach(lambda e: np.random.default_rng(3).random(3) + e).asks


def test_numbers_that_move_are_kept_and_tables_that_are_filled_once_are_not():
    holder, table, seen = Holder(), {}, collections.deque()

    def kernel(e):
        table[min(len(seen), 2)] = 1
        seen.append(e)
        return e if holder.called() else e * holder.gain

    runs = (kernel([1.0] * 2 and np.ones(2)) is None for _ in range(4))
    assert moving(Reach(kernel).kept, runs) == ["seen", "self.calls"]


@pytest.mark.parametrize(
    ("by", "condition", "code"), [("behaviour", "i", 3), ("operations", "ii", 3), ("structure", "i", 0)]
)
def test_a_kernel_that_failed_leaves_the_audit_undecided(by, condition, code):
    """Whatever other analyses say: they did not see what it does."""
    other, failed = Evidence("symmetry"), Evidence(by, undecided={condition: "it raises"})
    for each in CONDITIONS:
        other.add_check(each, "in order")
    assert Verdict("rule", [], [other, failed], [], None).exit_code == code
