"""The audit as one call: all analyses made, one verdict."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from neurosim.audit.depth import OF_REPLAY, Part, asked, left_out
from neurosim.audit.evidence import CONDITIONS, REQUIRED, Evidence, Extent, Grade
from neurosim.audit.finite import EXPECTED, HINT
from neurosim.audit.graph.graph import Graph
from neurosim.audit.graph.kinds import kernel_name
from neurosim.audit.graph.structure import Structure
from neurosim.audit.interventions.behaviour import Behaviour
from neurosim.audit.interventions.bench import Bench
from neurosim.audit.interventions.changes import measured
from neurosim.audit.operations.analysis import analyse_operations, counted
from neurosim.audit.operations.ledger import readout_ledger
from neurosim.audit.package import is_own
from neurosim.audit.replay.analysis import Replay
from neurosim.audit.replay.certificate import certificate, of_preflight
from neurosim.audit.replay.recipe import of_model, of_name
from neurosim.audit.replay.runs import RunRecord
from neurosim.audit.symmetry.analysis import analyse_symmetry
from neurosim.audit.target import PAIRS, AuditTarget, built, of_config, of_rule
from neurosim.audit.verdict import Verdict
from neurosim.core.importing import failure
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import NeurosimError, UndecidedError, WiringError
from neurosim.training.alone import narrow, wire

if TYPE_CHECKING:
    from neurosim.rules.base import Rule
    from neurosim.training.model import Model

NETWORK = "4 hardtanh, 6 pool, 5 tanh"
IMAGE = (8, 8, 3)
# What the conditions let pass where a kernel of that name is among a plan's.
ASSUMED = {
    "adam": "division: adam divides by a root, synapse by synapse; local, and not simple (signum, momentum, sgd do not)",
    "hinge_mean": "count: the mean-over-active hinge divides by the number of active comparisons",
}


def check(
    rule: AuditTarget | Rule | type[Rule] | str,
    light: bool = False,
    network: Any = NETWORK,
    loss: Any = "hinge",
    pairs: int = PAIRS,
    plasticity: Any = None,
    **options: Any,
) -> Verdict:
    """Audit a rule: structure, behaviour, operations and symmetry, in this process.

    Args:
        rule: a name (``ll``, ``mylab.rules:MyRule``), a class derived from `neurosim.rules.Rule`, a rule that is wired into a
            network of few pairs, or a target from `neurosim.audit.target`.
        light: fewer interventions: for the start of a training.
        network: what it is wired into where it is not wired yet, on pictures of 8 x 8: a text, a preset's name,
            ``module:Class``, a class or an object.
        loss: that it is wired with then, in any of these forms.
        pairs: moments of a batch then.
        plasticity: of its synapses then, in any of these forms; None: signum.
        **options: of the rule's constructor then.

    Returns:
        The verdict; printed, it is the whole report.

    Raises:
        WiringError: what cannot be wired.
        UndecidedError: what fails while it is wired or runs.
    """
    with decided():
        if not isinstance(rule, AuditTarget):
            again = of_name(rule, network, IMAGE, pairs, loss, plasticity, options)
            target = built(
                partial(_target, rule, network, pairs, loss, plasticity, options), not isinstance(rule, type | str)
            )
            target.recipe = again
            rule = target
    with decided(crash=True):
        return _check(rule, light)


def _target(rule: Any, network: Any, pairs: int, loss: Any, plasticity: Any, options: dict[str, Any]) -> AuditTarget:
    """A rule, wired and shown random pictures."""
    return of_rule(wire(rule, network, IMAGE, pairs, loss, plasticity, **options))


@contextlib.contextmanager
def decided(crash: bool = False) -> Iterator[None]:
    """Whatever goes wrong in somebody else's code while a rule is wired or run leaves the audit undecided.

    Args:
        crash: errors of this package's own do so too: what is audited was accepted already.

    Raises:
        UndecidedError: what went wrong, with its place, in one line.
    """
    try:
        yield
    except Exception as problem:
        if isinstance(problem, UndecidedError) or (isinstance(problem, NeurosimError) and not crash):
            raise
        if isinstance(problem, NeurosimError):
            raise UndecidedError(*problem.parts) from problem
        raise UndecidedError(
            failure(problem),
            "a rule that can be wired and run",
            "correct it; until then nothing can be decided",
        ) from problem


def assert_plausible(
    rule: Rule | type[Rule] | str,
    network: Any = NETWORK,
    loss: Any = "hinge",
    pairs: int = PAIRS,
    plasticity: Any = None,
    require: str = "batch",
    **options: Any,
) -> Verdict:
    """Raise unless no violation is found: for the tests of rules outside this package.

    Args:
        rule: as for `check`.
        network: as for `check`.
        loss: as for `check`.
        pairs: as for `check`.
        plasticity: as for `check`.
        require: the least grade of locality: strict, scalar or batch.
        **options: as for `check`.

    Returns:
        The verdict.

    Raises:
        PlausibilityError: a condition is violated or cannot be decided; the path of the violation in three lines.
        WiringError: as for `check`; no such grade.
    """
    least = required_grade(require)
    verdict = check(rule, network=network, loss=loss, pairs=pairs, plasticity=plasticity, **options)
    verdict.required = least
    return verdict.require_plausible(path=True)


def required_grade(word: str) -> Grade:
    """The grade that is asked for.

    Raises:
        WiringError: no such grade.
    """
    if word not in REQUIRED:
        raise WiringError(f"require={word!r}", f"one of {', '.join(REQUIRED)}", "write require='strict'")
    return REQUIRED[word]


def preflight_audit(model: Model) -> Verdict:
    """The quick audit before a training: the graph of the plans that will run, and a narrow twin that is intervened on.

    The twin has the model's rule, options, loss and depth, few channels, small pictures and few moments.

    Args:
        model: ready to be trained.
    """
    began = time.perf_counter()
    graph = Graph({name: model.plan(name) for name in model.rule.phases}, alias=())
    config = model.config.replace(network=narrow(model.config.network.text))
    twin = _check(of_config(config, given=model.given), light=True)
    if isinstance(twin.graph, Graph):
        graph.adopt(twin.graph)
    structure = Structure(graph, model.rule.feedbacks).analyse()
    of_twin = [f for a in twin.analyses for f in a.findings if f.by == "structure" and f not in structure.findings]
    structure.findings += [f for f in of_twin if "share memory" in f.text]
    others = [a for a in twin.analyses if a.by not in ("structure", "replay")] + [left_out(True, preflight=True)]
    note = [f"network {model.network}; interventions on the twin {config.network.name!r} with {PAIRS} moments"]
    analyses = [structure, *others] if graph.sites else others
    verdict = Verdict(config.rule.name, note, analyses, twin.assumed, graph, light=True, extent=twin.extent)
    verdict.certificate = of_preflight(model, of_model(model.config, model.image, model.given))
    verdict.seconds = time.perf_counter() - began
    return verdict


def _check(target: AuditTarget, light: bool) -> Verdict:
    """All analyses of one target."""
    began = time.perf_counter()
    graph = Graph(target.plans)
    analyses = _analyses(target, graph, light)
    passed = _assumed(graph, analyses)
    if asked(Part.READOUT, light):
        counts = counted(readout_ledger().counts)
        passed.append(f"the read-out: the only place that uses labels; recorded, not judged: {counts}")
    verdict = Verdict(target.title, target.note, analyses, passed, graph, light=light, extent=_extent(target, analyses))
    verdict.certificate = certificate(target, light)
    verdict.seconds = time.perf_counter() - began
    return verdict


def _analyses(target: AuditTarget, graph: Graph, light: bool) -> list[Evidence]:
    if not graph.sites:
        return [_nothing(is_own(type(target.rule)))]
    with ThreadTeam(1) as team:  # small arrays: more threads would only wait for one another
        bench = Bench(target, graph, team)
        try:
            structure = Structure(graph, target.rule.feedbacks).analyse()
            behaviour = Behaviour(bench, light).analyse()
            operations = analyse_operations(graph, target.kernels, measured(bench).excuses)
            symmetry = analyse_symmetry(graph, target.start, bench, light, not behaviour.findings)
            found = [structure, behaviour, operations, symmetry]
        finally:
            graph.as_declared()
    if bench.unfit and not any(each.findings for each in found):
        raise UndecidedError(bench.unfit[0], EXPECTED, HINT)
    found.append(Replay(target).analyse() if all(asked(part, light) for part in OF_REPLAY) else left_out(light))
    return [*found, RunRecord(target.run).analyse()] if target.run is not None else found


def _nothing(own: bool) -> Evidence:
    """The evidence where nothing learns: that this package's own rule means it is known, of another it is no evidence."""
    nothing, text = Evidence("behaviour"), "no step changes a weight: nothing learns"
    for condition in CONDITIONS:
        if own:
            nothing.add_check(condition, text)
        else:
            nothing.undecided[condition] = f"{text}, and there is nothing to ask"
    return nothing


def _extent(target: AuditTarget, analyses: list[Evidence]) -> Extent:
    """How much was tried."""
    count = sum(a.interventions for a in analyses)
    sizes = " -> ".join("x".join(map(str, p.shape)) for p in target.rule.network.populations)
    batches, epochs = (max((getattr(a, word) for a in analyses), default=0) for word in ("batches", "epochs"))
    return Extent(batches, epochs, sizes, count) if count else Extent(sizes=sizes)


def _assumed(graph: Graph, analyses: list[Evidence]) -> list[str]:
    """What the conditions let pass, and a reader should know."""
    kernels = {kernel_name(s.step) for s in graph.sites}
    found = list(dict.fromkeys(remark for a in analyses for remark in a.remarks))
    shared = any(len(b.shape) == 4 and b.role.is_weight for b in graph.bases.values())
    if shared and "hebbian_convolution" in kernels:
        found.append(
            "weight sharing: the places of a 3 x 3 convolution share one weight, which changes by the sum over places"
        )
    found += [text for kernel, text in ASSUMED.items() if kernel in kernels]
    if graph.sites:
        found.append(
            "batches: the moments of one batch work on the same weights, and their products are summed before a change"
        )
        found.append("the gate: a synapse's post factor knows phi'(u) of its own unit, from the stored activity")
    return found
