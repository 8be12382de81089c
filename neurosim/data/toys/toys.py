"""The built-in images: ten kinds of solid, each toy with proportions, colour, texture, pose and background its own.

Toys are drawn by ray casting in perspective, four rays a pixel. Colour, texture, light and background are drawn without
looking at the kind: only shape and pose show it. The same seed gives the same bits, whatever the number of threads.
"""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from neurosim.core.cores import cores
from neurosim.core.reading import File
from neurosim.core.typing import Array
from neurosim.core.writing import write_whole
from neurosim.data.cache import user_cache
from neurosim.data.dataset import Dataset
from neurosim.data.toys.scenes import SIDE, draw_frames, draw_toys, paint
from neurosim.data.toys.solids import KINDS
from neurosim.errors import DataError, RunError

VERSION = 1  # part of the cache's file name: raise it whenever a pixel changes
_BLOCK = 8  # pictures painted together: few enough for their arrays to stay in the second-level cache
_STREAM = 0x70795  # sets these random numbers apart from every other use of the same seed
_SPLITS = ("train", "test")


def render(count: int, seed: int, split: str = "train", frames: int = 1) -> tuple[Array, Array]:
    """Draw toys: pictures and kinds.

    Args:
        count: toys, shared out evenly among the kinds and shuffled.
        seed: not negative. Equal arguments give equal bits.
        split: ``"train"`` or ``"test"``: two independent streams.
        frames: pictures of each toy. More than one shows it in motion: it turns by 20 to 60 degrees from its first
            frame to its last, under other light, at a slightly other place.

    Returns:
        Images, uint8 ``(sample, row, column, channel)``, or ``(sample, frame, row, column, channel)`` for several
        frames; labels, int64 ``(sample,)``, indices into `KINDS`.

    Raises:
        DataError: a number out of its range, or a split that does not exist.
    """
    _check(split, seed, count=count, frames=frames)
    stream = [seed, _STREAM, _SPLITS.index(split)]
    rng = np.random.default_rng(stream)
    labels = rng.permutation(np.arange(count) % len(KINDS))
    toys = draw_toys(rng, labels)
    moments = draw_frames(rng, toys, frames)
    images = np.empty((count, frames, SIDE, SIDE, 3), np.uint8)
    jobs = []
    for label in range(len(KINDS)):
        sample, frame = (index.ravel() for index in np.nonzero((labels == label)[:, None] & np.ones(frames, bool)))
        jobs += [(label, sample[at : at + _BLOCK], frame[at : at + _BLOCK]) for at in range(0, len(sample), _BLOCK)]

    def work(number: int) -> None:
        label, sample, frame = jobs[number]
        toy = {name: value[sample] for name, value in toys.items()}
        moment = {name: value[sample, frame] for name, value in moments.items()}
        grain = np.random.default_rng([*stream, 1 + number])
        images[sample, frame] = paint(KINDS[label], toy, moment, grain)

    with ThreadPoolExecutor(min(4, cores()[0])) as pool:
        list(pool.map(work, range(len(jobs))))
    return images[:, 0] if frames == 1 else images, labels


def _check(split: str, seed: int, **counts: int) -> None:
    for name, value in counts.items():
        if value < 1:
            raise DataError(f"toys: {name}={value}", "at least 1", f"ask for one or more {name}")
    if seed < 0:
        raise DataError(f"toys: seed={seed}", "0 or more", "give a seed that is not negative")
    if split not in _SPLITS:
        raise DataError(f"toys: split={split!r}", "train or test", "choose one of the two")


def load(seed: int = 0, train: int = 6000, test: int = 2000, frames: int = 1, cache: Path | None = None) -> Dataset:
    """The data set, drawn on first use and kept on disk.

    Args:
        seed: as for `render`.
        train: toys in the training split.
        test: toys in the test split, always one frame each.
        frames: frames of each training toy.
        cache: folder of the cache; `neurosim.data.cache.user_cache` where None. A file that cannot
            be read is made again; a folder that cannot be written only means that the toys are drawn anew each time.

    Returns:
        The toys as a `Dataset`.

    Raises:
        DataError: a number out of its range.
    """
    _check("train", seed, train=train, test=test, frames=frames)
    folder = Path(cache) if cache is not None else user_cache()
    path = folder / f"toys-v{VERSION}-seed{seed}-train{train}-test{test}-frames{frames}.npz"
    shape = (train, SIDE, SIDE, 3) if frames == 1 else (train, frames, SIDE, SIDE, 3)
    arrays = _read(path, {"train": shape, "test": (test, SIDE, SIDE, 3)})
    if arrays is None:
        arrays = dict(zip(("train_images", "train_labels"), render(train, seed, "train", frames), strict=True))
        arrays |= zip(("test_images", "test_labels"), render(test, seed, "test"), strict=True)
        with contextlib.suppress(OSError, RunError):
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]  # names, not options
    train_set, test_set = ((arrays[f"{part}_images"], arrays[f"{part}_labels"]) for part in ("train", "test"))
    return Dataset("toys", *train_set, *test_set, KINDS)


def _read(path: Path, shapes: dict[str, tuple[int, ...]]) -> dict[str, Array] | None:
    """The cache's arrays, or None where there is no whole file of what is asked for."""
    names = [f"{split}_{what}" for split in shapes for what in ("images", "labels")]
    try:
        arrays: dict[str, Any] = File(path).npz()
    except RunError:
        return None
    if not set(names) <= arrays.keys():
        return None
    for split, shape in shapes.items():
        images, labels = arrays[f"{split}_images"], arrays[f"{split}_labels"]
        if (images.shape, images.dtype, labels.shape, labels.dtype) != (shape, np.uint8, shape[:1], np.int64):
            return None
    return arrays
