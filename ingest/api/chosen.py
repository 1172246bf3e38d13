"""Filters that take several ids, as Grafana's variables and people write them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from ingest.refusal import NotUsable
from ingest.services.called import Lang

MOST = 500
ANY = "*"
Some = Annotated[
    list[str] | None,
    Query(
        max_length=100,
        description="any of these, with commas or again; without it, or with `*`, all",
    ),
]
InWords = Annotated[Lang, Query(description="the language of labels")]


def some(values: list[str] | None) -> tuple[str, ...]:
    """Return the ids that are meant, none for all. Raises NotUsable for too many."""
    found = [part for one in values or () for part in one.split(",") if part]
    if len(found) > MOST:
        raise NotUsable(f"at most {MOST} at once", hint="Leave it out to have all")
    return () if ANY in found else tuple(found)
