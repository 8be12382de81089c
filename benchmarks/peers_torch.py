"""The training step of bp and ll on conv5 in PyTorch, twice: as such code is usually published, and tuned by an expert.

Both compute what `neurosim` computes, on the same weights, in float32; `neurosim.bench.turns` checks that before it
times anything. Only PyTorch is imported here, so that a process can measure what a PyTorch user's process needs.

- *published*: default layout (sample, channel, row, column), all 2N views in one pass with automatic differentiation
  throughout, L1 distances from repeated arrays, the optimiser's plain loop.
- *tuned*: channels last, L1 distances by ``cdist``, view 1 without automatic differentiation under the gradient block,
  in-place hardtanh, one call down per layer in the layer-wise rule, fused Adam.

`neurosim.bench.peers_dtp` has dtp's step, `neurosim.bench.peers_deform` the deformation of the views.
"""

import torch
from torch.nn import functional as F

LAYERS = ((32, False), (32, True), (64, False), (64, True), (512, True))  # channels, pooled; otherwise hardtanh
IMAGE, UNITS = (32, 32, 3), 64
LESSONS = ("ll-greedy", "ll-random")  # one layer a batch
NEAR, FAR = 1.0, 3.0  # the margins m+ and m-
MAP_AXES = {"H": 0, "F": 0, "Q": 1, "bQ": 1}  # of a dense array in neurosim's layout: the axis over a map's units


class OwnFeedback(torch.autograd.Function):
    """A dense read-out whose error goes down through weights of its own, which learn by the same outer product."""

    @staticmethod
    def forward(context, x, weight, feedback, learns, share):
        context.save_for_backward(x, feedback)
        context.learns, context.share = learns, share
        return x @ weight.T

    @staticmethod
    def backward(context, error):
        x, feedback = context.saved_tensors
        outer = error.T @ x
        own = None
        if context.learns:
            own = outer if context.share else error.T @ x
        return error @ feedback, outer, own, None, None


class Signum:
    """``m = mu m + c; w -= rate / sqrt(fan in) sign(m)``."""

    def __init__(self, weights, fans, lr, momentum=0.9):
        self.weights, self.momentum = weights, momentum
        self.rates = [lr / fan**0.5 for fan in fans]
        self.state = {}  # the traces by place, as PyTorch's own keep theirs

    def zero_grad(self):
        for weight in self.weights:
            weight.grad = None

    @torch.no_grad()
    def step(self):
        for place, (weight, rate) in enumerate(zip(self.weights, self.rates, strict=True)):
            if weight.grad is not None:
                if place not in self.state:
                    self.state[place] = torch.zeros_like(weight)
                trace = self.state[place]
                trace.mul_(self.momentum).add_(weight.grad)
                weight.add_(trace.sign(), alpha=-rate)


def hinge_all(view1, view2, tuned):
    """The contrastive hinge against all other images of the batch; ``(pairs, D)`` each."""
    count = len(view1)
    if tuned:
        distance = torch.cdist(view2, view1, p=1)
    else:
        apart = view2.repeat_interleave(count, 0) - view1.repeat(count, 1)
        distance = apart.abs().sum(1).view(count, count)
    near, far = F.relu(distance.diagonal() - NEAR), F.relu(FAR - distance)
    return near.sum() + far.sum() - far.diagonal().sum()


class Memory:
    """View 1 of the moments before this batch, as many as the lags need."""

    def __init__(self, lags):
        self.lags, self.traces = lags, torch.zeros(0, UNITS)

    def forget(self):
        """Begin again, with no moment seen."""
        self.traces = self.traces[:0]

    def hinge(self, view1, view2):
        """The contrastive hinge against K lags of the stream; moments before the first one do not count."""
        stored, count = torch.cat([self.traces, view1]), len(view2)
        loss = 0.0
        for lag in range(self.lags):
            known = min(count, len(stored) - lag)
            end = len(stored) - lag
            distance = (view2[count - known :] - stored[end - known : end]).abs().sum(1)
            loss = loss + (F.relu(FAR - distance).sum() / self.lags if lag else F.relu(distance - NEAR).sum())
        self.traces = stored[len(stored) - self.lags + 1 :].detach()
        return loss


def own_layout(images, tuned):
    """``(sample, row, column, channel)`` to a side's own layout; sizes are in PyTorch's order."""
    images = torch.as_tensor(images).permute(0, 3, 1, 2)
    return images.contiguous(memory_format=torch.channels_last if tuned else torch.contiguous_format)


class Weights:
    """The weights of a peer by neurosim's names, in a layout of their own, and the way there and back.

    Args:
        layers: (channels, pooled) of each.
        tuned: which of the two ways of writing a peer.
    """

    def __init__(self, layers, tuned):
        self.layers, self.tuned, self.weights, self.fans = layers, tuned, {}, {}
        self.memories, self.optimisers = {}, []
        self.maps = {0: IMAGE}  # (row, column, channel) of every layer's activity
        for number, (channels, pooled) in enumerate(layers, 1):
            rows, columns, _ = self.maps[number - 1]
            self.maps[number] = rows // (1 + pooled), columns // (1 + pooled), channels

    def _new(self, name, shape, fan, learns=True):
        bound = 1 / fan**0.5
        weight = torch.empty(shape).uniform_(-bound, bound)
        if self.tuned and len(shape) == 4:
            weight = weight.to(memory_format=torch.channels_last)
        self.weights[name], self.fans[name] = weight.requires_grad_(learns), fan

    def _optimiser(self, names, plasticity, rate):
        weights = [self.weights[name] for name in names]
        if plasticity == "adam":
            found = torch.optim.Adam(weights, lr=rate, fused=self.tuned or None)
        else:
            found = Signum(weights, [self.fans[name] for name in names], lr=rate)
        self.optimisers.append(found)
        return found

    def views(self, images):
        """``(sample, row, column, channel)`` to this peer's own layout."""
        return own_layout(images, self.tuned)

    def load(self, weights):
        """Take weights by name, in neurosim's layout: (row, column, in, out), or (row x column x channel, out).

        What earlier steps left is forgotten, plasticity's traces and the memory: a side that a compiler ran once already
        begins like the others.
        """
        with torch.no_grad():
            for name, weight in self.weights.items():
                weight.copy_(self._turn(name, torch.as_tensor(weights[name]).float()))
        for optimiser in self.optimisers:
            optimiser.state.clear()
        for memory in self.memories.values():
            memory.forget()

    def changes(self):
        """The last step's summed outer products by name, as NumPy arrays in neurosim's layout."""
        return {n: self._turn_back(n, w.grad).cpu().numpy() for n, w in self.weights.items() if w.grad is not None}

    def _units(self, name):
        """Where each of a map's units, in this side's order, stands in neurosim's; None where the order is the same."""
        if self.tuned or name.rstrip("0123456789") not in MAP_AXES:
            return None
        rows, columns, channels = self.maps[int(name.strip("bHFQ"))]
        return torch.arange(rows * columns * channels).view(rows, columns, channels).permute(2, 0, 1).flatten()

    def _turn(self, name, given):
        if given.ndim == 4:  # a transposed convolution has what it reads first
            return given.permute(2, 3, 0, 1) if name[0] == "G" else given.permute(3, 2, 0, 1)
        units = self._units(name)
        if units is not None:
            given = given.index_select(MAP_AXES[name.rstrip("0123456789")], units)
        return given[0] if name[0] == "b" else given.T

    def _turn_back(self, name, own):
        if own.ndim == 4:
            return own.permute(2, 3, 0, 1) if name[0] == "G" else own.permute(2, 3, 1, 0)
        given, units = own[None] if name[0] == "b" else own.T, self._units(name)
        if units is not None:
            given = given.index_select(MAP_AXES[name.rstrip("0123456789")], units.argsort())
        return given


class Peer(Weights):
    """One network, one rule, one training step at a time.

    Args:
        rule: bp, ll-greedy, ll-random or ll-simultaneous.
        tuned: which of the two ways of writing it.
        lags: None: all negatives and no gradient block; K: a memory of K lags and the gradient block.
        feedback: of the layer-wise rule: bp, rf or urf.
        plasticity: adam or signum.
        rate: of every weight.
    """

    compilable = ("_learn",)

    def __init__(self, rule, *, tuned, lags=None, feedback="urf", plasticity="adam", rate=1e-4):
        super().__init__(LAYERS, tuned)
        self.rule, self.lags, self.feedback = rule, lags, feedback
        taught = [len(LAYERS)] if rule == "bp" else range(1, len(LAYERS) + 1)
        self.memories = {n: Memory(lags) for n in taught} if lags else {}
        for number, (channels, _) in enumerate(LAYERS, 1):
            below, (rows, columns, _) = self.maps[number - 1][2], self.maps[number]
            self._new(f"W{number}", (channels, below, 3, 3), 9 * below)
            if number in taught:
                fan = rows * columns * channels
                self._new(f"H{number}", (UNITS, fan), fan)
                if rule != "bp" and feedback != "bp":
                    self._new(f"F{number}", (UNITS, fan), fan, learns=feedback == "urf")
        learning = [name for name, weight in self.weights.items() if weight.requires_grad]
        self.optimiser = self._optimiser(learning, plasticity, rate)
        self.phases = range(1, len(LAYERS) + 1) if rule in LESSONS else (0,)

    def _layer(self, number, x):
        pooled = LAYERS[number - 1][1]
        potential = F.conv2d(x, self.weights[f"W{number}"], padding=1)
        if pooled:
            return F.max_pool2d(potential, 2)
        return F.hardtanh_(potential) if self.tuned else F.hardtanh(potential)

    def _head(self, number, x):
        flat = x.permute(0, 2, 3, 1).flatten(1) if self.tuned else x.flatten(1)
        if f"F{number}" in self.weights:
            weights = self.weights[f"H{number}"], self.weights[f"F{number}"]
            return OwnFeedback.apply(flat, *weights, self.feedback == "urf", self.tuned)
        return F.linear(flat, self.weights[f"H{number}"])

    def _error(self, number, view1, view2):
        if not self.lags:
            return hinge_all(view1, view2, self.tuned)
        return self.memories[number].hinge(view1.detach(), view2)

    def _learn(self, number, path, x):
        """Views ``x`` through the layers ``path`` to head ``number`` and its error; the top activity comes too."""
        halves = x.chunk(2) if self.tuned and self.lags else (x,)
        tops, heads = [], []
        for part, half in enumerate(halves):
            with torch.set_grad_enabled(len(halves) == 1 or part == 1):
                for layer in path:
                    half = self._layer(layer, half)
                tops.append(half)
                heads.append(self._head(number, half))
        view1, view2 = heads if len(heads) == 2 else heads[0].chunk(2)
        return self._error(number, view1, view2), tops

    def step(self, phase, x):
        """One training step: forward, error, down, plasticity. ``phase`` is a layer, or 0. Returns the loss."""
        self.optimiser.zero_grad()
        depth = len(LAYERS)
        if self.rule == "bp":
            loss, _ = self._learn(depth, range(1, depth + 1), x)
            loss.backward()
        elif self.rule in LESSONS:
            with torch.no_grad():
                for below in range(1, phase):
                    x = self._layer(below, x)
            loss, _ = self._learn(phase, [phase], x)
            loss.backward()
        else:
            loss = self._all_layers(x)
        self.optimiser.step()
        return loss.detach()

    def _all_layers(self, x):
        total = 0.0
        for number in range(1, len(LAYERS) + 1):
            loss, tops = self._learn(number, [number], x)
            if self.tuned:  # frees a layer's stored activity before the next layer needs room
                loss.backward()
                loss = loss.detach()
            total = total + loss
            x = torch.cat([top.detach() for top in tops]) if len(tops) == 2 else tops[0].detach()
        if not self.tuned:
            total.backward()
        return total
