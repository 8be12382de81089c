"""Ways out of the recording: nothing is decided then, and the line is named."""

import operator
import statistics

import numpy as np
import pytest
import scipy.spatial.distance
from ledgers import compare, kinds

from neurosim.audit.operations import categories as C
from neurosim.audit.operations.ledger import ledger


def by_statistics(view1, view2, error2, value, error1=None):
    error2[...] = view2 - statistics.fmean(view1[0])


def by_compiled_code(view1, view2, error2, value, error1=None):
    error2[...] = scipy.spatial.distance.cdist(view1, view2)[:, :1]


def by_vectorize(view1, view2, error2, value, error1=None):
    error2[...] = np.vectorize(lambda a, b: a * b)(view1, view2)


def by_iterator(view1, view2, error2, value, error1=None):
    error2[...] = np.fromiter((float.__mul__(1.0, x.__float__()) for x in view1[0]), float)


def by_type(view1, view2, error2, value, error1=None):
    error2[...] = np.float64(view1[0, 0]) * np.float64(view2[0, 0])


def by_memory(view1, view2, error2, value, error1=None):
    error2[...] = np.frombuffer(view1.data)


def by_pointer(view1, view2, error2, value, error1=None):
    error2[...] = view1.ctypes.data


def by_text(view1, view2, error2, value, error1=None):
    error2[...] = float(str(view1[0, 0])) * 2


def by_interpolation(view1, view2, error2, value, error1=None):
    error2[...] = np.polynomial.polynomial.polyval(view1, [0.0, 0.0, 1.0])


def by_an_index(view1, view2, error2, value, error1=None):
    error2[...] = view2 - range(1000)[operator.index(view1.astype(int)[0, 0] % 7)]


class DeviceProgram:
    """A kernel that is no function: its code cannot be copied."""

    def __call__(self, view1, view2, error2, value, error1=None):
        room = np.zeros(view1.shape)
        np.subtract(view1, view2, out=room)
        error2[...] = room * room


OUT = [
    by_statistics,
    by_compiled_code,
    by_vectorize,
    by_iterator,
    by_type,
    by_memory,
    by_pointer,
    by_text,
    by_interpolation,
    by_an_index,
    DeviceProgram(),
]


@pytest.mark.parametrize("mutant", OUT, ids=[getattr(m, "__name__", "callable") for m in OUT])
def test_what_leaves_the_recording_is_never_called_simple(mutant):
    found = ledger(compare(), mutant)
    assert found.verdict in ("undecided", "violated")
    if found.verdict == "undecided":
        assert kinds(found.undecided) <= {C.ESCAPE, C.FAILURE, C.UNKNOWN}
        assert all(o.line for o in found.undecided)
