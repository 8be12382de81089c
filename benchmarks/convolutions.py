"""What the convolutions of a network take, in tiles and by the plain sum, in turns, on one thread.

    python -m neurosim.bench.convolutions --network conv5 --rows 16,64
"""

import argparse
import statistics
import sys
import time

import numpy as np
from neurosim.bench.turns import this_machine

from neurosim.engine.threads import ThreadTeam
from neurosim.errors import NeurosimError, WiringError
from neurosim.kernels import cpu, cpu_winograd
from neurosim.networks.network import Network
from neurosim.parts.synapse import CONVOLUTION

KERNELS = ("convolve", "hebbian_convolution", "deliver_convolution")


def cases(text, side):
    """(name, activity's shape, weights' shape, factor's shape), a view each, of every convolution that fits tiles."""
    for projection in Network(text, (side, side, 3), 1).projections:
        maps, weights = projection.pre.shape, projection.synapse.shape
        if projection.synapse.axes is CONVOLUTION and cpu_winograd.fits((1, *maps), np.empty(weights)):
            yield projection.synapse.name, maps, weights, projection.post.potential.shape[1:]


def measure(maps, weights, factor, rows, repeats):
    """Kernel -> microseconds a view in tiles and by the plain sum, medians of turns."""
    rng = np.random.default_rng(0)
    x, w, post = (rng.standard_normal(s, np.float32) for s in ((rows, *maps), weights, (rows, *factor)))
    u, change, error = np.empty_like(post), np.zeros_like(w), np.empty_like(x)
    arguments = dict(zip(KERNELS, ((x, w, u), (x, post, change), (post, w, error)), strict=True))
    found, fits = {name: ([], []) for name in KERNELS}, cpu_winograd.fits
    try:
        for turn in range(repeats + 1):
            for name, given in arguments.items():
                for times, how in zip(found[name], (fits, lambda *_: False), strict=True):
                    cpu_winograd.fits = how
                    start = time.perf_counter()
                    getattr(cpu, name)(*given)
                    if turn:
                        times.append((time.perf_counter() - start) / rows * 1e6)
    finally:
        cpu_winograd.fits = fits
    return {name: tuple(map(statistics.median, times)) for name, times in found.items()}


def main(arguments=None):
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", default="conv5")
    parser.add_argument("--side", type=int, default=32, help="of a picture")
    parser.add_argument("--rows", default="16,64", help="views a block, with commas between")
    parser.add_argument("--repeats", type=int, default=30, help="turns")
    asked = parser.parse_args(arguments)
    rows = [int(each) if each.isdecimal() else 0 for each in asked.rows.split(",")]
    if min(rows) < 1 or asked.repeats < 1:
        raise WiringError(f"--rows {asked.rows} --repeats {asked.repeats}", "whole numbers, at least 1", "write --rows 16,64")
    print(*this_machine(1).values(), sep=", ")
    print(f"{'microseconds a view: tiles, plain sum':40}" + "".join(f"{name:>22}" for name in KERNELS))
    with ThreadTeam(1):
        for name, maps, weights, factor in cases(asked.network, asked.side):
            for count in rows:
                told = measure(maps, weights, factor, count, asked.repeats)
                place = f"{name}  {'x'.join(map(str, maps))} -> {weights[3]}, {count} views"
                print(f"{place:40}" + "".join(f"{tiles:12.0f}{plain:10.0f}" for tiles, plain in told.values()), flush=True)


if __name__ == "__main__":
    try:
        main()
    except NeurosimError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
