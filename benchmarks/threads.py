"""What some kernels take on one thread and on all, in chunks of several sizes, in turns: how long a call must be.

python -m neurosim.bench.threads
"""

import statistics
import time
from functools import partial

import click
import numpy as np
from neurosim.bench.sides import images_for, parameters_for
from neurosim.bench.turns import machine_line, this_machine
from neurosim.cli.main import main

from neurosim.core.kernel import Kind
from neurosim.core.workspace import chunks
from neurosim.engine.threads import ThreadTeam
from neurosim.errors import WiringError
from neurosim.kernels.convolution import convolve, hebbian_convolution
from neurosim.kernels.dense import hebbian_bias
from neurosim.kernels.inverse import hebbian_upconvolution, upconvolve
from neurosim.kernels.views import deform
from neurosim.plasticity.adam import adam
from neurosim.plasticity.signum import signum

# Pre and post of a view: the image's convolution of conv5 and conv4-tanh, and conv4-tanh's inverses.
CONVOLUTIONS = {"W1": ((32, 32, 3), (4, 16, 16, 32))}
INVERSES = {"G2": ((8, 8, 64), (16, 16, 32)), "G3": ((4, 4, 128), (8, 8, 64)), "G4": ((2, 2, 256), (4, 4, 128))}
VIEWS, SYNAPSES, NUMBERS = 384, 1 << 21, 640_000


def cases():
    """(what, size of a chunk, tasks, what one unit of the work is, how many units there are)."""
    rng = np.random.default_rng(0)

    def normal(*shape):
        return rng.standard_normal(shape, np.float32)

    numbers = normal(NUMBERS)

    def add(part):
        for _ in range(4):
            numbers[part] += 1

    for size in (5_000, 20_000, 80_000):
        yield (
            "four additions",
            size,
            [partial(add, part) for part in chunks(NUMBERS, size)],
            "1,000 numbers",
            NUMBERS / 1000,
        )

    images = np.uint8(255 * images_for(VIEWS // 2))
    given = {"image": images, **parameters_for(images), "out": np.empty(images.shape, np.float32)}
    for size in (16, 24, 32, 48, 64):
        yield "deform", size, list(cut(deform, given, VIEWS, size, border=False)), "view", VIEWS

    own = {name: np.abs(normal(SYNAPSES)) for name in ("change", "weight", "trace", "square")}
    fixed = {"rate": np.array([1e-3]), "decay": 0}
    last = {"count": np.array([9]), "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    for kernel, more in ((adam, last), (signum, {"bound": 1.0, "momentum": 0.9})):
        given = {name: array for name, array in own.items() if name in kernel.arguments}
        for size in (1 << 14, 1 << 15, 1 << 17):
            tasks = list(cut(kernel, given, SYNAPSES, size, **fixed, **more))
            yield kernel.name, size, tasks, "1,000 synapses", SYNAPSES / 1000

    for kernels, shapes in (
        ((convolve, hebbian_convolution), CONVOLUTIONS),
        ((upconvolve, hebbian_upconvolution), INVERSES),
    ):
        for name, (below, above) in shapes.items():
            pre, post, weights = normal(VIEWS, *below), normal(VIEWS, *above), normal(3, 3, below[-1], above[-1])
            for kernel in kernels:
                yield f"{name}: {kernel}", 64, list(passes(kernel, pre, post, weights)), "view", VIEWS
    bias, one, post = np.zeros((1, 32), np.float32), np.ones(1, np.float32), normal(VIEWS, 4, 16, 16, 32)
    form = hebbian_bias.form("cpu")
    tasks = [partial(form, pre=one, post=post[part], change=bias.copy()) for part in chunks(VIEWS, 64)]
    yield "b1: hebbian_bias", 64, tasks, "view", VIEWS


def cut(kernel, arrays, rows, size, **fixed):
    """A task for each chunk of so many rows of some arrays."""
    for part in chunks(rows, size):
        yield partial(kernel.form("cpu"), **{name: array[part] for name, array in arrays.items()}, **fixed)


def passes(kernel, pre, post, weights):
    """A task for each 64 views: forward into ``post``, or outer products into an array of its own."""
    for part in chunks(VIEWS, 64):
        if kernel.kind is Kind.HEBBIAN:
            yield partial(kernel.form("cpu"), pre=pre[part], post=post[part], change=np.zeros_like(weights))
        else:
            yield partial(kernel.form("cpu"), presynaptic=pre[part], weight=weights, potential=post[part])


def measure(tasks, threads, repeats):
    """Seconds on one thread and on all, medians of turns."""
    times = {1: [], threads: []}
    for turn in range(repeats + 1):
        for count, found in times.items():
            with ThreadTeam(count) as team:
                team.run(tasks)  # every thread has its memory
                start = time.perf_counter()
                team.run(tasks)
                if turn:
                    found.append(time.perf_counter() - start)
    return statistics.median(times[1]), statistics.median(times[threads])


@click.command()
@click.option(
    "--threads", type=click.IntRange(min=1), help="All that there are.  [default: as many as the machine has]"
)
@click.option(
    "--repeats", type=click.IntRange(min=1), default=15, show_default=True, help="Turns; each number is their median."
)
def threads(threads, repeats):
    """Time kernels on one thread and on all, in chunks of several sizes: how long a call must be."""
    threads = threads or ThreadTeam().threads
    if threads < 2:
        raise WiringError(
            "one thread", "at least two, to compare with one", "write --threads 2, on a machine with two cores"
        )
    print(machine_line(this_machine(threads)))
    print(f"{'kernel':28}{'chunk':>8}{'one thread':>14}{f'{threads} threads':>14}  microseconds a")
    for name, size, tasks, unit, units in cases():
        alone, together = (1e6 * seconds / units for seconds in measure(tasks, threads, repeats))
        print(f"{name:28}{size:8}{alone:14.2f}{together:14.2f}  {unit}", flush=True)


if __name__ == "__main__":
    main(command=threads, name="python -m neurosim.bench.threads")
