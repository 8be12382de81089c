"""What every read-out asks of features and labels, and which images it holds out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from neurosim.errors import DataError, WiringError

if TYPE_CHECKING:
    from neurosim.core.typing import Array

STREAM = 0x11EA4  # sets the read-out's random numbers apart from every other use of the same seed


def split(labels: Array, held_out: float, seed: int) -> tuple[Array, Array]:
    """Rows to fit and rows to hold out. Shuffled, sorted by class, every so many-th taken: each class in proportion."""
    rows = np.random.default_rng([seed, STREAM, 0]).permutation(len(labels))
    rows = rows[np.argsort(labels[rows], kind="stable")]
    count = max(1, round(held_out * len(rows)))
    taken = np.zeros(len(rows), bool)
    taken[(np.arange(count) * len(rows) + len(rows) // 2) // count] = True
    return np.sort(rows[~taken]), np.sort(rows[taken])


def features_of(features: Array) -> Array:
    """Features as a read-out computes with them: float64 stays so, anything else becomes float32.

    Raises:
        DataError: not numbers of shape ``(sample, feature)``.
    """
    features = np.asarray(features)
    if features.ndim != 2 or 0 in features.shape or features.dtype.kind not in "fiub":
        raise DataError(
            f"features are a {features.dtype} array of shape {features.shape}",
            "numbers of shape (sample, feature), at least one of each",
            "flatten every image's activity to one row",
        )
    return features if features.dtype == np.float64 else features.astype(np.float32, copy=False)


def labels_of(labels: Array, classes: int) -> Array:
    """Labels as int64 ``(sample,)``.

    Raises:
        DataError: fewer than two classes, or labels that are not whole numbers from 0 to classes - 1.
    """
    labels = np.asarray(labels)
    if classes < 2:
        raise DataError(f"there are {classes} classes", "2 or more", "give a data set with labels of several kinds")
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError(
            f"labels are a {labels.dtype} array of shape {labels.shape}",
            "integers of shape (sample,)",
            "give one label for each image",
        )
    if len(labels) and not 0 <= labels.min() <= labels.max() < classes:
        raise DataError(
            f"labels run from {labels.min()} to {labels.max()}",
            f"0 to {classes - 1} for {classes} classes",
            "number the classes from 0",
        )
    return labels.astype(np.int64)


def same_length(features: Array, labels: Array) -> None:
    """Check that there is one label an image.

    Raises:
        DataError: there is not.
    """
    if len(features) != len(labels):
        raise DataError(
            f"there are {len(features)} rows of features and {len(labels)} labels",
            "as many of both",
            "give one label for each image",
        )


def same_columns(features: Array, mean: Array) -> None:
    """Check that features are those a read-out was fitted on.

    Raises:
        DataError: another number of them.
    """
    if features.shape[1] != len(mean):
        raise DataError(
            f"features have {features.shape[1]} columns",
            f"{len(mean)}, as the read-out was fitted on",
            "encode both sets with the same network and layer",
        )


def fraction(held_out: float) -> None:
    """Check that a fraction of the images can be held out.

    Raises:
        WiringError: it is not over 0 and up to 0.5.
    """
    if not 0 < held_out <= 0.5:
        raise WiringError(f"held_out {held_out}", "a fraction over 0 and up to 0.5", "leave it out")


def penalties(strengths: Sequence[float]) -> None:
    """Check that there are strengths to choose from.

    Raises:
        WiringError: none, one below 0, or one that is not finite.
    """
    if not len(strengths) or not all(0 <= strength < np.inf for strength in strengths):
        raise WiringError(f"strengths {tuple(strengths)}", "one finite number or more, none below 0", "leave them out")


def pairs_of(features: Array, labels: Array, classes: int) -> tuple[Array, Array]:
    """Features and labels that a read-out can be fitted to, as `features_of` and `labels_of` give them.

    Raises:
        DataError: features or labels that cannot be used, not as many of both, or nothing to distinguish.
    """
    features, labels = features_of(features), labels_of(labels, classes)
    same_length(features, labels)
    enough(labels, classes)
    return features, labels


def enough(labels: Array, classes: int) -> None:
    """Check that there is something to distinguish.

    Raises:
        DataError: fewer images than classes, or a single kind.
    """
    if len(labels) < classes:
        raise DataError(
            f"there are {len(labels)} images for {classes} classes", f"{classes} images or more", "give more images"
        )
    if labels.min() == labels.max():
        raise DataError(f"every label is {labels[0]}", "2 or more kinds", "give images of other classes too")
