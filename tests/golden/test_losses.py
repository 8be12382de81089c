"""Every error against derivatives computed elsewhere, in both forms of the kernels, float64."""

import json

import numpy as np
import pytest

from neurosim.core.backend import Backend

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
    name = meta["loss"]
    if name == "contrastive hinge" and "active" in meta["reduction"]:
        form.hinge_mean(z1, z2, e1, e2, value, **margins(meta))
    elif name == "contrastive hinge":
        free = None if meta["block_view1"] else e1
        if "lags" in meta:
            trace, cursor = np.zeros((len(z1) + meta["lags"], z1.shape[1])), np.zeros(1, np.int64)
            form.push(z1, trace, cursor)
            form.hinge_lags(trace, cursor, z2, index, e2, value, free, pairs=len(z1), lags=meta["lags"],
                            negative_weight=1 / meta["lags"],                            **margins(meta))  # fmt: skip
        else:
            form.hinge_all(z1, z2, index, e2, value, free, **margins(meta))
    elif name == "NT-Xent":
        scale = 2 if "two views" in meta["reduction"] else 1
        form.nt_xent(z1, z2, e1, e2, value, temperature=meta["temperature"], scale=scale)
    elif name == "Barlow Twins":
        form.barlow(z1, z2, e1, e2, value, off_diagonal=meta["off_diagonal_weight"], scale=meta["scale"],
                    epsilon=meta["batchnorm_eps"])  # fmt: skip
    elif name == "positive L1 only":
        form.positive(z1, z2, e1, e2, value)
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
