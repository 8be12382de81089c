"""What happens beside the loop: rows of an epoch alone, rates by their schedule, stops, a bar."""

import sys
import time

import numpy as np
import pytest

from neurosim.engine.threads import ThreadTeam
from neurosim.training.callbacks import Bar, Each, Line, span
from neurosim.training.trainer import SHAPES, Callback, Interrupted


def train(trainer):
    """The same trainer after its run."""
    with ThreadTeam(1) as team:
        trainer.train(team)
    return trainer


def test_a_row_is_of_its_epoch_alone(begin):
    """Loss, active share and figures of every epoch from its own batches; nothing of the epochs before."""
    batches = []

    class Note(Callback):
        def on_batch(self, trainer):
            units = trainer.model.rule.errors.values()
            batches.append(np.sum([u.value.host() for u in units], axis=0))

    trainer = train(begin([Note()], epochs=3))
    each = trainer.stream.batches
    for number, row in enumerate(trainer.rows):
        loss, active, compared = np.sum(batches[number * each : (number + 1) * each], axis=0)
        assert row["error"] == pytest.approx(loss / (7 * each), rel=1e-6)
        assert row["active"] == pytest.approx(active / compared, rel=1e-6)
    assert [row["images"] for row in trainer.rows] == [35, 70, 105]
    assert len({row["error"] for row in trainer.rows}) == 3


def test_figures_of_a_rule_are_means_of_the_epoch(begin):
    batches = []

    def note(progress):
        batches.append([float(b.host()[0]) for b in trainer.model.rule.figures().values()])

    trainer = begin([Each(note)], rule="dtp", network="4 bias tanh pool, 5 bias hardtanh, head bias tanh", lags=None)
    train(trainer)
    for number, row in enumerate(trainer.rows):
        means = np.mean(batches[5 * number : 5 * number + 5], axis=0)
        assert [row[name] for name in trainer.model.rule.figures()] == pytest.approx(means, rel=1e-6)


@pytest.mark.parametrize("schedule", SHAPES)
def test_every_rate_follows_the_schedule_the_heads_too(begin, schedule):
    seen = []

    def note(progress):
        network = trainer.model.network
        every = [network.plasticity, network.head_plasticity, *network.layer_plasticities]
        seen.append([float(p.rate.host()[0]) for p in every])

    trainer = begin([Each(note)], schedule=schedule, head_rate=0.5, layer_rates=(1.0, 0.5, 2.0))
    train(trainer)
    rates = 0.02 * np.array([1.0, 0.5, 1.0, 0.5, 2.0])
    places = np.arange(10) / 10
    wanted = np.array([SHAPES[schedule](place) for place in places])[:, None] * rates
    np.testing.assert_allclose(seen, wanted, rtol=1e-6)


def test_the_rate_of_inverses_follows_the_schedule(begin):
    seen = []
    note = Each(lambda progress: seen.append(float(trainer.model.rule.inverse_plasticity.rate.host()[0])))
    trainer = begin(
        [note], rule="dtp", network="4 hardtanh, 5 hardtanh", lags=None, schedule="linear", inverse_rate=3.0
    )
    train(trainer)
    np.testing.assert_allclose(seen, 3 * 0.02 * (1 - np.arange(10) / 10), rtol=1e-6)


def test_a_callback_may_stop_between_two_batches(begin):
    ended = []

    class Stop(Callback):
        def on_batch(self, trainer):
            if trainer.progress.done == 3:
                trainer.stop()

        def on_stop(self, trainer):
            ended.append((trainer.progress.done, trainer.failed))

    trainer = begin([Stop()])
    with pytest.raises(Interrupted):
        train(trainer)
    assert ended == [(3, False)]
    assert train(trainer).progress.done == 10 and ended[-1] == (10, False)  # it goes on where it was


def test_every_batch_of_every_epoch_is_shown_and_drawn_for_once(begin, monkeypatch):
    trainer, shown, drawn = begin(), [], []
    with ThreadTeam(1) as team:
        trainer.model.ready(trainer.stream, team)  # it looks at the first batch
    load, draw = trainer.stream.load, trainer.model.rule.draw
    monkeypatch.setattr(trainer.stream, "load", lambda *place: (shown.append(place), load(*place)))
    monkeypatch.setattr(trainer.model.rule, "draw", lambda *place: (drawn.append(place), draw(*place)))
    train(trainer)
    assert shown == drawn == [(epoch, batch) for epoch in range(2) for batch in range(5)]


def test_an_error_ends_it_and_says_so(begin):
    ended = []

    class Break(Callback):
        def on_batch(self, trainer):
            raise ZeroDivisionError

        def on_stop(self, trainer):
            ended.append(trainer.failed)

    with pytest.raises(ZeroDivisionError):
        train(begin([Break()]))
    assert ended == [True]


def test_seconds_are_those_of_batches_alone(begin):
    class Slow(Callback):
        def on_batch(self, trainer):
            time.sleep(0.02)  # a callback's own time does not count

    trainer, began = begin([Slow()]), time.perf_counter()
    train(trainer)
    assert 0 < trainer.progress.seconds < time.perf_counter() - began - 10 * 0.02
    assert sum(row["seconds"] for row in trainer.rows) == pytest.approx(trainer.progress.seconds, abs=0.01)


def test_the_bar_is_a_line_every_ten_seconds_where_there_is_no_terminal(begin, capsys, monkeypatch):
    train(begin([Bar()]))
    (line,) = capsys.readouterr().err.splitlines()  # the last; all was done before the first
    words = ("epoch 2/2", "error ", "active ", "images/s", "0 s left")
    assert line.startswith("all layers") and all(word in line for word in words)
    monkeypatch.setattr(Line, "EVERY", 0.0)
    train(begin([Bar()]))
    epochs = [line.split("epoch ")[1][:3] for line in capsys.readouterr().err.splitlines()]
    assert epochs == ["1/2"] * 5 + ["2/2"] * 5
    train(begin([Bar(quiet=True)]))
    assert not capsys.readouterr().err
    assert not Bar.wanted()
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    assert Bar.wanted()


def test_the_bar_on_a_terminal(begin, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    train(begin([Bar()]))
    assert "epoch 2/2" in capsys.readouterr().err


@pytest.mark.parametrize(("seconds", "words"), [(5, "5 s"), (89.4, "89 s"), (120, "2 min"), (5400, "1.5 h")])
def test_seconds_in_words(seconds, words):
    assert span(seconds) == words
