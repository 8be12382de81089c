"""What features say where no picture has a label: which pictures are near one another, and into which groups they fall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.readout.floor import changed

if TYPE_CHECKING:
    from neurosim.core.typing import Array
    from neurosim.data.dataset import Dataset
    from neurosim.engine.threads import ThreadTeam
    from neurosim.readout.features import Encoder

PICTURES, QUERIES, NEAREST, GROUPS, ROUNDS = 5000, 12, 8, 10, 50  # groups: of five pictures or more on average


@dataclass(frozen=True)
class Similar:
    """Near pictures and groups, by the features of the highest layer that learned.

    Attributes:
        layer: its number.
        queries: numbers of pictures that the network did not learn from: of the test pictures, or of the training pictures
            where there are no others.
        held_out: whether they are test pictures.
        nearest: ``(query, neighbour)``, numbers of training pictures, the nearest first.
        shared: the share of these neighbours that are neighbours by the untrained network's features too, 0..1.
        groups: a group of training pictures each, those nearest to its centre first; the largest group first.
        sizes: how many pictures each group has.
        explained: the share of the features' variance that the groups explain, 0..1.
        floor_explained: the same of the untrained network's features, in groups of its own.
    """

    layer: int
    queries: Array
    held_out: bool
    nearest: Array
    shared: float
    groups: list[Array]
    sizes: tuple[int, ...]
    explained: float
    floor_explained: float

    def lines(self) -> list[tuple[str, str]]:
        """Word and text, a line each."""
        which = "pictures it did not learn from" if self.held_out else "of its pictures"
        queries, count = self.nearest.shape
        sizes = f"{self.sizes[-1]} to {self.sizes[0]} pictures"
        return [
            (
                "nearest",
                f"{queries} {which}, each with the {count} nearest (layer {self.layer}); "
                f"{100 * self.shared:.0f} % of these are the untrained network's too",
            ),
            (
                "groups",
                f"{len(self.sizes)} of {sizes}; they explain {100 * self.explained:.0f} % of the features' variance "
                f"(untrained: {100 * self.floor_explained:.0f} %)",
            ),
        ]

    def to_json(self) -> dict[str, Any]:
        """As results.json has it."""
        record = {
            "layer": self.layer,
            "queries": self.queries.tolist(),
            "held_out": self.held_out,
            "nearest": self.nearest.tolist(),
            "shared": self.shared,
            "group_sizes": list(self.sizes),
            "explained": self.explained,
            "floor_explained": self.floor_explained,
        }
        return {"similar": record}


def similar(trained: Encoder, untrained: Encoder, data: Dataset, team: ThreadTeam, seed: int = 0) -> Similar:
    """Look at the first pictures, `PICTURES` at most; no label is read.

    Args:
        trained, untrained: of one network.
        data: its pictures.
        team: who computes.
        seed: of the groups.
    """
    learned = changed(trained.network, untrained.network)
    layer = max(learned, default=len(trained.network))
    others = data.test_images if data.test_images is not None and len(data.test_images) else None
    queries = np.arange(min(QUERIES, len(data.train_images if others is None else others)))
    found = []
    for encoder in (trained, untrained):
        seen = encoder.features(data.train_images[:PICTURES], team, [layer])[0]
        asked = seen[queries] if others is None else encoder.features(others[: len(queries)], team, [layer])[0]
        mean, scale = seen.mean(axis=0), seen.std(axis=0)
        scale[scale == 0] = 1
        seen, asked = (seen - mean) / scale, (asked - mean) / scale
        found.append(
            (
                near(asked, seen, NEAREST, queries if others is None else None),
                *grouped(seen, min(GROUPS, max(1, len(seen) // 5)), seed),
            )
        )
    (nearest, groups, explained), (floor, _, floor_explained) = found
    shared = float(np.mean([np.isin(mine, drawn).mean() for mine, drawn in zip(nearest, floor, strict=True)]))
    sizes = tuple(map(len, groups))
    return Similar(layer, queries, others is not None, nearest, shared, groups, sizes, explained, floor_explained)


def near(queries: Array, features: Array, count: int, own: Array | None = None) -> Array:
    """The nearest features of each query, the nearest first, by Euclidean distance.

    Args:
        queries: ``(query, feature)``.
        features: ``(picture, feature)``.
        count: how many, at most.
        own: the number of each query among the features, which is left out; None: it is none of them.

    Returns:
        int64 ``(query, neighbour)``.
    """
    distances = _distances(queries, features)
    if own is not None:
        distances[np.arange(len(queries)), own] = np.inf
    kept = max(1, min(count, len(features) - (own is not None)))
    return np.argsort(distances, axis=1, kind="stable")[:, :kept]


def grouped(features: Array, count: int, seed: int) -> tuple[list[Array], float]:
    """Groups by k-means (Lloyd 1982), begun as k-means++ does (Arthur, Vassilvitskii 2007).

    Args:
        features: ``(picture, feature)``.
        count: of groups, at most.
        seed: of the beginning.

    Returns:
        The numbers of the pictures of every group that is not empty, the nearest to its centre first, the largest group
        first; and the share of the variance that the groups explain, 0..1.
    """
    rng = np.random.default_rng([seed, ord("K")])
    centres = features[rng.integers(len(features))][None]
    while len(centres) < min(count, len(features)):
        far = _distances(features, centres).min(axis=1)
        if far.sum() <= 0:
            break
        centres = np.concatenate([centres, features[rng.choice(len(features), p=far / far.sum())][None]])
    for _ in range(ROUNDS):
        of = _distances(features, centres).argmin(axis=1)
        moved = np.stack([features[of == n].mean(axis=0) if (of == n).any() else c for n, c in enumerate(centres)])
        if np.array_equal(moved, centres):
            break
        centres = moved
    distances = _distances(features, centres)
    of, least = distances.argmin(axis=1), distances.min(axis=1)
    groups = [np.flatnonzero(of == number) for number in range(len(centres))]
    groups = [members[np.argsort(least[members], kind="stable")] for members in groups if len(members)]
    whole = float(_distances(features, features.mean(axis=0)[None]).sum())
    return sorted(groups, key=len, reverse=True), 1 - float(least.sum()) / whole if whole > 0 else 1.0


def _distances(one: Array, other: Array) -> Array:
    """Squared Euclidean distances, float64 ``(row of one, row of other)``."""
    one, other = one.astype(np.float64), other.astype(np.float64)
    found: Array = (one**2).sum(axis=1)[:, None] - 2 * one @ other.T + (other**2).sum(axis=1)
    return np.maximum(found, 0, out=found)
