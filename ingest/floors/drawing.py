"""A floor plan's picture as it may be kept: decoded, only its pixels, encoded again."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, NamedTuple

from ingest.refusal import NotUsable, TooMuch, WrongKind

if TYPE_CHECKING:
    from PIL.Image import Image as Pixels

MOST_BYTES = 8 * 1024 * 1024
MOST_PIXELS = 25_000_000
LONGEST_SIDE = 2000
"""Pixels of what is kept: enough for a wall screen, little enough for an old phone."""
_QUALITY = 85
_FORMATS = ("PNG", "JPEG", "WEBP")


class Drawing(NamedTuple):
    """A clean picture, PNG or JPEG: whichever is smaller. Width and height in pixels."""

    data: bytes
    media_type: str
    width: int
    height: int

    @property
    def sha256(self) -> str:
        """The digest of its bytes, hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()


def clean(data: bytes) -> Drawing:
    """Return an uploaded plan upright, on white, without metadata, no longer than `LONGEST_SIDE`.

    Raises TooMuch above 8 MiB or 25 megapixels, WrongKind when it is no PNG, JPEG or WebP, and
    NotUsable when it cannot be decoded. SVG is refused: it can hold scripts and addresses.
    """
    from ingest.pillow import Image, ImageOps, UnidentifiedImageError  # noqa: PLC0415

    if len(data) > MOST_BYTES:
        raise TooMuch(f"a floor plan has at most {MOST_BYTES} bytes")
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise TooMuch(f"a floor plan has at most {MOST_PIXELS} pixels")
            upright = ImageOps.exif_transpose(opened)
            pixels = _on_white(upright)
    except UnidentifiedImageError:
        hint = "Save SVG or PDF as PNG first"
        raise WrongKind("the floor plan must be PNG, JPEG or WebP", hint=hint) from None
    except (OSError, ValueError, SyntaxError, EOFError):
        raise NotUsable("the floor plan cannot be decoded", where="picture") from None
    pixels.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    return _smaller(pixels)


def _on_white(picture: Pixels) -> Pixels:
    from ingest.pillow import Image  # noqa: PLC0415

    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture.convert("RGB")
    drawn = picture.convert("RGBA")
    white = Image.new("RGBA", drawn.size, "white")
    return Image.alpha_composite(white, drawn).convert("RGB")


def _smaller(pixels: Pixels) -> Drawing:
    """Encode it both ways: lines are sharp and small as PNG, photographs small as JPEG."""
    from ingest.pillow import Image  # noqa: PLC0415

    # Only raw pixels go over, so no comment, profile, EXIF or trailing bytes can.
    bare = Image.frombytes("RGB", pixels.size, pixels.tobytes())
    png, jpeg = io.BytesIO(), io.BytesIO()
    bare.save(png, "PNG")
    bare.save(jpeg, "JPEG", quality=_QUALITY)
    if png.tell() <= jpeg.tell():
        return Drawing(png.getvalue(), "image/png", *bare.size)
    return Drawing(jpeg.getvalue(), "image/jpeg", *bare.size)
