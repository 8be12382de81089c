"""What a rule asks its interpreter for while a step runs, and no array declares: files, the stack, memory, processes."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path
from typing import Any

import numpy as np

from neurosim.audit.package import PACKAGE

# Events of Python's audit hooks (PEP 578) -> what happens, in words.
ASKED = {
    "open": "reads the file {}",
    "os.listdir": "lists the folder {}",
    "os.scandir": "lists the folder {}",
    "sys._getframe": "looks at who calls it",
    "sys._current_frames": "looks at what other threads do",
    "gc.get_objects": "looks through the memory of the process",
    "gc.get_referrers": "looks through the memory of the process",
    "gc.get_referents": "looks through the memory of the process",
    "subprocess.Popen": "starts the process {}",
    "os.system": "starts the process {}",
    "os.exec": "starts the process {}",
    "os.posix_spawn": "starts the process {}",
    "os.fork": "starts a process",
    "socket.connect": "asks another machine",
    "socket.getaddrinfo": "asks another machine",
}
OURS = (f"{PACKAGE}{os.sep}", f"{sysconfig.get_path('stdlib')}{os.sep}", f"{Path(np.__file__).parent}{os.sep}")
# Who reads files and stacks on the way to something else: imports, the lines of a warning, the place of a line in a log.
PASSING = (
    "<frozen importlib",
    *(f"{OURS[1]}{word}" for word in ("importlib", "linecache.py", "warnings.py", "logging")),
)
MOST = 40  # that are kept
BUILT = "built"  # the place of what is asked while a rule is built


class Watch:
    """Listens to what somebody else's code asks this process for; once, as no process forgets a hook.

    Attributes:
        place: what runs now, in words; empty: nothing is listened to.
        heard: where, and what was asked for, each once.
    """

    def __init__(self) -> None:
        self.place, self.heard = "", list[tuple[str, str]]()
        sys.addaudithook(self._hear)

    def _hear(self, event: str, given: tuple[Any, ...]) -> None:
        place = self.place
        if not place or event not in ASKED or len(self.heard) >= MOST or (event == "open" and _writes(given)):
            return
        self.place = ""  # what is asked here is not listened to
        try:
            if _is_theirs(("<string>",) * (place == BUILT)):
                question = place, ASKED[event].format(*(given[:1] or ("",)))
                if question not in self.heard:
                    self.heard.append(question)
        finally:
            self.place = place


def _writes(given: tuple[Any, ...]) -> bool:
    """Whether a file is opened to be written alone."""
    _, mode, flags = given
    if isinstance(mode, str):
        return not {"r", "+"} & set(mode)
    return isinstance(flags, int) and flags & os.O_ACCMODE == os.O_WRONLY


def _is_theirs(made: tuple[str, ...]) -> bool:
    """Whether somebody else's code is on the stack, and asks for itself.

    Args:
        made: names of files of code that is written as it is needed, as the constructors of dataclasses are.
    """
    frame, theirs = sys._getframe(2), False
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(PASSING):
            return False
        theirs = theirs or not file.startswith(("<frozen", *made, *OURS))
        frame = frame.f_back  # type: ignore[assignment]
    return theirs
