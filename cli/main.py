"""The command ``neurosim``: its commands, loaded when they are called, and its errors, one line each."""

from __future__ import annotations

import importlib
import os
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import click
from neurosim.cli.help import Group, records
from neurosim.cli.streams import tolerant

from neurosim import __version__
from neurosim.errors import DataWarning, NeurosimError, visible

BUG, INTERRUPTED = 70, 130
CODES = {
    0: "Done.",
    1: "No: what audit asks is violated, or doctor finds that training cannot work.",
    2: "Wrong usage or bad input: one line says what, and how to correct it.",
    3: "Stopped because training diverged, or an audit that is undecided.",
    BUG: "A mistake of neurosim itself: the lines above it are worth a report.",
    INTERRUPTED: "Interrupted; what was trained is saved.",
}
# name -> (file of this folder, one line of help); loaded only when called, so that --help is quick.
COMMANDS = {
    "train": ("train", "Train a network without labels, then read its features out."),
    "evaluate": ("evaluate", "Read a run's features out again, per layer, beside the floor."),
    "encode": ("encode", "Write features of any pictures, by a run, into a file."),
    "compare": ("compare", "Set runs side by side: settings, read-outs, cost; with intervals over seeds."),
    "export": ("export", "Write a run's model for other programs: ONNX, safetensors, .npz."),
    "explain": ("explain", "Print the plan of a rule: every step, what it reads, writes, updates, sums."),
    "reproduce": ("reproduce", "Run the grid of the paper's tables, at any scale; go on where it stopped."),
    "audit": ("audit", "Ask a rule or a run whether it transports weights; with evidence."),
    "bench": ("bench", "Time a training step of this machine, or beside PyTorch."),
    "doctor": ("doctor", "Examine this machine: what is there, and whether training can work."),
    "data": ("data", "List, fetch, check and show the sources of images."),
}


class Lazy(Group):  # type: ignore[misc]  # whose file mypy finds in another place
    """A group that imports a command's file when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        found = importlib.import_module(f"neurosim.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(found, cmd_name)
        return command

    def sections(self, ctx: click.Context) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        yield "Commands", [(name, line) for name, (_, line) in COMMANDS.items()]
        yield "Options", list(records(ctx, self.get_params(ctx), True))
        yield "Exit codes, of every command", [(str(code), line) for code, line in CODES.items()]


@click.group(
    cls=Lazy,
    epilog="Example: neurosim train --rule ll --out runs/a",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="neurosim")
def neurosim() -> None:
    """Deep networks that learn without labels as a brain might: local rules, no automatic differentiation."""


def main(arguments: Sequence[str] | None = None, command: click.Command = neurosim, name: str = "neurosim") -> None:
    """Run the command line: one line and an exit code for what a user can correct; 70 for a mistake of the program's own.

    Args:
        arguments: as typed; None: those of the process.
        command: of whose options errors speak.
        name: as it is shown in help.
    """
    with tolerant():
        _run(arguments, command, name)


def _run(arguments: Sequence[str] | None, command: click.Command, name: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", DataWarning)
            warnings.showwarning = _warned(warnings.showwarning)
            typed = list(map(at_home, sys.argv[1:] if arguments is None else arguments))
            code = command.main(args=typed, prog_name=name, standalone_mode=False)
        sys.exit(
            code if type(code) is int else 0
        )  # a number is that of an exit; commands return other things, or nothing
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:  # Ctrl-C, where nobody else took it
        sys.exit(INTERRUPTED)
    except NeurosimError as error:
        from neurosim.cli.messages import as_typed, options_of

        given = sys.argv[1:] if arguments is None else list(arguments)
        click.echo(f"error: {as_typed(error, options_of(command, given))}", err=True)
        sys.exit(error.exit_code)
    except MemoryError as error:
        what = visible(" ".join(str(error).split())) or "none is left"
        click.echo(f"error: not enough memory ({what}); expected room for the batch; use a smaller --batch", err=True)
        sys.exit(2)
    except Exception:
        traceback.print_exc()
        python = sys.version.split()[0]
        click.echo(
            f"error: a mistake of neurosim {__version__} (Python {python}); expected none; report the lines above, and what you "
            "typed, where you got neurosim from",
            err=True,
        )
        sys.exit(BUG)


def at_home(word: str) -> str:
    """A word with its ``~/`` as the user's home, which a shell leaves as it is behind ``--out=`` or within quotes."""
    before, found, after = re.fullmatch("(--[\\w-]+=)?(~/)?(.*)", word, re.DOTALL).groups("")  # type: ignore[union-attr]
    return before + os.path.expanduser(found) + after if found else word


def _warned(others: Callable[..., None]) -> Callable[..., None]:
    """Files that are left out are one line, without the place in the code; other warnings are shown as they are."""

    def show(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
        if issubclass(category, DataWarning):
            click.echo(f"warning: {message}", err=True)
        else:
            others(message, category, *rest, **more)

    return show
