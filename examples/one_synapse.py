"""One synapse and its outer product: everything that a synapse of this network ever knows.

A 3 x 3 convolution synapse W2[row, column, in, out] joins, at every place of the image, one presynaptic unit (map `in`
of layer 1, shifted by the tap) to one postsynaptic unit (map `out` of layer 2). Its change is a sum of products of two
stored numbers, one product a view and place:

    dW2[row, column, in, out] = sum over views and places of  x1[view, place + tap, in] * d2[view, place, out]

x1 is the presynaptic activity; d2 the postsynaptic factor, the error that feedback brought to the unit, let through
where it is not saturated. The plan computes the sum; then we do it by hand.

    python examples/one_synapse.py [PICTURE.png]
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
from neurosim.plasticity.sgd import SGD

PAIRS, RATE = 12, 0.01
ROW, COLUMN, IN, OUT = 0, 2, 3, 5  # tap (0, 2): one row up, one column to the right of the postsynaptic unit


def main(picture):
    toys, _ = render(PAIRS, seed=4, frames=2)  # each toy at two moments of its motion: view 1 and view 2
    network = Network("8 hardtanh, 8 hardtanh", toys.shape[2:], PAIRS, dtype=np.float64, plasticity=SGD(RATE))
    rule = rules.make("ll", network, Hinge(lags=5))
    network.populations[0].activity.array[...] = np.concatenate([toys[:, 0], toys[:, 1]]) / 127.5 - 1
    synapse, one = network.projections[1].synapse, (ROW, COLUMN, IN, OUT)  # W2, and our synapse in it
    before = synapse.weight.array[one]
    with ThreadTeam() as team:
        Program(rule.plan("all layers"), Backend("cpu"), hold=True).run(team)  # hold: keep all arrays
    computed, after = synapse.change.array[one], synapse.weight.array[one]

    # By hand. Only view 2 learns (the gradient block): active_part is that view's activity.
    pre = network.populations[1].active_part.array[..., IN]
    post = network.populations[2].post.array[..., OUT]
    # The image's border is silent: a row and a column of zeros all around, then the map seen through the tap.
    silent = np.pad(pre, ((0, 0), (1, 1), (1, 1)))
    seen = silent[:, ROW : ROW + pre.shape[1], COLUMN : COLUMN + pre.shape[2]]
    products = seen * post
    contributions, by_hand, active = products.sum(axis=(1, 2)), products.sum(), np.count_nonzero(products)

    print(f"synapse W2{list(one)}: {products.size} products, one a view and place, {active} not zero")
    print(f"change by the plan: {computed:+.12f}")
    print(f"change by hand:     {by_hand:+.12f}")
    print(f"relative difference: {abs(by_hand / computed - 1):.1e} (rounding: the sums ran in another order)")
    print(f"weight: {before:+.9f} -> {after:+.9f}; weight - {RATE} x change by hand = {before - RATE * by_hand:+.9f}")

    shown = int(np.abs(contributions).argmax())  # the view that moves the synapse most
    figure = Figure((10, 2.9), layout="constrained")
    panels = figure.subplots(1, 5, width_ratios=[1, 1, 1, 1, 1.2])
    for panel, values in zip(panels, (toys[shown, 1], seen[shown], post[shown], products[shown]), strict=False):
        limit = float(np.abs(values).max())  # blue: negative, white: zero, red: positive
        panel.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit)
        panel.set(xticks=[], yticks=[])
    colours = ["#c0392b" if view == shown else "#95a5a6" for view in range(PAIRS)]
    panels[4].bar(range(PAIRS), contributions, color=colours)
    panels[4].set(xlabel="view", ylabel="sum of its products")
    titles = ["view 2 of a toy", f"presynaptic\nx1, map {IN}, through the tap", f"postsynaptic factor\nd2, map {OUT}"]
    titles += ["their product,\nplace by place", f"sum over all views:\ndW2 = {computed:+.4f}"]
    for panel, title, sign in zip(panels, titles, ["", "\u00d7", "=", "", ""], strict=True):
        panel.set_title(title, fontsize=9)
        panel.text(1.06, 0.5, sign, transform=panel.transAxes, ha="center", va="center", fontsize=14)
    figure.savefig(picture, dpi=110)
    print(f"picture: {picture}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_suffix(".png"))
