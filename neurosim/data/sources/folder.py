"""Pictures in folders, one folder a class, or without labels: ``folder:PATH``."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Annotated, BinaryIO

from neurosim.core.options import Option
from neurosim.core.reading import opened
from neurosim.data.dataset import Dataset
from neurosim.data.pictures.decode import Fitting
from neurosim.data.pictures.gathered import Gathered
from neurosim.data.pictures.survey import Item, survey
from neurosim.data.pictures.walk import ENDINGS, ending, laid_out, shown, walk
from neurosim.data.sources.encoded import Background, Encoded, Fit, Size


class Folder(Encoded):
    """Pictures of one's own, in files of any size.

    Args:
        asked: ``folder:PATH``.
        size, fit, background: see `neurosim.data.pictures.decode.Fitting`.
        labelled: whether folders are classes.
    """

    name = "folder:PATH"
    summary = "your pictures: PATH/CLASS/*, PATH/{train,test}/CLASS/*, or any without labels"

    def __init__(
        self,
        asked: str = "",
        size: Size = None,
        fit: Fit = "crop",
        background: Background = "black",
        labelled: Annotated[bool, Option("Folders are classes.")] = True,
    ) -> None:
        super().__init__(asked, size, fit, background)
        self.labelled = labelled

    @staticmethod
    def claims(name: str) -> bool:
        """Whether a name is ``folder:`` and a path."""
        return name.startswith("folder:") and name != "folder:"

    def gather(self) -> Gathered:
        """Walk through the folder, see `neurosim.data.pictures.walk`."""
        return gathered(Path(os.path.expanduser(self.asked.removeprefix("folder:"))), self.asked, self.labelled)


def load(path: Path, name: str | None = None, fitting: Fitting | None = None) -> Dataset:
    """Read a folder; see `Encoded.load`.

    Args:
        path: the folder.
        name: of the data set; ``folder:PATH`` where None.
        fitting: what pictures are brought to; None: they are of one size.

    Raises:
        DataError: as `Encoded.load`.
    """
    path = Path(path)
    return gathered(path, f"folder:{path}" if name is None else name).dataset(fitting or Fitting())[0]


def gathered(path: Path, name: str, labelled: bool = True) -> Gathered:
    """What is in a folder: pictures, recognised by their content, their classes, and what is left out.

    A file that is no picture is broken where its name ends as a picture's does, and is otherwise none.

    Raises:
        DataError: no such folder, or ``train`` without a test.
    """
    found = walk(path)
    items = [Item(shown("/".join(parts)), functools.partial(_open, path.joinpath(*parts))) for parts in found.files]
    seen, broken, places = survey(items), {}, {}
    for number, parts in enumerate(found.files):
        if number not in seen.problems:
            places[parts] = number
        elif ending(parts[-1]) in ENDINGS or seen.problems[number] != "no picture":
            broken[items[number].where] = seen.problems[number]
        else:
            found.skip("no picture", parts)
    found.files = list(places)
    layout = laid_out(found, labelled)
    chosen = seen.chosen(places[parts] for parts in layout.files)
    return Gathered(name, chosen, layout.tests, layout.kinds, (), found.skipped, broken, layout.why)


def _open(path: Path) -> BinaryIO:
    return opened(path)
