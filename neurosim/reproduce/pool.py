"""Several cells of a grid at a time, each in a process of its own.

Steps are short, and threads of one process wait for each other between them: two cells on one thread each are done sooner
than two cells one after another on two threads. A cell's numbers are the same bits either way. A process whose parent has
died saves and ends.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from types import FrameType
from typing import TYPE_CHECKING, Any

from neurosim.engine.threads import ThreadTeam
from neurosim.errors import NeurosimError, RunError
from neurosim.reproduce.grid import Grid, Stage, StageCallback
from neurosim.reproduce.results import Audited, Result, Results, audited
from neurosim.training.lock import Lock
from neurosim.training.trainer import Interrupted

if TYPE_CHECKING:
    from neurosim.reproduce.cells import Cell


def cores() -> int:
    """Threads that this process may use."""
    return ThreadTeam().threads


INTERVAL = 0.2  # seconds between two stages that a process sends of one cell
GRACE = 60.0  # seconds for a batch and a checkpoint, of a process whose parent has died


def run(
    grid: Grid, processes: int, threads: int, on_stage: StageCallback, on_result: Callable[[Results], None]
) -> None:
    """Run what is not finished. A cell that fails is noted in `Grid.failed`; the others go on.

    Args:
        grid: whose cells.
        processes: how many.
        threads: of each.
        on_stage: as for `Grid.run`, called in this process.
        on_result: likewise.

    Raises:
        Interrupted: after all have saved, when Ctrl-C or SIGTERM came.
        RunError: as `Grid.run`.
    """
    results = grid.results()
    waiting = grid.unfinished(results)
    workers: list[Worker] = []
    try:
        # A polite kill stops all processes as Ctrl-C does; a folder is worked on by one command.
        with Lock(grid.out), _handling(signal.SIGTERM, _interrupt):
            workers += [Worker(grid, threads) for _ in range(min(processes, len(waiting)))]
            while waiting or any(worker.task for worker in workers):
                for number, worker in enumerate(workers):
                    if waiting and not worker.task:
                        if not worker.alive:
                            worker.join()
                            worker = workers[number] = Worker(grid, threads)
                        cell, seed = waiting.pop(0)
                        worker.submit(cell, seed, audited(results, cell))
                _receive(grid, workers, results, on_stage, on_result)
    except KeyboardInterrupt:
        raise Interrupted from None
    finally:
        for worker in workers:
            worker.stop()
        for worker in workers:
            worker.join()


def _receive(
    grid: Grid,
    workers: list[Worker],
    results: Results,
    on_stage: StageCallback,
    on_result: Callable[[Results], None],
) -> None:
    """Wait for messages of the processes at work, and pass them on."""
    busy = {worker.connection: worker for worker in workers if worker.task}
    for connection in wait(list(busy)):
        assert isinstance(connection, Connection)
        worker = busy[connection]
        task = worker.task
        message = worker.receive()
        if isinstance(message, Stage):
            on_stage(message)
            continue
        assert task is not None
        if isinstance(message, NeurosimError):
            grid.failed[task] = message
        else:
            results[task] = message
        on_result(results)


class Worker:
    """One process and the connection to it.

    Args:
        grid: whose cells it works on.
        threads: of the process.
    """

    def __init__(self, grid: Grid, threads: int):
        fields = {field.name: getattr(grid, field.name) for field in dataclasses.fields(grid) if field.init}
        spawn = multiprocessing.get_context("spawn")
        self.connection, theirs = spawn.Pipe()
        self.task: tuple[str, int] | None = None
        self._process = spawn.Process(
            target=_work, args=(type(grid), fields, threads, theirs), name="neurosim cell", daemon=True
        )
        # A terminal's Ctrl-C comes to all processes; this one passes it on. What is ignored here is ignored in what it starts.
        with _handling(signal.SIGINT, signal.SIG_IGN):
            self._process.start()
        theirs.close()
        self.alive = True

    def submit(self, cell: Cell, seed: int, audit: Audited | None) -> None:
        """Give it a cell with a seed, and what the audit says of the cell where that is known."""
        self.task = cell.name, seed
        with suppress(ConnectionError):  # it has ended: `receive` says so
            self.connection.send((cell, seed, audit))

    def receive(self) -> Stage | Result | NeurosimError:
        """The next message: a stage; or a cell's result, or what it failed by, after which there is no task."""
        try:
            message: Stage | Result | NeurosimError = self.connection.recv()
        except (EOFError, ConnectionError):
            self._process.join()
            self.alive = False
            message = RunError(
                f"its process ended with exit code {self._process.exitcode}",
                "a result",
                "give the same command again; fewer cells at a time, --jobs 1, take less memory",
            )
        if not isinstance(message, Stage):
            self.task = None
        return message

    def stop(self) -> None:
        """Ask it to stop: a cell in training after its batch and a checkpoint, a cell in read-out after its result."""
        with suppress(ConnectionError):
            self.connection.send(None)
        if self.task:
            self._process.terminate()

    def join(self) -> None:
        """Wait until it has ended; a second Ctrl-C ends it at once."""
        try:
            self._process.join()
        except KeyboardInterrupt:
            self._process.kill()
        self.connection.close()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def _handling(number: int, handler: Callable[[int, FrameType | None], Any] | signal.Handlers) -> Iterator[None]:
    """A signal is handled so for a while; elsewhere than in the main thread as it was."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    old = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, old)


def _follow(sentinel: Any) -> None:
    """Wait for the parent's end: then stop as by SIGTERM, after a checkpoint where a cell is trained; later by force.

    The sentinel is the end of a pipe that the parent's death closes, on every system.
    """
    wait([sentinel])
    signal.raise_signal(signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(1)


def _work(kind: type[Grid], fields: dict[str, Any], threads: int, connection: Connection) -> None:
    """What a process does: cells, as they are submitted, until there are no more or the connection is closed."""
    last = 0.0
    above = multiprocessing.parent_process()
    if above is not None:
        threading.Thread(target=_follow, args=(above.sentinel,), daemon=True).start()

    def on_stage(stage: Stage) -> None:
        nonlocal last
        now = time.perf_counter()
        if now - last > INTERVAL or not 0 < stage.part < 1:
            last = now
            with suppress(ConnectionError):  # nobody reads any more: the cell is still worth finishing
                connection.send(stage)

    try:
        grid = kind(**fields)
        with ThreadTeam(threads) as team:
            while (task := connection.recv()) is not None:
                cell, seed, audit = task
                connection.send(grid.attempt(cell, seed, team, on_stage, audit))
    except (EOFError, ConnectionError, Interrupted):
        return  # nobody waits for more
    except NeurosimError as problem:
        connection.send(problem)
