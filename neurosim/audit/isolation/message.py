"""What the child answers: one frame of JSON on one channel, signed with a key that its parent made."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from typing import Any

START = b"neurosim"
LENGTH = 8  # bytes of the length, and after it 32 of the signature
KEY = 32
LARGEST = 1 << 28  # bytes of an answer
HEAD = len(START) + LENGTH + 32


def framed(answer: dict[str, Any], key: bytes) -> bytes:
    """An answer as bytes."""
    body = json.dumps(answer).encode()
    return START + len(body).to_bytes(LENGTH, "big") + _signed(body, key) + body


def opened(data: bytes, key: bytes) -> dict[str, Any] | str:
    """The answer in a frame, or in words why there is none.

    Args:
        data: all that came.
        key: that it must be signed with.
    """
    if not data:
        return "it ended without an answer"
    mismatched = "something else wrote to the channel of its answer"
    if len(data) < HEAD or not data.startswith(START):
        return mismatched
    length = int.from_bytes(data[len(START) : len(START) + LENGTH], "big")
    signature, body = data[HEAD - 32 : HEAD], data[HEAD:]
    if len(body) != length or not hmac.compare_digest(signature, _signed(body, key)):
        return mismatched
    found = json.loads(body)
    return _printable(found) if isinstance(found, dict) else mismatched


def write_all(channel: int, data: bytes) -> None:
    """Write everything to a file descriptor."""
    view = memoryview(data)
    while view:
        view = view[os.write(channel, view) :]


def _signed(body: bytes, key: bytes) -> bytes:
    return hmac.new(key, body, hashlib.sha256).digest()


def _printable(thing: Any) -> Any:
    """Texts without what a terminal would obey."""
    if isinstance(thing, str):
        return "".join(c if c.isprintable() or c == "\n" else "?" for c in thing)
    if isinstance(thing, list):
        return [_printable(each) for each in thing]
    if isinstance(thing, dict):
        return {_printable(key): _printable(value) for key, value in thing.items()}
    return thing
