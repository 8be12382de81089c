"""Damage: of bytes, records and texts, and within containers whose lengths and sums are right, so inner readers are reached."""

import gzip
import io
import json
import struct
import tarfile
import zipfile
import zlib

import numpy as np

NUMBERS = (0, 1, 2, 3, 4, 7, 127, 128, 255, 256, 32767, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1)
VALUES = (
    None, True, False, 0, 1, -1, 3, 2**31, 2**63, 10**30, 0.5, -0.0, 1e308, float("nan"), float("inf"), "", "x", "\x1b[31m",
    "\u202e", "a" * 300, "module:Class", "<given>", "../../x", [], [[]], {}, {"a": 1}, [1, 2, 3], [None], ["x"],
)  # fmt: skip


def raw(rng, data):
    """Some bytes changed, taken out, put in, or given twice."""
    data = bytearray(data)
    for _ in range(int(rng.integers(1, 5))):
        place, kind = int(rng.integers(0, len(data) + 1)), int(rng.integers(0, 7))
        size = int(2 ** rng.integers(0, 6))
        if kind == 0 and data:
            data[place % len(data)] ^= 1 << int(rng.integers(0, 8))
        elif kind == 1 and data:
            data[place % len(data)] = int(rng.integers(0, 256))
        elif kind == 2:
            del data[place : place + size]
        elif kind == 3:
            data[place:place] = rng.bytes(size)
        elif kind == 4:
            data[place:place] = data[place : place + size]
        elif kind == 5:
            del data[place:]
        else:
            width = int(2 ** rng.integers(0, 4))
            number = int(rng.choice(np.array(NUMBERS, object))) % 256**width
            data[place : place + width] = number.to_bytes(width, ("little", "big")[int(rng.integers(0, 2))])
    return bytes(data)


def _places(thing, path=()):
    yield path
    if isinstance(thing, dict | list):
        for key in list(thing) if isinstance(thing, dict) else range(len(thing)):
            yield from _places(thing[key], (*path, key))


def record(rng, thing):
    """A record with some values or names changed, gone, or moved to another place."""
    thing = json.loads(json.dumps(thing))
    for _ in range(int(rng.integers(1, 3))):
        places = [path for path in _places(thing) if path]
        if not places:
            return VALUES[int(rng.integers(0, len(VALUES)))]
        *path, key = places[int(rng.integers(0, len(places)))]
        above = thing
        for step in path:
            above = above[step]
        kind = int(rng.integers(0, 5))
        if kind == 0:
            del above[key]
        elif kind == 1 and isinstance(above, dict):
            above[str(VALUES[int(rng.integers(0, len(VALUES)))])] = above.pop(key)
        elif kind == 2:
            other = thing
            for step in places[int(rng.integers(0, len(places)))]:
                other = other[step]
            above[key] = json.loads(json.dumps(other))
        else:
            above[key] = VALUES[int(rng.integers(0, len(VALUES)))]
    return thing


def text(rng, words):
    """A text with some words changed, and some bytes where that is drawn."""
    parts = words.replace(",", " , ").replace("=", " = ").split(" ")
    for _ in range(int(rng.integers(1, 4))):
        place = int(rng.integers(0, len(parts)))
        parts[place] = (str(VALUES[int(rng.integers(0, len(VALUES)))]), parts[int(rng.integers(0, len(parts)))], "")[
            int(rng.integers(0, 3))
        ]
    data = " ".join(parts).replace(" , ", ",").replace(" = ", "=").encode("utf-8", "surrogatepass")
    return raw(rng, data) if rng.integers(0, 3) == 0 else data


def array(rng, values):
    """An array of another type, shape or content."""
    values, kind = np.asarray(values), int(rng.integers(0, 7))
    if kind == 0:
        return values.reshape(-1)[: int(rng.integers(0, values.size + 1))]
    if kind == 1:
        return values.astype(
            str(rng.choice(["u1", "<i2", ">i4", "<i8", "<f2", "<f4", ">f8", "?", "<U3", "S2", "<c8", "M8[s]"]))
        )
    if kind == 2:
        return values[..., None]
    if kind == 3:
        return np.asfortranarray(values.T)
    if kind == 4 and values.dtype.kind in "iuf" and values.size:
        values = values.copy()
        values.reshape(-1)[int(rng.integers(0, values.size))] = rng.choice([0, 1, 100, 127])
        return values if values.dtype.kind != "f" else values * rng.choice([np.nan, np.inf, -1e30])
    if kind == 5:
        return np.zeros((0, *values.shape[1:]), values.dtype)
    return np.array(str(rng.integers(0, 9)))


def npy(values):
    """A file of one array; objects are not pickled."""
    out = io.BytesIO()
    np.lib.format.write_array(out, np.asarray(values), allow_pickle=False)
    return out.getvalue()


def zipped(parts, packed):
    """A whole archive of named bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        for name, data in parts:
            archive.writestr(zipfile.ZipInfo(name), data, archive.compression)
    return out.getvalue()


def archive(rng, arrays, change=array):
    """A whole archive in which one array is another, has a damaged head, another name, or is gone."""
    parts = {name: npy(values) for name, values in arrays.items()}
    name, kind = list(parts)[int(rng.integers(0, len(parts)))], int(rng.integers(0, 5))
    if kind == 0:
        del parts[name]
    elif kind == 1:
        parts[str(VALUES[int(rng.integers(0, len(VALUES)))])[:40]] = parts.pop(name)
    elif kind == 2:
        parts[name] = raw(rng, parts[name][:128]) + parts[name][128:]
    else:
        parts[name] = npy(change(rng, arrays[name]))
    pairs = [(f"{key}.npy", data) for key, data in parts.items()]
    return zipped(pairs, bool(rng.integers(0, 2)))


def packed(rng, data):
    """Damage within gzip, which is whole."""
    return gzip.compress(raw(rng, data), 1, mtime=0)


def png(rng, data):
    """Damage within the chunks of a PNG, whose lengths and sums are right."""
    chunks, place = [], 8
    while place + 8 <= len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        chunks.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + length]))
        place += 12 + length
    number = int(rng.integers(0, len(chunks)))
    kind, content = chunks[number]
    pixels = kind == b"IDAT" and rng.integers(0, 2)
    content = zlib.compress(raw(rng, zlib.decompress(content))) if pixels else raw(rng, content)
    chunks[number] = kind, content
    if rng.integers(0, 4) == 0:
        chunks.insert(int(rng.integers(0, len(chunks))), chunks[int(rng.integers(0, len(chunks)))])
    return data[:8] + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


def tensors(rng, data):
    """A .safetensors file whose head is another record of the right length."""
    (length,) = struct.unpack("<Q", data[:8])
    head = json.dumps(record(rng, json.loads(data[8 : 8 + length]))).encode()
    return struct.pack("<Q", len(head)) + head + data[8 + length :]


def tar(rng, files):
    """A .tar file whose sums are right, with damaged names, sizes and contents."""
    out = io.BytesIO()
    with tarfile.TarFile(fileobj=out, mode="w", format=int(rng.integers(0, 3))) as archive:
        for name, data in files:
            chosen = rng.integers(0, 2) == 0
            info = tarfile.TarInfo(
                str(VALUES[int(rng.integers(0, len(VALUES)))])[:90] if chosen and rng.integers(0, 2) else name
            )
            content = raw(rng, data) if chosen else data
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    data = bytearray(out.getvalue())
    if rng.integers(0, 2):  # a size or a kind is another; the sum goes with it
        start = 512 * int(rng.integers(0, max(1, len(data) // 512)))
        block = data[start : start + 512]
        if block[257:262] == b"ustar":
            block[124:136] = b"%011o\0" % int(rng.choice([0, 1, 511, 2**20, 2**32]))
            block[156] = int(rng.choice([48, 49, 50, 53, 76, 120, 103, 83]))
            block[148:156] = b" " * 8
            block[148:156] = b"%06o\0 " % sum(block)
            data[start : start + 512] = block
    return bytes(data)


def matlab(rng, data):
    """A MATLAB file in which one variable is damaged within, packed anew where it was."""
    parts, place = [], 128
    while place + 8 <= len(data):
        kind, length = struct.unpack("<2I", data[place : place + 8])
        parts.append((kind, data[place + 8 : place + 8 + length]))
        place += 8 + length
    number = int(rng.integers(0, len(parts)))
    kind, content = parts[number]
    content = (
        zlib.compress(raw(rng, zlib.decompress(content))) if kind == 15 else raw(rng, content[:200]) + content[200:]
    )
    parts[number] = kind, content
    return data[:128] + b"".join(struct.pack("<2I", kind, len(content)) + content for kind, content in parts)
