"""Records of other people's: JSON that is parsed with limits, and compared with the shape that it should have."""

from __future__ import annotations

import json
import re
from typing import Any, TypeAlias

DEEPEST = 64  # lists and records within one another
WORDS = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    bool: "true or false",
    dict: "a record",
    list: "a list",
}
_PARTS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)

# A type; a list of what is a shape; a record with a shape a name (a name that ends in ? may be missing); several shapes; None.
Shape: TypeAlias = Any


def parsed(text: str) -> Any:
    """What a JSON text holds.

    Raises:
        ValueError: it is none, is nested deeper than `DEEPEST`, or holds halves of letters.
    """
    if text.count("[") + text.count("{") > DEEPEST:
        depth = 0
        for part in _PARTS.finditer(text):
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(part[0], 0)
            if depth > DEEPEST:
                raise ValueError(f"nested deeper than {DEEPEST}")
    found = json.loads(text)
    if "\\ud" in text or "\\uD" in text:
        json.dumps(found, ensure_ascii=False).encode()  # UnicodeEncodeError is a ValueError
    return found


def check(found: Any, shape: Shape, where: str = "") -> Any:
    """Hold that a value has a shape; gives the value.

    Raises:
        ValueError: it has another; it says where.
    """
    if isinstance(shape, tuple):
        if not any(_is(found, each) for each in shape):
            raise _other(found, shape, where)
    elif isinstance(shape, list):
        for number, each in enumerate(check(found, list, where)):
            check(each, shape[0], f"{where}[{number}]")
    elif isinstance(shape, dict):
        check(found, dict, where)
        for name, each in shape.items():
            key = name.removesuffix("?")
            if key in found:
                check(found[key], each, f"{where}.{key}" if where else key)
            elif key == name:
                raise ValueError(f"{where or 'it'} has no {name}")
    elif not _is(found, shape):
        raise _other(found, (shape,), where)
    return found


def _is(found: Any, shape: Shape) -> bool:
    if shape is None:
        return found is None
    if not isinstance(shape, type):
        try:
            check(found, shape)
        except ValueError:
            return False
        return True
    if isinstance(found, bool):
        return shape is bool
    return isinstance(found, (int, float) if shape is float else shape)


def _other(found: Any, shapes: tuple[Shape, ...], where: str) -> ValueError:
    words = [
        "nothing" if each is None else WORDS[each] if isinstance(each, type) else WORDS[type(each)] for each in shapes
    ]
    return ValueError(f"{where or 'it'} is {repr(found)[:40]}, not {' or '.join(words)}")
