"""The file itself leaves while it is imported, with the code of success."""

import sys

EXPECTED = {"exit": 3, "process": True}

sys.exit(0)
