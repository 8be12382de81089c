"""What a preset is: a network's text under a name."""

from __future__ import annotations

from typing import ClassVar


class Preset:
    """A network known by a name; one file each in this folder.

    A class whose text depends on options of its own declares them in its constructor and sets ``text`` there.

    Attributes:
        name: as it is typed.
        text: of the network, see `neurosim.networks.text.parse`.
    """

    name: ClassVar[str] = ""
    text: str = ""

    def __str__(self) -> str:
        return self.text
