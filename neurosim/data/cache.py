"""Where files lie that can be made or fetched again."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def user_cache() -> Path:
    """``neurosim`` in the user's cache: ``$XDG_CACHE_HOME`` where that is an absolute path, else ``~/.cache``.

    Where nobody's home is known, in the folder of temporary files: a folder named ``~`` here would be nobody's wish.
    """
    home = os.environ.get("XDG_CACHE_HOME", "")
    home = home if os.path.isabs(home) else os.path.expanduser("~/.cache")
    return Path(home if os.path.isabs(home) else tempfile.gettempdir()) / "neurosim"
