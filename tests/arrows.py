"""Count the arrows between rooms: pairs of rooms of which one imports the other. ``python tests/arrows.py`` prints them.

A room is a folder or a file directly below ``neurosim/``, and ``cli/``; the package's own face (``__init__``, ``__main__``) is
none. Imports that only type checkers see do not count; imports inside functions do.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def room_of(dotted: str, rooms: set[str]) -> str | None:
    """The room that an imported name belongs to; None where it is of no room of neurosim's."""
    words = dotted.split(".")
    return words[1] if words[0] == "neurosim" and len(words) > 1 and words[1] in rooms else None


def imports(path: Path) -> Iterator[str]:
    """Every name that a file imports, those that only type checkers see left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and ast.unparse(branch.test) == "TYPE_CHECKING"
        for inner in branch.body
        for node in ast.walk(inner)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def files(root: Path = ROOT) -> Iterator[tuple[Path, str]]:
    """Every file of the package with its room, benchmarks left out."""
    for path in sorted((root / "neurosim").rglob("*.py")):
        place = path.relative_to(root / "neurosim")
        yield path, place.parts[0] if len(place.parts) > 1 else place.stem
    for path in sorted((root / "cli").rglob("*.py")):
        yield path, "cli"


def arrows(root: Path = ROOT) -> dict[tuple[str, str], int]:
    """(room, room that it imports) -> in how many files."""
    every = [(path, room) for path, room in files(root) if not room.startswith("__")]
    rooms = {room for _, room in every}
    found: dict[tuple[str, str], int] = {}
    for path, room in every:
        for other in {room_of(name, rooms) for name in imports(path)} - {None, room}:
            assert other is not None
            found[room, other] = found.get((room, other), 0) + 1
    return found


def main() -> None:
    """Print every arrow and how many there are."""
    found = arrows(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT)
    for (room, other), count in sorted(found.items()):
        print(f"{room:12} -> {other:12} in {count} files")
    print(f"{len(found)} arrows between {len({room for pair in found for room in pair})} rooms")


if __name__ == "__main__":
    main()
