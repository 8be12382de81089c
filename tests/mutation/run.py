"""Applies faults to a copy of the package, one at a time, and names those that no test notices.

``python tests/mutation/run.py [--only REGEX] [--list]``. Each mutation stands in one of the TOML files beside this one: a
name, a file, the text that is there (once), the text that takes its place, and the tests that should fail. Spaces and line
ends of the text do not matter. The copy lies in a temporary folder; this checkout is never changed.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PARTS = {"neurosim/cli": "cli", "neurosim/bench": "benchmarks"}  # package_dir of setup.cfg: where the package has them
SECONDS = 300  # of the tests of one mutation, at most


@dataclass(frozen=True)
class Mutation:
    """One fault.

    Args:
        name: ``area: what is wrong``.
        file: that is changed, from the root of the repository.
        old: what is there, exactly once; spaces and line ends do not matter.
        new: what takes its place.
        tests: files, folders or nodes of pytest that should fail.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def apply(self, source: str) -> str:
        """The file's text with the fault.

        Raises:
            ValueError: the text is not there exactly once.
        """
        found = list(_pattern(self.old).finditer(source))
        if len(found) != 1:
            raise ValueError(f"{self.name}: {self.old!r} is {len(found)} times in {self.file}; expected once")
        return source[: found[0].start()] + self.new + source[found[0].end() :]


def _pattern(text: str) -> re.Pattern[str]:
    """Matches a text however it is laid out."""
    tokens = re.findall(r"\w+|[^\w\s]", text)
    pattern = r"(?<!\w)" if tokens[0][0].isalnum() else ""
    for before, token in zip(["", *tokens], tokens, strict=False):
        words = re.match(r"\w", before) and re.match(r"\w", token)
        comma = r",?\s*" if token in ")]}" and before != "," else ""  # of arguments that stand one in a line
        pattern += (r"\s+" if words else r"\s*" if before else "") + comma + re.escape(token)
    return re.compile(pattern + (r"(?!\w)" if re.match(r"\w", tokens[-1]) else ""))


def mutations(only: str = "") -> list[Mutation]:
    """All mutations whose name has a pattern somewhere."""
    files = sorted(HERE.glob("*.toml"))
    found = [entry for file in files for entry in tomllib.loads(file.read_text(encoding="utf-8"))["mutation"]]
    every = [Mutation(**{**entry, "tests": tuple(entry["tests"])}) for entry in found]
    return [mutation for mutation in every if re.search(only, mutation.name)]


class Copy:
    """The files of this checkout in another folder, with all that tests need to import the package from there.

    Args:
        root: an empty folder.

    Attributes:
        shown: what the tests that ran last have printed.
    """

    def __init__(self, root: Path):
        self.root, self.shown, self._changes = root, "", 0
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, encoding="utf-8"
        ).stdout
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_bytes((ROOT / name).read_bytes())
        for link, folder in PARTS.items():
            (root / link).symlink_to(root / folder)
        self._environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONPYCACHEPREFIX": str(root / ".cache")}
        code = "import neurosim, neurosim.cli, neurosim.bench as b; print(neurosim.__file__, *b.__path__)"
        shown = subprocess.run(
            [sys.executable, "-c", code], cwd=root, env=self._environment, capture_output=True, encoding="utf-8"
        )
        if shown.stdout.count(str(root)) != 2:
            raise SystemExit(f"tests would not import the copy in {root}: {shown.stdout}{shown.stderr}")

    def write(self, file: str, text: str) -> None:
        """Change a file, at a time of its own, so that no compiled file of before is taken for it."""
        self._changes += 1
        (self.root / file).write_text(text, encoding="utf-8")
        os.utime(self.root / file, (self._changes, self._changes))

    def test(self, tests: list[str], seconds: float) -> str:
        """Run tests here: ``passed``, ``failed`` or ``timeout``."""
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
        try:
            done = subprocess.run(
                command, cwd=self.root, env=self._environment, capture_output=True, encoding="utf-8", timeout=seconds
            )
        except subprocess.TimeoutExpired:
            return "timeout"
        self.shown = done.stdout + done.stderr
        return "failed" if done.returncode else "passed"


def main() -> int:
    """Applies mutations, prints each one's fate and the survivors; 1 where there are any."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", metavar="REGEX", help="mutations whose name matches")
    parser.add_argument("--list", action="store_true", help="show their names and tests, and run nothing")
    asked = parser.parse_args()
    chosen = mutations(asked.only)
    if asked.list:
        for mutation in chosen:
            print(f"{mutation.name}\n    {mutation.file}: {' '.join(mutation.tests)}")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        survivors = _run(Copy(Path(folder)), chosen)
    print(f"{len(chosen)} mutations, {len(survivors)} survived", *survivors, sep="\n  ")
    return bool(survivors)


def _run(copy: Copy, chosen: list[Mutation]) -> list[str]:
    """The names of those that no test notices."""
    if copy.test(sorted({test for mutation in chosen for test in mutation.tests}), 4 * SECONDS) != "passed":
        raise SystemExit(f"{copy.shown[-2000:]}\nthe tests fail without any mutation: correct that first")
    survivors = []
    for mutation in chosen:
        began, source = time.perf_counter(), (copy.root / mutation.file).read_text(encoding="utf-8")
        copy.write(mutation.file, mutation.apply(source))
        fate = {"failed": "killed", "passed": "SURVIVED"}.get(fate := copy.test(list(mutation.tests), SECONDS), fate)
        copy.write(mutation.file, source)
        print(f"{fate:<9} {time.perf_counter() - began:5.1f} s  {mutation.name}", flush=True)
        survivors += [mutation.name] * (fate == "SURVIVED")
    return survivors


if __name__ == "__main__":
    sys.exit(main())
