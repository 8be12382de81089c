"""FILE.npz: what is read, how it is divided, and what is refused."""

import numpy as np
import pytest

from neurosim.data.sources import npz
from neurosim.errors import DataError

RNG = np.random.default_rng(8)
IMAGES = RNG.integers(0, 256, (20, 6, 5, 3), dtype=np.uint8)
LABELS = np.array([7, -2] * 10)


@pytest.fixture
def write(tmp_path):
    def write(**content):
        np.savez(tmp_path / "set.npz", **content)
        return tmp_path / "set.npz"

    return write


def refused(path, *words):
    with pytest.raises(DataError) as caught:
        npz.load(path)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_all_four_arrays(write):
    path = write(images=IMAGES, labels=LABELS, test_images=IMAGES[:4], test_labels=LABELS[:4].astype(np.uint8) * 0 + 7)
    data = npz.load(path, "mine.npz")
    np.testing.assert_array_equal(data.train_images, IMAGES)
    np.testing.assert_array_equal(data.test_images, IMAGES[:4])
    np.testing.assert_array_equal(data.train_labels, [1, 0] * 10)
    np.testing.assert_array_equal(data.test_labels, [1] * 4)
    assert (data.classes, data.name) == (("-2", "7"), "mine.npz")
    assert data.train_labels.dtype == data.test_labels.dtype == np.int64


def test_one_in_five_of_each_kind_is_held_back(write):
    path = write(images=IMAGES, labels=LABELS)
    one, two = npz.load(path), npz.load(path)
    assert (len(one.train_images), len(one.test_images)) == (16, 4)
    np.testing.assert_array_equal(np.bincount(one.test_labels), [2, 2])
    np.testing.assert_array_equal(one.train_images, two.train_images)
    every = np.concatenate([one.train_images, one.test_images])
    assert sorted(map(bytes, every)) == sorted(map(bytes, IMAGES))
    for images, labels in ((one.train_images, one.train_labels), (one.test_images, one.test_labels)):
        for image, label in zip(images, labels, strict=True):
            index = next(index for index in range(20) if (IMAGES[index] == image).all())
            assert one.classes[label] == str(LABELS[index])


def test_without_labels(write):
    data = npz.load(write(images=IMAGES))
    assert (len(data.train_images), len(data.test_images)) == (16, 4)
    assert (data.train_labels, data.test_labels, data.classes) == (None, None, ())


def test_divide_is_in_order_and_keeps_every_kind():
    train, test = npz.divide("x", 7, np.array([0, 0, 1, 1, 1, 2, 1]))
    assert sorted([*train, *test]) == list(range(7))
    assert sorted(train) == list(train) and sorted(test) == list(test)
    assert 5 in train and set(test) & {0, 1} and set(test) & {2, 3, 4, 6}


@pytest.mark.parametrize("images", [IMAGES[..., 0], IMAGES[..., :1]])
def test_grey_images_get_three_equal_channels(images, write):
    data = npz.load(write(images=images, test_images=images))
    for channel in range(3):
        np.testing.assert_array_equal(data.train_images[..., channel], IMAGES[..., 0])
    assert data.train_images.flags.c_contiguous


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_fractions_become_bytes(dtype, write):
    data = npz.load(write(images=(IMAGES / 255).astype(dtype), test_images=IMAGES))
    np.testing.assert_array_equal(data.train_images, IMAGES)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (IMAGES / 254.0, "0 .. 1"),
        (IMAGES - 0.5 * (IMAGES > 3), "divide them by 255"),
        (IMAGES.astype(np.uint16) * 257, "(images // 257).astype(np.uint8)"),
        (IMAGES.astype(np.int64) - 1, "int64"),
        (IMAGES / 255 - 0.5, "scale them"),
        (np.where(IMAGES > 250, np.nan, 0.5), "not finite"),
        (np.where(IMAGES > 250, np.inf, 0.5), "not finite"),
        (IMAGES > 3, "bool"),
        (IMAGES.astype(complex), "complex128"),
        (IMAGES.astype("U"), "<U3"),
        (IMAGES.transpose(0, 3, 1, 2), "images.transpose(0, 2, 3, 1)"),
        (np.zeros((3, 4, 4, 4), np.uint8), "(3, 4, 4, 4)"),
        (IMAGES[0, 0], "(5, 3)"),
        (np.uint8(3), "()"),
        (IMAGES[:0], "is empty"),
        (IMAGES[:, :0], "is empty"),
        (IMAGES[:1], "1 image,"),
    ],
)
def test_images_that_cannot_be_used(images, words, write):
    refused(write(images=images), "set.npz", words)


@pytest.mark.parametrize("dtype", [np.int64, np.uint16, ">i4", np.float32, np.float64])
def test_whole_numbers_up_to_255_are_bytes(dtype, write):
    data = npz.load(write(images=IMAGES.astype(dtype), test_images=IMAGES))
    np.testing.assert_array_equal(data.train_images, IMAGES)


def test_labels_as_people_have_them(write):
    wanted = npz.load(write(images=IMAGES, labels=LABELS))
    values, places = np.unique(LABELS, return_inverse=True)
    one_hot = np.eye(len(values))[places]
    for labels in (LABELS[:, None], LABELS * 1.0, one_hot, one_hot.astype(np.uint8), one_hot > 0):
        np.testing.assert_array_equal(npz.load(write(images=IMAGES, labels=labels)).train_labels, wanted.train_labels)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (LABELS[:-1], "(19,)"),
        (np.stack([LABELS, LABELS], 1), "(20, 2)"),
        (LABELS + 0.5, "float64"),
        (LABELS.astype(str), "np.unique"),
        (LABELS > 0, "bool"),
        (LABELS * 0, "at least two classes"),
        (np.arange(20), "no two of one kind"),
    ],
)
def test_labels_that_cannot_be_used(labels, words, write):
    refused(write(images=IMAGES, labels=labels), "set.npz", words)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"test_images": IMAGES}, "no array 'images'"),
        ({}, "no array 'images'"),
        ({"images": IMAGES, "test_image": IMAGES}, "name it test_images"),
        ({"images": IMAGES, "x": IMAGES}, "leave it out"),
        ({"images": IMAGES, "test_images": IMAGES[:, :-1]}, "images are 6x5, test_images 5x5"),
        ({"images": IMAGES, "labels": LABELS, "test_images": IMAGES}, "labels without test_labels"),
        ({"images": IMAGES, "test_images": IMAGES, "test_labels": LABELS}, "test_labels without labels"),
        ({"images": IMAGES, "labels": LABELS, "test_labels": LABELS}, "test_labels without test_images"),
        ({"images": IMAGES, "labels": LABELS, "test_images": IMAGES, "test_labels": LABELS + 1}, "the test label -1"),
    ],
)
def test_arrays_that_do_not_belong_together(content, words, write):
    refused(write(**content), "set.npz", words)


def test_files_that_are_no_archive(write, tmp_path):
    path = write(images=IMAGES)
    data = path.read_bytes()
    refused(tmp_path / "none.npz", "no file")
    refused(tmp_path, "a folder, no plain file")
    for content in (b"", b"PK", data[:-30], data[:100], b"x" * 1000):
        path.write_bytes(content)
        refused(path, "cannot be read")
    path.write_bytes(data[:300] + bytes([data[300] ^ 1]) + data[301:])
    refused(path, "cannot be read")
    np.save(tmp_path / "one.npy", IMAGES)
    path.write_bytes((tmp_path / "one.npy").read_bytes())
    refused(path, "cannot be read")


def test_members_that_are_no_arrays(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "set.npz", "w") as archive:
        archive.writestr("images", b"hello")
    refused(tmp_path / "set.npz", "reading magic string")


def test_objects_are_not_unpickled(write, tmp_path):
    class Runs:
        def __reduce__(self):
            return (open, (str(tmp_path / "mark"), "w"))

    refused(write(images=np.array([Runs()], dtype=object)), "cannot be read")
    assert not (tmp_path / "mark").exists()
