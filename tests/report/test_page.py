"""report.html: it shows what the run's files hold, stands alone, and shows real filters."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from neurosim.report import figures, page
from neurosim.training.config import Config
from neurosim.training.folder import Run

EMPTY = {"meta", "img", "br", "link", "path", "use", "rect"}


class Nesting(HTMLParser):
    """Fails where a tag is closed that was not opened last; keeps every link."""

    def __init__(self):
        super().__init__()
        self.open, self.links = [], []

    def handle_starttag(self, tag, attributes):
        self.links += [value for name, value in attributes if name in ("src", "href", "xlink:href")]
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in EMPTY:
            assert self.open.pop() == tag


@pytest.fixture
def run(tmp_path):
    config = Config.resolve(data="<strange> & odd.npz", rule="ll")
    run = Run.create(tmp_path / "run", config, [])
    run.save_metrics(
        [{"epoch": n, "phase": "all", "images": 100 * n, "error": 1.23456789 / n, "active": 0.5 / n} for n in (1, 2, 3)]
    )
    layers = [{"layer": n, "test_accuracy": 0.5 + n / 100, "floor_accuracy": 0.4} for n in (1, 2)]
    run.save_results(
        {
            "test_accuracy": 0.52,
            "floor_accuracy": 0.4,
            "per_layer": layers,
            "wiring": ["F1: ez1 -> layer 1"],
            "seconds": 12.3,
            "images_per_second": 456.7,
            "rule": "ll",
        }
    )
    return run


@pytest.fixture
def weights():
    rng = np.random.default_rng(2)
    return {"W1": rng.standard_normal((3, 3, 3, 20)).astype(np.float32), "W2": np.zeros((3, 3, 20, 4), np.float32)}


def test_the_page_says_what_the_files_say_and_stands_alone(run, weights):
    page.write(run, weights)
    text = (run.folder / "report.html").read_text(encoding="utf-8")
    nesting = Nesting()
    nesting.feed(text)
    assert nesting.open == []
    assert all(link.startswith(("data:", "#")) for link in nesting.links)
    for word in ("52.0 %", "40.0 %", "+12.0", "12 s of training", "457 images/s", "F1: ez1 -&gt; layer 1", "1.235"):
        assert word in text
    assert "&lt;strange&gt; &amp; odd.npz" in text and "<strange>" not in text
    assert text.count("<svg") == 2


def test_the_curve_is_a_table_and_a_figure(run, weights):
    def row(trained, floor):
        names = (
            "test_accuracy",
            "test_interval",
            "floor_accuracy",
            "floor_interval",
            "difference",
            "difference_interval",
        )
        return dict(zip(names, (trained, 0.01, floor, 0.02, trained - floor, 0.015), strict=True))

    best = {**row(0.6, 0.5), "layers": [1], "floor_layers": [2]}
    layers = [{"layer": n, **row(0.5, 0.4)} for n in (1, 2)]
    points = [
        {"labels": n, "draws": draws, "layers": layers, "together": None, "best": best}
        for n, draws in ((100, 10), (2000, 1))
    ]
    more = {
        "curve": points,
        "gain": best,
        "headline": {"layer": 2, "labels": 40, **row(0.52, 0.4)},
        "readout": "lbfgs",
        "learned_layers": [1, 2],
    }
    run.save_results({**run.results(), **more})
    text = page.page(run, weights)
    for words in ("100, 10 draws", "2,000", "50.0, 40.0, +10.0 ± 1.5", "read-out of layer 2", "is +10.0 ± 1.5 over"):
        assert words in text, words
    assert text.count("<svg") == 3 and "Not learned" not in text
    run.save_results({**run.results(), "learned_layers": [], "gain": None})
    assert "Not learned: layer 1, 2" in page.page(run, weights)


def test_without_matplotlib_the_page_says_how_to_have_curves(run, weights, monkeypatch):
    monkeypatch.setattr(figures, "can_plot", lambda: False)
    text = page.page(run, weights)
    assert "pip install 'neurosim[plots]'" in text and "<svg" not in text and "52.0 %" in text


def test_a_run_without_labels_and_without_training(run, weights):
    run.save_results({**run.results(), "test_accuracy": None, "floor_accuracy": None, "per_layer": [], "wiring": []})
    run.save_metrics([])
    text = page.page(run, weights)
    assert "No labels to read out; not trained." in text and "nothing learns" in text


def test_the_same_run_gives_the_same_page(run, weights):
    assert page.page(run, weights) == page.page(run, weights)


def test_filters_show_each_unit_s_weights(weights):
    """Decoded again, every cell is 127.5 + 127.5 w / max|w| of its unit, to a grey level."""
    shown = np.asarray(Image.open(io.BytesIO(figures.filters(weights["W1"], columns=6))))[
        :: figures.CELL, :: figures.CELL
    ]
    assert shown.shape == (4 * 4 + 1, 6 * 4 + 1, 3)
    for unit in range(20):
        y, x = 1 + unit // 6 * 4, 1 + unit % 6 * 4
        w = weights["W1"][..., unit]
        assert np.abs(shown[y : y + 3, x : x + 3] - (127.5 + 127.5 * w / np.abs(w).max())).max() <= 1


def test_filters_of_grey_pictures_and_of_nothing():
    for channels in (1, 5):
        shown = Image.open(io.BytesIO(figures.filters(np.zeros((3, 3, channels, 2), np.float32))))
        assert shown.size == (9 * figures.CELL, 5 * figures.CELL) and shown.getpixel((12, 12)) == (127, 127, 127)


def test_the_picture_in_the_page_is_a_png(run, weights):
    found = re.search(r'src="data:image/png;base64,([^"]+)"', page.page(run, weights))
    assert Image.open(io.BytesIO(base64.b64decode(found[1]))).format == "PNG"
