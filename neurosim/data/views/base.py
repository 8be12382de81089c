"""What a deformation is to the rest of the program: a kernel, what the kernel takes of each view, and how that is drawn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from neurosim.core.options import check, parameters
from neurosim.core.typing import Array


class Deformation(ABC):
    """How views of one picture are made to differ; one file each in this folder.

    A derived class is a frozen dataclass: its fields are the strengths, declared with `neurosim.core.options.Option`.

    Attributes:
        name: as it is typed.
        kernel: of the effect; its other arguments are ``image``, ``(sample, row, column, channel)``, and ``out``, alike.

    Raises:
        WiringError: a strength out of its range.
    """

    name: ClassVar[str] = ""
    kernel: ClassVar[str] = ""

    def __post_init__(self) -> None:
        check(parameters(type(self)), vars(self))

    @abstractmethod
    def draw(self, rng: np.random.Generator, count: int) -> dict[str, Array]:
        """Draw the parameters of ``count`` views, on the host, so that every device has the same ones.

        Args:
            rng: the generator; as many numbers are taken for each view, view after view, whatever the strengths. So a
                draw of n views and a draw of m give what one draw of n + m gives.
            count: how many views.

        Returns:
            The kernel's arguments that differ from view to view by name, each with ``count`` rows.
        """
