"""A team of threads that runs tasks: the calling thread works too, and helpers wait at a semaphore."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType

import numpy as np
from threadpoolctl import threadpool_limits

from neurosim.core.cores import cores
from neurosim.core.typing import Array

Task = Callable[[], object]


class ThreadTeam:
    """Threads that run tasks, each with a single-threaded BLAS and with memory for the blocks it works on.

    The calling thread is one of them: a helper is woken in some 10 microseconds, a pool of futures needs 84 to 177 for the
    tasks of one segment. Use it as a context: the BLAS is held to one thread inside, and let go again.

    Args:
        threads: how many; None: as many as the process may use.
    """

    def __init__(self, threads: int | None = None):
        self.threads = threads or cores()[0]
        self._helpers: list[threading.Thread] = []
        self._memory = threading.local()
        self._tasks: deque[Task] | None = None
        self._errors: list[BaseException] = []

    def __enter__(self) -> ThreadTeam:
        self._limits = threadpool_limits(1)
        self._asked, self._done = threading.Semaphore(0), threading.Semaphore(0)
        self._helpers = [
            threading.Thread(target=self._help, name=f"neurosim {number}", daemon=True)
            for number in range(1, self.threads)
        ]
        for helper in self._helpers:
            helper.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tasks = None
        for _ in self._helpers:
            self._asked.release()
        for helper in self._helpers:
            helper.join()
        self._helpers = []
        self._limits.restore_original_limits()
        self._memory = threading.local()

    def thread_local(self, size: int) -> Array:
        """So many bytes of the calling thread's own, undefined, valid until the same thread asks again."""
        held: Array | None = getattr(self._memory, "bytes", None)
        if held is None or held.size < size:
            held = self._memory.bytes = np.empty(size, np.uint8)
        return held[:size]

    def run(self, tasks: list[Task]) -> None:
        """Run every task; return when all are done.

        The first error of a task is raised, and tasks not yet begun are left out.
        """
        helpers = min(len(self._helpers), len(tasks) - 1)
        if helpers < 1:
            for task in tasks:
                task()
            return
        queue = self._tasks = deque(tasks)
        self._errors = []
        self._asked.release(helpers)
        try:
            _drain(queue)
        finally:
            queue.clear()
            for _ in range(helpers):
                self._done.acquire()
        if self._errors:
            raise self._errors[0]

    def _help(self) -> None:
        """What a helper does until the team is dismissed."""
        while self._asked.acquire() and self._tasks is not None:
            try:
                _drain(self._tasks)
            except BaseException as error:  # the calling thread raises it
                self._errors.append(error)
                self._tasks.clear()
            self._done.release()


def _drain(tasks: deque[Task]) -> None:
    """Run tasks one after another until none is left; several threads may take from one queue."""
    while True:
        try:
            task = tasks.popleft()
        except IndexError:
            return
        task()
