"""What is audited: a rule wired into a network, its plans, and pictures to present."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurosim.core.plan import Plan
from neurosim.core.roles import Role
from neurosim.core.typing import Array
from neurosim.data.views.deformation import Deformation
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import RunError
from neurosim.kernels.devices import backend
from neurosim.networks.network import PRESETS, parse
from neurosim.parts.stimulus import Stimulus
from neurosim.rules import Rule
from neurosim.training.config import Config
from neurosim.training.folder import Run
from neurosim.training.session import CENTRED, Session, make_network, make_rule

PAIRS = 4  # moments of an audit's batch: wiring does not depend on how many there are
CHANNELS = 128  # of a layer at most, where a rule and not a run is audited: wiring does not depend on them either


@dataclass
class AuditTarget:
    """A rule, ready to be audited.

    Args:
        title: what the verdict calls it.
        rule: wired.
        plans: phase -> plan, the stimulus included.
        present_batch: puts the views of batch 0, 1, ... before the stimulus; a function of its argument and of `labels` alone.
        labels: the labels of the pictures presented, to be permuted; None: there are none anywhere.
        kernels: of the device.
        note: lines for the verdict: the network, the batch, the weights.
        start: the weights before training, by name; None: they are those of the network.
    """

    title: str
    rule: Rule
    plans: dict[str, Plan]
    present_batch: Callable[[int], None]
    labels: Array | None = None
    kernels: Any = field(default_factory=lambda: backend("cpu"))
    note: list[str] = field(default_factory=list)
    start: dict[str, Array] | None = None


# -- a rule or a configuration


def smallest_image(network: str, crop: int | None = None) -> tuple[int, int, int]:
    """The smallest picture that a network's pools allow, 8 x 8 x 3 or more: no wiring depends on the size.

    Args:
        network: as text or the name of a preset.
        crop: side of the part of every picture that is used, where one is; the picture has that size then.
    """
    side = crop or max(8, 2 ** sum(layer.pooled for layer in parse(network)))
    return side, side, 3


def narrow(network: str, channels: int = 6) -> str:
    """A network's text with few channels in every layer: no wiring depends on how many there are."""
    parts = [part.split() for part in PRESETS.get(network, network).split(",")]
    few = [[str(min(int(words[0]), channels)), *words[1:]] if words[0].isdecimal() else words for words in parts]
    return ", ".join(" ".join(words) for words in few)


def of_config(config: Config, image: tuple[int, int, int] | None = None, channels: int = CHANNELS) -> AuditTarget:
    """The rule of a configuration on the smallest pictures, with few channels a layer and random weights.

    Args:
        config: what is asked for.
        image: (row, column, channel) of the pictures; the smallest that the pools allow if None.
        channels: of a layer at most.

    Raises:
        WiringError: what cannot be wired.
        ShapeError: sizes that do not fit.
    """
    few = dataclasses.replace(config, batch=PAIRS, network=narrow(config.network, channels))
    network = make_network(few, image or smallest_image(config.network, config.crop))
    return of_rule(make_rule(few, network), deformed=config.views == "deform")


def of_rule(rule: Rule, deformed: bool = True) -> AuditTarget:
    """A rule that is wired already; random pictures lie before its stimulus.

    Args:
        rule: wired into a network of few pairs.
        deformed: the stimulus deforms its pictures.
    """
    network = rule.network
    stimulus = Stimulus(network.populations[0], **CENTRED)
    plans = {name: Plan(name, [*stimulus.present(deformed), *rule.wire(name)], rule.outputs(name)) for name in rule.phases}

    def present_batch(batch: int) -> None:
        rng = np.random.default_rng([network.seed, ord("A"), batch])
        views = network.populations[0].views
        pictures = rng.integers(0, 256, (views, *network.populations[0].shape), np.uint8)
        if views == 2 * network.pairs:
            pictures[network.pairs :] = pictures[: network.pairs]  # two views of every moment
        stimulus.load(pictures)
        stimulus.draw(Deformation(), rng)
        rule.draw(0, batch)

    sizes = " -> ".join("x".join(map(str, p.shape)) for p in network.populations)
    note = [f"network {network}: {sizes}", f"{network.pairs} moments of random pictures, random weights"]
    target = AuditTarget(rule.name or type(rule).__name__, rule, plans, present_batch, note=note)
    target.present_batch(0)
    _match_heads(rule, stimulus, deformed, target.kernels)
    return target


def _match_heads(rule: Rule, stimulus: Stimulus, deformed: bool, kernels: Any) -> None:
    """Scale heads so that pictures lie between the margins: an error that is nowhere active would show nothing."""
    margins = getattr(rule.loss, "margins", {"m": 2.0}).values()
    wanted = sum(margins) / len(margins)
    heads = [rule.network.head(number) for number in rule.errors]
    steps = [*stimulus.present(deformed), *rule.network.propagate(max(rule.errors, default=0))]
    for head in heads:
        steps += [*head.transmit(), *head.post.respond()]
    with ThreadTeam(1) as team:
        Program(Plan("match heads", steps, [head.post.activity for head in heads]), kernels).run(team)
    for head in heads:
        z = head.post.activity.array[: rule.network.pairs].astype(float)
        distance = np.abs(z - np.roll(z, 1, axis=0)).sum(axis=1).mean()
        if np.isfinite(distance) and distance > 0:
            weight = head.synapse.weight
            weight.array[...] *= weight.dtype.type(wanted / distance)


# -- a trained run


def of_run(run: Run, pairs: int = PAIRS) -> AuditTarget:
    """A trained run: its configuration, its images and labels, the weights of its last checkpoint.

    Args:
        run: a run's folder.
        pairs: moments of a batch.

    Raises:
        RunError: a wiring other than the one that was trained, or what is missing.
        DataError: images that are missing or do not fit.
    """
    # What a run was trained on does not matter to what its plan does: the CPU answers.
    session = Session(dataclasses.replace(run.config, batch=pairs, device="cpu", precision="float32"))
    built = session.rule.wiring()
    _check_wiring(run, built)
    arrays, state = run.checkpoint()
    plans = {name: session.plan(name) for name in session.rule.phases}
    weights = [b for plan in plans.values() for b in plan.buffers if b.role.is_weight]
    start = {b.name: b.array.copy() for b in weights}
    _restore(session, arrays)
    labels = session.data.train_labels
    labels = None if labels is None else labels.copy()
    session.data = dataclasses.replace(session.data, train_labels=labels)
    sizes = " -> ".join("x".join(map(str, p.shape)) for p in session.network.populations)
    batches = f"{pairs} moments of {session.data.name}, weights after {state['done']} batches"
    note = [f"network {session.network}: {sizes}", batches, *built]

    def present_batch(batch: int) -> None:
        session.show(0, batch)
        session.rule.draw(0, batch)

    return AuditTarget(
        str(run.folder), session.rule, plans, present_batch, labels, session.kernels, note=note, start=start
    )


def _check_wiring(run: Run, built: list[str]) -> None:
    """Its options build what was trained.

    Raises:
        RunError: they build something else.
    """
    trained = run.wiring()
    if built != trained:
        odd = next((line for line in trained if line not in built), "another number of paths")
        raise RunError(
            f"{run.folder} was trained as {odd!r}, which is not what its options build now",
            "the wiring in config.json",
            "audit it with the version that trained it",
        )


def _restore(session: Session, arrays: dict[str, Array]) -> None:
    """Weights and traces of a checkpoint; the memory is of another batch size, and starts empty."""
    for buffer in session.buffers().values():
        if not buffer.role.is_weight and buffer.role is not Role.PLASTICITY:
            continue
        if buffer.name not in arrays or arrays[buffer.name].shape != buffer.shape:
            raise RunError(
                f"the checkpoint has no {buffer.name} of {'x'.join(map(str, buffer.shape))}",
                "the arrays of this configuration",
                "audit the run with the version that trained it",
            )
        buffer.array[...] = arrays[buffer.name]
