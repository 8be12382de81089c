"""Many picture files looked at before any is decoded: what each is, what is wrong with it, and a digest of its content."""

from __future__ import annotations

import contextlib
import hashlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple, TypeVar

from neurosim.core.cores import cores
from neurosim.core.reading import why
from neurosim.data.pictures.decode import Facts, UnreadableError, look

T = TypeVar("T")
R = TypeVar("R")
_BLOCK = 1 << 20  # bytes read at once
Watch = Callable[[str, int, int], object]  # what is done, how many are done, of how many


class Item(NamedTuple):
    """One picture file, wherever it is.

    Attributes:
        where: its name, as it can be printed.
        open: gives its bytes as a file that can be read from any place; raises OSError.
    """

    where: str
    open: Callable[[], BinaryIO]


@dataclass(frozen=True)
class Survey:
    """What was seen.

    Attributes:
        items: the files.
        facts: of each; None where it is no picture.
        digests: SHA-256 of each one's content, empty where it is no picture.
        problems: number of an item -> why it is not read.
    """

    items: Sequence[Item]
    facts: list[Facts | None]
    digests: list[bytes]
    problems: dict[int, str] = field(default_factory=dict)

    def chosen(self, numbers: Iterable[int]) -> Survey:
        """The same of some items alone, which are pictures."""
        kept = list(numbers)
        return Survey([self.items[n] for n in kept], [self.facts[n] for n in kept], [self.digests[n] for n in kept])


def nothing(what: str, done: int, count: int) -> None:
    """Shows no progress."""


# Who is shown how far a long reading is: the command line sets it, a source's `load` has no argument for it.
WATCH: ContextVar[Watch] = ContextVar("watch", default=nothing)


def survey(items: Sequence[Item]) -> Survey:
    """Look at every file, on all cores."""
    facts: list[Facts | None] = []
    digests: list[bytes] = []
    problems = {}
    for number, (seen, digest, problem) in enumerate(on_all_cores(_look, items, "looking at files")):
        facts.append(seen)
        digests.append(digest)
        if problem:
            problems[number] = problem
    return Survey(items, facts, digests, problems)


def _look(item: Item) -> tuple[Facts | None, bytes, str]:
    try:
        with item.open() as file:
            facts = look(file)
            file.seek(0)
            digest = hashlib.sha256()
            while block := file.read(_BLOCK):
                digest.update(block)
            return facts, digest.digest(), ""
    except UnreadableError as problem:
        return None, b"", str(problem)
    except OSError as error:
        return None, b"", f"it cannot be opened: {why(error)}"


def on_all_cores(work: Callable[[T], R], given: Sequence[T], what: str, block: int = 1024) -> Iterator[R]:
    """The results of a function of each, in order; Pillow and hashes let go of the interpreter's lock.

    Args:
        work: the function.
        given: its arguments.
        what: is done, for whoever is shown the progress.
        block: calls that wait at once.
    """
    watch = WATCH.get()
    with _quiet(), ThreadPoolExecutor(cores()[0]) as pool:
        for start in range(0, len(given), block):
            for number, result in enumerate(pool.map(work, given[start : start + block]), start + 1):
                if number % 64 == 0 or number == len(given):
                    watch(what, number, len(given))
                yield result


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without Pillow's remarks on odd but readable files."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
