"""The audit as one call: all witnesses heard, one report."""

from __future__ import annotations

import dataclasses
import time
import types

import numpy as np

from neurosim import rules
from neurosim.audit.answers import Evidence
from neurosim.audit.graph.graph import FORWARD, WEIGHTS, Graph
from neurosim.audit.graph.structure import Structure
from neurosim.audit.interventions.behaviour import Behaviour
from neurosim.audit.interventions.bench import Bench
from neurosim.audit.operations.operations import ledger, readout
from neurosim.audit.symmetry.symmetry import compare
from neurosim.audit.target import PAIRS, AuditTarget, narrow, of_config, of_rule
from neurosim.audit.verdict import PLAUSIBLE, Report
from neurosim.engine.program import ThreadTeam
from neurosim.errors import PlausibilityError
from neurosim.losses import make as make_loss
from neurosim.networks.network import Network
from neurosim.training.model import Model


def audit(subject: AuditTarget | rules.Rule, light: bool = False) -> Report:
    """Hear structure, behaviour, operations and symmetry on a rule.

    Args:
        subject: from `neurosim.audit.target`, or a rule that is wired into a network of few pairs.
        light: fewer interventions: for the start of a training.

    Returns:
        The report; its `exit_code` is 0, 1 or 2.
    """
    began = time.perf_counter()
    if isinstance(subject, rules.Rule):
        subject = of_rule(subject)
    graph = Graph(subject.plans)
    testimonies = [Structure(graph, subject.rule.feedbacks).testify()]
    if graph.sites:
        with ThreadTeam(1) as team:  # small arrays: more threads would only wait for one another
            testimonies.append(Behaviour(Bench(subject, graph, team), light).testify())
            testimonies += [operations(graph, subject.kernels), symmetry(graph, subject.start)]
    else:
        nothing = Evidence("behaviour")
        for condition in ("declared", "i", "ii", "iii", "iv"):
            nothing.see(condition, "no step changes a weight: nothing learns")
        testimonies = [nothing]
    passed = assumed(graph, testimonies)
    if not light:
        passed.append(f"the read-out: the only place that meets labels; recorded, not judged: {_told(readout().counts)}")
    report = Report(subject.title, subject.note, testimonies, passed, graph, light=light)
    report.seconds = time.perf_counter() - began
    return report


def preflight_audit(model: Model) -> Report:
    """The quick audit before a training: the graph of the plans that will run, and a narrow twin that is intervened on.

    The twin has the model's rule, options, loss and depth, few channels, small pictures and few moments.
    """
    began = time.perf_counter()
    graph = Graph({name: model.plan(name) for name in model.rule.phases}, alias=())
    config = dataclasses.replace(model.config, network=narrow(model.config.network))
    twin = audit(of_config(config, given=model.given), light=True)
    structure = Structure(graph, model.rule.feedbacks).testify()
    aliases = [f for t in twin.testimonies for f in t.findings if f.by == "structure" and f not in structure.findings]
    structure.findings += [f for f in aliases if "share memory" in f.text]
    others = [t for t in twin.testimonies if t.by != "structure"]
    note = [f"network {model.network}; interventions on the twin {config.network!r} with {PAIRS} moments"]
    testimonies = [structure, *others] if graph.sites else others
    report = Report(config.rule, note, testimonies, twin.assumed, graph, light=True)
    report.seconds = time.perf_counter() - began
    return report


def assert_plausible(rule, network: str = "4 hardtanh, 6 pool, 5 tanh", loss: str = "hinge", pairs: int = PAIRS,
                     **options) -> Report:  # fmt: skip
    """Raise unless a rule is plausible: for the tests of rules outside this package.

    Args:
        rule: a name (``ll``, ``mylab.rules:MyRule``), a class derived from `neurosim.rules.Rule`, or a wired rule.
        network, loss, pairs: what it is wired into where it is not wired yet.
        **options: of the rule's constructor.

    Returns:
        The report.

    Raises:
        PlausibilityError: a condition is violated or cannot be decided, in one line.
    """
    if not isinstance(rule, rules.Rule):
        wired = Network(network, (8, 8, 3), pairs), make_loss(loss)
        rule = rule(*wired, **options) if isinstance(rule, type) else rules.make(rule, *wired, **options)
    report = audit(rule)
    require_plausible(report)
    return report


def require_plausible(report: Report) -> None:
    """Raise unless a report says plausible.

    Raises:
        PlausibilityError: what it says instead.
    """
    if report.verdict != PLAUSIBLE:
        raise PlausibilityError(f"{report.title} is not plausible: {report.line()}", "conditions (i) to (iv)",
                                "`neurosim audit` shows the evidence")  # fmt: skip


def operations(graph: Graph, kernels) -> Evidence:
    """The ledger of every kernel that makes an error or a change: condition (ii) by name of the operation."""
    tell, met = Evidence("operations"), {}
    for site in graph.sites:
        if site.kind in ("compare", "gate", "hebbian", "plasticity", "deliver", "store"):
            step = site.step  # tanh and hardtanh take different ways through one gate
            met.setdefault((site.kind, step.kernel, step.function, len(step.buffers), str(dict(step.scalars))), site)
    counts: dict[tuple[str, str], dict[str, int]] = {}  # (condition, kernel) -> kind -> how often
    for site in met.values():
        own = types.SimpleNamespace(**{site.step.kernel: site.step.function}) if site.step.function else kernels
        found = ledger(site.step, own)
        for operation in found.forbidden:
            condition = "ii" if found.place in ("error units", "gate", "memory") else "i"
            tell.find(condition, f"{operation} ({found.place}: {site})")
        if found.undecided and not found.forbidden and site.kind in ("compare", "gate"):
            tell.silent["ii"] = f"{found.undecided[0]} ({found.place}: {site})"
        if site.kind in ("compare", "plasticity"):
            counts.setdefault(("ii" if site.kind == "compare" else "i", found.kernel), {}).update(found.counts)
    tell.see("i", f"{len(met)} kernels recorded: every product is of a presynaptic and a postsynaptic number")
    for (condition, kernel), numbers in counts.items():
        tell.see(condition, f"kernel {kernel}: {_told(numbers)}")
    return tell


def _told(counts: dict[str, int]) -> str:
    return ", ".join(f"{kind} {number}" for kind, number in counts.items())


def symmetry(graph: Graph, start: dict[str, np.ndarray] | None = None) -> Evidence:
    """Every feedback array against every forward array of its size: no copy, whatever memory it lies in.

    Args:
        graph: whose arrays are compared.
        start: the weights before training, by name; None: these are they.
    """
    tell = Evidence("symmetry")
    forward = [b for b in graph.bases.values() if b.role in FORWARD and b.array.size > 1]
    own = [b for b in graph.bases.values() if b.role in WEIGHTS and b.role not in FORWARD]
    pairs = [(back, weight) for back in own for weight in forward if sorted(back.shape) == sorted(weight.shape)]
    times = [("", {b.name: b.array for b in (*own, *forward)}, start is not None)]
    if start is not None:
        times = [("at the start ", start, False), ("after training ", times[0][1], True)]
    for when, arrays, trained in times:
        told = []
        for back, weight in pairs:
            found = compare(arrays[back.name], arrays[weight.name], trained=trained)
            if found.verdict == "violated":
                tell.find("iii", f"{when}{back.name} against {weight.name}: {found}")
            told.append((-abs(found.correlation), f"{back.name} against {weight.name}: {found}"))
        if told:
            tell.see("iii", f"{when}{len(told)} pairs of a feedback and a forward array compared, nearest: {min(told)[1]}")
    return tell


def assumed(graph: Graph, testimonies: list[Evidence]) -> list[str]:
    """What the conditions let pass, and a reader should know."""
    kernels = {s.step.kernel for s in graph.sites}
    found = list(dict.fromkeys(remark for t in testimonies for remark in t.remarks))
    if any(len(b.shape) == 4 and b.role in WEIGHTS for b in graph.bases.values()) and "hebbian_convolution" in kernels:
        found.append("weight sharing: the places of a 3 x 3 convolution share one weight, which changes by the sum over places")
    if "adam" in kernels:
        found.append("division: adam divides by a root, synapse by synapse; local, and not simple (signum, momentum, sgd do not)")
    if "hinge_mean" in kernels:
        found.append("count: the mean-over-active hinge divides by the number of active comparisons")
    if graph.sites:
        found.append("batches: the moments of one batch meet the same weights, and their products are summed before a change")
        found.append("the gate: a synapse's post factor knows phi'(u) of its own unit, from the stored activity")
    return found
