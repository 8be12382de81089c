"""Folders as people have them: each trains, or is refused by one line; what is left out is counted and named."""

import os
import struct
import warnings
import zlib
from collections import Counter

import numpy as np
import pytest
from PIL import Image

import neurosim as ns
from neurosim.data.pictures.decode import FITS, LARGEST, Fitting
from neurosim.data.sources import folder
from neurosim.errors import DataError, DataWarning, NeurosimError


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def noise(seed, shape=(20, 20, 3)):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def picture(path, pixels=None, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(noise(1) if pixels is None else pixels)
    image.save(path, **options)
    return path


def two_classes(root, count=4):
    for kind in ("cat", "dog"):
        for number in range(count):
            picture(root / kind / f"{number}.png", noise(number))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def huge(side=50_000):
    """A file of a few bytes that declares a picture of gigabytes."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(10))) + chunk(b"IEND", b"")


def wide_png(value):
    """A colour picture of 20 x 20 with 16 bits a channel, all of one value."""
    line = b"\x00" + struct.pack(">H", value) * 60
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 20, 20, 16, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(line * 20)) + chunk(b"IEND", b"")


def mixed_sizes(root):
    for number in range(8):
        picture(root / ("cat", "dog")[number % 2] / f"{number}.jpg", noise(number, (17 + 5 * number, 30, 3)))


def flat(root):
    for number in range(8):
        picture(root / f"{number}.png", noise(number))


def one_class(root):
    for number in range(8):
        picture(root / "all" / f"{number}.png", noise(number))


def thumbs(root):
    two_classes(root)
    (root / "cat" / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
    (root / "dog" / ".DS_Store").write_bytes(b"x")
    (root / "__MACOSX" / "cat").mkdir(parents=True)
    (root / "__MACOSX" / "cat" / "._0.png").write_bytes(b"x")
    (root / "README.txt").write_text("hello", encoding="utf-8")


def broken(root):
    two_classes(root)
    whole = picture(root / "dog" / "zz.png", noise(9, (60, 60, 3))).read_bytes()
    (root / "dog" / "zz.png").write_bytes(whole[:60] + bytes(40) + whole[100:])


def sixteen_bits(root):
    two_classes(root)
    picture(root / "cat" / "grey.png", Image.fromarray(np.full((20, 20), 40_000, np.uint16)))
    (root / "dog" / "colour.png").write_bytes(wide_png(40_000))


def cmyk(root):
    two_classes(root)
    picture(root / "cat" / "print.jpg", Image.new("CMYK", (20, 20), (255, 0, 0, 0)), quality=95)


def palette(root):
    two_classes(root)
    image = Image.fromarray(np.ones((20, 20), np.uint8))
    image.putpalette([9, 9, 9, 255, 0, 0])
    picture(root / "cat" / "clear.png", image, transparency=b"\xff\x00")


def turned(root):
    two_classes(root)
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(root / "cat" / "turned.jpg", noise(1, (20, 40, 3)), exif=exif)


def animated(root):
    two_classes(root)
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue", "green")]
    picture(root / "cat" / "film.gif", frames[0], save_all=True, append_images=frames[1:])
    picture(root / "dog" / "two.mpo", frames[0], format="MPO", save_all=True, append_images=frames[1:2])


def truncated(root):
    two_classes(root)
    whole = picture(root / "dog" / "cut.jpg", noise(3, (80, 80, 3))).read_bytes()
    (root / "dog" / "cut.jpg").write_bytes(whole[: len(whole) // 2])


def nested(root):
    for number in range(8):
        picture(root / ("cat", "dog")[number % 2] / "2019" / "a" / "b" / "c" / f"{number}.png", noise(number))


def odd_names(root):
    for kind in (b"caf\xe9", "mit Leerzeichen, 像".encode()):
        folder = os.path.join(os.fsencode(root), kind)
        os.makedirs(folder)
        for number in range(4):
            with open(os.path.join(folder, b"%d \xff\n.png" % number), "wb") as file:
                Image.fromarray(noise(number)).save(file, "PNG")


def loop(root):
    two_classes(root)
    (root / "cat" / "again").symlink_to(root)
    (root / "dog" / "gone.png").symlink_to(root / "nothing")


def zero_bytes(root):
    two_classes(root)
    (root / "cat" / "empty.png").write_bytes(b"")


def renamed(root):
    two_classes(root)
    (root / "cat" / "letter.png").write_text("Dear Sir", encoding="utf-8")


def bomb(root):
    two_classes(root)
    (root / "cat" / "huge.png").write_bytes(huge())
    (root / "dog" / "large.png").write_bytes(huge(12_000))


def unlisted(root):
    two_classes(root)
    os.mkfifo(root / "cat" / "pipe.png")  # reading it would wait for ever


# What is made -> pictures that are read, classes, skipped by reason, broken by name and words of why.
FOLDERS = [
    (mixed_sizes, 8, 2, {}, {}),
    (flat, 8, 0, {}, {}),
    (one_class, 8, 0, {}, {}),
    (thumbs, 8, 2, {"junk": 3, "no picture": 1}, {}),
    (broken, 8, 2, {}, {"dog/zz.png": "cannot be decoded"}),
    (sixteen_bits, 10, 2, {}, {}),
    (cmyk, 9, 2, {}, {}),
    (palette, 9, 2, {}, {}),
    (turned, 9, 2, {}, {}),
    (animated, 10, 2, {}, {}),
    (truncated, 8, 2, {}, {"dog/cut.jpg": "cut short"}),
    (nested, 8, 2, {}, {}),
    (odd_names, 8, 2, {}, {}),
    (loop, 8, 2, {"a link to a folder above it": 1, "a link to nothing": 1}, {}),
    (zero_bytes, 8, 2, {}, {"cat/empty.png": "an empty file"}),
    (renamed, 8, 2, {}, {"cat/letter.png": "no picture"}),
    (bomb, 8, 2, {}, {"cat/huge.png": f"more than {LARGEST:,} pixels", "dog/large.png": "12000 x 12000"}),
    (unlisted, 8, 2, {"no plain file": 1}, {}),
]


@pytest.mark.parametrize(
    ("make", "pictures", "classes", "skipped", "damaged"), FOLDERS, ids=lambda x: getattr(x, "__name__", "")
)
def test_it_trains_and_counts_are_right(make, pictures, classes, skipped, damaged, tmp_path):
    make(tmp_path / "photos")
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        found = folder.gathered(tmp_path / "photos", "mine")
        data, wrong = found.dataset(Fitting(16))
        assert len(data.train_images) + len(data.test_images) == pictures
        assert len(data.classes) == classes and (data.train_labels is None) == (classes == 0)
        assert {reason: len(names) for reason, names in found.skipped.items()} == skipped
        assert list(wrong) == list(damaged) and all(why in wrong[where] for where, why in damaged.items())
        seen = data.train_images.copy()
        trained = ns.Experiment(
            data=f"folder:{tmp_path / 'photos'}",
            size=16,
            network="4 pool, 4 pool",
            batch=2,
            batches=1,
            epochs=1,
            threads=1,
        ).fit()
    np.testing.assert_array_equal(trained.data.train_images, seen)
    assert {each.category for each in warned} == ({DataWarning} if damaged else set())
    assert trained.progress.done == 1 and all(str(each.message).isprintable() for each in warned)


def test_every_trait_of_a_file_is_said(tmp_path):
    for make in (sixteen_bits, cmyk, palette, turned, animated):
        make(tmp_path)
    traits = [trait for facts in folder.gathered(tmp_path, "mine").seen.facts for trait in facts.traits]
    wanted = {
        "more than 8 bits": 2,
        "several frames": 2,
        "palette": 2,
        "grey": 1,
        "CMYK": 1,
        "transparent": 1,
        "turned": 1,
    }
    assert Counter(traits) == wanted


def only(make, root, name):
    """The pixels of one file of a folder."""
    make(root)
    for path in root.glob("*/*"):
        if path.name != name:
            path.unlink()
    for number in range(4):
        picture(root / "cat" / f"{number}.png", noise(number))
    data = folder.load(root, fitting=Fitting(20))
    known = [noise(number) for number in range(4)]
    images = [*data.train_images, *data.test_images]
    return next(image for image in images if not any(np.array_equal(image, one) for one in known))


@pytest.mark.parametrize(
    ("make", "name", "colour"),
    [
        (sixteen_bits, "grey.png", (156, 156, 156)),
        (sixteen_bits, "colour.png", (156, 156, 156)),
        (cmyk, "print.jpg", (0, 255, 255)),
        (palette, "clear.png", (0, 0, 0)),
        (animated, "film.gif", (255, 0, 0)),
        (animated, "two.mpo", (254, 0, 0)),
    ],
)
def test_colours_come_through(make, name, colour, tmp_path):
    found = only(make, tmp_path, name)
    assert np.abs(found.astype(int) - colour).max() <= 3


def test_an_empty_folder_is_refused(tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(DataError, match="photos is empty; expected pictures; put some there"):
        ns.Experiment(data=f"folder:{tmp_path / 'photos'}")


def test_a_folder_of_broken_files_alone_is_refused(tmp_path):
    picture(tmp_path / "a" / "x.png")
    (tmp_path / "a" / "x.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"no picture among 1 file \(a/x.png: an empty file\)"):
        folder.load(tmp_path)


def test_pictures_of_28_with_conv5_name_sizes_and_a_network_that_fit(tmp_path):
    for number in range(8):
        picture(tmp_path / "ab"[number % 2] / f"{number}.png", noise(number, (28, 28, 3)))
    with pytest.raises(NeurosimError) as refused:
        ns.Experiment(data=f"folder:{tmp_path}", network="conv5", batch=2)
    text = str(refused.value)
    assert "rows and columns that 8 divides, as 24 or 32" in text and "write crop=24, or size=32" in text
    named = text.split('network="')[1].rstrip('"')
    for words in ({"crop": 24}, {"size": 32}, {"network": named}):
        given = {"network": "conv5", **words}
        assert ns.Experiment(data=f"folder:{tmp_path}", batch=2, **given).trainer.batches > 0


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("shape", [(40, 20, 3), (20, 40, 3), (5, 9, 3), (1, 300, 3)])
def test_fits(fit, shape, tmp_path):
    """A white picture on red: how much of the result is background says how it was fitted."""
    for number in range(2):
        picture(tmp_path / f"{number}.png", np.full(shape, 255, np.uint8))
    data = folder.load(tmp_path, fitting=Fitting(16, fit, "#ff0000"))
    image = data.train_images[0]
    assert image.shape == (16, 16, 3)
    white = (image == 255).all(axis=-1).mean()
    assert white == 1 if fit != "pad" else white == max(1, round(16 * min(shape[:2]) / max(shape[:2]))) / 16
    assert fit != "pad" or (image == (255, 0, 0)).all(axis=-1).mean() == 1 - white


def test_a_crop_keeps_the_middle(tmp_path):
    pixels = np.zeros((16, 48, 3), np.uint8)
    pixels[:, 16:32] = noise(5, (16, 16, 3))
    for number in range(2):
        picture(tmp_path / f"{number}.png", pixels)
    np.testing.assert_array_equal(folder.load(tmp_path, fitting=Fitting(16)).train_images[0], pixels[:, 16:32])


def test_a_background_that_is_no_colour():
    with pytest.raises(DataError, match="background='reddish'; expected a colour's name or #rrggbb"):
        Fitting(16, "pad", "reddish")


def test_folders_that_are_no_classes(tmp_path):
    two_classes(tmp_path)
    data = ns.Experiment(data=f"folder:{tmp_path}", labelled=False, network="4 pool", batch=2).data
    assert data.train_labels is None and "folders are no classes here" in data.notes[-1]


def test_pictures_without_labels_show_what_is_similar(tmp_path):
    for number in range(30):  # three groups, by brightness
        base = 40 + 80 * (number % 3)
        picture(tmp_path / "photos" / f"{number:02}.png", noise(number, (8, 8, 3)) // 16 + base)
    one = ns.Experiment(data=f"folder:{tmp_path / 'photos'}", network="4 pool", batch=4, epochs=1).fit(tmp_path / "run")
    found = one.similar()
    shade = [images.mean(axis=(1, 2, 3)) // 80 for images in (one.data.test_images, one.data.train_images)]
    assert all(
        (shade[1][near] == shade[0][query]).all()
        for query, near in zip(found.queries, found.nearest[:, :4], strict=True)
    )
    assert sum(found.sizes) == 24 and 0.5 < found.explained <= 1 and 0 <= found.shared <= 1
    assert one.similar().nearest.tolist() == found.nearest.tolist()
    one.write_results(None, found)
    for name in ("nearest.png", "groups.png"):
        with Image.open(tmp_path / "run" / name) as sheet:
            assert sheet.size > (100, 100)
    assert "Similar pictures" in (tmp_path / "run" / "report.html").read_text("utf-8")
    assert one.run.results()["similar"]["group_sizes"] == list(found.sizes)
