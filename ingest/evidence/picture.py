"""A picture as it may be kept: decoded, without anything but its pixels, encoded again."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.refusal import NotUsable, TooMuch, WrongKind

if TYPE_CHECKING:
    from PIL.Image import Image as Pixels

MOST_BYTES = 2 * 1024 * 1024
MOST_PIXELS = 8_000_000
PHOTO_BYTES = 16 * 1024 * 1024
PHOTO_PIXELS = 120_000_000
PHOTO_SIDE = 1600
_QUALITY = 90


@dataclass(frozen=True, slots=True)
class Picture:
    """A clean JPEG; width and height in pixels."""

    data: bytes
    width: int
    height: int


def clean(data: bytes, *, pixels: int = MOST_PIXELS, quality: int = _QUALITY) -> Picture:
    """Return the picture without metadata or anything hidden behind it.

    Raises TooMuch above 2 MiB or so many `pixels`, WrongKind when it is no JPEG, NotUsable when it
    cannot be decoded.
    """
    from ingest.pillow import Image, UnidentifiedImageError  # noqa: PLC0415

    if len(data) > MOST_BYTES:
        raise TooMuch(f"a picture has at most {MOST_BYTES} bytes")
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as opened:
            if opened.width * opened.height > pixels:
                raise TooMuch(f"a picture has at most {pixels} pixels")
            opened.draft("RGB", None)
            shown = opened.convert("RGB")
    except UnidentifiedImageError:
        raise WrongKind("the picture must be a JPEG") from None
    except (OSError, ValueError, SyntaxError):
        raise NotUsable("the picture cannot be decoded") from None
    return _bare(shown, quality)


def photo(data: bytes) -> Picture:
    """Return a person's photograph likewise: upright, and no longer than `PHOTO_SIDE` pixels.

    Raises as `clean`, above 16 MiB or 120 megapixels.
    """
    from ingest.pillow import Image, ImageOps, UnidentifiedImageError  # noqa: PLC0415

    if len(data) > PHOTO_BYTES:
        raise TooMuch(f"a photograph has at most {PHOTO_BYTES} bytes")
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as opened:
            if opened.width * opened.height > PHOTO_PIXELS:
                raise TooMuch(f"a photograph has at most {PHOTO_PIXELS} pixels")
            # JPEG can be decoded at a fraction of its size, which keeps the memory small.
            opened.draft("RGB", (PHOTO_SIDE, PHOTO_SIDE))
            upright = ImageOps.exif_transpose(opened).convert("RGB")
    except UnidentifiedImageError:
        raise WrongKind("the photograph must be a JPEG") from None
    except (OSError, ValueError, SyntaxError):
        raise NotUsable("the photograph cannot be decoded") from None
    upright.thumbnail((PHOTO_SIDE, PHOTO_SIDE))
    return _bare(upright)


def _bare(pixels: Pixels, quality: int = _QUALITY) -> Picture:
    from ingest.pillow import Image  # noqa: PLC0415

    # Only raw pixels go over, so no comment, profile, EXIF or trailing bytes can.
    bare = Image.frombytes("RGB", pixels.size, pixels.tobytes())
    out = io.BytesIO()
    bare.save(out, "JPEG", quality=quality)
    return Picture(data=out.getvalue(), width=bare.width, height=bare.height)
