"""Every error against derivatives computed elsewhere, in both forms of the kernels, float64."""

import json

import numpy as np
import pytest

from neurosim.kernels.comparison import hinge_all, hinge_lags
from neurosim.losses.barlow import barlow
from neurosim.losses.hinge_mean import hinge_mean
from neurosim.losses.nt_xent import nt_xent
from neurosim.losses.positive import positive
from neurosim.parts.memory import push

FORMS = ["cpu", "reference"]


def margins(meta):
    threshold, delta = meta.get("threshold", 2.0), meta.get("delta", 1.0)
    return {
        "margin_positive": meta.get("margin_positive", threshold - delta),
        "margin_negative": meta.get("margin_negative", threshold + delta),
    }


def run(where, meta, z1, z2):
    """The errors of both views and the loss, by the kernel that the case's meta asks for."""
    e1, e2, value, index = np.zeros_like(z1), np.zeros_like(z2), np.zeros(3), np.arange(len(z1))
    name = meta["loss"]
    if name == "contrastive hinge" and "active" in meta["reduction"]:
        hinge_mean.form(where)(z1, z2, e2, value, e1, **margins(meta))
    elif name == "contrastive hinge":
        free = None if meta["block_view1"] else e1
        if "lags" in meta:
            trace, cursor = np.zeros((len(z1) + meta["lags"], z1.shape[1])), np.zeros(1, np.int64)
            push.form(where)(z1, trace, cursor)
            lags = {"pairs": len(z1), "lags": meta["lags"], "negative_weight": 1 / meta["lags"]}
            hinge_lags.form(where)(trace, cursor, z2, index, e2, value, free, **lags, **margins(meta))
        else:
            hinge_all.form(where)(z1, z2, index, e2, value, free, **margins(meta))
    elif name == "NT-Xent":
        scale = 2 if "two views" in meta["reduction"] else 1
        nt_xent.form(where)(z1, z2, e2, value, e1, temperature=meta["temperature"], scale=scale)
    elif name == "Barlow Twins":
        scalars = {
            "off_diagonal": meta["off_diagonal_weight"],
            "scale": meta["scale"],
            "epsilon": meta["batchnorm_eps"],
        }
        barlow.form(where)(z1, z2, e2, value, e1, **scalars)
    elif name == "positive L1 only":
        positive.form(where)(z1, z2, e2, value, e1)
    else:
        pytest.fail(f"a case of an unknown loss: {name}")
    return e1, e2, value[0]


@pytest.mark.parametrize("where", FORMS)
def test_losses(golden, relative_error, where):
    cases = golden("losses")
    metas = json.loads(str(cases["meta"]))
    assert metas
    for case, meta in metas.items():
        e1, e2, loss = run(where, meta, cases[f"{case}/view1"], cases[f"{case}/view2"])
        for found, wanted in ((e1, "grad1"), (e2, "grad2"), (loss, "loss")):
            assert relative_error(found, cases[f"{case}/{wanted}"]) < 1e-9, (case, wanted)
