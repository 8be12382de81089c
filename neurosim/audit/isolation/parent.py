"""Starts the process in which other people's code runs, listens to it, and ends it; says in one line what went wrong."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

from neurosim.audit.isolation import launcher, message
from neurosim.audit.package import file_digest
from neurosim.errors import NeurosimError, UndecidedError

TIMEOUT, MEMORY = 120.0, 8.0
PATIENCE = 5.0  # seconds for the launcher to end what is left
START = "import sys; from neurosim.audit.isolation.child import main; main(int(sys.argv[1]))"


@dataclass(frozen=True)
class Limits:
    """What a process may take.

    Args:
        timeout: seconds.
        memory: GiB.
    """

    timeout: float = TIMEOUT
    memory: float = MEMORY


def call(entry: str, arguments: Any, limits: Limits, title: str) -> Any:
    """Call a function of this package in a process of its own, in which it may import other people's code.

    Args:
        entry: ``module:function``, of this package.
        arguments: what it is called with, as JSON has it; it gives what JSON has, too.
        limits: of the process.
        title: what is audited, for messages.

    Returns:
        What the function gave.

    Raises:
        UndecidedError: the process crashed, ended, hung, or gave no answer; or something in it failed.
        NeurosimError: wrong usage, or bad input.
    """
    before, key = file_digest(), secrets.token_bytes(message.KEY)
    asked = {"entry": entry, "arguments": arguments, "memory": limits.memory, "key": key.hex()}
    with _Process(json.dumps(asked).encode(), limits) as process:
        process.listen(time.monotonic() + limits.timeout)
    if process.late:
        raise _undecided(title, f"it did not end within {limits.timeout:g} s", "give more with --timeout")
    found = message.opened(bytes(process.answer), key) if process.how == "exit 0" else _how(process.how)
    if file_digest() != before:
        raise _undecided(title, "it changed files of neurosim", "install neurosim again")
    if isinstance(found, str):
        raise _undecided(title, found)
    if "error" in found:
        raise (UndecidedError if found["code"] == UndecidedError.exit_code else NeurosimError)(*found["error"])
    if "answer" not in found:
        raise _undecided(title, str(found.get("problem")))
    return found["answer"]


def _undecided(title: str, what: str, hint: str = "correct it; until then nothing can be decided") -> UndecidedError:
    return UndecidedError(f"{title}: {what}", "a rule or module that can be wired and run to its end", hint)


def _how(text: str) -> str:
    """How a process ended, from what the launcher says, in words."""
    word, _, number = text.partition(" ")
    if word == "signal":
        with contextlib.suppress(ValueError):
            return f"its process crashed ({signal.Signals(int(number)).name})"
    if word == "memory":
        return "not enough memory: it takes more than --memory"
    if word == "exit":
        return f"it ended its process (exit code {number})"
    return "its process and what watches it were killed"


class _Process:
    """The launcher, the process below it, and all that comes from them.

    Args:
        asked: what the process reads.
        limits: of it.
    """

    def __init__(self, asked: bytes, limits: Limits) -> None:
        self.answer, self.status, self.late = bytearray(), bytearray(), False
        answer, at_child = os.pipe()
        status, at_launcher = os.pipe()
        self._ends = {answer: self.answer, status: self.status}
        path = [entry or os.getcwd() for entry in sys.path]
        self._running = subprocess.Popen(
            [
                *(sys.executable, "-I", "-S", launcher.__file__, str(at_launcher), str(limits.memory * 2**30)),
                *(sys.executable, "-P", "-c", START, str(at_child)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(at_child, at_launcher),
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
        )
        os.close(at_child)
        os.close(at_launcher)
        assert self._running.stdin is not None
        with contextlib.suppress(BrokenPipeError), self._running.stdin:
            self._running.stdin.write(asked)

    @property
    def how(self) -> str:
        """``exit 0``, ``signal 11``; empty where the launcher was killed, too."""
        return self.status.decode(errors="replace")

    def __enter__(self) -> _Process:
        return self

    def listen(self, until: float) -> None:
        """Take what it answers and throw away what it prints, until it has ended, or until a moment."""
        with selectors.DefaultSelector() as selector:
            printed = self._running.stdout
            assert printed is not None
            for end in (*self._ends, printed.fileno()):
                selector.register(end, selectors.EVENT_READ)
            while self._running.poll() is None:
                if time.monotonic() > until or len(self.answer) > message.LARGEST:
                    self.late = True
                    return
                self._read(selector, 0.05)
            while self._read(selector, 0):
                pass

    def _read(self, selector: selectors.BaseSelector, wait: float) -> bool:
        """Read once what has come; gives whether anything had."""
        some = False
        for key, _ in selector.select(wait):
            data = os.read(key.fd, 1 << 16)
            if not data:
                selector.unregister(key.fd)
            elif key.fd in self._ends:
                self._ends[key.fd] += data
            some = some or bool(data and key.fd in self._ends)
        return some

    def __exit__(self, *_: object) -> None:
        """End what is still running, and close everything."""
        if self._running.poll() is None:
            self._running.terminate()  # the launcher ends all that is below it
            try:
                self._running.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(OSError):
                    os.killpg(self._running.pid, signal.SIGKILL)
                self._running.wait()
        for end in self._ends:
            os.close(end)
        if self._running.stdout is not None:
            self._running.stdout.close()
