"""What people do with the rules: read, try on history, write down a newer document."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, tzinfo

import msgspec
import sqlalchemy as sa

from ingest.accounts.account import Viewer
from ingest.audit import book as audit
from ingest.refusal import NotThere, NotUsable, RulesBroken
from ingest.rules import versions
from ingest.rules.directory import Directory
from ingest.rules.document import AnyRule, Derived, Document, EventRule
from ingest.rules.loading import Fault, RulesError, builtin, load
from ingest.rules.memory import CLOCKS, Clocks
from ingest.rules.rule_set import Origin, RuleSet
from ingest.rules.trial import Trial, try_rules
from ingest.rules.versions import RuleVersion
from ingest.services.page import Page, number
from ingest.services.registry import Seen
from ingest.store.engine import reading, writing
from ingest.store.incidents import transition
from ingest.store.rules import rule_memory
from linli.events import Severity

MOST = 200
MOST_NOTE = 500
LONGEST_TRIAL = timedelta(days=400)
PATIENCE = 20.0
"""Seconds that a trial may take here; the command line takes as long as it needs."""
_CLOCKS = sa.select(rule_memory.c.body).where(
    rule_memory.c.part == CLOCKS[0], rule_memory.c.name == CLOCKS[1]
)


class RuleView(msgspec.Struct, frozen=True, kw_only=True):
    """One rule that holds. `incident` is the name of what it raises, None for the event's own."""

    id: str
    type: str
    label: str
    origin: Origin
    severity: Severity | None
    incident: str | None
    safety: bool
    raises: bool
    enabled: bool = True


class FiredView(msgspec.Struct, frozen=True, kw_only=True):
    """How many incidents each rule has raised since an instant; what is not named, none."""

    since: datetime
    rules: dict[str, int]


class RulesView(msgspec.Struct, frozen=True, kw_only=True):
    """The document written last and what it comes to; version 0 is the empty one.

    `position` is the journal row after which it holds, None while it does not yet. `late` counts
    facts that came after later ones of their node, `refused` devices there was no room for,
    `failed` rows at which a rule made a mistake.
    """

    version: int
    tag: str
    text: str
    actor: str
    note: str | None
    at: datetime | None
    position: int | None
    rules: tuple[RuleView, ...]
    faults: tuple[str, ...]
    late: int
    refused: int
    failed: int


class RuleVersionView(msgspec.Struct, frozen=True, kw_only=True):
    """One document that was written down; `position` is None when it never came to hold."""

    version: int
    tag: str
    actor: str
    note: str | None
    at: datetime | None
    position: int | None


class RuleService:
    """Reads and writes rule documents. `zone` is the site's, for hours and days."""

    def __init__(
        self, reader: sa.Engine, writer: sa.Engine, journal_reader: sa.Engine, zone: tzinfo
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._journal = journal_reader
        self._zone = zone

    def get(self, viewer: Viewer) -> RulesView:
        """Return the document written last; who wrote it and why is for staff."""
        viewer.require("see")
        with reading(self._reader) as connection:
            found = self._view(connection, versions.newest(connection))
        return found if viewer.may("act") else msgspec.structs.replace(found, actor="", note=None)

    def put(
        self,
        viewer: Viewer,
        text: str,
        *,
        seen: Seen,
        now: datetime,
        note: str | None = None,
    ) -> RulesView:
        """Write down a document; it holds for rows that are received from about now on.

        `seen` names the one that it replaces. Raises RulesBroken, Outdated, NotLookedAt,
        NotAllowed, NotUsable.
        """
        viewer.require("arrange")
        note = (note or "").strip() or None
        if note and len(note) > MOST_NOTE:
            raise NotUsable(f"a note has at most {MOST_NOTE} characters", where="note")
        _checked(text)
        with writing(self._writer) as connection:
            known = versions.newest(connection)
            seen.check(known.tag)
            made = known
            if known.text != text:
                made = versions.add(connection, text, actor=viewer.actor, at=now, note=note)
                said = {"version": made.version, "digest": made.tag}
                audit.note(connection, now, viewer.actor, "rules-changed", "", **said)
            return self._view(connection, made)

    def history(
        self, viewer: Viewer, *, cursor: str | None = None, limit: int = 50
    ) -> Page[RuleVersionView]:
        """Return all documents that were written down, the newest first.

        Who wrote them and why is for staff. Raises NotAllowed, NotUsable.
        """
        viewer.require("act")
        limit = max(1, min(limit, MOST))
        before = number(cursor) if cursor else None
        with reading(self._reader) as connection:
            found = versions.history(connection, before=before, limit=limit + 1)
        views = tuple(_version(one) for one in found[:limit])
        return Page(views, str(views[-1].version) if len(found) > limit else None)

    def version(self, viewer: Viewer, wanted: int) -> RuleVersion:
        """Return one document. Raises NotThere, NotAllowed."""
        viewer.require("act")
        with reading(self._reader) as connection:
            found = versions.get(connection, wanted)
        if found is None:
            raise NotThere("no such version of the rules")
        return found

    def test(self, viewer: Viewer, text: str, start: datetime, end: datetime) -> Trial:
        """Return what a document would have raised on history; nothing is written.

        Ends early, and says so, when there is too much of it. Raises RulesBroken, NotUsable,
        NotAllowed.
        """
        viewer.require("arrange")
        if not start < end or end - start > LONGEST_TRIAL:
            raise NotUsable(
                f"must be after start, by {LONGEST_TRIAL.days} days at most", where="end"
            )
        rules = self._compiled(_checked(text))
        directory = Directory()
        with reading(self._reader) as connection:
            directory.connection = connection
            directory.read_all()
        deadline = time.monotonic() + PATIENCE
        return try_rules(
            self._journal,
            rules,
            directory.find,
            start=start,
            end=end,
            zone=self._zone,
            progress=lambda done, total: done >= total or time.monotonic() < deadline,
        )

    def fired(self, viewer: Viewer, since: datetime) -> FiredView:
        """Return how many incidents each rule has raised, or raised again, since an instant."""
        viewer.require("see")
        query = (
            sa.select(transition.c.actor, sa.func.count())
            .where(transition.c.step.in_(("opened", "reopened")), transition.c.at >= since)
            .group_by(transition.c.actor)
        )
        found: dict[str, int] = {}
        with reading(self._reader) as connection:
            for actor, count in connection.execute(query):
                name = actor.removeprefix("rule:").partition("@")[0]
                found[name] = found.get(name, 0) + count
        return FiredView(since=since, rules=found)

    def _compiled(self, document: Document, version: int = 0) -> RuleSet:
        return RuleSet(version, document, builtin(), self._zone)

    def _view(self, connection: sa.Connection, one: RuleVersion) -> RulesView:
        faults: tuple[Fault, ...] = ()
        document = Document()
        try:
            document = load(one.text)
        except RulesError as error:
            faults = error.faults
        body = connection.scalar(_CLOCKS)
        clocks = msgspec.json.decode(body, type=Clocks) if body else Clocks()
        return RulesView(
            version=one.version,
            tag=one.tag,
            text=one.text,
            actor=one.actor,
            note=one.note,
            at=one.at,
            position=one.position,
            rules=(
                *(_rule(one.rule, one.origin) for one in self._compiled(document).rules),
                *(_rule(one, "site") for one in document.rule if not one.enabled),
            ),
            faults=tuple(str(fault) for fault in faults),
            late=clocks.late,
            refused=clocks.refused,
            failed=clocks.failed,
        )


def _checked(text: str) -> Document:
    try:
        return load(text)
    except RulesError as error:
        faults = tuple((fault.where, fault.said) for fault in error.faults)
        raise RulesBroken("the document breaks rules", faults) from None


def _version(one: RuleVersion) -> RuleVersionView:
    return RuleVersionView(
        version=one.version,
        tag=one.tag,
        actor=one.actor,
        note=one.note,
        at=one.at,
        position=one.position,
    )


def _rule(rule: AnyRule, origin: Origin) -> RuleView:
    return RuleView(
        id=rule.id,
        type=str(rule.__struct_config__.tag),
        label=rule.label,
        origin=origin,
        severity=rule.severity,
        incident=(rule.incident or rule.id) if isinstance(rule, Derived) else None,
        safety=rule.safety,
        raises=not isinstance(rule, EventRule) or rule.raises,
        enabled=rule.enabled,
    )
