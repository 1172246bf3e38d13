"""In which order people walk to bins. Pure.

Staff know their way better than a map does: where a yard has a gate, and which stairs are steep. So
the order is the one they wrote down; places on none of its steps come behind, by their paths.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_Order = tuple[tuple[tuple[bool, int, str], ...], ...]
_PARTS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class Walk:
    """The way that staff walk: places one after the other, each with all that is in it."""

    steps: Sequence[str] = ()

    def at(self, place: str) -> tuple[int, _Order]:
        """Return what sorts places along the way; the finest step that a place is in counts."""
        within = [
            (len(step), -number)
            for number, step in enumerate(self.steps)
            if place == step or place.startswith(f"{step}/")
        ]
        return -max(within)[1] if within else len(self.steps), order_of(place)


def order_of(place: str) -> _Order:
    """Return what sorts places by their paths, numbers counted as numbers.

    Building 2 comes before building 10, a place before what is in it, and what is in one building
    before the next.
    """
    return tuple(
        tuple((part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in pieces)
        for pieces in (
            [piece for piece in _PARTS.split(step) if piece] for step in place.split("/")
        )
    )
