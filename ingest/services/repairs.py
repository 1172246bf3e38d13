"""What is wrong with the system, since when, what it means for residents, what helps."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from ingest.accounts.account import Viewer
from ingest.repairs import book
from ingest.repairs.finding import Finding, Level
from ingest.store.engine import reading

OLD = timedelta(minutes=5)
"""Nobody has looked for so long: what is kept says nothing of now."""


class FindingView(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong; `code` is explained in docs/doctor.md and keeps its meaning.

    `node` is the edge box that it is about. `what` and `do`, in English, may name addresses and
    paths of the server: null for those who may not arrange things.
    """

    code: str
    level: Level
    since: datetime
    node: str | None = None
    what: str | None = None
    means: str = ""
    do: str | None = None


class FindingList(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong, the worst first. `looked` is null until the first look; without `current` it
    is too long ago for an empty list to mean that all is well.
    """

    looked: datetime | None
    current: bool
    items: tuple[FindingView, ...] = ()


SHOWN = (FindingView, FindingList)


class RepairService:
    """Reads what a look each minute left; never looks itself, so it answers at once."""

    def __init__(self, reader: sa.Engine) -> None:
        self._reader = reader

    def list(self, viewer: Viewer, now: datetime) -> FindingList:
        """Return what is wrong. Raises NotAllowed."""
        viewer.require("act")
        with reading(self._reader) as connection:
            looked, found = book.read(connection)
        whole = viewer.may("arrange")
        return FindingList(
            looked=looked,
            current=looked is not None and abs(now - looked) <= OLD,
            items=tuple(_view(one, now, whole=whole) for one in found),
        )

    def serious(self, viewer: Viewer, now: datetime) -> tuple[FindingView, ...]:
        """Return what is bad now, nothing for those who may not act: for a strip on each desk."""
        if not viewer.may_everywhere("act"):
            return ()
        found = self.list(viewer, now)
        return tuple(one for one in found.items if one.level == "bad") if found.current else ()


def _view(one: Finding, now: datetime, *, whole: bool) -> FindingView:
    return FindingView(
        code=one.code,
        level=one.level,
        since=one.since or now,
        node=one.about.partition(" ")[0] if one.code.startswith("edge-") else None,
        what=one.what if whole else None,
        means=one.means,
        do=one.do if whole else None,
    )
