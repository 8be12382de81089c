"""``neurosim bench``: what a training step takes on this machine, beside its floors or beside PyTorch."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import click
from neurosim.bench.sides import PEERS, RULES
from neurosim.bench.turns import bench as measure
from neurosim.bench.turns import check_place
from neurosim.cli.declared import Value
from neurosim.cli.help import Command

from neurosim.core.cores import cores
from neurosim.errors import WiringError
from neurosim.training import plugins
from neurosim.training.folder import write_json

LAGS = Value(plugins.options("loss", "hinge")["lags"])
DEFAULT = "bp,ll-greedy,ll-simultaneous"


@click.command(cls=Command, epilog="Example: neurosim bench --rules bp,ll-greedy --threads 2")
@click.option("--against", type=click.Choice(["torch"]), help="Take turns with the same step in PyTorch.")
@click.option("--rules", default=DEFAULT, show_default=True, help="Some of " + ", ".join(RULES) + ".")
@click.option("--pairs", type=click.IntRange(min=2), default=250, show_default=True, help="Moments in a batch.")
@click.option(
    "--lags",
    type=LAGS,
    default="all",
    show_default=True,
    help="all: every negative of the batch, no gradient block; K: a memory of K lags, and the block.",
)
@click.option("--feedback", type=click.Choice(["bp", "rf", "urf"]), help="Of ll.  [default: urf]")
@click.option("--plasticity", type=click.Choice(["adam", "signum"]), default="adam", show_default=True)
@click.option("--deform", is_flag=True, help="Beside PyTorch too, a step deforms both views.")
@click.option("--threads", type=click.IntRange(min=1), help="Of every side.  [default: as many as the process may use]")
@click.option("--repeats", type=click.IntRange(min=1), default=5, show_default=True, help="Timed turns.")
@click.option("--memory/--no-memory", default=True, help="Peak memory, in processes of their own.")
@click.option("--table/--no-table", default=True, help="Each step of the plan beside its floor.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write everything measured as JSON.")
def bench(
    against: str | None,
    rules: str,
    pairs: int,
    lags: str | int,
    feedback: str | None,
    plasticity: str,
    deform: bool,
    threads: int | None,
    repeats: int,
    memory: bool,
    table: bool,
    out: Path | None,
) -> None:
    """Time a training step of conv5 (dtp: conv4-tanh): images/s, each step against its floor, peak memory.

    With --against torch the same step in PyTorch, as usually published, tuned, and tuned and compiled (torch.compile,
    max-autotune; minutes before the first turn), takes turns in this process, and first all sides must agree; images are
    then deformed only with --deform, on all sides or on none.
    """
    names = rules.split(",")
    _check(names, bool(against), feedback)
    check_place(out)
    options = {
        "lags": None if lags == "all" else lags,
        "feedback": feedback or "urf",
        "plasticity": plasticity,
        "deformed": deform or not against,
    }
    measured = {"options": options, "with_memory": memory, "with_table": table}
    threads = threads or cores()[0]
    record = measure(names, pairs=pairs, threads=threads, repeats=repeats, against=bool(against), **measured)
    if out:
        write_json(out, record)


def _check(names: list[str], against: bool, feedback: str | None) -> None:
    """Hold that what was asked for can be measured here.

    Raises:
        WiringError: it cannot.
    """
    known = PEERS if against else RULES
    for name in names:
        if name not in known:
            raise WiringError(
                f"rule {name!r}",
                "some of " + ", ".join(known) + (" beside PyTorch" if against else ""),
                f"write --rules {DEFAULT}",
            )
    if feedback and not any(name.startswith("ll-") for name in names):
        raise WiringError(
            f"--feedback {feedback} with {','.join(names)}",
            "a rule that takes it: ll-greedy, ll-random, ll-simultaneous",
            "leave --feedback out",
        )
    if against and importlib.util.find_spec("torch") is None:
        raise WiringError(
            "PyTorch is not installed",
            "it beside neurosim, to take turns with",
            "run `pip install 'neurosim[torch]'`, or leave --against out",
        )
