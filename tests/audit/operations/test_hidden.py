"""Nothing hidden in a kernel gets past the ledger: operations in disguise, each named with its line."""

import functools
import math
import operator
from math import sqrt

import numpy as np
import pytest
from ledgers import compare, kinds
from own_kernels import altered_step

from neurosim.audit.operations import categories as C
from neurosim.audit.operations.ledger import ledger
from neurosim.core.workspace import thread_local

# Operations hidden in the kernel of error units: (view1, view2, error2, value, error1) each ----------------------------


def normalised(view1, view2, error2, value, error1=None):
    apart = view2 - view1
    np.divide(apart, np.abs(apart).max(), out=error2)


def divided_in_place(view1, view2, error2, value, error1=None):
    np.subtract(view2, view1, out=error2)
    error2 /= view1


def divided_in_scratch(view1, view2, error2, value, error1=None):
    inside = thread_local("inside", view1.shape, view1.dtype)
    np.true_divide(view1, view2, out=inside)
    np.sign(inside, out=error2)


def product(view1, view2, error2, value, error1=None):
    error2[...] = np.sign(view2 - view1) * view2


def product_by_operator(view1, view2, error2, value, error1=None):
    np.copyto(error2, operator.mul(view1, view2))


def product_by_reduction(view1, view2, error2, value, error1=None):
    error2[...] = np.multiply.reduce(np.stack([view1, view2]))


def product_by_fold(view1, view2, error2, value, error1=None):
    error2[:] = functools.reduce(operator.mul, [view1, view2])


def product_by_power(view1, view2, error2, value, error1=None):
    error2[...] = view2**2 - view1


def product_by_logarithm(view1, view2, error2, value, error1=None):
    error2[...] = np.exp(np.log(np.abs(view1)) + np.log(np.abs(view2)))


def product_at(view1, view2, error2, value, error1=None):
    error2[...] = view1
    np.multiply.at(error2, (slice(None), 0), view2[:, 0])


def product_by_copysign(view1, view2, error2, value, error1=None):
    np.copysign(view1, view2, out=error2)


def product_by_floats(view1, view2, error2, value, error1=None):
    for i, u in np.ndindex(view1.shape):
        error2[i, u] = float(view1[i, u]) * float(view2[i, u])


def product_by_items(view1, view2, error2, value, error1=None):
    for i, u in np.ndindex(view1.shape):
        error2[i, u] = view1[i, u].item() * view2.item(i, u)


def product_by_lists(view1, view2, error2, value, error1=None):
    error2[...] = [
        [a * b for a, b in zip(*rows, strict=True)] for rows in zip(view1.tolist(), view2.tolist(), strict=True)
    ]


def product_by_plain_arrays(view1, view2, error2, value, error1=None):
    a, b = np.asarray(view1), np.array(view2, dtype=float)
    error2[...] = a * b


def product_in_new_array(view1, view2, error2, value, error1=None):
    room = np.zeros(view1.shape)
    room += view1
    room *= view2
    np.copyto(error2, room)


def _help(a, b):
    return (lambda x: x * b)(a)


def product_in_a_helper(view1, view2, error2, value, error1=None):
    error2[...] = _help(view1, view2)


def product_in_a_default(view1, view2, error2, value, error1=None, times=np.multiply):
    times(view1, view2, out=error2)


def product_that_branches(view1, view2, error2, value, error1=None):
    error2[...] = 1 if (view1 * view2).sum() > 0 else -1


def product_that_chooses(view1, view2, error2, value, error1=None):
    error2[...] = np.where(view1 * view2 > 0, 1, -1)


def inner(view1, view2, error2, value, error1=None):
    error2[...] = (view1 @ view2.T)[:, :1]


def inner_by_einsum(view1, view2, error2, value, error1=None):
    error2[...] = np.einsum("nd,nd->n", view1, view2)[:, None]


def inner_by_method(view1, view2, error2, value, error1=None):
    error2[...] = view1.dot(view2.T).sum()


def inner_by_outer(view1, view2, error2, value, error1=None):
    error2[...] = np.multiply.outer(view1[0], view2[0])[0]


def norm(view1, view2, error2, value, error1=None):
    error2[...] = view2 - np.linalg.norm(view1, axis=1, keepdims=True)


def root_by_math(view1, view2, error2, value, error1=None):
    error2[...] = view2 - sqrt(abs(view1[0, 0]))


def root_by_import(view1, view2, error2, value, error1=None):
    from math import hypot

    error2[...] = view2 - hypot(view1[0, 0], view1[0, 1])


def root_by_module(view1, view2, error2, value, error1=None):
    error2[...] = view2 - math.sqrt(float(np.abs(view1[0, 0])))


def spread(view1, view2, error2, value, error1=None):
    error2[...] = view2 - view1.std(axis=0)


def curved(view1, view2, error2, value, error1=None):
    np.tanh(view2 - view1, out=error2)


def look_up(view1, view2, error2, value, error1=None):
    table = np.arange(100.0) ** 2
    error2[...] = table[np.abs(view2 - view1).astype(int) % 100]


class Lab:
    """A kernel that is a method."""

    def multiply(self, view1, view2, error2, value, error1=None):
        error2[...] = view1 * view2


def _scaled(times, view1, view2, error2, value, error1=None):
    error2[...] = times(view1, view2)


def by_another_kernel(view1, view2, error2, value, error1=None):
    from neurosim.kernels.dense import cpu

    room = np.zeros((view1.shape[1], view2.shape[1]))
    cpu.hebbian_dense(view1, view2, room)
    error2[...] = room[0]


def _twice(kernel):
    @functools.wraps(kernel)
    def wrapped(*arguments, **named):
        kernel(*arguments, **named)
        kernel(*arguments, **named)

    return wrapped


@_twice
def decorated(view1, view2, error2, value, error1=None):
    error2[...] = np.einsum("nd,nd->nd", view1, view2)


EDGES = np.linspace(-4, 4, 100)


def product_in_steps(view1, view2, error2, value, error1=None):
    error2[...] = EDGES[np.searchsorted(EDGES, view1) % 100] * view2


def product_in_steps_by_take(view1, view2, error2, value, error1=None):
    error2[...] = np.take(np.linspace(-4, 4, 100), np.digitize(view1, EDGES) % 100) * view2


def product_of_numbers_of_steps(view1, view2, error2, value, error1=None):
    error2[...] = np.searchsorted(EDGES, view1) * view2


def product_of_choices(view1, view2, error2, value, error1=None):
    error2[...] = np.where(view1 > 1, 1.0, np.where(view1 > 0.5, 0.6, 0.3)) * view2


HIDDEN = [
    (product_in_steps, C.OTHER_PRODUCT),
    (product_in_steps_by_take, C.OTHER_PRODUCT),
    (product_of_numbers_of_steps, C.LOOK_UP),
    (product_of_choices, C.LOOK_UP),
    (Lab().multiply, C.PRODUCT),
    (by_another_kernel, C.INNER),
    (decorated, C.INNER),
    (normalised, C.DIVIDE),
    (divided_in_place, C.DIVIDE),
    (divided_in_scratch, C.DIVIDE),
    (product, C.PRODUCT),
    (product_by_operator, C.PRODUCT),
    (product_by_reduction, C.PRODUCT),
    (product_by_fold, C.PRODUCT),
    (product_by_power, C.PRODUCT),
    (product_by_logarithm, C.EXP),
    (product_at, C.PRODUCT),
    (product_by_copysign, C.PRODUCT),
    (product_by_floats, C.PRODUCT),
    (product_by_items, C.PRODUCT),
    (product_by_lists, C.PRODUCT),
    (product_by_plain_arrays, C.PRODUCT),
    (product_in_new_array, C.PRODUCT),
    (product_in_a_helper, C.PRODUCT),
    (product_in_a_default, C.PRODUCT),
    (product_that_branches, C.PRODUCT),
    (product_that_chooses, C.PRODUCT),
    (inner, C.INNER),
    (inner_by_einsum, C.INNER),
    (inner_by_method, C.INNER),
    (inner_by_outer, C.PRODUCT),
    (norm, C.NORM),
    (root_by_math, C.ROOT),
    (root_by_import, C.ROOT),
    (root_by_module, C.ROOT),
    (spread, C.VARIANCE),
    (curved, C.CURVED),
    (look_up, C.LOOK_UP),
]


@pytest.mark.parametrize(("mutant", "kind"), HIDDEN, ids=[mutant.__name__ for mutant, _ in HIDDEN])
def test_a_hidden_operation_is_named_with_its_line(mutant, kind):
    found = ledger(compare(), mutant)
    assert found.verdict == "violated", found
    named = [operation for operation in found.forbidden if operation.kind == kind]
    assert named, found
    first = mutant.__code__.co_firstlineno if hasattr(mutant, "__code__") else 0
    if first and mutant not in (product_in_a_helper, decorated, by_another_kernel):
        assert all(first < o.line < first + 8 and o.file == __file__ for o in named)
    assert not [o for o in found.undecided if o.kind != C.ESCAPE]


def test_a_partial_kernel_is_followed():
    found = ledger(compare(), functools.partial(_scaled, np.multiply))
    assert kinds(found.forbidden) == {C.PRODUCT}


def test_a_step_may_bring_its_own_kernel():
    step = altered_step(compare(), product)
    assert kinds(ledger(step).forbidden) == {C.PRODUCT}
