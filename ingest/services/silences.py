"""Silences: who shall not be called for what, until when, and why."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa
from msgspec.structs import replace

from ingest.accounts.account import Viewer
from ingest.audit import book as audit
from ingest.feed import Feed
from ingest.incidents import flow, lists, silences
from ingest.incidents.facts import Recheck
from ingest.incidents.flow import ALONE, Surroundings
from ingest.incidents.incident import Incident
from ingest.incidents.preview import SilencePreview, preview
from ingest.incidents.silence import Matchers, Silence, Weekly, check
from ingest.incidents.silences import Phase
from ingest.incidents.staff import SILENCE
from ingest.refusal import NotThere, NotUsable
from ingest.services.page import Page
from ingest.store.engine import reading, writing
from linli.clock import clamped
from linli.ids import uuid7

MOST = 200
_WHY = 500
BACK = timedelta(days=30)
"""How far a preview looks back."""


class SilenceService:
    """Makes, lists and ends silences. Those that ended are kept: they say who was not called."""

    def __init__(
        self, reader: sa.Engine, writer: sa.Engine, feed: Feed, around: Surroundings = ALONE
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._feed = feed
        self._around = around

    def list(
        self,
        viewer: Viewer,
        now: datetime,
        *,
        phase: Phase | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Silence]:
        """Return one page of silences, the newest first."""
        viewer.require("see")
        limit = max(1, min(limit, MOST))
        with reading(self._reader) as connection:
            found = silences.page(connection, phase, now, after=cursor, limit=limit + 1)
        return Page(tuple(found[:limit]), found[limit - 1].id if len(found) > limit else None)

    def get(self, viewer: Viewer, silence: str) -> Silence:
        """Return one silence. Raises NotThere."""
        viewer.require("see")
        with reading(self._reader) as connection:
            return _found(silences.find(connection, silence))

    def add(
        self,
        viewer: Viewer,
        matchers: Matchers,
        *,
        ends: datetime,
        why: str,
        now: datetime,
        starts: datetime | None = None,
        weekly: Weekly | None = None,
    ) -> Silence:
        """Make a silence; what it covers now is shelved. Raises InputError, NotUsable, NotAllowed.

        One that starts later shelves what is open then.
        """
        viewer.require("act")
        why = why.strip()
        if not why or len(why) > _WHY:
            raise NotUsable(f"say why, in at most {_WHY} characters", where="why")
        made = Silence(
            id=uuid7(now),
            matchers=matchers,
            starts=max(now, clamped(starts or now)),
            ends=clamped(ends),
            why=why,
            created=now,
            created_by=viewer.actor,
            weekly=weekly,
        )
        check(made)
        with writing(self._writer) as connection:
            silences.add(connection, made)
            said = {"ends": made.ends.isoformat(), "why": made.why}
            audit.note(connection, now, viewer.actor, "silence-made", made.id, **said)
            fitting = [one for one in lists.unresolved(connection) if matchers.fit(one)]
            self._recheck(connection, fitting, viewer.actor, now)
        self._feed.tell("incidents")
        return made

    def preview(
        self, viewer: Viewer, matchers: Matchers, now: datetime, *, weekly: Weekly | None = None
    ) -> SilencePreview:
        """Return what a silence would have kept quiet in the last 30 days; nothing is made.

        Raises InputError, NotAllowed.
        """
        viewer.require("act")
        check(_tried(viewer, matchers, weekly, now))
        with reading(self._reader) as connection:
            return preview(connection, matchers, weekly, (now - BACK, now), self._around.zone)

    def end(self, viewer: Viewer, silence: str, now: datetime) -> Silence:
        """End it before its time; whoever was not called is, if it still lasts. Raises NotThere.

        Ending one that is over changes nothing.
        """
        viewer.require("act")
        with writing(self._writer) as connection:
            found = _found(silences.find(connection, silence))
            if found.ended is not None or found.ends <= now:
                return found
            after = replace(found, ended=now, ended_by=viewer.actor)
            silences.move(connection, after)
            audit.note(connection, now, viewer.actor, "silence-ended", silence)
            mine = f"{SILENCE}{silence}"
            shelved = [one for one in lists.unresolved(connection) if one.shelved_by == mine]
            self._recheck(connection, shelved, viewer.actor, now)
        self._feed.tell("incidents")
        return after

    def _recheck(
        self, connection: sa.Connection, those: Iterable[Incident], actor: str, now: datetime
    ) -> None:
        fact = Recheck(actor=actor)
        for one in those:
            flow.step(connection, one.id, fact, now, self._around)


def _tried(viewer: Viewer, matchers: Matchers, weekly: Weekly | None, now: datetime) -> Silence:
    """Return a silence that has nothing wrong but what it covers and its hours."""
    return Silence(
        id="",
        matchers=matchers,
        starts=now - BACK,
        ends=now,
        why="",
        created=now,
        created_by=viewer.actor,
        weekly=weekly,
    )


def _found(silence: Silence | None) -> Silence:
    if silence is None:
        raise NotThere("no such silence")
    return silence
