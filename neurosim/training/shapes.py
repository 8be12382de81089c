"""What the files of a run hold, as far as it is read: shapes as `neurosim.core.records.check` holds them."""

from __future__ import annotations

from typing import Any

from neurosim.core.records import Shape, check
from neurosim.readout.results import READ_OUTS, unpacked

NOTED: Shape = {"wiring?": [str], "image?": ([int], None), "begun_in?": (str, None)}
ROW: Shape = {"images": int, "seconds?": float, "error?": float}
STATE: Shape = {
    "epoch": int,
    "batch": int,
    "done": int,
    "seconds": float,
    "totals": [float],
    "figures": [float],
    "rows": [ROW],
    "diagnoses": [ROW],
    "data?": ({"images": int, "shape": [int], "digest": str}, None),
    "ready?": bool,
}
META: Shape = {"format": int, "neurosim": str, "state": dict, "digest": str}
AUDIT: Shape = {"verdict?": str, "grade?": str, "line?": str}
TRAINED: Shape = {"test_accuracy": float, "floor_accuracy": float}
ESTIMATES: Shape = TRAINED | dict.fromkeys(
    ("test_interval", "floor_interval", "difference", "difference_interval"), float
)
GAIN: Shape = ESTIMATES | {"layers": [int], "floor_layers": [int]}
POINT: Shape = {
    "labels": int,
    "draws": int,
    "layers": [ESTIMATES | {"layer": int}],
    "together": (ESTIMATES, None),
    "best": (GAIN, None),
}
RESULTS: Shape = {
    "rule?": str,
    "wiring": [str],
    "seconds": float,
    "images_per_second": float,
    "test_accuracy": (float, None),
    "floor_accuracy": (float, None),
    "per_layer": [TRAINED | {"layer": int}],
    "readout?": str,
    "headline?": ESTIMATES | {"layer": int, "labels": int},
    "learned_layers?": [int],
    "gain?": (GAIN, None),
    "curve?": [POINT],
    "right?": ({"test_images": int, "layers": [str]}, None),
    "similar?": dict,
}


def results(found: Any) -> dict[str, Any]:
    """What results.json holds, or a file of a read-out; its parts go with one another.

    Raises:
        ValueError: it is something else; it says where.
    """
    record: dict[str, Any] = check(found, RESULTS)
    layers, curve = len(record["per_layer"]), record.get("curve", [])
    if record.get("readout", "lbfgs") not in READ_OUTS:
        raise ValueError(f"readout is {record['readout']!r:.40}, which there is not")
    if (record["test_accuracy"] is None) != (record["floor_accuracy"] is None):
        raise ValueError("test_accuracy without floor_accuracy")
    if (record["test_accuracy"] is None) != (layers == 0) or (record["test_accuracy"] is None and curve):
        raise ValueError("per_layer does not go with test_accuracy")
    if curve and not {"headline", "readout", "learned_layers"} <= record.keys():
        raise ValueError("a curve without headline, readout or learned_layers")
    if any(len(point["layers"]) != layers or point["labels"] < 1 for point in curve):
        raise ValueError("curve has other layers than per_layer")
    if any((point[key] is None) != (curve[0][key] is None) for point in curve for key in ("together", "best")):
        raise ValueError("curve has together or best in some places alone")
    if "headline" in record and not 1 <= record["headline"]["layer"] <= layers:
        raise ValueError("headline is of a layer that there is not")
    gains = [each for each in (record.get("gain"), *(point["best"] for point in curve)) if each]
    if not all(gain["layers"] and gain["floor_layers"] for gain in gains):
        raise ValueError("gain has no layers")
    if record.get("right") and len(unpacked(record["right"])) != layers:
        raise ValueError("right has other layers than per_layer")
    return record
