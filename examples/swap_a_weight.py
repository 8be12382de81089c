"""Swap a weight: the behavioural test of weight transport.

Let the network see its images. Then, before anything learns, swap one forward weight array for random numbers and let
learning go on from the activities that are already stored. Does any *other* synapse notice? It can only notice if the
error that it receives was computed from the swapped array. In back-propagation (bp) the error travels down through the
forward weights themselves, transposed: nothing like it is known in the brain. With feedback weights of their own (urf),
or with an error in every layer (ll), no synapse can notice, and the changes are the same to the last bit.

    python examples/swap_a_weight.py [PICTURE.png]
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from neurosim import rules
from neurosim.data.toys import render
from neurosim.execute import Program, Workers
from neurosim.kernels import cpu
from neurosim.losses.hinge import Hinge
from neurosim.network import Network
from neurosim.parts.plasticity import Plasticity
from neurosim.plan import Plan

PAIRS, SWAPPED = 10, 2  # moments in the batch; projections[2] is W3
RULES = {"bp": {}, "urf": {}, "ll": {"feedback": "urf"}}


def changes(rule):
    """A copy of what the plan computed for every synapse that learns: name -> summed outer products."""
    return {s.name: s.change.array.copy() for s in rule.synapses() if s.plasticity is not None}


def test(name, options, images):
    """How much each synapse's change differs when W3 is swapped: name -> share of its own size, W3 left out."""
    # A rate of 0: we want to read the changes, not to make them, or the second run would start from other weights.
    network = Network("8 hardtanh, 16 hardtanh pool, 16 hardtanh pool, 32 hardtanh pool", images.shape[1:], PAIRS,
                      plasticity=Plasticity("sgd", rate=0.0))  # fmt: skip
    rule = rules.make(name, network, Hinge(lags=5), **options)
    network.populations[0].activity.array[...] = images / 127.5 - 1

    # A rule is a list of steps, so we can cut it: seeing and comparing first, then feedback and plasticity.
    # hold=True keeps every stored activity whole, so that the second half finds what the first half left.
    steps = list(rule.wire(rule.lessons[0]))
    cut = max(number for number, step in enumerate(steps, 1) if step.label.endswith("compare"))
    see, learn = (Program(Plan(name, part), cpu, hold=True) for part in (steps[:cut], steps[cut:]))
    weight = network.projections[SWAPPED].synapse.weight.array
    with Workers() as workers:
        see.run(workers)
        learn.run(workers)
        before = changes(rule)
        weight[...] = np.random.default_rng(1).uniform(-1, 1, weight.shape) * np.abs(weight).max()
        learn.run(workers)
    after = changes(rule)
    return {s: np.linalg.norm(after[s] - before[s]) / np.linalg.norm(before[s]) for s in sorted(before) if s != "W3"}


def main(picture):
    toys, _ = render(2 * PAIRS, seed=3)  # view 1 and view 2 of each moment: here simply different toys
    differences = {name: test(name, options, toys) for name, options in RULES.items()}
    figure = Figure((8, 3.2), layout="constrained")
    for place, (name, found) in enumerate(differences.items()):
        told = ", ".join(f"{synapse} {100 * d:.0f} %" for synapse, d in found.items() if d)
        print(f"{name}: after swapping W3, {told or 'nothing'} differs; bit-identical: {not told}")
        axes = figure.add_subplot(1, 3, place + 1, ylim=(0, 175), ylabel="" if place else "change differs by, %")
        names = [synapse for synapse in found if synapse[0] in "WH"]  # feedback synapses are printed, not drawn
        axes.bar(names, [100 * found[synapse] for synapse in names], color="#c0392b")
        axes.set_title(f"{name}: " + ("weights are transported" if told else "the same to the last bit"), fontsize=10)
        for at, synapse in enumerate(names):
            axes.text(at, 100 * found[synapse] + 3, f"{100 * found[synapse]:.0f}", ha="center", fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle("Swap W3 for random numbers between seeing and learning: who notices?", fontsize=11)
    figure.savefig(picture, dpi=110)
    print(f"picture: {picture}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_suffix(".png"))
