"""What is written down of a kernel: operations, what they were made from, and what is known of a piece of memory.

Each array holds *labels*: which of the step's arguments its numbers come from. Numbers without a label are constants.
Comparisons give the label `CHOICE` alone, sums of choices `COUNT`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

Labels = frozenset[str]
CHOICE, COUNT, TABLE = "choice", "count", "look-up"
DECIDED: Labels = frozenset({CHOICE, COUNT})
NOTHING: Labels = frozenset()


@dataclass(frozen=True)
class Operation:
    """One kind of operation at one source line.

    Args:
        kind: one of `neurosim.audit.operations.categories`.
        file: where it stands.
        line: the line there.
        text: what stands there.
        count: how many numbers it made.
        detail: the function, or what left the recording.
    """

    kind: str
    file: str
    line: int
    text: str
    count: int = 1
    detail: str = ""

    def __str__(self) -> str:
        more = f" ({self.detail})" if self.detail else ""
        return f"{self.kind}{more} at {os.path.basename(self.file)}:{self.line}: {self.text}"


class Node:
    """One operation as it happened, with what it was made from.

    Args:
        operation: None where constants alone were worked on, or numbers only moved.
        parents: what made its operands.
        sums: it adds up numbers of one array.

    Attributes:
        of_sum: some of its operands were made by adding up numbers of one array.
    """

    __slots__ = ("of_sum", "operation", "parents", "sums")

    def __init__(self, operation: Operation | None, parents: tuple[Node, ...], sums: bool = False):
        self.operation, self.parents, self.sums = operation, parents, sums
        self.of_sum: bool = any(parent.sums or parent.of_sum for parent in parents)


class Memory:
    """What is known of an array's memory, for every view on it.

    Args:
        size: how many numbers it has.
        labels: where they come from.
        node: what made them.
    """

    __slots__ = ("labels", "node", "size")

    def __init__(self, size: int, labels: Iterable[str] = NOTHING, node: Node | None = None):
        self.size, self.labels, self.node = size, frozenset(labels), node
