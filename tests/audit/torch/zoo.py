"""PyTorch modules with the answer that each must get: 0 no violation, 1 weights are transported. Short, by kinds.

A case is a function that gives (model, inputs, loss), as ``neurosim audit --torch`` calls it.
"""

from itertools import pairwise

import torch
from torch import nn

CASES = {}
SIZES = (6, 9, 8, 5)


def case(code):
    """Register a function as a case with its exit code."""

    def registered(function):
        CASES[function.__name__] = (code, function)
        return function

    return registered


def draw(*shape):
    return torch.randn(*shape) / shape[-1] ** 0.5


def contrast(z):
    return (z - z.roll(1, 0)).abs().sum()


def x(*shape):
    return torch.randn(*(shape or (7, SIZES[0])))


class Sent(torch.autograd.Function):
    """A dense layer; its error goes down through any array ``back`` of the weight's shape."""

    @staticmethod
    def forward(ctx, given, weight, back):
        ctx.save_for_backward(given, back)
        return given @ weight.t()

    @staticmethod
    def backward(ctx, error):
        given, back = ctx.saved_tensors
        return error @ back, error.t() @ given, None


class Aligned(nn.Module):
    """Layers of `Sent`; ``back(weights)`` gives the feedback arrays, kept by ``keep(self, arrays)``."""

    def __init__(self, make=None, keep=None):
        super().__init__()
        self.weights = nn.ParameterList([draw(b, a) for a, b in pairwise(SIZES)])
        backs = [(make or (lambda w: draw(*w.shape)))(w.detach()) for w in self.weights]
        (keep or self.keep)(self, backs)

    @staticmethod
    def keep(self, backs):
        for number, back in enumerate(backs):
            self.register_buffer(f"back{number}", back)

    def backs(self):
        return [self.back0, self.back1, self.back2]

    def forward(self, h):
        for number, (weight, back) in enumerate(zip(self.weights, self.backs(), strict=True)):
            h = Sent.apply(h, weight, back)
            h = torch.tanh(h) if number < 2 else h
        return h


class ByHand(nn.Module):
    """Two layers whose changes are computed by hand; ``down(self, error)`` delivers the error."""

    def __init__(self, down, state=None):
        super().__init__()
        self.one, self.two = nn.Parameter(draw(9, 6)), nn.Parameter(draw(5, 9))
        self.down = down
        self.target = draw(7, 5)
        if state:
            state(self)

    def forward(self, given):
        self.given, self.hidden = given, torch.tanh(given @ self.one.t())
        self.top = self.hidden @ self.two.t()
        return self.top

    def learn(self, top):
        with torch.no_grad():
            error = top - self.target
            delivered = self.down(self, error) * (1 - self.hidden**2)
            self.two.grad = error.t() @ self.hidden
            self.one.grad = delivered.t() @ self.given
            return (error**2).sum()


def by_hand(down, state=None):
    model = ByHand(down, state)
    return model, x(), model.learn


class Relaxing(nn.Module):
    """Predictive coding: hidden activity settles between what comes up and what comes down through ``down``."""

    def __init__(self, down=None):
        super().__init__()
        self.one, self.two = nn.Parameter(draw(9, 6)), nn.Parameter(draw(5, 9))
        self.down, self.target = down, draw(7, 5)

    def forward(self, given):
        with torch.no_grad():
            hidden = given @ self.one.t()
            for _ in range(5):
                low, high = hidden - given @ self.one.t(), self.target - hidden @ self.two.t()
                hidden = hidden + 0.1 * (high @ (self.two if self.down is None else self.down) - low)
            self.one.grad, self.two.grad = -low.t() @ given, -high.t() @ hidden
            return low.pow(2).sum() + high.pow(2).sum()
