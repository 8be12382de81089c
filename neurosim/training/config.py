"""What a run is asked to do: every option, its default, its range. `config.json` is this, and runs it again."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass

from neurosim import losses
from neurosim.data.views.framing import grid
from neurosim.errors import RunError, WiringError
from neurosim.kernels.devices import PRECISIONS

SCHEDULES = ("constant", "cosine", "linear")
VIEWS = ("deform", "motion", "gaze")
DEFORMATIONS = ("affine", "simclr")
READOUTS = ("lbfgs", "adam", "hinge", "knn")

# A rule takes some of these options, or none; a loss likewise.
OF_RULES = ("order", "feedback", "top", "target_step", "noise", "inverse_rate", "inverse_steps", "inverse_first")
OF_LOSSES = ("lags", "negative_weight", "threshold", "delta", "temperature", "negatives")
# Where the best settings differ from those of the built-in images; docs/results.md has the measurements.
OF_PHOTOGRAPHS = {"network": "conv5", "epochs": 1, "batch": 50, "lags": 20, "rate": 0.03, "head_rate": 1.7,
                  "feedback_gain": 0.1}  # fmt: skip
# Of conv5: a top layer that learns for so few batches reads out worse than one that stays as drawn.
OF_CONV5 = {"layer_rates": (0.3, 1.0, 1.5, 1.5, 0.0)}
# Feedback of its own along the top layer must learn with it, or the error that it sends down never meets the weights.
# Through fixed feedback every larger rate tried made the features worse.
OF_FEEDBACK = {"layer_rates": (0.3, 1.0, 1.5, 1.5, 1.0)}
OF_RATES = {"rf": {"rate": 0.001, **OF_FEEDBACK}, "urf": {"rate": 0.02, **OF_FEEDBACK}, "sign": {"rate": 0.02, **OF_FEEDBACK}}
OF_PATCHES = {"rate": 0.004, "head_rate": 1.0}  # every picture changes weights by as many products as it has patches
OF_STL10 = {"network": "vgg6", "crop": 64}
SIZES = {"toys": 32, "cifar10": 32, "cifar100": 32}  # pictures of other sources may have any size
OF_DTP = {"network": "conv4-tanh", "loss": "hinge-mean", "block": False, "match": False, "plasticity": "adam", "rate": 1e-3,
          "head_rate": 1.0, "batch": 50, "epochs": 2, "noise": 2.0, "target_step": 20.0}  # fmt: skip


@dataclass(frozen=True)
class Config:
    """Every option of ``neurosim train``; the names are those of the command line.

    Raises:
        WiringError: a value out of range, named with its option.
    """

    rule: str = "ll"
    order: str | None = None
    feedback: str | None = None
    top: str | None = None
    target_step: float | None = None
    noise: float | None = None
    inverse_rate: float | None = None
    inverse_steps: int | None = None
    inverse_first: int | None = None
    loss: str = "hinge"
    lags: int | None = 5
    block: bool = True
    threshold: float = 2.0
    delta: float = 1.0
    negative_weight: float | None = 1.0
    match: bool = True
    temperature: float = 0.1
    network: str = "small"
    data: str = "toys"
    data_dir: str | None = None
    views: str = "deform"
    images: int | None = None
    epochs: int = 6
    batch: int = 100
    plasticity: str = "signum"
    rate: float = 0.01
    head_rate: float = 1.0
    layer_rates: tuple[float, ...] | None = None
    feedback_gain: float = 1.0
    momentum: float = 0.9
    decay: float = 0.0
    schedule: str = "cosine"
    seed: int = 0
    threads: int | None = None
    device: str = "cpu"
    readout: str = "lbfgs"
    readout_images: int = 10000
    crop: int | None = None
    patch: int | None = None
    grey: bool = False
    negatives: int = 1
    deformation: str = "affine"
    diagnose_every: int | None = None
    precision: str = "float32"

    def __post_init__(self):
        for name, low in (("epochs", 1), ("batch", 2), ("readout_images", 10), ("seed", 0), ("negatives", 1)):
            if getattr(self, name) < low:
                raise WiringError(f"--{name.replace('_', '-')} {getattr(self, name)}", f"a whole number of at least {low}",
                                  "write a larger one")  # fmt: skip
        for name in ("head_rate", "feedback_gain"):
            if not 0 <= getattr(self, name) < math.inf:
                raise WiringError(f"--{name.replace('_', '-')} {getattr(self, name)}", "a number of at least 0",
                                  "write --" + name.replace("_", "-") + " 1")  # fmt: skip
        if self.diagnose_every is not None and self.diagnose_every < 1:
            raise WiringError(f"--diagnose-every {self.diagnose_every}", "at least 1 batch", "leave it out, or write 100")
        if self.layer_rates is not None:
            object.__setattr__(self, "layer_rates", tuple(map(float, self.layer_rates)))  # a list in config.json
            if not all(0 <= gain < math.inf for gain in self.layer_rates) or not any(self.layer_rates):
                told = ",".join(f"{gain:g}" for gain in self.layer_rates)
                raise WiringError(f"--layer-rates {told}", "numbers of at least 0, not all of them 0",
                                  "write --layer-rates 1,1,0.5")  # fmt: skip
        if self.threads is not None and self.threads < 1:
            raise WiringError(f"--threads {self.threads}", "at least 1", "leave it out to use every core")
        for name, known in (("schedule", SCHEDULES), ("views", VIEWS), ("readout", READOUTS), ("deformation", DEFORMATIONS),
                            ("precision", PRECISIONS)):  # fmt: skip
            if getattr(self, name) not in known:
                raise WiringError(f"--{name} {getattr(self, name)}", "one of " + ", ".join(known), f"write --{name} {known[0]}")

    @classmethod
    def resolve(cls, **given) -> Config:
        """Fill what was not given (None) with the defaults of the data set and of the rule.

        Args:
            **given: options by name; ``lags`` may be ``"all"``.

        Raises:
            WiringError: an option given that the loss would ignore, or a value out of range.
        """
        given = {name: value for name, value in given.items() if value is not None}
        data = given.get("data", cls.data)
        filled = OF_PHOTOGRAPHS if data != "toys" else {}
        filled = {**filled, **(OF_STL10 if data == "stl10" else {}), **(OF_DTP if given.get("rule") == "dtp" else {}), **given}
        if data != "toys" and filled["network"] == "conv5" and filled.get("plasticity", cls.plasticity) == "signum":
            filled = {**filled, **OF_RATES.get(filled.get("rule"), OF_CONV5), **given}
        loss = filled.get("loss", cls.loss)
        ignored = [name for name in OF_LOSSES if name in given and name not in losses.options(loss)]
        if ignored:
            option = ignored[0].replace("_", "-")
            raise WiringError(f"--{option} with --loss {loss}", "options that this loss has", f"leave --{option} out")
        if filled.get("lags") == "all":
            filled["lags"] = None
            filled["negative_weight"] = given.get("negative_weight")
        if getattr(losses.find(loss), "patches", False):
            filled |= _gaze(loss, data, given)
        elif "patch" in given or filled.get("views") == "gaze":
            option = f"--patch {given['patch']}" if "patch" in given else "--views gaze"
            raise WiringError(f"{option} with --loss {loss}", "a loss that compares patches, clapp or gaze",
                              "leave it out, or write --loss gaze")  # fmt: skip
        if "deformation" in given and filled.get("views", "deform") != "deform":
            raise WiringError(f"--deformation {given['deformation']} with views by {filled['views']}", "views by deform",
                              "leave it out, or write --views deform with a loss of two views")  # fmt: skip
        return cls(**filled)

    @property
    def grid(self) -> int | None:
        """Rows of patches in a crop; None without patches."""
        return None if self.patch is None else grid(self.crop, self.patch)

    def text(self) -> str:
        """As it is written to config.json."""
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"

    @classmethod
    def read(cls, text: str, where: str) -> Config:
        """From config.json.

        Raises:
            RunError: text that is not such a file, or of another version.
        """
        try:
            values = json.loads(text)["options"]
            return cls(**values)
        except (ValueError, TypeError, KeyError) as problem:
            raise RunError(f"{where} cannot be read ({problem})", "the config.json that this version wrote",
                           "train anew into another folder") from None  # fmt: skip


def _gaze(loss: str, data: str, given: dict) -> dict:
    """What a loss that compares patches asks for, where it was not given.

    Raises:
        WiringError: options that do not go with patches, or pictures without a known way to cut them.
    """
    if given.get("views", "gaze") != "gaze" or given.get("block"):
        option = "--block" if given.get("block") else f"--views {given['views']}"
        raise WiringError(f"{option} with --loss {loss}", "patches of one picture, all of which learn", "leave it out")
    patch = given.get("patch", 16 if data == "stl10" else None)
    if patch is None:
        raise WiringError(f"--loss {loss} with --data {data}, which says nothing of patches",
                          "--data stl10 (patches of 16), or the size of a patch",
                          "write --patch 8, or take another loss")  # fmt: skip
    crop = given.get("crop", OF_STL10["crop"] if data == "stl10" else SIZES.get(data))
    if crop is None:
        raise WiringError(f"--loss {loss} with --data {data} and no --crop", "the size of what is cut into patches",
                          "write --crop and the rows of a picture")  # fmt: skip
    grid(crop, patch)
    slower = {} if given.get("rule") == "dtp" else {name: given.get(name, value) for name, value in OF_PATCHES.items()}
    return slower | {"views": "gaze", "block": False, "patch": patch, "crop": crop, "grey": given.get("grey", True)}
