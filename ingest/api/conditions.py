"""Entity tags: what a caller has seen, by the headers of RFC 9110 §13."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header

from ingest.services.registry import Seen


def seen(
    if_match: Annotated[
        str | None, Header(max_length=256, description="the ETag of what you have seen")
    ] = None,
    if_none_match: Annotated[
        str | None,
        Header(
            max_length=256,
            description="*: only when there is none yet; else only when it is none of these",
        ),
    ] = None,
) -> Seen:
    """Return what the caller says to have seen."""
    return Seen(tags(if_match), unless=tags(if_none_match))


def tags(header: str | None) -> frozenset[str]:
    """Return the tags of a header.

    Weak ones count like strong ones: a tag of ours names what is meant, not its bytes, and proxies
    that compress make it weak.
    """
    parts = (part.strip().removeprefix("W/").strip('"') for part in (header or "").split(","))
    return frozenset(part for part in parts if part)


def etag(tag: str) -> dict[str, str]:
    """Return the header that carries a tag."""
    return {"ETag": f'"{tag}"'}


WhatWasSeen = Annotated[Seen, Depends(seen)]
