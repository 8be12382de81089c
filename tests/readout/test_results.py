"""Intervals against numbers written out and against simulation; how a read-out is told."""

import json

import numpy as np
import pytest
import scipy.stats

from neurosim.readout.results import Estimate, Gain, Point, Readout, Row, packed, unpacked


def test_one_draw_has_the_interval_of_a_mean_over_images():
    right = np.random.default_rng(0).random((1, 300)) < 0.7
    found = Estimate.of(right)
    wanted = scipy.stats.t.ppf(0.975, 299) * right.std(ddof=1) / np.sqrt(300)
    assert (found.value, found.interval) == pytest.approx((right.mean(), wanted))


def test_several_draws_add_their_spread():
    """With images that are all alike, the interval is that of the mean over draws, of five less one degrees of freedom."""
    shares = np.array([0.5, 0.6, 0.7, 0.65, 0.55])
    right = np.repeat(shares[:, None], 4, axis=1)
    wanted = scipy.stats.t.ppf(0.975, 4) * shares.std(ddof=1) / np.sqrt(5)
    assert Estimate.of(right).interval == pytest.approx(wanted)
    assert Estimate.of(np.ones((3, 10))) == Estimate(1.0, 0.0) and Estimate.of(np.ones((1, 1))) == Estimate(1.0, 0.0)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    """Images are easy or hard, draws of labels are good or bad: of 400 such experiments nearly all intervals hold the mean."""
    random, held = np.random.default_rng(3), 0
    for _ in range(400):
        chance = 0.6 + 0.1 * random.standard_normal((1, 200)) + 0.04 * random.standard_normal((6, 1))
        found = Estimate.of(random.random((6, 200)) < chance)
        held += abs(found.value - 0.6) <= found.interval
    assert 0.93 <= held / 400 <= 0.995


def test_a_difference_is_of_the_same_images():
    """Both sides fail on the same hard images: their difference is known better than either."""
    hard = np.random.default_rng(1).random((1, 500)) < 0.5
    better = hard.copy()
    better[0, :20] = True
    row = Row.of(better, hard)
    assert row.difference.interval < row.trained.interval / 3
    assert row.difference.value == pytest.approx(row.trained.value - row.floor.value)


def row(trained, floor):
    return Row(Estimate(trained, 0.01), Estimate(floor, 0.02), Estimate(trained - floor, 0.015))


@pytest.fixture
def readout():
    points = []
    for labels, draws in ((100, 10), (500, 3), (2000, 1), (10000, 1), (50000, 1)):
        layers = (row(0.5, 0.25), row(0.725, 0.75), row(0.7, 0.6))
        best = Gain(*(Estimate(0.7, 0.01), Estimate(0.75, 0.01), Estimate(-0.05, 0.02)), (3,) * draws, (2,) * draws)
        points.append(Point(labels, draws, layers, row(0.8, 0.78), best))
    return Readout("knn", (1, 3), tuple(points), (60000,))


def test_it_prints_as_a_table_of_100_columns(readout):
    lines = str(readout).splitlines()
    assert all(len(line) <= 100 for line in lines), max(map(len, lines))
    assert lines[0].startswith("nearest-neighbour read-out, % of test images: trained, untrained, difference")
    assert lines[1].split() == ["labels", "100", "(10", "draws)", "500", "(3", "draws)", "2,000", "10,000"]
    assert lines[2].split()[:6] == ["layer", "1", "50.0", "25.0", "+25.0", "±1.5"]
    assert lines[3].startswith("(layer 2)") and lines[4].startswith("layer 3")
    assert lines[5].split()[:5] == ["together", "80.0", "78.0", "+2.0", "±1.5"]
    assert lines[6].split()[:5] == ["best", "70.0", "75.0", "-5.0", "±2.0"]
    assert lines[7].split() == ["labels", "50,000"]
    assert "labels 60,000: the data hold 50,000" in lines[-1]


def test_it_is_kept_as_results_json(readout):
    kept = readout.to_json()
    assert (kept["readout"], kept["test_accuracy"], kept["floor_accuracy"]) == ("knn", 0.7, 0.6)
    assert kept["headline"] == {"layer": 3, "labels": 50000, **row(0.7, 0.6).to_json()}
    assert kept["per_layer"][1] == {"layer": 2, "test_accuracy": 0.725, "floor_accuracy": 0.75}
    assert kept["learned_layers"] == [1, 3] and kept["gain"]["difference"] == -0.05
    assert (kept["gain"]["layers"], kept["gain"]["floor_layers"]) == ([3], [2])
    assert [(point["labels"], point["draws"]) for point in kept["curve"][:2]] == [(100, 10), (500, 3)]
    assert kept["curve"][0]["layers"][0] == {"layer": 1, **row(0.5, 0.25).to_json()}
    assert kept["curve"][0]["together"]["difference_interval"] == 0.015


def test_where_nothing_learned_the_top_layer_stands_for_the_network():
    point = Point(100, 1, (row(0.5, 0.5), row(0.6, 0.6)), None, None)
    readout = Readout("lbfgs", (), (point,))
    assert (readout.headline, readout.gain) == (2, None)
    kept = readout.to_json()
    assert (kept["gain"], kept["curve"][0]["together"], kept["test_accuracy"]) == (None, None, 0.6)


@pytest.mark.parametrize("images", [1, 8, 13])
def test_which_images_are_right_is_kept_in_bits(images):
    right = np.random.default_rng(images).random((3, images)) < 0.5
    record = json.loads(json.dumps(packed(right)))
    assert np.array_equal(unpacked(record), right) and record["test_images"] == images
