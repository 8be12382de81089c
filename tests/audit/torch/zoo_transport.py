"""Modules that transport weights, each in a way of its own."""

import copy
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations
from zoo import SIZES, Aligned, Relaxing, by_hand, case, contrast, draw, x


def plain():
    return nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 8), nn.Tanh(), nn.Linear(8, 5))


@case(1)
def back_propagation():
    return plain(), x(), contrast


@case(1)
def one_module_of_functions():
    class Whole(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.ParameterDict({f"w{n}": draw(b, a) for n, (a, b) in enumerate(pairwise(SIZES))})

        def forward(self, h):
            return F.linear(torch.tanh(F.linear(torch.tanh(F.linear(h, self.w["w0"])), self.w["w1"])), self.w["w2"])

    return Whole(), x(), contrast


@case(1)
def weights_as_plain_attributes():
    class Plain(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = [draw(a, b).requires_grad_() for a, b in pairwise(SIZES)]

        def forward(self, h):
            for w in self.w:
                h = torch.tanh(h @ w)
            return h

    return Plain(), x(), contrast


@case(1)
def weights_in_a_closure():
    one, two = draw(6, 9).requires_grad_(), draw(9, 5).requires_grad_()

    class Empty(nn.Module):
        def forward(self, h):
            return torch.tanh(h @ one) @ two

    return Empty(), x(), contrast


@case(1)
def head_in_the_loss():
    head = nn.Linear(9, 5)
    return nn.Sequential(nn.Linear(6, 9), nn.Tanh()), x(), lambda h: contrast(head(h))


@case(1)
def custom_function_uses_the_weight():
    class Model(Aligned):
        def backs(self):
            return list(self.weights)

    return Model(), x(), contrast


@case(1)
def copied_at_every_pass():
    class Model(Aligned):
        def backs(self):
            return [w.detach().clone() for w in self.weights]

    return Model(), x(), contrast


@case(1)
def signs_at_every_pass():
    class Model(Aligned):
        def backs(self):
            return [w.detach().sign() * 0.3 for w in self.weights]

    return Model(), x(), contrast


@case(1)
def copied_into_a_buffer_for_the_next_pass():
    model = Aligned()

    def loss(z):
        contrast(z).backward()
        with torch.no_grad():
            for back, weight in zip(model.backs(), model.weights, strict=True):
                back.copy_(weight)
        return contrast(z).detach()

    return model, x(), loss


@case(1)
def moving_average_of_the_weight():
    model = Aligned()

    def loss(z):
        contrast(z).backward()
        with torch.no_grad():
            for back, weight in zip(model.backs(), model.weights, strict=True):
                back.mul_(0.9).add_(0.1 * weight)
        return contrast(z).detach()

    return model, x(), loss


@case(1)
def starts_as_a_copy():
    return Aligned(lambda w: w.clone()), x(), contrast


@case(1)
def starts_as_a_scaled_copy():
    return Aligned(lambda w: -2.5 * w), x(), contrast


@case(1)
def starts_as_a_blend():
    return Aligned(lambda w: w + 0.5 * draw(*w.shape)), x(), contrast


@case(1)
def starts_as_signs():
    return Aligned(lambda w: w.sign() * draw(*w.shape).abs()), x(), contrast


@case(1)
def a_copy_that_no_array_shows():
    """The copy lies in texts, and becomes numbers again at every pass."""

    class Model(Aligned):
        def backs(self):
            return [torch.tensor([[float(v) for v in row.split()] for row in text]) for text in self.lying]

    def keep(self, backs):
        self.lying = [tuple(" ".join(f"{v:.9g}" for v in row) for row in b.tolist()) for b in backs]

    return Model(lambda w: w.clone(), keep), x(), contrast


@case(1)
def a_copy_split_in_two():
    class Model(Aligned):
        def backs(self):
            return [a + b for a, b in self.lying]

    def keep(self, backs):
        halves = [draw(*b.shape) for b in backs]
        self.lying = [(h, b - h) for h, b in zip(halves, backs, strict=True)]

    return Model(lambda w: w.clone(), keep), x(), contrast


@case(1)
def hook_sends_through_the_weight():
    class Hooked(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(6, 9), nn.Linear(9, 5)

        def forward(self, given):
            hidden = torch.tanh(self.a(given))
            top = self.b(hidden.detach())
            if top.requires_grad:
                top.register_hook(lambda e: hidden.backward(e @ self.b.weight.detach()))
            return top

    return Hooked(), x(), contrast


@case(1)
def tied_autoencoder():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(draw(4, 6))

        def forward(self, given):
            return torch.tanh(given @ self.w.t()) @ self.w

    given = x()
    return Tied(), given, lambda z: (z - given).pow(2).sum()


@case(1)
def recurrent_through_time():
    class Through(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = nn.RNN(6, 8, batch_first=True)

        def forward(self, given):
            return self.cell(given)[0][:, -1]

    return Through(), x(4, 5, 6), contrast


@case(1)
def functional_call():
    model = plain()
    parameters = {name: p.detach().clone().requires_grad_() for name, p in model.named_parameters()}

    class Called(nn.Module):
        def forward(self, given):
            return torch.func.functional_call(model, parameters, (given,))

    return Called(), x(), contrast


@case(1)
def gradients_by_torch_func():
    model = plain()

    class Called(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = model

        def forward(self, given):
            self.given = given
            return self.inner(given)

    called = Called()

    def loss(z):
        parameters = {name: p.detach() for name, p in model.named_parameters()}
        found = torch.func.grad(lambda p: contrast(torch.func.functional_call(model, p, (called.given,))))(parameters)
        for name, p in model.named_parameters():
            p.grad = found[name]
        return contrast(z).detach()

    return called, x(), loss


@case(1)
def embedding_sparse():
    return nn.Sequential(nn.Embedding(11, 6, sparse=True), nn.Linear(6, 5)), torch.arange(7) % 11, contrast


@case(1)
def convolutions():
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Conv2d(3, 4, 3), nn.Flatten())
    return model, x(3, 2, 8, 8), contrast


@case(1)
def batch_norm_and_dropout():
    model = nn.Sequential(nn.Linear(6, 9), nn.BatchNorm1d(9), nn.ReLU(), nn.Dropout(0.2), nn.Linear(9, 5))
    return model, x(), contrast


@case(1)
def weight_norm():
    norm = parametrizations.weight_norm
    return nn.Sequential(norm(nn.Linear(6, 9)), nn.Tanh(), norm(nn.Linear(9, 5))), x(), contrast


@case(1)
def spectral_norm():
    norm = parametrizations.spectral_norm
    return nn.Sequential(norm(nn.Linear(6, 9)), nn.Tanh(), norm(nn.Linear(9, 5))), x(), contrast


@case(1)
def attention():
    class Attends(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.MultiheadAttention(6, 2, batch_first=True)

        def forward(self, given):
            return self.inner(given, given, given)[0]

    return Attends(), x(3, 5, 6), contrast


@case(1)
def parallel_wrapper():
    return nn.DataParallel(plain()), x(), contrast


@case(1)
def its_own_optimiser_of_back_propagation():
    model = plain()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)

    def loss(z):
        optimiser.zero_grad()
        value = contrast(z)
        value.backward()
        optimiser.step()
        return value.detach()

    return model, x(), loss


@case(1)
def heads_by_back_propagation():
    """Every layer has a loss of its own, and a head through whose weights its error comes."""

    class Heads(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(6, 9), nn.Linear(9, 8)
            self.heads = nn.ModuleList([nn.Linear(9, 5), nn.Linear(8, 5)])

        def forward(self, given):
            a = torch.tanh(self.a(given))
            b = torch.tanh(self.b(a.detach()))
            return self.heads[0](a), self.heads[1](b)

    return Heads(), x(), lambda all_: sum(contrast(z) for z in all_)


@case(1)
def by_hand_transposed():
    return by_hand(lambda self, e: e @ self.two)


@case(1)
def by_hand_copied_before():
    return by_hand(lambda self, e: e @ self.back, lambda self: setattr(self, "back", self.two.detach().clone()))


@case(1)
def by_hand_copied_now():
    def down(self, error):
        self.back = copy.deepcopy(self.two.detach())
        return error @ self.back

    return by_hand(down)


@case(1)
def by_hand_pseudoinverse():
    return by_hand(lambda self, e: e @ torch.linalg.pinv(self.two.detach()).t())


@case(1)
def one_layer_of_three_transported():
    class Model(Aligned):
        def backs(self):
            return [self.back0, self.weights[1], self.back2]

    return Model(), x(), contrast


@case(1)
def a_copy_in_numpy():
    class Model(Aligned):
        def backs(self):
            return [torch.from_numpy(each) for each in self.lying]

    keep = lambda self, backs: setattr(self, "lying", [b.numpy().copy() for b in backs])  # noqa: E731
    return Model(lambda w: 0.5 * w, keep), x(), contrast


@case(1)
def predictive_coding_through_one_array():
    return Relaxing(), x(), lambda value: value
