"""The built-in toys: what the pictures show, what they may and may not show, and how they are kept."""

import numpy as np
import pytest

from neurosim.data.toys import scenes, toys
from neurosim.errors import DataError


@pytest.mark.parametrize("kind", toys.KINDS)
def test_toys_fill_the_picture_and_stay_in_it(kind):
    """The silhouette, taken from two pictures that differ in the background alone, spans 60 to 90 % of the frame."""
    rng = np.random.default_rng(3)
    labels = np.full(12, toys.KINDS.index(kind))
    toy = scenes.draw_toys(rng, labels)
    frame = {name: value[:, 0] for name, value in scenes.draw_frames(rng, toy, 1).items()}
    plain = toy | {
        "grain": toy["grain"] * 0,
        "clutter_size": toy["clutter_size"] * 0 + 1e-3,
        "bar_height": np.zeros((12, 3)),
    }
    pictures = [
        scenes.paint(kind, plain | {"ground": np.full((12, 2, 3), tone, np.float32)}, frame, rng) for tone in (0.2, 0.8)
    ]
    solid = (pictures[0] == pictures[1]).all(axis=-1)
    for picture in solid:
        rows, columns = np.flatnonzero(picture.any(axis=1)), np.flatnonzero(picture.any(axis=0))
        assert 0.5 * 32 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 0.95 * 32
        assert rows[0] > 0 and columns[0] > 0 and rows[-1] < 31 and columns[-1] < 31


def test_shapes_types_and_balance():
    images, labels = toys.render(57, seed=4)
    assert images.shape == (57, 32, 32, 3) and images.dtype == np.uint8
    assert labels.shape == (57,) and labels.dtype == np.int64
    assert set(np.bincount(labels, minlength=10)) == {5, 6}
    assert (np.diff(labels) < 0).any()
    films, _ = toys.render(20, seed=4, frames=3)
    assert films.shape == (20, 3, 32, 32, 3) and films.dtype == np.uint8
    assert len(toys.KINDS) == len(set(toys.KINDS)) == 10


def test_same_seed_same_bits_and_other_seed_or_split_other_toys():
    images, labels = toys.render(40, seed=5)
    again, same = toys.render(40, seed=5)
    np.testing.assert_array_equal(images, again)
    np.testing.assert_array_equal(labels, same)
    for other, theirs in (toys.render(40, seed=6), toys.render(40, seed=5, split="test")):
        assert (theirs != labels).any()
        assert (other != images).any(axis=(1, 2, 3)).all()


def test_bits_do_not_depend_on_the_number_of_workers(monkeypatch):
    images, _ = toys.render(100, seed=7)
    for team in (1, 2, 3):
        monkeypatch.setattr(toys, "cores", lambda team=team: (team, "a test"))
        np.testing.assert_array_equal(toys.render(100, seed=7)[0], images)


def test_frames_show_one_toy_in_motion():
    films = toys.render(200, seed=8, frames=2)[0] / 255
    assert (films[:, 0] != films[:, 1]).any(axis=(1, 2, 3)).all()
    colour = films[:, :, 8:24, 8:24].mean(axis=(2, 3))
    apart = np.linalg.norm(colour[:, None, 0] - colour[None, :, 1], axis=-1)
    nearest = apart.argmin(axis=1) == np.arange(200)
    assert nearest.mean() > 20 / 200  # by colour alone, twenty times better than a guess
    assert np.diag(apart).mean() < 0.6 * apart.mean()


def test_a_toy_turns_by_a_moderate_angle():
    rng = np.random.default_rng(9)
    frames = scenes.draw_frames(rng, scenes.draw_toys(rng, np.arange(200) % 10), 3)
    pose = frames["rotation"].astype(float)
    np.testing.assert_allclose(pose @ np.swapaxes(pose, -1, -2), np.broadcast_to(np.eye(3), pose.shape), atol=1e-6)
    np.testing.assert_allclose(np.linalg.det(pose), 1, atol=1e-6)
    turn = np.rad2deg(np.arccos((np.trace(pose[:, 2] @ np.swapaxes(pose[:, 0], 1, 2), axis1=1, axis2=2) - 1) / 2))
    assert turn.min() > 19.9 and turn.max() < 60.1
    first = np.rad2deg(np.arccos((np.trace(pose[:, 1] @ np.swapaxes(pose[:, 0], 1, 2), axis1=1, axis2=2) - 1) / 2))
    np.testing.assert_allclose(first, turn / 2, atol=0.1)
    assert (frames["light"][:, 0] != frames["light"][:, 1]).any(axis=-1).all()


def test_surface_and_background_are_drawn_without_looking_at_the_kind():
    """The same random numbers give toys of two kinds the same colours, texture, light and background, to the bit."""
    one, other = (scenes.draw_toys(np.random.default_rng(10), np.full(30, kind)) for kind in (0, 6))
    different = {name for name in one if (one[name] != other[name]).any()}
    assert different == {"labels", "scale", "view", "form"}
    lights = [scenes.draw_frames(np.random.default_rng(11), toy, 1) for toy in (one, other)]
    different = {name for name in lights[0] if (lights[0][name] != lights[1][name]).any()}
    assert different == {"rotation", "zoom", "centre"}


def fit_linear(features, labels, ridge):
    """Ridge regression on one-hot labels, X' (X X' + ridge n I)^-1 Y: a linear classifier in closed form."""
    features = np.column_stack([features, np.ones(len(features))])
    square = features @ features.T + ridge * len(features) * np.eye(len(features))
    return features.T @ np.linalg.solve(square, np.eye(10)[labels])


def test_linear_read_outs_of_colour_and_pixels_fail():
    (images, labels), (unseen, truth) = toys.render(1000, seed=12), toys.render(500, seed=12, split="test")

    def accuracy(summarise, ridge):
        train, test = summarise(images / 255), summarise(unseen / 255)
        middle, spread = train.mean(axis=0), train.std(axis=0)
        weights = fit_linear((train - middle) / spread, labels, ridge)
        guess = np.column_stack([(test - middle) / spread, np.ones(len(test))]) @ weights
        return (guess.argmax(axis=1) == truth).mean()

    assert accuracy(lambda x: x.mean(axis=(1, 2)), 1e-3) < 0.2
    assert accuracy(lambda x: x[:, [0, 0, -1, -1], [0, -1, 0, -1]].reshape(len(x), -1), 1e-3) < 0.2
    assert max(accuracy(lambda x: x.reshape(len(x), -1), ridge) for ridge in (0.1, 1, 10)) < 0.45


def same(one, other):
    arrays = ("train_images", "train_labels", "test_images", "test_labels")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays)


def test_cache_is_used_and_mended(tmp_path, monkeypatch):
    fresh = toys.load(seed=1, train=20, test=10, frames=2, cache=tmp_path / "new")
    assert fresh.name == "toys" and fresh.classes == toys.KINDS
    assert fresh.train_images.shape == (20, 2, 32, 32, 3) and fresh.test_images.shape == (10, 32, 32, 3)
    (path,) = (tmp_path / "new").iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(toys, "render", lambda *_: pytest.fail("drawn again although the cache holds it"))
        assert same(toys.load(seed=1, train=20, test=10, frames=2, cache=tmp_path / "new"), fresh)
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    for broken in (b"", b"not a zip file", whole[: len(whole) // 2], bytes(flipped)):
        path.write_bytes(broken)
        assert same(toys.load(seed=1, train=20, test=10, frames=2, cache=tmp_path / "new"), fresh)
        assert path.read_bytes() == whole
    assert list((tmp_path / "new").iterdir()) == [path]


def test_cache_of_other_arrays_is_made_again(tmp_path):
    fresh = toys.load(train=10, test=10, cache=tmp_path)
    (path,) = tmp_path.iterdir()
    with open(path, "wb") as file:
        np.savez(
            file,
            train_images=fresh.train_images[:5],
            train_labels=fresh.train_labels[:5],
            test_images=np.ones(3),
            test_labels=np.ones(3),
        )
    assert same(toys.load(train=10, test=10, cache=tmp_path), fresh)


def test_cache_names_tell_what_they_hold(tmp_path):
    for changed in ({}, {"seed": 1}, {"train": 11}, {"test": 11}, {"frames": 2}):
        toys.load(**({"train": 10, "test": 10} | changed), cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 5


def test_unwritable_cache_is_no_error(tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    assert same(toys.load(train=10, test=10, cache=tmp_path / "file"), toys.load(train=10, test=10, cache=tmp_path))


def test_failed_rename_leaves_nothing_behind(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr("neurosim.core.writing.os.replace", refuse)
    toys.load(train=10, test=10, cache=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_cache_stands_in_the_users_cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    toys.load(train=10, test=10)
    assert len(list((tmp_path / "xdg" / "neurosim").iterdir())) == 1
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    toys.load(train=10, test=10)
    assert len(list((tmp_path / "home" / ".cache" / "neurosim").iterdir())) == 1


@pytest.mark.parametrize(
    "arguments",
    [{"count": 0}, {"frames": 0}, {"seed": -1}, {"split": "validation"}],
)
def test_wrong_requests_are_refused_in_one_line(arguments):
    with pytest.raises(DataError, match=r"^toys: .*; expected .*; ") as error:
        toys.render(**({"count": 10, "seed": 0} | arguments))
    assert "\n" not in str(error.value)
