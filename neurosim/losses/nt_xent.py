"""NT-Xent, the error of SimCLR (Chen et al. 2020): the reference that breaks condition (ii)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from neurosim.core.options import Option
from neurosim.core.plan import Step
from neurosim.losses.base import Loss


class NTXent(Loss):
    """``mean over view 1 + mean over view 2 of -log(exp(s_ip / tau) / sum_j exp(s_ij / tau))``, s the cosine.

    Parameters:
        =========== ==== ==== =======
        name        unit math default
        =========== ==== ==== =======
        temperature 1    tau  0.1
        =========== ==== ==== =======

    Raises:
        WiringError: a temperature that is not positive.
    """

    name = "simclr"
    summary = "NT-Xent of SimCLR: divides and normalises, so it is not plausible; a reference"

    def __init__(self, temperature: Annotated[float, Option("Of the softmax.", above=0)] = 0.1) -> None:
        self.temperature = temperature

    def wire(self, units) -> Iterator[Step]:
        scalars = {"temperature": self.temperature, "scale": 2.0}
        yield from self.together(units, "nt_xent", "e = d NT-Xent(z[1], z[2]; tau) / dz", scalars)
