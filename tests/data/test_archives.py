"""Sources of other people's formats: each reads a file that the format's own library wrote, or one written by its definition."""

import gzip
import io
import json
import struct
import tarfile

import numpy as np
import pytest
from PIL import Image

import neurosim as ns
from neurosim.data.sources import loading
from neurosim.data.sources.parquet import _Table
from neurosim.errors import DataError

IMAGES = np.random.default_rng(1).integers(0, 256, (20, 12, 12, 3), dtype=np.uint8)
LABELS = np.arange(20) % 2


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def png(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def idx(array):
    kind = {np.dtype(np.uint8): 8, np.dtype(">i4"): 0x0C}[array.dtype]
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, kind, array.ndim, *array.shape) + array.tobytes()


def same(data, images=IMAGES, labels=LABELS):
    """Every picture is there once, with its label."""
    known = {image.tobytes(): str(label) for image, label in zip(images, labels, strict=True)}
    pairs = [
        (image.tobytes(), data.classes[label])
        for part in ("train", "test")
        for image, label in zip(getattr(data, f"{part}_images"), getattr(data, f"{part}_labels"), strict=True)
    ]
    assert dict(pairs) == known and len(pairs) == len(known)


def trains(name, **given):
    given = {"network": "4 pool, 4 pool", "batch": 2, "batches": 1, "epochs": 1, "threads": 1, **given}
    assert ns.Experiment(data=name, **given).fit().progress.done == 1


def refused(name, *words, **given):
    with pytest.raises(DataError) as caught:
        loading.load(name, **given)
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize("packed", [False, True])
def test_idx(packed, tmp_path):
    grey = IMAGES[..., 0]
    ending, write = (".gz", gzip.compress) if packed else ("", bytes)
    for before, part in (("train", slice(0, 14)), ("t10k", slice(14, 20))):
        (tmp_path / f"{before}-images-idx3-ubyte{ending}").write_bytes(write(idx(grey[part])))
        (tmp_path / f"{before}-labels-idx1-ubyte{ending}").write_bytes(write(idx(LABELS[part].astype(np.uint8))))
    data = loading.load(f"idx:{tmp_path}")
    np.testing.assert_array_equal(data.train_images, np.repeat(grey[:14, ..., None], 3, axis=3))
    np.testing.assert_array_equal(data.test_labels, LABELS[14:])
    assert loading.load(f"idx:{tmp_path}", size=16).image_shape == (16, 16, 3)
    trains(f"idx:{tmp_path}", size=16)


def test_idx_that_is_none(tmp_path):
    refused(f"idx:{tmp_path}", "has no training images")
    refused(f"idx:{tmp_path / 'x'}", "No such file")
    path = tmp_path / "train-images-idx3-ubyte"
    for content, words in ((b"hello", "is no idx file"), (idx(IMAGES[..., 0])[:-1], "those of 20 x 12 x 12 values")):
        path.write_bytes(content)
        refused(f"idx:{tmp_path}", words)
    path.write_bytes(gzip.compress(idx(IMAGES[..., 0]))[:50])
    refused(f"idx:{tmp_path}", "cannot be read")


def test_idx_of_other_types(tmp_path):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(IMAGES[..., 0]))
    (tmp_path / "train-labels-idx1-int").write_bytes(idx(LABELS.astype(">i4")))
    data = loading.load(f"idx:{tmp_path}")
    same(data, np.repeat(IMAGES[..., :1], 3, axis=3))


def test_mat(tmp_path):
    from scipy.io import savemat

    for split, part in (("train", slice(0, 14)), ("test", slice(14, 20))):
        inside = {"X": np.moveaxis(IMAGES[part], 0, -1), "y": (LABELS[part] + 1)[:, None].astype(np.uint8)}
        savemat(tmp_path / f"{split}_32x32.mat", inside)
    data = loading.load(f"mat:{tmp_path}")
    np.testing.assert_array_equal(data.train_images, IMAGES[:14])
    np.testing.assert_array_equal(data.test_labels, LABELS[14:])
    assert data.classes == ("1", "2")
    same(loading.load(f"mat:{tmp_path / 'train_32x32.mat'}"), IMAGES[:14], LABELS[:14] + 1)
    trains(f"mat:{tmp_path}", size=8)
    refused(f"mat:{tmp_path / 'none.mat'}", "no file")
    (tmp_path / "bad.mat").write_bytes(b"hello" * 100)
    refused(f"mat:{tmp_path / 'bad.mat'}", "cannot be read")
    savemat(tmp_path / "other.mat", {"Z": np.zeros(3)})
    refused(f"mat:{tmp_path / 'other.mat'}", "has no X")
    (tmp_path / "test_32x32.mat").unlink()
    refused(f"mat:{tmp_path}", "has no test*.mat")


def shard(path, numbers, label="cls", **more):
    with tarfile.open(path, "w") as tar:
        for number in numbers:
            members = {"png": png(IMAGES[number]), **{ending.replace("_", "."): text for ending, text in more.items()}}
            if label == "cls":
                members["cls"] = str(LABELS[number]).encode()
            if label == "json":
                members["json"] = json.dumps({"label": int(LABELS[number])}).encode()
            for ending, content in members.items():
                entry = tarfile.TarInfo(f"some/{number:05}.{ending}")
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))


@pytest.mark.parametrize("label", ["cls", "json"])
def test_webdataset(label, tmp_path):
    for number in range(2):
        shard(tmp_path / f"{number:06}.tar", range(10 * number, 10 * number + 10), label, caption_txt=b"hello")
    data = loading.load(f"webdataset:{tmp_path}")
    same(data)
    assert data.classes == ("0", "1") and "20 no picture" in data.notes[0]
    assert len(loading.load(f"webdataset:{tmp_path}/*1.tar").train_images) == 8
    trains(f"webdataset:{tmp_path}", size=8)


def test_webdataset_of_splits_and_of_none(tmp_path):
    shard(tmp_path / "train-0.tar", range(14))
    shard(tmp_path / "val-0.tar", range(14, 20))
    data = loading.load(f"webdataset:{tmp_path}")
    assert len(data.train_images) == 14
    same(data)
    shard(tmp_path / "only.tar", range(6), label="")
    assert loading.load(f"webdataset:{tmp_path}/only.tar").train_labels is None
    refused(f"webdataset:{tmp_path}/none*", "no shards")
    (tmp_path / "train-0.tar").write_bytes(b"hello" * 200)
    refused(f"webdataset:{tmp_path}", "cannot be read")


def test_webdataset_as_its_library_writes_it(tmp_path):
    webdataset = pytest.importorskip("webdataset", reason="the extra test is not installed")
    with webdataset.TarWriter(str(tmp_path / "train-0.tar")) as out:
        for number in range(20):
            out.write({"__key__": f"{number:05}", "png": png(IMAGES[number]), "cls": int(LABELS[number])})
    same(loading.load(f"webdataset:{tmp_path}"))


def test_parquet(tmp_path):
    arrow = pytest.importorskip("pyarrow", reason="the extra data is not installed")
    from pyarrow import parquet

    pictures = [{"bytes": png(image), "path": None} for image in IMAGES]
    parquet.write_table(
        arrow.table({"image": pictures, "label": LABELS.tolist()}), tmp_path / "a.parquet", row_group_size=6
    )
    same(loading.load(f"parquet:{tmp_path}"))
    parquet.write_table(arrow.table({"img": [each["bytes"] for each in pictures]}), tmp_path / "b.parquet")
    assert loading.load(f"parquet:{tmp_path / 'b.parquet'}").train_labels is None
    trains(f"parquet:{tmp_path / 'a.parquet'}", size=8)
    table = _Table(tmp_path / "a.parquet")
    table.starts = [0]  # as a damaged file may say
    with pytest.raises(OSError, match="fewer rows than the file says"):
        table.open(6)
    parquet.write_table(arrow.table({"x": [1]}), tmp_path / "c.parquet")
    refused(f"parquet:{tmp_path / 'c.parquet'}", "has the columns x")
    (tmp_path / "d.parquet").write_bytes(b"hello")
    refused(f"parquet:{tmp_path / 'd.parquet'}", "cannot be read")
    refused(f"parquet:{tmp_path / 'none'}", "no parquet files")


@pytest.mark.filterwarnings("ignore")  # of the library's own
def test_huggingface(tmp_path):
    datasets = pytest.importorskip("datasets", reason="the extra data is not installed")
    kinds = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["no", "yes"])})
    rows = {"image": [{"bytes": png(image), "path": None} for image in IMAGES], "label": LABELS.tolist()}
    every = datasets.Dataset.from_dict(rows, features=kinds)
    every.save_to_disk(str(tmp_path / "one"))
    data = loading.load(f"huggingface:{tmp_path / 'one'}")
    assert data.classes == ("no", "yes")
    same(data, labels=["no", "yes"] * 10)
    parts = {"train": every.select(range(14)), "validation": every.select(range(14, 20))}
    datasets.DatasetDict(parts).save_to_disk(str(tmp_path / "two"))
    data = loading.load(f"huggingface:{tmp_path / 'two'}")
    assert len(data.train_images) == 14
    same(data, labels=["no", "yes"] * 10)
    refused(f"huggingface:{tmp_path / 'none'}", "cannot be read")


@pytest.mark.parametrize(("name", "library"), [("parquet:x.parquet", "pyarrow"), ("huggingface:x", "datasets")])
def test_a_library_that_is_not_there_is_named(name, library, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.parquet").write_bytes(b"")
    monkeypatch.setitem(__import__("sys").modules, library, None)
    refused(name, f"needs {library}, which is not installed", "neurosim[data]")
