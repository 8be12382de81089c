"""How a fresh process builds what is audited: plain values, and names that it finds again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurosim.training.config import Config
from neurosim.training.given import names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neurosim.audit.target import AuditTarget
    from neurosim.training.model import Model

LIVE = "a live object, which no fresh process can build"


@dataclass(frozen=True)
class Recipe:
    """What is needed to build a target again, as JSON has it.

    Args:
        kind: ``rule``: a rule by itself; ``config``: the rule of a configuration; ``run``: the run in a folder;
            ``preflight``: the model of a configuration, before it is trained.
        arguments: of the function of that kind, see `build`.
    """

    kind: str
    arguments: dict[str, Any]

    def build(self) -> AuditTarget:
        """The target, made anew.

        Raises:
            NeurosimError: what cannot be built here.
        """
        target, wire, folder = rooms()
        given = dict(self.arguments)
        found: AuditTarget
        if self.kind == "rule":
            options = given.pop("options")
            found = target.of_rule(wire(**given, **options))
        elif self.kind == "config":
            given["config"] = Config.from_json(json.dumps(given["config"]), "the certificate")
            given["image"] = given["image"] and tuple(given["image"])
            found = target.of_config(**given)
        else:
            found = target.of_run(folder.Run.open(Path(given["folder"])), given["pairs"])
        return found

    def model(self) -> Model:
        """The model of a preflight audit, as it was before it was trained."""
        from neurosim.training.model import Model

        config = Config.from_json(json.dumps(self.arguments["config"]), "the certificate")
        row, column, channel = self.arguments["image"]
        return Model(config, (row, column, channel))

    @property
    def outside(self) -> list[str]:
        """Parts of somebody else's that building it imports: ``module:Class``."""
        from neurosim.training.trust import foreign, foreign_of

        if self.kind == "run":
            return foreign_of(rooms()[2].Run.open(Path(self.arguments["folder"])).config)
        if self.kind in ("config", "preflight"):
            return foreign(self.arguments["config"])
        return [word for kind in ("rule", "loss", "changes", "network") if ":" in (word := str(self.arguments[kind]))]


@cache
def rooms() -> tuple[Any, Any, Any]:
    """What builds targets; imported once, so that it is there for who lets the audit's modules look unloaded."""
    from neurosim.audit import target
    from neurosim.training import folder
    from neurosim.training.alone import wire

    return target, wire, folder


def of_name(
    rule: Any, network: Any, image: tuple[int, int, int], pairs: int, loss: Any, changes: Any, options: dict[str, Any]
) -> Recipe | None:
    """The recipe of a rule by itself; arguments as for `neurosim.training.alone.wire`.

    Returns:
        None where no file holds a part, or an option is no plain value.
    """
    parts = {"rule": rule, "loss": loss} | ({} if changes is None else {"plasticity": changes})
    found = {kind: part if isinstance(part, str) else names({kind: part})[kind] for kind, part in parts.items()}
    if not isinstance(network, str) or any(name.startswith("<") for name in found.values()):
        return None
    given = {
        "rule": found["rule"],
        "network": network,
        "image": list(image),
        "pairs": pairs,
        "loss": found["loss"],
        "changes": found.get("plasticity"),
        "options": options,
    }
    return Recipe("rule", given) if _plain(given) else None


def of_configuration(
    config: Config, image: tuple[int, int, int] | None, channels: int, given: Mapping[str, object]
) -> Recipe | None:
    """The recipe of a configuration's rule; arguments as for `neurosim.audit.target.of_config`.

    Returns:
        None where some part was given from Python and no file holds it.
    """
    if _given(config, given):
        return None
    return Recipe("config", {"config": json.loads(config.to_json()), "image": image, "channels": channels})


def of_model(config: Config, image: tuple[int, int, int], given: Mapping[str, object]) -> Recipe | None:
    """The recipe of a preflight audit; arguments as for `neurosim.training.model.Model`.

    Returns:
        None where some part was given from Python and no file holds it.
    """
    return (
        None if _given(config, given) else Recipe("preflight", {"config": json.loads(config.to_json()), "image": image})
    )


def _given(config: Config, given: Mapping[str, object]) -> bool:
    """Whether a part was given from Python, and no file holds it; of data none is needed."""
    found = names({kind: thing for kind, thing in given.items() if kind not in ("network", "data")})
    words = config.flat()
    named = [str(words[kind]) for kind in ("rule", "loss", "plasticity", "deformation")]
    return any(name.startswith("<") for name in (*found.values(), *named))


def _plain(value: object) -> bool:
    try:
        return bool(json.loads(json.dumps(value)) == value)
    except (TypeError, ValueError):
        return False
