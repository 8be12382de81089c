"""Compiled forms: the bits of the NumPy form, whatever the numbers are; which kernels and which devices they are used for."""

import numpy as np
import pytest
from forms import declared_kernels

from neurosim.audit.graph.kinds import callable_of
from neurosim.core.backend import Backend
from neurosim.core.kernel import Kernel
from neurosim.experiment import Experiment
from neurosim.kernels import compiled
from neurosim.kernels.compiled import Numba, faster

pytest.importorskip("numba", reason="it compiles the loops")
KERNELS = {name: kernel for name, kernel in declared_kernels().items() if kernel.has("compiled")}
SCALARS = {
    "adam": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
    "ladder": {"bound": 0.03, "momentum": 0.9, "slow": 0.99, "whole": 10.0, "rungs": 5},
    "momentum": {"momentum": 0.9},
    "signum": {"bound": 0.03, "momentum": 0.9},
}
MORE = {"ladder": [{"rungs": 1}, {"rungs": 2}, {"rungs": 7}]}


def arrays(kernel, dtype, count=4099):
    """Numbers of all sizes, with zeros of both signs, subnormal ones, infinity and NaN among them."""
    rng = np.random.default_rng(5)
    found = {}
    for name, argument in kernel.arguments.items():
        if argument.text.startswith("synapse"):
            found[name] = (rng.normal(size=count) * 10.0 ** rng.integers(-6, 3, count)).astype(dtype)
            some = rng.permutation(count)[:700]
            strange = [0.0, -0.0, np.finfo(dtype).tiny / 8, np.inf, -np.inf, np.nan, 1.0]
            found[name][some] = np.repeat(np.array(strange, dtype), 100)
            if name in ("square", "size"):
                found[name] = np.abs(found[name])
    if "count" in kernel.arguments:
        found["count"] = np.array([7])
    found["rate"] = np.array([0.0123])
    return found


def run(form, kernel, given, scalars):
    given = {name: array.copy() for name, array in given.items()}
    with np.errstate(all="ignore"):
        for turn in range(3):
            if "count" in given:
                given["count"][0] = 7 + 1000 * turn
            form(**given, **scalars)
    return given


def test_every_compiled_form_has_a_case():
    assert set(KERNELS) == set(SCALARS)


@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "more"), [(name, more) for name in SCALARS for more in [{}, *MORE.get(name, [])]])
def test_the_same_bits_as_the_form_for_numpy(name, more, dtype, decay):
    kernel, scalars = KERNELS[name], {**SCALARS[name], **more, "decay": decay}
    given = arrays(kernel, dtype)
    backend = faster(Backend("cpu"))
    wanted = run(kernel.form("cpu"), kernel, given, scalars)
    found = run(backend.bind(kernel), kernel, given, scalars)
    for each, array in wanted.items():
        bits = np.int32 if array.dtype == np.float32 else np.int64
        same = (array.view(bits) == found[each].view(bits)) | (np.isnan(array) & np.isnan(found[each]))
        assert same.all(), f"{each}: {array[~same][:3]} and {found[each][~same][:3]}"


def test_only_the_cpu_and_only_where_numba_is(monkeypatch):
    assert faster(Backend("cpu")).compiler is not None
    assert faster(Backend("reference")).compiler is None
    monkeypatch.setattr(compiled.importlib.util, "find_spec", lambda name: None)
    assert faster(Backend("cpu")).compiler is None


def test_somebody_elses_compiled_form_never_runs():
    """The audit records the form for NumPy: what stood beside it could do anything."""
    kernels = [Kernel(name, updates={"weight": "synapse"}) for name in ("mine", "signum")]
    kernels[1].origin = "neurosim.plasticity.signum"  # it says that it is ours
    for kernel in kernels:
        kernel.cpu(lambda weight: None)
        kernel.compiled(lambda jit, weight: None)
        assert faster(Backend("cpu")).bind(kernel) is kernel.form("cpu")


def test_the_audit_is_given_the_forms_for_numpy():
    model = Experiment(rule="ll", images=40, epochs=1, batch=4).model
    steps = [step for step in model.plan(model.rule.phases[0]).steps if step.kernel.has("compiled")]
    assert steps
    for step in steps:
        assert callable_of(step, model.kernels) is step.kernel.form("cpu")


def test_a_place_where_nothing_can_be_kept(monkeypatch):
    """Numba refuses to keep machine code where it finds no folder: the loop is compiled all the same."""
    import numba

    plain = numba.njit

    def refusing(*arguments, cache, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return plain(*arguments, **options)

    monkeypatch.setattr(numba, "njit", refusing)
    monkeypatch.setattr(compiled, "_compile", compiled._compile.__wrapped__)
    total = np.zeros(3)
    Numba()(_ones)(total)
    assert total.tolist() == [1, 1, 1]


def _ones(total):
    for place in range(total.size):
        total[place] = 1
