"""An option of the command line from what is declared of it: its type, its words, its lines on the help screens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click
from click.shell_completion import CompletionItem
from neurosim.cli import help

from neurosim.core.options import REQUIRED, Parameter, written
from neurosim.training.plugins import REGISTRIES
from neurosim.training.section import fields
from neurosim.training.sections import PLUGGED, SECTIONS

OWN = "neurosim.own"  # where a context keeps the options of plug-ins that are named on the command line
LONGEST = 24  # letters of a default on the short help


class Value(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions alone
    """A value as it is declared: a number, a text, or the word for None. Its range is checked by the library."""

    def __init__(self, parameter: Parameter, known: Sequence[str] = ()) -> None:
        self.parameter, self.known = parameter, tuple(known)
        number = {int: "N", float: "X"}.get(parameter.type, "TEXT")
        option = parameter.option
        choices = "|".join(option.choices)
        self.name = option.metavar or choices or (f"{number}|{option.none}" if option.none != "none" else number)

    def words(self) -> tuple[str, ...]:
        """The words that it may be: choices, names of plug-ins, the word for None."""
        option = self.parameter.option
        others = (option.none,) if self.parameter.optional and option.none != "none" else ()
        return (*option.choices, *self.known, *others)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """What may follow in a shell."""
        return [CompletionItem(word) for word in self.words() if word.startswith(incomplete)]

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
        self.section, self.parameter, self.of = section, parameter, of
        name = parameter.name.replace("_", "-")
        flag = parameter.type is bool
        plugged = not of and parameter == fields(SECTIONS[section]).get(PLUGGED.get(section, ""))
        self.known = _known(section) if plugged else ()
        super().__init__(
            [f"--{name}/--no-{name}" if flag else f"--{name}", parameter.name],
            type=None if flag else Value(parameter, self.known),
            metavar=None if flag else Value(parameter).name,
            default=None,
            help=_help(parameter, of, self.known),
        )

    def record(self, ctx: click.Context, flat: Mapping[str, Any], whole: bool) -> help.Record | None:
        """What a help screen has of it; None where the short one leaves it out.

        Args:
            ctx: of the command.
            flat: every option of the configuration that applies.
            whole: as for the whole help.
        """
        first, text = self.get_help_record(ctx) or ("", "")
        default = _shown(self.parameter, flat)
        if not whole and len(default) > LONGEST:
            default = default[: LONGEST - 3] + "..."
        if whole:
            return first, f"{text}  [default: {default}]" if default else text
        named, option = ctx.meta.get(OWN, ()), self.parameter.option
        if option.short is None and self not in named:
            return None
        if self.of and self not in named and self.name not in flat:
            return None  # of a plug-in that was not chosen
        words = option.choices or _shortened(self.known)
        said = option.short if option.short is not None else text
        said = ": ".join(filter(None, (said, ", ".join(words))))
        if words and not self.is_flag:
            first = f"{self.opts[0]} {'NAME' if self.known else 'WORD'}"
        return first, f"{said}  [{default}]" if default else said


def _shortened(words: Sequence[str]) -> tuple[str, ...]:
    """Of forms of names, as ``folder:PATH``, the first alone."""
    forms = [word for word in words if ":" in word]
    return (*(word for word in words if word not in forms[1:]), *["..."] * (len(forms) > 1))


def _shown(parameter: Parameter, flat: Mapping[str, Any]) -> str:
    """The default that applies, with its unit; empty where there is none."""
    option, value = parameter.option, flat.get(parameter.name, parameter.default)
    if value is REQUIRED:
        return ""
    if isinstance(value, bool):
        return parameter.name.replace("_", "-") if value else f"no-{parameter.name.replace('_', '-')}"
    if value is None or isinstance(value, str):
        return option.none if value is None else value
    return f"{written(value)} {option.unit}".strip()


def _known(section: str) -> tuple[str, ...]:
    """The names of the plug-ins of a section, those of the package and those installed; forms of names last."""
    registry = REGISTRIES[section]
    kinds = registry.available()
    return (*sorted(kinds, key=lambda name: hasattr(kinds[name], "claims")), *registry.installed())


def _help(parameter: Parameter, of: tuple[str, ...], known: Sequence[str]) -> str:
    option = parameter.option
    text = f"{', '.join(of)}: {option.help[:1].lower()}{option.help[1:]}" if of else option.help
    return f"{text.removesuffix('.')}: {', '.join(known)}, or module:Class." if known else text
