"""Kernels of units, dense projections and views: what steps give them passes; other sizes, types and axes are refused."""

import numpy as np
import pytest

from neurosim.core.buffer import Buffer
from neurosim.errors import ShapeError, WiringError
from neurosim.kernels import dense, units, views
from neurosim.kernels.sources import PRELUDE

N, R, C, K, D = 3, 4, 6, 7, 5
AXES = ("sample", "row", "column", "channel")
PLAIN, HALF, POOLED = (N, R, C, D), (N, R // 2, C // 2, D), (N, 4, R // 2, C // 2, D)
PICTURE, PARAMETERS = (N, R, C, 3), {"theta": (N, 2, 3), "saturation": (N,), "hue": (N,), "flip": (N,)}
SIMCLR = {**PARAMETERS, "brightness": (N,), "contrast": (N,), "order": (N, 4), "grey": (N,)}
FLAT = {"presynaptic": (N, K), "weight": (K, D), "potential": (N, D)}

# Kernel -> one or more sets of sizes that steps give it.
GIVEN = {
    units.activate: [{"potential": shape, "activity": shape} for shape in (PLAIN, (N, D))],
    units.pool: [{"potential": POOLED, "activity": HALF, "winner": HALF}, {"potential": POOLED, "activity": HALF}],
    units.gate: [{"activity": shape, "error": shape, "post": shape} for shape in (PLAIN, (N, D))],
    units.gate_pooled: [{"activity": HALF, "winner": HALF, "error": HALF, "post": POOLED}],
    units.pool_mean: [{"potential": POOLED, "activity": HALF}],
    units.gate_mean: [{"potential": POOLED, "error": HALF, "post": POOLED}],
    units.average: [{"activity": PLAIN, "mean": HALF}],
    units.spread: [{"mean": HALF, "error": PLAIN}],
    units.add_noise: [{"activity": shape, "noise": shape, "noisy": shape} for shape in (PLAIN, (N, D))],
    units.set_target: [{"activity": shape, "error": shape, "target": shape} for shape in (PLAIN, (N, D))],
    units.local_loss: [
        {"activity": shape, "target": shape, "error": shape, "value": (1,)} for shape in (PLAIN, (N, D))
    ],
    units.propagate_target: [dict.fromkeys(("activity", "restored", "restored_target", "target"), PLAIN)],
    dense.dense: [FLAT],
    dense.deliver_dense: [{"post": (N, D), "weight": (K, D), "error": (N, K)}],
    dense.hebbian_dense: [{"pre": (N, K), "post": (N, D), "change": (K, D)}],
    dense.add_bias: [{"presynaptic": (1,), "weight": (1, D), "potential": shape} for shape in ((N, D), PLAIN, POOLED)],
    dense.hebbian_bias: [{"pre": (1,), "post": shape, "change": (1, D)} for shape in ((N, D), PLAIN, POOLED)],
    views.present: [{"image": PICTURE, "activity": PICTURE}],
    views.deform: [{"image": PICTURE, **PARAMETERS, "out": PICTURE}],
    views.deform_simclr: [{"image": PICTURE, **SIMCLR, "out": PICTURE}],
}
TYPES = {"winner": "uint8", "image": "uint8", "flip": "bool", "grey": "bool", "order": "int64"}
DOUBLES = ("value", "theta", "saturation", "hue", "brightness", "contrast")  # whatever the precision
ALONE = {"add_bias": "potential", "hebbian_bias": "post"}  # whose views and places nothing else has
CASES = [pytest.param(kernel, shapes, id=kernel.name) for kernel, sets in GIVEN.items() for shapes in sets]
every = pytest.mark.parametrize(("kernel", "shapes"), CASES)


def axes_of(name, shape):
    """Names as buffers have them: the first axis is of views, unless it is of weights or of one number."""
    if len(shape) == 4:
        return AXES
    rest = [{K: "presynaptic", D: "postsynaptic"}.get(size, f"axis {number}") for number, size in enumerate(shape)][1:]
    first = "one" if shape == (1,) else "presynaptic" if name in ("weight", "change") else "sample"
    return (first, *rest)


def buffer(name, shape, dtype=None, axes=None):
    usual = TYPES.get(name, "float64" if name in DOUBLES else "float32")
    return Buffer(name, axes or axes_of(name, shape), shape, "activity", "test", dtype or usual)


def fit(kernel, shapes, over=None, **instead):
    buffers = {name: buffer(name, shape) for name, shape in shapes.items()}
    return kernel.fit("a step", {**buffers, **instead}, dict.fromkeys(kernel.scalars, 1.0), over)


@every
def test_what_steps_give_passes(kernel, shapes):
    assert fit(kernel, shapes, over="presynaptic" if kernel.name == "hebbian_dense" else "sample")


@every
def test_one_size_more_of_one_array_is_refused(kernel, shapes):
    for name, shape in shapes.items():
        for axis in range(len(shape)):
            if ALONE.get(kernel.name) == name and axis < len(shape) - 1:
                continue
            longer = tuple(size + (place == axis) for place, size in enumerate(shape))
            with pytest.raises(ShapeError, match=f"kernel {kernel.name} is given"):
                fit(kernel, {**shapes, name: longer})


@every
def test_an_axis_too_many_is_refused(kernel, shapes):
    for name, shape in shapes.items():
        if ALONE.get(kernel.name) != name:
            with pytest.raises(ShapeError):
                fit(kernel, {**shapes, name: (*shape, 1)})


@every
def test_other_types_are_refused(kernel, shapes):
    real = [name for name in shapes if name not in TYPES and name not in DOUBLES]
    alone = real if len(real) == 1 else []  # either precision will do
    for name, shape in shapes.items():
        for dtype in {"int32", "uint8", "bool", "float32", "float64", "int64"} - {buffer(name, shape).dtype.name}:
            if name in ("image", *alone) and dtype in ("float32", "float64"):
                continue
            with pytest.raises(ShapeError):
                fit(kernel, shapes, **{name: buffer(name, shape, dtype)})


@every
def test_either_precision_passes_where_all_arrays_have_it(kernel, shapes):
    real = {name: buffer(name, shape, "float64") for name, shape in shapes.items() if name not in TYPES}
    assert fit(kernel, shapes, **real) == fit(kernel, shapes)


@pytest.mark.parametrize("kernel", [views.present, views.deform, views.deform_simclr], ids=str)
def test_images_are_bytes_or_real(kernel):
    for dtype in ("uint8", "float32", "float64"):
        assert fit(kernel, GIVEN[kernel][0], image=buffer("image", PICTURE, dtype))


@every
def test_work_is_cut_along_views_alone(kernel, shapes):
    maps = [name for name, shape in shapes.items() if len(shape) == 4]
    for over in AXES[1:] if maps else ():
        with pytest.raises(WiringError, match=f"cuts kernel {kernel.name} along {over}"):
            fit(kernel, shapes, over)
    if kernel.name in ALONE:
        return
    name = max(shapes, key=lambda each: len(shapes[each]) * (each not in ("weight", "change")))
    other = buffer(name, shapes[name], axes=("moment", *axes_of(name, shapes[name])[1:]))
    with pytest.raises(WiringError):  # it has these rows under another name, and would not be cut
        fit(kernel, shapes, "sample", **{name: other})


def test_what_a_dense_projection_may_be_cut_along():
    assert fit(dense.deliver_dense, GIVEN[dense.deliver_dense][0], "presynaptic")
    for kernel, over in ((dense.deliver_dense, "postsynaptic"), (dense.dense, "presynaptic")):
        with pytest.raises(WiringError):
            fit(kernel, GIVEN[kernel][0], over)
    with pytest.raises(WiringError):  # a sum over the views
        fit(dense.hebbian_dense, GIVEN[dense.hebbian_dense][0], "sample")


@every
def test_arguments_are_all_there_and_no_others(kernel, shapes):
    for name in shapes:
        left = {other: shape for other, shape in shapes.items() if other != name}
        if (name, kernel) in (("winner", units.pool), ("value", units.local_loss)):
            assert fit(kernel, left)
            continue
        with pytest.raises(WiringError, match=f"does not give {name} to kernel {kernel.name}"):
            fit(kernel, left)
    with pytest.raises(WiringError, match="gives surplus"):
        fit(kernel, {**shapes, "surplus": PLAIN})


def test_only_products_are_counted():
    counted = {kernel.name: kernel.flops(fit(kernel, sets[-1])) for kernel, sets in GIVEN.items()}
    products = {"dense": 2 * N * K * D, "deliver_dense": 2 * N * K * D, "hebbian_dense": 2 * N * K * D}
    assert {name: count for name, count in counted.items() if count} == {**products, "hebbian_bias": 2 * N * R * C * D}


def test_every_kernel_has_all_three_forms():
    for kernel in GIVEN:
        assert all(kernel.has(where) for where in ("reference", "cpu", "gpu")), kernel


def test_nonlinearities_are_numbered_as_in_cuda():
    first = {phi.number: name for name, phi in reversed(units.NONLINEARITIES.items())}  # inhibited is rectified there
    numbered = [first[number] for number in sorted(first)]
    assert f"enum {{ {', '.join(numbered).upper()} }};" in PRELUDE.read_text(encoding="utf-8")
    assert f"#define CLOSED {units.CLOSED}" in PRELUDE.read_text(encoding="utf-8")


@pytest.mark.parametrize("nonlinearity", units.NONLINEARITIES)
@pytest.mark.parametrize("where", ["reference", "cpu"])
def test_a_pool_that_nobody_asks_for_the_winner_responds_the_same(where, nonlinearity):
    potential = np.round(np.random.default_rng(4).normal(size=POOLED) * 3) / 2
    first, second, winner = np.empty(HALF), np.empty(HALF), np.empty(HALF, np.uint8)
    form = units.pool.form(where)
    form(potential, first, winner, nonlinearity=nonlinearity)
    form(potential, second, nonlinearity=nonlinearity)
    assert first.tobytes() == second.tobytes()
