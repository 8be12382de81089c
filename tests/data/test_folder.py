"""folder:PATH: the layouts that are read, kinds of pictures, and what is refused."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neurosim.data.pictures import decode, store
from neurosim.data.pictures.decode import Fitting
from neurosim.data.sources import folder
from neurosim.errors import DataError, DataWarning

PHOTOS = Path(__file__).parents[3] / "shared" / "photos"


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def picture(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


def noise(seed, shape=(6, 5, 3)):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def fill(root, kinds=("cat", "dog"), count=10, first=0):
    """Pictures whose content shows their class and number."""
    for label, kind in enumerate(kinds):
        for number in range(count):
            pixels = noise(first + number)
            pixels[0, 0] = label
            picture(root / kind / f"{number:03}.png", pixels)


def refused(path, *words):
    with pytest.raises(DataError) as caught:
        folder.load(path)
    assert "\n" not in str(caught.value)
    for word in words:
        assert str(word) in str(caught.value)


def test_train_and_test(tmp_path):
    fill(tmp_path / "train")
    fill(tmp_path / "test", count=3, first=100)
    (tmp_path / "val").mkdir()
    data = folder.load(tmp_path)
    assert (data.name, data.classes) == (f"folder:{tmp_path}", ("cat", "dog"))
    assert (data.train_images.shape, data.test_images.shape) == ((20, 6, 5, 3), (6, 6, 5, 3))
    assert data.train_images.dtype == np.uint8 and data.train_labels.dtype == data.test_labels.dtype == np.int64
    np.testing.assert_array_equal(data.train_images[:, 0, 0, 0], data.train_labels)
    np.testing.assert_array_equal(data.test_images[:, 0, 0, 0], data.test_labels)
    np.testing.assert_array_equal(data.test_images[2, 1:], noise(102)[1:])
    assert data.test_names[2] == "test/cat/002.png" and len(set(data.train_names)) == 20
    for name, image, label in zip(data.train_names, data.train_images, data.train_labels, strict=True):
        assert name == f"train/{data.classes[label]}/{name[-7:-4]}.png"
        np.testing.assert_array_equal(image[1:], noise(int(name[-7:-4]))[1:])


def test_one_in_five_is_held_back_always_alike(tmp_path):
    fill(tmp_path)
    one, two = folder.load(tmp_path), folder.load(tmp_path)
    np.testing.assert_array_equal(one.train_images, two.train_images)
    np.testing.assert_array_equal(np.bincount(one.train_labels), [8, 8])
    np.testing.assert_array_equal(np.bincount(one.test_labels), [2, 2])
    for part in ("train", "test"):
        images, labels, names = (getattr(one, f"{part}_{what}") for what in ("images", "labels", "names"))
        for image, label, name in zip(images, labels, names, strict=True):
            assert Path(name).parent.name == one.classes[label]
            np.testing.assert_array_equal(image[1:], noise(int(Path(name).stem))[1:])
    assert len(one.first(3).train_names) == 3 and one.first(3).test_names == one.test_names
    np.testing.assert_array_equal(one.train_images[:, 0, 0, 0], one.train_labels)
    every = {bytes(image) for image in (*one.train_images, *one.test_images)}
    assert len(every) == 20
    assert len(set(one.train_labels[:6])) == 2, "the first few are of all classes"


def test_hidden_names_and_what_is_beside_the_classes(tmp_path):
    fill(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / "cat" / ".DS_Store").write_bytes(b"x")
    (tmp_path / "README.txt").write_text("hello", encoding="utf-8")
    assert len(folder.load(tmp_path).train_images) == 16


@pytest.mark.parametrize("ending", ["png", "jpg", "bmp", "gif", "webp", "tif", "ppm"])
def test_formats(ending, tmp_path):
    pixels = np.full((6, 5, 3), 255, np.uint8)
    fill(tmp_path)
    picture(tmp_path / "cat" / f"a.{ending}", pixels)
    picture(tmp_path / "cat" / f"b.{ending}", pixels)
    data = folder.load(tmp_path)
    whites = sum((image == 255).all() for image in (*data.train_images, *data.test_images))
    assert whites == 2


def every_mode():
    grey = noise(1, (6, 5))
    yield "grey", Image.fromarray(grey), np.repeat(grey[..., None], 3, axis=2)
    with_alpha = noise(2, (6, 5, 4))
    with_alpha[..., 3] = np.where(with_alpha[..., 3] > 127, 255, 0)
    yield "alpha", Image.fromarray(with_alpha), np.where(with_alpha[..., 3:] > 0, with_alpha[..., :3], 0)
    grey_alpha = np.stack([grey, with_alpha[..., 3]], axis=2)
    on_black = np.where(grey_alpha[..., 1:], grey_alpha[..., :1], 0)
    yield "grey with alpha", Image.fromarray(grey_alpha), np.repeat(on_black, 3, 2)
    palette = Image.fromarray(grey // 64)
    palette.putpalette([200, 10, 20, 1, 2, 3, 30, 40, 50, 250, 251, 252])
    yield "palette", palette, np.asarray(palette.convert("RGB"))
    yield "one bit", Image.fromarray(grey > 127), np.repeat(np.where(grey > 127, 255, 0)[..., None], 3, 2)


@pytest.mark.parametrize(("mode", "image", "expected"), list(every_mode()))
def test_every_mode_becomes_rgb(mode, image, expected, tmp_path):
    for kind in ("a", "b"):
        for number in range(2):
            (tmp_path / kind).mkdir(exist_ok=True)
            image.save(tmp_path / kind / f"{number}.png")
    np.testing.assert_array_equal(folder.load(tmp_path).train_images[0], expected)


def test_transparent_palette_is_black(tmp_path):
    fill(tmp_path)
    image = Image.fromarray(np.ones((6, 5), np.uint8))
    image.putpalette([9, 9, 9, 255, 0, 0])
    image.save(tmp_path / "cat" / "clear.png", transparency=b"\xff\x00")
    data = folder.load(tmp_path)
    assert sum(not image.any() for image in (*data.train_images, *data.test_images)) == 1


def test_a_turned_photograph_is_turned_back(tmp_path):
    fill(tmp_path)
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(tmp_path / "cat" / "turned.png", noise(1, (5, 6, 3)), exif=exif)
    assert folder.load(tmp_path).train_images.shape[1:] == (6, 5, 3)


def test_two_sizes_names_both_files(tmp_path):
    fill(tmp_path)
    picture(tmp_path / "dog" / "wide.png", noise(0, (6, 7, 3)))
    refused(tmp_path, "pictures of 2 sizes: cat/000.png is 5 x 6, dog/wide.png is 7 x 6", "write size=32")
    data = folder.load(tmp_path, fitting=Fitting(8))
    assert data.train_images.shape == (17, 8, 8, 3) and data.image_shape == (8, 8, 3)


def deep():
    grey = noise(1, (6, 5)).astype(np.uint16) * 257
    yield "grey png", ".png", lambda path: Image.fromarray(grey).save(path)
    yield "grey tiff", ".tif", lambda path: Image.fromarray(grey).save(path)
    yield "float tiff", ".tif", lambda path: Image.fromarray(grey.astype(np.float32)).save(path)
    yield "colour ppm", ".ppm", lambda path: path.write_bytes(b"P6 5 6 65535\n" + bytes(6 * 5 * 6))
    yield "grey pgm", ".pgm", lambda path: path.write_bytes(b"P5 5 6 65535\n" + bytes(6 * 5 * 2))
    yield "colour png", ".png", colour_png


def colour_png(path):
    import struct
    import zlib

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    lines = b"".join(b"\x00" + bytes(5 * 6) for _ in range(6))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 5, 6, 16, 2, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b""))


@pytest.mark.parametrize(("kind", "ending", "write"), list(deep()))
def test_more_than_8_bits(kind, ending, write, tmp_path):
    fill(tmp_path)
    path = tmp_path / "dog" / f"zzz{ending}"
    write(path)
    if kind == "float tiff":  # its numbers are not in 0 .. 1
        with pytest.warns(DataWarning, match=r"zzz.tif \(floating numbers outside of 0 .. 1"):
            folder.load(tmp_path)
        return
    data = folder.load(tmp_path)
    expected = (
        np.repeat(noise(1, (6, 5))[..., None], 3, axis=2) if kind in ("grey png", "grey tiff") else np.zeros((6, 5, 3))
    )
    assert any(np.array_equal(image, expected) for image in (*data.train_images, *data.test_images))


def test_folders_that_cannot_be_used(tmp_path):
    refused(tmp_path / "none", "No such file")
    (tmp_path / "file").write_text("", encoding="utf-8")
    refused(tmp_path / "file", "Not a directory")
    (tmp_path / "file").unlink()
    refused(tmp_path, "is empty")
    (tmp_path / "dog").mkdir()
    (tmp_path / "dog" / "Thumbs.db").write_bytes(b"x")
    refused(tmp_path, "no picture among 1 file (dog/Thumbs.db: junk)")


def test_train_and_test_that_do_not_fit(tmp_path):
    fill(tmp_path / "train")
    refused(tmp_path, "train but none test", f"name {tmp_path / 'train'} itself")
    fill(tmp_path / "test", kinds=("cat", "cow", "dog"))
    refused(tmp_path, "no picture of the class cow in train")
    fill(tmp_path / "train", kinds=("ant", "cat", "cow", "dog"))
    refused(tmp_path, "no picture of the class ant in test")


def test_layouts_of_torchvision(tmp_path):
    fill(tmp_path / "train")
    fill(tmp_path / "val", count=3, first=100)
    assert len(folder.load(tmp_path).test_images) == 6
    fill(tmp_path / "test", count=2, first=200)
    found = folder.gathered(tmp_path, "mine")
    assert len(found.dataset(Fitting())[0].test_images) == 4
    assert len(found.skipped["beside train and test"]) == 6


def test_one_picture_a_class_cannot_be_divided(tmp_path):
    fill(tmp_path, count=1)
    refused(tmp_path, "2 images, no two of one kind")


def test_the_cache_gives_the_same_pictures_again(tmp_path, monkeypatch):
    fill(tmp_path)
    first = folder.load(tmp_path)
    assert isinstance(first.train_images, np.memmap)
    monkeypatch.setattr(decode, "decode", None)  # nothing is decoded any more
    again = folder.load(tmp_path)
    np.testing.assert_array_equal(first.train_images, again.train_images)
    np.testing.assert_array_equal(first.test_labels, again.test_labels)
    with pytest.raises(TypeError):
        folder.load(tmp_path, fitting=Fitting(8))
    picture(tmp_path / "cat" / "000.png", noise(77))  # another content under the same name
    with pytest.raises(TypeError):
        folder.load(tmp_path)


def test_a_damaged_cache_is_made_again(tmp_path):
    fill(tmp_path)
    first = folder.load(tmp_path).train_images.copy()  # the file under a memory map is damaged below
    for path in store.cache_folder().glob("*.npy"):
        path.write_bytes(path.read_bytes()[:100])
    np.testing.assert_array_equal(folder.load(tmp_path).train_images, first)
    for path in store.cache_folder().glob("*.json"):
        path.write_text("{}", encoding="utf-8")
    np.testing.assert_array_equal(folder.load(tmp_path).train_images, first)
    assert {path.suffix for path in store.cache_folder().iterdir()} == {".npy", ".json"}, "nothing else is left there"


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch):
    fill(tmp_path / "pictures")
    first = folder.load(tmp_path / "pictures")
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    data = folder.load(tmp_path / "pictures")
    assert not isinstance(data.train_images, np.memmap) and "cannot be written (Not a directory)" in data.notes[-1]
    np.testing.assert_array_equal(data.train_images, first.train_images)

    def none_left(*_):
        raise MemoryError

    monkeypatch.setattr(store.np, "empty", none_left)
    refused(tmp_path / "pictures", "20 pictures of 5 x 6 take 0.0 GB")


def test_a_full_disk_is_said(tmp_path, monkeypatch):
    fill(tmp_path)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.os, "posix_fallocate", full)
    assert "cannot be written (No space left on device)" in folder.load(tmp_path).notes[-1]


def test_pictures_larger_than_memory_are_streamed(tmp_path, monkeypatch):
    """Of the pictures no more than a block is held: what is allocated does not grow with them."""
    monkeypatch.setattr(store, "_BLOCK", 8)
    peaks = []
    for count in (20, 160):
        rng = np.random.default_rng(count)
        for number in range(count):
            picture(tmp_path / str(count) / "ab"[number % 2] / f"{number}.png", rng.integers(0, 9, (8, 8, 3), np.uint8))
        tracemalloc.start()
        data = folder.load(tmp_path / str(count), fitting=Fitting(192))
        assert len(data.train_images) == count * 4 // 5
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 140 * 192 * 192 * 3 // 8


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the photographs are not beside this checkout")
def test_photographs(tmp_path):
    import zipfile

    with zipfile.ZipFile(PHOTOS / "cifar10-test.zip") as archive:
        for name in archive.namelist()[::50]:
            archive.extract(name, tmp_path)
    data = folder.load(tmp_path)
    assert data.train_images.shape == (160, 32, 32, 3) and data.test_images.shape == (40, 32, 32, 3)
    assert len(data.classes) == 10 and data.classes[3] == "cat"
    np.testing.assert_array_equal(np.bincount(data.test_labels), [4] * 10)
    assert 60 < data.train_images.mean() < 180
