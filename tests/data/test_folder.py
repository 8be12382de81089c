"""folder:PATH: the layouts that are read, kinds of pictures, and what is refused."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neurosim.data.sources import folder
from neurosim.errors import DataError

PHOTOS = Path(__file__).parents[3] / "shared" / "photos"


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
    first, wide = tmp_path / "cat" / "000.png", tmp_path / "dog" / "wide.png"
    refused(tmp_path, f"{wide} is 7 x 6 and {first} is 5 x 6", "-resize '5x6!'")


@pytest.mark.parametrize("content", [b"", b"hello", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 5 6\n", "cut", "bad"])
def test_not_a_picture(content, tmp_path):
    fill(tmp_path)
    path = tmp_path / "dog" / "zzz.png"
    if isinstance(content, str):
        picture(path, noise(3, (60, 50, 3)), format="JPEG" if content == "cut" else "PNG")
        data = path.read_bytes()
        content = data[: len(data) // 2] if content == "cut" else data[:60] + bytes(40) + data[100:]
        for number in range(10):
            for kind in ("cat", "dog"):
                picture(tmp_path / kind / f"{number:03}.png", noise(number, (60, 50, 3)))
    path.write_bytes(content)
    refused(tmp_path, path, "is no picture")


def test_unreadable_picture(tmp_path):
    fill(tmp_path)
    os.symlink(tmp_path / "nothing", tmp_path / "dog" / "zzz.png")
    refused(tmp_path, tmp_path / "dog" / "zzz.png", "No such file")


def test_several_frames(tmp_path):
    fill(tmp_path)
    frames = [Image.fromarray(noise(number)) for number in range(3)]
    for ending in ("gif", "webp", "tif", "png"):
        path = tmp_path / "dog" / f"zzz.{ending}"
        frames[0].save(path, save_all=True, append_images=frames[1:])
        refused(tmp_path, path, "has 3 frames")
        path.unlink()


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
    refused(tmp_path, path, "more than 8 bits")


def test_folders_that_cannot_be_used(tmp_path):
    refused(tmp_path / "none", "No such file")
    (tmp_path / "file").write_text("", encoding="utf-8")
    refused(tmp_path / "file", "Not a directory")
    refused(tmp_path, "no class folders", "at least two classes for the read-out")
    fill(tmp_path, kinds=("cat",))
    refused(tmp_path, "one class, 'cat'", "at least two classes for the read-out")
    (tmp_path / "dog").mkdir()
    refused(tmp_path, tmp_path / "dog", "is empty")
    (tmp_path / "dog" / "puppies").mkdir()
    refused(tmp_path, tmp_path / "dog" / "puppies", "is a folder in a class")


def test_train_and_test_that_do_not_fit(tmp_path):
    fill(tmp_path / "train")
    refused(tmp_path, "train but none test", f"name {tmp_path / 'train'} itself")
    fill(tmp_path / "test", kinds=("cat", "cow", "dog"))
    refused(tmp_path, f"{tmp_path / 'train'} has no class cow")
    fill(tmp_path / "train", kinds=("ant", "cat", "cow", "dog"))
    refused(tmp_path, f"{tmp_path / 'test'} has no class ant")


def test_one_picture_a_class_cannot_be_divided(tmp_path):
    fill(tmp_path, count=1)
    refused(tmp_path, "2 images, no two of one kind")


def test_no_memory_is_refused(tmp_path, monkeypatch):
    fill(tmp_path)

    def none_left(*_):
        raise MemoryError

    monkeypatch.setattr(folder.np, "empty", none_left)
    refused(tmp_path, "20 pictures of 5 x 6 take 0.0 GB")


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
