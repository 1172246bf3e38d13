"""One page of a longer list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ingest.refusal import NotUsable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items, and the cursor that asks for the next ones; None at the end."""

    items: tuple[T, ...]
    next: str | None = None


def sliced(items: Sequence[T], key: Callable[[T], str], cursor: str | None, limit: int) -> Page[T]:
    """Return the items behind the one that a cursor names, of a list that is read as a whole.

    Raises NotUsable when no item has that key.
    """
    start = 0
    if cursor:
        found = next((index for index, one in enumerate(items) if key(one) == cursor), None)
        if found is None:
            raise NotUsable("not a cursor of ours, or what it named is gone", where="cursor")
        start = found + 1
    part = tuple(items[start : start + limit])
    return Page(part, key(part[-1]) if len(items) > start + limit else None)


def number(text: str) -> int:
    """Return a number of a cursor, as large as a file's rows can be. Raises NotUsable."""
    if text.isdecimal() and len(text) <= 19 and int(text) < 2**63:
        return int(text)
    raise NotUsable("not a cursor of ours", where="cursor")
