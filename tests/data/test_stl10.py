"""STL-10 from files in its official layout, a few images each."""

import io
import tarfile
import tracemalloc

import numpy as np
import pytest

from neurosim.data import fetch
from neurosim.data.sources import loading
from neurosim.data.sources.stl10 import Stl10
from neurosim.data.views.framing import Framing
from neurosim.errors import DataError

SIZES = {"train": 7, "test": 5, "unlabeled": 11}


def write(folder, **changes):
    """The five files; ``changes`` by name (without ``.bin``) are bytes to write instead, or None for no file."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(4)
    images = {split: rng.integers(0, 256, (count, 96, 96, 3)).astype(np.uint8) for split, count in SIZES.items()}
    contents = {f"{split}_X": part.transpose(0, 3, 2, 1).tobytes() for split, part in images.items()}
    contents |= {f"{split}_y": bytes(np.arange(SIZES[split], dtype=np.uint8) % 10 + 1) for split in ("train", "test")}
    for name, content in (contents | changes).items():
        if content is not None:
            (folder / f"{name}.bin").write_bytes(content)
    return images


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data" / "stl10_binary"


def refused(data_dir):
    with pytest.raises(DataError) as caught:
        loading.load("stl10", data_dir)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("inside", [True, False], ids=["in the folder above", "in the folder itself"])
def test_images_are_the_files_columns_turned_to_rows(folder, inside):
    images = write(folder)
    data = loading.load("stl10", folder if inside else folder.parent)
    for found, split in ((data.train_images, "unlabeled"), (data.test_images, "test"), (data.readout_images, "train")):
        np.testing.assert_array_equal(found, images[split])
    assert data.train_labels is None and data.image_shape == (96, 96, 3)
    np.testing.assert_array_equal(data.readout_labels, np.arange(7) % 10)
    np.testing.assert_array_equal(data.test_labels, np.arange(5) % 10)
    assert data.labelled[0] is data.readout_images and data.classes[1] == "bird"


def test_images_stay_on_the_disk(folder):
    """Mapped, not read: the first so many as well."""
    write(folder)
    data = loading.load("stl10", folder, images=6)
    assert data.train_images.shape == (6, 96, 96, 3)
    for images in (data.train_images, data.test_images, data.readout_images):
        assert isinstance(images, np.memmap) and images.base is not None and not images.flags.owndata
        assert not images.flags.writeable


def test_what_is_missing_or_cut_is_refused(folder, tmp_path):
    assert f"no stl10 in {tmp_path}" in refused(tmp_path)
    (tmp_path / "stl10_binary.tar.gz").write_bytes(b"x")
    assert "extract it with `tar -xzf" in refused(tmp_path)
    write(folder, unlabeled_X=None)
    text = refused(folder)
    assert "unlabeled_X.bin is missing; expected the unlabelled split" in text and "neurosim data fetch stl10" in text
    for name, content, words in (
        ("unlabeled_X", b"x" * 27649, "27649 bytes; expected a whole number of images of 27648 bytes, 2764800000"),
        ("unlabeled_X", b"", "0 bytes"),
        ("train_y", b"\1" * 6, "6 bytes; expected 7, one an image of train_X.bin"),
        ("test_y", b"\1\2\3\4\13", "image 4 has the label 11; expected labels 1 to 10"),
        ("train_y", b"\0" * 7, "image 0 has the label 0"),
    ):
        write(folder, **{name: content})
        assert words in refused(folder)


def test_found_and_listed(folder):
    source = loading.find("stl10")
    assert source.place(folder.parent) == f"not in {folder.parent}"
    write(folder)
    assert source.place(folder.parent) == str(folder)


def test_official_sizes():
    assert Stl10.files.sizes == {
        "train_X.bin": 138_240_000,
        "test_X.bin": 221_184_000,
        "unlabeled_X.bin": 2_764_800_000,
        "train_y.bin": 5_000,
        "test_y.bin": 8_000,
    }


def test_fetched_archives_are_unpacked(folder, tmp_path, monkeypatch):
    import dataclasses
    import hashlib

    write(tmp_path / "packed" / "stl10_binary")
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as tar:
        tar.add(tmp_path / "packed" / "stl10_binary", "stl10_binary")
    path = tmp_path / "mirror.tar.gz"
    path.write_bytes(held.getvalue())
    digest = hashlib.md5(held.getvalue(), usedforsecurity=False).hexdigest()
    archive = dataclasses.replace(Stl10.files.archive, md5=digest)
    monkeypatch.setattr(Stl10, "files", dataclasses.replace(Stl10.files, archive=archive, **SIZES))
    assert fetch.fetch("stl10", folder.parent, url=path.as_uri()) == folder
    assert Stl10.files.complete(folder)
    assert len(loading.load("stl10", folder.parent).train_images) == 11
    (folder / "test_y.bin").write_bytes(b"")
    assert not Stl10.files.complete(folder)


def test_a_hundred_thousand_images_fill_no_memory(folder):
    """A file of the official size, all of it a hole on the disk."""
    write(folder)
    with open(folder / "unlabeled_X.bin", "r+b") as file:
        file.truncate(100_000 * 27_648)
    tracemalloc.start()
    data = loading.load("stl10", folder, images=99_000)
    chosen = np.random.default_rng(0).permutation(len(data.train_images))[:50]
    seen = Framing(crop=64).random_crop(data.train_images[chosen], np.random.default_rng(1))
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert data.train_images.shape == (99_000, 96, 96, 3) and seen.shape == (50, 64, 64, 3)
    assert held < 20e6
