"""Several cells of a grid at a time, each in a process of its own.

Steps are short, and threads of one process wait for each other between them: two cells on one thread each are done sooner
than two cells one after another on two threads. A cell's numbers are the same bits either way.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import signal
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait

from neurosim.engine.threads import ThreadTeam
from neurosim.errors import NeurosimError, RunError
from neurosim.reproduce.grid import Grid, Stage, Tell, known
from neurosim.training.trainer import Interrupted

OFTEN = 0.2  # seconds between two stages of a cell that are told


def run(grid: Grid, jobs: int, threads: int, tell: Tell, done: Callable[[dict], None]) -> None:
    """Run what is not finished.

    Args:
        grid: whose cells.
        jobs: processes. threads: of each.
        tell, done: as for `Grid.run`, called in this process.

    Raises:
        Interrupted: after all have saved, when Ctrl-C or SIGTERM came.
        RunError: as `Grid.run`; and a process that ended by itself.
        NeurosimError: whatever a cell met; the others have saved.
    """
    results = grid.results()
    waiting = grid.unfinished(results)
    # A terminal's Ctrl-C comes to all processes; this one passes it on. What is ignored here is ignored in those started here.
    with _handling(signal.SIGINT, signal.SIG_IGN):
        crew = [_Hand(grid, threads) for _ in range(min(jobs, len(waiting)))]
    try:
        with _handling(signal.SIGTERM, _interrupt):  # a polite kill stops the crew as Ctrl-C does
            while waiting or any(hand.task for hand in crew):
                for hand in crew:
                    if waiting and not hand.task:
                        cell, seed = waiting.pop(0)
                        hand.give(cell, seed, known(results, cell))
                lines = {hand.line: hand for hand in crew if hand.task}
                for line in wait(list(lines)):
                    told = lines[line].hear()
                    if isinstance(told, Stage):
                        tell(told)
                    else:
                        results[told["cell"], told["seed"]] = told
                        done(results)
    except KeyboardInterrupt:
        raise Interrupted from None
    finally:
        for hand in crew:
            hand.stop()
        for hand in crew:
            hand.leave()


class _Hand:
    """One process and the line to it."""

    def __init__(self, grid: Grid, threads: int):
        fields = {field.name: getattr(grid, field.name) for field in dataclasses.fields(grid) if field.init}
        spawn = multiprocessing.get_context("spawn")
        self.line, theirs = spawn.Pipe()
        self.task: tuple[str, int] | None = None
        self._process = spawn.Process(target=_serve, args=(fields, threads, theirs), name="neurosim cell", daemon=True)
        self._process.start()
        theirs.close()

    def give(self, cell, seed: int, audited) -> None:
        self.task = cell.name, seed
        with suppress(ConnectionError):  # it has ended: `hear` tells
            self.line.send((cell, seed, audited))

    def hear(self) -> Stage | dict:
        """The next word: a stage, or a cell's result, after which there is no task."""
        try:
            told = self.line.recv()
        except (EOFError, ConnectionError):
            self._process.join()
            name, seed = self.task
            raise RunError(f"the process of {name}, seed {seed}, ended with exit code {self._process.exitcode}", "a result",
                           "give the same command again; fewer --jobs take less memory") from None  # fmt: skip
        if isinstance(told, BaseException):
            raise told
        if not isinstance(told, Stage):
            self.task = None
        return told

    def stop(self) -> None:
        """Ask for a stop: at once, where a cell is trained after the batch and its checkpoint, or where it is read out already
        after its result."""
        with suppress(ConnectionError):
            self.line.send(None)
        if self.task:
            self._process.terminate()

    def leave(self) -> None:
        """Wait until it has ended; a second Ctrl-C ends it at once."""
        try:
            self._process.join()
        except KeyboardInterrupt:
            self._process.kill()
        self.line.close()


def _interrupt(number, frame):
    raise KeyboardInterrupt


@contextmanager
def _handling(number: int, handler):
    """A signal is handled so for a while; elsewhere than in the main thread as it was."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    old = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, old)


def _serve(fields: dict, threads: int, line: Connection) -> None:
    """What a process of the crew does: cells, as they are given, until there are no more or the line is closed."""
    last = 0.0

    def tell(stage: Stage) -> None:
        nonlocal last
        now = time.perf_counter()
        if now - last > OFTEN or not 0 < stage.part < 1:
            last = now
            with suppress(ConnectionError):  # nobody listens any more: the cell is still worth finishing
                line.send(stage)

    try:
        grid = Grid(**fields)
        with ThreadTeam(threads) as team:
            while (task := line.recv()) is not None:
                cell, seed, audited = task
                line.send(grid.finish(cell, seed, team, tell, audited))
    except (EOFError, ConnectionError, Interrupted):
        return  # nobody waits for more
    except NeurosimError as problem:
        line.send(problem)
