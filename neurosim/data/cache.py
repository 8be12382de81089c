"""Where files lie that can be made or fetched again."""

from __future__ import annotations

import os
from pathlib import Path


def user_cache() -> Path:
    """``neurosim`` in the user's cache: ``$XDG_CACHE_HOME`` where that is an absolute path, else ``~/.cache``."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    return Path(home if os.path.isabs(home) else os.path.expanduser("~/.cache")) / "neurosim"
