"""The training step of dtp in PyTorch, twice: as such code is usually published, and tuned by somebody who knows it.

Difference target propagation on conv4-tanh, with ``--top target``: see `neurosim.rules.dtp`, whose numbers are taken.

- *published*: default layout, a pass of all views for the inverses and another for the layers, both with automatic
  differentiation throughout, a loss and a call down for each layer.
- *tuned*: channels last, one pass for both, view 1 without automatic differentiation under the gradient block, likewise
  whatever only carries noise or targets, in-place tanh, one call down for all layers, fused Adam.
"""

import torch
from neurosim.bench.peers_torch import UNITS, Memory, Weights, hinge_all
from torch.nn import functional as F

LAYERS = ((32, True), (64, True), (128, True), (256, True))  # all with bias and tanh, as the head is
HEAD = len(LAYERS) + 1
TARGET_STEP, SIGMA, INVERSE_RATE = 0.5, 1.0, 5.0


class TargetPeer(Weights):
    """One network and dtp, one training step at a time; arguments as for `neurosim.bench.peers_torch.Peer`.

    There is no feedback to choose. `listen` hands over the noise, once: drawing it is part of no side's step.
    """

    compilable, restored = ("_up", "_down"), range(1, HEAD)  # of the layers: the image needs no target

    def __init__(self, rule, *, tuned, lags=None, feedback=None, plasticity="adam", rate=1e-4):
        super().__init__(LAYERS, tuned)
        self.lags, self.memories, self.phases = lags, {HEAD: Memory(lags)} if lags else {}, (0,)
        for number, (channels, _) in enumerate(LAYERS, 1):
            below = self.maps[number - 1][2]
            self._both(f"W{number}", (channels, below, 3, 3), 9 * below)
            if number > 1:
                self._both(f"G{number}", (channels, below, 3, 3), 9 * channels, below)
        rows, columns, channels = self.maps[len(LAYERS)]
        size = rows * columns * channels
        self._both(f"H{len(LAYERS)}", (UNITS, size), size)
        self._both(f"Q{len(LAYERS)}", (size, UNITS), UNITS)
        inverse = [name for name in self.weights if name.lstrip("b")[0] in "GQ"]
        self.inverses = self._optimiser(inverse, plasticity, INVERSE_RATE * rate)
        self.optimiser = self._optimiser([name for name in self.weights if name not in inverse], plasticity, rate)
        self.noise = {}

    def _both(self, name, shape, fan, units=None):
        """Weights and their bias."""
        self._new(name, shape, fan)
        self._new(f"b{name}", (units or shape[0],), fan)

    def listen(self, noise):
        """Take standard normal numbers ``(sample, row, column, channel)`` by the layer whose activity they disturb."""
        self.noise = {number: self.views(array) for number, array in noise.items()}

    def _parameters(self, letter, number):
        name = f"{letter}{number}"
        return self.weights[name], self.weights[f"b{name}"]

    def _tanh(self, potential):
        return torch.tanh_(potential) if self.tuned else torch.tanh(potential)

    def _up(self, number, x):
        """Activity of a layer, or of the head, from the one below."""
        if number == HEAD:
            flat = x.permute(0, 2, 3, 1).flatten(1) if self.tuned else x.flatten(1)
            return self._tanh(F.linear(flat, *self._parameters("H", len(LAYERS))))
        return self._tanh(F.max_pool2d(F.conv2d(x, *self._parameters("W", number), padding=1), 2))

    def _down(self, number, x):
        """Activity below a layer, or below the head, restored by its inverse."""
        if number < HEAD:
            weight, bias = self._parameters("G", number)
            return self._tanh(F.conv_transpose2d(x, weight, bias, stride=2, padding=1, output_padding=1))
        rows, columns, channels = self.maps[len(LAYERS)]
        flat = self._tanh(F.linear(x, *self._parameters("Q", len(LAYERS))))
        if self.tuned:
            return flat.view(-1, rows, columns, channels).permute(0, 3, 1, 2)
        return flat.view(-1, channels, rows, columns)

    def _look(self, x):
        """Activity of every layer, the image's first, the head's last; each remembers no more than its own weights."""
        activities = [x]
        for number in range(1, HEAD + 1):
            activities.append(self._up(number, activities[-1].detach()))
        return activities

    def _see(self, x):
        """The head's activity of view 1 where only view 2 learns, else None; the activities of the views that learn."""
        if self.tuned and self.lags:
            first, second = x.chunk(2)
            with torch.no_grad():
                view1 = self._look(first)[-1]
            return view1, self._look(second)
        activities = self._look(x)
        if not self.lags:
            return None, activities
        return activities[-1].chunk(2)[0].detach(), [activity.chunk(2)[1] for activity in activities]

    def step(self, phase, x):
        """One training step: forward, inverses, error, targets, plasticity. Returns the error's loss."""
        seen = self._see(x)
        self._restore(seen[1])
        if not self.tuned:  # two loops, one for the inverses and one for the layers
            seen = self._see(x)
        self.optimiser.zero_grad()
        loss = self._descend(*seen)
        self.optimiser.step()
        return loss

    def _restore(self, activities):
        """Every inverse learns to restore a noisy activity from what the layer above makes of it."""
        self.inverses.zero_grad()
        for number in range(HEAD, 1, -1):
            noisy = torch.add(activities[number - 1].detach(), self.noise[number - 1], alpha=SIGMA)
            with torch.set_grad_enabled(not self.tuned):
                heard = self._up(number, noisy).detach()
            F.mse_loss(self._down(number, heard), noisy).backward()
        self.inverses.step()

    def _descend(self, view1, activities):
        """The error at the top, then targets and each layer's own loss, downwards."""
        z = activities[-1].detach().requires_grad_()
        loss = self.memories[HEAD].hinge(view1, z) if self.lags else hinge_all(*z.chunk(2), self.tuned)
        target = z.detach() - TARGET_STEP * torch.autograd.grad(loss, z)[0]
        missed = []
        for number in range(HEAD, 0, -1):
            here = activities[number]
            if self.tuned:  # what the mean square's own way down would give
                missed.append((here.detach() - target).mul_(2 / here.numel()))
            else:
                F.mse_loss(here, target).backward()
            if number > 1:
                with torch.set_grad_enabled(not self.tuned):
                    corrected = activities[number - 1].detach() - self._down(number, here.detach())
                    target = (corrected + self._down(number, target)).detach()
        if self.tuned:
            torch.autograd.backward(activities[:0:-1], missed)
        return loss.detach()
