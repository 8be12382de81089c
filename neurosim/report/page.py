"""report.html: one page about one run, in one file that needs nothing else."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING, Any

import neurosim
from neurosim.errors import RunError
from neurosim.readout.results import READ_OUTS
from neurosim.report import figures, similar
from neurosim.training import kept
from neurosim.training.folder import Run, write_text

if TYPE_CHECKING:
    from neurosim.core.typing import Array
    from neurosim.data.dataset import Dataset
    from neurosim.readout.similar import Similar
    from neurosim.training.config import Config

STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:52em;margin:2em auto;padding:0 1em;color:#222}
table{border-collapse:collapse;margin:1em 0}td,th{padding:.2em .9em .2em 0;text-align:left;border-bottom:1px solid #ddd}
td.n,th.n{text-align:right}code{font-size:90%}svg{max-width:100%;height:auto}img{image-rendering:pixelated;max-width:100%}
.big{font-size:1.3em}.pale{color:#777}"""


def write(run: Run, weights: dict[str, Array], found: tuple[Similar, Dataset] | None = None) -> None:
    """Write the run's report.html from what its folder holds.

    Args:
        run: trained, its results.json and metrics.csv written.
        weights: forward weights by name, ``W1`` first.
        found: pictures that are similar, and the pictures: drawn into nearest.png and groups.png.

    Raises:
        RunError: no space, no permission, or a run that is not read out yet.
    """
    if found is not None:
        similar.draw(run.folder, *found)
    write_text(run.folder / "report.html", page(run, weights))


def page(run: Run, weights: dict[str, Array]) -> str:
    """The page as text; arguments as `write`.

    Raises:
        RunError: a run that is not read out yet.
    """
    results, rows, diagnoses = run.results(), run.metrics(), run.diagnoses()
    if results is None:
        raise RunError(f"{run.folder} has no results.json", "a run that is read out", "evaluate it first")
    title = f"{run.config.rule.name} on {run.config.data.name}"
    parts = [f"<h1>{escape(title)}</h1>", _headline(results, rows), _layers(results), _curve(results)]
    parts += [_others(run, results)]
    parts += [similar.section(run.folder)]
    if rows:
        parts += ["<h2>Training</h2>", figures.curves(rows) if figures.can_plot() else _no_plots(), _metrics(rows)]
    if diagnoses:
        parts += [
            "<h2>What an observer saw</h2>",
            figures.diagnoses(diagnoses) if figures.can_plot() else _no_plots(),
            '<p class="pale">By copies of its own, on pictures aside; the numbers are in metrics.csv.</p>',
        ]
    parts += [_filters(next(iter(weights.values()))), _wiring(results["wiring"]), _options(run.config)]
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n' + "\n".join(parts) + "\n</body></html>\n"


def _filters(weights: Array) -> str:
    picture = base64.b64encode(figures.filters(weights)).decode()
    return "\n".join(
        [
            "<h2>Synapses onto layer 1</h2>",
            f'<p><img alt="weights of layer 1" src="data:image/png;base64,{picture}"></p>',
            '<p class="pale">One square a unit; mid-grey is 0, each unit\'s largest weight is full.</p>',
        ]
    )


def _wiring(lines: list[str]) -> str:
    items = "".join(f"<li><code>{escape(line)}</code></li>" for line in lines)
    return "<h2>Wiring as realised</h2>\n" + (
        f"<ul>{items}</ul>" if lines else "<p>No feedback path: nothing learns.</p>"
    )


def _options(config: Config) -> str:
    given = [[name, str(value)] for name, value in config.flat().items() if value is not None]
    version = f"neurosim {neurosim.__version__}; config.json in the same folder runs it again."
    return f'<h2>Options</h2>\n{table(["option", "value"], given)}\n<p class="pale">{version}</p>'


def _headline(results: dict[str, Any], rows: list[dict[str, str]]) -> str:
    speed = (
        f"{results['seconds']:.0f} s of training, {results['images_per_second']:.0f} images/s"
        if rows
        else "not trained"
    )
    if results["test_accuracy"] is None:
        return f"<p>No labels to read out; {speed}.</p>"
    how = READ_OUTS[results.get("readout", "lbfgs")]  # earlier files have linear ones alone
    seen, floor = 100 * results["test_accuracy"], 100 * results["floor_accuracy"]
    which = f"layer {results['headline']['layer']}" if "headline" in results else "the top layer"
    lines = (
        f'<p class="big"><b>{seen:.1f} %</b> of test images by a {how} read-out of {which}; '
        f"<b>{floor:.1f} %</b> untrained ({seen - floor:+.1f}).</p><p>{speed}.</p>"
    )
    gain = results.get("gain")
    if gain:
        lines += (
            f"<p>The best learned layer ({gain['layers'][0]}) is {100 * gain['difference']:+.1f} ± "
            f"{100 * gain['difference_interval']:.1f} over the best untrained one ({gain['floor_layers'][0]}), each chosen "
            "within the labels.</p>"
        )
    return lines


def _layers(results: dict[str, Any]) -> str:
    layers = results["per_layer"]
    if not layers:
        return ""
    lines = [
        [
            f"layer {row['layer']}",
            *(f"{100 * row[key]:.1f}" for key in ("test_accuracy", "floor_accuracy")),
            f"{100 * (row['test_accuracy'] - row['floor_accuracy']):+.1f}",
        ]
        for row in layers
    ]
    shown = table(["", "trained, %", "untrained, %", "difference"], lines)
    return "<h2>Read-out</h2>" + (figures.bars(layers) if figures.can_plot() else "") + shown


def _curve(results: dict[str, Any]) -> str:
    """The read-out over numbers of labels; none in earlier files."""
    points = results.get("curve", [])
    if not points:
        return ""
    heads = [f"{point['labels']:,}" + (f", {point['draws']} draws" if point["draws"] > 1 else "") for point in points]
    names = [f"layer {row['layer']}" for row in points[0]["layers"]]
    lines = [[name, *(_cell(point["layers"][place]) for point in points)] for place, name in enumerate(names)]
    for name, key in (("layers together", "together"), ("best over best untrained", "best")):
        if points[0][key]:
            lines.append([name, *(_cell(point[key]) for point in points)])
    drawn = set(range(1, len(names) + 1)) - set(results["learned_layers"])
    words = f" Not learned: layer {', '.join(map(str, sorted(drawn)))}." if drawn else ""
    note = f"Trained, untrained, difference ± half its 95 % interval, in % of test images.{words}"
    figure = figures.labels(points) if figures.can_plot() and len(points) > 1 else ""
    return f'<h2>Labels</h2>{figure}{table(["", *heads], lines)}<p class="pale">{note}</p>'


def _others(run: Run, results: dict[str, Any]) -> str:
    """The read-outs kept in the run's folder, where there is one beside that of results.json."""
    every = list(kept.every(run))
    if len(every) < 2 and all(record["headline"] == results.get("headline") for _, record in every):
        return ""
    lines = []
    for path, record in every:
        head = record["headline"]
        shares = (head[key] for key in ("test_accuracy", "floor_accuracy", "difference", "difference_interval"))
        trained, floor, gain, half = (f"{100 * share:.1f}" for share in shares)
        name = f"{path.parent.name}/{path.name}"
        lines.append(
            [
                name,
                record["data"],
                READ_OUTS[record["readout"]],
                f"{head['labels']:,}",
                trained,
                floor,
                f"{gain} ± {half}",
            ]
        )
    heads = ["file", "data", "read-out", "labels", "trained, %", "untrained, %", "difference"]
    return f"<h2>All read-outs of this run</h2>{table(heads, lines)}"


def _cell(row: dict[str, float]) -> str:
    trained, floor, gain, half = (
        100 * row[key] for key in ("test_accuracy", "floor_accuracy", "difference", "difference_interval")
    )
    return f"{trained:.1f}, {floor:.1f}, {gain:+.1f} ± {half:.1f}"


def _metrics(rows: list[dict[str, str]]) -> str:
    return table(list(rows[0]), [[_short(value) for value in row.values()] for row in rows])


def _short(value: str) -> str:
    """A number to four digits; any other word as it is."""
    try:
        return str(int(value))
    except ValueError:
        pass
    try:
        return f"{float(value):.4g}"
    except ValueError:
        return value


def _no_plots() -> str:
    return "<p class=\"pale\">Curves need matplotlib: <code>pip install 'neurosim[plots]'</code>, then evaluate the run.</p>"


def table(head: list[str], lines: list[list[str]]) -> str:
    """A table of HTML: words at the left, numbers at the right of their columns."""

    def row(cells: list[str], tag: str) -> str:
        numbers = [' class="n"' if place and len(head) > 2 else "" for place in range(len(cells))]
        return "<tr>" + "".join(f"<{tag}{n}>{escape(c)}</{tag}>" for n, c in zip(numbers, cells, strict=True)) + "</tr>"

    return "<table>" + row(head, "th") + "".join(row(line, "td") for line in lines) + "</table>"
