"""What a data set is to the rest of the program: a name, where its files are, and how they are read."""

from __future__ import annotations

import os
import shlex
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from neurosim.data.dataset import Dataset
from neurosim.errors import DataError


@dataclass(frozen=True)
class Archive:
    """One archive: its address, its MD5 checksum as published there, and about how many bytes it and its files take."""

    url: str
    md5: str
    unpacked: int


@dataclass(frozen=True)
class Files:
    """The files of a data set that can be fetched, in the data folder.

    Args:
        name: of the data set.
        binary: the name of their folder, in the archive and on the disk.
        archives: the names of the archives they come in; the first is the one that is fetched.
        archive: where that one comes from.
    """

    name: str
    binary: str
    archives: tuple[str, ...]
    archive: Archive

    @property
    def sizes(self) -> dict[str, int]:
        """Every file of images and labels, and its official size in bytes."""
        raise NotImplementedError

    def wanted(self) -> dict[str, str]:
        """Name in the archive -> name on the disk of every file that is read."""
        return {f"{self.binary}/{file}": file for file in self.sizes}

    def find(self, data_dir: Path) -> Path | None:
        """The folder in (or at) ``data_dir`` that holds files of the set, whole or not; None where there is none."""
        for folder in (data_dir / self.binary, data_dir):
            if any(os.path.isfile(folder / file) for file in self.sizes):
                return folder
        return None

    def complete(self, folder: Path) -> bool:
        """Whether ``folder`` has every file at its official size."""
        paths = {folder / file: size for file, size in self.sizes.items()}
        return all(os.path.isfile(path) and os.path.getsize(path) == size for path, size in paths.items())

    def located(self, data_dir: Path) -> Path:
        """As `find`.

        Raises:
            DataError: none is there; it says how to get them.
        """
        folder = self.find(data_dir)
        if folder is not None:
            return folder
        for name in self.archives:
            path = data_dir / name
            if os.path.isfile(path):
                where, what = shlex.quote(str(data_dir)), shlex.quote(str(path))
                raise DataError(
                    f"{path} is not extracted", "its files", f"extract it with `tar -xzf {what} -C {where}`"
                )
        fetch = f"fetch it with `{self._command(data_dir)}`, or give another data_dir"
        raise DataError(f"no {self.name} in {data_dir}", f"the folder {self._folders()} in it", fetch)

    def again(self, folder: Path) -> str:
        """What to do about a broken file in ``folder``."""
        parent = folder.parent if folder.name in self._folders().split(" or ") else folder
        return f"remove it and fetch it again with `{self._command(parent)}`"

    def _folders(self) -> str:
        return self.binary

    def _command(self, data_dir: Path) -> str:
        return f"neurosim data fetch {self.name} --data-dir {shlex.quote(str(data_dir))}"


class Source(ABC):
    """A data set that is found by its name; one file each in this folder.

    A class may stand for a form of names, as ``folder:PATH``: it then has a static method ``claims(name)``.

    Attributes:
        name: as it is typed.
        summary: what it is, in a line.
        images: how many, in words: training and test images.
        image: (row, column, channel) of every image; None: any.
        motion: whether it has several frames of one object, to be two views of it.
        strengths: of deformations, by their name, where nothing else is asked for; none: the published ones.
        files: what can be fetched; None: nothing.

    Args:
        asked: the name that was asked for.
    """

    name: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    images: ClassVar[str] = "any"
    image: ClassVar[tuple[int, int, int] | None] = None
    motion: ClassVar[bool] = False
    strengths: ClassVar[Mapping[str, Mapping[str, float]]] = {}
    files: ClassVar[Files | None] = None

    def __init__(self, asked: str = "") -> None:
        self.asked = asked or self.name

    @abstractmethod
    def load(self, data_dir: Path, seed: int = 0, frames: int = 1) -> Dataset:
        """Read or make the images.

        Args:
            data_dir: where files that can be fetched are.
            seed: of images that are drawn; files are what they are.
            frames: of each object; 1 unless `motion`.

        Raises:
            DataError: files that are not there or cannot be used.
        """

    def check(self, data_dir: Path) -> tuple[list[tuple[str, str]], Dataset]:
        """What would be read, in words: a word and a text a line; and what was read.

        Args:
            data_dir: as for `load`.

        Raises:
            DataError: as `load`.
        """
        from neurosim.data.pictures.described import described  # nobody else needs the pictures' files here

        found = self.load(data_dir)
        return described(found), found

    def place(self, data_dir: Path) -> str:
        """Where its files are, in words for a table."""
        if self.files is None:
            return "yours" if hasattr(self, "claims") else "built in"
        folder = self.files.find(data_dir)
        return f"not in {data_dir}" if folder is None else str(folder)

    @classmethod
    def size(cls) -> str:
        """Of one image, in words for a table."""
        return "any, one size" if cls.image is None else " x ".join(map(str, cls.image))
