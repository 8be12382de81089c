"""A transmission by a kernel of a rule's own is run without activity; where nothing is carried, nothing is decided."""

import numpy as np
import pytest
from own_kernels import altered_step, named

from neurosim.audit import check
from neurosim.rules.rf import RandomFeedback


def through(kernel):
    """A rule whose head transmits by a kernel of its own."""

    class Own(RandomFeedback):
        name = "own"

        def wire(self, phase):
            for step in super().wire(phase):
                yield altered_step(step, kernel) if named(step, "dense") else step

    return Own


def plain(presynaptic, weight, potential):
    np.matmul(presynaptic, weight, out=potential)


def resting(presynaptic, weight, potential):
    """The sum of every unit's weights comes along, whatever its presynaptic units do."""
    np.matmul(presynaptic, weight, out=potential)
    potential += weight.sum(axis=0)


def silent(presynaptic, weight, potential):
    """Weights come along only where no unit is active: activities that occur in a batch never show it."""
    np.matmul(presynaptic, weight, out=potential)
    potential += weight.sum(axis=0) * ~presynaptic.any(axis=1, keepdims=True)


def test_a_transmission_of_activity_is_plausible(build):
    verdict = check(build(through(plain)))
    assert verdict.plausible, verdict


@pytest.mark.parametrize("kernel", [resting, silent])
def test_weights_that_come_along_without_activity(build, caught, kernel):
    """No walk and no replacement of weights shows it: activities are held, and here an activity carries the weights."""
    verdict = caught(build(through(kernel)), "iii", "behaviour")
    [finding] = [f for f in verdict.findings if f.condition == "iii"]
    assert "leaves forward weights behind where no activity comes in" in finding.text
    assert any("only a run without activity shows otherwise" in line for line in verdict.disagreements())


@pytest.mark.parametrize(("light", "words"), [(True, "gave no error at all"), (False, "changes nothing either")])
def test_errors_that_are_zero_decide_nothing(build, light, words):
    """All weights are 0, so that all activities are equal: no error could carry a forward weight, nor feedback show."""
    rule = build("rf")
    for synapse in rule.synapses():
        synapse.weight.array[...] = 0
    answer = check(rule, light=light).table["iii"]["behaviour"]
    assert answer.verdict == "cannot tell" and words in answer.evidence[0], answer
