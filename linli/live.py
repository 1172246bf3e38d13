"""One picture of a live view on its way from an edge to the ingest, with what was seen in it.

It goes over HTTPS as MessagePack while somebody looks, never by MQTT, and is written nowhere.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from linli.events import Fraction, Instant, Part, Seconds, Slug

LIVE_VIEW = "live-view"
"""The command that lends an edge's pictures of a camera for `holds` seconds."""
MEDIA_TYPE = "application/vnd.msgpack"
LONGEST_LEASE = 60
"""Seconds for which pictures are lent at once; a node holds to it as well."""
PERIOD = 0.5
"""Seconds between two pictures of a camera, at least."""
LONGEST_SIDE = 960
"""Pixels."""
MOST_JPEG = 256 * 1024
MOST_FRAME = MOST_JPEG + 64 * 1024
"""Bytes of all of it."""

Unseen = Literal["late", "failed", "blind", "dark"]
"""Why there is no picture: not redacted in time, it could not be, the model knows no people, or
there is too little light to see them by."""
Point = tuple[Fraction, Fraction]


class LiveBox(Part, frozen=True, kw_only=True):
    """One thing seen in the picture; bbox is x1, y1, x2, y2 in 0..1."""

    label: Slug
    confidence: Fraction
    bbox: tuple[Fraction, Fraction, Fraction, Fraction]


class LiveShape(Part, frozen=True, kw_only=True):
    """A zone (three points or more) or a line (two) that the edge goes by now, in 0..1."""

    id: Slug
    points: Annotated[tuple[Point, ...], Meta(min_length=2, max_length=64)]


class LiveFrame(Part, frozen=True, kw_only=True):
    """The newest picture, without heads, or why it has to be withheld.

    `age` is how old it was when it was sent. Raises ValueError unless it has either.
    """

    time: Instant
    age: Seconds
    jpeg: Annotated[bytes, Meta(max_length=MOST_JPEG)] | None = None
    withheld: Unseen | None = None
    boxes: Annotated[tuple[LiveBox, ...], Meta(max_length=64)] = ()
    zones: Annotated[tuple[LiveShape, ...], Meta(max_length=32)] = ()
    lines: Annotated[tuple[LiveShape, ...], Meta(max_length=8)] = ()

    def __post_init__(self) -> None:
        if (self.jpeg is None) == (self.withheld is None):
            raise ValueError("a frame has a picture, or says why it is withheld")
