"""The protocol of a table at a scale: how many images, epochs, moments a batch, and at which rate.

At scale 1 it is the paper's, with views and pixels as the authors' code has them (docs/results.md lists what differs). At
scale S < 1 a cell sees S times as many images, with the shape of the protocol kept:

==================== ============== ============================================================================
what                 times          why
==================== ============== ============================================================================
epochs               S^(2/3)        the fewer epochs, the more different images there should be among those seen
images               S^(1/3)        what whole epochs leave: images x epochs are S times the published ones
moments a batch      S^(1/3)        as many batches an epoch as published; at least 16
rate of Adam         S^(-1/6)       fewer changes (S^(2/3)), by smaller batches (S^(1/3)); at most 1e-3
labelled images      S^(1/3)        of the read-out; at least 5000
==================== ============== ============================================================================

Below scale 1 the rate falls to zero along a cosine, heads are scaled at the start so that images lie ``threshold``
apart (`neurosim.training.model.Model.ready`): the long published training finds such distances by itself; and the
read-out is fitted to the end by L-BFGS instead of 200 epochs of Adam, which takes five times as long as that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neurosim.errors import WiringError
from neurosim.reproduce.cells import DTP
from neurosim.training.config import Config

if TYPE_CHECKING:
    from neurosim.reproduce.cells import Cell, Table

LEAST_BATCH, LARGEST_RATE, LEAST_LABELLED = 16, 1e-3, 5000
DTP_RATE = 2.0  # target propagation learns at 2e-4 where the others learn at 1e-4
APART = ("threads", "data_dir", "seed")  # options that do not make another protocol
BOUGHT = ("epochs", "batches")  # what a budget of minutes fixes, from the speed of the moment


@dataclass(frozen=True)
class Protocol:
    """What every cell of a table has in common.

    Args:
        table: whose.
        scale: S, over 0 and up to 1.
        encoder: the data that the encoder learns from, `Table.encoder` or another.
        available: images there are for the encoder.
        labelled: labelled training images there are for the read-out.
        network: instead of the paper's; None: the paper's.
        readout: how features are read out; None: as published, by Adam, at scale 1, by L-BFGS below.
        device: of the arithmetic; None: the CPU.
        precision: of the arithmetic; None: float32.

    Raises:
        WiringError: a scale out of range.
    """

    table: Table
    scale: float
    encoder: str
    available: int
    labelled: int
    network: str | None = None
    readout: str | None = None
    device: str | None = None
    precision: str | None = None

    def __post_init__(self) -> None:
        check_scale(self.scale)

    @property
    def root(self) -> float:
        """S^(1/3)."""
        return float(self.scale ** (1 / 3))

    @property
    def batch(self) -> int:
        """Moments a batch."""
        return max(min(self.table.batch, LEAST_BATCH), round(self.table.batch * self.root))

    @property
    def images(self) -> int:
        """Images of the encoder: a batch at least, and no more than there are; all where cells have minutes."""
        if self.table.minutes is not None:
            return self.available
        return min(
            self.available, max(self.batch, round(self.available * self.table.epochs * self.scale / self.epochs))
        )

    @property
    def epochs(self) -> int:
        """Passes through them; greedy order: a layer, random order: times the number of layers."""
        return max(1, round(self.table.epochs * self.root**2))

    @property
    def rate(self) -> float:
        """Of Adam."""
        return self._rate(1.0)

    def _rate(self, gain: float) -> float:
        rate = gain * self.table.rate
        return rate if self.scale == 1 else float(f"{min(LARGEST_RATE, rate / self.root**0.5):.3g}")

    def config(self, cell: Cell, seed: int, data_dir: str | None = None, threads: int | None = None) -> Config:
        """The configuration of one cell with one seed."""
        whole = self.scale == 1
        labelled = max(LEAST_LABELLED, round(self.labelled * self.root))
        readout = self.readout or ("adam" if whole else "lbfgs")
        network = str(self.network or cell.options.get("network") or self.table.network)
        given = {
            "data": self.encoder,
            "data_dir": data_dir,
            "threads": threads,
            "seed": seed,
            "images": self.images,
            "epochs": self.epochs,
            "batch": self.batch,
            "plasticity": "adam",
            "rate": self._rate(DTP_RATE if cell.options["rule"] == "dtp" else 1.0),
            "head_rate": 1.0,
            "feedback_gain": 1.0,
            "layer_rates": "1...",  # of every layer
            "schedule": "constant" if whole else "cosine",
            "match": not whole,
            "readout": readout,
            "device": self.device,
            "precision": self.precision,
            "readout_images": min(labelled, max(10, self.labelled)),
            **(self._views(cell) if whole else {}),
            **cell.options,
        }
        if "minutes" in given:
            del given["epochs"]  # as many as they buy
        return Config.resolve(**{**given, "network": network})

    def _views(self, cell: Cell) -> dict[str, object]:
        """How the authors' code shows CIFAR: half of each view's images keep their geometry, pixels enter as 0..1.

        Target propagation deforms all images, and its images and those of its floor lie in -1..1; of patches nothing is said.
        """
        if self.table.name != "table1" or "patch" in cell.options or cell.options.get("network") == DTP["network"]:
            return {}
        return {"deform_share": 0.5, "pixels": "unit"}

    def identity(self, cell: Cell, seed: int) -> dict[str, Any]:
        """What a kept result must have been made with: every option but those that change nothing in it."""
        return self.described(self.config(cell, seed))

    def described(self, config: Config) -> dict[str, Any]:
        """The same of any configuration."""
        options, left = config.flat(), APART if config.training.minutes is None else (*APART, *BOUGHT)
        return {name: value for name, value in options.items() if name not in left} | {
            "read-out data": self.table.readout
        }

    def title(self) -> str:
        """One line: which table, at which scale, on which data."""
        table, number = self.table, self.table.name[-1]
        alone = self.encoder == table.readout
        data = f"{table.readout} alone" if alone else f"encoder on {self.encoder}, read-out on {table.readout}"
        if self.table.name == "table2":
            data = "STL-10, encoder on unlabelled images, read-out on labelled ones"
        else:
            data = data.replace("cifar", "CIFAR-")
        other = "" if self.network is None else f", network {self.network!r} instead of the paper's"
        if table.minutes is not None:
            return f"Table {number} with {table.minutes:g} minutes of training a cell, not the paper's protocol: {data}{other}"
        if self.scale == 1:
            return f"Table {number}, the paper's protocol: {data}{other}"
        return f"Table {number} at scale {self.scale:g}, not the paper's protocol: {data}{other}"

    def note(self) -> str:
        """One line: the numbers of the protocol beside the published ones."""
        table = self.table
        how = self.config(table.cells[0], 0).readout.name
        numbers = (
            f"{self.images} images x {self.epochs} epochs (a layer in greedy order) in batches of {self.batch}, "
            f"Adam at {self.rate:g}, dtp {self._rate(DTP_RATE):g}; read-out by {how}"
        )
        if table.minutes is not None:
            numbers = numbers.replace(f"x {self.epochs} epochs (a layer in greedy order)", "as often as minutes allow")
        if self.scale == 1:
            return numbers
        return (
            f"{numbers}; the rate falls along a cosine, heads are matched; published: all images x {table.epochs} epochs, "
            f"batches of {table.batch}, Adam at {table.rate:g}, read-out by adam"
        )


def check_scale(scale: float) -> None:
    """Check that a scale is one.

    Raises:
        WiringError: it is not over 0 and up to 1.
    """
    if not 0 < scale <= 1:
        raise WiringError(
            f"scale={scale:g}", "a number over 0 and up to 1, the paper's protocol", "write scale=0.001", "scale"
        )
