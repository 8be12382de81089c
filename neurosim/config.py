"""What a run is asked to do: every option, its default, its range. `config.json` is this, and runs it again."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass

from neurosim import losses
from neurosim.errors import RunError, WiringError

SCHEDULES = ("constant", "cosine", "linear")
VIEWS = ("deform", "motion")
READOUTS = ("lbfgs", "adam", "hinge", "knn")

# Where the best settings differ from those of the built-in images; docs/results.md has the measurements.
OF_RULES = ("order", "feedback", "top", "target_step", "noise", "inverse_rate", "inverse_steps")  # a rule takes some or none
OF_LOSSES = ("lags", "negative_weight", "threshold", "delta", "temperature")
OF_PHOTOGRAPHS = {"network": "conv5", "epochs": 1, "batch": 50, "rate": 0.02, "head_rate": 2.5, "feedback_gain": 0.1}


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
    loss: str = "hinge"
    lags: int | None = 20
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
    feedback_gain: float = 1.0
    momentum: float = 0.9
    decay: float = 0.0
    schedule: str = "cosine"
    seed: int = 0
    threads: int | None = None
    device: str = "cpu"
    readout: str = "lbfgs"
    readout_images: int = 10000

    def __post_init__(self):
        for name, low in (("epochs", 1), ("batch", 2), ("readout_images", 10), ("seed", 0)):
            if getattr(self, name) < low:
                raise WiringError(f"--{name.replace('_', '-')} {getattr(self, name)}", f"a whole number of at least {low}",
                                  "write a larger one")  # fmt: skip
        for name in ("head_rate", "feedback_gain"):
            if not 0 <= getattr(self, name) < math.inf:
                raise WiringError(f"--{name.replace('_', '-')} {getattr(self, name)}", "a number of at least 0",
                                  "write --" + name.replace("_", "-") + " 1")  # fmt: skip
        if self.threads is not None and self.threads < 1:
            raise WiringError(f"--threads {self.threads}", "at least 1", "leave it out to use every core")
        for name, known in (("schedule", SCHEDULES), ("views", VIEWS), ("readout", READOUTS)):
            if getattr(self, name) not in known:
                raise WiringError(f"--{name} {getattr(self, name)}", "one of " + ", ".join(known), f"write --{name} {known[0]}")

    @classmethod
    def resolve(cls, **given) -> Config:
        """Fill what was not given (None) with the defaults of the data set.

        Args:
            **given: options by name; ``lags`` may be ``"all"``.

        Raises:
            WiringError: an option given that the loss would ignore, or a value out of range.
        """
        given = {name: value for name, value in given.items() if value is not None}
        filled = {**(OF_PHOTOGRAPHS if given.get("data", cls.data) != "toys" else {}), **given}
        loss = filled.get("loss", cls.loss)
        ignored = [name for name in OF_LOSSES if name in given and name not in losses.options(loss)]
        if ignored:
            option = ignored[0].replace("_", "-")
            raise WiringError(f"--{option} with --loss {loss}", "options that this loss has", f"leave --{option} out")
        if filled.get("lags") == "all":
            filled["lags"] = None
            filled["negative_weight"] = given.get("negative_weight")
        return cls(**filled)

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
