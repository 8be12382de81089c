"""Swap a weight: the behavioural test of weight transport.

The network sees its images. Before anything learns, we swap one forward weight array for random numbers and let
learning go on from the activities already stored. Does any *other* synapse notice? Only if the error that it receives
was computed from the swapped array. In back-propagation (bp) errors travel down through the forward weights themselves,
transposed: nothing like it is known in the brain. With feedback weights of their own (urf, and ll with an error in
every layer) no synapse can notice, and the changes are the same to the last bit.

    python examples/swap_a_weight.py [PICTURE.png]
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from neurosim import rules
from neurosim.core.backend import Backend
from neurosim.core.plan import Plan
from neurosim.data.toys.toys import render
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.losses.hinge import Hinge
from neurosim.networks.network import Network
from neurosim.plasticity.sgd import SGD

PAIRS = 10  # moments in the batch
RULES = {"bp": {}, "urf": {}, "ll": {"feedback": "urf"}}


def changes(rule):
    """A copy of what the plan computed for every synapse that learns: name -> summed outer products."""
    return {s.name: s.change.array.copy() for s in rule.synapses() if s.plasticity is not None}


def test(name, options, images):
    """What the swap does to every other synapse's change: name -> how far it moves, as a share of its own size."""
    # A rate of 0: the changes are computed but not made, or the second run would start from other weights.
    layers = "8 hardtanh, 16 hardtanh pool, 16 hardtanh pool, 32 hardtanh pool"
    network = Network(layers, images.shape[1:], PAIRS, plasticity=SGD(rate=0.0))
    rule = rules.make(name, network, Hinge(lags=5), **options)
    network.populations[0].activity.array[...] = images / 127.5 - 1

    # A rule is a list of steps, so we can cut it: seeing and comparing, then learning. hold=True keeps what is stored.
    steps = list(rule.wire(rule.phases[0]))
    cut = max(number for number, step in enumerate(steps, 1) if step.label.endswith("compare"))
    see, learn = (Program(Plan.alone(name, part), Backend("cpu"), hold=True) for part in (steps[:cut], steps[cut:]))
    weight = network.projections[2].synapse.weight.array  # W3
    with ThreadTeam() as team:
        see.run(team)
        learn.run(team)
        before = changes(rule)
        weight[...] = np.random.default_rng(1).uniform(weight.min(), weight.max(), weight.shape)
        learn.run(team)
    after = changes(rule)
    noticed = {s: not np.array_equal(before[s], after[s]) for s in before if s != "W3"}
    return {s: noticed[s] * np.linalg.norm(after[s] - before[s]) / np.linalg.norm(before[s]) for s in noticed}


def main(picture):
    toys, _ = render(PAIRS, seed=3, frames=2)  # each toy at two moments of its motion
    views = np.concatenate([toys[:, 0], toys[:, 1]])  # view 1 of every moment, then view 2
    figure = Figure((8, 3.2), layout="constrained")
    for place, (name, options) in enumerate(RULES.items()):
        found = test(name, options, views)
        told = ", ".join(f"the change of {s} differs by {100 * share:.0f} %" for s, share in found.items() if share)
        print(f"{name}: W3 is swapped, {told or 'no other synapse notices'}; bit-identical: {not told}")
        axes = figure.add_subplot(1, 3, place + 1, ylim=(0, 175), ylabel="" if place else "change differs by, %")
        names = [s for letter in "WH" for s in found if s[0] == letter]  # feedback synapses are not drawn
        axes.bar(names, [100 * found[synapse] for synapse in names], color="#c0392b")
        axes.set_title(f"{name}: " + ("weights are transported" if told else "the same to the last bit"), fontsize=10)
        axes.bar_label(axes.containers[0], fmt="%.0f", fontsize=8)
    figure.suptitle("Swap W3 for random numbers between seeing and learning: who notices?", fontsize=11)
    figure.savefig(picture, dpi=110)
    print(f"picture: {picture}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_suffix(".png"))
