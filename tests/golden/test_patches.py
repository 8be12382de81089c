"""The errors that compare patches of one picture against derivatives computed elsewhere, both forms, float64."""

import json

import numpy as np
import pytest

from neurosim.core.backend import Backend
from neurosim.kernels.patches import clapp, deliver_prediction, gaze, hebbian_prediction, predict

cpu, reference = Backend("cpu"), Backend("reference")

FORMS = [pytest.param(cpu, id="cpu"), pytest.param(reference, id="reference")]


def case_of(golden, name):
    arrays = golden("patch_losses")
    case = {k.removeprefix(f"{name}/"): v for k, v in arrays.items() if k.startswith(f"{name}/")}
    meta = json.loads(str(arrays["meta"]))
    rows = range(meta["grid"] - 2)
    negative = np.concatenate([case[f"negative_index_{k}"].ravel() for k in rows]).astype(np.int64)
    shared = {"grid": meta["grid"], "negatives": meta["negatives_per_positive"]}
    assert len(case["embedding"]) == meta["images"] * meta["grid"] ** 2
    return case, meta, negative, shared


@pytest.mark.parametrize("form", FORMS)
def test_gaze_shifts(golden, relative_error, form):
    case, meta, negative, shared = case_of(golden, "gaze_hinge")
    view = case["embedding"].reshape(len(case["embedding"]), -1)
    error, value = np.full(view.shape, np.nan), np.zeros(3)
    form.bind(gaze)(view=view, negative=negative, error=error, value=value, **shared, **meta["gaze_hinge"])
    assert relative_error(value[0], case["loss"]) < 1e-9
    assert relative_error(error, case["grad"].reshape(view.shape)) < 1e-9


@pytest.mark.parametrize("form", FORMS)
def test_clapp(golden, relative_error, form):
    case, meta, negative, shared = case_of(golden, "clapp")
    embedding = case["embedding"]  # (patch, channel, row, column) -> (patch, place, channel)
    count, channels = embedding.shape[:2]
    view = np.ascontiguousarray(embedding.reshape(count, channels, -1).swapaxes(1, 2))
    rows, grid = range(meta["grid"] - 2), {"grid": meta["grid"]}
    weight = np.stack([case[f"W_pred_{k}"].T for k in rows])
    shape = (len(weight), meta["images"], meta["grid"], *view.shape[1:])
    prediction, factor = np.full(shape, np.nan), np.full(shape, np.nan)
    error, change, value = np.full_like(view, np.nan), np.full_like(weight, np.nan), np.zeros(3)
    form.bind(predict)(view=view, weight=weight, prediction=prediction, **grid)
    found = {"error": error, "factor": factor, "value": value}
    form.bind(clapp)(view=view, prediction=prediction, negative=negative, **found, **shared)
    form.bind(deliver_prediction)(factor=factor, weight=weight, error=error, **grid)
    form.bind(hebbian_prediction)(view=view, factor=factor, change=change, **grid)
    assert relative_error(value[0], case["loss"]) < 1e-9
    assert relative_error(error.swapaxes(1, 2).reshape(embedding.shape), case["grad"]) < 1e-9
    for k in rows:
        assert relative_error(change[k].T, case[f"grad_W_pred_{k}"]) < 1e-9
