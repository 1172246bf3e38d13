"""In which order people walk to bins. Pure.

The registry knows places by their paths and not on a map: so by site, building or area, unit and
point, numbers counted as numbers. Building 2 comes before building 10, and what is in one building
is done before the next.
"""

from __future__ import annotations

import re

_PARTS = re.compile(r"(\d+)")


def order_of(place: str) -> tuple[tuple[tuple[bool, int, str], ...], ...]:
    """Return what sorts places in walking order; a place comes before what is in it."""
    return tuple(
        tuple((part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in pieces)
        for pieces in (
            [piece for piece in _PARTS.split(step) if piece] for step in place.split("/")
        )
    )
