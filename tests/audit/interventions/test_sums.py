"""Sums of outer products over fields of any size, against naive loops."""

import numpy as np
import pytest

from neurosim.audit.interventions.products import terms
from neurosim.audit.interventions.sums import sums_of


@pytest.mark.parametrize("side", [1, 2, 3, 5, 6])
def test_a_convolution_of_any_field_sums_what_naive_loops_sum(side):
    rng = np.random.default_rng(0)
    pre, post = rng.normal(size=(2, 4, 4, 3)), rng.normal(size=(2, 4, 4, 2))
    wanted = np.zeros((side, side, 3, 2))
    for i, j, r, c in np.ndindex(side, side, 4, 4):
        y, x = r + i - (side - 1) // 2, c + j - (side - 1) // 2
        if 0 <= y < 4 and 0 <= x < 4:
            wanted[i, j] += np.einsum("nk,no->ko", pre[:, y, x], post[:, r, c])
    assert np.allclose(sums_of(pre, post, wanted.shape), wanted)
    for synapse in [(0, side - 1, 1, 1), (side // 2, 0, 2, 0)]:
        assert np.isclose(sum(a * b for _, a, b in terms(pre, post, synapse, side)), wanted[synapse])
