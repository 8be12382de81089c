"""The figure of budgets: accuracy against minutes of training, a panel a number of labels, a line a rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from neurosim.report.figures import png


def curves(rows: Sequence[dict[str, Any]], title: str) -> bytes:
    """Means over seeds with their spread, every rule's floor as a dotted line of its colour, as PNG.

    Args:
        rows: as `neurosim.reproduce.curve.rows` gives them; those that are not finished are left out.
        title: over it.
    """
    from matplotlib.figure import Figure

    shown = [row for row in rows if row["accuracy"] is not None]
    counts = sorted({row["labels"] for row in shown})
    names = list(dict.fromkeys(row["rule"] for row in shown))
    figure = Figure(figsize=(1.5 + 4 * max(1, len(counts)), 4), layout="constrained")
    panels = figure.subplots(1, max(1, len(counts)), squeeze=False)[0]
    for axes, count in zip(panels, counts, strict=False):
        for place, name in enumerate(names):
            mine = [row for row in shown if row["labels"] == count and row["rule"] == name]
            minutes = [row["minutes"] for row in mine]
            spread = [row["spread"] or 0 for row in mine]
            colour = f"C{place % 10}"
            axes.errorbar(
                minutes, [row["accuracy"] for row in mine], spread, color=colour, marker="o", ms=4, label=name
            )
            axes.plot(minutes, [row["floor"] for row in mine], color=colour, linestyle=":", linewidth=1)
        axes.set(xscale="log", xlabel="minutes of training", title=f"{count:,} labels")
        every = sorted({row["minutes"] for row in shown})
        axes.set_xticks(every, [f"{each:g}" for each in every])
        axes.minorticks_off()
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("% of test images (dotted: untrained)")
    panels[-1].legend(fontsize=7, frameon=False)
    figure.suptitle(title, fontsize=9)
    return png(figure)
