"""What is printed never ends a run: a closed stream, a reader that left, a full disk of the log, a missing letter."""

import io
import os
import subprocess
import sys

import click
import pytest
from neurosim.cli.main import BUG, main
from neurosim.cli.streams import Tolerant, tolerant

TRAIN = [
    "train",
    "--images",
    "60",
    "--epochs",
    "1",
    "--batch",
    "20",
    "--network",
    "4 pool, 5 pool",
    "--readout-images",
    "60",
]
CODE = "from neurosim.cli.main import main; main()"


class Broken(io.StringIO):
    """A stream that fails from its second line on, as a pipe whose reader left, or a full disk."""

    def write(self, text):
        if self.getvalue():
            raise BrokenPipeError(32, "Broken pipe")
        return super().write(text)


def test_what_cannot_be_written_is_dropped(monkeypatch):
    broken = Broken()
    monkeypatch.setattr(sys, "stdout", broken)
    with tolerant():
        print("one")
        print("two")
        assert sys.stdout.lost and not sys.stdout.isatty()
    assert sys.stdout is broken and broken.getvalue() == "one"


def test_a_stream_that_was_never_open():
    stream = Tolerant(None)
    assert stream.write("words") == 5 and not stream.isatty() and stream.encoding == "utf-8"
    stream.flush()


@pytest.mark.parametrize(
    ("encoding", "wanted"),
    [("ascii", "±…→"), ("utf-8", "±…→"), ("latin-1", "±...?"), ("cp437", "±...?"), ("koi8-r", "+-...?")],
)
def test_every_letter_is_written_somehow(encoding, wanted):
    raw = io.BytesIO()
    stream = Tolerant(io.TextIOWrapper(raw, encoding=encoding))
    stream.write("±…→")
    stream.flush()
    assert raw.getvalue().decode("utf-8" if encoding == "ascii" else encoding) == wanted


def run(arguments, where, **how):
    return subprocess.Popen([sys.executable, "-c", CODE, *arguments], cwd=where, **how)


def test_a_reader_that_goes_away_loses_nothing(tmp_path):
    process = run([*TRAIN, "--out", "a"], tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(120) == 0
    assert (tmp_path / "a" / "results.json").is_file()


@pytest.mark.skipif(sys.platform == "win32", reason="a shell closes streams by other words")
def test_closed_streams_lose_nothing(tmp_path):
    command = f'"$0" -c "{CODE}" ' + " ".join(f'"{word}"' for word in [*TRAIN, "--out", "a"]) + " >&- 2>&-"
    assert subprocess.run(["sh", "-c", command, sys.executable], cwd=tmp_path, check=False).returncode == 0
    assert (tmp_path / "a" / "results.json").is_file()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_a_full_disk_of_the_log_loses_nothing(tmp_path):
    with open("/dev/full", "wb") as full:
        assert run([*TRAIN, "--out", "a"], tmp_path, stdout=full, stderr=full).wait(120) == 0
    assert (tmp_path / "a" / "results.json").is_file()


def test_a_mistake_of_the_program_itself_exits_with_70_and_says_where_to_report_it(capsys):
    @click.command()
    def fails():
        raise ZeroDivisionError("division by zero")

    with pytest.raises(SystemExit) as stopped:
        main([], command=fails)
    assert stopped.value.code == BUG == 70
    shown = capsys.readouterr().err
    assert "ZeroDivisionError" in shown and "error: a mistake of neurosim" in shown.splitlines()[-1]


def test_nothing_is_printed_that_a_terminal_would_obey():
    from neurosim.cli.streams import _shown

    assert _shown("data \x1b[2J\x1b]0;x\x07 \u202eabc\x9b\n") == "data \\x1b[2J\\x1b]0;x\\x07 \\u202eabc\\x9b\n"
    for bar in ("\r 50 %", "\r\x1b[Kline", "\r\x1b[?25l", "\x1b[?25h\n", "\r    \r", "a\r\nb\n", "± … 像\t"):
        assert _shown(bar) == bar
    assert _shown("a\rb") == "a\\rb"
