"""Every error against derivatives computed elsewhere, in both forms of the kernels, float64."""

import json

import numpy as np
import pytest

from neurosim.core.backend import Backend
from neurosim.kernels.comparison import hinge_all, hinge_lags
from neurosim.losses.barlow import barlow
from neurosim.losses.hinge_mean import hinge_mean
from neurosim.losses.nt_xent import nt_xent
from neurosim.losses.positive import positive
from neurosim.parts.memory import push

cpu, reference = Backend("cpu"), Backend("reference")

FORMS = [pytest.param(cpu, id="cpu"), pytest.param(reference, id="reference")]


def margins(meta):
    threshold, delta = meta.get("threshold", 2.0), meta.get("delta", 1.0)
    return {
        "margin_positive": meta.get("margin_positive", threshold - delta),
        "margin_negative": meta.get("margin_negative", threshold + delta),
    }


def run(form, meta, z1, z2):
    """The errors of both views and the loss, by the kernel that the case's meta asks for."""
    e1, e2, value, index = np.zeros_like(z1), np.zeros_like(z2), np.zeros(3), np.arange(len(z1))
    name, results = meta["loss"], {"error1": e1, "error2": e2, "value": value}
    both = {"view1": z1, "view2": z2, **results}
    if name == "contrastive hinge" and "active" in meta["reduction"]:
        form.bind(hinge_mean)(**both, **margins(meta))
    elif name == "contrastive hinge":
        results["error1"] = None if meta["block_view1"] else e1
        if "lags" in meta:
            trace, cursor = np.zeros((len(z1) + meta["lags"], z1.shape[1])), np.zeros(1, np.int64)
            form.bind(push)(activity=z1, trace=trace, cursor=cursor)
            memory = {"trace": trace, "cursor": cursor, "pairs": len(z1), "lags": meta["lags"]}
            weight = 1 / meta["lags"]
            form.bind(hinge_lags)(
                view2=z2, index=index, negative_weight=weight, **memory, **results, **margins(meta)
            )
        else:
            form.bind(hinge_all)(view1=z1, view2=z2, index=index, **results, **margins(meta))
    elif name == "NT-Xent":
        scale = 2 if "two views" in meta["reduction"] else 1
        form.bind(nt_xent)(**both, temperature=meta["temperature"], scale=scale)
    elif name == "Barlow Twins":
        weights = {"off_diagonal": meta["off_diagonal_weight"], "epsilon": meta["batchnorm_eps"]}
        form.bind(barlow)(**both, scale=meta["scale"], **weights)
    elif name == "positive L1 only":
        form.bind(positive)(**both)
    else:
        pytest.fail(f"a case of an unknown loss: {name}")
    return e1, e2, value[0]


@pytest.mark.parametrize("form", FORMS)
def test_losses(golden, relative_error, form):
    cases = golden("losses")
    metas = json.loads(str(cases["meta"]))
    assert metas
    for case, meta in metas.items():
        e1, e2, loss = run(form, meta, cases[f"{case}/view1"], cases[f"{case}/view2"])
        for found, wanted in ((e1, "grad1"), (e2, "grad2"), (loss, "loss")):
            assert relative_error(found, cases[f"{case}/{wanted}"]) < 1e-9, (case, wanted)
