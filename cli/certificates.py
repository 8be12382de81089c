"""Files and folders that name somebody else's code: computed once more, opened, and run only where it was named again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from neurosim.cli import apart

from neurosim.audit.evidence import REQUIRED
from neurosim.audit.replay.certificate import Certificate
from neurosim.audit.torch.verdict import TorchVerdict
from neurosim.errors import RunError
from neurosim.training.folder import Run, write_json
from neurosim.training.trust import foreign_of, require_trust

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neurosim.audit.isolation.parent import Limits
    from neurosim.audit.verdict import Verdict


def refuse(others: Sequence[str], what: str, expected: str, hint: str = "leave it out") -> None:
    """Refuse whatever was given beside something that takes none of it.

    Args:
        others: names of it, as the command has them.
        what: beside which it was given.
        expected: instead.
        hint: how to correct it.

    Raises:
        RunError: there is something.
    """
    if others:
        name = others[0] if others[0] == "folder" else f"--{others[0].replace('_', '-')}"
        raise RunError(f"{name} beside {what}", expected, hint)


def verified(path: Path, rest: list[str], limits: Limits, json_file: Path | None) -> int:
    """Compute a certificate once more in a process of its own, and compare here; gives the exit code.

    Args:
        path: of the certificate.
        rest: what else was typed.
        limits: of the process.
        json_file: where the new verdict is written as data.

    Raises:
        NeurosimError: no certificate, or one that names what was not named again.
    """
    certificate = Certificate(path)
    require_trust(path, certificate.outside, rest)
    found = apart.audited(["--verify", str(path), *rest], limits, str(path))
    if isinstance(found, str):
        click.echo(found, nl=False)
        return 0
    if not isinstance(found, TorchVerdict):
        words = {grade.words: grade for grade in REQUIRED.values()}
        found.required = words.get(certificate.record.get("required", ""), found.required)
    text, code = certificate.said_again(found)
    click.echo(text)
    if json_file is not None:
        write_json(json_file, found.json())
    return code


def computed(path: Path, given: dict[str, Any], trust: tuple[str, ...]) -> Verdict | TorchVerdict:
    """What a certificate says, computed once more, in this process.

    Args:
        path: of the certificate.
        given: what else was typed, by name.
        trust: somebody else's code that may run.

    Raises:
        NeurosimError: no certificate, or one that names what was not named again; something else beside it.
    """
    named = [str(given.pop(name)) for name in ("rule", "torch") if given.get(name) is not None]
    others = [name for name, value in given.items() if value is not None]
    refuse(others, "--verify", "only the file, and --trust")
    certificate = Certificate(path)
    require_trust(path, certificate.outside, [*trust, *named])
    return certificate.compute()


def opened(folder: Path, given: dict[str, Any], trust: tuple[str, ...]) -> Run:
    """The run of a folder; options beside it would be ignored, and are refused, but for naming its rule again.

    Args:
        folder: of the run.
        given: what was typed, by name.
        trust: somebody else's code that may run.

    Raises:
        RunError: no run there, or one that names what was not named again; something else beside it.
    """
    there = (folder / "config.json").is_file()
    named = [given["rule"]] if there and given.get("rule") == Run.open(folder).config.rule.name else []
    others = [name for name, value in given.items() if value is not None and (name != "rule" or not named)]
    refuse(others, f"the run {folder}", "the run's own options", "leave it out, or leave the folder out")
    run = Run.open(folder)
    require_trust(folder / "config.json", foreign_of(run.config), [*trust, *named])
    return run
