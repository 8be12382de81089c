"""Pictures of a run: filters by Pillow, curves and bars by matplotlib, which the extra ``plots`` installs."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neurosim.core.typing import Array

CELL = 8  # screen pixels a weight
BLUE, GREY, GREEN = "#2471a3", "#99a3a4", "#1e8449"
MARKS = (
    ("o", GREEN, "ours, plausible"),
    ("o", BLUE, "ours, not plausible"),
    ("s", GREY, "the paper"),
    ("|", GREY, "untrained"),
)


def can_plot() -> bool:
    """Whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def filters(weights: Array, columns: int = 16) -> bytes:
    """The synapses onto the units of layer 1, a small colour picture each, as PNG.

    Args:
        weights: ``(row, column, presynaptic channel, unit)``; 3 channels are shown as red, green and blue, of any other
            number the mean is shown in grey. Mid-grey is 0; each unit's largest weight is full white or black. An untied
            layer has two more axes first: of it the middle place is shown.
        columns: pictures side by side.
    """
    if weights.ndim == 6:
        weights = weights[weights.shape[0] // 2, weights.shape[1] // 2]
    rows, across, channels, units = weights.shape
    shown: Array = weights if channels == 3 else np.repeat(weights.mean(axis=2, keepdims=True), 3, axis=2)
    most = np.abs(shown).max(axis=(0, 1, 2), keepdims=True)
    shown = np.clip(127.5 + 127.5 * shown / np.where(most > 0, most, 1), 0, 255).astype(np.uint8).transpose(3, 0, 1, 2)
    columns = min(columns, units)
    down = -(-units // columns)
    sheet = np.full((down * (rows + 1) + 1, columns * (across + 1) + 1, 3), 255, np.uint8)
    for unit, picture in enumerate(shown):
        y, x = 1 + unit // columns * (rows + 1), 1 + unit % columns * (across + 1)
        sheet[y : y + rows, x : x + across] = picture
    file = io.BytesIO()
    Image.fromarray(sheet).resize((sheet.shape[1] * CELL, sheet.shape[0] * CELL), Image.Resampling.NEAREST).save(
        file, "PNG"
    )
    return file.getvalue()


def curves(rows: Sequence[dict[str, str]]) -> str:
    """The error and the share of active comparisons, an epoch a point, as SVG.

    Args:
        rows: of metrics.csv.
    """
    figure, (left, right) = blank(2, 8)
    epochs = [int(row["epoch"]) for row in rows]
    for axes, name, title in ((left, "error", "error per moment"), (right, "active", "share of comparisons active")):
        axes.plot(epochs, [float(row[name]) for row in rows], color=BLUE, marker="o", markersize=4)
        axes.set(xlabel="epoch", title=title)
        axes.set_ylim(bottom=0)
        axes.locator_params(axis="x", integer=True)
    return svg(figure)


# Columns of a diagnosis by how they begin -> what their panel is called.
PANELS = {
    "feedback_angle_": "degrees, feedback to forward weight",
    "update_angle_": "degrees, change to bp's",
    "active_": "share of comparisons active",
    "dimension_": "dimensions of activity, participation ratio",
    "common_": "share of variance common to all units",
    "sparsity_": "sparsity of activity",
    "dead_": "share of dead units",
    "saturated_": "share of saturated activities",
    "inverse_": "error of the inverses, mean squared",
    "readout_": "small read-out, share right",
}


def diagnoses(rows: Sequence[dict[str, Any]]) -> str:
    """What the observer saw, one panel a kind, one curve a layer or a path, as SVG.

    Args:
        rows: of `neurosim.training.folder.Run.diagnoses`: numbers or words; what is missing leaves a gap.
    """
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(name for row in rows for name in row))
    panels = {start: [name for name in names if name.startswith(start)] for start in PANELS}
    panels = {start: columns for start, columns in panels.items() if columns}
    figure = Figure(figsize=(8, 2.7 * -(-len(panels) // 2)), layout="constrained")
    every = np.atleast_1d(figure.subplots(-(-len(panels) // 2), 2)).ravel()
    for axes in every[len(panels) :]:
        axes.set_axis_off()
    for axes, (start, columns) in zip(every, panels.items(), strict=False):
        _panel(axes, start, columns, rows)
    return svg(figure)


def _panel(axes: Axes, start: str, columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    """The columns that begin alike, over the images seen."""
    images = [float(row["images"]) for row in rows]
    for name in columns:
        values = [float(row.get(name, "nan")) for row in rows]
        axes.plot(images, values, marker="o", markersize=3, label=name.removeprefix(start))
    axes.set_title(PANELS[start], fontsize=10)
    axes.set_xlabel("images seen", fontsize=8)
    if "angle" in start:
        axes.set_ylim(0, max(95, *(float(row.get(name, 0)) for row in rows for name in columns)))
        axes.axhline(90, color=GREY, linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=7, frameon=False)


def bars(layers: Sequence[dict[str, Any]]) -> str:
    """Test accuracy of every layer beside the floor, as SVG.

    Args:
        layers: ``per_layer`` of results.json.
    """
    figure, (axes,) = blank(1, 5.5)
    places = np.arange(len(layers))
    for shift, key, colour, name in (
        (-0.2, "floor_accuracy", GREY, "untrained"),
        (0.2, "test_accuracy", GREEN, "trained"),
    ):
        values = [100 * row[key] for row in layers]
        axes.bar_label(axes.bar(places + shift, values, 0.4, color=colour, label=name), fmt="%.1f", fontsize=8)
    axes.set_xticks(places, [f"layer {row['layer']}" for row in layers])
    axes.set(ylabel="% of test images", title="read-out")
    axes.margins(y=0.15)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False, fontsize=8)
    return svg(figure)


def labels(points: Sequence[dict[str, Any]]) -> str:
    """Accuracy over numbers of labels, every layer and all that learned together, and what each is above its floor, as SVG.

    Args:
        points: ``curve`` of results.json.
    """
    figure, (left, right) = blank(2, 8)
    counts = [point["labels"] for point in points]
    rows = {f"layer {row['layer']}": [p["layers"][n] for p in points] for n, row in enumerate(points[0]["layers"])}
    rows |= {name: [p[name] for p in points] for name in ("together",) if points[0][name]}
    for name, each in rows.items():
        values = {key: [100 * row[key] for row in each] for key in each[0] if key != "layer"}
        (line,) = left.plot(counts, values["test_accuracy"], marker="o", markersize=3, label=name)
        left.plot(counts, values["floor_accuracy"], color=line.get_color(), linestyle=":", linewidth=1)
        bars = values["difference_interval"]
        right.errorbar(
            counts, values["difference"], yerr=bars, color=line.get_color(), capsize=2, marker="o", markersize=3
        )
    right.axhline(0, color=GREY, linewidth=0.8)
    for axes, title in ((left, "% of test images (dotted: untrained)"), (right, "above the same untrained, points")):
        axes.set(xscale="log", xlabel="labels", title=title)
        axes.set_xticks(counts, [f"{count:,}" for count in counts], fontsize=7)
        axes.minorticks_off()
    left.legend(fontsize=7, frameon=False)
    return svg(figure)


def published(rows: Sequence[dict[str, Any]], title: str) -> bytes:
    """The cells of a table of the paper: its number, ours over seeds, the floor, as PNG.

    Args:
        rows: as `neurosim.reproduce.page.rows` gives them; those that are not finished are left out.
        title: over it.
    """
    from matplotlib.figure import Figure

    shown = [row for row in rows if row["ours"] is not None][::-1]
    figure = Figure(figsize=(9, 1.4 + 0.3 * len(shown)), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(shown):
        _cell(axes, place, row)
    for marker, colour, name in MARKS:
        axes.plot([], [], color=colour, linestyle="", marker=marker, label=name)
    labels = [", ".join(filter(None, (row["cell"], row["setting"]))) for row in shown]
    axes.set_yticks(range(len(shown)), labels, fontsize=8)
    axes.set_xlabel("% of test images")
    figure.suptitle(textwrap.fill(title, 110), fontsize=9)
    axes.grid(axis="x", color="#dddddd")
    axes.spines[["top", "right"]].set_visible(False)
    below = (0.4, -0.9 / figure.get_figheight())
    axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=below, ncols=4, frameon=False)
    return png(figure)


def _cell(axes: Axes, place: int, row: dict[str, Any]) -> None:
    """One row of `published`: the mean with its spread, every seed, the paper's number and the floor."""
    colour = GREEN if row["plausible"] == "no violation found" else BLUE
    axes.errorbar(row["ours"], place, xerr=row["spread"] or 0, color=colour, marker="o", capsize=3)
    each = row["each"]
    axes.plot(each, [place] * len(each), color=colour, linestyle="", marker=".", markersize=4, alpha=0.5)
    for key, marker, size in (("paper", "s", 5), ("floor", "|", 9)):
        if row[key] is not None:
            axes.plot(row[key], place, color=GREY, linestyle="", marker=marker, markersize=size)


def blank(number: int, width: float) -> tuple[Figure, list[Axes]]:
    """A figure with so many axes side by side, ``width`` inches together."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, 2.9), layout="constrained")
    axes = list(np.atleast_1d(figure.subplots(1, number)))
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
    return figure, axes


def png(figure: Figure) -> bytes:
    """The figure as a file of PNG."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)
    return file.getvalue()


def svg(figure: Figure) -> str:
    """The figure as an ``<svg>`` element, without the file's preamble and without the date it was drawn."""
    import matplotlib

    text = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "neurosim"}):
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()[text.getvalue().index("<svg") :]
