"""The sections of a configuration: every field with its unit, range, choices and help, declared here and nowhere else.

The defaults are those of the built-in images; where others are better, a recipe has them (`neurosim.training.recipe`). What a
plug-in takes (the order of ``ll``, the lags of ``hinge``) is declared in its constructor and held in ``options``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from neurosim.core.options import Option
from neurosim.data.views.framing import grid
from neurosim.errors import WiringError
from neurosim.kernels.devices import DEVICES, PRECISIONS
from neurosim.networks.text import written
from neurosim.readout.results import READ_OUTS
from neurosim.training.section import Section, as_keyword, fields

SCHEDULES = ("constant", "cosine", "linear")
VIEWS = ("deform", "motion", "gaze", "still")
PIXELS = ("centred", "unit")
TRACKS = ("tensorboard", "wandb")
READOUTS = tuple(READ_OUTS)


@dataclass(frozen=True)
class Data(Section):
    """Which pictures."""

    name: Annotated[str, Option("Which pictures.", short="")] = as_keyword("data", "toys")
    dir: Annotated[
        str | None,
        Option("Where the files of cifar10, cifar100 and stl10 are.", metavar="FOLDER"),
    ] = as_keyword("data_dir", None)
    images: Annotated[
        int | None,
        Option(
            "Train on the first so many images.", unit="images", low=1, none="all", short="train on the first so many"
        ),
    ] = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Views(Section):
    """What is seen of a picture, and how its views differ."""

    kind: Annotated[
        str,
        Option(
            "deform, motion (toys, rhm: two moments of a solid, two views of a tree), gaze (patches) or still (each picture "
            "once, as it is, for rules that compare nothing).",
            choices=VIEWS,
            short="",
        ),
    ] = as_keyword("views", "deform")
    deformation: Annotated[str, Option("How views are deformed.")] = "affine"
    crop: Annotated[
        int | None, Option("Look at a part of so many rows and columns.", unit="pixels", low=1, none="all")
    ] = None
    patch: Annotated[
        int | None,
        Option("clapp, gaze: rows of a patch; patches overlap by half.", unit="pixels", low=2),
    ] = None
    grey: Annotated[bool, Option("Look at brightness alone.")] = False
    pixels: Annotated[str, Option("Pixels enter in -1..1 (centred) or 0..1 (unit).", choices=PIXELS)] = "centred"
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def grid(self) -> int | None:
        """Rows of patches in a crop; None without patches."""
        return None if self.patch is None or self.crop is None else grid(self.crop, self.patch)

    @property
    def single(self) -> bool:
        """Whether a picture has no second view: patches of one, or one as it is."""
        return self.patch is not None or self.kind == "still"


@dataclass(frozen=True)
class Network(Section):
    """Populations and projections."""

    name: Annotated[
        str,
        Option('A text, as "32 hardtanh, 32 pool, 512 pool", or a name.', short="a text, or"),
    ] = as_keyword("network", "small")
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The layers, also of a preset."""
        return written(self.name, **self.options)


@dataclass(frozen=True)
class Rule(Section):
    """Who gets the error, and how."""

    name: Annotated[str, Option("Who gets the error.", short="")] = as_keyword("rule", "ll")
    block: Annotated[bool, Option("Only what is active now (view 2) learns.")] = True
    feedback_gain: Annotated[float, Option("Multiplies the initial weights of feedback.", low=0)] = 1.0
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Loss(Section):
    """How two views' activities are compared."""

    name: Annotated[str, Option("How activities are compared.", short="")] = as_keyword("loss", "hinge")
    match: Annotated[bool, Option("Scale heads at the start so that images lie THRESHOLD apart.")] = True
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Plasticity(Section):
    """How outer products become a lasting change."""

    name: Annotated[str, Option("How weights change.", short="")] = as_keyword("plasticity", "signum")
    rate: Annotated[
        float,
        Option(
            "Learning rate; signum and ladder count it in initial bounds of the weights.", low=0, short="learning rate"
        ),
    ] = 0.01
    head_rate: Annotated[
        float, Option("Rate of heads and of their feedback, in units of the rate.", unit="rates", low=0)
    ] = 1.0
    layer_rates: Annotated[
        tuple[float, ...] | None,
        Option(
            "Rate of each layer, bottom first, in units of the rate: 1,1,0.5; 0: it stays as drawn; "
            "a number followed by ... is repeated as often as the network has layers for.",
            unit="rates",
            low=0,
            metavar="R1,R2,...",
        ),
    ] = None
    schedule: Annotated[str, Option("Of the rate.", choices=SCHEDULES)] = "cosine"
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layer_rates is not None and not any(self.layer_rates):
            shown = ",".join(f"{rate:g}" for rate in self.layer_rates)
            raise WiringError(
                f"layer_rates={shown}",
                "numbers of at least 0, not all of them 0",
                "write layer_rates=1,1,0.5",
                argument="layer_rates",
            )


@dataclass(frozen=True)
class Training(Section):
    """How long, on what, and what is watched."""

    epochs: Annotated[
        int,
        Option(
            "Passes through the images (ll greedy and random: a layer).",
            unit="epochs",
            low=1,
            short="passes through the images",
        ),
    ] = 6
    batch: Annotated[
        int, Option("Moments of the stream computed at once.", unit="moments", low=2, short="computed at once")
    ] = 100
    seed: Annotated[int, Option("Of weights, order, deformations.", low=0, short="of weights, order, deformations")] = 0
    batches: Annotated[
        int | None,
        Option("Batches of an epoch, at most; others come in the next one.", unit="batches", low=1, none="all"),
    ] = None
    minutes: Annotated[
        float | None,
        Option(
            "Train about so long instead: epochs, or the batches of one, are fixed at the start from the speed measured.",
            unit="minutes",
            above=0,
        ),
    ] = None
    threads: Annotated[int | None, Option("Any number gives the same bits.", low=1, none="all")] = None
    device: Annotated[
        str, Option("cpu, gpu, or auto: a GPU where there is one.", choices=DEVICES, metavar="DEVICE", short="auto, or")
    ] = "cpu"
    precision: Annotated[str, Option("float32, float64; of a GPU's products also tf32.", choices=PRECISIONS)] = (
        "float32"
    )
    diagnose_every: Annotated[
        int | None,
        Option(
            "Every N batches: angles to forward weights and to bp, active hinges, sparsity, dead and saturated units, "
            "effective dimensions, a small read-out; in metrics.csv.",
            unit="batches",
            low=1,
            metavar="N",
            none="never",
        ),
    ] = None
    record: Annotated[
        str | None,
        Option(
            "Write arrays of the plan over time into recorded.npz: names that explain shows, with commas between, or a kind "
            "of array, as memory.",
            metavar="NAME,...",
            short="arrays of explain, or memory, over time",
        ),
    ] = None
    record_every: Annotated[int, Option("From one recording to the next.", unit="batches", low=1)] = 10
    track: Annotated[
        str | None,
        Option("Write metrics for tensorboard or wandb (offline), too; metrics.csv has them anyway.", choices=TRACKS),
    ] = None

    def __post_init__(self) -> None:
        if isinstance(self.record, list | tuple):
            object.__setattr__(self, "record", ",".join(map(str, self.record)))
        super().__post_init__()


@dataclass(frozen=True)
class Readout(Section):
    """How features are read out after training."""

    name: Annotated[
        str, Option("lbfgs, ridge, adam (the paper's), hinge (plausible) or knn.", choices=READOUTS, short="")
    ] = as_keyword("readout", "lbfgs")
    images: Annotated[
        int, Option("Labelled training images of the read-out: its largest number of labels.", unit="images", low=10)
    ] = as_keyword("readout_images", 10000)
    labels: Annotated[
        tuple[float, ...] | None,
        Option(
            "Numbers of labels, each averaged over draws of so many; the largest sets READOUT_IMAGES where that is not "
            "given. By default 100, 500, 2000 and READOUT_IMAGES.",
            unit="labels",
            low=10,
            metavar="N1,N2,...",
            none="standard",
            short="numbers of labels of the curve",
        ),
    ] = None

    def __post_init__(self) -> None:
        if isinstance(self.labels, str) and self.labels != "standard":
            object.__setattr__(self, "labels", label_numbers(self.labels))
        super().__post_init__()
        if self.labels is None:
            return
        if not self.labels or any(count != int(count) for count in self.labels):
            raise _no_numbers(",".join(f"{count:g}" for count in self.labels))
        object.__setattr__(self, "labels", tuple(map(int, self.labels)))
        if max(self.labels) > self.images:
            raise WiringError(
                f"labels={int(max(self.labels))} beside readout_images={self.images}",
                "numbers up to readout_images, which is the largest",
                "leave readout_images out",
                argument="labels",
            )


def label_numbers(labels: str | Sequence[float]) -> tuple[int, ...]:
    """Numbers of labels as they are typed, with commas between; of a sequence its numbers.

    Raises:
        WiringError: something else.
    """
    try:
        return tuple(int(part) for part in (labels.split(",") if isinstance(labels, str) else labels))
    except ValueError:
        raise _no_numbers(str(labels)) from None


def _no_numbers(labels: str) -> WiringError:
    expected, instead = "whole numbers with commas between", "write labels=100,500,2000"
    return WiringError(f"labels={labels or '()'}", expected, instead, argument="labels")


SECTIONS: dict[str, type[Section]] = {
    "data": Data,
    "views": Views,
    "network": Network,
    "rule": Rule,
    "loss": Loss,
    "plasticity": Plasticity,
    "training": Training,
    "readout": Readout,
}
# Flat keyword -> (section, field).
KEYWORDS = {each.name: (name, word) for name, section in SECTIONS.items() for word, each in fields(section).items()}
# Section -> the field that names its plug-in.
PLUGGED = {
    name: "deformation" if name == "views" else "name"
    for name, section in SECTIONS.items()
    if "options" in section.__dataclass_fields__
}
