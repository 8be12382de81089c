"""``neurosim data``: list, fetch, show."""

import dataclasses
import functools
import hashlib
import io
import tarfile

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from neurosim.data.sources.base import Archive
from neurosim.data.sources.cifar10 import Cifar10
from neurosim.data.toys import toys
from neurosim.errors import DataError, DataWarning

try:
    from neurosim.cli import data as command
except ModuleNotFoundError:  # a checkout that is not installed
    from cli import data as command

NOWHERE = "http://127.0.0.1:1/x"  # nobody listens there
IMAGES = np.random.default_rng(1).integers(0, 256, (40, 8, 6, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    """Few toys, and a small archive in the place of CIFAR-10's."""
    monkeypatch.setattr(toys, "load", functools.partial(toys.load, train=30, test=10, cache=tmp_path / "toys"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("NEUROSIM_DATA", str(tmp_path / "data"))
    layout = dataclasses.replace(Cifar10.files, train_rows=4, test_rows=2)
    with tarfile.open(tmp_path / "mirror.tar.gz", "w:gz") as tar:
        for file, count in layout.rows.items():
            member = tarfile.TarInfo(f"{layout.binary}/{file}.bin")
            member.size = count * layout.row_bytes
            tar.addfile(member, io.BytesIO(bytes([number % 7 for number in range(member.size)])))
    checksum = hashlib.md5((tmp_path / "mirror.tar.gz").read_bytes()).hexdigest()
    monkeypatch.setattr(Cifar10, "files", dataclasses.replace(layout, archive=Archive(NOWHERE, checksum, 1000)))


def run(*arguments):
    result = CliRunner().invoke(command.data, [str(argument) for argument in arguments])
    assert result.exception is None, result.output
    return result.output


def refused(*arguments):
    result = CliRunner().invoke(command.data, [str(argument) for argument in arguments])
    assert isinstance(result.exception, DataError), result.output
    return str(result.exception)


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_list(tmp_path):
    lines = run("list").splitlines()
    assert {"name", "toys", "cifar10", "cifar100", "stl10", "folder:PATH", "FILE.npz"} <= {
        line.split()[0] for line in lines
    }
    assert f"not in {tmp_path / 'data'}" in next(line for line in lines if line.startswith("cifar10 "))
    assert f"not in {tmp_path / 'x'}" in run("list", "--data-dir", tmp_path / "x")


@pytest.mark.parametrize("options", [[], ["--data-dir", "chosen"]])
def test_fetch_then_list_then_show(options, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    where = "chosen/cifar-10-batches-bin" if options else str(tmp_path / "data" / "cifar-10-batches-bin")
    output = run("fetch", "cifar10", "--url", (tmp_path / "mirror.tar.gz").as_uri(), *options)
    assert output == f"cifar10 is in {where}\n"
    assert f"  {where}  " in next(line for line in run("list", *options).splitlines() if line.startswith("cifar10 "))
    assert "training images of cifar10" in run("show", "cifar10", "sheet.png", *options)
    assert pixels("sheet.png").any()


def test_fetch_that_fails():
    assert f"{NOWHERE} cannot be reached" in refused("fetch", "cifar10")
    result = CliRunner().invoke(command.data, ["fetch", "toys"])
    assert result.exit_code == 2 and "'cifar10', 'cifar100'" in result.output


def test_meter(monkeypatch):
    now = iter([10.0, 10.0, 12.0, 14.0])
    monkeypatch.setattr(command.time, "monotonic", lambda: next(now))
    meter, speeds = command.Meter("cifar10"), []
    meter(5, None)
    assert meter.bar is None
    for done in (1_000_000, 3_000_000, 9_000_000):
        meter(done, 9_000_000)
        speeds.append(meter.bar.current_item)
        assert meter.bar.pos == done
    meter.close()
    assert speeds == ["0.0 MB/s", "1.0 MB/s", "2.0 MB/s"]
    command.Meter("nothing came").close()


def test_show_toys_as_they_are_and_in_motion(tmp_path):
    assert "30 training images of toys" in run("show", "toys", tmp_path / "still.png")
    run("show", "toys", tmp_path / "motion.png", "--views", "motion")
    still, motion = pixels(tmp_path / "still.png"), pixels(tmp_path / "motion.png")
    assert motion.shape[0] == still.shape[0] and motion.shape[1] > 1.5 * still.shape[1]
    run("show", "toys", tmp_path / "seed.png", "--seed", 1)
    assert (pixels(tmp_path / "seed.png") != still).any()


@pytest.fixture
def archive(tmp_path):
    np.savez(tmp_path / "set.npz", images=IMAGES, labels=np.arange(40) % 2)
    return tmp_path / "set.npz"


def test_show_deformed_views(archive, tmp_path):
    for name, seed in (("one", 0), ("same", 0), ("other", 1)):
        run("show", archive, tmp_path / f"{name}.png", "--views", "deform", "--seed", seed)
    one, same, other = (pixels(tmp_path / f"{name}.png") for name in ("one", "same", "other"))
    np.testing.assert_array_equal(one, same)
    assert one.shape == other.shape and (one != other).any()


def test_show_without_labels(tmp_path):
    np.savez(tmp_path / "set.npz", images=IMAGES[:20])
    assert "16 training images" in run("show", tmp_path / "set.npz", tmp_path / "sheet.png")


def test_large_images_are_thinned(tmp_path):
    images = np.zeros((10, 130, 100, 3), np.uint8)
    np.savez(tmp_path / "set.npz", images=images, labels=np.arange(10) % 2)
    run("show", tmp_path / "set.npz", tmp_path / "sheet.png")
    assert pixels(tmp_path / "sheet.png").shape[0] < 2 * 64 * 4


def test_show_refuses_to_write_over_a_file(archive, tmp_path):
    out = tmp_path / "sheet.png"
    out.write_bytes(b"precious")
    assert "is there already" in refused("show", archive, out)
    assert out.read_bytes() == b"precious"
    run("show", archive, out, "--force")
    assert pixels(out).any()


def test_show_refuses_what_it_cannot_write(archive, tmp_path):
    assert "is no .png file" in refused("show", archive, tmp_path / "sheet.jpg")
    assert "no folder" in refused("show", archive, tmp_path / "none" / "sheet.png")
    assert "has no frames" in refused("show", archive, tmp_path / "sheet.png", "--views", "motion")
    assert "did you mean toys?" in refused("show", "toy", tmp_path / "sheet.png")
    assert not (tmp_path / "sheet.png").exists()


def test_show_says_what_the_disk_refused(archive, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    assert "No space left on device" in refused("show", archive, tmp_path / "sheet.png")


def test_check_says_what_would_be_read(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    for number in range(8):
        path = tmp_path / "photos" / ("cat", "dog")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(IMAGES[number, : 4 + number % 4]).save(path)
    (tmp_path / "photos" / "cat" / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "photos" / "dog" / "z.jpg").write_bytes(b"x")
    with pytest.warns(DataWarning, match=r"1 broken file left out, dog/z.jpg \(no picture\)"):
        lines = run("check", "folder:photos").splitlines()
    said = {line.split()[0]: " ".join(line.split()[1:]) for line in lines}
    assert said["files"] == "10, 8 of them pictures that can be read"
    assert said["images"] == "6 training images, 2 test images" and said["classes"] == "cat 3, dog 3"
    assert said["sizes"] == "columns x rows 6 x 4 (2), 6 x 6 (2), 6 x 5 (2), 6 x 7 (2)"
    assert said["skipped"] == "1 junk: cat/Thumbs.db" and said["broken"] == "dog/z.jpg: no picture"
    assert said["kinds"] == "PNG 8" and said["fit"].startswith(
        "sizes differ, so training needs --size; shown: shortest"
    )
    assert said["fits"].startswith("the networks ") and pixels("check-photos.png").any()
    with pytest.warns(DataWarning):
        lines = run("check", "folder:photos", "mine.png", "--size", 7, "--fit", "pad", "--no-labelled").splitlines()
    said = {line.split()[0]: " ".join(line.split()[1:]) for line in lines}
    assert said["fit"] == "longest side to 7, black beside it" and said["classes"].startswith(
        "none (folders are no classes"
    )
    assert said["fits"].startswith("no preset") and "is there already" in refused("check", "folder:photos", "mine.png")


def test_check_of_other_sources(archive, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    output = run("check", archive, "out.png")
    assert "32 training images, 8 test images" in output and "8 x 6 x 3" in output and "0 16, 1 16" in output
    assert "has no option size" in str(
        CliRunner().invoke(command.data, ["check", str(archive), "--size", "3"]).exception
    )
