"""What would be read of picture files, in words: for whoever wants to know before training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from neurosim.data.dataset import Dataset
from neurosim.data.pictures.decode import Fitting
from neurosim.data.pictures.gathered import Gathered

Rows = list[tuple[str, str]]
_NAMED = 20  # files named of each reason
_SIZE = 32  # what pictures of many sizes are shown at where no size was asked for


def described(data: Dataset) -> Rows:
    """Word and text, a line each, of a data set that was read."""
    counted = [f"{len(data.train_images)} training images"]
    if data.test_images is not None:
        counted.append(f"{len(data.test_images)} test images")
    if data.readout_images is not None:
        counted.append(f"{len(data.readout_images)} labelled images of the read-out")
    rows = [("images", ", ".join(counted)), ("size", " x ".join(map(str, data.image_shape)))]
    seen = data.labelled
    if seen is None:
        return [*rows, ("classes", "none: training and neighbours, no read-out")]
    counts = np.bincount(seen[1], minlength=len(data.classes))
    return [*rows, ("classes", _listed([f"{name} {count}" for name, count in zip(data.classes, counts, strict=True)]))]


def checked(gathered: Gathered, fitting: Fitting) -> tuple[Rows, Dataset]:
    """Decode everything once; word and text, a line each, and the data set.

    Pictures of several sizes are brought to 32 x 32 where no size was asked for, and it says that one must be.

    Raises:
        DataError: nothing that can be read.
    """
    one, sizes = fitting.size is not None or len(gathered.sizes) < 2, gathered.sizes
    shown = fitting if one else Fitting(_SIZE, fitting.fit, fitting.background)
    data, broken = gathered.dataset(shown)
    files = len(gathered.seen.items) + sum(map(len, gathered.skipped.values())) + len(gathered.broken)
    rows = [
        (
            "files",
            f"{files}, {len(gathered.seen.items) - len(broken) + len(gathered.broken)} of them pictures that can be read",
        )
    ]
    rows += described(data)
    rows[2] = ("sizes", _sizes(sizes))
    if gathered.why and data.train_labels is None:
        rows[3] = ("classes", f"none ({gathered.why}): training and neighbours, no read-out")
    rows.append(("kinds", _kinds(gathered)))
    rows.append(("fit", str(shown) if one else f"sizes differ, so training needs --size; shown: {shown}"))
    rows += [("skipped", f"{len(names)} {reason}: {_listed(names)}") for reason, names in gathered.skipped.items()]
    rows += [("broken", f"{where}: {why}") for where, why in list(broken.items())[:_NAMED]]
    if len(broken) > _NAMED:
        rows.append(("broken", f"and {len(broken) - _NAMED} more"))
    return rows, data


def _sizes(sizes: Counter[tuple[int, int]]) -> str:
    """Columns x rows as cameras have them, the most frequent first."""
    words = [f"{wide} x {high} ({count})" for (wide, high), count in sizes.most_common(4)]
    if len(sizes) > len(words):
        small, large = (choose(sizes, key=lambda size: size[0] * size[1]) for choose in (min, max))
        words.append(f"{len(sizes) - len(words)} others, {small[0]} x {small[1]} to {large[0]} x {large[1]}")
    return "columns x rows " + ", ".join(words)


def _kinds(gathered: Gathered) -> str:
    facts = [each for each in gathered.seen.facts if each is not None]
    formats = Counter(each.format for each in facts)
    traits = Counter(trait for each in facts for trait in each.traits)
    words = [f"{name} {count}" for name, count in formats.most_common()]
    return ", ".join(words) + "".join(f"; {count} {trait}" for trait, count in traits.most_common())


def _listed(names: Sequence[str]) -> str:
    more = f", and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
