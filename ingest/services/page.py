"""One page of a longer list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items, and the cursor that asks for the next ones; None at the end."""

    items: tuple[T, ...]
    next: str | None = None
