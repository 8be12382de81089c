"""The Random Hierarchy Model (Cagnetti, Petrini, Tomasini, Favero, Wyart 2024): classes made by a tree of production rules.

A class is a symbol. Every symbol of a level is written as one of m tuples of s symbols of the level below, drawn with equal
chances, down to the leaves, which are shown. All tuples of a level differ, so that leaves can be parsed in one way only. A class
has m^((s^L - 1) / (s - 1)) pictures and no single leaf says much of it: to tell classes apart with few examples, synonyms must be
found level by level (Cagnetti et al. 2024, Phys. Rev. X 14, 031001).

Views of one picture are of one tree: the productions of its lowest levels are drawn again, those above stay, at least that of
the class itself. A view never is a second tree of the same class, which only a label could find (condition iv).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import numpy as np

from neurosim.core.options import Option
from neurosim.core.typing import Array
from neurosim.data.dataset import Dataset
from neurosim.data.sources.base import Source
from neurosim.errors import DataError

TRAIN, TEST = 8192, 2048
_GRAMMAR, _TREES = 0x6AA5, 0x72EE  # set these random numbers apart from every other use of the same seed
_TRIES = 100  # draws of the test's trees before a grammar is taken to be too small


class Grammar:
    """Production rules.

    Args:
        symbols: v, of every level, and the number of classes.
        synonyms: m, ways to write a symbol.
        levels: L.
        branches: s, symbols of the level below that a symbol is written as.
        seed: of the rules.

    Attributes:
        rules: one array a level, the leaves' first: int64 ``(symbol, synonym, branch)``, symbols of the level below.
    """

    def __init__(self, symbols: int, synonyms: int, levels: int, branches: int, seed: int) -> None:
        self.symbols, self.synonyms, self.levels, self.branches = symbols, synonyms, levels, branches
        most = symbols ** (branches - 1)
        if synonyms > most:
            actual = f"synonyms={synonyms} with symbols={symbols} and branches={branches}"
            expected = f"at most {most}, so that all tuples of a level differ"
            raise DataError(actual, expected, f"write synonyms={min(2, most)}", "synonyms")
        rng = np.random.default_rng([seed, _GRAMMAR])
        self.rules = [self._level(rng) for _ in range(levels)]

    def _level(self, rng: np.random.Generator) -> Array:
        """Tuples that all differ, as many for each symbol."""
        count, every = self.symbols * self.synonyms, self.symbols**self.branches
        chosen: dict[int, None] = {}
        while len(chosen) < count:  # a permutation of all tuples may not fit into memory
            chosen[int(rng.integers(every))] = None
        places = self.symbols ** np.arange(self.branches)[::-1]
        digits = np.array(list(chosen))[:, None] // places % self.symbols
        return digits.reshape(self.symbols, self.synonyms, self.branches)

    def write(self, rng: np.random.Generator, labels: Array, frames: int, redraw: int) -> Array:
        """Leaves of trees, int64 ``(sample, frame, leaf)``.

        Args:
            rng: of the choice among synonyms.
            labels: the classes, int64 ``(sample,)``.
            frames: views of each tree.
            redraw: lowest levels whose synonyms are drawn anew for every frame.
        """
        symbols = labels[:, None]
        for rules in self.rules[redraw:][::-1]:
            symbols = self._below(rng, rules, symbols)
        symbols = np.repeat(symbols[:, None], frames, axis=1)
        for rules in self.rules[:redraw][::-1]:
            symbols = self._below(rng, rules, symbols)
        return symbols

    def _below(self, rng: np.random.Generator, rules: Array, symbols: Array) -> Array:
        chosen = rng.integers(self.synonyms, size=symbols.shape)
        return rules[symbols, chosen].reshape(*symbols.shape[:-1], -1)


class Rhm(Source):
    """Trees of symbols, drawn from a grammar that is drawn from a seed.

    Args:
        asked: ``rhm``.
        symbols: v, of every level; there are as many classes.
        synonyms: m, ways to write a symbol.
        levels: L, of the tree.
        branches: s, of a symbol: 4 are a square of 2 x 2, 9 one of 3 x 3; others stand in a row.
        redraw: lowest levels whose productions differ between two views of one tree; None: all but the class's own.
        grammar: seed of the production rules.
    """

    name = "rhm"
    summary = "trees of production rules: depth is needed to learn them (Cagnetti 2024)"
    images = f"{TRAIN} + {TEST}"
    motion = True

    def __init__(
        self,
        asked: str = "",
        symbols: Annotated[int, Option("v, symbols of a level and classes.", low=2, high=32)] = 8,
        synonyms: Annotated[int, Option("m, ways to write a symbol.", low=1, high=1024)] = 4,
        levels: Annotated[int, Option("L, levels of a tree.", low=2, high=6)] = 3,
        branches: Annotated[int, Option("s, symbols that a symbol is written as.", low=2, high=9)] = 4,
        redraw: Annotated[
            int | None,
            Option("Lowest levels drawn anew in a second view; all: but the class's own.", low=1, none="all"),
        ] = None,
        grammar: Annotated[int, Option("Seed of the production rules.", low=0)] = 0,
    ) -> None:
        super().__init__(asked)
        redraw = levels - 1 if redraw is None else redraw
        if redraw >= levels:
            expected = f"1 to {levels - 1}: a view with another production of the class itself is another picture"
            raise DataError(f"redraw={redraw} of levels={levels}", expected, f"write redraw={levels - 1}", "redraw")
        if branches**levels > 4096:
            actual = f"branches={branches} and levels={levels}: {branches**levels} leaves"
            raise DataError(actual, "4096 at most", "write levels=3", "levels")
        self.grammar, self.redraw = Grammar(symbols, synonyms, levels, branches, grammar), redraw

    def load(self, data_dir: Path, seed: int = 0, frames: int = 1) -> Dataset:
        """Draw the trees.

        Args:
            data_dir: of nothing.
            seed: of the trees; the grammar has its own.
            frames: views of each training tree, which differ in the productions of the lowest levels.

        Returns:
            One-hot leaves as pictures, uint8 0 or 255, ``(sample, row, column, symbol)``, with frames after the first axis. No
            picture of the test is among those of training.

        Raises:
            DataError: a grammar with too few pictures.
        """
        rng, kinds = np.random.default_rng([seed, _TREES]), self.grammar.symbols
        labels = rng.permutation(np.arange(TRAIN) % kinds)
        train = self.grammar.write(rng, labels, frames, self.redraw)
        test_labels = rng.permutation(np.arange(TEST) % kinds)
        test = self._unseen(rng, test_labels, {leaves.tobytes() for leaves in train.reshape(-1, train.shape[-1])})
        images = self.pictures(train)
        names = tuple(str(kind) for kind in range(kinds))
        return Dataset(
            self.asked, images[:, 0] if frames == 1 else images, labels, self.pictures(test)[:, 0], test_labels, names
        )

    def _unseen(self, rng: np.random.Generator, labels: Array, seen: set[bytes]) -> Array:
        """Trees of which none has the leaves of one that was seen."""
        test = self.grammar.write(rng, labels, 1, 0)
        for _ in range(_TRIES):
            again = np.array([leaves.tobytes() in seen for leaves in test])
            if not again.any():
                return test
            test[again] = self.grammar.write(rng, labels[again], 1, 0)
        grammar = self.grammar
        nodes = (grammar.branches**grammar.levels - 1) // (grammar.branches - 1)
        count = grammar.symbols * grammar.synonyms**nodes
        actual = f"rhm: a grammar of {count} pictures for {TRAIN} training and {TEST} test pictures"
        raise DataError(actual, "many more pictures than are shown", "write levels=3 and synonyms=4", "synonyms")

    def pictures(self, leaves: Array) -> Array:
        """Leaves ``(sample, frame, leaf)`` as pictures, uint8 ``(sample, frame, row, column, symbol)``."""
        side, levels = math.isqrt(self.grammar.branches), self.grammar.levels
        samples, frames, count = leaves.shape
        if side**2 == self.grammar.branches:
            # A leaf's number has a digit a level, and a digit a row and a column of that level's square.
            squares = leaves.reshape(samples, frames, *(side,) * (2 * levels))
            rows, columns = (tuple(range(2 + first, 2 + 2 * levels, 2)) for first in (0, 1))
            placed = squares.transpose(0, 1, *rows, *columns).reshape(samples, frames, side**levels, side**levels)
        else:
            placed = leaves.reshape(samples, frames, 1, count)
        one_hot: Array = (placed[..., None] == np.arange(self.grammar.symbols)).astype(np.uint8) * np.uint8(255)
        return one_hot
