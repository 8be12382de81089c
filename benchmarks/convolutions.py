"""What the convolutions of a network take, in tiles and by the plain sum, in turns, on one thread.

Run it as ``python -m neurosim.bench.convolutions --network conv5 --rows 16,64``.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterator

import numpy as np
from neurosim.bench.turns import machine_line, this_machine

from neurosim.core.typing import Array
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import NeurosimError, WiringError
from neurosim.kernels.convolution import convolve, deliver_convolution, hebbian_convolution, tiles
from neurosim.networks.network import Network
from neurosim.parts.synapse import CONVOLUTION

KERNELS = (convolve, hebbian_convolution, deliver_convolution)
Shape = tuple[int, ...]


def cases(text: str, side: int) -> Iterator[tuple[str, Shape, Shape, Shape]]:
    """(name, activity's shape, weights' shape, factor's shape), a view each, of every convolution that fits tiles."""
    for projection in Network(text, (side, side, 3), 1).projections:
        maps, weights = projection.pre.shape, projection.synapse.shape
        if projection.synapse.axes is CONVOLUTION and tiles.fits((1, *maps), np.empty(weights)):
            yield projection.synapse.name, maps, weights, projection.post.potential.shape[1:]


def measure(maps: Shape, weights: Shape, factor: Shape, rows: int, repeats: int) -> list[tuple[float, float]]:
    """For each kernel, microseconds a view in tiles and by the plain sum, medians of turns."""
    rng = np.random.default_rng(0)
    x, w, post = (rng.standard_normal(s, np.float32) for s in ((rows, *maps), weights, (rows, *factor)))
    arrays: tuple[tuple[Array, Array, Array], ...] = (
        (x, w, np.empty_like(post)),
        (x, post, np.zeros_like(w)),
        (post, w, np.empty_like(x)),
    )
    found: list[tuple[list[float], list[float]]] = [([], []) for _ in KERNELS]
    fits = tiles.fits
    try:
        for turn in range(repeats + 1):
            for kernel, given, both in zip(KERNELS, arrays, found, strict=True):
                for times, how in zip(both, (fits, lambda *_: False), strict=True):
                    tiles.fits = how
                    start = time.perf_counter()
                    kernel.form("cpu")(*given)
                    if turn:
                        times.append((time.perf_counter() - start) / rows * 1e6)
    finally:
        tiles.fits = fits
    return [(statistics.median(tiled), statistics.median(plain)) for tiled, plain in found]


def main(arguments: list[str] | None = None) -> None:
    """Print the table.

    Raises:
        WiringError: options that are no whole numbers.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--network", default="conv5")
    parser.add_argument("--side", type=int, default=32, help="of a picture")
    parser.add_argument("--rows", default="16,64", help="views a block, with commas between")
    parser.add_argument("--repeats", type=int, default=30, help="turns")
    asked = parser.parse_args(arguments)
    rows = [int(each) if each.isdecimal() else 0 for each in asked.rows.split(",")]
    if min(rows) < 1 or asked.repeats < 1:
        given = f"--rows {asked.rows} --repeats {asked.repeats}"
        raise WiringError(given, "whole numbers, at least 1", "write --rows 16,64")
    print(machine_line(this_machine(1)))
    print(f"{'microseconds a view: tiles, plain sum':40}" + "".join(f"{kernel.name:>22}" for kernel in KERNELS))
    with ThreadTeam(1):
        for name, maps, weights, factor in cases(asked.network, asked.side):
            for count in rows:
                found = measure(maps, weights, factor, count, asked.repeats)
                place = f"{name}  {'x'.join(map(str, maps))} -> {weights[3]}, {count} views"
                print(f"{place:40}" + "".join(f"{tiled:12.0f}{plain:10.0f}" for tiled, plain in found), flush=True)


if __name__ == "__main__":
    try:
        main()
    except NeurosimError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
