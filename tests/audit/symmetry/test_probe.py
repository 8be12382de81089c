"""Parts of the comparison of maps, each by itself: chance, structure, places, statistics."""

from types import SimpleNamespace

import numpy as np
import pytest

from neurosim.audit.symmetry import resemblance as place
from neurosim.audit.symmetry.chance import beyond_chance, centred, cosine, is_thin
from neurosim.audit.symmetry.probe import chosen
from neurosim.audit.symmetry.resemblance import likenesses


def test_holes_stay_holes(rng):
    there = rng.random((20, 30)) < 0.5
    x = (rng.normal(size=(20, 1)) + rng.normal(size=(1, 30)) + 5) * there
    found = centred(x, there)
    assert not found[~there].any() and np.abs(found).max() < 0.5 < np.abs(x).max()


def test_one_extreme_number_is_no_likeness(rng):
    a, b = rng.uniform(-1, 1, (2, 20, 40))
    a[3, 5] = b[3, 5] = 12
    assert likenesses(a, b) == []


def test_of_few_numbers_nothing_is_said(rng):
    assert beyond_chance(*[centred(rng.normal(size=(6, 7)))] * 2, 7, rng) is None
    size, sure = beyond_chance(*[centred(rng.normal(size=(12, 12)))] * 2, 12, rng)
    assert abs(size - 1) < 1e-9 and 0.4 < sure < 0.9


@pytest.mark.parametrize("seed", [12, 22, 36])
def test_of_few_numbers_that_taps_repeat_nothing_is_said(seed):
    """Smooth over nine taps but for a tenth: 135 numbers, and 15 of them say something."""
    rng = np.random.default_rng(seed)
    a, other = (np.tile(rng.uniform(-1, 1, (5, 3)), 9) + 0.1 * rng.uniform(-1, 1, (5, 27)) for _ in range(2))
    one, other = centred(a), centred(a + 0.2 * other)
    assert cosine(one, other) > 0.95 and beyond_chance(one, other, 3, np.random.default_rng(1)) is None


def test_half_of_a_blend_shows_in_three_rows(rng):
    """Fisher's transform, and few rows that have no structure of their own: 6 standard deviations are 0.62 here, not 0.72."""
    w = rng.uniform(-1, 1, (3, 36))
    other = w + 0.9 * rng.uniform(-1, 1, w.shape)
    assert any(each.how == "correlation" for each in likenesses(other, w, 4))


def test_structure_is_what_size_does_not_explain(rng):
    assert not is_thin(centred(rng.uniform(-1, 1, (3, 36)))) and not is_thin(centred(rng.uniform(-1, 1, (16, 36))))
    assert is_thin(centred(np.outer(rng.normal(size=16), rng.normal(size=36))))


def test_tall_maps_are_asked_for_their_columns(rng):
    w = rng.uniform(-1, 1, (72, 24))
    assert any("span" in each.how for each in likenesses(w @ rng.normal(size=(24, 24)), w))


def test_few_directions():
    rng = np.random.default_rng(4)
    w = rng.uniform(-1, 1, (16, 40))
    u, sizes, v = np.linalg.svd(w, full_matrices=False)
    assert place._low_rank((u[:, :2] * sizes[:2]) @ v[:2], w) > 0.15 and place._low_rank(w, w) == 0


def test_independent_maps_of_few_units_are_not_alike():
    """300 pairs, shaped and structured at random as plans of small networks are: none is accused."""
    for seed in range(300):
        rng = np.random.default_rng([seed, 99])
        rows, channels = int(rng.integers(2, 12)), int(rng.integers(2, 9))
        a, b = rng.uniform(-1, 1, (2, rows, 9 * channels))
        ways = [
            lambda x: x,
            np.abs,
            np.sign,
            lambda x: np.tile(x[:, :channels], 9),  # noqa: B023
            lambda x: np.exp(2 * x),
            lambda x: np.outer(x[:, 0], x[0]),
        ]
        way = ways[int(rng.integers(len(ways)))]
        assert not likenesses(way(a), way(b), channels), (seed, rows, channels)


def test_places_of_maps(rng):
    """The middle place above, all its channels; below, the places that it sees, all theirs; pooled or not."""
    for post in ((8, 8, 3), (4, 4, 4, 3)):
        buffers = {"pre": SimpleNamespace(shape=(5, 8, 8, 2)), "post": SimpleNamespace(shape=(5, *post))}
        passage = SimpleNamespace(site=SimpleNamespace(step=SimpleNamespace(buffers=buffers)), pre="pre", post="post")
        above, below = chosen(passage, 10, rng)
        middle = (0,) * (len(post) - 3) + (post[-3] // 2, post[-2] // 2)
        assert sorted(above) == [np.ravel_multi_index((*middle, o), post) for o in range(3)]
        near = [(r, c, k) for r in (3, 4, 5) for c in (3, 4, 5) for k in (0, 1)]
        assert sorted(below) == [np.ravel_multi_index(each, (8, 8, 2)) for each in near]
        assert len(chosen(passage, 2, rng)[0]) == 2
