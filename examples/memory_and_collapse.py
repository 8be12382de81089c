"""The short-term memory, its lags, and the collapse without negatives.

Images arrive one after another, each seen twice: view 1 is stored in a short-term memory, view 2 is compared with what
the memory recalls. Lag 0 is the same image and should be near; lags 1 to 4 are earlier images, the *negatives*, and
should be far. Why? We train from the same weights on the same images with them and without. Without them it is easiest
to answer everything alike: all distances shrink, until the network says nothing about what it sees (the red line).

    python examples/memory_and_collapse.py [PICTURE.png]
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from neurosim import rules
from neurosim.core.backend import Backend
from neurosim.data.toys.toys import render
from neurosim.engine.program import Program
from neurosim.engine.threads import ThreadTeam
from neurosim.losses.hinge import Hinge
from neurosim.networks.network import Network
from neurosim.parts.memory import ShortTermMemory

PAIRS, BATCHES, LAGS = 25, 160, 5


def show_memory():
    """Moments 0 to 6 pass; a memory of five keeps the last five."""
    memory = ShortTermMemory("M", capacity=LAGS, units=1)
    for moment in range(7):
        memory.store([moment])
    print("recalled after moments 0 to 6:", *(f"lag {k}: {memory.recall(k)[0]:.0f}" for k in range(LAGS)), sep="  ")


def apart(units, lag):
    """Mean L1 distance between view 2 now and view 1 of ``lag`` moments ago, over one batch."""
    return np.abs(units.view2.array[lag:] - units.view1.array[: PAIRS - lag]).sum(axis=1).mean()


def train(images, negative_weight):
    """Distances after every batch, (batch, lag), in the top layer's head."""
    network = Network("8 hardtanh pool, 16 hardtanh pool, 32 hardtanh pool", images.shape[2:], PAIRS)
    # Margins 0 and 4 (threshold 2, delta 2): the same image as near as can be, another one at least 4 away.
    # Feedback through the heads' own weights: learning then follows the loss at once, and only the negatives differ.
    rule = rules.make("ll", network, Hinge(LAGS, threshold=2, delta=2, negative_weight=negative_weight), feedback="bp")
    program, rng, found = Program(rule.plan("all layers"), Backend("cpu")), np.random.default_rng(0), []
    with ThreadTeam() as team:
        for batch in range(BATCHES):
            chosen, first = rng.choice(len(images), PAIRS, replace=False), rng.integers(2, size=PAIRS)
            network.populations[0].activity.array[:PAIRS] = images[chosen, first] / 127.5 - 1  # view 1
            network.populations[0].activity.array[PAIRS:] = images[chosen, 1 - first] / 127.5 - 1  # view 2
            network.plasticity.rate.array[0] = 0.003 * (1 - batch / BATCHES)  # the rate falls to 0
            program.run(team)
            found.append([apart(rule.errors[3], lag) for lag in range(LAGS)])
    return np.array(found)


def main(picture):
    show_memory()
    toys, _ = render(200, seed=5, frames=2)  # each toy at two moments of its motion: its two views
    figure = Figure((9, 3), layout="constrained")
    curves, bars = figure.subplots(1, 2, width_ratios=[5, 3])
    for place, (name, weight, colour) in enumerate([("with", 1 / LAGS, "#2471a3"), ("without", 0.0, "#c0392b")]):
        found = train(toys, weight)
        others, end = found[:, 1:].mean(axis=1), found[-20:].mean(axis=0)
        print(f"{name} negatives: different images {others[0]:.2f} apart at first, {end[1:].mean():.2f} at the end")
        curves.plot(others, color=colour, label=f"different images, {name} negatives")
        curves.plot(found[:, 0], ":", color=colour, alpha=0.5, label=f"same image, {name} negatives")
        bars.bar(np.arange(LAGS) + 0.4 * place, end, 0.4, color=colour)
    curves.set(xlabel="batch", ylabel="distance of activities", ylim=(0, None))
    curves.legend(fontsize=8, frameon=False)
    bars.set(xlabel="lag in memory (0: same image)", ylabel="distance at the end")
    figure.savefig(picture, dpi=110)
    print(f"picture: {picture}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_suffix(".png"))
