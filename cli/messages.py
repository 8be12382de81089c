"""Errors of the library name arguments; here the options that were typed are named."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable

import click
from neurosim.cli.declared import OWN
from neurosim.cli.options import Configured

from neurosim.errors import NeurosimError

# name=value, 'value with blanks' in quotes; leave name out; choose another name; a name with an underscore.
_MENTIONED = re.compile(
    r"""\b(?P<name>[a-z]\w*)=(?P<value>'[^']*'|"[^"]*"|(?:[^\s;,()]|,(?=[^\s]))+)"""
    r"""|\bleave (?P<left>[a-z]\w*) out\b|\bchoose another (?P<another>[a-z]\w*)|\b(?P<long>[a-z]\w*_\w*)\b"""
)


def as_typed(error: NeurosimError, options: Iterable[str]) -> str:
    """The one line of an error as the command line prints it: ``batch=1`` is ``--batch 1``, ``block=False`` ``--no-block``.

    Args:
        error: of the library.
        options: the names of arguments that the command has options for.
    """
    known = set(options)

    def typed(found: re.Match[str]) -> str:
        name = next(filter(None, (found["name"], found["left"], found["another"], found["long"])))
        if name not in known:
            return found[0]
        option = option_of(name)
        if found["left"]:
            return f"leave {option} out"
        if found["another"]:
            return f"choose another {option}"
        return _valued(option, found["value"]) if found["name"] else option

    text = str(error)
    if error.argument in known and text.startswith(f"{error.argument} "):
        text = option_of(error.argument) + text.removeprefix(error.argument)
    return _MENTIONED.sub(typed, text)


def option_of(name: str) -> str:
    """``layer_rates`` as it is typed: ``--layer-rates``."""
    return "--" + name.replace("_", "-")


def _valued(option: str, value: str) -> str:
    if value in ("True", "False"):
        return option if value == "True" else option.replace("--", "--no-", 1)
    bare = value[1:-1] if value[0] in "'\"" else value
    return f'{option} "{bare}"' if " " in bare else f"{option} {bare}"


def options_of(command: click.Command, arguments: list[str]) -> list[str]:
    """The names of the options of the command that was called, a subcommand's if there is one."""
    for word in arguments:
        if isinstance(command, click.Group) and not word.startswith("-"):
            command = command.get_command(click.Context(command), word) or command
    context = click.Context(command)
    if isinstance(command, Configured):
        with contextlib.suppress(NeurosimError):  # what is wrong may be the plug-in itself
            context.meta[OWN] = command.named_options(arguments)
    found = command.get_params(context)
    return [parameter.name for parameter in found if isinstance(parameter, click.Option) and parameter.name]
