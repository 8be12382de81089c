"""The forward pass is what kernels do: what is verified and held, what is refused and why, and what arrays turn out to be."""

import numpy as np
import pytest
from own_kernels import altered_step, named, own_step

from neurosim.audit import check
from neurosim.audit.graph.graph import Graph
from neurosim.audit.interventions.bench import Bench
from neurosim.audit.target import of_rule
from neurosim.core.buffer import Buffer
from neurosim.core.kernel import Kind
from neurosim.core.roles import Role
from neurosim.engine.threads import ThreadTeam
from neurosim.parts.synapse import Synapse
from neurosim.rules.rf import RandomFeedback


@pytest.fixture
def benched(build):
    """Gives ``benched(rule)``: the bench of a rule's class."""

    def benched(rule):
        target = of_rule(build(rule))
        with ThreadTeam(1) as team:
            return Bench(target, Graph(target.plans), team)

    return benched


def site_of(bench, label):
    return next(s for s in bench.graph.sites if s.step.label == label)


class Inserted(RandomFeedback):
    """Steps of ``more`` come after layer 2 has responded."""

    def wire(self, phase):
        for step in super().wire(phase):
            yield step
            if step.label == "layer 2 responds":
                yield from self.more()

    @property
    def x(self):
        return self.network.populations[2].activity

    def own(self, name, role="activity", **options):
        x = self.x
        return Buffer(name, x.axes, x.shape, role, "layer 2", x.dtype, **options)

    def step(self, function, **buffers):
        return own_step("own", function, "own", "own", **buffers)


# -- verified


def lateral(x):
    x -= 0.1 * x.sum(axis=-1, keepdims=True)


def saturated(x):
    x[...] = 1 / (1 + np.exp(-x))


def centred(x):
    x -= x.mean(axis=0, keepdims=True)


def strongest(x):
    x *= x >= np.sort(x, axis=-1)[..., -2:-1]


@pytest.mark.parametrize("function", [lateral, saturated, centred, strongest])
def test_units_of_one_s_own_belong_to_the_forward_pass(benched, build, function):
    class Own(Inserted):
        def more(self):
            yield self.step(function, updates={"x": self.x})

    bench = benched(Own)
    site = site_of(bench, "own")
    assert site in bench.graph.forward and site.kind is Kind.RESPOND and not bench.forward.refused
    assert (site in bench.forward.over_batch) == (function is centred)
    verdict = check(build(Own))
    assert "iii" not in verdict.violated and "declared" not in verdict.violated, verdict.text()


class Leaky(Inserted):
    def __init__(self, network, loss):
        super().__init__(network, loss)
        self.voltage = self.own("v2", "memory", lasts=True)

    def more(self):
        def leak(voltage, x):
            voltage *= 0.5
            voltage += x
            x[...] = np.clip(voltage, -1, 1)

        yield self.step(leak, updates={"voltage": self.voltage, "x": self.x})


class Threshold(Inserted):
    def __init__(self, network, loss):
        super().__init__(network, loss)
        self.theta = Buffer("theta2", self.x.axes[1:], self.x.shape[1:], "memory", "layer 2", self.x.dtype, lasts=True)

    def more(self):
        def compare(theta, x):
            x -= theta

        def adapt(x, theta):
            theta += 0.1 * (x.mean(axis=0) - theta)

        yield self.step(compare, reads={"theta": self.theta}, updates={"x": self.x})
        yield own_step("adapt", adapt, "adapt", "adapt", reads={"x": self.x}, updates={"theta": self.theta})


class TopDown(Inserted):
    """Layer 2 acts back on layer 1 through an array that says it is feedback, and so it is: it carries nothing up."""

    def __init__(self, network, loss):
        super().__init__(network, loss)
        size = self.x.shape[-1]
        self.back = Synapse("T2", (size, size), "feedback weight", [1, 2], None, network.dtype)

    def wire(self, phase):
        steps = list(RandomFeedback.wire(self, phase))
        place = next(n for n, step in enumerate(steps) if step.label == "layer 2 responds")
        again = [s for s in steps[:place] if s.label.startswith("W2")]
        first = self.network.populations[1].activity

        def act(above, weight, x):
            x += 0.1 * above @ weight

        reads = {"above": self.x, "weight": self.back.weight}
        back = own_step("act", act, "own", "x1 += T2 x2", reads=reads, updates={"x": first})
        yield from [*steps[: place + 1], back, *again, *steps[place:]]


@pytest.mark.parametrize("rule", [Leaky, Threshold, TopDown])
def test_state_of_units_and_recurrence_are_innocent(benched, build, rule):
    bench = benched(rule)
    assert site_of(bench, "own") in bench.graph.forward and not bench.roles.found
    verdict = check(build(rule))
    assert "iii" not in verdict.violated and "declared" not in verdict.violated, verdict.text()


# -- refused


def views_compared(x, false):
    half = len(x) // 2
    false[...] = x - np.concatenate([x[half:], x[:half]])


def repelled(x, false):
    flat = x.reshape(len(x), -1)
    false[...] = (np.exp(-flat @ flat.T) @ flat).reshape(x.shape)


def restored(weight, x, false):
    """Layer 2's activity through its own weights, downwards."""
    false[...] = x @ weight[1, 1].T


def both_ways(weight, x, false):
    false[...] = x @ weight[1, 1] @ weight[1, 1].T


REFUSED = [
    (views_compared, "several rows", Kind.COMPARE),
    (repelled, "several rows", Kind.COMPARE),
    (restored, "carries activity down through W2", Kind.DELIVER),
    (both_ways, "not made of one part each of W2", Kind.DELIVER),
]


def firewalled(function):
    class Walled(Inserted):
        """What a kernel calls an activity is added to the error."""

        def __init__(self, network, loss):
            super().__init__(network, loss)
            self.false = self.own("false")

        def more(self):
            reads = {"x": self.x}
            if function in (restored, both_ways):
                reads["weight"] = self.network.projections[1].synapse.weight
            yield self.step(function, reads=reads, writes={"false": self.false})

        def wire(self, phase):
            for step in super().wire(phase):
                if step.label == "layer 2 gates its error":
                    yield self.pull()
                yield step

        def pull(self):
            units = self.network.populations[2]
            false = self.false.part("false 2", units.learning, units.views)

            def add(false, error):
                error += 0.1 * false

            return own_step("add", add, "add", "e = e + f", reads={"false": false}, updates={"error": units.error})

    return Walled


@pytest.mark.parametrize(("function", "why", "kind"), REFUSED, ids=[f.__name__ for f, _, _ in REFUSED])
def test_an_activity_in_name_is_no_wall(benched, build, function, why, kind):
    bench = benched(firewalled(function))
    site = site_of(bench, "own")
    assert site not in bench.graph.forward and why in bench.forward.refused[site] and site.kind is kind
    violated = check(build(firewalled(function))).violated
    assert violated and ("iii" in violated) == (function in (restored, both_ways))


class Copied(Inserted):
    """What it says are activities are the weights: no stimulus drives them."""

    def __init__(self, network, loss):
        super().__init__(network, loss)
        w = self.weight
        self.false = Buffer("false", w.axes, w.shape, "activity", "layer 2", w.dtype)
        self.back = next(s for s in self.synapses() if s.name == "B3").weight

    @property
    def weight(self):
        return self.network.projections[2].synapse.weight

    def more(self):
        yield self.step(
            lambda weight, false: np.copyto(false, weight), reads={"weight": self.weight}, writes={"false": self.false}
        )

    def wire(self, phase):
        for step in super().wire(phase):
            if named(step, "deliver_convolution") and step.reads["weight"] is self.back:
                reads = {**step.reads, "weight": self.false}
                yield altered_step(step, step.kernel.form("cpu"), reads=reads)
            else:
                yield step


def test_an_activity_that_no_stimulus_drives(benched, build):
    bench = benched(Copied)
    assert site_of(bench, "own") not in bench.graph.forward
    assert "iii" in check(build(Copied)).violated


class RemembersErrors(Inserted):
    """The last batch's errors are part of the activity: a memory that no activity made."""

    def __init__(self, network, loss):
        super().__init__(network, loss)
        self.memory = self.own("memory", "memory", lasts=True)

    def more(self):
        def add(memory, x):
            x += 0.1 * memory

        yield self.step(add, reads={"memory": self.memory}, updates={"x": self.x})

    def wire(self, phase):
        units = self.network.populations[2]

        def keep(error, memory):
            memory[len(memory) - len(error) :] = error

        yield from super().wire(phase)
        yield own_step("keep", keep, "keep", "m = e", reads={"error": units.error}, updates={"memory": self.memory})


def test_activity_that_remembers_errors_is_not_held(benched):
    bench = benched(RemembersErrors)
    assert "no verified activity" in bench.forward.refused[site_of(bench, "own")]


class Waits(RandomFeedback):
    """A declared step counts batches, and from the eighth on lets feedback follow the forward weights."""

    def __init__(self, network, loss):
        super().__init__(network, loss)
        self.count = Buffer("count", ("one",), (1,), "memory", "B3", np.int64, lasts=True)

    def wire(self, phase):
        yield from super().wire(phase)
        weights = {s.name: s.weight for s in self.synapses()}

        def follow(weight, count, back):
            count += 1
            if count[0] > 7:
                back += 0.5 * (weight - back)

        reads, updates = {"weight": weights["W3"]}, {"count": self.count, "back": weights["B3"]}
        yield own_step("follow", follow, "B3 follows", "B = W", reads=reads, updates=updates)


def test_what_is_carried_only_after_some_batches(build):
    verdict = check(build(Waits))
    found = [f for f in verdict.findings if f.condition == "iii" and f.by == "behaviour"]
    assert found and "B3" in found[0].text and "on" in found[0].text, verdict.text()


# -- what arrays are


@pytest.mark.parametrize("role", [Role.MEMORY, Role.INVERSE_WEIGHT, Role.FEEDBACK_WEIGHT, Role.PLASTICITY])
def test_a_forward_weight_under_another_role(build, role):
    class Hidden(RandomFeedback):
        feedback = "bp"

        def __init__(self, network, loss):
            super().__init__(network, loss)
            self.head.synapse.weight.role = role

    rule = build(Hidden)
    verdict = check(rule)
    text = f"H3 is declared a {role} and carries the activity of z3: it is a forward weight"
    assert any(f.condition == "declared" and f.text.startswith(text) for f in verdict.findings), verdict.text()
    assert any(f.condition == "iii" and f.text.startswith("H3 ->") for f in verdict.findings)
    assert rule.head.synapse.weight.role is role  # the audit gives roles back


def through(name, role, **options):
    class Through(RandomFeedback):
        """Errors come down through an array that says it is something else."""

        def __init__(self, network, loss):
            super().__init__(network, loss)
            back = next(s for s in self.synapses() if s.name == "B3").weight
            initial = options.get("initial", np.linspace(-0.2, 0.2, back.array.size).reshape(back.shape))
            self.false = Buffer(name, back.axes, back.shape, role, "layer 3", back.dtype, given=True, initial=initial)

        def wire(self, phase):
            for step in super().wire(phase):
                if named(step, "deliver_convolution") and step.reads["weight"].name == "B3":
                    yield altered_step(step, step.kernel.form("cpu"), reads={**step.reads, "weight": self.false})
                else:
                    yield step

        def draw(self, epoch, batch):
            super().draw(epoch, batch)
            if options.get("drawn"):
                self.false.put(np.random.default_rng([epoch, batch]).uniform(-0.2, 0.2, self.false.shape))

    return Through


@pytest.mark.parametrize("role", ["value", "rate", "gate", "noise"])
def test_feedback_under_another_role(build, role):
    found = [f.text for f in check(build(through("false", role))).findings if f.condition == "declared"]
    assert any(text.startswith(f"false is declared a {role} and carries errors") for text in found), found


@pytest.mark.parametrize("options", [{"drawn": True, "role": "noise"}, {"initial": 1.0, "role": "value"}])
def test_noise_that_is_drawn_and_masks_are_no_weights(build, options):
    found = check(build(through("false", **options))).findings
    assert not [f.text for f in found if "is declared a" in f.text]


class Labelled(RandomFeedback):
    """Takes the labels of a data set when it is made, and lays one of them under every error."""

    uses = True

    def __init__(self, network, loss):
        super().__init__(network, loss)
        data = self.loaded()
        self.labels = data.train_labels
        error = self.head.post.error
        self.noise = Buffer("hiss", error.axes, error.shape, "noise", "head 3", error.dtype, given=True)

    @staticmethod
    def loaded():
        from neurosim.data.dataset import Dataset

        images = np.zeros((8, 4, 4, 5), np.uint8)
        return Dataset("own", images, np.array([3, 1, 2, 1, 0, 2, 3, 3]), None, None, ("a", "b", "c", "d"))

    def draw(self, epoch, batch):
        super().draw(epoch, batch)
        self.noise.put(self.labels[: len(self.noise.array), None] * float(self.uses))

    def wire(self, phase):
        for step in super().wire(phase):
            yield step
            if step.label.startswith("error units"):
                updates = {"error": self.head.post.error}

                def add(noise, error):
                    error += noise

                yield own_step("add", add, "add", "e = e + n", reads={"noise": self.noise}, updates=updates)


def test_labels_that_a_rule_reads_from_a_data_set():
    verdict = check(Labelled, network="5 hardtanh, 5 hardtanh, 5 hardtanh pool")
    [found] = [f for f in verdict.findings if f.condition == "iv"]
    assert "the labels of a data set, read by Labelled.__init__" in found.text and "reach" in found.text


class Idle(Labelled):
    """Has them, and uses them for nothing."""

    uses = False


def test_labels_that_are_read_and_used_for_nothing():
    assert "iv" not in check(Idle, network="5 hardtanh, 5 hardtanh, 5 hardtanh pool").violated
