"""A fresh process that gives no answer: how it ended, how far it came, its last words, whether its files are others."""

import time
from types import SimpleNamespace

import pytest

from neurosim.audit.replay import process
from neurosim.audit.replay.analysis import Replay
from neurosim.audit.replay.process import Answer, FreshProcess, History
from neurosim.audit.replay.recipe import of_name

HISTORY = History("fresh process", 0, (0,))


@pytest.fixture
def started(tmp_path, monkeypatch):
    """Gives ``started(text, ...)``: a process that builds the rule ``dying:Mine`` of a file."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def start(text, **options):
        (tmp_path / "dying.py").write_text(text, encoding="utf-8")
        folder = tmp_path / "folder"
        folder.mkdir()
        recipe = of_name("dying:Mine", "2 tanh", (4, 4, 3), 4, "hinge", None, {}) if text else None
        return FreshProcess(recipe, HISTORY, folder, **options)

    return start


def problem(running, seconds=60.0):
    return running.answer(time.monotonic() + seconds).problem


def test_how_it_ended_where_and_its_last_words(started):
    found = problem(started("import os\nprint('farewell', flush=True)\nos._exit(7)"))
    assert found == (
        "the fresh process ended with exit code 7 and no answer, while it built the rule; its last words: farewell"
    )


def test_a_signal_is_named_and_files_that_have_changed(started, monkeypatch):
    monkeypatch.setattr(process, "file_digest", lambda: "other")
    found = problem(started("import os\nos.kill(os.getpid(), 9)"))
    assert "ended by signal 9 and no answer, while it built the rule" in found
    assert found.endswith("the package's files have changed since this process imported them")


def test_what_it_did_when_time_was_up(started):
    running = started("import time\ntime.sleep(100)")
    until = time.monotonic() + 60
    while not (running._folder / "stage").is_file() and time.monotonic() < until:
        time.sleep(0.05)
    answer = running.answer(running._began + 2)
    assert answer.problem == "the fresh process did not end within its 2 s, while it built the rule" and answer.late


def test_a_module_that_only_this_process_has(started):
    found = problem(started("", places=["neurosim.nothing"]))
    assert found == "ModuleNotFoundError: No module named 'neurosim.nothing'"


def test_before_it_has_begun(started):
    assert "did not end within its 0 s, before it had imported neurosim" in problem(started("x = 1"), 0.0)


LATE = Answer("the fresh process did not end within its 60 s", late=True)


@pytest.mark.parametrize("answer", [LATE, Answer("no such file"), Answer(LATE.problem, late=True, built=True)])
def test_a_process_that_is_late_or_builds_nothing_accuses_nobody(answer):
    replay = Replay(SimpleNamespace())
    replay._compare(HISTORY, answer, [], {})
    assert not replay.evidence.findings and answer.problem in replay.evidence.undecided["declared"]
    assert answer.problem in replay.evidence.not_asked[0]


def test_a_rule_that_only_says_it_is_late_is_accused():
    replay = Replay(SimpleNamespace())
    replay._compare(HISTORY, Answer("RuntimeError: not in time", built=True), [], {})
    assert "fails where this one did not: RuntimeError: not in time" in replay.evidence.findings[0].text


def test_a_bare_process_that_gives_no_answer_is_said_and_asked_again(monkeypatch):
    asked = [LATE, Answer(bare={"neurosim.core": "digest"})]
    monkeypatch.setattr(FreshProcess, "__init__", lambda *given, **options: None)
    monkeypatch.setattr(FreshProcess, "answer", lambda running, until: asked.pop(0))
    replay, names = Replay(SimpleNamespace()), ["neurosim.nothing.of.the.kind"]
    replay._compare_bare(names)
    assert replay.evidence.not_asked == [f"the code in memory is not compared with the package's files: {LATE.problem}"]
    assert process.bare_digests(tuple(names)) == {"neurosim.core": "digest"} and not asked
