"""A file of contacts, ladders, routes and rosters, brought into the store after a preview."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec
import sqlalchemy as sa
from msgspec import Meta

from ingest.duty import book
from ingest.duty.book import Kind
from ingest.duty.checks import Fault
from ingest.duty.roster import Roster
from ingest.notify.contact import Contact, Contacts, Way
from ingest.notify.escalation import Ladder
from ingest.notify.routes import Route, Routes
from ingest.notify_settings import Notify
from ingest.services.papers import around, faults_of, wrong_addresses
from linli.events import Slug
from linli.settings import Settings, load

_WAY = tuple(field.name for field in msgspec.structs.fields(Way))


class PeopleFile(Settings, frozen=True, kw_only=True):
    """Who is told of what, in one file; it holds addresses, so only its owner may read it."""

    routes: Annotated[tuple[Route, ...], Meta(max_length=256)] = ()
    contacts: Annotated[tuple[Contact, ...], Meta(max_length=4000)] = ()
    rosters: Annotated[tuple[Roster, ...], Meta(max_length=256)] = ()
    ladders: dict[Slug, Ladder] = msgspec.field(default_factory=dict)


class PaperChange(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of one document; what stands in it is not told, it may be private."""

    kind: Kind
    name: str
    action: Literal["created", "changed", "unchanged"]


class PeoplePlan(NamedTuple):
    """What a file would do, the documents that go with it, and why it cannot."""

    changes: tuple[PaperChange, ...]
    papers: tuple[tuple[Kind, str, str], ...]
    faults: tuple[Fault, ...]


def load_people(path: Path) -> PeopleFile:
    """Read a file. Raises InputError that says where and which rule."""
    return load(path, PeopleFile)


def plan(connection: sa.Connection, file: PeopleFile, notify: Notify) -> PeoplePlan:
    """Hold a file against what is written down; what it does not name stays as it is."""
    there = around(connection, notify)
    there = msgspec.structs.replace(there, ladders={*there.ladders, *file.ladders})
    changes, papers, faults = [], [], _twice(file)
    for kind, name, value in _documents(file):
        faults += [
            (f"{kind} {name}: {where}", what) for where, what in faults_of(name, value, there)
        ]
        body = msgspec.json.encode(value).decode()
        before = book.get(connection, kind, name)
        same = before is not None and before.body == body
        action: Literal["created", "changed", "unchanged"] = (
            "created" if before is None else "unchanged" if same else "changed"
        )
        changes.append(PaperChange(kind=kind, name=name, action=action))
        papers.append((kind, name, body))
    return PeoplePlan(tuple(changes), tuple(papers), tuple(faults))


def address_faults(file: PeopleFile, notify: Notify) -> list[Fault]:
    """Judge every address of a file; takes no transaction, as names of webhooks are looked up."""
    return [
        (f"contacts {name}: {where}", what)
        for kind, name, value in _documents(file)
        if kind == "contacts"
        for where, what in wrong_addresses(notify, msgspec.to_builtins(value))
    ]


def write(connection: sa.Connection, made: PeoplePlan, actor: str, now: datetime) -> None:
    """Write down what a plan without faults says."""
    for kind, name, body in made.papers:
        book.write(connection, kind, name, body, actor=actor, now=now, why="imported")


def _documents(file: PeopleFile) -> Iterator[tuple[Kind, str, msgspec.Struct]]:
    ways: dict[str, list[Way]] = {}
    for one in file.contacts:
        way = Way(**{name: getattr(one, name) for name in _WAY})
        ways.setdefault(f"{one.owner_type}:{one.owner}", []).append(way)
    for name, found in ways.items():
        yield "contacts", name, Contacts(ways=tuple(found))
    for roster in file.rosters:
        yield "roster", roster.team, roster
    for name, ladder in file.ladders.items():
        yield "ladder", name, ladder
    if file.routes:
        yield "routes", book.ONLY, Routes(routes=file.routes)


def _twice(file: PeopleFile) -> list[Fault]:
    teams = [one.team for one in file.rosters]
    return [(f"roster {one}", "is in the file twice") for one in set(teams) if teams.count(one) > 1]
