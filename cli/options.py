"""The options that make a configuration: made from its sections and from what plug-ins declare, in groups by section."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import click
from neurosim.cli import help
from neurosim.cli.declared import OWN, Option

from neurosim.core.options import Parameter
from neurosim.core.plugins import Registry
from neurosim.training.config import Config
from neurosim.training.model import choose_device
from neurosim.training.plugins import OF_SECTIONS, REGISTRIES
from neurosim.training.recipe import KEYS
from neurosim.training.section import fields
from neurosim.training.sections import PLUGGED, SECTIONS
from neurosim.training.toml import read_toml

PLAN = ["Network", "Rule, who gets the error", "Error, how activities are compared", "Plasticity, how weights change"]
# Headings of the help -> the sections below them.
GROUPS = {
    "What is learned from": ("data", "views"),
    "Network": ("network",),
    "Rule, who gets the error": ("rule",),
    "Error, how activities are compared": ("loss",),
    "Plasticity, how weights change": ("plasticity",),
    "Training": ("training",),
    "Read-out of the features": ("readout",),
}


@cache
def known_options() -> tuple[Option, ...]:
    """The options of the sections and of all plug-ins of the package."""
    found: dict[str, Option] = {}
    for section, kind in SECTIONS.items():
        options = [Option(section, parameter) for parameter in fields(kind).values()]
        registry = REGISTRIES.get(section)
        if registry is not None:
            options += _of_plugins(section, registry)
        for option in options:
            found.setdefault(str(option.name), option)  # plug-ins of two kinds may have an option of one name
    return tuple(found.values())


def _of_plugins(section: str, registry: Registry[Any]) -> Iterator[Option]:
    takers: dict[str, tuple[str, ...]] = {}
    declared: dict[str, Parameter] = {}
    for name in registry.available():
        for word, parameter in registry.options(name).items():
            if word not in OF_SECTIONS:
                takers[word] = (*takers.get(word, ()), name)
                declared.setdefault(word, parameter)
    for word, names in takers.items():
        yield Option(section, declared[word], () if len(names) == len(registry.available()) else names)


def named_options(arguments: list[str]) -> list[Option]:
    """The options of plug-ins from elsewhere that the arguments name, or the file after ``--config``.

    Raises:
        NeurosimError: a plug-in that cannot be imported, or a file that cannot be read.
    """
    path = after("--config", arguments)
    tables = read_toml(Path(path)) if path and Path(path).is_file() else {}
    taken = {option.name for option in known_options()}
    found = []
    for section, registry in REGISTRIES.items():
        option = "--" + fields(SECTIONS[section])[PLUGGED[section]].name
        name = after(option, arguments) or tables.get(section, {}).get(PLUGGED[section])
        if isinstance(name, str) and name not in registry.available() and (":" in name or name in registry.installed()):
            for word, parameter in registry.options(name).items():
                if word not in taken:
                    taken.add(word)
                    found.append(Option(section, parameter, (name,)))
    return found


def after(option: str, arguments: list[str]) -> str | None:
    """The value of an option among arguments as typed, the last one; None where it is not there."""
    found = None
    for number, word in enumerate(arguments):
        if word == option and number + 1 < len(arguments):
            found = arguments[number + 1]
        elif word.startswith(option + "="):
            found = word.removeprefix(option + "=")
    return found


class Configured(help.Command):  # type: ignore[misc]  # whose file mypy finds in another place
    """A command with the options of a configuration beside its own, ``--config``, ``--recipe`` and ``--print-config``.

    Args:
        *args, **more: as for every command.
        short: headings of `GROUPS` that its short help has.
    """

    def __init__(self, *args: Any, short: Sequence[str] = tuple(GROUPS), **more: Any) -> None:
        super().__init__(*args, **more)
        self.short = short
        self.params += [
            click.Option(
                ["--config"], type=click.Path(), metavar="FILE", help="A TOML file; what is given besides wins."
            ),
            help.Rare(["--recipe"], metavar="NAME", help="Defaults to start from, whatever is given."),
            help.Rare(["--print-config"], is_flag=True, default=None, help="Print it all as such a file, and stop."),
        ]

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Its own, those of the sections, those of all plug-ins, and those of plug-ins that were named."""
        own = super().get_params(ctx)
        taken = {parameter.name for parameter in own}
        return [*own, *(each for each in (*known_options(), *ctx.meta.get(OWN, ())) if each.name not in taken)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Find the plug-ins that are named first: they have options of their own."""
        ctx.meta[OWN] = () if ctx.resilient_parsing else self.named_options(args)
        found: list[str] = super().parse_args(ctx, args)
        return found

    def named_options(self, args: list[str]) -> list[Option]:
        """The options of plug-ins from elsewhere that the arguments name; they are imported for it."""
        return named_options(args)

    def note(self, args: Sequence[str]) -> str:
        """Whose defaults are shown."""
        return f"In brackets: defaults of the recipe {applying(args).recipe}."

    def groups(self, ctx: click.Context, args: Sequence[str], whole: bool) -> Iterator[tuple[str, list[help.Record]]]:
        """By section, with the defaults of the recipe that applies to what is given; the command's own last.

        Raises:
            NeurosimError: what is given cannot be.
        """
        flat, parameters = applying(args).flat(), self.get_params(ctx)
        for name, sections in GROUPS.items():
            mine = [each for each in parameters if isinstance(each, Option) and each.section in sections]
            if whole or name in self.short:
                found = [record for each in mine if (record := each.record(ctx, flat, whole)) is not None]
                yield name, found
        own = [each for each in parameters if not isinstance(each, Option)]
        yield "Run" if ctx.info_name == "train" else "Options", list(help.records(ctx, own, whole))


def applying(args: Sequence[str]) -> Config:
    """The configuration whose recipe applies to what arguments name; other options are as it has them.

    Raises:
        NeurosimError: a name that nothing has.
    """
    words = {key: after(f"--{key}", list(args)) for key in (*KEYS, "recipe")}
    path = after("--config", list(args))
    return Config.resolve(**words) if path is None else Config.from_toml(path, **words)


def configure(given: dict[str, Any]) -> Config:
    """The configuration that was asked for; ``--print-config`` prints it and ends the command.

    Raises:
        NeurosimError: what cannot be, see `neurosim.training.config.Config.resolve`.
    """
    words = dict(given)
    path, printed = words.pop("config", None), words.pop("print_config", None)
    take_device(words, quiet=bool(printed))
    config = Config.resolve(**words) if path is None else Config.from_toml(path, **words)
    if printed:
        click.echo(config.to_toml(), nl=False)
        click.get_current_context().exit()
    return config


def take_device(given: dict[str, Any], quiet: bool = False) -> None:
    """Put what ``--device auto`` takes in its place, and print which."""
    if given.get("device") == "auto":
        given["device"], why = choose_device()
        click.echo(f"device    auto took {given['device']}: {why}", err=quiet)
