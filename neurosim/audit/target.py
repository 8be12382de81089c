"""What is audited: a rule wired into a network, its plans, and pictures to present."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from neurosim.audit.replay.recipe import Recipe, of_configuration
from neurosim.core.backend import Backend
from neurosim.core.roles import Role
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import RunError
from neurosim.training.alone import narrow, shown
from neurosim.training.assembly import NOTHING, Assembly, Given, build, smallest
from neurosim.training.labels import watched_labels
from neurosim.training.model import Model
from neurosim.training.stream import ViewStream, load_data

if TYPE_CHECKING:
    from neurosim.core.plan import Plan
    from neurosim.core.typing import Array
    from neurosim.rules.base import Rule
    from neurosim.training.config import Config
    from neurosim.training.folder import Run

PAIRS = 4  # moments of an audit's batch: wiring does not depend on how many there are
CHANNELS = 128  # of a layer at most, where a rule and not a run is audited: wiring does not depend on them either


@dataclass
class AuditTarget:
    """A rule, ready to be audited.

    Args:
        title: what the verdict calls it.
        rule: wired.
        plans: phase -> plan, the stimulus included.
        present_batch: called as ``present_batch(batch, epoch)``, puts the views of a batch before the stimulus and lets the
            rule draw what it needs; a function of its arguments and of `labels` alone.
        labels: the labels of the pictures presented, to be permuted; None: there are none anywhere.
        kernels: of the device.
        note: lines for the verdict: the network, the batch, the weights.
        start: the weights before training, by name; None: they are those of the network.
        recipe: how a fresh process builds it; None: none can.
        run: the trained run that it is of; None: it is of none.
        show: called as ``show(epoch, batch)``, puts the views alone before the stimulus; None: it is not known apart.
        matched: what changed while heads were matched: name -> values before and after.
        labels_reach: who reads the labels of a data set, and which array is another one where these are others.
    """

    title: str
    rule: Rule
    plans: dict[str, Plan]
    present_batch: Callable[..., None]
    labels: Array | None = None
    kernels: Backend = field(default_factory=lambda: Backend("cpu"))
    note: list[str] = field(default_factory=list)
    start: dict[str, Array] | None = None
    recipe: Recipe | None = None
    run: Run | None = None
    show: Callable[[int, int], None] | None = None
    matched: dict[str, tuple[Array, Array]] = field(default_factory=dict)
    labels_reach: str = ""


def built(make: Callable[[], AuditTarget], once: bool = False) -> AuditTarget:
    """Make a target; where somebody reads the labels of a data set meanwhile, make it with other labels too, and compare.

    Args:
        make: makes the target, every time anew.
        once: it cannot: its rule is wired already.
    """
    if once:
        return make()
    with watched_labels() as readers:
        target = make()
        left = _trained(target) if readers else {}
    if readers:
        with watched_labels(others=True):
            other = _trained(make())
        moved = [name for name, values in left.items() if not np.array_equal(values, other[name], equal_nan=True)]
        if moved:
            target.labels_reach = f"the labels of a data set, read by {readers[0]}, reach {moved[0]}"
    return target


def _trained(target: AuditTarget, batches: int = 3) -> dict[str, Array]:
    """What arrays that last hold after a few batches, and what every batch is given; the target is as before then."""
    bases = {b.name: b for plan in target.plans.values() for b in plan.buffers}
    programs = {phase: Program(plan, target.kernels, hold=True) for phase, plan in target.plans.items()}
    before = {name: b.array.copy() for name, b in bases.items()}
    with ThreadTeam(1) as team:
        for batch in range(batches):
            target.present_batch(batch)
            for program in programs.values():
                program.run(team)
    after = {name: b.array.copy() for name, b in bases.items() if b.lasts or b.given}
    for name, values in before.items():
        bases[name].array[...] = values
    return after


# -- a rule or a configuration


def of_config(
    config: Config, image: tuple[int, int, int] | None = None, channels: int = CHANNELS, given: Given = NOTHING
) -> AuditTarget:
    """The rule of a configuration on the smallest pictures, with few channels a layer and random weights.

    Args:
        config: what is asked for.
        image: (row, column, channel) of the pictures; the smallest that the pools allow if None.
        channels: of a layer at most.
        given: parts that were given from Python, see `neurosim.training.assembly.build`; a network is made anew.

    Raises:
        WiringError: what cannot be wired.
        ShapeError: sizes that do not fit.
    """
    few = config.replace(batch=PAIRS, network=narrow(config.network.text, channels))
    parts = {kind: thing for kind, thing in given.items() if kind not in ("network", "data")}
    shape, deformed = image or smallest(config), config.views.kind == "deform"
    target = built(
        lambda: of_rule(build(few, shape, parts).rule, deformed), not isinstance(parts.get("rule", ""), type | str)
    )
    target.recipe = of_configuration(config, image, channels, given)
    return target


def of_rule(rule: Rule, deformed: bool = True) -> AuditTarget:
    """A rule that is wired already; random pictures lie before its stimulus.

    Args:
        rule: wired into a network of few pairs.
        deformed: the stimulus deforms its pictures.
    """
    network, assembly = rule.network, shown(rule, deformed)
    stimulus = assembly.stimulus

    def show(epoch: int, batch: int) -> None:
        rng = np.random.default_rng([network.seed, ord("A"), epoch, batch])
        views = network.populations[0].views
        pictures = rng.integers(0, 256, network.image.shown.shape, np.uint8)
        if views == 2 * network.pairs:
            pictures[network.pairs :] = pictures[: network.pairs]  # two views of every moment
        stimulus.load(pictures)
        stimulus.draw(rng)

    def present_batch(batch: int, epoch: int = 0) -> None:
        show(epoch, batch)
        rule.draw(epoch, batch)

    matched = _match_heads(assembly, show)
    plans = {name: assembly.plan(name) for name in rule.phases}
    sizes = " -> ".join("x".join(map(str, p.shape)) for p in network.populations)
    note = [f"network {network}: {sizes}", f"{network.pairs} moments of random pictures, random weights"]
    target = AuditTarget(
        rule.name or type(rule).__name__, rule, plans, present_batch, note=note, show=show, matched=matched
    )
    target.present_batch(0)
    return target


def _match_heads(assembly: Assembly, show: Callable[[int, int], None]) -> dict[str, tuple[Array, Array]]:
    """Scale heads so that pictures lie between the margins: an error that is nowhere active would show nothing.

    As before a training: whatever else changes meanwhile is part of what is audited.

    Returns:
        Every array that changed: name -> before, after.
    """
    rule = assembly.rule
    if not rule.phases or not rule.errors:
        return {}
    margins = getattr(rule.loss, "margins", {"m": 2.0}).values()
    wanted = sum(margins) / len(margins)
    show(0, 0)
    with ThreadTeam(1) as team:
        Program(assembly.propagation(rule.errors), Backend("cpu")).run(team)
    watched = {b.name: b for plan in map(assembly.plan, rule.phases) for b in plan.buffers if b.role.may_last}
    watched |= {synapse.name: synapse.weight for synapse in rule.synapses()}
    before = {name: buffer.array.copy() for name, buffer in watched.items()}
    for head in [rule.network.head(number) for number in rule.errors]:
        z = head.post.activity.array[: rule.network.pairs].astype(float)
        distance = np.abs(z - np.roll(z, 1, axis=0)).sum(axis=1).mean()
        if np.isfinite(distance) and distance > 0:
            head.synapse.rescale(wanted / distance)
    after = {name: buffer.array.copy() for name, buffer in watched.items()}
    return {name: (old, after[name]) for name, old in before.items() if not np.array_equal(old, after[name])}


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
    config = run.config.replace(batch=pairs, device="cpu", precision="float32")
    data = load_data(config)
    model = Model(config, data.image_shape)
    built = model.rule.wiring()
    run.check_wiring(built)
    arrays, state = run.checkpoint()
    plans = {name: model.plan(name) for name in model.rule.phases}
    start = {name: buffer.array.copy() for name, buffer in model.weights().items()}
    _restore(model, arrays)
    labels = None if data.train_labels is None else data.train_labels.copy()
    stream = ViewStream(model, dataclasses.replace(data, train_labels=labels))
    sizes = " -> ".join("x".join(map(str, p.shape)) for p in model.network.populations)
    batches = f"{pairs} moments of {data.name}, weights after {state['done']} batches"
    note = [f"network {model.network}: {sizes}", batches, *built]

    def present_batch(batch: int, epoch: int = 0) -> None:
        stream.load(epoch, batch % stream.batches)
        model.rule.draw(epoch, batch)

    def show(epoch: int, batch: int) -> None:
        stream.load(epoch, batch % stream.batches)

    target = AuditTarget(
        str(run.folder), model.rule, plans, present_batch, labels, model.kernels, note=note, start=start, show=show
    )
    target.recipe, target.run = Recipe("run", {"folder": str(run.folder.resolve()), "pairs": pairs}), run
    return target


def _restore(model: Model, arrays: dict[str, Array]) -> None:
    """Weights and traces of a checkpoint; the memory is of another batch size, and starts empty."""
    for buffer in model.buffers().values():
        if not buffer.role.is_weight and buffer.role is not Role.PLASTICITY:
            continue
        if buffer.name not in arrays or arrays[buffer.name].shape != buffer.shape:
            raise RunError(
                f"the checkpoint has no {buffer.name} of {'x'.join(map(str, buffer.shape))}",
                "the arrays of this configuration",
                "audit the run with the version that trained it",
            )
        buffer.array[...] = arrays[buffer.name]
