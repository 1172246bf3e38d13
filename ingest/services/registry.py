"""Places, edge boxes, devices, teams and people: what administrators keep and everybody reads."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from msgspec.structs import asdict, replace

from ingest.accounts.account import Viewer
from ingest.audit import book as audit
from ingest.feed import Feed
from ingest.refusal import NotLookedAt, NotThere, Outdated, RulesBroken
from ingest.registry import book, plan, sheet
from ingest.registry.plan import Action, Change, Plan, Preview, Value, Wish, tag
from ingest.registry.records import (
    KINDS,
    TYPES,
    Device,
    Edge,
    Key,
    Person,
    Place,
    Record,
    RecordType,
    area_of,
)
from ingest.registry.values import RegistryFault, build
from ingest.registry.words import Titles
from ingest.services.page import Page, number
from ingest.store.engine import reading, writing
from linli.counted import counted

MOST = 1000
_SHOWN_OF_PHONE = 4
_LONGEST_SAID = 120


@dataclass(frozen=True, slots=True)
class Seen:
    """Which state of something a caller has seen, by its tags, and which it must not be in.

    `*` stands for any state: in `unless` the caller wants to make what is not there yet.
    """

    tags: frozenset[str] = frozenset()
    unless: frozenset[str] = frozenset()

    def check(self, current: str | None) -> None:
        """Raise Outdated when it is another state by now, NotLookedAt when nothing was said."""
        if current is None:
            if self.tags:
                raise Outdated("it is not there")
            return
        if "*" in self.unless:
            raise Outdated("it is there already")
        if current in self.unless:
            raise Outdated("it is in the state that If-None-Match names")
        if not self.tags:
            raise NotLookedAt("send If-Match with the ETag of what you have seen")
        if current not in self.tags and "*" not in self.tags:
            raise Outdated("somebody changed it meanwhile", hint="Look at it again")


NOTHING_YET = Seen(unless=frozenset("*"))


class RegistryService:
    """Reads and changes the registry of this community, `site`."""

    def __init__(self, reader: sa.Engine, writer: sa.Engine, feed: Feed, site: str) -> None:
        self._reader = reader
        self._writer = writer
        self._feed = feed
        self._site = site

    def list(
        self,
        viewer: Viewer,
        what: RecordType,
        *,
        cursor: str | None = None,
        limit: int = 100,
        retired: bool = False,
    ) -> Page[Record]:
        """Return records by id; retired ones only when asked for. Raises NotAllowed."""
        _may_see(viewer, what)
        limit = max(1, min(limit, MOST))
        with reading(self._reader) as connection:
            found = book.some(
                connection, what, after=cursor or "", limit=limit + 1, retired=retired
            )
            inside = _inside(connection, viewer)
        items = tuple(_shown(viewer, one) for one in found[:limit] if inside(one))
        return Page(items, found[limit - 1].id if len(found) > limit else None)

    def things(self, viewer: Viewer, area: str | None = None) -> tuple[Record, ...]:
        """Return all edge boxes and devices in use, or those of an area. Raises NotAllowed."""
        viewer.within("see")
        with reading(self._reader) as connection:
            kinds: tuple[RecordType, ...] = ("edge", "device")
            inside = _inside(connection, viewer)
            found = (one for what in kinds for one in book.some(connection, what, area=area))
            return tuple(one for one in found if inside(one))

    def labels(self, viewer: Viewer, most: int) -> dict[str, str]:
        """Return what edge boxes and devices in use are called, by id; nothing beyond `most`.

        Raises NotAllowed.
        """
        areas = viewer.within("see")
        with reading(self._reader) as connection:
            return book.labels(connection, areas, most)

    def kinds(self, viewer: Viewer) -> tuple[str, ...]:
        """Return the kinds of devices in use, in order. Raises NotAllowed."""
        areas = viewer.within("see")
        with reading(self._reader) as connection:
            return book.kinds(connection, areas)

    def places(self, viewer: Viewer) -> tuple[Place, ...]:
        """Return the places in use that the viewer may know of, by id. Raises NotAllowed."""
        viewer.within("see")
        with reading(self._reader) as connection:
            inside = _inside(connection, viewer)
            found = book.some(connection, "place")
        return tuple(one for one in found if isinstance(one, Place) and inside(one))

    def get(self, viewer: Viewer, what: RecordType, name: str) -> Record:
        """Return one record. Raises NotThere, NotAllowed."""
        _may_see(viewer, what)
        with reading(self._reader) as connection:
            found = book.one(connection, what, name)
            inside = _inside(connection, viewer)
        if found is None or not inside(found):
            raise NotThere(f"no such {what}")
        return _shown(viewer, found)

    def put(
        self,
        viewer: Viewer,
        what: RecordType,
        name: str,
        values: Mapping[str, Any],
        *,
        seen: Seen,
        now: datetime,
        whole: bool = True,
    ) -> tuple[Record, bool]:
        """Make or replace a record, or with `whole` false change the given fields of one.

        Return it, and whether it is new. Raises NotAllowed, NotThere, Outdated, NotLookedAt, and
        RulesBroken that names each rule.
        """
        viewer.require("administer")
        with writing(self._writer) as connection:
            current = book.records(connection)
            before = current.get((what, name))
            if before is None and not whole:
                raise NotThere(f"no such {what}")
            seen.check(tag(before) if before is not None else None)
            known = asdict(before) if before is not None and not whole else {"id": name}
            record, faults = build(what, {**known, **values})
            if record is not None and record.id != name:
                faults = [
                    RegistryFault(column="id", rule="is that of the address", value=record.id)
                ]
            if record is None or faults:
                raise _broken(faults)
            self._do(connection, current, Wish(record.key, record), viewer, now)
        self._feed.tell("devices")
        return record, before is None

    def remove(
        self, viewer: Viewer, what: RecordType, name: str, *, seen: Seen, now: datetime
    ) -> None:
        """Delete what never had a use; the rest is retired by setting `retired`.

        Raises NotAllowed, NotThere, Outdated, NotLookedAt, and RulesBroken while something depends
        on it.
        """
        viewer.require("administer")
        key: Key = (what, name)
        with writing(self._writer) as connection:
            current = book.records(connection)
            if key not in current:
                raise NotThere(f"no such {what}")
            seen.check(tag(current[key]))
            self._do(connection, current, Wish(key, None), viewer, now)
        self._feed.tell("devices")

    def preview(self, viewer: Viewer, data: bytes, default: str | None = None) -> Plan:
        """Return what a file would change. Raises NotAllowed, and InputError for no such file."""
        viewer.require("administer")
        with reading(self._reader) as connection:
            return plan_of_file(connection, data, default, self._site)

    def apply(
        self, viewer: Viewer, data: bytes, default: str | None = None, *, seen: Seen, now: datetime
    ) -> Preview:
        """Do what a file says, all of it or nothing, as it was seen in its preview.

        Raises NotAllowed, InputError, RulesBroken for refused rows, NotLookedAt, and Outdated when
        it would do something else than what was seen.
        """
        viewer.require("administer")
        with writing(self._writer) as connection:
            made = plan_of_file(connection, data, default, self._site)
            seen.check(made.tag)
            if made.preview.faults:
                raise _broken(list(made.preview.faults))
            book.write(connection, made, viewer.actor, now)
            note_import(connection, made, viewer.actor, now)
        self._feed.tell("devices")
        return replace(made.preview, applied=True)

    def export(
        self,
        viewer: Viewer,
        now: datetime,
        titles: Titles = "zh",
        types: Collection[RecordType] = TYPES,
    ) -> str:
        """Return everything as a CSV file that an import takes. Raises NotAllowed."""
        viewer.require("administer")
        with writing(self._writer) as connection:
            found = book.records(connection)
            audit.note(connection, now, viewer.actor, "registry-exported", " ".join(types))
        return sheet.write([one for one in found.values() if one.type in types], titles)

    def history(
        self,
        viewer: Viewer,
        *,
        cursor: str | None = None,
        limit: int = 100,
        of: Key | None = None,
    ) -> Page[book.Entry]:
        """Return who changed what, newest first. Raises NotAllowed, NotUsable."""
        viewer.require("administer")
        limit = max(1, min(limit, MOST))
        before = number(cursor) if cursor else None
        with reading(self._reader) as connection:
            found = book.history(connection, before=before, limit=limit + 1, of=of)
        items = tuple(found[:limit])
        return Page(items, str(items[-1].number) if len(found) > limit else None)

    def _do(
        self,
        connection: sa.Connection,
        current: Mapping[Key, Record],
        wish: Wish,
        viewer: Viewer,
        now: datetime,
    ) -> None:
        around = book.surroundings(connection, self._site)
        heard = book.heard(connection) if wish.record is None else ()
        made = plan.make(current, [wish], around, heard=heard)
        if made.preview.faults:
            raise _broken(list(made.preview.faults))
        book.write(connection, made, viewer.actor, now)
        what, name = wish.key
        action: Action = "removed" if wish.record is None else "changed"
        unchanged = Change(type=what, id=name, action=action)
        for change in made.preview.changes or (unchanged,):
            _note(connection, change, viewer.actor, now)


def note_import(connection: sa.Connection, made: Plan, actor: str, now: datetime) -> None:
    """Add to the audit log that a file was applied, and each person and team that it changed."""
    audit.note(connection, now, actor, "registry-imported", made.tag)
    for change in made.preview.changes:
        if change.type in ("person", "team"):
            _note(connection, change, actor, now)


def _note(connection: sa.Connection, change: Change, actor: str, now: datetime) -> None:
    done = "removed" if change.action == "removed" else "changed"
    said = {
        one.field: f"{_said(one.before)} > {_said(one.after)}"
        for one in book.without_secrets(change)
    }
    audit.note(connection, now, actor, f"registry-{done}", f"{change.type} {change.id}", **said)


def _said(value: Value) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value))[:_LONGEST_SAID] or "-"
    return "-" if value in (None, "") else str(value)[:_LONGEST_SAID]


def plan_of_file(connection: sa.Connection, data: bytes, default: str | None, site: str) -> Plan:
    """Return what a file would change of what is there now. Raises InputError."""
    current = book.records(connection)
    read = sheet.read(data, current, default)
    return plan.make(
        current,
        read.wishes,
        book.surroundings(connection, site),
        faults=read.faults,
        refused=read.refused,
        notes=read.notes,
    )


def _may_see(viewer: Viewer, what: RecordType) -> None:
    viewer.within("act" if KINDS[what].private else "see")


def _inside(connection: sa.Connection, viewer: Viewer) -> Callable[[Record], bool]:
    """Return what tells whether a thing is in the viewer's areas; people and teams always are."""
    areas = viewer.areas
    if areas is None:
        return lambda _: True
    home = {
        one.id: area_of(one.place)
        for one in book.some(connection, "edge", retired=True)
        if isinstance(one, Edge)
    }

    def inside(one: Record) -> bool:
        match one:
            case Place():
                return "/" not in one.id or area_of(one.id) in areas
            case Edge():
                return home.get(one.id) in areas
            case Device():
                return home.get(one.id.partition("/")[0]) in areas
            case _:
                return True

    return inside


def _shown(viewer: Viewer, record: Record) -> Record:
    """Return a record as this viewer may see it: of a phone no more than its last digits."""
    if not isinstance(record, Person) or record.phone is None or viewer.may("administer"):
        return record
    return replace(record, phone=f"{book.PRIVATE} {record.phone[-_SHOWN_OF_PHONE:]}")


def _broken(faults: list[RegistryFault]) -> RulesBroken:
    """Return the refusal of everything at once that is wrong."""
    rows = {fault.row for fault in faults if fault.row is not None}
    what = (
        f"{counted(len(rows), 'row')} refused, nothing was changed"
        if rows
        else "nothing was changed"
    )
    return RulesBroken(what, tuple((_where(one), _what(one)) for one in faults))


def _where(fault: RegistryFault) -> str:
    return f"row {fault.row}, {fault.column}" if fault.row is not None else fault.column


def _what(fault: RegistryFault) -> str:
    text = f"{fault.value!r}: {fault.rule}" if fault.value else fault.rule
    return f"{text}. {fault.hint}" if fault.hint else text
