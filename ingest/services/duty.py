"""Who is on duty and who is next, and the documents that say so: read, changed by version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

import msgspec
import sqlalchemy as sa

from ingest.accounts.account import Viewer
from ingest.audit import book as audit
from ingest.duty import book
from ingest.duty.book import Edition, Kind, Paper
from ingest.duty.checks import Fault
from ingest.duty.deadlines import Deadlines
from ingest.duty.roster import LONGEST, Roster, Turn, gaps, next_turn, on_duty, turns
from ingest.feed import Feed
from ingest.notify.known import whole
from ingest.notify.vault import Vault, forget
from ingest.notify_settings import CHANNELS, Notify
from ingest.refusal import NotThere, NotUsable, RulesBroken
from ingest.registry import book as registry
from ingest.registry.records import Person, Record
from ingest.services import channel_papers, roster_sheet
from ingest.services.duty_views import (
    DutyPaper,
    DutyPaperList,
    DutyView,
    EditionList,
    EditionView,
    Someone,
    TeamDuty,
    TurnList,
    TurnView,
)
from ingest.services.outlook import Outlook, outlook
from ingest.services.page import Page, number
from ingest.services.papers import (
    TYPES,
    around,
    faults_of,
    made_of,
    needed_by,
    read,
    wrong_addresses,
)
from ingest.services.registry import Seen
from ingest.services.roster_sheet import RosterPreview, Span
from ingest.store.engine import reading, writing

MOST = 200
MOST_WHY = 500
AHEAD = timedelta(days=7)
SHOWN: tuple[type, ...] = (
    DutyView,
    DutyPaperList,
    EditionList,
    EditionView,
    Outlook,
    TurnList,
    RosterPreview,
    *(one for one in TYPES.values() if isinstance(one, type)),
    *CHANNELS,
)
"""What the API answers with."""


class DutyService:
    """Reads and changes rosters, deadlines, contacts, ladders and routes; `zone` is the site's."""

    def __init__(
        self,
        reader: sa.Engine,
        writer: sa.Engine,
        feed: Feed,
        zone: tzinfo,
        notify: Notify | None = None,
        *,
        vault: Vault | None = None,
    ) -> None:
        """`notify` says which channels there are beside those written down; `vault` has secrets."""
        self._reader = reader
        self._writer = writer
        self._feed = feed
        self._zone = zone
        self._notify = notify or Notify()
        self._vault = vault

    def now(self, viewer: Viewer, now: datetime) -> DutyView:
        """Return who is on duty in every team. Raises NotAllowed: names of people are for staff."""
        viewer.within("act")
        with reading(self._reader) as connection:
            return on_duty_now(connection, now, self._zone)

    def limits(self, viewer: Viewer) -> Deadlines:
        """Return how soon incidents are to be seen and resolved. Raises NotAllowed."""
        viewer.within("see")
        with reading(self._reader) as connection:
            paper = book.get(connection, "deadlines", "all")
        found = None if paper is None else read(paper)
        return found if isinstance(found, Deadlines) else Deadlines()

    def turns(
        self, viewer: Viewer, team: str, start: datetime, end: datetime
    ) -> tuple[TurnView, ...]:
        """Return the turns of a team in a span of time. Raises NotThere, NotUsable, NotAllowed."""
        viewer.require("act")
        if not start < end or end - start > LONGEST:
            raise NotUsable(f"must be after start, by {LONGEST.days} days at most", where="end")
        with reading(self._reader) as connection:
            roster = _roster(_there(book.get(connection, "roster", team)))
            names = _people(connection)
        return tuple(_turn(one, names) for one in turns(roster, start, end, self._zone))

    def list(self, viewer: Viewer, kind: Kind) -> tuple[DutyPaper, ...]:
        """Return which documents there are. Raises NotAllowed."""
        _may_see(viewer, kind)
        with reading(self._reader) as connection:
            return tuple(_line(one) for one in book.some(connection, kind))

    def get(self, viewer: Viewer, kind: Kind, name: str) -> tuple[msgspec.Struct, str]:
        """Return a document and its tag. Raises NotThere, NotAllowed."""
        _may_see(viewer, kind)
        with reading(self._reader) as connection:
            found = _there(book.get(connection, kind, name))
        return read(found), found.tag

    def history(
        self, viewer: Viewer, kind: Kind, name: str, *, cursor: str | None = None, limit: int = 50
    ) -> Page[Edition]:
        """Return who changed a document and when, the newest first. Raises NotAllowed."""
        _may_change(viewer, kind)
        limit = max(1, min(limit, MOST))
        before = number(cursor) if cursor else None
        with reading(self._reader) as connection:
            found = book.history(connection, kind, name, before=before, limit=limit + 1)
        items = tuple(found[:limit])
        return Page(items, str(items[-1].version) if len(found) > limit else None)

    def edition(self, viewer: Viewer, kind: Kind, name: str, version: int) -> EditionView:
        """Return one version. Raises NotAllowed, NotThere: of contacts only the newest is kept."""
        _may_change(viewer, kind)
        with reading(self._reader) as connection:
            found = _there(book.edition(connection, kind, name, version))
        if kind in book.PRIVATE and found.body is None:
            raise NotThere("what stood in it is not kept")
        document = None if found.body is None else msgspec.json.decode(found.body, type=dict)
        return EditionView(
            version=found.version,
            at=found.at,
            actor=found.actor,
            why=found.why,
            document=document,
        )

    def outlook(
        self, viewer: Viewer, kind: Kind, name: str, values: Mapping[str, Any], now: datetime
    ) -> Outlook:
        """Return what a document would change; nothing is. Raises NotAllowed, RulesBroken."""
        _may_change(viewer, kind)
        with reading(self._reader) as connection:
            value = made_of(kind, name, values)
            broken = faults_of(name, value, around(connection, self._notify))
            if broken:
                raise RulesBroken("it cannot be written down so", tuple(broken))
            return outlook(connection, name, value, now, self._zone)

    def restore(
        self,
        viewer: Viewer,
        kind: Kind,
        name: str,
        version: int,
        *,
        seen: Seen,
        now: datetime,
        why: str | None = None,
    ) -> tuple[msgspec.Struct, str]:
        """Write an old version down again, as a new one, by the rules of now. Return it, its tag.

        Raises NotAllowed, NotThere, Outdated, NotLookedAt, NotUsable, and RulesBroken when it names
        what is no longer in use.
        """
        old = self.edition(viewer, kind, name, version).document
        if old is None:
            raise NotThere("it was taken away in this version")
        if kind == "channel":
            with reading(self._reader) as connection:
                now_there = book.get(connection, kind, name)
            body = now_there.body if now_there is not None else None
            old = channel_papers.with_secrets(old, msgspec.json.decode(body or "{}"))
        made, tag, _ = self.put(viewer, kind, name, old, seen=seen, now=now, why=why)
        return made, tag

    def put(
        self,
        viewer: Viewer,
        kind: Kind,
        name: str,
        values: Mapping[str, Any],
        *,
        seen: Seen,
        now: datetime,
        why: str | None = None,
        complete: bool = True,
    ) -> tuple[msgspec.Struct, str, bool]:
        """Make or replace a document, or with `complete` false change the given fields of one.

        Return it, its tag, and whether it is new. Raises NotAllowed, NotThere, Outdated,
        NotLookedAt, NotUsable, and RulesBroken that names each rule.
        """
        _may_change(viewer, kind)
        why = _reason(why)
        if kind == "contacts":  # before the transaction: a name of a webhook is looked up
            with reading(self._reader) as connection:
                notify = whole(connection, self._notify)
            _all_well(wrong_addresses(notify, values))
        if kind == "channel":
            _all_well(channel_papers.wrong_places(values, self._notify))
        with writing(self._writer) as connection:
            before = book.get(connection, kind, name)
            if before is None and not complete:
                raise NotThere("there is none to change")
            seen.check(before.tag if before is not None else None)
            there = msgspec.json.decode(before.body or "{}") if before is not None else {}
            given = {**({} if complete else there), **values}
            if kind == "channel":
                value = self._channel(connection, name, given, there)
            else:
                value = made_of(kind, name, given)
                _all_well(faults_of(name, value, around(connection, self._notify)))
            made = book.write(
                connection, kind, name, _json(value), actor=viewer.actor, now=now, why=why
            )
            said = {"version": made.version, "digest": made.digest}
            audit.note(connection, now, viewer.actor, f"{kind}-changed", name, **said)
        self._feed.tell("incidents")
        return value, made.tag, before is None

    def remove(self, viewer: Viewer, kind: Kind, name: str, *, seen: Seen, now: datetime) -> None:
        """Take a document away; its history stays.

        Raises NotThere, NotAllowed, Outdated, NotLookedAt, and RulesBroken while it is needed.
        """
        _may_change(viewer, kind)
        with writing(self._writer) as connection:
            found = _there(book.get(connection, kind, name))
            seen.check(found.tag)
            needed = (
                channel_papers.used_by(connection, name)
                if kind == "channel"
                else needed_by(connection, kind, name)
            )
            if needed:
                raise RulesBroken("it is needed", tuple(needed))
            book.write(connection, kind, name, None, actor=viewer.actor, now=now)
            if kind == "channel":
                channel_papers.let_go(connection, msgspec.json.decode(found.body or "{}"))
            audit.note(connection, now, viewer.actor, f"{kind}-removed", name)
        self._feed.tell("incidents")

    def preview_sheet(
        self, viewer: Viewer, team: str, data: bytes, now: datetime
    ) -> tuple[RosterPreview, str]:
        """Return what a file would do to a roster, and its tag.

        Raises NotAllowed, NotThere, and InputError for no such file.
        """
        viewer.require("arrange")
        with reading(self._reader) as connection:
            made = roster_sheet.plan(connection, team, data, now, self._zone)
        return made.preview, made.tag

    def apply_sheet(
        self, viewer: Viewer, team: str, data: bytes, *, seen: Seen, now: datetime
    ) -> RosterPreview:
        """Do what a file says, all of it or nothing, as it was seen in its preview.

        Raises NotAllowed, NotThere, InputError, RulesBroken, NotLookedAt, and Outdated when it
        would do something else than what was seen.
        """
        viewer.require("arrange")
        with writing(self._writer) as connection:
            made = roster_sheet.plan(connection, team, data, now, self._zone)
            seen.check(made.tag)
            if made.preview.faults:
                faults = tuple(
                    (f"row {one.row}, {one.column}", f"{one.value!r}: {one.rule}")
                    for one in made.preview.faults
                )
                raise RulesBroken("nothing was changed", faults)
            done = roster_sheet.write(connection, made, viewer.actor, now)
            audit.note(connection, now, viewer.actor, "roster-imported", team)
        self._feed.tell("incidents")
        return done

    def _channel(
        self,
        connection: sa.Connection,
        name: str,
        given: Mapping[str, Any],
        before: Mapping[str, Any],
    ) -> msgspec.Struct:
        """Return a channel as it is kept, its secrets sealed. Raises RulesBroken, InputError."""
        assert self._vault is not None
        parted = channel_papers.part(connection, self._vault, given, before)
        value = made_of("channel", name, parted.document)
        broken = channel_papers.carried_off(value, before)
        broken += channel_papers.judge(connection, name, value, self._notify)
        broken += channel_papers.try_out(value, self._notify, self._vault, parted.fresh)
        _all_well(broken)
        forget(connection, parted.gone)
        return value


def _all_well(broken: Sequence[Fault]) -> None:
    if broken:
        raise RulesBroken("nothing was changed", tuple(broken))


def on_duty_now(connection: sa.Connection, now: datetime, zone: tzinfo) -> DutyView:
    """Return who is on duty in every team in use, by the teams' names."""
    rosters = {one.name: _roster(one) for one in book.some(connection, "roster")}
    names = _people(connection)
    teams = registry.some(connection, "team")
    found = tuple(_team(one, rosters.get(one.id), names, now, zone) for one in teams)
    return DutyView(at=now, teams=found)


def _team(
    team: Record,
    roster: Roster | None,
    names: Mapping[str, Someone],
    now: datetime,
    zone: tzinfo,
) -> TeamDuty:
    bare = TeamDuty(team=team.id, label=team.label, label_en=team.label_en, roster=False)
    if roster is None:
        return bare
    present, follows = on_duty(roster, now, zone), next_turn(roster, now, zone)
    return msgspec.structs.replace(
        bare,
        roster=True,
        now=None if present is None else _turn(present, names),
        next=None if follows is None else _turn(follows, names),
        week=tuple(_turn(one, names) for one in turns(roster, now, now + AHEAD, zone)),
        gaps=tuple(Span(begin=a, end=b) for a, b in gaps(roster, now, now + AHEAD, zone)),
    )


def _turn(one: Turn, names: Mapping[str, Someone]) -> TurnView:
    people = tuple(names.get(name) or Someone(id=name, label=name) for name in one.people)
    return TurnView(begin=one.begin, end=one.end, people=people)


def _people(connection: sa.Connection) -> dict[str, Someone]:
    found = registry.some(connection, "person", retired=True)
    return {
        one.id: Someone(id=one.id, label=one.label, label_en=one.label_en)
        for one in found
        if isinstance(one, Person)
    }


def _may_change(viewer: Viewer, kind: Kind) -> None:
    viewer.require("administer" if kind in book.GUARDED else "arrange")


def _may_see(viewer: Viewer, kind: Kind) -> None:
    viewer.require("administer" if kind in book.GUARDED else "act")


def _there(paper: Paper | None) -> Paper:
    if paper is None:
        raise NotThere("there is none")
    return paper


def _roster(paper: Paper) -> Roster:
    return msgspec.json.decode(paper.body or "", type=Roster)


def _json(value: msgspec.Struct) -> str:
    return msgspec.json.encode(value).decode()


def _line(one: Paper) -> DutyPaper:
    return DutyPaper(
        name=one.name, tag=one.tag, version=one.version, at=one.at, actor=one.actor, why=one.why
    )


def _reason(why: str | None) -> str | None:
    why = (why or "").strip() or None
    if why and len(why) > MOST_WHY:
        raise NotUsable(f"has at most {MOST_WHY} characters", where="why")
    return why
