"""Every source by its name."""

import dataclasses
import functools
import importlib
import inspect

import numpy as np
import pytest
from PIL import Image

from neurosim.core.plugins import Registry
from neurosim.data.dataset import Dataset
from neurosim.data.sources import loading
from neurosim.data.sources.base import Source
from neurosim.data.sources.cifar10 import Cifar10
from neurosim.data.toys import toys
from neurosim.errors import DataError, WiringError

IMAGES = np.random.default_rng(1).integers(0, 256, (20, 6, 5, 3), dtype=np.uint8)


@pytest.fixture
def few_toys(monkeypatch, tmp_path):
    monkeypatch.setattr(toys, "load", functools.partial(toys.load, train=20, test=10, cache=tmp_path / "toys"))


@pytest.fixture
def few_photographs(monkeypatch, tmp_path):
    layout = dataclasses.replace(Cifar10.files, train_rows=2, test_rows=2)
    monkeypatch.setattr(Cifar10, "files", layout)
    folder = tmp_path / "data" / layout.binary
    folder.mkdir(parents=True)
    for file in layout.rows:
        np.full(2 * 3073, 3, np.uint8).tofile(folder / f"{file}.bin")
    return tmp_path / "data"


@pytest.fixture
def archive(tmp_path):
    np.savez(tmp_path / "set.npz", images=IMAGES, labels=np.arange(20) % 4)
    return str(tmp_path / "set.npz")


def refused(*arguments, **options):
    with pytest.raises(DataError) as caught:
        loading.load(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_toys(few_toys):
    data = loading.load("toys", seed=3, images=5)
    assert (data.name, len(data.classes), data.train_images.shape[0]) == ("toys", 10, 5)
    all_of_them = loading.load("toys", seed=3)
    np.testing.assert_array_equal(all_of_them.train_images[:5], data.train_images)
    np.testing.assert_array_equal(all_of_them.train_labels[:5], data.train_labels)
    np.testing.assert_array_equal(all_of_them.test_images, data.test_images)
    assert (loading.load("toys", seed=4).train_images != all_of_them.train_images).any()


def test_frames_of_toys(few_toys):
    assert loading.load("toys", frames=2, images=3).train_images.shape[:2] == (3, 2)


def test_cifar(few_photographs, monkeypatch):
    data = loading.load("cifar10", few_photographs)
    assert (data.name, len(data.train_images), data.classes[3]) == ("cifar10", 10, "cat")
    monkeypatch.setenv("NEUROSIM_DATA", str(few_photographs))
    assert len(loading.load("cifar10", images=4).train_images) == 4


def test_folder(tmp_path, monkeypatch):
    for kind in ("a", "b"):
        (tmp_path / "pictures" / kind).mkdir(parents=True)
        for number in range(3):
            Image.fromarray(IMAGES[number]).save(tmp_path / "pictures" / kind / f"{number}.png")
    data = loading.load(f"folder:{tmp_path / 'pictures'}")
    assert (data.name, len(data.train_images)) == (f"folder:{tmp_path / 'pictures'}", 4)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert len(loading.load("folder:~/pictures").train_images) == 4


def test_npz(archive):
    data = loading.load(archive, images=7)
    assert (data.name, data.classes) == (archive, ("0", "1", "2", "3"))
    assert len(data.train_images) == len(data.train_labels) == 7
    assert data.train_images.base is None, "what is not kept is let go"


def test_npz_without_labels(tmp_path):
    with open(tmp_path / "set.NPZ", "wb") as file:
        np.savez(file, images=IMAGES)
    assert loading.load(str(tmp_path / "set.NPZ"), images=7).train_labels is None


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("toy", "did you mean toys?"),
        ("CIFAR-10", "did you mean cifar10?"),
        ("cifar_100", "did you mean cifar100?"),
        ("", "see `neurosim data list`"),
        ("imagenet", "see `neurosim data list`"),
        ("folder:", "folder:PATH"),
    ],
)
def test_unknown_name(name, near):
    for options in ({}, {"frames": 2}):
        text = refused(name, **options)
        assert near in text and all(name in text for name in loading.available())


def test_folder_without_its_prefix(tmp_path):
    assert f"did you mean folder:{tmp_path}?" in refused(str(tmp_path))


@pytest.mark.parametrize("count", [0, -1, 17])
def test_images_that_are_not_there(count, archive):
    assert f"{count} images asked for; expected 1 to 16" in refused(archive, images=count)


def test_frames_and_seeds_that_cannot_be(archive):
    assert "cifar10 has no frames; expected rhm, toys" in refused("cifar10", frames=2)
    assert "use views=deform" in refused(archive, frames=2)
    assert "0 frames; expected 1 or more" in refused("toys", frames=0)
    assert "seed=-1; expected 0 or more" in refused(archive, seed=-1)


def test_absent_names_the_default_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("NEUROSIM_DATA", str(tmp_path))
    text = refused("cifar100")
    assert f"no cifar100 in {tmp_path}" in text and f"neurosim data fetch cifar100 --data-dir {tmp_path}" in text


def test_default_folder(monkeypatch, tmp_path):
    for name in ("NEUROSIM_DATA", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert loading.default_dir() == tmp_path / ".cache" / "neurosim"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert loading.default_dir() == tmp_path / ".cache" / "neurosim"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert loading.default_dir() == tmp_path / "cache" / "neurosim"
    monkeypatch.setenv("NEUROSIM_DATA", "~/here")
    assert loading.default_dir() == tmp_path / "here"


def test_found(few_photographs):
    where = {name: source().place(few_photographs) for name, source in loading.available().items()}
    assert (
        where.items()
        >= {
            "toys": "built in",
            "cifar10": str(few_photographs / "cifar-10-batches-bin"),
            "cifar100": f"not in {few_photographs}",
            "stl10": f"not in {few_photographs}",
            "folder:PATH": "yours",
            "FILE.npz": "yours",
        }.items()
    )


class Stripes(Source):
    """Two kinds of stripes."""

    name = "stripes"
    image = (4, 4, 3)

    def __init__(self, asked="", kinds=2):
        super().__init__(asked)
        self.kinds = kinds

    def load(self, data_dir, seed=0, frames=1):
        images = np.zeros((8, 4, 4, 3), np.uint8)
        return Dataset(self.asked, images, np.arange(8) % self.kinds, images[:2], np.arange(2), ("a", "b"))


def test_a_data_set_of_one_s_own(tmp_path, monkeypatch):
    """By ``module:Class``, as a class, as an object, and as one more file of the package."""
    for data, name in ((Stripes("mine"), "mine"), (Stripes, f"{__name__}:Stripes")):
        dataset = loading.load(data, images=5)
        assert (dataset.name.split(":")[-1], len(dataset.train_images)) == (name.split(":")[-1], 5)
    assert list(loading.options(Stripes)) == ["kinds"] and loading.options("toys") == loading.options(IMAGES) == {}
    assert set(loading.load(Stripes, kinds=1).train_labels) == {0}
    with pytest.raises(WiringError, match="toys has no option kinds"):
        loading.load("toys", kinds=1)
    text = inspect.getsource(Stripes)
    head = (
        "import numpy as np\nfrom neurosim.data.dataset import Dataset\nfrom neurosim.data.sources.base import Source\n"
    )
    (tmp_path / "own_stripes.py").write_text(head + text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert loading.load("own_stripes:Stripes").name == "own_stripes:Stripes"
    with pytest.raises(WiringError, match="there is no nowhere"):
        loading.load("nowhere:Stripes")
    package = importlib.import_module(loading.REGISTRY.package)
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    registry = Registry("data", loading.REGISTRY.package, Source, fixed=("asked",))
    monkeypatch.setattr(loading, "REGISTRY", registry)
    assert loading.load("stripes").train_images.shape == (8, 4, 4, 3) and "stripes" in refused("stripe")


def test_arrays_and_data_sets_from_python():
    data = loading.load(IMAGES, images=3)
    assert data.train_images.shape == (3, 6, 5, 3) and data.train_labels is None and data.name == "<arrays>"
    named = loading.load({"images": IMAGES, "labels": np.arange(20) % 4})
    assert named.classes == ("0", "1", "2", "3") and len(named.test_images) == 4
    assert loading.load(named) is named
    paired = loading.load((IMAGES, np.arange(20) % 4))
    np.testing.assert_array_equal(paired.train_labels, named.train_labels)
    with pytest.raises(DataError, match="<arrays>: images is int64"):
        loading.load(IMAGES.astype(int) + 300)
    with pytest.raises(WiringError, match=r"no data|type int"):
        loading.load(3)
    frames = Dataset("film", np.zeros((4, 3, 6, 5, 3), np.uint8), None, None, None, ())
    assert loading.load(frames, frames=3) is frames
