"""The stream of views: pictures, their order, what of them is shown and how it is deformed."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.data.sources.loading import load, options
from neurosim.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from neurosim.core.typing import Array
    from neurosim.data.dataset import Dataset
    from neurosim.training.config import Config
    from neurosim.training.model import Model

FRAMES = 3  # of each toy, where views are of its motion


def load_data(config: Config, given: object = None) -> Dataset:
    """The data set of a configuration, cut as it asks.

    Args:
        config: of a run.
        given: what was given from Python, see `neurosim.data.sources.loading.find`; None: what the configuration names.

    Raises:
        DataError: data that are not there or cannot be used.
    """
    frames = FRAMES if config.views.kind == "motion" else 1
    name, own = (config.data.name, config.data.options) if given is None else (given, {})
    return load(name, config.data.dir, frames=frames, images=config.data.images, **own)


def load_other(config: Config, data: object, data_dir: str | Path | None, image: tuple[int, int, int]) -> Dataset:
    """Whatever data set a network that is there already looks at, whole, each picture once.

    Args:
        config: of the run.
        data: as `neurosim.data.sources.loading.find` takes it; the run's own name stands for the run's own data, uncut.
        data_dir: where files that can be fetched are; None: where the run's were.
        image: (row, column, channel) that the network learned from: what can be scaled to a size comes in this one.

    Raises:
        DataError: data that are not there or cannot be used.
    """
    own = dict(config.data.options) if data == config.data.name else {}
    if "size" in options(data):
        own.setdefault("size", image[0])
    return load(data, config.data.dir if data_dir is None else data_dir, **own)


class ViewStream:
    """The batches that a model learns from: a function of seed, epoch and batch alone.

    Args:
        model: before whose stimulus the views are laid.
        data: the pictures.

    Raises:
        DataError: fewer pictures than a batch, views or labels that these pictures do not have.
    """

    def __init__(self, model: Model, data: Dataset):
        config, images = model.config, data.train_images
        if len(images) < config.training.batch:
            raise DataError(
                f"{len(images)} training images and a batch of {config.training.batch}",
                "at least one batch of images",
                "use a smaller batch or more images",
                argument="batch",
            )
        if config.views.kind == "motion" and (images.ndim != 5 or images.shape[1] < 2):
            raise DataError(f"{data.name} has no frames", "several frames of one object", "write views='deform'")
        self.config, self.data, self.stimulus = config, data, model.stimulus
        self.images: Array = images[:, 0] if images.ndim == 5 and config.views.kind != "motion" else images
        self.framing = model.framing
        # Where labels are declared as given, and nowhere else, they come into a plan: of supervised losses.
        self.labelled = [units.label for units in model.rule.errors.values() if units.label is not None]
        self._check_labels(min((units.head.shape[0] for units in model.rule.errors.values()), default=0))
        self._order: tuple[int, Array] | None = None  # an epoch and its order
        self.resident = self._resident(model.device) if model.device is not None else None

    def _resident(self, device: Any) -> Any:
        """All pictures in the GPU's memory, ``(sample, row, column, channel)``; None where they are cut or do not fit."""
        images, config = self.images, self.config
        if config.views.crop or config.views.grey or config.views.kind == "gaze" or images.nbytes > device.free() // 2:
            return None
        pictures = images.reshape(-1, *images.shape[-3:])
        held = device.zeros(pictures.shape, pictures.dtype)
        device.put(held, pictures)
        self.stimulus.images.move(device)
        return held

    def _check_labels(self, units: int) -> None:
        """Refuse a supervised loss without labels, or with more classes than a head has units."""
        labels, name = self.data.train_labels, self.data.name
        if self.labelled and labels is None:
            raise DataError(
                f"{name} has no labels of its training images",
                "labels, for a loss that is supervised",
                "choose another loss, as loss='hinge'",
                argument="loss",
            )
        if self.labelled and labels is not None and labels.max() >= units:
            raise DataError(
                f"{name} has {int(labels.max()) + 1} classes and heads have {units} units",
                "at most as many classes as units, for a loss that is supervised",
                "choose data of fewer classes, or another loss",
                argument="loss",
            )

    @property
    def batches(self) -> int:
        """Batches in an epoch; what is left over of the images waits for the next epoch's order."""
        whole, most = len(self.images) // self.config.training.batch, self.config.training.batches
        return whole if most is None else min(whole, most)

    @property
    def nbytes(self) -> int:
        """Bytes of the pictures in the host's memory; those of a file that is mapped are not."""
        images = self.data.train_images
        return 0 if isinstance(images, np.memmap) else images.nbytes

    def order(self, epoch: int) -> Array:
        """Every picture's number, in the order of an epoch: a function of seed and epoch, kept until the next epoch."""
        if self._order is None or self._order[0] != epoch:
            rng = np.random.default_rng([self.config.training.seed, ord("O"), epoch])
            self._order = epoch, rng.permutation(len(self.images))
        return self._order[1]

    @cached_property
    def fingerprint(self) -> dict[str, Any]:
        """Of the pictures, as a checkpoint keeps it: what is resumed must be on the same."""
        return self.data.fingerprint()

    def load(self, epoch: int, batch: int) -> None:
        """Lay the views of one batch before the stimulus: a function of seed, epoch and batch alone."""
        size = self.config.training.batch
        chosen = self.order(epoch)[batch * size : (batch + 1) * size]
        rng = np.random.default_rng([self.config.training.seed, ord("V"), epoch, batch])
        show = {"gaze": self._patches, "motion": self._moments, "deform": self._pairs, "still": self._stills}
        show[self.config.views.kind](chosen, rng)
        if self.labelled and self.data.train_labels is not None:
            for label in self.labelled:
                label.put(self.data.train_labels[chosen])

    def _stills(self, chosen: Array, rng: np.random.Generator) -> None:
        """Every picture once, or one crop of it, as it is."""
        if self.resident is not None:
            self.stimulus.choose(self.resident, chosen)
        else:
            self.stimulus.load(self._cut(self.images[chosen], rng))

    def _cut(self, images: Array, rng: np.random.Generator) -> Array:
        return self.framing.random_crop(images, rng) if self.framing.crop or self.framing.grey else images

    def _patches(self, chosen: Array, rng: np.random.Generator) -> None:
        """Half-overlapping patches of one crop of every picture."""
        self.stimulus.load(self.framing.random_crop(self.images[chosen], rng))

    def _moments(self, chosen: Array, rng: np.random.Generator) -> None:
        """Two frames of every object."""
        images = self.images
        # Which of two frames is view 1 is drawn too: under the gradient block view 2 moves towards view 1, and a
        # difference that all pairs share (an earlier and a later light) would run away.
        frames = np.argsort(rng.random((len(chosen), images.shape[1])), axis=1)[:, :2]
        if self.resident is not None:
            self.stimulus.choose(self.resident, (chosen[:, None] * images.shape[1] + frames).T.ravel())
        else:
            self.stimulus.load(np.concatenate([images[chosen, frames[:, 0]], images[chosen, frames[:, 1]]]))

    def _pairs(self, chosen: Array, rng: np.random.Generator) -> None:
        """Every picture twice, or one crop of it, each with a deformation of its own."""
        if self.resident is not None:
            self.stimulus.choose(self.resident, np.concatenate([chosen, chosen]))
        else:
            seen = self._cut(self.images[chosen], rng)
            self.stimulus.load(np.concatenate([seen, seen]))
        self.stimulus.draw(rng)
