"""Every source of images by the name a user types, and where its files are looked for."""

import difflib
import os
from dataclasses import dataclass
from pathlib import Path

from neurosim.data.dataset import Dataset
from neurosim.data.sources import arrays, cifar, folder, stl10
from neurosim.errors import DataError


@dataclass(frozen=True)
class Source:
    """A row of ``neurosim data list``: the name, what it is, how many images, and their size."""

    name: str
    what: str
    images: str
    size: str


SOURCES = (
    Source("toys", "ten kinds of solid, drawn when first used", "6000 + 2000", "32 x 32 x 3"),
    Source("cifar10", "photographs of ten kinds (Krizhevsky 2009)", "50000 + 10000", "32 x 32 x 3"),
    Source("cifar100", "photographs of a hundred kinds (Krizhevsky 2009)", "50000 + 10000", "32 x 32 x 3"),
    Source("stl10", "photographs of ten kinds, most without labels (Coates 2011)", "100000 + 5000 + 8000", "96 x 96 x 3"),
    Source("folder:PATH", "your pictures: PATH/CLASS/*, or PATH/{train,test}/CLASS/*", "any", "any, one size"),
    Source("FILE.npz", "your arrays: images, labels, test_images, test_labels", "any", "any, one size"),
)


def load(
    name: str, data_dir: Path | None = None, seed: int = 0, frames: int = 1, images: int | None = None
) -> Dataset:
    """The data set called ``name``.

    Args:
        name: ``toys``, ``cifar10``, ``cifar100``, ``stl10``, ``folder:PATH`` or ``FILE.npz``.
        data_dir: where the files of cifar10, cifar100 and stl10 are; `default_dir` where None.
        seed: of the toys; the others are what they are.
        frames: frames of each toy, two or more of them being views of it in motion; 1 for the others.
        images: keep the first so many training images; all where None.

    Returns:
        The data set, with ``name`` as its name.

    Raises:
        DataError: an unknown name, a number out of range, or files that cannot be used.
    """
    name = str(name)
    if not _known(name):
        raise _unknown(name)
    if seed < 0 or frames < 1:
        met = f"seed {seed}" if seed < 0 else f"{frames} frames"
        raise DataError(f"{name}: {met}", "0 or more" if seed < 0 else "1 or more", "choose another number")
    if frames > 1 and name != "toys":
        raise DataError(f"{name} has no frames", "toys, for several frames of one object", "use --views deform")
    data = _read(name, default_dir() if data_dir is None else Path(data_dir), seed, frames)
    return data if images is None else data.first(images)


def default_dir() -> Path:
    """``$NEUROSIM_DATA``, else ``neurosim`` in the user's cache (``$XDG_CACHE_HOME`` or ``~/.cache``)."""
    chosen, cache = os.environ.get("NEUROSIM_DATA"), os.environ.get("XDG_CACHE_HOME", "")
    if chosen:
        return Path(os.path.expanduser(chosen))
    return Path(cache if os.path.isabs(cache) else os.path.expanduser("~/.cache")) / "neurosim"


def found(source: Source, data_dir: Path | None = None) -> str:
    """Where a source's files are, in words for a table."""
    if source.name not in cifar.LAYOUTS | stl10.LAYOUTS:
        return "built in" if source.name == "toys" else "yours"
    data_dir = default_dir() if data_dir is None else Path(data_dir)
    home = stl10 if source.name in stl10.LAYOUTS else cifar
    place = home.find(home.LAYOUTS[source.name], data_dir)
    return f"not in {data_dir}" if place is None else str(place)


def _known(name: str) -> bool:
    built_in = name == "toys" or name in cifar.LAYOUTS | stl10.LAYOUTS
    return built_in or (name.startswith("folder:") and name != "folder:") or name.lower().endswith(".npz")


def _read(name: str, data_dir: Path, seed: int, frames: int) -> Dataset:
    if name == "toys":
        from neurosim.data.toys import toys  # drawing them is not needed for any other source

        return toys.load(seed=seed, frames=frames)
    if name in cifar.LAYOUTS:
        return cifar.load(name, data_dir)
    if name in stl10.LAYOUTS:
        return stl10.load(name, data_dir)
    if name.startswith("folder:"):
        return folder.load(Path(os.path.expanduser(name.removeprefix("folder:"))), name)
    return arrays.load(Path(os.path.expanduser(name)), name)


def _unknown(name: str) -> DataError:
    names = [source.name for source in SOURCES]
    plain = name.lower().replace("-", "").replace("_", "").replace(" ", "")
    near = difflib.get_close_matches(plain, names, 1)
    if os.path.isdir(name):
        mend = f"did you mean folder:{name}?"
    else:
        mend = f"did you mean {near[0]}?" if near else "see `neurosim data list`"
    return DataError(f"no data set {name!r}", f"one of {', '.join(names)}", mend)
