"""How much of some time a thing was there, from what is known of each step of it. Pure.

A step is how much of it the thing was there, 0..1, or None where nobody knows.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

Known = Sequence[float | None]


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """The share 0..1 of what is known, and how many hours that is."""

    share: float
    hours: float


def known(there: Known, listened: Sequence[bool]) -> list[float | None]:
    """Return each step: as was heard, 0 where somebody listened and heard nothing, else None.

    Before the first thing heard, and in the step that is not over yet, silence says nothing.
    """
    first = next((at for at, one in enumerate(there) if one is not None), len(there))
    last = len(there) - 1
    return [
        one if one is not None or not first < at < last or not heard else 0.0
        for at, (one, heard) in enumerate(zip(there, listened, strict=True))
    ]


def share(steps: Known, hours: float) -> Share | None:
    """Return the share of steps of so many hours each; None where nothing is known."""
    told = [one for one in steps if one is not None]
    return Share(share=sum(told) / len(told), hours=len(told) * hours) if told else None


def since(steps: Known) -> tuple[bool, int] | None:
    """Return whether it is there, and the first step since when it was so; None: not known.

    Steps of which nothing is known neither end it nor begin it.
    """
    told = [(at, one >= 0.5) for at, one in enumerate(steps) if one is not None]
    if not told:
        return None
    state = told[-1][1]
    other = [at for at, one in told if one is not state]
    return state, next(at for at, _ in told if not other or at > other[-1])
