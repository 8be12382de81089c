"""A kernel's declaration is what steps, forms and cuts are checked against."""

import pickle

import numpy as np
import pytest

from neurosim.core.arguments import Argument
from neurosim.core.buffer import Buffer
from neurosim.core.kernel import Kernel, Kind
from neurosim.core.step import Step
from neurosim.errors import ShapeError, WiringError
from neurosim.kernels.convolution import convolve

AXES = ("sample", "row", "column", "channel")


def array(name, axes, shape, dtype=np.float32, role="activity"):
    return Buffer(name, axes, shape, role, name, dtype)


def maps(name, *shape, axes=AXES, **more):
    return array(name, axes, shape, **more)


def outer(**more):
    return Kernel(
        "outer",
        kind=Kind.HEBBIAN,
        reads={"pre": "sample presynaptic", "post": "sample postsynaptic"},
        writes={"change": "presynaptic postsynaptic"},
        sums={"total": "?postsynaptic"},
        scalars=("scale",),
        over="presynaptic",
        flops=lambda n: 2 * n["sample"] * n["presynaptic"] * n["postsynaptic"],
        **more,
    )


def given(pre=(3, 4), post=(3, 5), change=(4, 5)):
    return {
        "pre": array("x", ("sample", "presynaptic"), pre),
        "post": array("d", ("sample", "postsynaptic"), post),
        "change": array("dW", ("presynaptic", "postsynaptic"), change),
    }


def test_a_step_knows_its_sizes_uses_and_flops():
    buffers = given()
    step = Step(outer(), "a step", "", {**buffers, "total": None}, scalars={"scale": 2}, over="presynaptic")
    assert step.sizes == {"sample": 3, "presynaptic": 4, "postsynaptic": 5}
    assert step.flops == 2 * 3 * 4 * 5
    assert step.reads == {"pre": buffers["pre"], "post": buffers["post"]}
    assert step.writes == step.changed == {"change": buffers["change"]}
    assert step.updates == step.sums == {}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"pre": (4, 4)}, "is given pre 4x4, post 3x5, change 4x5"),
        ({"change": (5, 4)}, r"expected sizes that fit pre \(sample presynaptic\)"),
        ({"post": (3, 6)}, "post 3x6"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(change, says):
    with pytest.raises(ShapeError, match=says):
        Step(outer(), "a step", "", given(**change), scalars={"scale": 1})


def test_one_type_of_real_numbers():
    buffers = given() | {"post": array("d", ("sample", "postsynaptic"), (3, 5), np.float64)}
    with pytest.raises(ShapeError, match="d of float64"):
        Step(outer(), "a step", "", buffers, scalars={"scale": 1})
    buffers = given() | {"pre": array("x", ("sample", "presynaptic"), (3, 4), np.int64)}
    with pytest.raises(ShapeError, match="x of int64; expected float32 or float64"):
        Step(outer(), "a step", "", buffers, scalars={"scale": 1})


def test_arguments_too_many_or_too_few_are_refused():
    with pytest.raises(WiringError, match="does not give scale to kernel outer"):
        Step(outer(), "a step", "", given())
    with pytest.raises(WiringError, match="gives other to kernel outer"):
        Step(outer(), "a step", "", {**given(), "other": array("o", ("unit",), (1,))}, scalars={"scale": 1})
    with pytest.raises(WiringError, match="does not give post"):
        Step(outer(), "a step", "", {k: v for k, v in given().items() if k != "post"}, scalars={"scale": 1})


def test_work_is_cut_only_where_the_declaration_allows_it():
    with pytest.raises(WiringError, match="cuts kernel outer along sample"):
        Step(outer(), "a step", "", given(), scalars={"scale": 1}, over="sample")
    renamed = given() | {"change": array("dW", ("other", "postsynaptic"), (4, 5))}
    with pytest.raises(WiringError, match="change has that axis under another name"):
        Step(outer(), "a step", "", renamed, scalars={"scale": 1}, over="presynaptic")


def test_alternatives_halves_and_numbers():
    x, w = maps("x", 2, 4, 6, 3), array("W", ("i", "j", "in", "out"), (3, 3, 3, 5), role="forward weight")
    for out in (maps("u", 2, 4, 6, 5), maps("u", 2, 4, 2, 3, 5, axes=("sample", "window", *AXES[1:]))):
        step = Step(convolve, "c", "", {"presynaptic": x, "weight": w, "potential": out}, over="sample")
        assert step.flops == 2 * 2 * 4 * 6 * 9 * 3 * 5
    for shape, axes in (((2, 2, 3, 5), AXES), ((2, 4, 3, 3, 5), ("sample", "window", *AXES[1:]))):
        with pytest.raises(ShapeError, match="kernel convolve"):
            Step(convolve, "c", "", {"presynaptic": x, "weight": w, "potential": maps("u", *shape, axes=axes)})


def test_any_axes_are_the_same_wherever_they_stand():
    kernel = Kernel("k", reads={"x": "...", "b": "1"}, writes={"y": "... 2"}, over="...")
    x, b = maps("x", 2, 3, 4, 5), array("b", ("one",), (1,))
    assert Step(kernel, "k", "", {"x": x, "b": b, "y": maps("y", 2, 3, 4, 5, 2, axes=(*AXES, "two"))}, over="sample")
    with pytest.raises(ShapeError):
        Step(kernel, "k", "", {"x": x, "b": b, "y": maps("y", 2, 3, 4, 6, 2, axes=(*AXES, "two"))})
    anything = Kernel("k", reads={"x": "*"}, writes={"y": "*"})
    assert Step(anything, "k", "", {"x": x, "y": array("y", ("a",), (7,), np.int64, "value")})


@pytest.mark.parametrize("text", ["sample, row", "row//2", "* sample", "a b/c", "2**3", ""])
def test_texts_that_cannot_be_read(text):
    if text:
        with pytest.raises(WiringError, match="the argument x is declared as"):
            Argument("x", text, "reads")
    else:
        assert Argument("x", text, "reads").layouts == ((),)  # a number by itself


def test_an_argument_is_declared_once():
    with pytest.raises(WiringError, match="declares an argument twice"):
        Kernel("k", reads={"x": "n"}, updates={"x": "n"})
    with pytest.raises(WiringError, match="twice"):
        Kernel("k", reads={"x": "n"}, scalars=("x",))


def test_forms_take_the_declared_arguments():
    kernel = outer()
    with pytest.raises(WiringError, match=r"the cpu form of kernel outer takes \(pre, post\)"):
        kernel.cpu(lambda pre, post: None)
    form = kernel.cpu(lambda pre, post, change, total=None, *, scale: None)
    assert kernel.form("cpu") is form
    assert kernel.gpu(lambda gpu, pre, post, change, total, *, scale: None) is kernel.form("gpu")
    with pytest.raises(WiringError, match="kernel outer has no form for reference"):
        kernel.form("reference")


def test_a_kernel_survives_being_sent_to_another_process():
    assert pickle.loads(pickle.dumps(convolve)) is convolve
    assert convolve.builtin and not outer().builtin
