"""Weights from a file: .safetensors or .npz, by the names that `exported` writes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import neurosim as ns
from neurosim.core.reading import File
from neurosim.core.records import check, parsed
from neurosim.export.exported import META

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
    if not path.exists():
        raise ns.errors.RunError(f"no file {path}", "a file of weights", "check the path")
    file = File(path, "one that export wrote", "write it anew")
    if path.suffix.lower() == ".safetensors":
        return file.safetensors()
    arrays = file.npz()
    with file.whole():
        about = parsed(arrays.pop(META).tobytes().decode("utf-8")) if META in arrays else {}
        return arrays, {name: check(text, str, name) for name, text in check(about, dict).items()}


def load(path: str | Path, *, trust: Iterable[str] = (), **keywords: Any) -> Experiment:
    """An experiment with weights from a file: to be read out, or to encode; nothing of it has a memory or a trace.

    Args:
        path: of the file.
        trust: as of ``neurosim.load``.
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
    experiment = ns.Experiment.configured(about.get("config"), trust, **keywords)
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
        if arrays[name].dtype.kind not in "fiu":
            raise ns.errors.RunError(f"{name} in {where} is {arrays[name].dtype}", "numbers", "write it anew")
    for name, buffer in mine.items():
        buffer.put(arrays[name].astype(buffer.dtype))
