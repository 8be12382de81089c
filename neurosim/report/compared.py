"""The page of runs side by side: one file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from neurosim.report import compare, figures
from neurosim.report.page import STYLE, table
from neurosim.report.seeds import Arm, between

COLOURS = ("#2471a3", "#c0392b", "#1e8449", "#7d3c98", "#d68910", "#17202a")


def page(arms: Sequence[Arm]) -> str:
    """The page as text."""
    title = " and ".join(arm.name for arm in arms)
    names = ["", *(arm.name for arm in arms)]
    parts = [f"<h1>{escape(title)}</h1>"]
    parts += [f"<p>{escape(pair.second.name)}: {escape(pair.words())}.</p>" for pair in compare.pairs(arms)]
    for head, rows in (
        ("Settings that differ", compare.settings(arms)),
        ("Cost and audit", compare.costs(arms)),
        ("Read-out, % of test images ± standard deviation over seeds", compare.readouts(arms)),
    ):
        body = table(names, [[name, *cells] for name, cells in rows]) if rows else "<p>None.</p>"
        parts += [f"<h2>{escape(head)}</h2>", body]
    parts += [_differences(pair) for pair in compare.pairs(arms) if not pair.reason]
    parts += ["<h2>Curves</h2>", _curves(arms)]
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n' + "\n".join(parts) + "\n</body></html>\n"


def _differences(pair: compare.Pair) -> str:
    rows = [
        [name, between(each), "-" if each.p is None else f"{each.p:.3f}", _p(each.corrected)]
        for name, each in pair.differences.items()
    ]
    title = f"{pair.second.name} over {pair.first.name}, points, paired by seed"
    heads = ["", "difference ± 95 % t interval", "p", "by Holm over the rows"]
    note = (
        f"The number of test images alone leaves ± {100 * pair.test_interval():.1f} points of the difference; seeds share the "
        "images and do not make that smaller."
    )
    return f'<h2>{escape(title)}</h2>{table(heads, rows)}<p class="pale">{escape(note)}</p>'


def _p(value: float | None) -> str:
    return "nothing is claimed" if value is None else f"{value:.3f}"


def _curves(arms: Sequence[Arm]) -> str:
    """Errors and active comparisons over the images seen, and the read-out over labels; a colour an arm, a line a seed."""
    if not figures.can_plot():
        return "<p class=\"pale\">Curves need matplotlib: <code>pip install 'neurosim[plots]'</code>, then compare again.</p>"
    figure, (left, middle, right) = figures.blank(3, 11)
    for arm, colour in zip(arms, COLOURS * len(arms), strict=False):
        for number, run in enumerate(arm.runs.values()):
            rows, label = run.metrics(), arm.name if number == 0 else None
            seen = [int(row["images"]) for row in rows]
            left.plot(seen, [float(row["error"]) for row in rows], color=colour, marker=".", linewidth=1, label=label)
            middle.plot(seen, [float(row["active"]) for row in rows], color=colour, marker=".", linewidth=1)
        if arm.labelled:
            points = np.array([_over_labels(each) for each in arm.results.values()])
            means, spread = points[:, 1].mean(axis=0), points[:, 1].std(axis=0, ddof=int(len(points) > 1))
            right.errorbar(
                points[0, 0], 100 * means, yerr=100 * spread, color=colour, capsize=2, marker=".", label=arm.name
            )
    left.set(xlabel="images seen", title="error per moment")
    middle.set(xlabel="images seen", title="share of comparisons active")
    right.set(xlabel="labels", title="headline, % of test images", xscale="log")
    for axes in (left, right):
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=7, frameon=False)
    return figures.svg(figure)


def _over_labels(results: dict[str, object]) -> tuple[list[int], list[float]]:
    """Numbers of labels, and the headline's share right with each."""
    curve, layer = results["curve"], results["headline"]["layer"] - 1  # type: ignore[index]
    return [p["labels"] for p in curve], [p["layers"][layer]["test_accuracy"] for p in curve]  # type: ignore[attr-defined]
