"""What is said of the items that are held before the camera: votes over frames. Pure.

One item is one answer. While no answer has a clear majority the point asks, it does not guess; the
item may then be turned, and is answered when it is known.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Literal

from edge.classify.classification import Category

Shown = Literal["idle", "looking", "ask", "recyclable", "hazardous", "food", "residual"]

_SHOWN: dict[Category, Shown] = {
    Category.RECYCLABLE: "recyclable",
    Category.HAZARDOUS: "hazardous",
    Category.FOOD: "food",
    Category.RESIDUAL: "residual",
}
OF, VOTES = 7, 5
"""Looks that count, and how many of them must say the same."""
ASK_AFTER = 4.0
"""Seconds without a majority until it asks: people do not hold still for longer."""
GONE_AFTER = 1.0
"""Seconds without an item after which the next one is another."""
SHOWN_FOR = 4.0
"""Seconds for which an answer stays at least: it must be read."""


@dataclass(frozen=True, slots=True)
class Look:
    """One frame: whether something is held there, and its category, None when not known."""

    present: bool
    category: Category | None = None


@dataclass(frozen=True, slots=True)
class Booth:
    """What is shown, and what was seen of the item; times are seconds that never go back."""

    shown: Shown = "idle"
    since: float = 0.0
    began: float | None = None
    seen: float = 0.0
    votes: tuple[Category | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """Something to be said aloud, and counted with the item: None asks, and is not counted yet."""

    category: Category | None


def look(booth: Booth, seen: Look, now: float) -> tuple[Booth, list[Told], list[Category | None]]:
    """Return the booth after a frame, what to say, and what to count: an item each, None unknown.

    An item is counted when it is answered, an unknown one when it is gone.
    """
    if not seen.present:
        return _nothing(booth, now)
    if booth.began is None:
        booth = Booth(shown="looking", since=now, began=now)
    booth = replace(booth, seen=now, votes=(*booth.votes, seen.category)[-OF:])
    answer = _majority(booth.votes)
    if answer is not None and _SHOWN[answer] != booth.shown:
        return replace(booth, shown=_SHOWN[answer], since=now), [Told(answer)], [answer]
    if booth.shown == "looking" and booth.began is not None and now - booth.began >= ASK_AFTER:
        return replace(booth, shown="ask", since=now), [Told(None)], []
    return booth, [], []


def _nothing(booth: Booth, now: float) -> tuple[Booth, list[Told], list[Category | None]]:
    if booth.began is not None and now - booth.seen >= GONE_AFTER:
        # What was gone before it was asked for was no item: a hand, somebody passing by.
        shown: Shown = "idle" if booth.shown == "looking" else booth.shown
        return Booth(shown=shown, since=booth.since), [], [None] if shown == "ask" else []
    if booth.began is None and booth.shown != "idle" and now - booth.since >= SHOWN_FOR:
        return Booth(since=now), [], []
    return booth, [], []


def _majority(votes: tuple[Category | None, ...]) -> Category | None:
    """Return what enough looks said, None when they did not: an unknown look is no vote."""
    counted = Counter(one for one in votes if one is not None)
    if not counted:
        return None
    category, count = counted.most_common(1)[0]
    return category if count >= VOTES else None
