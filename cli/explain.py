"""``neurosim explain``: the plan of a rule, step by step."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click
from neurosim.cli.options import PLAN, Configured, configure

from neurosim.training.assembly import Assembly, build
from neurosim.training.config import Config

if TYPE_CHECKING:
    from neurosim.core.step import Step

Image = tuple[int, int, int]
SYNAPSE = "One synapse instead: conv3:17,4 (channels; middle tap), conv3:17,4@0,2, head3:120,5, B3:17,4."


@click.command(cls=Configured, short=PLAN, epilog="Example: neurosim explain --rule dtp --short")
@click.option("--short", is_flag=True, help="Only the equations.")
@click.option("--synapse", metavar="ARRAY:PRE,POST[@TAP]", help=SYNAPSE)
def explain(short: bool, synapse: str | None, **given: Any) -> None:
    """Print the plan of a rule: every step in order, its equation, and what it reads, writes, updates and sums.

    Takes the options of train. Images are taken to be 32 x 32 x 3, or as large as --crop. With --synapse, one batch of
    4 moments of random pictures is run, and one synapse is described: its equation, its two sides now, its change, the
    source lines.
    """
    config = configure(given)
    image = (config.views.crop or 32, config.views.crop or 32, 3)
    if synapse is not None:
        _explain_synapse(config, image, synapse)
        return
    assembly = build(config, image)
    network, rule = assembly.network, assembly.rule
    click.echo(f"rule {rule.name}: {rule.summary}")
    click.echo(f"network {config.network.name}: {network}; loss {rule.loss.name}: {rule.loss.summary}")
    for line in rule.wiring():
        click.echo(f"feedback {line}")
    if not rule.phases:
        click.echo("no plan: nothing learns")
    for phase in rule.phases:
        _explain_phase(config, assembly, phase, short)


def _explain_synapse(config: Config, image: Image, synapse: str) -> None:
    from neurosim.audit.synapse import describe_synapse
    from neurosim.audit.target import of_config

    for line in describe_synapse(of_config(config, image, sys.maxsize), synapse):
        click.echo(line)


def _explain_phase(config: Config, assembly: Assembly, phase: str, short: bool) -> None:
    views = f"each {config.grid} x {config.grid} patches" if config.grid else "view 1 then view 2"
    click.echo(f"\nplan {phase!r}, one batch of {config.training.batch} moments, {views}")
    for number, step in enumerate(assembly.plan(phase), 1):
        click.echo(f"{number:3}  {step.equation}")
        if not short:
            _details(step)


def _details(step: Step) -> None:
    click.echo(f"       {step.label} (kernel {step.kernel.name})")
    for word, buffers in (
        ("reads", step.reads),
        ("writes", step.writes),
        ("updates", step.updates),
        ("sums", step.sums),
    ):
        if buffers:
            names = ", ".join(f"{b.name} [{'x'.join(map(str, b.shape))}]" for b in buffers.values())
            click.echo(f"       {word:8}{names}")
