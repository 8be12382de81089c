"""Every data set by its name, a class, an object or plain arrays, and where files are looked for."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neurosim.core.options import Parameter
from neurosim.core.plugins import Registry
from neurosim.data.cache import user_cache
from neurosim.data.dataset import Dataset
from neurosim.data.sources.base import Source
from neurosim.data.sources.given import Given
from neurosim.errors import DataError

# mypy takes an abstract class for no type to be made of; those that are found are not abstract.
REGISTRY: Registry[Source] = Registry("data", "neurosim.data.sources", Source, fixed=("asked",))  # type: ignore[type-abstract]


def available() -> dict[str, type[Source]]:
    """Name -> class: what is built in, what can be fetched, then forms of names."""
    known = REGISTRY.available().values()
    order = sorted(known, key=lambda source: 2 if hasattr(source, "claims") else 1 if source.files else 0)
    return {source.name: source for source in order}


def find(data: object, **options: Any) -> Source:
    """The source of a data set.

    Args:
        data: a name (``toys``, ``folder:PATH``, ``FILE.npz``), ``module:Class``, a class or an object derived from
            `neurosim.data.sources.base.Source`, a `Dataset`, or arrays: the images, images and labels as a pair, or a
            mapping with the names that `neurosim.data.sources.npz` reads.
        **options: of its own, see `options`; none of what is there already.

    Raises:
        DataError: an unknown name, or arrays that cannot be used.
        WiringError: a file that cannot be imported, something that is no data set, or an option that it has not.
    """
    if isinstance(data, Source):
        return data
    if isinstance(data, Dataset | Mapping | tuple | np.ndarray):
        return Given(data)
    if isinstance(data, Path):
        data = str(data)
    if isinstance(data, str) and not _known(data):
        raise _unknown(data)
    return REGISTRY.make(data, REGISTRY.name(data), **options)


def options(data: object) -> dict[str, Parameter]:
    """The options of a data set's own, by name; none of what is there already.

    Raises:
        DataError: as `find`.
        WiringError: as `find`.
    """
    if isinstance(data, str) and not _known(data):
        raise _unknown(data)
    return {} if isinstance(data, Source | Dataset | Mapping | tuple | np.ndarray) else REGISTRY.options(data)


def load(
    data: object,
    data_dir: Path | str | None = None,
    seed: int = 0,
    frames: int = 1,
    images: int | None = None,
    **options: Any,
) -> Dataset:
    """A data set, read or made.

    Args:
        data: as for `find`.
        data_dir: where files that can be fetched are; `default_dir` where None.
        seed: of images that are drawn; the others are what they are.
        frames: frames of each object, two or more of them being views of it in motion; 1 where it does not move.
        images: the first so many training images alone; all where None.
        **options: of the data set's own.

    Returns:
        The data set, with the name that was asked for as its name.

    Raises:
        DataError: an unknown name, a number out of range, or files that cannot be used.
        WiringError: as `find`.
    """
    source = find(data, **options)
    if seed < 0:
        raise DataError(f"{source.asked}: seed={seed}", "0 or more", "choose another number")
    if frames < 1:
        raise DataError(f"{source.asked}: {frames} frames", "1 or more", "choose another number")
    if frames > 1 and not source.motion:
        moving = ", ".join(name for name, each in available().items() if each.motion)
        raise DataError(
            f"{source.asked} has no frames", f"{moving}, for several frames of one object", "use views=deform"
        )
    dataset = source.load(default_dir() if data_dir is None else Path(os.path.expanduser(data_dir)), seed, frames)
    return dataset if images is None else dataset.first(images)


def default_dir() -> Path:
    """``$NEUROSIM_DATA``, else ``neurosim`` in the user's cache (``$XDG_CACHE_HOME`` or ``~/.cache``)."""
    chosen = os.environ.get("NEUROSIM_DATA")
    if chosen:
        return Path(os.path.expanduser(chosen))
    return user_cache()


def _known(name: str) -> bool:
    """Whether a name is one of a source here, of an installed one, or ``module:Class``."""
    classes = REGISTRY.available()
    if name in classes and not hasattr(classes[name], "claims"):
        return True
    if any(each.claims(name) for each in classes.values() if hasattr(each, "claims")):
        return True
    place, colon, word = name.partition(":")
    written = bool(colon) and all(part.isidentifier() for part in [*place.split("."), word])
    return (written and place != "folder") or name in REGISTRY.installed()


def _unknown(name: str) -> DataError:
    names = [*available(), *REGISTRY.installed()]
    plain = name.lower().replace("-", "").replace("_", "").replace(" ", "")
    near = difflib.get_close_matches(plain, names, 1)
    if os.path.isdir(name):
        hint = f"did you mean folder:{name}?"
    else:
        hint = f"did you mean {near[0]}?" if near else "see `neurosim data list`"
    return DataError(f"no data set {name!r}", f"one of {', '.join(names)}", hint)
