"""``python -m neurosim``: the command ``neurosim``."""

from neurosim.cli.main import main

if __name__ == "__main__":
    main()
