"""``neurosim audit``: evidence that a rule transports no weights, or the path by which it does."""

from __future__ import annotations

import json
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from neurosim.cli import apart
from neurosim.cli.certificates import computed, opened, refuse, verified
from neurosim.cli.declared import Option
from neurosim.cli.help import Rare
from neurosim.cli.options import PLAN, Configured, configure

from neurosim.audit.evidence import REQUIRED
from neurosim.audit.isolation.parent import MEMORY, TIMEOUT, Limits
from neurosim.audit.report import grade_table
from neurosim.errors import RunError, UndecidedError
from neurosim.training.folder import write_json, write_text

if TYPE_CHECKING:
    from neurosim.audit.torch.verdict import TorchVerdict
    from neurosim.audit.verdict import Verdict

GRADES = "\n".join(
    f"  {words:34}{word}\n" + textwrap.fill(means, 76, initial_indent="      ", subsequent_indent="      ")
    for words, word, means in grade_table()
)
FILE = click.Path(path_type=Path, dir_okay=False)
HELP = f"""Audit a rule, or the trained run in FOLDER: does it transport weights, look elsewhere, do more than simple
arithmetic, or see labels? Takes the options of train. Exit code 0: no violation found, 1: violated, or below --require,
2: wrong usage, 3: undecided. Grades for --require: strict, strictly local; scalar, local with a broadcast scalar; batch,
local over a batch; what is not local exits with 1.

Every condition is asked of declarations and of behaviour; the report says what was tried. A rule of your own is named
module:Class, and runs in a process of its own. docs/audit.md explains the method and its limits.

\b
Exit codes
  0  no violation found
  1  a condition is violated, or the grade is below --require
  2  wrong usage, or bad input
  3  undecided: the rule crashed, ended the process, ran out of time, or gave
     no evidence

\b
Grades of locality                  --require
{GRADES}
  Shared weights are said apart: "but for weight sharing".
"""


@dataclass(frozen=True)
class Shown:
    """What is to be shown of a verdict, and what is asked of it.

    Args:
        json_file: where its data go.
        html_file: where its page goes.
        svg_file: where the picture of its plan goes.
        graph: print every update walked back.
        require: the grade that is asked for.
    """

    json_file: Path | None = None
    html_file: Path | None = None
    svg_file: Path | None = None
    graph: bool = False
    require: str | None = None

    def check(self) -> None:
        """Hold that there is a folder for every file.

        Raises:
            RunError: there is none.
        """
        for path in filter(None, (self.json_file, self.html_file, self.svg_file)):
            if not path.parent.is_dir():
                raise RunError(f"no folder {path.parent}", "a folder to write to", "make it first")

    def show(self, found: Verdict | TorchVerdict) -> int:
        """Print a verdict and write its files; gives the exit code."""
        from neurosim.audit.verdict import Verdict

        if not isinstance(found, Verdict):
            click.echo(found.text())
            if self.json_file is not None:
                write_json(self.json_file, found.json())
            return found.exit_code
        found.required = REQUIRED[self.require or "batch"]
        click.echo(found)
        self._write(found)
        return found.exit_code

    def _write(self, verdict: Verdict) -> None:
        from neurosim.audit.graph.draw import svg
        from neurosim.audit.graph.export import graph_json, graph_text
        from neurosim.audit.page import html

        if self.graph:
            click.echo("\n" + graph_text(verdict.graph))
        if self.json_file is not None:
            write_text(self.json_file, json.dumps(verdict.json(), indent=1) + "\n")
        if self.html_file is not None:
            write_text(self.html_file, html(verdict))
        if self.svg_file is not None:
            write_text(self.svg_file, svg(graph_json(verdict.graph)))

    def undecided(self, problem: UndecidedError, title: str) -> None:
        """Write as data that there is no verdict."""
        if self.json_file is not None:
            record = {"audit": 3, "target": title, "verdict": "undecided", "exit code": 3, "line": str(problem)}
            write_json(self.json_file, record)


OWN: list[click.Parameter] = [
    click.Option(["--json", "json_file"], type=FILE, help="Write the report as data."),
    click.Option(["--html", "html_file"], type=FILE, help="Write the report as one page."),
    Rare(["--svg", "svg_file"], type=FILE, help="Write the plan's graph as a picture."),
    click.Option(["--graph"], is_flag=True, help="Print every update walked back to its sources, too."),
    click.Option(
        ["--require"],
        type=click.Choice(list(REQUIRED)),
        help="Exit 1 below this grade of locality.  [default: batch]",
    ),
    click.Option(
        ["--verify"],
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Compute what a file of --json, or a run's audit.json, says once more: the same, or what differs.",
    ),
    Rare(
        ["--trust"],
        multiple=True,
        metavar="MODULE:CLASS",
        help="Run what a run or a certificate names and is not neurosim's own.",
    ),
    Rare(
        ["--timeout"],
        type=click.FloatRange(0, min_open=True),
        default=TIMEOUT,
        metavar="SECONDS",
        help=f"For code that is not neurosim's own.  [default: {TIMEOUT:g}]",
    ),
    Rare(
        ["--memory"],
        type=click.FloatRange(0, min_open=True),
        default=MEMORY,
        metavar="GIB",
        help=f"For code that is not neurosim's own.  [default: {MEMORY:g}]",
    ),
]


class Audited(Configured):  # type: ignore[misc]  # whose file mypy finds in another place
    """A command that takes itself to another process where somebody else's code is named."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.params += OWN

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the arguments, here or there."""
        title = apart.foreign(args) if apart.inside is None and not extra.get("resilient_parsing") else None
        if title is not None:
            sys.exit(_elsewhere(args, title))
        context: click.Context = super().make_context(info_name, args, parent, **extra)
        return context

    def named_options(self, args: list[str]) -> list[Option]:
        """None in this process of what runs in another."""
        found: list[Option] = (
            super().named_options(args) if apart.inside is not None or apart.foreign(args) is None else []
        )
        return found


def _elsewhere(args: list[str], title: str) -> int:
    """The command in a process of its own, from the words that were typed; gives the exit code."""
    own = click.Command("neurosim audit", params=OWN, add_help_option=False, context_settings=_ANY)
    context = own.make_context("neurosim audit", list(args))
    words = dict(context.params)
    limits = Limits(words.pop("timeout"), words.pop("memory"))
    verify, trust = words.pop("verify"), words.pop("trust")
    shown = Shown(**words)
    shown.check()
    named = [word for name in trust for word in ("--trust", name)]
    if verify is not None:
        code: int = verified(verify, [*context.args, *named], limits, shown.json_file)
        return code
    try:
        found = apart.audited(_passed_on(shown, [*context.args, *named]), limits, title)
    except UndecidedError as problem:
        shown.undecided(problem, title)
        raise
    if isinstance(found, str):
        click.echo(found, nl=False)
        return 0
    return shown.show(found)


_ANY = {"ignore_unknown_options": True, "allow_extra_args": True}


def _passed_on(shown: Shown, rest: list[str]) -> list[str]:
    """What the other process is asked: all but what is written here; of that, only whether it was given."""
    given = [("--html", shown.html_file), ("--svg", shown.svg_file)]
    words = [word for option, path in given if path is not None for word in (option, "unused")]
    grade = ["--require", shown.require] if shown.require is not None else []
    return [*rest, *words, *grade, *["--graph"] * shown.graph]


@click.command(cls=Audited, help=HELP, short=PLAN, epilog="Example: neurosim audit --rule ll --require strict")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--torch", metavar="MODULE:BUILD", help="Audit a PyTorch module instead; docs/write-your-own-rule.md.")
def audit(
    folder: Path | None,
    torch: str | None,
    json_file: Path | None,
    html_file: Path | None,
    svg_file: Path | None,
    graph: bool,
    require: str | None,
    verify: Path | None,
    trust: tuple[str, ...],
    timeout: float,
    memory: float,
    **given: Any,
) -> Verdict | TorchVerdict:
    """Audit a rule, a run, or a PyTorch module; its help is `HELP`."""
    shown = Shown(json_file, html_file, svg_file, graph, require)
    if verify is not None:
        return _given(shown, computed(verify, {"folder": folder, "torch": torch, **given}, trust))
    if torch is not None:
        from neurosim.audit.torch.audit import audit_build

        beside = {"folder": folder, "html": html_file, "svg": svg_file, "graph": graph or None, "require": require}
        others = [name for name, value in (beside | given).items() if value is not None]
        refuse(others, "--torch", "only --json: a module has no plan to be drawn")
        found: TorchVerdict = audit_build(torch)
        return _given(shown, found)
    from neurosim.audit import check
    from neurosim.audit.target import of_config, of_run

    if apart.inside is None:
        shown.check()
    target = of_config(configure(given)) if folder is None else of_run(opened(folder, given, trust))
    if apart.inside is not None:
        apart.inside.restore()  # whatever the rule put in the audit's place while it was made
    verdict: Verdict = check(target)
    return _given(shown, verdict)


def _given(shown: Shown, found: Verdict | TorchVerdict) -> Verdict | TorchVerdict:
    """A verdict to the process that asked for it, or shown here."""
    if apart.inside is None:
        sys.exit(shown.show(found))
    return found
