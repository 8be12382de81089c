"""Weights from a file: .safetensors or .npz, by the names that `exported` writes."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import neurosim as ns
from neurosim.export.exported import META
from neurosim.export.graph import library

if TYPE_CHECKING:
    from neurosim.core.typing import Array
    from neurosim.experiment import Experiment


def read(path: str | Path) -> tuple[dict[str, Array], dict[str, str]]:
    """The arrays of a file by name, and its metadata; empty where it has none.

    Raises:
        RunError: no such file, another ending, or one that cannot be read.
    """
    path = Path(path)
    if path.suffix.lower() not in (".safetensors", ".npz"):
        raise ns.errors.RunError(f"weights in {path.name}", "a .safetensors or .npz file", "export one of these")
    if not path.is_file():
        raise ns.errors.RunError(f"no file {path}", "a file of weights", "check the path")
    try:
        return _safetensors(path) if path.suffix.lower() == ".safetensors" else _npz(path)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as problem:
        raise ns.errors.RunError(
            f"{path} is no file of weights ({str(problem).splitlines()[0]})", "one that export wrote", "write it anew"
        ) from None


def _npz(path: Path) -> tuple[dict[str, Array], dict[str, str]]:
    with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    about = json.loads(arrays.pop(META).tobytes()) if META in arrays else {}
    return arrays, about


def _safetensors(path: Path) -> tuple[dict[str, Array], dict[str, str]]:
    opened = library("safetensors", "safetensors")
    try:
        with opened.safe_open(path, "np") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except opened.SafetensorError as problem:
        raise ValueError(str(problem)) from None


def load(path: str | Path, **keywords: Any) -> Experiment:
    """An experiment with weights from a file: to be read out, or to encode; nothing of it has a memory or a trace.

    Args:
        path: of the file.
        **keywords: as an `Experiment` takes them; what is not given is as the file's metadata have it.

    Raises:
        RunError: see `read`; or arrays of another network.
        NeurosimError: as an `Experiment`.
    """
    arrays, about = read(path)
    if "config" not in about and "network" not in keywords:
        raise ns.errors.RunError(
            f"{path} does not say which network it is of", "a file that export wrote, or a network", "write network=..."
        )
    experiment = ns.Experiment.configured(about.get("config"), **keywords)
    put(experiment, arrays, str(path))
    return experiment


def put(experiment: Experiment, arrays: dict[str, Array], where: str) -> None:
    """Put weights into an experiment's network.

    Args:
        experiment: whose forward weights they become.
        arrays: by name.
        where: they come from, for messages.

    Raises:
        RunError: arrays of another network.
    """
    mine = {synapse.name: synapse.weight for synapse in experiment.model.network.synapses}
    shapes = {name: tuple(map(int, buffer.shape)) for name, buffer in mine.items()}
    for name in dict.fromkeys([*mine, *arrays]):
        found = arrays[name].shape if name in arrays else "not there"
        if shapes.get(name) != found:
            raise ns.errors.RunError(
                f"{name} in {where} is {found}",
                f"{shapes.get(name, 'no such array')}, for the network {experiment.model.network}",
                "give the network that it is of",
                argument="network",
            )
    for name, buffer in mine.items():
        buffer.put(arrays[name].astype(buffer.dtype))
