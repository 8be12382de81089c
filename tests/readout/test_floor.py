"""The read-out of every layer beside its floor, and how it is told."""

import numpy as np
import pytest

from neurosim.data.dataset import Dataset
from neurosim.data.views.framing import Framing
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import DataError
from neurosim.readout.features import coarse, pictures
from neurosim.readout.floor import Method, changed, compare, labelled, read_out
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
    shown = ("layer 1 of 2", "layer 2 of 2", "layers together")
    assert lines == [f"{side}, {line}" for side in ("read-out", "floor") for line in shown]


@pytest.mark.parametrize("method", ["lbfgs", "ridge", "adam", "hinge", "knn"])
def test_every_method_gives_a_curve(bright, method):
    """The trained side is blind, by every method, with every number of labels; the layers of the other are not."""
    untrained = make_encoder("4 hardtanh, 5 pool", (8, 8, 3))
    blind = {s.name: np.zeros_like(s.weight.host()) for p in untrained.network.projections for s in p.synapses}
    with ThreadTeam(2) as team:
        trained = make_encoder("4 hardtanh, 5 pool", (8, 8, 3), blind)
        readout = compare(trained, untrained, bright, Method(method, labels=(9, 30, 41), images=41), team)
    assert [(point.labels, point.draws) for point in readout.curve] == [(9, 10), (30, 10), (40, 1)]
    assert readout.left_out == (41,) and readout.learned == (1, 2) and readout.headline == 2
    for point in readout.curve[1:]:
        for row in (*point.layers, point.together, point.best):
            assert row.trained.value < 0.5 < row.floor.value
            assert row.difference.value == pytest.approx(row.trained.value - row.floor.value)


def test_a_layer_that_stays_as_drawn_did_not_learn(bright):
    """The headline and the gain are of layers whose own synapses changed; a layer above them changes what it gives, no more."""
    untrained = make_encoder("4 hardtanh, 5 pool, 6 hardtanh", (8, 8, 3))
    drawn = {s.name: s.weight.host() for p in untrained.network.projections for s in p.synapses}
    moved = make_encoder("4 hardtanh, 5 pool, 6 hardtanh", (8, 8, 3), {**drawn, "W2": 1.01 * drawn["W2"]})
    same = make_encoder("4 hardtanh, 5 pool, 6 hardtanh", (8, 8, 3), drawn)
    assert changed(moved.network, untrained.network) == (2,) and changed(same.network, untrained.network) == ()
    with ThreadTeam(1) as team:
        readout = compare(moved, untrained, bright, Method("knn"), team)
        nothing = compare(same, untrained, bright, Method("knn"), team)
    assert readout.headline == 2 and readout.gain.layers == (2,) and readout.curve[-1].together is None
    assert readout.to_json()["test_accuracy"] == readout.accuracy[1]
    assert nothing.headline == 3 and nothing.gain is None and nothing.accuracy == nothing.floor
    assert "no layer learned" in str(nothing) and "(layer 1)" in str(readout) and "(layer 2)" not in str(readout)


@pytest.mark.parametrize("counts", [{}, {"FOLDED": 20}, {"FOLDED": 20, "MOST": 25}, {"FOLDED": 9, "MOST": 9}])
def test_the_curve_has_the_same_bits_with_any_number_of_threads(bright, counts, monkeypatch):
    """By folds, by Cholesky's triangle and by the images themselves, which take their turns at these numbers of labels."""
    for name, count in counts.items():
        monkeypatch.setattr(f"neurosim.readout.few.{name}", count)
    text, found = "4 hardtanh, 5 pool", []
    drawn = {s.name: s.weight.host() for p in make_encoder(text, (8, 8, 3)).network.projections for s in p.synapses}
    for threads in (1, 3):
        moved = make_encoder(text, (8, 8, 3), {name: 0.9 * weight for name, weight in drawn.items()})
        with ThreadTeam(threads) as team:
            method = Method(labels=(10, 23, 30))
            found.append(compare(moved, make_encoder(text, (8, 8, 3)), bright, method, team))
    assert found[0] == found[1] and found[0].curve[-1].labels == 40
    assert min(row.trained.value for row in found[0].curve[-1].layers) > 0.5


def test_it_is_fitted_to_the_chosen_training_images_and_asked_about_all_test_images(bright):
    encoder, noted = make_encoder("4 hardtanh", (8, 8, 3)), []

    class Note:
        images, seed = 10, 3

        def fit(self, features, labels, classes, team):
            noted.append((features, labels, classes))
            return self

        def accuracy(self, features, labels, team):
            noted.append((features, labels))
            return 0.5

    chosen = labelled(bright, 10, 3)
    with ThreadTeam(1) as team:
        assert read_out(encoder, bright, Note(), team) == [0.5]
        (fitted,), (asked,) = (encoder.features(x, team) for x in (bright.train_images[chosen], bright.test_images))
    (features, labels, classes), (others, truth) = noted
    assert np.array_equal(features, fitted) and np.array_equal(labels, bright.train_labels[chosen]) and classes == 3
    assert np.array_equal(others, asked) and np.array_equal(truth, bright.test_labels)


def test_cropped_pictures_are_read_out_in_their_middle(bright):
    cropped = make_encoder("4 hardtanh", (8, 8, 3), framing=Framing(crop=4))
    small = make_encoder("4 hardtanh", (4, 4, 3))
    with ThreadTeam(1) as team:
        (found,), (wanted,) = (
            cropped.features(bright.test_images, team),
            small.features(bright.test_images[:, 2:6, 2:6], team),
        )
    assert np.array_equal(found, wanted)


def test_biases_are_given_with_the_weights(bright):
    text = "4 bias hardtanh"
    (projection,) = make_encoder(text, (8, 8, 3)).network.projections
    given = {s.name: np.full(s.shape, value) for s, value in zip(projection.synapses, (0.0, 0.5), strict=True)}
    with ThreadTeam(1) as team:
        (found,) = make_encoder(text, (8, 8, 3), given).features(bright.test_images, team)
    assert (found == 0.5).all()


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
    assert (pictures(np.full((1, 4, 4, 3), 0.999), (4, 4, 3)) == 255).all()
