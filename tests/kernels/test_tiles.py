"""Convolutions in tiles: what they need, how little they round, and that cutting into sets changes nothing."""

import threading

import numpy as np
import pytest

from neurosim.core import tuning, workspace
from neurosim.kernels.convolution import convolve, deliver_convolution, hebbian_convolution, tiles

MAPS = [((5, 8, 12), 16, 70, False), ((3, 4, 4), 20, 16, False), ((5, 8, 12), 16, 70, True), ((3, 4, 4), 20, 16, True)]


def arrays(shape, channels, results, pooled, dtype):
    """Activity, weights and factors of one convolution."""
    rng = np.random.default_rng(3)
    samples, rows, columns = shape
    above = (samples, 4, rows // 2, columns // 2, results) if pooled else (*shape, results)
    drawn = (rng.uniform(-1, 1, s) for s in ((*shape, channels), (3, 3, channels, results), above))
    return [array.astype(dtype) for array in drawn]


def three(x, w, post):
    """The three maps of one convolution: potentials, summed outer products, delivered errors."""
    u, change, error = np.full_like(post, np.nan), np.zeros_like(w), np.full_like(x, np.nan)
    convolve.form("cpu")(x, w, u)
    hebbian_convolution.form("cpu")(x, post, change)
    deliver_convolution.form("cpu")(post, w, error)
    return u, change, error


@pytest.mark.parametrize("case", MAPS)
def test_tiles_agree_with_the_plain_sum(monkeypatch, relative_error, case):
    """float64 to 1e-14, float32 to 3e-6, both relative to the whole array."""
    exact = arrays(*case, np.float64)
    assert tiles.fits(exact[0].shape, exact[1])
    rounded = [array.astype(np.float32) for array in exact]
    tiled, tiled32 = three(*exact), three(*rounded)
    monkeypatch.setattr(tiles, "fits", lambda shape, weight: False)
    for plain, double in zip(three(*exact), tiled, strict=True):
        assert relative_error(double, plain) < 1e-13
    for plain, single in zip(three(*(a.astype(np.float64) for a in rounded)), tiled32, strict=True):
        assert np.linalg.norm(single - plain) < 3e-6 * np.linalg.norm(plain)


@pytest.mark.parametrize("case", MAPS)
@pytest.mark.parametrize(("size", "results"), [(64, 16), (1024, 33), (1 << 20, 512)])
def test_sets_of_any_size_give_the_same_numbers(monkeypatch, relative_error, case, size, results):
    given = arrays(*case, np.float64)
    wanted = three(*given)
    monkeypatch.setattr(tuning.CPU, "tile_set", size)
    monkeypatch.setattr(tuning.CPU, "tile_results", results)
    for found, expected in zip(three(*given), wanted, strict=True):
        assert relative_error(found, expected) < 1e-13


def test_maps_that_are_no_tiles_are_left_to_the_plain_sum():
    weight = np.zeros((3, 3, 16, 16))
    assert tiles.fits((1, 8, 4, 16), weight)
    assert not tiles.fits((1, 8, 6, 16), weight)
    assert not tiles.fits((1, 2, 4, 16), weight)
    assert not tiles.fits((1, 8, 4, 3), np.zeros((3, 3, 3, 32)))


def test_what_is_silent_stays_silent():
    """Where all is 0 the tiles give exactly 0: gates and hinges compare with it."""
    x, w, post = arrays((2, 8, 8), 16, 16, False, np.float32)
    x[:, :6] = 0
    u = np.full_like(post, np.nan)
    convolve.form("cpu")(x, w, u)
    assert not u[:, :4].any()


@pytest.mark.parametrize("case", [*MAPS, ((2, 12, 16), 17, 18, False), ((2, 16, 4), 17, 18, True)])
def test_nothing_left_in_scratch_reaches_a_result(case):
    """Maps of one, two and more tiles a side, in memory that other maps have used and that then holds NaN."""
    given = arrays(*case, np.float32)
    wanted = three(*given)
    three(*arrays((3, 8, 8), 20, 80, False, np.float32))
    workspace.poison()
    for found, expected in zip(three(*given), wanted, strict=True):
        assert found.tobytes() == expected.tobytes()


def test_what_is_cached_is_made_once_a_thread_and_anew_when_its_memory_grows():
    made = []

    def make(size):
        made.append(size)
        return workspace.thread_local("test.cached", (size,), np.uint8)

    first = workspace.cached(make, 4)
    assert workspace.cached(make, 4) is first and made == [4]
    larger = workspace.cached(make, 8)
    assert np.shares_memory(workspace.cached(make, 4), larger) and made == [4, 8, 4]
    seen = []
    thread = threading.Thread(target=lambda: seen.append(workspace.cached(make, 4)))
    thread.start()
    thread.join()
    assert made == [4, 8, 4, 4] and not np.shares_memory(seen[0], larger)
