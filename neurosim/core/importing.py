"""Files of the user's, imported by name: what goes wrong there becomes one line."""

from __future__ import annotations

import importlib
import sys
import traceback
from types import ModuleType

from neurosim.errors import WiringError


def failure(problem: BaseException) -> str:
    """What went wrong in somebody else's code, and where, in words."""
    frame = traceback.extract_tb(problem.__traceback__)[-1]
    return f"{type(problem).__name__}: {problem} ({frame.filename}, line {frame.lineno})"


def imported(place: str, name: str) -> ModuleType:
    """Import a file of the user's; the current folder is searched last.

    Args:
        place: dotted, ``mylab.rules``.
        name: what was asked for, as the message has it: ``the rule mylab.rules:MyRule``.

    Raises:
        WiringError: the file is missing, or fails while it is imported; with its line.
    """
    if "" not in sys.path:
        sys.path.append("")  # the folder of this moment; "." would stay the folder of the first import
    importlib.invalidate_caches()
    try:
        return importlib.import_module(place)
    except Exception as problem:
        if isinstance(problem, ModuleNotFoundError) and (place + ".").startswith(f"{problem.name}."):
            raise WiringError(
                f"{name} names {place}, and there is no {problem.name}",
                "a file that Python finds from this folder or among what is installed",
                f"run from the folder that holds {place.split('.')[0]}, or install it",
            ) from None
        frame = traceback.extract_tb(problem.__traceback__)[-1]
        file = getattr(problem, "filename", None) or frame.filename
        line = getattr(problem, "lineno", None) or frame.lineno
        raise WiringError(
            f"{place} fails while it is imported ({type(problem).__name__}: {problem}; {file}, line {line})",
            "a file that can be imported",
            f"correct it: python -c 'import {place}' shows all",
        ) from problem
