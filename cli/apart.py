"""``neurosim audit`` of other people's code: the command runs in a process of its own, and only evidence comes back."""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from neurosim.cli.options import after

from neurosim.audit.isolation import parent
from neurosim.audit.isolation.integrity import Integrity
from neurosim.audit.torch.verdict import TorchVerdict
from neurosim.audit.transfer import packed, unpacked
from neurosim.audit.verdict import Verdict
from neurosim.core.reading import File
from neurosim.errors import RunError, UndecidedError
from neurosim.training.plugins import REGISTRIES
from neurosim.training.toml import read_toml

ELSEWHERE = re.compile(r"[^\W\d][\w.]*:[^\W\d]\w*")  # module:Class
ALWAYS = ("--torch", "--verify", "--timeout", "--memory")
inside: Integrity | None = None  # in the process of its own: the code that was in memory before any other


def foreign(arguments: list[str]) -> str | None:
    """The first name of somebody else's code among arguments, or in the files that they name; None where there is none.

    Nothing is imported. What only looks like such a name is audited in a process of its own, too.
    """
    found = importlib.metadata.entry_points()
    installed = {entry.name for each in REGISTRIES.values() for entry in found.select(group=each.group)}
    words = [word for argument in arguments for word in (argument, argument.partition("=")[2])]
    for word in (*words, *_written(arguments)):
        if ELSEWHERE.fullmatch(word) or word in installed:
            return word
    return next((word for word in ALWAYS for given in arguments if given.split("=")[0] == word), None)


def _written(arguments: list[str]) -> Iterator[str]:
    """The texts in the file after ``--config``, and in the config.json of folders."""
    path = after("--config", arguments)
    if path and Path(path).is_file():
        yield from _texts(read_toml(Path(path)))
    for word in arguments:
        with contextlib.suppress(RunError):
            yield from _texts(File(Path(word) / "config.json").json())


def _texts(thing: Any) -> Iterator[str]:
    if isinstance(thing, str):
        yield thing
    elif isinstance(thing, dict | list):
        for each in thing.values() if isinstance(thing, dict) else thing:
            yield from _texts(each)


def audited(arguments: list[str], limits: parent.Limits, title: str) -> Verdict | TorchVerdict | str:
    """What the command gives, run in a process of its own; a text is to be printed as it is.

    Args:
        arguments: of the command, without those that say what to write where.
        limits: of the process.
        title: what is audited, for messages.

    Raises:
        UndecidedError: it gave nothing.
        NeurosimError: bad input.
        click.UsageError: wrong usage.
    """
    found = parent.call("neurosim.cli.apart:answer", arguments, limits, title)
    with contextlib.suppress(KeyError, TypeError, ValueError):
        if "printed" in found:
            return str(found["printed"])
        if "usage" in found:
            raise click.UsageError(str(found["usage"]))
        return TorchVerdict(**found["torch"]) if "torch" in found else unpacked(found["verdict"])
    raise UndecidedError(f"{title}: it gives no evidence", "a rule that can be wired and run", "correct it")


def answer(arguments: list[str]) -> dict[str, Any]:
    """Run the command here: this is the process of its own."""
    from neurosim.cli.audit import audit

    global inside
    inside, printed = Integrity(), io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            context = audit.make_context("neurosim audit", list(arguments))
            with context:
                found = audit.invoke(context)
    except click.exceptions.Exit:  # --help, --print-config
        return {"printed": printed.getvalue()}
    except click.UsageError as problem:
        return {"usage": problem.format_message()}
    inside.restore()
    if isinstance(found, Verdict):
        found.analyses.append(inside.evidence())
    return {"torch": found.data()} if isinstance(found, TorchVerdict) else {"verdict": packed(found)}
