"""What the service of duty answers with: who is on duty, and documents by version."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from ingest.duty.book import Edition
from ingest.services.roster_sheet import Span


class Someone(msgspec.Struct, frozen=True, kw_only=True):
    """A person, by id and as people call them."""

    id: str
    label: str
    label_en: str | None = None


class TurnView(msgspec.Struct, frozen=True, kw_only=True):
    """From when to when the same people are on duty."""

    begin: datetime
    end: datetime
    people: tuple[Someone, ...]


class TeamDuty(msgspec.Struct, frozen=True, kw_only=True):
    """Who is on duty in a team: now, next, and in the coming seven days.

    `now` is null while nobody is, `gaps` are the times of the coming week when nobody will be.
    Without a roster (`roster` false) nothing is known, and that is no gap.
    """

    team: str
    label: str
    label_en: str | None
    roster: bool
    now: TurnView | None = None
    next: TurnView | None = None
    week: tuple[TurnView, ...] = ()
    gaps: tuple[Span, ...] = ()


class DutyView(msgspec.Struct, frozen=True, kw_only=True):
    """Who is on duty in every team."""

    at: datetime
    teams: tuple[TeamDuty, ...]


class DutyPaper(msgspec.Struct, frozen=True, kw_only=True):
    """A document as a list names it; `tag` is its ETag."""

    name: str
    tag: str
    version: int
    at: datetime
    actor: str
    why: str | None


class DutyPaperList(msgspec.Struct, frozen=True, kw_only=True):
    """Documents by name."""

    items: tuple[DutyPaper, ...]


class EditionList(msgspec.Struct, frozen=True, kw_only=True):
    """Who wrote a document down, the newest first; `next` is the cursor of what follows."""

    items: tuple[Edition, ...]
    next: str | None = None


class EditionView(msgspec.Struct, frozen=True, kw_only=True):
    """One version with its `document`, null when there was none any more."""

    version: int
    at: datetime
    actor: str
    why: str | None
    document: dict[str, Any] | None


class TurnList(msgspec.Struct, frozen=True, kw_only=True):
    """Who is on duty, in order of time."""

    items: tuple[TurnView, ...]
