"""Picture files with what is known of their labels, made into a data set."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from neurosim.core.typing import Array
from neurosim.data.dataset import Dataset
from neurosim.data.pictures.decode import Fitting
from neurosim.data.pictures.store import Stored, stored
from neurosim.data.pictures.survey import Survey
from neurosim.data.sources.npz import divide
from neurosim.errors import DataError, DataWarning

_SEED, _STREAM = 0, 0xF01DE4  # the order of the training images


@dataclass(frozen=True)
class Gathered:
    """What a source has found.

    Attributes:
        name: as the user typed it.
        seen: the files that are pictures, as far as their heads say.
        tests: whether each is of the test; None: one in five is set apart.
        kinds: the name of each one's class; None: no labels.
        classes: the classes in their order; empty: those of the pictures, in the alphabet's.
        skipped: reason -> names of files that are not read and are no pictures.
        broken: names of files that should be pictures -> why they are not read.
        why: why there are no labels, in words.
    """

    name: str
    seen: Survey
    tests: list[bool] | None = None
    kinds: list[str] | None = None
    classes: tuple[str, ...] = ()
    skipped: Mapping[str, list[str]] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    why: str = ""

    @property
    def sizes(self) -> Counter[tuple[int, int]]:
        """(column, row) -> how many pictures have that size."""
        return Counter(facts.size for facts in self.seen.facts if facts is not None)

    def dataset(self, fitting: Fitting) -> tuple[Dataset, dict[str, str]]:
        """Decode them, or find them in the cache.

        Returns:
            The data set, and every broken file with what is wrong with it.

        Raises:
            DataError: no pictures, pictures of several sizes without one to bring them to, or classes that differ.
        """
        self._check(fitting)
        found = stored(self.seen, fitting, self._arrange, self._marks())
        broken = {**self.broken, **{self.seen.items[number].where: why for number, why in found.broken.items()}}
        numbers = self._labels(found.order)
        train, classes = found.train, () if numbers is None else self._classes(found.order)
        parts = [None if numbers is None else numbers[part] for part in (slice(0, train), slice(train, None))]
        names = tuple(self.seen.items[number].where for number in found.order)
        notes = self._notes(found, fitting, broken, numbers is None)
        return Dataset(
            self.name,
            found.images[:train],
            parts[0],
            found.images[train:],
            parts[1],
            classes,
            train_names=names[:train],
            test_names=names[train:],
            notes=notes,
        ), broken

    def _check(self, fitting: Fitting) -> None:
        if not self.seen.items:
            raise DataError(*self._nothing())
        sizes = self.sizes
        if fitting.size is None and len(sizes) > 1:
            named: dict[tuple[int, int], str] = {}
            for item, facts in zip(self.seen.items, self.seen.facts, strict=True):
                if facts is not None:
                    named.setdefault(facts.size, item.where)
            (one, first), (other, second) = list(named.items())[:2]
            two = f"{first} is {one[0]} x {one[1]}, {second} is {other[0]} x {other[1]}"
            actual = f"{self.name} has pictures of {len(sizes)} sizes: {two}"
            raise DataError(actual, "pictures of one size, or a size that all are brought to", "write size=32", "size")

    def _nothing(self) -> tuple[str, str, str]:
        count = sum(map(len, self.skipped.values())) + len(self.broken)
        if not count:
            return f"{self.name} is empty", "pictures", "put some there, or check the path"
        first = next(iter(self.broken), None) or next(iter(self.skipped.values()))[0]
        why = self.broken.get(first) or next(iter(self.skipped))
        files = "file" if count == 1 else "files"
        return f"{self.name} has no picture among {count} {files} ({first}: {why})", "pictures", "check the path"

    def _arrange(self, good: list[int]) -> tuple[Array, Array]:
        """Numbers of the training pictures, shuffled always alike so that the first few are of all classes, and of the test."""
        if not good:
            raise DataError(f"{self.name}: no picture can be decoded", "pictures", "replace them")
        numbers = np.array(good, np.int64)
        if self.tests is None:
            inside, tests = divide(self.name, len(numbers), self._labels(numbers))
            train, test = numbers[inside], numbers[tests]
        else:
            chosen = np.array(self.tests)[numbers]
            train, test = numbers[~chosen], numbers[chosen]
            self._check_split(train, test)
        return train[np.random.default_rng([_SEED, _STREAM]).permutation(len(train))], test

    def _check_split(self, train: Array, test: Array) -> None:
        for part, word in ((train, "training"), (test, "test")):
            if not len(part):
                raise DataError(f"{self.name} has no {word} picture", "one or more", "add some")
        if self.kinds is None:
            return
        here, there = ({self.kinds[number] for number in part} for part in (train, test))
        for missing, where in ((sorted(here - there), "test"), (sorted(there - here), "train")):
            if missing:
                actual = f"{self.name} has no picture of the class {missing[0]} in {where}"
                raise DataError(actual, "the same classes in train and test", "add some, or remove the class")

    def _classes(self, numbers: Array) -> tuple[str, ...]:
        """The classes of some pictures, in order."""
        there = set() if self.kinds is None else {self.kinds[number] for number in numbers}
        if self.classes:
            return tuple(kind for kind in self.classes if kind in there)
        plain = all(kind.isdecimal() for kind in there)
        return tuple(sorted(there, key=int) if plain else sorted(there))

    def _labels(self, numbers: Array) -> Array | None:
        """int64 labels of some pictures; None where fewer than two classes are there."""
        classes = self._classes(numbers)
        if self.kinds is None or len(classes) < 2:
            return None
        places = {kind: place for place, kind in enumerate(classes)}
        return np.array([places[self.kinds[number]] for number in numbers], np.int64)

    def _marks(self) -> bytes:
        """What decides the order, beside the content."""
        return json.dumps([self.tests, self.kinds, self.classes]).encode()

    def _notes(self, found: Stored, fitting: Fitting, broken: Mapping[str, str], unlabelled: bool) -> tuple[str, ...]:
        """What was read and what was not, a line each; what is broken is a warning too."""
        count = len(found.order)
        how = f"{count} pictures, {fitting}; {count - found.train} of them for the test"
        skipped = ", ".join(f"{len(names)} {reason}" for reason, names in self.skipped.items())
        notes = [how + (f"; not read: {skipped}" if skipped else "")]
        if broken:
            first, why = next(iter(broken.items()))
            many = f"{len(broken)} broken file{'s'[: len(broken) != 1]}"
            line = f"{self.name}: {many} left out, {first} ({why})" + (", ..." if len(broken) > 1 else "")
            warnings.warn(line, DataWarning, stacklevel=2)
            notes.append(line)
        if unlabelled:
            notes.append(f"no labels ({self.why or 'fewer than two classes'}): no read-out")
        return (*notes, found.why) if found.why else tuple(notes)
