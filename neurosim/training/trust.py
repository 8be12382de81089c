"""A folder of somebody else's is data: code that it names is run only where who runs it names it again."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurosim.errors import RunError
from neurosim.training.plugins import REGISTRIES
from neurosim.training.sections import PLUGGED

if TYPE_CHECKING:
    from neurosim.training.config import Config


def foreign(config: Mapping[str, Any], leave_out: Collection[str] = ()) -> list[str]:
    """The parts of a configuration, as config.json has it, that are named ``module:Class``; of ``hebb,module:Class``, its own.

    Args:
        config: section -> field -> value.
        leave_out: sections that do not count.
    """
    found = []
    for section, registry in REGISTRIES.items():
        name = (config.get(section) or {}).get(PLUGGED[section], "")
        if section in leave_out or not isinstance(name, str) or ":" not in name or name.startswith("<"):
            continue
        kinds = registry.available()
        for part in map(str.strip, name.split(",")) if section == "rule" else (name,):
            own = any(claims(part) for kind in kinds.values() if (claims := getattr(kind, "claims", None)))
            if ":" in part and part not in kinds and not own:
                found.append(part)
    return found


def foreign_of(config: Config, leave_out: Collection[str] = ()) -> list[str]:
    """The same of a configuration."""
    return foreign(json.loads(config.to_json()), leave_out)


def require_trust(path: Path | str, names: list[str], named: Iterable[str]) -> None:
    """Refuse to run somebody else's code because a file names it.

    Args:
        path: of the file.
        names: that it has.
        named: by who runs it: on the command line, or in a call.

    Raises:
        RunError: one that is not.
    """
    known = {part.strip() for name in named for part in (name, *name.split(","))}
    open_ = [name for name in names if name not in known]
    if open_:
        raise RunError(
            f"{path} names {open_[0]}, which is not neurosim's own: nothing was run",
            "somebody else's code named again by who runs it",
            " ".join(f"--trust {name}" for name in open_),
        )
