"""The errors that compare patches of one picture against derivatives computed elsewhere, both forms, float64."""

import json

import numpy as np
import pytest

from neurosim.kernels.patches import clapp, deliver_prediction, gaze, hebbian_prediction, predict

FORMS = ["cpu", "reference"]


def case_of(golden, name):
    arrays = golden("patch_losses")
    case = {k.removeprefix(f"{name}/"): v for k, v in arrays.items() if k.startswith(f"{name}/")}
    meta = json.loads(str(arrays["meta"]))
    rows = range(meta["grid"] - 2)
    negative = np.concatenate([case[f"negative_index_{k}"].ravel() for k in rows]).astype(np.int64)
    shared = {"grid": meta["grid"], "negatives": meta["negatives_per_positive"]}
    assert len(case["embedding"]) == meta["images"] * meta["grid"] ** 2
    return case, meta, negative, shared


@pytest.mark.parametrize("where", FORMS)
def test_gaze_shifts(golden, relative_error, where):
    case, meta, negative, shared = case_of(golden, "gaze_hinge")
    view = case["embedding"].reshape(len(case["embedding"]), -1)
    error, value = np.full(view.shape, np.nan), np.zeros(3)
    gaze.form(where)(view, negative, error, value, **shared, **meta["gaze_hinge"])
    assert relative_error(value[0], case["loss"]) < 1e-9
    assert relative_error(error, case["grad"].reshape(view.shape)) < 1e-9


@pytest.mark.parametrize("where", FORMS)
def test_clapp(golden, relative_error, where):
    case, meta, negative, shared = case_of(golden, "clapp")
    embedding = case["embedding"]  # (patch, channel, row, column) -> (patch, place, channel)
    count, channels = embedding.shape[:2]
    view = np.ascontiguousarray(embedding.reshape(count, channels, -1).swapaxes(1, 2))
    rows, grid = range(meta["grid"] - 2), {"grid": meta["grid"]}
    weight = np.stack([case[f"W_pred_{k}"].T for k in rows])
    shape = (len(weight), meta["images"], meta["grid"], *view.shape[1:])
    prediction, factor = np.full(shape, np.nan), np.full(shape, np.nan)
    error, change, value = np.full_like(view, np.nan), np.full_like(weight, np.nan), np.zeros(3)
    predict.form(where)(view, weight, prediction, **grid)
    clapp.form(where)(view, prediction, negative, error, factor, value, **shared)
    deliver_prediction.form(where)(factor, weight, error, **grid)
    hebbian_prediction.form(where)(view, factor, change, **grid)
    assert relative_error(value[0], case["loss"]) < 1e-9
    assert relative_error(error.swapaxes(1, 2).reshape(embedding.shape), case["grad"]) < 1e-9
    for k in rows:
        assert relative_error(change[k].T, case[f"grad_W_pred_{k}"]) < 1e-9
