"""encode: which layers, the same bits whatever comes at once, every kind of file, order and names, what is refused."""

import csv
import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from neurosim.cli.main import main
from PIL import Image

import neurosim as ns
from neurosim.data.dataset import Dataset
from neurosim.errors import NeurosimError
from neurosim.readout import encoding

TINY = {"network": "4 hardtanh, 6 pool", "batch": 10, "epochs": 1, "lags": 5, "layer_rates": (1, 1)}


def noise(count, seed=0, shape=(8, 8, 3)):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape)).astype(np.uint8)


@pytest.fixture(scope="module")
def data():
    """More pictures than the encoder shows at once, so that a group is cut."""
    images, tests = noise(150), noise(10, 1)
    return Dataset("mine", images, np.arange(150) % 3, tests, np.arange(10) % 3, tuple("abc"))


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    """A trained run's folder."""
    experiment = ns.Experiment(data=data, **TINY).fit()
    path = tmp_path_factory.mktemp("runs") / "a"
    experiment.save(path)
    return path


@pytest.fixture(scope="module")
def experiment(run, data):
    return ns.load(run, data=data)


def opened(path):
    """All arrays of an archive."""
    with np.load(path) as file:
        return dict(file)


def test_layers_by_number_by_name_and_together(experiment, data):
    images = data.train_images[:5]
    by_number = experiment.encode(images, "all")
    assert list(by_number) == [1, 2] and by_number[1].shape == (5, 64) and by_number[2].shape == (5, 96)
    for number in (1, 2):
        np.testing.assert_array_equal(experiment.encode(images, number), by_number[number])
        np.testing.assert_array_equal(experiment.encode(images, (2, 1))[number], by_number[number])
        np.testing.assert_array_equal(experiment.encode(images, str(number)), by_number[number])
    np.testing.assert_array_equal(experiment.encode(images, "together"), np.hstack([by_number[1], by_number[2]]))
    np.testing.assert_array_equal(experiment.encode(images), by_number[2])
    assert experiment.encode(images[:0], "all")[1].shape == (0, 64)


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (3, "layer 3; expected 1 to 2"),
        ("0", "layer 0; expected 1 to 2"),
        ("top", "layer 'top'; expected a number from 1 to 2, several with commas between, all or together"),
        ("1,1", "layers 1, 1; expected one or more, each once"),
        ((), "layers (); expected one or more"),
        (1.5, "layer 1.5; expected 1 to 2"),
    ],
)
def test_no_such_layer(experiment, data, layer, words):
    with pytest.raises(NeurosimError, match=words.replace("(", r"\(").replace(")", r"\)")):
        experiment.encode(data.train_images[:2], layer)


def test_together_needs_a_layer_that_learned(data):
    untouched = ns.Experiment(data=data, **TINY)
    with pytest.raises(NeurosimError, match="no layer learned"):
        untouched.encode(data.train_images[:2], "together")


@pytest.mark.parametrize("sizes", [[150], [1] * 150, [7, 0, 120, 23], [128, 22]])
def test_groups_do_not_depend_on_what_comes_at_once(sizes, data):
    parts = np.split(data.train_images, np.cumsum(sizes)[:-1])
    groups = list(encoding.regroup(parts, 32))
    assert [len(group) for group in groups] == [32] * 4 + [22]
    np.testing.assert_array_equal(np.concatenate(groups), data.train_images)


def test_of_several_frames_the_first():
    (group,) = encoding.regroup([np.stack([noise(3), noise(3, 1)], axis=1)], 8)
    np.testing.assert_array_equal(group, noise(3))


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("ending", ["npz", "npy", "csv", "parquet"])
def test_every_file_holds_the_same_numbers(experiment, data, ending, dtype, tmp_path):
    path = tmp_path / f"f.{ending}"
    if ending == "parquet":
        pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    shown = []
    wanted = experiment.encode(np.concatenate([data.train_images, data.test_images]), 1).astype(dtype)
    written = experiment.encode_to(path, layer=1, dtype=dtype, batch=37, show=lambda *at: shown.append(at))
    assert str(written).startswith(f"{path}: 160 pictures, layer 1: features (64 numbers a picture), {dtype}")
    assert shown == [(0, 160), (128, 160), (160, 160)]
    labels = np.concatenate([data.train_labels, data.test_labels])
    parts = ["train"] * 150 + ["test"] * 10
    if ending == "npy":
        found = np.load(path)
    elif ending == "npz":
        file = opened(path)
        assert set(file) == {"features", "labels", "part", "classes"}
        found = file["features"]
        np.testing.assert_array_equal(file["labels"], labels)
        assert file["part"].tolist() == parts and file["classes"].tolist() == ["a", "b", "c"]
    elif ending == "csv":
        lines = list(csv.reader(path.read_text("utf-8").splitlines()))
        assert lines[0][:3] == ["part", "label", "features_0"] and len(lines[0]) == 66
        assert [line[0] for line in lines[1:]] == parts and [int(line[1]) for line in lines[1:]] == labels.tolist()
        found = np.array([line[2:] for line in lines[1:]], float).astype(dtype)
    else:
        import pyarrow.parquet

        table = pyarrow.parquet.read_table(path)
        assert table.column_names == ["part", "label", "features"] and table["label"].to_pylist() == labels.tolist()
        found = np.array(table["features"].to_pylist()).astype(dtype)
        assert table.schema.metadata[b"classes"] == b"a\nb\nc"
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, wanted)


def test_several_layers_side_by_side(experiment, data, tmp_path):
    experiment.encode_to(tmp_path / "a.npz", layer="all", part="test")
    experiment.encode_to(tmp_path / "a.csv", layer=(2, 1), part="test")
    experiment.encode_to(tmp_path / "b.npy", layer="together", part="test")
    wanted = experiment.encode(data.test_images, "all")
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        assert archive.testzip() is None
    with np.load(tmp_path / "a.npz") as file:
        for number in (1, 2):
            np.testing.assert_array_equal(file[f"layer{number}"], wanted[number])
    np.testing.assert_array_equal(np.load(tmp_path / "b.npy"), np.hstack([wanted[1], wanted[2]]))
    heads = (tmp_path / "a.csv").read_text(encoding="utf-8").split("\n")[0].split(",")
    assert heads[2:4] == ["layer2_0", "layer2_1"] and heads[-1] == "layer1_63"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.npz", "b.npy"]  # nothing aside is left


def test_the_bytes_of_a_file_do_not_depend_on_batch_or_threads(run, tmp_path):
    pictures = tmp_path / "p.npz"
    np.savez(pictures, images=noise(150, 2))
    for name, more in (
        ("a", []),
        ("b", ["--batch", "1", "--threads", "1"]),
        ("c", ["--batch", "50", "--threads", "3"]),
    ):
        encode(run, pictures, tmp_path / f"{name}.npz", *more)
    files = [(tmp_path / f"{name}.npz").read_bytes() for name in "abc"]
    assert files[0] == files[1] == files[2]


def encode(*words):
    """The command; gives its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(["encode", *map(str, words)])
    return ended.value.code


def test_files_keep_their_names_in_order(run, experiment, tmp_path, capsys):
    pictures = {}
    for kind in ("cat", "dog"):
        (tmp_path / "photos" / kind).mkdir(parents=True)
        for number in range(6):
            name = f"{kind}/{number}.png"
            pictures[name] = noise(1, 10 * number + (kind == "dog"))[0]
            Image.fromarray(pictures[name]).save(tmp_path / "photos" / name)
    assert not encode(run, f"folder:{tmp_path / 'photos'}", tmp_path / "f.npz", "--layer", "2")
    assert f"{tmp_path / 'f.npz'}: 12 pictures, layer 2: features (96 numbers" in capsys.readouterr().out
    file = opened(tmp_path / "f.npz")
    assert file["names"].tolist() == sorted(pictures)
    assert file["classes"][file["labels"]].tolist() == [name.split("/")[0] for name in sorted(pictures)]
    wanted = experiment.encode(np.stack([pictures[name] for name in sorted(pictures)]), 2)
    np.testing.assert_array_equal(file["features"], wanted)


def test_rows_of_an_archive_keep_their_order_though_some_are_test_images(run, experiment, tmp_path):
    images = noise(40, 5)
    np.savez(tmp_path / "p.npz", images=images, labels=np.arange(40) % 2)
    encode(run, tmp_path / "p.npz", tmp_path / "f.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "f.npy"), experiment.encode(images))


def test_what_is_refused_is_one_line(run, tmp_path, capsys):
    (tmp_path / "there.npz").write_bytes(b"mine")
    np.savez(tmp_path / "p.npz", images=noise(20))
    np.savez(tmp_path / "large.npz", images=noise(20, shape=(16, 16, 3)))
    there, new = tmp_path / "there.npz", tmp_path / "new.npz"
    for words, said in [
        ([tmp_path / "p.npz", there], "is there already; expected a new file; choose another name, or write --force"),
        ([tmp_path / "large.npz", new], "are 16x16x3; expected 8x8x3, as the network learned from"),
        ([tmp_path / "p.npz", new, "--layer", "9"], "layer 9; expected 1 to 2"),
        ([tmp_path / "p.npz", new, "--part", "readout"], "has no part 'readout'; expected all, train or test"),
        (
            [tmp_path / "p.npz", new, "--dtype", "int8"],
            "--dtype int8; expected float32 or float16; write --dtype float32",
        ),
        ([tmp_path / "p.npz", new, "--batch", "0"], "--batch 0; expected 1 or more"),
        ([tmp_path / "p.npz", tmp_path / "f.txt"], "ends in .txt; expected one of .npz, .npy, .csv, .parquet"),
        ([tmp_path / "p.npz", tmp_path / "f.npy", "--layer", "all"], "2 layers for"),
        ([tmp_path / "p.npz", tmp_path / "none" / "f.npy"], "no folder"),
        ([tmp_path / "absent.npz", new], "absent.npz"),
    ]:
        assert encode(run, *words) == 2
        line = capsys.readouterr().err
        assert said in line and line.count("\n") == 1, line
    assert there.read_bytes() == b"mine" and not new.exists()
    assert not encode(run, tmp_path / "p.npz", there, "--force") and opened(there)["features"].shape == (20, 96)


def test_a_number_that_float16_cannot_hold_is_refused():
    with pytest.raises(NeurosimError, match="features up to 1e\\+06 in float16; expected at most 65504"):
        encoding.rounded(np.array([[1e6]], np.float32), "float16")
    assert np.isnan(encoding.rounded(np.array([[np.nan]], np.float32), "float16")).all()


def test_what_fails_leaves_nothing(experiment, tmp_path, monkeypatch):
    def broken(*_):
        yield [np.zeros((128, 96), np.float32)]
        raise KeyboardInterrupt

    monkeypatch.setattr(encoding, "stream", broken)
    with pytest.raises(KeyboardInterrupt):
        experiment.encode_to(tmp_path / "a.npz")
    assert list(tmp_path.iterdir()) == []


MEMORY = """
import resource, sys
import numpy as np
import neurosim as ns
from neurosim.data.dataset import Dataset
run, pictures, out, count = *sys.argv[1:4], int(sys.argv[4])
images = np.memmap(pictures, np.uint8, "r", shape=(40000, 8, 8, 3))[:count]
experiment = ns.load(run, data=Dataset("mine", images[:20], None, None, None, ()))
experiment.encode_to(out, Dataset("mine", images, None, None, None, ()), "all")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peaks are counted in kilobytes on Linux alone")
def test_memory_does_not_grow_with_the_pictures(run, tmp_path):
    """Ten times the pictures, at most as much more as some numbers a picture are: neither their file nor the features stay."""
    pictures = tmp_path / "pictures"
    np.memmap(pictures, np.uint8, "w+", shape=(40000, 8, 8, 3)).flush()
    peaks = []
    for count in (4000, 40000):
        out = tmp_path / f"{count}.npz"
        done = subprocess.run(
            [sys.executable, "-c", MEMORY, str(run), str(pictures), str(out), str(count)],
            capture_output=True,
            encoding="utf-8",
            check=True,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        )
        peaks.append(int(done.stdout))
    assert peaks[1] - peaks[0] < 36000 * 128 // 1024, peaks  # the file is 192 bytes a picture, its features are 640
