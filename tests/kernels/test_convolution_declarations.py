"""Declarations of the convolutions' kernels: steps of the right sizes, types and axes pass, others are refused."""

import numpy as np
import pytest

from neurosim.core.buffer import Buffer
from neurosim.errors import ShapeError, WiringError
from neurosim.kernels.convolution import convolve, deliver_convolution, hebbian_convolution
from neurosim.kernels.inverse import hebbian_upconvolution, upconvolve
from neurosim.kernels.local import convolve_local, deliver_local, hebbian_local

N, R, C, IN, OUT = 5, 4, 6, 2, 3
MAP, WINDOWS = ("sample", "row", "column", "channel"), ("sample", "window", "row", "column", "channel")
TIED, UNTIED = ("tap_row", "tap_column", "in", "out"), ("row", "column", "tap_row", "tap_column", "in", "out")
X, PLAIN, POOLED = (MAP, (N, R, C, IN)), (MAP, (N, R, C, OUT)), (WINDOWS, (N, 4, R // 2, C // 2, OUT))
W, LOCAL, LARGE = (TIED, (3, 3, IN, OUT)), (UNTIED, (R, C, 3, 3, IN, OUT)), (MAP, (N, 2 * R, 2 * C, OUT))
PICTURE, ROWS = (("sample", "picture_row", "column", "channel"), X[1]), ("row", "row_of_window", *UNTIED[1:])
WHOLE, HALF = (("row",), (R,)), (("row",), (R // 2,))

# kernel, argument -> (axes, shape), places that it is computed for
STEPS = [
    *((convolve, {"presynaptic": X, "weight": W, "potential": above}, R * C) for above in (PLAIN, POOLED)),
    *((deliver_convolution, {"post": above, "weight": W, "error": X}, R * C) for above in (PLAIN, POOLED)),
    *((hebbian_convolution, {"pre": X, "post": above, "change": W}, R * C) for above in (PLAIN, POOLED)),
    *((convolve_local, {"presynaptic": X, "weight": LOCAL, "potential": above}, R * C) for above in (PLAIN, POOLED)),
    *((deliver_local, {"post": above, "weight": LOCAL, "error": X}, R * C) for above in (PLAIN, POOLED)),
    (hebbian_local, {"pre": PICTURE, "post": PLAIN, "index": WHOLE, "change": (ROWS, (R, 1, *LOCAL[1][1:]))}, R * C),
    (
        hebbian_local,
        {"pre": PICTURE, "post": POOLED, "index": HALF, "change": (ROWS, (R // 2, 2, *LOCAL[1][1:]))},
        R * C,
    ),
    (upconvolve, {"presynaptic": X, "weight": W, "potential": LARGE}, R * C),
    (hebbian_upconvolution, {"pre": X, "post": LARGE, "change": W}, R * C),
]
IDS = [f"{kernel.name}-{number}" for number, (kernel, _, _) in enumerate(STEPS)]
each = pytest.mark.parametrize(("kernel", "given", "places"), STEPS, ids=IDS)


def buffers(given, real=np.float32):
    """The buffers that a step would give."""
    return {
        name: Buffer(name, axes, shape, "value", "test", np.int64 if name == "index" else real)
        for name, (axes, shape) in given.items()
    }


def over(kernel):
    return "row" if kernel is hebbian_local else "sample"


@each
@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_what_steps_give_fits_and_its_arithmetic_is_counted(kernel, given, places, real):
    sizes = kernel.fit("a step", buffers(given, real), {}, over(kernel))
    assert kernel.flops(sizes) == 2 * N * places * 9 * IN * OUT
    kernel.fit("a step", buffers(given, real), {}, None)


@each
def test_any_size_that_differs_is_refused(kernel, given, places):
    free = {("pre", 1)} if kernel is hebbian_local else set()  # rows of the picture: the index names some of them
    for name, (axes, shape) in given.items():
        for axis, size in enumerate(shape):
            if (name, axis) not in free:
                wrong = {**given, name: (axes, (*shape[:axis], 3 * size + 1, *shape[axis + 1 :]))}
                with pytest.raises(ShapeError):
                    kernel.fit("a step", buffers(wrong), {}, None)


@each
def test_another_number_of_axes_is_refused(kernel, given, places):
    for name, (axes, shape) in given.items():
        with pytest.raises(ShapeError):
            kernel.fit(
                "a step",
                buffers({**given, name: (axes[1:], shape[1:])} if len(axes) > 1 else {**given, name: X}),
                {},
                None,
            )


@each
def test_another_type_is_refused(kernel, given, places):
    for name, (axes, shape) in given.items():
        for wrong in (np.uint8, np.int32, np.float64):
            there = {**buffers(given), name: Buffer(name, axes, shape, "value", "test", wrong)}
            with pytest.raises(ShapeError):
                kernel.fit("a step", there, {}, None)


@each
def test_it_may_be_cut_along_one_axis_only(kernel, given, places):
    wrong = {axis for axes, _ in given.values() for axis in axes} - {over(kernel)}
    for axis in wrong:
        with pytest.raises(WiringError):
            kernel.fit("a step", buffers(given), {}, axis)


@each
def test_arguments_too_few_or_too_many_are_refused(kernel, given, places):
    there = buffers(given)
    for name in given:
        with pytest.raises(WiringError):
            kernel.fit("a step", {k: v for k, v in there.items() if k != name}, {}, None)
    with pytest.raises(WiringError):
        kernel.fit("a step", there, {"scale": 1.0}, None)


def test_rows_of_a_window_belong_to_a_pooled_factor():
    """Two rows of the picture a row of the factor where it is pooled, else one; no other pair fits."""
    change, wide = (ROWS, (R // 2, 2, C, 3, 3, IN, OUT)), (ROWS, (R // 2, 1, C // 2, 3, 3, IN, OUT))
    small = (MAP, (N, R // 2, C, OUT))
    with pytest.raises(ShapeError):
        hebbian_local.fit("a step", buffers({"pre": PICTURE, "post": small, "index": HALF, "change": change}), {}, None)
    narrow = (PICTURE[0], (N, R, C // 2, IN))
    with pytest.raises(ShapeError):
        hebbian_local.fit("a step", buffers({"pre": narrow, "post": POOLED, "index": HALF, "change": wide}), {}, None)


@pytest.mark.parametrize("kernel", {kernel.name: kernel for kernel, _, _ in STEPS}.values(), ids=str)
def test_every_kernel_has_all_forms(kernel):
    assert all(kernel.has(form) for form in ("reference", "cpu", "gpu"))
    assert kernel.builtin and kernel.equation and kernel.kind
