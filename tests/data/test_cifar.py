"""CIFAR in both layouts: read right, and refused in one line where a file is not what it should be."""

import dataclasses
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from neurosim.data.sources import loading
from neurosim.data.sources.cifar10 import Cifar10
from neurosim.data.sources.cifar100 import Cifar100
from neurosim.errors import DataError

KINDS = {"cifar10": Cifar10, "cifar100": Cifar100}
PHOTOS = Path(__file__).parents[3] / "shared" / "photos"


@pytest.fixture(autouse=True)
def few_rows(request, monkeypatch):
    """Files of 3 training and 2 test images, so that a test writes little."""
    if "whole" not in request.fixturenames:
        for kind in KINDS.values():
            monkeypatch.setattr(kind, "files", dataclasses.replace(kind.files, train_rows=3, test_rows=2))


@pytest.fixture
def whole():
    """Asks for the files' real sizes."""


def rows(name):
    """Every file's labels ``(sample, label byte)`` and images ``(sample, row, column, channel)``."""
    layout, rng = KINDS[name].files, np.random.default_rng(5)
    return {
        file: (
            np.stack([rng.integers(0, limit, count) for limit in layout.limits], axis=1),
            rng.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8),
        )
        for file, count in layout.rows.items()
    }


def planes(images):
    return images.transpose(0, 3, 1, 2).reshape(len(images), -1)


def write_binary(name, root):
    layout, made = KINDS[name].files, rows(name)
    folder = root / layout.binary
    folder.mkdir(parents=True)
    for file, (labels, images) in made.items():
        np.concatenate([labels.astype(np.uint8), planes(images)], axis=1).tofile(folder / f"{file}.bin")
    return folder, made


def text2(text):
    return b"U" + struct.pack("<B", len(text)) + text


def python2(data, key, labels, by_column=False):
    """A batch as Python 2 and an early numpy pickled it."""
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n"
        + b"cnumpy\nndarray\n"
        + b"K\x00\x85"
        + text2(b"b")
        + b"\x87R"
        + b"(K\x01"
        + b"M"
        + struct.pack("<H", data.shape[0])
        + b"M"
        + struct.pack("<H", data.shape[1])
        + b"\x86"
        + b"cnumpy\ndtype\n"
        + text2(b"u1")
        + b"K\x00K\x01\x87R"
        + b"(K\x03"
        + text2(b"|")
        + b"NNN"
        + 2 * (b"J" + struct.pack("<i", -1))
        + b"K\x00tb"
        + (b"\x88" if by_column else b"\x89")
        + b"T"
        + struct.pack("<i", data.size)
        + data.tobytes(order="F" if by_column else "C")
        + b"tb"
    )
    numbers = b"](" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    return b"\x80\x02}(" + text2(b"data") + array + text2(key.encode()) + numbers + b"u."


def write_python(name, root, dump):
    layout, made = KINDS[name].files, rows(name)
    folder = root / layout.python
    folder.mkdir(parents=True)
    for file, (labels, images) in made.items():
        (folder / file).write_bytes(dump(planes(images), layout.labels, [int(label) for label in labels[:, -1]]))
    return folder, made


DUMPS = {
    "python 2": python2,
    "python 2, by column": lambda data, key, labels: python2(data, key, labels, by_column=True),
    **{
        f"python 3, protocol {number}": lambda data, key, labels, number=number: pickle.dumps(
            {b"data": data, key.encode(): labels, b"batch_label": b"testing"}, number
        )
        for number in (2, 4)
    },
}


def check(name, data, made):
    layout = KINDS[name].files
    images = np.concatenate([made[file][1] for file in layout.train])
    labels = np.concatenate([made[file][0][:, -1] for file in layout.train])
    np.testing.assert_array_equal(data.train_images, images)
    np.testing.assert_array_equal(data.train_labels, labels)
    np.testing.assert_array_equal(data.test_images, made[layout.test][1])
    np.testing.assert_array_equal(data.test_labels, made[layout.test][0][:, -1])
    assert data.train_images.dtype == data.test_images.dtype == np.uint8
    assert data.train_labels.dtype == data.test_labels.dtype == np.int64
    assert data.train_images.flags.c_contiguous and data.test_images.flags.c_contiguous
    assert data.name == name


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("name", KINDS)
def test_binary_layout(name, inside, tmp_path):
    folder, made = write_binary(name, tmp_path)
    data = loading.load(name, folder if inside else tmp_path)
    check(name, data, made)
    assert data.classes == KINDS[name].files.classes


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("dump", DUMPS)
@pytest.mark.parametrize("name", KINDS)
def test_python_layout(name, dump, inside, tmp_path):
    folder, made = write_python(name, tmp_path, DUMPS[dump])
    check(name, loading.load(name, folder if inside else tmp_path), made)


def test_names_of_numpy_1_and_2_read_alike(tmp_path):
    folder, made = write_python("cifar10", tmp_path, python2)
    for file in made:
        data = (folder / file).read_bytes()
        (folder / file).write_bytes(data.replace(b"numpy.core.multiarray", b"numpy._core.multiarray"))
    check("cifar10", loading.load("cifar10", tmp_path), made)


@pytest.mark.parametrize("name", KINDS)
def test_class_names_of_either_layout(name, tmp_path):
    layout = KINDS[name].files
    names = tuple(f"kind {number}" for number in range(len(layout.classes)))
    folder, _ = write_binary(name, tmp_path / "binary")
    (folder / layout.names[0]).write_text("\n".join(names) + "\n\n", encoding="utf-8")
    assert loading.load(name, folder).classes == names
    folder, _ = write_python(name, tmp_path / "python", python2)
    (folder / layout.names[1]).write_bytes(pickle.dumps({layout.names[2].encode(): [one.encode() for one in names]}, 2))
    assert loading.load(name, folder).classes == names
    (folder / layout.names[1]).write_bytes(pickle.dumps({layout.names[2]: list(names)}, 4))
    assert loading.load(name, folder).classes == names


def test_wrong_number_of_class_names(tmp_path):
    folder, _ = write_binary("cifar10", tmp_path)
    (folder / "batches.meta.txt").write_text("cat\ndog\n", encoding="utf-8")
    refused("cifar10", tmp_path, "2 class names; expected 10")
    (tmp_path / "python").mkdir()
    folder, _ = write_python("cifar10", tmp_path / "python", python2)
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": 7}, 2))
    refused("cifar10", folder, "0 class names; expected 10")


def refused(name, data_dir, *words):
    with pytest.raises(DataError) as caught:
        loading.load(name, data_dir)
    text = str(caught.value)
    assert "\n" not in text
    for word in words:
        assert word in text
    return text


def test_absent_says_where_it_looked(tmp_path):
    refused("cifar10", tmp_path / "no where", str(tmp_path / "no where"), "neurosim data fetch cifar10 --data-dir '")
    (tmp_path / "cifar-10-batches-bin").mkdir()
    refused("cifar10", tmp_path, "cifar-10-batches-py")


@pytest.mark.parametrize("archive", ["cifar-10-binary.tar.gz", "cifar-10-python.tar.gz"])
def test_archive_that_is_not_extracted(archive, tmp_path):
    (tmp_path / archive).write_bytes(b"")
    refused("cifar10", tmp_path, archive, "not extracted", "tar -xzf")


def test_other_set_is_not_taken_for_it(tmp_path):
    folder, _ = write_binary("cifar100", tmp_path)
    refused("cifar10", folder, "no cifar10 in")


@pytest.mark.parametrize("damage", ["missing", "shorter", "longer", "empty"])
def test_binary_file_of_another_size(damage, tmp_path):
    folder, _ = write_binary("cifar10", tmp_path)
    path = folder / "data_batch_3.bin"
    data = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes({"shorter": data[:-1], "longer": data + data[:3073], "empty": b""}[damage])
    refused("cifar10", tmp_path, "data_batch_3.bin", "expected 9219 bytes (3 images of 3073)", str(tmp_path))


@pytest.mark.parametrize(
    ("name", "column", "label", "limit"),
    [
        ("cifar10", 0, 10, 9),
        ("cifar100", 0, 20, 19),
        ("cifar100", 1, 100, 99),
    ],
)
def test_mislabelled_binary(name, column, label, limit, tmp_path):
    folder, _ = write_binary(name, tmp_path)
    path = folder / f"{KINDS[name].files.test}.bin"
    data = bytearray(path.read_bytes())
    data[len(data) // 2 + column] = label
    path.write_bytes(data)
    refused(name, tmp_path, f"image 1 has the label {label}", f"labels 0 to {limit}")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([0, 10, 0], "image 1 has the label 10"),
        ([0, 0, -4], "image 2 has the label -4"),
        ([0, 0, 10**5000], "image 2 has the label"),
        ([0, 0], "2 labels; expected 3"),
        ([0, 0, True], "3 labels; expected 3 whole numbers"),
        ([0, 0, "cat"], "3 labels; expected 3 whole numbers"),
        ("abc", "no list labels"),
    ],
)
def test_mislabelled_python(labels, words, tmp_path):
    folder, _ = write_python("cifar10", tmp_path, python2)
    data = np.zeros((3, 3072), np.uint8)
    (folder / "data_batch_2").write_bytes(pickle.dumps({"data": data, "labels": labels}, 2))
    refused("cifar10", tmp_path, "data_batch_2", words)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"data": np.zeros((2, 3072), np.uint8), "labels": [0, 0]}, "an array (2, 3072)"),
        ({"data": [1, 2, 3], "labels": [0, 0, 0]}, "no array as data"),
        ({"labels": [0, 0, 0]}, "no array as data"),
        ({"data": np.zeros((3, 3072), np.float32), "labels": [0, 0, 0]}, "not of unsigned bytes"),
        ([1, 2], "a list instead of a dictionary"),
    ],
)
def test_python_file_of_other_content(content, words, tmp_path):
    folder, _ = write_python("cifar10", tmp_path, python2)
    (folder / "data_batch_1").write_bytes(pickle.dumps(content, 2))
    refused("cifar10", tmp_path, "data_batch_1", words)


def test_python_file_missing_or_cut_or_nonsense(tmp_path):
    folder, _ = write_python("cifar10", tmp_path, python2)
    path = folder / "data_batch_1"
    data = path.read_bytes()
    for cut in (0, 1, 40, 5000, len(data) - 1):
        path.write_bytes(data[:cut])
        refused("cifar10", tmp_path, "data_batch_1", "is no pickled batch")
    path.write_bytes(b"\x00\xff not a pickle")
    refused("cifar10", tmp_path, "is no pickled batch")
    path.unlink()
    refused("cifar10", tmp_path, "data_batch_1", "cannot be read")


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the photographs are not beside this checkout")
def test_photographs_at_full_size(whole, tmp_path):
    import io
    import zipfile

    from PIL import Image

    layout = KINDS["cifar10"].files
    folder = tmp_path / layout.binary
    folder.mkdir()
    for file, count in layout.rows.items():
        with open(folder / f"{file}.bin", "wb") as empty:
            empty.truncate(count * layout.row_bytes)
    with zipfile.ZipFile(PHOTOS / "cifar10-test.zip") as archive:
        name = archive.namelist()[7]
        pixels = np.asarray(Image.open(io.BytesIO(archive.read(name))).convert("RGB"))
    row = np.concatenate([[layout.classes.index(name.split("/")[0])], pixels.transpose(2, 0, 1).ravel()])
    with open(folder / "test_batch.bin", "r+b") as file:
        file.seek(9_999 * layout.row_bytes)
        file.write(row.astype(np.uint8).tobytes())
    data = loading.load("cifar10", tmp_path)
    assert data.train_images.shape == (50_000, 32, 32, 3) and data.test_images.shape == (10_000, 32, 32, 3)
    np.testing.assert_array_equal(data.test_images[-1], pixels)
    assert data.test_labels[-1] == row[0]
