"""One picture file as pixels: turned as its camera says, 8 bits, on a colour, RGB, of one size."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image, ImageColor, ImageFile, ImageOps, UnidentifiedImageError

from neurosim.core.reading import why
from neurosim.core.typing import Array
from neurosim.errors import DataError

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM", "JPEG2000", "AVIF")  # MPO is opened as JPEG
FITS = ("crop", "pad", "stretch")
VERSION = 1  # part of what the cache is known by: raise it whenever a pixel changes
LARGEST = 1 << 27  # pixels that a file may declare: above those of any camera, far below what fills a memory
_TURNED, _ORIENTATION = range(2, 9), 0x0112  # values of the Exif tag that turn or mirror


# What Pillow logs of a damaged file is said in our own line; whoever listens to its logger still hears it.
logging.getLogger("PIL").addHandler(logging.NullHandler())


class UnreadableError(Exception):
    """A file that cannot be used; its text says why in a few words."""


class Facts(NamedTuple):
    """What the head of a file says.

    Attributes:
        format: Pillow's word for it.
        size: (column, row) as it is seen, turned.
        traits: what is special about it, in words.
    """

    format: str
    size: tuple[int, int]
    traits: tuple[str, ...]


@dataclass(frozen=True)
class Fitting:
    """How pictures are brought to one size and to three channels.

    Args:
        size: rows and columns of the result; None: pictures are of one size already.
        fit: ``crop``: the shortest side becomes ``size`` and the middle is kept; ``pad``: the longest side becomes ``size`` and
            the rest is background; ``stretch``: both sides become ``size``.
        background: behind what is transparent, and beside what is padded: a name or ``#rrggbb``.

    Raises:
        DataError: no such colour.
    """

    size: int | None = None
    fit: str = "crop"
    background: str = "black"

    def __post_init__(self) -> None:
        try:
            ImageColor.getrgb(self.background)
        except ValueError:
            expected = "a colour's name or #rrggbb"
            raise DataError(
                f"background={self.background!r}", expected, "write background=black", "background"
            ) from None

    @property
    def colour(self) -> tuple[int, int, int]:
        """Red, green and blue of the background."""
        red, green, blue = ImageColor.getrgb(self.background)[:3]
        return red, green, blue

    def __str__(self) -> str:
        if self.size is None:
            return "as they are"
        how = {
            "crop": f"shortest side to {self.size}, the middle is kept",
            "pad": f"longest side to {self.size}, {self.background} beside it",
            "stretch": f"both sides to {self.size}",
        }
        return how[self.fit]


def formats() -> list[str]:
    """Those of `FORMATS` that this Pillow reads."""
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


def look(file: BinaryIO) -> Facts:
    """What the head of a file says, without decoding it.

    Raises:
        UnreadableError: no picture, or one that declares more pixels than `LARGEST`.
    """
    try:
        with _opened(file) as image:
            turned = _orientation(image) in range(5, 9)
            columns, rows = image.size[::-1] if turned else image.size
            return Facts(str(image.format), (columns, rows), tuple(_traits(image)))
    except UnreadableError:
        raise
    except Exception as error:  # a damaged picture may fail in any way at all
        raise UnreadableError(_why(error)) from None


def decode(file: BinaryIO, fitting: Fitting) -> Array:
    """Pixels of a file, uint8 ``(row, column, 3)``.

    Of several frames the first is taken. 16 bits become 8: of grey ones ``round(x / 257)``, of colour ones the high byte.

    Raises:
        UnreadableError: a file that cannot be decoded.
    """
    try:
        with _opened(file) as opened:
            if fitting.size is not None:
                opened.draft(
                    None, (2 * fitting.size, 2 * fitting.size)
                )  # a JPEG decodes to a half, a quarter, an eighth
            image = _colour(_eight_bits(ImageOps.exif_transpose(opened), str(opened.format)), fitting.colour)
            return np.asarray(_fitted(image, fitting))
    except UnreadableError:
        raise
    except Exception as error:  # a damaged picture may fail in any way at all
        raise UnreadableError(_why(error)) from None


def fitted(image: Array, fitting: Fitting) -> Array:
    """A picture that is decoded already, uint8 ``(row, column, 3)``, brought to the size."""
    return np.asarray(_fitted(Image.fromarray(image), fitting))


def _opened(file: BinaryIO) -> ImageFile.ImageFile:
    if not file.read(1):
        raise UnreadableError("an empty file")
    file.seek(0)
    try:
        image = Image.open(file, formats=formats())
    except Image.DecompressionBombError:
        raise UnreadableError(f"it declares more than {LARGEST:,} pixels") from None
    except UnidentifiedImageError:
        raise UnreadableError("no picture") from None
    except Exception as error:  # as in `decode`
        raise UnreadableError(_why(error)) from None
    columns, rows = image.size
    if columns * rows > LARGEST:
        raise UnreadableError(f"it declares {columns} x {rows} pixels, more than {LARGEST:,}")
    return image


def _why(error: Exception) -> str:
    """An error of Pillow's in a few words."""
    words = why(error)
    return f"cut short: {words}" if "truncated" in words else f"it cannot be decoded: {words}"


def _orientation(image: ImageFile.ImageFile) -> int:
    try:
        if image.format == "PNG":  # of these Pillow would decode the whole picture first
            remarks = Image.Exif()
            remarks.load(image.info.get("exif", b""))
            return int(remarks.get(_ORIENTATION, 1))
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged remarks beside whole pixels; the picture is taken as it stands
        return 1


def _traits(image: ImageFile.ImageFile) -> list[str]:
    """What is special about a picture, in words."""
    found = []
    bands = image.getbands()
    if image.mode in ("P", "PA"):
        found.append("palette")
    elif image.mode == "CMYK":
        found.append("CMYK")
    elif image.mode not in ("RGB", "RGBA", "RGBa", "RGBX"):
        found.append("grey" if len([band for band in bands if band not in "Aa"]) == 1 else image.mode)
    if "A" in bands or "a" in bands or "transparency" in image.info:
        found.append("transparent")
    if image.mode.startswith(("I", "F")) or any(_wide(*tile) for tile in image.tile):
        found.append("more than 8 bits")
    if _orientation(image) in _TURNED:
        found.append("turned")
    if getattr(image, "is_animated", False):
        found.append("several frames")
    return found


def _wide(codec: str, extents: tuple[int, ...] | None, offset: int, arguments: object) -> bool:
    """Whether Pillow cuts the values down: 16-bit colour pictures open as plain RGB."""
    arguments = arguments if isinstance(arguments, tuple) else (arguments,)
    largest = max((one for one in arguments if isinstance(one, int)), default=0)
    return (codec == "ppm" and largest > 255) or any(";16" in str(one) for one in arguments)


def _eight_bits(image: Image.Image, kind: str) -> Image.Image:
    """Grey values of 16 bits, or floating ones in 0 .. 1, as 8 bits."""
    if image.mode == "F":
        values = np.asarray(image)
        if not (values.min() >= 0 and values.max() <= 1):  # NaN fails this too
            raise UnreadableError("floating numbers outside of 0 .. 1")
        return Image.fromarray(np.rint(values * 255).astype(np.uint8))
    if not image.mode.startswith("I"):
        return image
    if image.mode == "I" and kind not in ("PNG", "PPM"):  # of those two, Pillow scales to 16 bits
        raise UnreadableError("whole numbers of 32 bits, of no known range")
    values = np.asarray(image).astype(np.int64)
    return Image.fromarray(((values * 255 + 32767) // 65535).clip(0, 255).astype(np.uint8))


def _colour(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    """RGB, on a colour."""
    if not {"A", "a"} & set(image.getbands()) and "transparency" not in image.info:
        return image.convert("RGB")
    image = image.convert("RGBA")
    behind = Image.new("RGBA", image.size, (*background, 255))
    return Image.alpha_composite(behind, image).convert("RGB")


def _fitted(image: Image.Image, fitting: Fitting) -> Image.Image:
    size = fitting.size
    if size is None or image.size == (size, size):
        return image
    smooth, (wide, high) = Image.Resampling.BICUBIC, image.size
    if fitting.fit == "stretch":
        return image.resize((size, size), smooth)
    if fitting.fit == "crop":
        side = min(wide, high)
        left, top = (wide - side) / 2, (high - side) / 2
        return image.resize((size, size), smooth, box=(left, top, left + side, top + side))
    scale = size / max(wide, high)
    inner = image.resize((max(1, round(wide * scale)), max(1, round(high * scale))), smooth)
    whole = Image.new("RGB", (size, size), fitting.colour)
    whole.paste(inner, ((size - inner.width) // 2, (size - inner.height) // 2))
    return whole
