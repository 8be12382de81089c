"""A model written into a file: .onnx, .safetensors or .npz, with what a stranger must know of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import neurosim as ns
from neurosim.core.writing import write_whole
from neurosim.export import graph

if TYPE_CHECKING:
    from neurosim.core.typing import Array
    from neurosim.experiment import Experiment

ENDINGS = (".onnx", ".safetensors", ".npz")
LICENCE = "not stated (neurosim itself: MIT)"
AGAIN = "choose another name"
META = "meta"  # where an .npz file has its metadata, as JSON
_SAMPLES = 5


@dataclass(frozen=True)
class Exported:
    """What was written. It prints as a line.

    Args:
        path: of the file.
        what: it holds, in words.
        checked: how it was checked.
    """

    path: Path
    what: str
    checked: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.what}" + (f"; {self.checked}" if self.checked else "")


def tensors(experiment: Experiment) -> dict[str, Array]:
    """The forward weights by name, as a checkpoint has them: ``W1``, ``bW1``, ``V1``, ``R0``."""
    return {synapse.name: np.array(synapse.weight.host()) for synapse in experiment.model.network.synapses}


def describe(experiment: Experiment, licence: str = LICENCE) -> dict[str, str]:
    """What a stranger must know of a model, by name; all of it is text.

    Args:
        experiment: whose model.
        licence: of the weights.
    """
    config, run = experiment.config, experiment.run
    known = None if run is None else run.audited().get("line")
    return {
        "neurosim": ns.__version__,
        "rule": config.rule.name,
        "network": str(experiment.model.network),
        "image": "x".join(map(str, experiment.model.image)),
        "pixels": config.views.pixels,
        "data": config.data.name,
        "batches": str(experiment.progress.done),
        "audit": known or experiment.preflight().line(),
        "licence": licence,
        "config": config.to_json(),
    }


def write(experiment: Experiment, path: str | Path, *, licence: str = LICENCE, force: bool = False) -> Exported:
    """Write a model's forward path, with the weights as they are now.

    Args:
        experiment: whose.
        path: ends in .onnx, .safetensors or .npz.
        licence: of the weights, in words.
        force: write over a file that is there.

    Raises:
        RunError: the file is there already, cannot be written, or a library is missing; or another runtime computes
            something else.
        WiringError: a network that ONNX cannot express.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise ns.errors.RunError(
            f"{path} ends in {ending or 'nothing'}", f"one of {', '.join(ENDINGS)}", "choose another"
        )
    if path.exists() and (not force or path.is_dir()):
        raise ns.errors.RunError(f"{path} is there already", "a new file", "choose another name, or write force=True")
    return {".onnx": _onnx, ".safetensors": _safetensors, ".npz": _npz}[ending](experiment, path, licence)


def _onnx(experiment: Experiment, path: Path, licence: str) -> Exported:
    model = graph.build(experiment, describe(experiment, licence)).SerializeToString()
    shape = (_SAMPLES, *experiment.model.image)
    samples = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    found = graph.compare(model, experiment, samples)
    if not found.agrees:
        raise ns.errors.RunError(str(found), f"at most {graph.TOLERANCE:g}", "export .npz, and report it")
    write_whole(path, lambda file: file.write(model), AGAIN)
    layers = len(experiment.model.network)
    what = f"{layers} layers, outputs layer1 and features1 to layer{layers} and features{layers}"
    return Exported(path, what, f"checked: {found}")


def _safetensors(experiment: Experiment, path: Path, licence: str) -> Exported:
    save = graph.library("safetensors.numpy", "safetensors").save
    found = tensors(experiment)
    about = describe(experiment, licence)
    content = save({name: np.ascontiguousarray(array) for name, array in found.items()}, about)
    write_whole(path, lambda file: file.write(content), AGAIN)
    return Exported(path, _named(found))


def _npz(experiment: Experiment, path: Path, licence: str) -> Exported:
    found = tensors(experiment)
    meta = np.frombuffer(json.dumps(describe(experiment, licence)).encode(), np.uint8)
    write_whole(path, lambda file: np.savez(file, allow_pickle=False, **{META: meta}, **found), AGAIN)
    return Exported(path, _named(found))


def _named(found: dict[str, Array]) -> str:
    return f"{sum(array.size for array in found.values()):,} weights as {', '.join(found)}"
