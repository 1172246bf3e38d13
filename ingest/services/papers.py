"""The documents of duty and of who is told: their types, and whether one may be written down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from ingest.duty import book
from ingest.duty import checks as duty_checks
from ingest.duty.book import Kind, Paper
from ingest.duty.checks import Fault
from ingest.duty.deadlines import Deadlines
from ingest.duty.roster import Roster
from ingest.notify import checks
from ingest.notify.addresses import wrong
from ingest.notify.checks import Around
from ingest.notify.contact import Contacts
from ingest.notify.escalation import Ladder
from ingest.notify.known import whole
from ingest.notify.routes import Routes
from ingest.notify_settings import AnyChannel, Notify
from ingest.refusal import RulesBroken
from ingest.registry import book as registry
from linli.topics import is_id

TYPES: Mapping[Kind, Any] = {
    "roster": Roster,
    "deadlines": Deadlines,
    "contacts": Contacts,
    "ladder": Ladder,
    "routes": Routes,
    "channel": AnyChannel,
}


def made_of(kind: Kind, name: str, values: Mapping[str, Any]) -> msgspec.Struct:
    """Return a document of given values. Raises RulesBroken."""
    given = {**values, "team": name} if kind == "roster" else dict(values)
    if kind == "roster" and values.get("team", name) != name:
        raise RulesBroken("nothing was changed", (("team", "is that of the address"),))
    if kind == "channel":
        given["name"] = name
    given = {field: value for field, value in given.items() if value is not None}
    try:
        made: msgspec.Struct = msgspec.convert(given, TYPES[kind])
    except (msgspec.ValidationError, ValueError, OverflowError) as error:
        what, _, where = str(error).partition(" - at `$")
        raise RulesBroken("nothing was changed", ((where.strip("`.") or "body", what),)) from None
    return made


def read(paper: Paper) -> msgspec.Struct:
    """Return a document of the store."""
    found: msgspec.Struct = msgspec.json.decode(paper.body or "", type=TYPES[paper.kind])
    return found


def around(connection: sa.Connection, notify: Notify) -> Around:
    """Return what documents may name as of now; `notify` has the channels of the settings."""
    return Around(
        people={one.id for one in registry.some(connection, "person")},
        teams={one.id for one in registry.some(connection, "team")},
        places={one.id for one in registry.some(connection, "place")},
        ladders={one.name for one in book.some(connection, "ladder")},
        channels={one.name for one in whole(connection, notify).channels},
    )


def faults_of(name: str, value: msgspec.Struct, there: Around) -> list[Fault]:
    """Return which rules a document breaks beside what there is."""
    match value:
        case Roster():
            return duty_checks.faults(value, there.teams, there.people)
        case Contacts():
            return checks.of_contacts(name, value, there)
        case Ladder():
            no_name = [] if is_id(name) else [("name", "is no id such as lifts or at-night")]
            return [*no_name, *checks.of_ladder(value, there)]
        case Routes():
            return checks.of_routes(value, there)
        case _:
            return []


def wrong_addresses(notify: Notify, values: Mapping[str, Any]) -> list[Fault]:
    """Judge the addresses of contacts as given; whatever else is wrong is said elsewhere.

    `notify` has all channels. Takes no transaction: the name of a webhook is looked up.
    """
    channels = {one.name: one for one in notify.channels}
    given = values.get("ways")
    found: list[Fault] = []
    for number, way in enumerate(given if isinstance(given, list | tuple) else ()):
        channel = channels.get(str(way.get("channel"))) if isinstance(way, dict) else None
        address = way.get("address") if channel is not None else None
        if channel is None or not isinstance(address, str):
            continue
        rule = wrong(channel, address, notify.allow_networks)
        if rule is not None:
            found.append((f"ways[{number}].address", rule))
    return found


def needed_by(connection: sa.Connection, kind: Kind, name: str) -> list[Fault]:
    """Return what stands against taking a document away: routes that name this ladder."""
    paper = book.get(connection, "routes", book.ONLY) if kind == "ladder" else None
    routes = read(paper) if paper is not None else None
    if not isinstance(routes, Routes):
        return []
    used = [number for number, one in enumerate(routes.routes) if one.ladder == name]
    return [("name", f"routes[{number}] goes by it") for number in used if name != "usual"]
