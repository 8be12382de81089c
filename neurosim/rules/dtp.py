"""dtp: difference target propagation. Learned inverses carry targets down; every layer has a loss of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import numpy as np

from neurosim.core.options import Option
from neurosim.core.step import Step
from neurosim.parts.inverse import Target
from neurosim.rules.base import Rule

if TYPE_CHECKING:
    from neurosim.core.buffer import Buffer
    from neurosim.losses.base import Loss
    from neurosim.networks.network import Network
    from neurosim.parts.error_units import ErrorUnits
    from neurosim.parts.projection import Projection
    from neurosim.parts.synapse import Synapse
    from neurosim.plasticity.base import Plasticity

TOPS = ("target", "transport")


class DifferenceTargetPropagation(Rule):
    """``t_{l-1} = x_{l-1} - g_l(x_l) + g_l(t_l)``, ``delta_l = gate_l . (x_l - t_l) 2/n`` (Lee et al. 2015).

    Every inverse ``g_l`` learns by its own outer products to restore a noisy ``x_{l-1}`` from ``f_l`` of it. The top
    starts the targets: ``t_z = z - step e`` and the head's learned inverse (``target``, plausible), or, as published,
    ``t_L = x_L - step H^T e`` with the head's transposed weights (``transport``: weight transport, not plausible).

    Parameters:
        ============= ====== =================================================== =======
        name          unit   math                                                published
        ============= ====== =================================================== =======
        target_step   1      step, times the error                               0.5
        noise         1      sigma, of the noise on what an inverse restores     1
        inverse_rate  rate   of every inverse, in units of the forward rate      5
        inverse_steps 1      changes of an inverse a batch, each with new noise  1
        inverse_first batch  of the first epoch in which inverses alone learn    0
        ============= ====== =================================================== =======

    The image needs no target, so layer 1 has no inverse. `neurosim.training.config` has the defaults that learn best: the more
    noise, the nearer an inverse comes to what back-propagation would send; a longer step keeps the changes of low
    layers above adam's epsilon.

    Raises:
        WiringError: an unknown top, or a number outside its range.
        ShapeError: a layer whose sizes no inverse can restore.
    """

    name = "dtp"
    summary = "difference target propagation: learned inverses carry targets down"

    def __init__(
        self,
        network: Network,
        loss: Loss,
        top: Annotated[
            str, Option("Where targets start: target (plausible) or transport (published).", choices=TOPS, short="")
        ] = "target",
        target_step: Annotated[
            float,
            Option(
                "How far the top's target lies from its activity; for errors that sum over moments, as hinge, about 0.2.",
                unit="errors",
                above=0,
            ),
        ] = 0.5,
        noise: Annotated[
            float, Option("Standard deviation of the noise on what an inverse restores.", low=0, short="of inverses")
        ] = 1.0,
        inverse_rate: Annotated[
            float, Option("Rate of the inverses.", unit="rates of the forward weights", low=0)
        ] = 5.0,
        inverse_steps: Annotated[int, Option("Changes of every inverse a batch.", low=1)] = 1,
        inverse_first: Annotated[
            int, Option("Batches of the first epoch in which inverses alone learn.", unit="batches", low=0)
        ] = 0,
    ):
        super().__init__(network, loss)
        self.top, self.step, self.sigma, self.times = top, target_step, noise, inverse_steps
        self.phases, self.first = ("all layers", *["inverses"] * (inverse_first > 0)), inverse_first
        self.head, self.error = network.head(len(network)), self._attach(len(network))
        p = network.plasticity
        self.inverse_plasticity = p.with_rate(p.base_rate * inverse_rate, "inverse rate")
        restored = [self.head] * (top == "target") + network.projections[:0:-1]
        self.inverses = [network.inverse(projection, self.inverse_plasticity) for projection in restored]
        for inverse in self.inverses:
            inverse.make_noise(inverse_steps)
        self.targets = {p.post: Target(p.post) for p in (self.head, *network.projections)}
        self.transported = self._feed(self.head, "bp") if top == "transport" else None

    def wire(self, phase: str) -> Iterator[Step]:
        read = phase == "all layers" or self.top == "target"  # the inverse below the top reads no activity of the top
        yield from self.network.propagate(len(self.network) - (not read))
        for time in range(self.times):
            for inverse in self.inverses:
                yield from inverse.learn(time, self.sigma)
            for inverse in self.inverses:
                yield from inverse.apply_update()
        if phase == "all layers":
            yield from self._descend()

    def _descend(self) -> Iterator[Step]:
        """The error at the top, then targets and changes, layer by layer downwards."""
        yield from self.head.transmit()
        yield from self.head.post.respond()
        yield from self.error.compare()
        for projection in (self.head, *reversed(self.network.projections)):
            yield from self._teach(projection)
        for projection in (self.head, *self.network.projections):
            yield from projection.apply_update()
        yield from self.error.apply_update()

    def _teach(self, projection: Projection) -> Iterator[Step]:
        """A projection learns from its post's target, and its inverse, if it has one, brings one to its pre."""
        post, target = projection.post, self.targets[projection.post]
        if projection is not self.head:
            yield from target.local_loss()
        elif self.top == "target":
            yield from target.set_target(self.step)
            yield from target.local_loss()
        yield from post.gate()
        yield from projection.hebbian()
        for inverse in self.inverses:
            if inverse.projection is projection:
                yield from inverse.propagate_target(target, self.targets[inverse.below])
        if self.transported and projection is self.head:
            yield from self.transported.deliver()
            yield from self.targets[projection.pre.whole].set_target(self.step)

    def phase(self, epoch: int, batch: int, asked: int) -> str:
        return self.phases[epoch == 0 and batch < self.first]

    def errors_of(self, phase: str) -> list[ErrorUnits]:
        return [self.error] if phase == "all layers" else []

    def draw(self, epoch: int, batch: int) -> None:
        super().draw(epoch, batch)
        rng = np.random.default_rng([self.network.seed, ord("N"), epoch, batch])
        for inverse in self.inverses:
            for noise in inverse.noise:
                noise.fill(lambda array: rng.standard_normal(out=array, dtype=array.dtype))

    def plasticities(self) -> list[Plasticity]:
        return [*super().plasticities(), self.inverse_plasticity]

    def figures(self) -> dict[str, Buffer]:
        return {f"inverse_{inverse.synapse.name}": inverse.value for inverse in self.inverses}

    def synapses(self) -> list[Synapse]:
        return [*super().synapses(), *(s for inverse in self.inverses for s in inverse.synapses)]

    def wiring(self) -> list[str]:
        lines = super().wiring()
        for i in self.inverses:
            above, below = self.targets[i.above].activity.name, self.targets[i.below].activity.name
            shared = ", shared by all places of the untied layer" if len(i.projection.synapse.shape) == 6 else ""
            lines.append(
                f"{i.synapse.name}: {above} -> {below} (an inverse with weights of its own{shared}, "
                "learned by its own outer products)"
            )
        return lines
