"""Inverse paths: the activity below, restored from the activity above; and the targets that they carry downwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from neurosim.core.buffer import Buffer
from neurosim.core.roles import Role
from neurosim.core.step import Step
from neurosim.kernels import units as kernels
from neurosim.parts.projection import Bias, Projection

if TYPE_CHECKING:
    from neurosim.parts.population import Units
    from neurosim.parts.synapse import Synapse


def _loss_step(label: str, x: Buffer, t: Buffer, error: Buffer, value: Buffer) -> Step:
    """``e = 2/n (x - t)``, the derivative of the mean square ``1/n sum (x - t)^2`` over n elements of the batch."""
    elements = int(np.prod(error.shape))
    return Step(
        kernels.local_loss,
        label,
        f"{error.name} = 2/{elements} ({x.name} - {t.name})",
        {"activity": x, "target": t, "error": error, "value": value},
        scalars={"scale": 1 / elements},
        over="sample",
    )


class Target:
    """What the activity of a population should have been, for the views that learn.

    Args:
        units: the population, or a head.

    Attributes:
        activity: the target t, of the shape of the population's error.
        value: float64 ``(1,)``: the mean square of ``x - t`` of the last batch.
    """

    def __init__(self, units: Units):
        name, like = "t" + units.activity.name.removeprefix("x"), units.error
        self.units = units
        self.activity = Buffer(name, like.axes, like.shape, Role.ERROR, like.owner, like.dtype, local=True)
        self.value = Buffer(f"loss {name}", ("figure",), (1,), Role.VALUE, like.owner, np.float64)

    def set_target(self, step: float) -> Iterator[Step]:
        """``t = x - step e``, e the error that the units have received."""
        x, e, t = self.units.active_part, self.units.error, self.activity
        yield Step(
            kernels.set_target,
            f"{x.owner} sets its target",
            f"{t.name} = {x.name} - {step:g} {e.name}",
            {"activity": x, "error": e, "target": t},
            scalars={"step": step},
            over="sample",
        )

    def local_loss(self) -> Iterator[Step]:
        """``e = 2/n (x - t)``, n elements: the error of the layer's own loss, to be gated."""
        x, label = self.units.active_part, f"{self.units.active_part.owner} is compared with its target"
        yield _loss_step(label, x, self.activity, self.units.error, self.value)


class Inverse:
    """``g``: the activity below a forward projection ``f``, restored from the activity above it.

    It learns by its own outer products to restore a noisy activity, ``min |g(f(x + noise)) - (x + noise)|^2``, and then
    carries targets down: ``t_below = x_below - g(x) + g(t)`` (Lee et al. 2015).

    Parameters:
        ===== ==== ================================================ =======
        name  unit math                                             default
        ===== ==== ================================================ =======
        x~    1    ``f(x_below + sigma n)``, by the forward weights
        x^~   1    ``phi(G x~ + b)``, phi that of the units below
        x^    1    ``g(x)``
        x^t   1    ``g(t)``
        ===== ==== ================================================ =======

    Args:
        projection: f.
        synapse, bias: of g, its own.

    Attributes:
        value: float64 ``(1,)``: the mean squared error of the last batch's restoration.
        noise: standard normal numbers, one array for each learning step of a batch; see `make_noise`.
    """

    def __init__(self, projection: Projection, synapse: Synapse, bias: Bias):
        below, above = projection.pre.whole, projection.post
        self.projection, self.synapse, self.below, self.above = projection, synapse, below, above
        self.noisy, self.transmitted = below.twin("+n"), above.twin("~")
        self.again = Projection(projection.pre.over(self.noisy), self.transmitted, projection.synapse, projection.bias)
        self.path = Projection(self.transmitted, below.twin("^~", Role.ERROR), synapse, bias)
        self.here, self.there = (Projection(above, below.twin(mark, Role.ERROR), synapse, bias) for mark in ("^", "^t"))
        self.value = Buffer(f"loss {synapse.name}", ("figure",), (1,), Role.VALUE, synapse.name, np.float64)
        self.noise: list[Buffer] = []

    @property
    def synapses(self) -> list[Synapse]:
        """Its weights and its bias."""
        return self.path.synapses

    def make_noise(self, times: int) -> None:
        """Arrays of standard normal numbers for so many learning steps a batch; they are drawn before each run."""
        x = self.noisy.activity
        self.noise = [
            Buffer(f"n{self.below.number}.{i + 1}", x.axes, x.shape, Role.NOISE, self.synapse.name, x.dtype, given=True)
            for i in range(times)
        ]

    def learn(self, time: int, sigma: float) -> Iterator[Step]:
        """Restore a noisy activity, sum the outer products with what is left of it."""
        x, noise, noisy, restored = self.below.active_part, self.noise[time], self.noisy.activity, self.path.post
        yield Step(
            kernels.add_noise,
            f"{x.owner} with noise",
            f"{noisy.name} = {x.name} + {sigma:g} {noise.name}",
            {"activity": x, "noise": noise, "noisy": noisy},
            scalars={"sigma": sigma},
            over="sample",
        )
        yield from self.again.transmit()
        yield from self.transmitted.respond()
        yield from self.path.transmit()
        yield from restored.respond()
        label = f"{self.synapse.name}: what it restores is compared"
        yield _loss_step(label, restored.activity, noisy, restored.error, self.value)
        yield from restored.gate()
        yield from self.path.hebbian()

    def apply_update(self) -> Iterator[Step]:
        """The lasting change of the inverse."""
        yield from self.path.apply_update()

    def propagate_target(self, above: Target, below: Target) -> Iterator[Step]:
        """``t_below = x_below - g(x) + g(t)``."""
        x, t = self.below.active_part, below.activity
        yield from self.here.transmit(self.above.active_part)
        yield from self.here.post.respond()
        yield from self.there.transmit(above.activity)
        yield from self.there.post.respond()
        restored, aimed = self.here.post.activity, self.there.post.activity
        yield Step(
            kernels.propagate_target,
            f"{x.owner} receives its target",
            f"{t.name} = {x.name} - {restored.name} + {aimed.name}",
            {"activity": x, "restored": restored, "restored_target": aimed, "target": t},
            over="sample",
        )
