"""Modules that transport no weights."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F
from zoo import SIZES, Aligned, Relaxing, Sent, by_hand, case, contrast, draw, x


@case(0)
def feedback_alignment():
    return Aligned(), x(), contrast


@case(0)
def feedback_in_a_list():
    class Model(Aligned):
        def backs(self):
            return self.lying

    return Model(keep=lambda self, backs: setattr(self, "lying", backs)), x(), contrast


@case(0)
def feedback_positive_by_dale():
    """Forward and feedback weights are all positive: alike in signs, drawn apart."""
    model = Aligned(lambda w: draw(*w.shape).abs())
    for weight in model.weights:
        weight.data.abs_()
    return model, x(), contrast


@case(0)
def direct_feedback():
    class Direct(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = nn.Linear(6, 9), nn.Linear(9, 8), nn.Linear(8, 5)
            self.register_buffer("to_a", draw(5, 9))
            self.register_buffer("to_b", draw(5, 8))

        def forward(self, given):
            a = torch.tanh(self.a(given))
            b = torch.tanh(self.b(a.detach()))
            top = self.c(b.detach())
            top.register_hook(lambda e: (a.backward(e @ self.to_a), b.backward(e @ self.to_b), e)[2])
            return top

    return Direct(), x(), contrast


@case(0)
def forward_by_detach():
    """The value of W x with the slope of B x: y - y is nothing but its derivative."""

    class Trick(nn.Module):
        def __init__(self, a, b):
            super().__init__()
            self.weight, self.back = nn.Parameter(draw(b, a)), nn.Parameter(draw(b, a), requires_grad=False)

        def forward(self, given):
            sent = given @ self.back.t()
            return given.detach() @ self.weight.t() + (sent - sent.detach())

    return nn.Sequential(Trick(6, 9), nn.Tanh(), Trick(9, 8), nn.Tanh(), Trick(8, 5)), x(), contrast


@case(0)
def layer_by_layer():
    class Local(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = (nn.Linear(p, q) for p, q in pairwise(SIZES))

        def forward(self, given):
            a = torch.tanh(self.a(given))
            b = torch.tanh(self.b(a.detach()))
            return a, b, self.c(b.detach())

    return Local(), x(), lambda all_: sum(contrast(z) for z in all_)


@case(0)
def forward_forward():
    class Goodness(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(6, 9), nn.Linear(9, 8)

        def forward(self, given):
            a = torch.relu(self.a(given))
            b = torch.relu(self.b(F.normalize(a.detach())))
            return [F.softplus(h.pow(2).mean(1) - 1).sum() for h in (a, b)]

    return Goodness(), x(), sum


@case(0)
def by_hand_random():
    return by_hand(lambda self, e: e @ self.back, lambda self: setattr(self, "back", draw(5, 9)))


@case(0)
def by_hand_kolen_pollack():
    """B changes by the same outer product as W, and grows like it: legal, since nothing is sent."""

    def down(self, error):
        sent = error @ self.back
        self.back += 0.01 * error.t() @ self.hidden
        return sent

    return by_hand(down, lambda self: setattr(self, "back", draw(5, 9)))


@case(0)
def by_hand_weight_mirror():
    """Noise goes up through W; what comes out, times what went in, makes B."""

    def down(self, error):
        noise = torch.randn(20, 9)
        self.back += 0.01 * (noise @ self.two.t()).t() @ noise
        return error @ self.back

    return by_hand(down, lambda self: setattr(self, "back", draw(5, 9)))


@case(0)
def target_propagation():
    """An inverse with weights of its own carries the target down."""

    def down(self, error):
        target = self.top - 0.1 * error
        return torch.tanh(self.top @ self.inverse) - torch.tanh(target @ self.inverse)

    return by_hand(down, lambda self: setattr(self, "inverse", draw(5, 9)))


@case(0)
def its_own_optimiser():
    model = Aligned()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

    def loss(z):
        optimiser.zero_grad()
        value = contrast(z)
        value.backward()
        optimiser.step()
        return value.detach()

    return model, x(), loss


@case(0)
def hook_replaces_the_error():
    class Hooked(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(6, 9), nn.Linear(9, 5)
            self.back = draw(5, 9)

        def forward(self, given):
            hidden = torch.tanh(self.a(given))
            top = self.b(hidden.detach())
            if top.requires_grad:
                top.register_hook(lambda e: hidden.backward(e @ self.back))
            return top

    return Hooked(), x(), contrast


@case(0)
def embedding_sparse_aligned():
    class Words(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(11, 6, sparse=True)
            self.weight, self.back = nn.Parameter(draw(5, 6)), draw(5, 6)

        def forward(self, words):
            return Sent.apply(self.table(words), self.weight, self.back)

    return Words(), torch.arange(7) % 11, contrast


@case(0)
def batch_norm_between():
    class Model(Aligned):
        def __init__(self):
            super().__init__()
            self.norm = nn.BatchNorm1d(9)

        def forward(self, given):
            h = torch.tanh(self.norm(Sent.apply(given, self.weights[0], self.back0)))
            return Sent.apply(h, self.weights[1], self.back1)

    return Model(), x(), contrast


@case(0)
def dropout_aligned():
    class Model(Aligned):
        def forward(self, given):
            h = F.dropout(torch.tanh(Sent.apply(given, self.weights[0], self.back0)), 0.3)
            return Sent.apply(h, self.weights[1], self.back1)

    return Model(), x(), contrast


@case(0)
def parallel_wrapper_aligned():
    return nn.DataParallel(Aligned()), x(), contrast


@case(0)
def feedback_as_numpy():
    class Model(Aligned):
        def backs(self):
            return [torch.from_numpy(each) for each in self.lying]

    return Model(keep=lambda self, backs: setattr(self, "lying", [b.numpy().copy() for b in backs])), x(), contrast


@case(0)
def weight_decay_in_the_loss():
    model = Aligned()
    return model, x(), lambda z: contrast(z) + 0.1 * sum(w.pow(2).sum() for w in model.weights)


@case(0)
def two_eyes_one_layer():
    """One weight, used for two views, and a fixed random read-out that nothing comes down through."""

    class Views(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(6, 9, bias=False), nn.Linear(9, 5, bias=False)

        def forward(self, given):
            one, two = torch.tanh(self.a(given)), torch.tanh(self.a(given.flip(1)))
            return one - two, self.b(one.detach())

    return Views(), x(), lambda all_: sum(contrast(z) for z in all_)


@case(0)
def predictive_coding_through_arrays_of_its_own():
    return Relaxing(draw(5, 9)), x(), lambda value: value
