"""Help screens: what is used most on one screen of 40 lines, everything by ``--help all``; and the nearest of what was mistyped."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from typing import Any

import click

from neurosim.errors import nearest

HELP = ("-h", "--help")
COLUMN, WIDTH = 18, 80  # the widest first column of the short screen, and its lines
_CHOICE = re.compile(r"'(.*?)' is not ")
Record = tuple[str, str]


class Rare(click.Option):
    """An option that only the whole help shows."""


class Command(click.Command):
    """A command with a short help screen and a whole one.

    The short one has the first paragraph of its help, and of an option the first sentence and the default.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Print a help screen where one is asked for."""
        place = next((place for place, word in enumerate(_own(args)) if word in HELP), None)
        if place is not None and not ctx.resilient_parsing:
            click.echo(self.screen(ctx, args, whole=args[place + 1 : place + 2] == ["all"]))
            ctx.exit()
        return super().parse_args(ctx, args)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the arguments; of a choice that there is not, the nearest is named."""
        try:
            context: click.Context = super().make_context(info_name, args, parent, **extra)
        except click.BadParameter as problem:
            raise suggested(problem) from None
        return context

    def screen(self, ctx: click.Context, args: Sequence[str], whole: bool) -> str:
        """A help screen.

        Args:
            ctx: of the command.
            args: given beside ``--help``.
            whole: every option with all that is known of it.
        """
        formatter = click.HelpFormatter(width=min(WIDTH, ctx.make_formatter().width))
        self.format_usage(ctx, formatter)
        introduce(formatter, self.help or "", whole, ctx, self.note(args))
        groups = list(self.groups(ctx, args, whole))
        left_out = not whole and self._left_out(ctx, groups)
        write_groups(formatter, groups, whole)
        if left_out:
            formatter.write("" if len(groups) > 1 else "\n")
            formatter.write(f"{ctx.command_path} --help all shows every option, and more of each.\n")
        return formatter.getvalue().rstrip("\n")

    def note(self, args: Sequence[str]) -> str:
        """A line below the example, of what the options have in common."""
        return ""

    def groups(self, ctx: click.Context, args: Sequence[str], whole: bool) -> Iterator[tuple[str, list[Record]]]:
        """Headings, each with its options: how they are written, and what they do."""
        yield "Options", list(records(ctx, self.get_params(ctx), whole))

    def _left_out(self, ctx: click.Context, shown: list[tuple[str, list[Record]]]) -> bool:
        every = [row for _, rows in self.groups(ctx, (), True) for row in rows]
        said = {first: text for _, rows in shown for first, text in rows}
        cut = [first for first, text in every if said.get(first, "").replace(".", "") != text.replace(".", "")]
        return "\n\n" in inspect.cleandoc(self.help or "") or bool(cut)


def _own(args: list[str]) -> list[str]:
    return args[: args.index("--")] if "--" in args else args


def introduce(formatter: click.HelpFormatter, text: str, whole: bool, ctx: click.Context, note: str = "") -> None:
    """What a command does, an example, and a line more."""
    text, write = inspect.cleandoc(text), formatter.write_text
    if not whole:
        text = text.partition("\n\n")[0].rstrip()
    with formatter.indentation():
        write(text)
        write(ctx.command.epilog or "")
        if note:
            write(note)


def write_groups(formatter: click.HelpFormatter, groups: list[tuple[str, list[Record]]], whole: bool) -> None:
    """Headings with what stands below them; close together on the short screen."""
    wide = max((min(len(first), COLUMN) for _, rows in groups for first, _ in rows), default=0)
    for name, rows in groups:
        if not rows:
            continue
        formatter.write(f"{name}:\n" if len(groups) > 1 and not whole else f"\n{name}:\n")
        with formatter.indentation():
            # One column for all groups, as wide as most need.
            formatter.write_dl([(first.ljust(wide), text) for first, text in rows], col_max=30 if whole else COLUMN)


def records(ctx: click.Context, params: Sequence[click.Parameter], whole: bool) -> Iterator[Record]:
    """What a help screen has of options; rare ones stand on the whole one alone."""
    for each in params:
        found = each.get_help_record(ctx) if isinstance(each, click.Option) else None
        if found is not None and "--help" not in each.opts and (whole or not isinstance(each, Rare)):
            yield found if whole else (found[0], first_sentence(found[1]))
    yield ", ".join(HELP) + " [all]", "This screen; all: every option."


def first_sentence(text: str) -> str:
    """The first sentence of an option's help, and its default."""
    sentence, default = re.match(r"(.*?)((?:\s+\[[^]]*\])?)$", text, re.DOTALL).groups()  # type: ignore[union-attr]
    return sentence.partition(". ")[0].strip().rstrip(".") + default


def suggested(problem: click.BadParameter) -> click.BadParameter:
    """What click says of a choice that there is not, with the nearest that there is; anything else as it is."""
    kind, found = getattr(problem.param, "type", None), _CHOICE.search(problem.message)
    near = nearest(found[1], map(str, kind.choices)) if isinstance(kind, click.Choice) and found else ""
    if not near:
        return problem
    text = f"{problem.message} D{near[1:]}"
    return click.BadParameter(text, problem.ctx, problem.param, problem.param_hint)


class Group(click.Group):
    """A group of commands whose help is as short as theirs, and which names the nearest of a command that there is not."""

    command_class = Command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Print the help screen where it is asked for."""
        if not ctx.resilient_parsing and (args[:1] in ([word] for word in HELP) or not args):
            click.echo(self.screen(ctx))
            ctx.exit(0 if args else 2)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is named first.

        Raises:
            click.UsageError: there is none of this name.
        """
        known = self.list_commands(ctx)
        if args and args[0] not in known and not args[0].startswith("-") and not ctx.resilient_parsing:
            hint = nearest(args[0], known, f"one of {', '.join(known)}").removesuffix("?")
            ctx.fail(f"No such command {args[0]!r}: {hint}{'?' if hint.startswith('did') else ''}")
        found: tuple[str | None, click.Command | None, list[str]] = super().resolve_command(ctx, args)
        return found

    def screen(self, ctx: click.Context) -> str:
        """The help screen."""
        formatter = click.HelpFormatter(width=min(WIDTH, ctx.make_formatter().width))
        self.format_usage(ctx, formatter)
        introduce(formatter, self.help or "", True, ctx)
        formatter.write("\n")
        for name, rows in self.sections(ctx):
            with formatter.section(name):
                formatter.write_dl(rows)
        formatter.write(f"{ctx.command_path} COMMAND --help has the options of a command, and an example.")
        return re.sub(r"\n{3,}", "\n\n", formatter.getvalue())

    def sections(self, ctx: click.Context) -> Iterator[tuple[str, list[Record]]]:
        """Headings, each with commands or options."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        yield "Commands", [(name, first_sentence(each.help or "")) for name, each in commands if each is not None]
        yield "Options", list(records(ctx, self.get_params(ctx), True))
