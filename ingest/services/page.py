"""One page of a longer list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from ingest.refusal import NotUsable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items, and the cursor that asks for the next ones; None at the end."""

    items: tuple[T, ...]
    next: str | None = None


def number(text: str) -> int:
    """Return a number of a cursor, as large as a file's rows can be. Raises NotUsable."""
    if text.isdecimal() and len(text) <= 19 and int(text) < 2**63:
        return int(text)
    raise NotUsable("not a cursor of ours", where="cursor")
