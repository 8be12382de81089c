"""Arrays and folders as people have them: put right where that is certain, refused with the exact call otherwise."""

import os
import re
import unicodedata

import numpy as np
import pytest
from neurosim.cli.main import at_home

import neurosim as ns
from neurosim.data.cache import user_cache
from neurosim.data.sources import npz
from neurosim.errors import DataError

IMAGES = np.random.default_rng(8).integers(0, 256, (20, 6, 5, 3), dtype=np.uint8)
GREY = np.repeat(IMAGES[..., :1], 3, axis=3)
LABELS = np.array([7, -2] * 10)
ONE_HOT = np.eye(2)[(LABELS > 0).astype(int)]
WANTED = npz.of_arrays("x", {"images": IMAGES, "labels": LABELS})
SAME = {  # what is the same images, or the same labels
    "channels first": (IMAGES.transpose(0, 3, 1, 2), LABELS),
    "samples last": (IMAGES.transpose(1, 2, 3, 0), LABELS),
    "all turned round": (IMAGES.transpose(3, 1, 2, 0), LABELS),
    "Fortran order": (np.asfortranarray(IMAGES), np.asfortranarray(LABELS[:, None])),
    "big-endian whole numbers": (IMAGES.astype(">u2"), LABELS.astype(">i4")),
    "big-endian floats of 0 to 255": (IMAGES.astype(">f8"), LABELS.astype(">f4")),
    "big-endian floats of 0 to 1, channels first": ((IMAGES / 255).astype(">f4").transpose(0, 3, 1, 2), ONE_HOT),
    "a view backwards": (IMAGES[::-1][::-1], LABELS[::-1][::-1]),
    "a column of labels": (IMAGES.astype(np.uint16), LABELS[:, None]),
}
REFUSED = {
    "channels first without labels": (IMAGES.transpose(0, 3, 1, 2), None, "images.transpose(0, 2, 3, 1)"),
    "samples last without labels": (IMAGES.transpose(1, 2, 3, 0), None, "images.transpose(3, 0, 1, 2)"),
    "two orders at once": (np.zeros((20, 3, 3, 20), np.uint8), np.arange(20) % 2, "or (row, column, channel, sample)"),
    "16 bits": (IMAGES.astype(np.uint16) * 257, LABELS, "(images // 257).astype(np.uint8)"),
    "12 bits": (IMAGES.astype(np.uint16) * 16, LABELS, ".astype(np.uint8)"),
    "black and white": (IMAGES > 100, LABELS, "images * np.uint8(255)"),
    "0 and 1": ((IMAGES > 100).astype(int), LABELS, "(images * 255).astype(np.uint8)"),
    "interpolated": (IMAGES * 0.99, LABELS, "images / 255"),
    "-1 to 1": (IMAGES / 127.5 - 1, LABELS, "(images + 1) / 2"),
    "labels of others": (IMAGES.transpose(0, 3, 1, 2), LABELS[:-1], "reshape them"),
}


@pytest.mark.parametrize("name", SAME)
def test_what_is_certain_is_put_right(name, tmp_path):
    images, labels = SAME[name]
    np.savez(tmp_path / "a.npz", images=images, labels=labels)
    for found in (ns.Experiment(data=(images, labels), network="3 linear", batch=4).data, npz.load(tmp_path / "a.npz")):
        np.testing.assert_array_equal(found.train_images, WANTED.train_images)
        np.testing.assert_array_equal(found.train_labels, WANTED.train_labels)
        assert found.train_images.dtype.isnative and found.train_images.flags.c_contiguous
        assert bool(found.notes) == ("first" in name or "last" in name or "turned" in name)


def test_grey_pictures_one_behind_another():
    found = npz.of_arrays("x", {"images": GREY[..., 0].transpose(1, 2, 0), "labels": LABELS})
    np.testing.assert_array_equal(
        found.train_images, npz.of_arrays("x", {"images": GREY, "labels": LABELS}).train_images
    )


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_certain_is_refused_with_the_call(name):
    images, labels, call = REFUSED[name]
    arrays = {"images": images} | ({} if labels is None else {"labels": labels})
    with pytest.raises(DataError, match=re.escape(call)):
        npz.of_arrays("x", arrays)


def test_what_is_said_is_what_helps():
    said = {
        "16 bits": lambda x: (x // 257).astype(np.uint8),
        "black and white": lambda x: x * np.uint8(255),
        "0 and 1": lambda x: (x * 255).astype(np.uint8),
        "interpolated": lambda x: x / 255,
        "-1 to 1": lambda x: (x + 1) / 2,
        "channels first without labels": lambda x: x.transpose(0, 2, 3, 1),
    }
    for name, call in said.items():
        npz.of_arrays("x", {"images": call(REFUSED[name][0])})


def test_sorted_labels_are_noticed_at_the_start():
    images, labels = np.concatenate([IMAGES, IMAGES]), np.repeat([0, 1, 2, 3], 10)
    data = {"images": images, "labels": labels, "test_images": IMAGES[:4], "test_labels": np.arange(4)}
    (note,) = ns.Experiment(data=data, network="3 linear", batch=4, images=20).data.notes
    assert "the first 20 images are of 2 of 4 classes, for they are sorted by label" in note
    data["labels"] = np.array([0, 1, 2, 3] * 10)
    assert ns.Experiment(data=data, network="3 linear", batch=4, images=20).data.notes == ()
    assert "sorted" not in ns.Experiment(data=data, network="3 linear", batch=2, images=3).data.notes[0]


def test_a_tilde_that_no_shell_has_expanded(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    home = os.path.expanduser("~/")
    assert at_home("~/a b") == f"{home}a b" and at_home("--out=~/a") == f"--out={home}a"
    for word in ("~", "a~/b", "--only=ll~", "-x~/y", "", "~user/x", "a=~/b"):
        assert at_home(word) == word
    ns.Experiment(data=IMAGES, network="3 linear", batch=4, batches=1, epochs=1, threads=1).fit("~/run")
    assert (tmp_path / "run" / "checkpoint.npz").is_file()


def test_without_a_home_nothing_is_kept_in_a_folder_named_tilde(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as where there is neither $HOME nor a user's entry
    assert user_cache().is_absolute() and "~" not in str(user_cache())


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_folders_of_any_name_in_a_home_that_cannot_be_written(form, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file" / "cache"))
    name = unicodedata.normalize(form, "Mühe und Spaß é")
    try:
        os.fsencode(name)
    except UnicodeEncodeError:  # a plain C locale, in which no program can name such a folder
        name = "Muhe und Spass e"
    folder = tmp_path / name
    folder.mkdir()
    np.savez(folder / "ein Satz.npz", images=IMAGES, labels=LABELS)
    words = {
        "network": "3 linear",
        "batch": 4,
        "batches": 1,
        "epochs": 1,
        "readout": "ridge",
        "labels": "10,16",
        "threads": 1,
    }
    experiment = ns.Experiment(data=str(folder / "ein Satz.npz"), **words).fit(folder / "ein Lauf")
    assert experiment.readout(cached=True).curve is not None
    assert ns.load(folder / "ein Lauf").data.name == str(folder / "ein Satz.npz")
