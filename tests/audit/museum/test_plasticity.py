"""Museum: changes that are no outer product of a synapse's own two populations."""

import numpy as np
import pytest
from own_kernels import altered_step, named, own_step

from neurosim.audit import check
from neurosim.audit.evidence import Grade
from neurosim.audit.graph.graph import Graph
from neurosim.audit.interventions.bench import Bench
from neurosim.audit.interventions.plasticity import update_differs
from neurosim.audit.interventions.products import product_differs
from neurosim.audit.target import of_rule
from neurosim.core.buffer import Buffer
from neurosim.core.kernel import Kind
from neurosim.engine.threads import ThreadTeam
from neurosim.parts.feedback import Feedback, UpdatedFeedback
from neurosim.rules.rf import RandomFeedback
from neurosim.rules.urf import UpdatedRandomFeedback


class Altered(RandomFeedback):
    """rf with some of its steps replaced by others."""

    name = "altered"

    def wire(self, phase):
        for step in super().wire(phase):
            yield from self.alter(step)


def altered(function, base=RandomFeedback):
    """The rule whose step of a layer is replaced: ``function(network, step)`` gives the steps in its place."""
    return type("Altered", (Altered, base), {"alter": lambda self, step: function(self.network, step)})


def changes(step, name):
    return any(b.base.name == name for b in step.changed.values())


def test_the_same_product_by_an_own_kernel_is_plausible(build):
    """The graph does not know the kernel; recomputing it decides."""

    def kernel(pre, post, change):
        np.matmul(pre.T, post, out=change)

    verdict = check(build(altered(lambda n, s: [altered_step(s, kernel)] if changes(s, "dH3") else [s])))
    assert verdict.exit_code == 0, verdict.text()
    assert (
        verdict.table["i"]["structure"].verdict == "cannot tell" and verdict.table["i"]["behaviour"].verdict == "holds"
    )


def test_a_post_factor_from_another_layer(build, caught, unchecked):
    def alter(network, step):
        if changes(step, "dW1"):
            return [altered_step(step, reads={**step.reads, "post": network.populations[2].post}, over="sample")]
        return [step]

    verdict = caught(build(altered(alter)), "i", "structure")
    assert any("d2 of layer 2" in f.text for f in verdict.findings) and verdict.disagreements()


def test_a_pre_from_another_layer(build, caught):
    def alter(network, step):
        if changes(step, "dW2"):
            return [altered_step(step, reads={**step.reads, "pre": network.populations[0].active_part}, over="sample")]
        return [step]

    caught(build(altered(alter)), "i", "structure")


def test_another_moment_s_activity(build, caught):
    """View 2's factor meets view 1's activity."""

    def alter(network, step):
        if changes(step, "dW2"):
            x = network.populations[1].activity
            return [altered_step(step, reads={**step.reads, "pre": x.part("x1", 2, 2 + network.pairs)}, over="sample")]
        return [step]

    caught(build(altered(alter)), "i", "structure behaviour")


def test_yesterday_s_activity(build, caught, unchecked):
    """The products are summed before the pictures are seen."""

    class Early(RandomFeedback):
        def wire(self, phase):
            steps = list(super().wire(phase))
            early = [s for s in steps if changes(s, "dW1")]
            yield from early
            yield from (s for s in steps if s not in early)

    caught(build(Early), "i", "structure behaviour", "declared")  # and no checkpoint keeps an activity


def test_urf_that_copies_instead_of_multiplying(build, caught, rigged, own):
    """The numbers are those of a product: only the graph sees it."""

    class Copied(UpdatedFeedback):
        def learn(self):
            yield own_step(
                "copy",
                lambda weight, sent: np.copyto(sent, weight),
                f"{self.synapse.name} copies",
                "dB = dW",
                reads={"weight": self.projection.synapse.change},
                writes={"sent": self.synapse.change},
            )

    verdict = caught(build(rigged(lambda n, p: Copied(p, own(n, p, True)))), "i", "structure")
    assert any("equal the product" in line for line in verdict.disagreements())


@pytest.mark.parametrize("how", ["decays", "wanders"])
def test_rf_that_drifts(build, caught, rigged, own, how):
    class Drifting(Feedback):
        def apply_update(self):
            b = self.synapse.weight
            factor = {"decays": lambda w: 0.9 * w, "wanders": lambda w: w + 0.01 * np.sign(w)}[how]
            yield own_step(
                "drift",
                lambda weight: np.copyto(weight, factor(weight)),
                f"{b.name} drifts",
                "B = f(B)",
                updates={"weight": b},
            )

    verdict = caught(build(rigged(lambda n, p: Drifting(p, own(n, p)))), "i", "structure")
    assert any("declared fixed (rf)" in f.text for f in verdict.findings)


def test_urf_that_never_learns(build, caught, rigged, own):
    class Idle(Feedback):
        kind = "urf"

    caught(build(rigged(lambda n, p: Idle(p, own(n, p)))), "declared", "structure")


def test_traces_of_another_synapse(build, caught):
    """The optimiser's state of W3 moves B3, too."""

    class Shared(UpdatedRandomFeedback):
        def wire(self, phase):
            traces = {b.name: b for s in super().wire(phase) for b in s.updates.values()}
            for step in super().wire(phase):
                if changes(step, "B3") and "trace" in step.updates:
                    updates = {**step.updates, "trace": traces["trace W3"]}
                    step = altered_step(step, updates=updates)
                yield step

    verdict = check(build(Shared))
    assert verdict.violated == ["i"] and "structure" in {f.by for f in verdict.findings}, verdict.text()


def test_weights_kept_at_one_length(build, caught):
    """Every weight knows all others of its array."""

    def alter(network, step):
        if changes(step, "W2") and named(step, "momentum"):

            def kernel(change, weight, trace, rate, momentum, decay):
                weight -= rate[0] * change
                weight /= np.sqrt((weight * weight).sum())

            return [
                own_step(
                    "own",
                    kernel,
                    step.label,
                    step.equation,
                    reads=step.reads,
                    updates=step.updates,
                    scalars=step.scalars,
                )
            ]
        return [step]

    caught(build(altered(alter)), "i", "behaviour operations")


def test_change_cut_by_the_length_of_all_changes(build):
    """Clipping by a norm over two arrays: a change of another synapse is read."""

    def alter(network, step):
        if changes(step, "W2") and named(step, "momentum"):

            def kernel(change, other, weight, trace, rate, momentum, decay):
                weight -= rate[0] * change / max(1.0, float(np.sqrt((change**2).sum() + (other**2).sum())))

            reads = {**step.reads, "other": network.projections[0].synapse.change}
            return [
                own_step(
                    "own", kernel, step.label, step.equation, reads=reads, updates=step.updates, scalars=step.scalars
                )
            ]
        return [step]

    verdict = check(build(altered(alter)))
    assert verdict.violated == ["i"] and "structure" in {f.by for f in verdict.findings}, verdict.text()


def test_a_change_by_three_factors(build):
    """The loss of the batch multiplies the product: a third number, that the synapse has not."""

    def alter(network, step):
        if changes(step, "dH3"):
            value = Buffer("mood", ("figure",), (3,), "value", "mood", np.float64, given=True, initial=2)

            def kernel(pre, post, mood, change):
                np.matmul(pre.T, post, out=change)
                change *= mood[0]

            return [
                own_step(
                    "own", kernel, step.label, step.equation, reads={**step.reads, "mood": value}, writes=step.writes
                )
            ]
        return [step]

    verdict = check(build(altered(alter)))
    assert verdict.violated == [], verdict.text()
    grades = [a.grade for a in verdict.analyses]
    assert min(grades) == Grade.BROADCAST_SCALAR


def test_a_change_averaged_over_the_layer(build):
    """Every unit learns by the mean factor of all."""

    def alter(network, step):
        if changes(step, "dH3"):

            def kernel(pre, post, change):
                np.matmul(pre.T, np.broadcast_to(post.mean(axis=1, keepdims=True), post.shape), out=change)

            return [altered_step(step, kernel)]
        return [step]

    verdict = check(build(altered(alter)))
    assert verdict.violated == ["i"] and "behaviour" in {f.by for f in verdict.findings}, verdict.text()


def test_a_change_that_knows_other_units_of_its_layer(build):
    """The mean activity of all presynaptic units comes along: one unit changed shows at every synapse."""

    def alter(network, step):
        if changes(step, "dH3"):

            def kernel(pre, post, change):
                np.matmul(pre.T, post, out=change)
                change += pre.mean()

            return [altered_step(step, kernel)]
        return [step]

    verdict = check(build(altered(alter)))
    assert verdict.violated == ["i"]
    assert any("synapses move that are not its own pre part" in f.text for f in verdict.findings), verdict.text()


def test_what_a_kernel_of_the_package_leaves_is_recomputed(build):
    """A product or an update that differs in a number is found, and no other is."""
    rule = build("urf")
    target = of_rule(rule)
    with ThreadTeam(1) as team:
        bench = Bench(target, Graph(target.plans), team)
        for kind, argument, differs in (
            (Kind.HEBBIAN, "change", product_differs),
            (Kind.PLASTICITY, "weight", update_differs),
        ):
            for run in [r for r in bench.runs if r.batch == bench.batches - 1 and r.site.kind is kind]:
                assert differs(bench, run).difference == ""
                bench.after[run][argument] += 0.1
                assert differs(bench, run).difference


def test_a_gate_that_knows_its_neighbours(build):
    """Divisive normalisation where the error is gated: one unit's factor knows the others' activity."""

    def alter(network, step):
        if named(step, "gate") and changes(step, "d2"):

            def kernel(activity, error, post, nonlinearity):
                post[...] = error * (np.abs(activity) < 1) / (1 + np.abs(activity).sum(axis=-1, keepdims=True))

            return [altered_step(step, kernel)]
        return [step]

    verdict = check(build(altered(alter)))
    assert verdict.violated == ["i", "ii"] and {"behaviour", "operations"} <= {f.by for f in verdict.findings}, (
        verdict.text()
    )


def test_weights_overwritten_by_activity(build):
    """No product at all: the feedback weights are what the layer did last."""

    class Overwritten(RandomFeedback):
        def wire(self, phase):
            yield from super().wire(phase)
            b, x = self.feedbacks[1].synapse.weight, self.network.populations[2].activity
            yield own_step(
                "overwrite",
                lambda activity, weight: weight.fill(activity.mean()),
                f"{b.name} is overwritten",
                "B = x",
                reads={"activity": x},
                writes={"weight": b},
            )

    verdict = check(build(Overwritten))
    assert verdict.violated == ["i"], verdict.text()


def test_no_product_behind_a_change(build):
    """The change is drawn by lot."""

    def alter(network, step):
        if changes(step, "dW2"):
            return [
                own_step("lot", lambda change: change.fill(0.01), step.label, "dW = lot", writes={"change": b})
                for b in step.sums.values()
            ]
        return [step]

    verdict = check(build(altered(alter)))
    assert verdict.violated == ["i"] and {"structure", "behaviour"} <= {f.by for f in verdict.findings}, verdict.text()
