"""Picture files in folders: which there are, what is left out and why, and which labels the layout gives them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from neurosim.errors import DataError

JUNK = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir"})
TEST = ("test", "val", "valid", "validation")  # what stands beside ``train``; the first that is there is the test
ENDINGS = frozenset(
    (
        "avif",
        "bmp",
        "gif",
        "j2k",
        "jp2",
        "jpe",
        "jpeg",
        "jpg",
        "mpo",
        "pgm",
        "png",
        "pnm",
        "ppm",
        "pbm",
        "tif",
        "tiff",
        "webp",
    )
)


@dataclass
class Found:
    """What is in a folder.

    Attributes:
        root: the folder.
        files: paths below it, as their parts; in order.
        skipped: reason -> paths that are not read.
    """

    root: Path
    files: list[tuple[str, ...]] = field(default_factory=list)
    skipped: dict[str, list[str]] = field(default_factory=dict)

    def skip(self, reason: str, parts: tuple[str, ...]) -> None:
        """Note a path that is not read."""
        self.skipped.setdefault(reason, []).append(shown("/".join(parts)))


@dataclass(frozen=True)
class Layout:
    """Files with what the folders say of them.

    Attributes:
        files: paths below the root, as their parts.
        tests: whether each is of the test; None: nothing is set apart.
        kinds: the name of each one's class; None: no labels.
        why: why there are none, in words.
    """

    files: list[tuple[str, ...]]
    tests: list[bool] | None
    kinds: list[str] | None
    why: str = ""


def shown(name: str) -> str:
    """A file's name as it can be printed, whatever bytes it is made of."""
    return "".join(c if c.isprintable() else "?" for c in name.encode("utf-8", "replace").decode("utf-8"))


def walk(root: Path) -> Found:
    """Every file below a folder, in order; links are followed, but not into a folder above them.

    Raises:
        DataError: no such folder, or one that cannot be listed.
    """
    found = Found(root)
    try:
        with os.scandir(root) as entries:
            first = sorted(entries, key=lambda entry: entry.name)
        place = os.stat(root)
    except OSError as error:
        raise DataError(f"{root}: {error.strerror}", "a folder of pictures", "check the path") from None
    _enter(found, first, (), ((place.st_dev, place.st_ino),))
    return found


def _enter(
    found: Found, entries: list[os.DirEntry[str]], parts: tuple[str, ...], above: tuple[tuple[int, int], ...]
) -> None:
    for entry in entries:
        path = (*parts, entry.name)
        if entry.name.startswith(".") or entry.name.lower() in JUNK:
            found.skip("junk", path)
            continue
        try:
            if entry.is_dir():
                place = entry.stat()
                own = place.st_dev, place.st_ino
                if own in above:
                    found.skip("a link to a folder above it", path)
                    continue
                with os.scandir(entry.path) as inside:
                    below = sorted(inside, key=lambda one: one.name)
                _enter(found, below, path, (*above, own))
            elif entry.is_file():
                found.files.append(path)
            else:
                found.skip("a link to nothing" if entry.is_symlink() else "no plain file", path)
        except (OSError, RecursionError) as error:
            found.skip(f"cannot be opened ({getattr(error, 'strerror', None) or 'too deep'})", path)


def laid_out(found: Found, labelled: bool = True) -> Layout:
    """Read the layout: ``{train,test}/CLASS/...``, ``CLASS/...``, or pictures without labels in any folders.

    Args:
        found: what there is; files that are not part of the layout are noted there as skipped.
        labelled: whether folders are classes.

    Raises:
        DataError: ``train`` without a test, or the other way round.
    """
    tops = {parts[0] for parts in found.files if len(parts) > 1}
    tests = [name for name in TEST if name in tops]
    if "train" in tops and tests:
        return _split(found, tests[0], labelled)
    for one, other in (("train", "test"), ("test", "train")):
        if one in tops:
            hint = f"add {found.root / other}, or name {found.root / one} itself to have it divided"
            raise DataError(f"{found.root} has a folder {one} but none {other}", "both, or class folders alone", hint)
    kept, kinds, why = _classes(found, found.files, 0, labelled)
    return Layout(kept, None, kinds, why)


def _split(found: Found, test: str, labelled: bool) -> Layout:
    groups: dict[str, list[tuple[str, ...]]] = {"train": [], test: []}
    for parts in found.files:
        if parts[0] in groups and len(parts) > 1:
            groups[parts[0]].append(parts)
        else:
            found.skip(f"beside train and {test}", parts)
    read = {name: _classes(found, files, 1, labelled) for name, files in groups.items()}
    files = [parts for name in read for parts in read[name][0]]
    tests = [name == test for name in read for _ in read[name][0]]
    kinds = [read[name][1] for name in read]
    whys = [read[name][2] for name in read if read[name][2]]
    if whys or any(kind is None for kind in kinds):
        return Layout(files, tests, None, whys[0])
    return Layout(files, tests, [kind for group in kinds for kind in group or []])


def _classes(
    found: Found, files: list[tuple[str, ...]], depth: int, labelled: bool
) -> tuple[list[tuple[str, ...]], list[str] | None, str]:
    """The files of class folders and their classes; all files, None and why where there are no classes."""
    inside = [parts for parts in files if len(parts) > depth + 1]
    kinds = sorted({parts[depth] for parts in inside})
    if not labelled:
        return files, None, "folders are no classes here"
    if len(kinds) < 2:
        return files, None, f"one folder, {shown(kinds[0])!r}, is no choice of classes" if kinds else "no class folders"
    for parts in files:
        if len(parts) <= depth + 1:
            found.skip("beside the class folders", parts)
    return inside, [shown(parts[depth]) for parts in inside], ""


def ending(name: str) -> str:
    """A file's ending in small letters, without its dot."""
    return name.rpartition(".")[2].lower() if "." in name else ""
