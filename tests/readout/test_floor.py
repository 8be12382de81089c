"""The read-out of every layer beside its floor, and how it is told."""

import numpy as np
import pytest

from neurosim.data.dataset import Dataset
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import DataError
from neurosim.readout.features import coarse, pictures
from neurosim.readout.floor import Method, Readout, compare, labelled, read_out
from neurosim.training.assembly import make_encoder


@pytest.fixture(scope="module")
def bright():
    """Sixty pictures of three kinds that differ in where they are bright."""
    rng = np.random.default_rng(5)
    labels = np.arange(60) % 3
    images = rng.integers(0, 120, (60, 8, 8, 3))
    for kind in range(3):
        images[labels == kind, 2 * kind : 2 * kind + 3] += 120
    images = images.astype(np.uint8)
    return Dataset("bright", images[:40], labels[:40], images[40:], labels[40:], ("a", "b", "c"))


def test_it_prints_as_a_table_and_is_kept_as_results_json():
    readout = Readout("knn", (0.5, 0.725), (0.25, 0.75))
    assert str(readout).splitlines() == [
        "nearest-neighbour read-out, % of test images",
        "layer  trained  untrained  difference",
        "1         50.0       25.0       +25.0",
        "2         72.5       75.0        -2.5",
    ]
    assert readout.to_json() == {
        "readout": "knn",
        "test_accuracy": 0.725,
        "floor_accuracy": 0.75,
        "per_layer": [
            {"layer": 1, "test_accuracy": 0.5, "floor_accuracy": 0.25},
            {"layer": 2, "test_accuracy": 0.725, "floor_accuracy": 0.75},
        ],
    }


def test_each_side_has_its_own_weights(bright):
    """The trained side is blind here, the untrained one is not: whoever confuses them is found out."""
    network = "4 hardtanh, 5 pool"
    untrained = make_encoder(network, (8, 8, 3))
    blind = {s.name: np.zeros_like(s.weight.host()) for p in untrained.network.projections for s in p.synapses}
    trained = make_encoder(network, (8, 8, 3), blind)
    lines = []
    with ThreadTeam(1) as team:
        readout = compare(trained, untrained, bright, Method("hinge"), team, lines.append)
        assert readout.floor == tuple(read_out(untrained, bright, Method("hinge"), team))
        assert read_out(untrained, bright, Method("hinge"), team, only_top=True) == [readout.floor[-1]]
    assert max(readout.accuracy) < 0.5 < min(readout.floor)
    assert lines == [f"{side}, layer {n} of 2" for side in ("read-out", "floor") for n in (1, 2)]


def test_without_labels_there_is_none(bright):
    bare = Dataset("bare", bright.train_images, None, bright.test_images, None, ())
    with pytest.raises(DataError, match="bare has no labels for a read-out"), ThreadTeam(1) as team:
        read_out(make_encoder("4 hardtanh", (8, 8, 3)), bare, Method(), team)


def test_labelled_images_are_drawn_by_the_seed(bright):
    some, all_of_them = labelled(bright, 10, 0), labelled(bright, 100, 0)
    assert len(set(some)) == 10 and list(some) == sorted(some) and list(all_of_them) == list(range(40))
    assert not np.array_equal(some, labelled(bright, 10, 1))


def test_features_are_means_of_cells():
    activity = np.arange(2 * 6 * 8 * 3, dtype=np.float32).reshape(2, 6, 8, 3)
    cells = coarse(activity, 4).reshape(2, 3, 4, 3)
    np.testing.assert_allclose(cells[1, 2, 1], activity[1, 4:6, 2:4].mean(axis=(0, 1)))
    assert coarse(activity[:0]).shape == (0, 3 * 4 * 3)


def test_floating_pictures_are_rounded_to_what_they_were():
    bytes_ = np.random.default_rng(0).integers(0, 256, (5, 4, 4, 3)).astype(np.uint8)
    for kind in (np.float32, np.float64):
        assert np.array_equal(pictures(bytes_.astype(kind) / 255, (4, 4, 3)), bytes_)
    assert pictures(bytes_, (4, 4, 3)) is bytes_
