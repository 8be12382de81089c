"""The options that make a configuration: made from its sections and from what plug-ins declare, in groups by section."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click

from neurosim.core.options import REQUIRED, Parameter, written
from neurosim.core.plugins import Registry
from neurosim.training.config import Config
from neurosim.training.model import choose_device
from neurosim.training.plugins import OF_SECTIONS, REGISTRIES
from neurosim.training.recipe import recipes
from neurosim.training.sections import KEYWORDS, PLUGGED, SECTIONS, fields
from neurosim.training.toml import read_toml

OWN = "neurosim.own"  # where a context keeps the options of plug-ins that are named on the command line


class Value(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions alone
    """A value as it is declared: a number, a text, or the word for None. Its range is checked by the library."""

    def __init__(self, parameter: Parameter) -> None:
        self.parameter = parameter
        number = {int: "N", float: "X"}.get(parameter.type, "TEXT")
        option = parameter.option
        choices = "|".join(option.choices)
        self.name = option.metavar or choices or (f"{number}|{option.none}" if option.none != "none" else number)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """A text as the declared type; other words than a number are refused here."""
        known = self.parameter
        if not isinstance(value, str) or (known.optional and value == known.option.none):
            return value
        if known.type not in (int, float):
            return _literal(value) if known.type is object else value
        try:
            return known.type(value)
        except ValueError:
            self.fail(f"{value!r}; expected {known.expected()}", param, ctx)


def _literal(text: str) -> int | float | str:
    """A number where a text is one."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


class Option(click.Option):
    """An option of a configuration; None where it was not given, so that a recipe fills it.

    Args:
        section: in whose group it is shown.
        parameter: as declared.
        of: the plug-ins that have it; empty: the section itself.
    """

    def __init__(self, section: str, parameter: Parameter, of: tuple[str, ...] = ()) -> None:
        self.section = section
        name = parameter.name.replace("_", "-")
        flag = parameter.type is bool
        known = (
            _known(section) if not of and parameter == fields(SECTIONS[section]).get(PLUGGED.get(section, "")) else ""
        )
        super().__init__(
            [f"--{name}/--no-{name}" if flag else f"--{name}", parameter.name],
            type=None if flag else Value(parameter),
            metavar=None if flag else Value(parameter).name,
            default=None,
            help=_help(parameter, of, known),
        )


def _known(section: str) -> str:
    """The names of the plug-ins of a section, those of the package and those installed; forms of names last."""
    registry = REGISTRIES[section]
    kinds = registry.available()
    names = sorted(kinds, key=lambda name: hasattr(kinds[name], "claims"))
    return ", ".join([*names, *registry.installed(), "or module:Class"])


def _help(parameter: Parameter, of: tuple[str, ...], known: str) -> str:
    option, default = parameter.option, parameter.default
    text = f"{', '.join(of)}: {option.help[:1].lower()}{option.help[1:]}" if of else option.help
    text = f"{text.removesuffix('.')}: {known}." if known else text
    if default is REQUIRED:
        return text
    shown = option.none if default is None else default if isinstance(default, str) else written(default)
    if isinstance(default, bool):
        shown = parameter.name.replace("_", "-") if default else f"no-{parameter.name.replace('_', '-')}"
    return f"{text}  [default: {shown}{'; or by recipe' if parameter.name in _of_recipes() else ''}]"


@cache
def _of_recipes() -> set[str]:
    """Flat keywords of what some recipe sets."""
    keywords = {place: word for word, place in KEYWORDS.items()}
    found = set()
    for recipe in recipes().values():
        for section, table in recipe.settings.items():
            found |= {keywords[section, name] for name in table if name != "options"} | set(table.get("options", ()))
    return found


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


class Configured(click.Command):
    """A command with the options of a configuration beside its own, ``--config``, ``--recipe`` and ``--print-config``."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.params += [
            click.Option(
                ["--config"], type=click.Path(), metavar="FILE", help="A TOML file; what is given besides wins."
            ),
            click.Option(["--recipe"], metavar="NAME", help="Defaults to start from, whatever is given."),
            click.Option(["--print-config"], is_flag=True, default=None, help="Print it all as such a file, and stop."),
        ]

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Its own, those of the sections, those of all plug-ins, and those of plug-ins that were named."""
        own = super().get_params(ctx)
        taken = {parameter.name for parameter in own}
        return [*own, *(each for each in (*known_options(), *ctx.meta.get(OWN, ())) if each.name not in taken)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Find the plug-ins that are named first: they have options of their own."""
        ctx.meta[OWN] = self.named_options(args)
        return super().parse_args(ctx, args)

    def named_options(self, args: list[str]) -> list[Option]:
        """The options of plug-ins from elsewhere that the arguments name; they are imported for it."""
        return named_options(args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """In groups by section."""
        parameters = self.get_params(ctx)
        groups = {
            section: [each for each in parameters if getattr(each, "section", "") == section] for section in SECTIONS
        }
        groups["options"] = [each for each in parameters if not hasattr(each, "section")]
        for name, group in groups.items():
            records = [record for each in group if (record := each.get_help_record(ctx)) is not None]
            if records:
                with formatter.section(name.capitalize()):
                    formatter.write_dl(records)


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
