"""Pictures in tar shards, as WebDataset keeps them: ``webdataset:FOLDER``, or a pattern as ``webdataset:shards/train-*.tar``.

Members of one sample stand together and have one name up to the first dot of the file's: ``0001.jpg`` and ``0001.cls``, a class's
number or name, or ``0001.json`` with a ``label``.
"""

from __future__ import annotations

import functools
import glob
import io
import os
import tarfile
from pathlib import Path
from typing import BinaryIO

from neurosim.core.reading import File, opened, size_of
from neurosim.core.records import check, parsed
from neurosim.data.pictures.gathered import Gathered
from neurosim.data.pictures.survey import Item, survey
from neurosim.data.pictures.walk import ENDINGS, TEST, shown
from neurosim.data.sources.encoded import Encoded
from neurosim.errors import DataError

LONGEST = 1 << 16  # bytes of a class


class WebDataset(Encoded):
    """Shards; where some are called ``train`` and some ``test`` or ``val``, the latter are the test."""

    name = "webdataset:PATH"
    summary = "tar shards of pictures with .cls or .json beside them: a folder, or a pattern"

    @staticmethod
    def claims(name: str) -> bool:
        """Whether a name is ``webdataset:`` and a path."""
        return name.startswith("webdataset:") and name != "webdataset:"

    def gather(self) -> Gathered:
        """Read the table of every shard."""
        asked = os.path.expanduser(self.asked.removeprefix("webdataset:"))
        shards = sorted(map(Path, glob.glob(os.path.join(asked, "*.tar") if os.path.isdir(asked) else asked)))
        if not shards:
            raise DataError(f"no shards at {asked}", "a folder of .tar files, or a pattern", "check the path")
        items: list[Item] = []
        kinds: list[str | None] = []
        tests: list[bool] = []
        skipped: dict[str, list[str]] = {}
        for shard in shards:
            for item, kind in _samples(shard, skipped):
                items.append(item)
                kinds.append(kind)
                tests.append(any(word in shard.name for word in TEST) and "train" not in shard.name)
        return gathered(self.asked, items, kinds, tests, skipped)


def gathered(
    name: str,
    items: list[Item],
    kinds: list[str | None],
    tests: list[bool],
    skipped: dict[str, list[str]] | None = None,
    classes: tuple[str, ...] = (),
) -> Gathered:
    """Pictures of archives, of which each has a class or none, and is of the test or not."""
    seen = survey(items)
    good = [number for number in range(len(items)) if number not in seen.problems]
    broken = {items[number].where: why for number, why in seen.problems.items()}
    labels = [kinds[number] for number in good]
    split = [tests[number] for number in good]
    named = [kind for kind in labels if kind is not None]
    why = "" if len(named) == len(labels) else f"{len(labels) - len(named)} of {len(labels)} pictures have none"
    parted = any(split) and not all(split)
    return Gathered(
        name,
        seen.chosen(good),
        split if parted else None,
        named if named and not why else None,
        classes,
        skipped or {},
        broken,
        why,
    )


def _samples(shard: Path, skipped: dict[str, list[str]]) -> list[tuple[Item, str | None]]:
    """The pictures of a shard, each with the class that stands beside it."""
    pictures: dict[str, Item] = {}
    kinds: dict[str, str] = {}
    damaged = File(shard, "a .tar file, not packed", "unpack or replace it", DataError)
    with damaged.open() as opened, tarfile.open(fileobj=opened, mode="r:") as tar:
        for member in tar:
            folder, slash, file = member.name.rpartition("/")
            key, _, ending = file.partition(".")
            key, where = f"{folder}{slash}{key}", f"{shard.name}/{shown(member.name)}"
            last = ending.rpartition(".")[2].lower()
            if not member.isfile():
                continue
            if last in ENDINGS:
                part = functools.partial(_open, shard, member.offset_data, member.size)
                pictures[key] = Item(where, part)
            elif last in ("cls", "json"):
                kind = _kind(last, tar.extractfile(member))
                kinds |= {} if kind is None else {key: kind}
            else:
                skipped.setdefault("no picture", []).append(where)
    return [(item, kinds.get(key)) for key, item in pictures.items()]


def _kind(ending: str, file: object) -> str | None:
    text = file.read(LONGEST) if isinstance(file, io.BufferedIOBase) else b""
    words = text.decode("utf-8", "replace").strip()
    if ending == "cls":
        return words or None
    try:
        return str(check(parsed(words), {"label": (int, str)})["label"])
    except (ValueError, RecursionError):
        return None


def _open(shard: Path, start: int, size: int) -> BinaryIO:
    with opened(shard) as file:
        file.seek(start)
        return io.BytesIO(file.read(min(size, size_of(file))))
