"""Comparisons, patches, memory: what steps give them passes; other sizes, types and axes are refused."""

import numpy as np
import pytest

from neurosim.core.buffer import Buffer
from neurosim.errors import ShapeError, WiringError
from neurosim.kernels.comparison import hinge_all, hinge_lags
from neurosim.kernels.patches import clapp, deliver_prediction, gaze, hebbian_prediction, predict
from neurosim.losses.barlow import barlow
from neurosim.losses.hinge_mean import hinge_mean
from neurosim.losses.nt_xent import nt_xent
from neurosim.losses.positive import positive
from neurosim.parts.feedback import send_sign
from neurosim.parts.memory import push

N, D, STORED, GRID, PICTURES, P = 6, 4, 9, 4, 2, 3
VIEW1, VIEW2 = ("moment_stored unit", (N, D)), ("moment unit", (N, D))
VALUE, CURSOR, INDEX = ("figure", (3,)), ("one", (1,)), ("moment", (N,))
TRACE = ("moment_stored unit", (STORED, D))
TOGETHER = {"view1": VIEW1, "view2": VIEW2, "error1": VIEW1, "error2": VIEW2, "value": VALUE}
PATCH = ("sample place unit", (PICTURES * GRID**2, P, D))
FLAT = ("sample unit", (PICTURES * GRID**2, D))
AHEAD = ("row picture column place unit", (GRID - 2, PICTURES, GRID, P, D))
MATRICES, RANDOM = ("row in out", (GRID - 2, D, D)), ("comparison", (24,))

# Kernel -> argument -> axes and sizes, as steps give them.
GIVEN = {
    hinge_all: {**TOGETHER, "index": INDEX},
    hinge_lags: {
        "trace": TRACE,
        "cursor": CURSOR,
        "view2": VIEW2,
        "index": INDEX,
        "error2": VIEW2,
        "value": VALUE,
        "error1": VIEW1,
    },
    **dict.fromkeys((hinge_mean, positive, nt_xent, barlow), TOGETHER),
    gaze: {"view": FLAT, "negative": RANDOM, "error": FLAT, "value": VALUE},
    predict: {"view": PATCH, "weight": MATRICES, "prediction": AHEAD},
    clapp: {
        "view": PATCH,
        "prediction": AHEAD,
        "negative": RANDOM,
        "error": PATCH,
        "factor": AHEAD,
        "value": VALUE,
    },
    deliver_prediction: {"factor": AHEAD, "weight": MATRICES, "error": PATCH},
    hebbian_prediction: {"view": PATCH, "factor": AHEAD, "change": MATRICES},
    push: {"activity": VIEW1, "trace": TRACE, "cursor": CURSOR},
    send_sign: {"weight": ("synapse", (7,)), "sent": ("synapse", (7,))},
}
TYPES = {"value": "float64", "cursor": "int64", "index": "int64", "negative": "int64"}
FREE = {  # kernel -> (argument, axis) that nothing else of it has
    hinge_lags: {("trace", 0), ("error1", 0)},
    push: {("activity", 0), ("trace", 0)},
    gaze: {("negative", 0)},
    clapp: {("negative", 0)},
    predict: {("view", 0), ("prediction", 1), ("prediction", 2)},
    deliver_prediction: {("error", 0), ("factor", 1), ("factor", 2)},
    hebbian_prediction: {("view", 0), ("factor", 1), ("factor", 2)},
}
CUT = {hinge_all: "moment", hinge_lags: "moment", send_sign: "synapse"}
every = pytest.mark.parametrize("kernel", GIVEN, ids=str)


def buffer(name, axes, shape, dtype=None):
    return Buffer(name, tuple(axes.split()), shape, "activity", "test", dtype or TYPES.get(name, "float32"))


def fit(kernel, over=None, without=(), **instead):
    buffers = {name: buffer(name, *of) for name, of in GIVEN[kernel].items() if name not in without}
    return kernel.fit("a step", {**buffers, **instead}, dict.fromkeys(kernel.scalars, 1.0), over)


@every
def test_what_steps_give_passes(kernel):
    assert fit(kernel, CUT.get(kernel))
    if "error1" in kernel.arguments:  # under the gradient block
        assert fit(kernel, CUT.get(kernel), without=("error1",))


@every
def test_one_size_more_of_one_array_is_refused(kernel):
    for name, (axes, shape) in GIVEN[kernel].items():
        for axis in range(len(shape)):
            longer = tuple(size + (place == axis) for place, size in enumerate(shape))
            if (name, axis) in FREE.get(kernel, ()):
                assert fit(kernel, **{name: buffer(name, axes, longer)})
            else:
                with pytest.raises(ShapeError, match=f"kernel {kernel.name} is given"):
                    fit(kernel, **{name: buffer(name, axes, longer)})


@every
def test_other_types_are_refused(kernel):
    for name, (axes, shape) in GIVEN[kernel].items():
        for dtype in {"int32", "uint8", "float32", "float64", "int64"} - {TYPES.get(name, "float32")}:
            with pytest.raises(ShapeError):
                fit(kernel, **{name: buffer(name, axes, shape, dtype)})


@every
def test_either_precision_passes_where_all_arrays_have_it(kernel):
    real = {name: buffer(name, *of, "float64") for name, of in GIVEN[kernel].items() if name not in TYPES}
    assert fit(kernel, **real) == fit(kernel)


@every
def test_work_is_cut_along_moments_or_synapses_alone(kernel):
    axes = {axis for of, _ in GIVEN[kernel].values() for axis in of.split()}
    for over in axes - {CUT.get(kernel), "figure", "one"}:
        with pytest.raises(WiringError, match=f"cuts kernel {kernel.name} along {over}"):
            fit(kernel, over)


@every
def test_arguments_are_all_there_and_no_others(kernel):
    for name in GIVEN[kernel].keys() - {"error1"}:
        with pytest.raises(WiringError, match=f"does not give {name} to kernel {kernel.name}"):
            fit(kernel, without=(name,))
    with pytest.raises(WiringError, match="gives surplus"):
        fit(kernel, surplus=buffer("surplus", *VIEW1))


@every
def test_every_kernel_has_all_three_forms(kernel):
    assert all(kernel.has(where) for where in ("reference", "cpu", "gpu"))


def test_only_predictions_count_their_products():
    counted = {kernel: kernel.flops(fit(kernel)) for kernel in GIVEN}
    products = 2 * (GRID - 2) * PICTURES * GRID * P * D * D
    assert {k: n for k, n in counted.items() if n} == dict.fromkeys(
        (predict, deliver_prediction, hebbian_prediction), products
    )


@pytest.mark.parametrize("where", ["reference", "cpu"])
@pytest.mark.parametrize("kernel", [k for k in GIVEN if "error1" in k.arguments], ids=str)
def test_view_1_s_error_may_be_left_out(kernel, where):
    """The other error and the value have the same bits."""
    rng = np.random.default_rng(3)
    given = {name: rng.normal(size=shape) for name, (_, shape) in GIVEN[kernel].items()}
    if kernel in CUT:
        given["index"] = np.arange(N)
    if kernel is hinge_lags:
        given["cursor"] = np.array([8])
    scalars = {**dict.fromkeys(kernel.scalars, 0.5), "margin_negative": 3.0, "pairs": N, "lags": 4}
    scalars = {name: scalars[name] for name in kernel.scalars}
    found = []
    for left_out in (set(), {"error1"}):
        arrays = {name: array.copy() for name, array in given.items() if name not in left_out}
        kernel.form(where)(**arrays, **scalars)
        found.append((arrays["error2"].tobytes(), arrays["value"].tobytes()))
        assert left_out or arrays["error1"].any()
    assert found[0] == found[1]
