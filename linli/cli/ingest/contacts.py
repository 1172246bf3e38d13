"""`linli ingest people`: who is told of what, brought in from a file, listed, tried."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import click
import msgspec

from ingest.accounts.account import Viewer
from ingest.audit import book as audit
from ingest.duty import book
from ingest.duty.book import Kind
from ingest.notify.contact import Contacts
from ingest.notify.known import whole
from ingest.notify.routes import Matter, Routes
from ingest.services.foresight import Foresight, ForesightService, RungView
from ingest.services.papers import read
from ingest.services.people_file import PaperChange, address_faults, load_people, plan, write
from ingest.settings import load_settings
from ingest.store.choose import database_of
from linli.cli.ingest.folder import actor, state
from linli.cli.ingest.options import config_option, json_option
from linli.clock import SystemClock
from linli.counted import counted
from linli.errors import InputError
from linli.events import Severity

_HERE = Viewer(account="cli", name="cli", role="admin")
_MARKS = {"created": "+", "changed": "~", "unchanged": "="}
_KINDS: tuple[Kind, ...] = ("contacts", "ladder", "routes")


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What a file does or would do."""

    applied: bool
    changes: tuple[PaperChange, ...]
    faults: tuple[tuple[str, str], ...]


@click.group()
def people() -> None:
    """Say who is told of what: bring contacts, ladders and routes in, list them, try them."""


@people.command("import", epilog="Example: linli ingest people import people.toml --preview")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--preview/--apply", "preview", default=None, help="Only say what would change, or do it"
)
@config_option
@json_option
def import_file(file: Path, preview: bool | None, config: Path, *, as_json: bool) -> None:
    """Write down what a TOML FILE says; documents that it does not name stay as they are.

    The form is in docs/notifications.md. It is written down whole or not at all.
    """
    if preview is None:
        raise InputError("say --preview or --apply", hint="Look at the preview first")
    settings, given = load_settings(config), load_people(file)
    with state(settings) as connection:
        notify = whole(connection, settings.notify)
    wrong = address_faults(given, notify)
    with state(settings) as connection:
        made = plan(connection, given, settings.notify)
        faults = (*made.faults, *wrong)
        if not preview and not faults:
            now = SystemClock().now()
            write(connection, made, actor(), now)
            audit.note(connection, now, actor(), "people-imported", file.name[:64])
    applied = not preview and not faults
    found = Imported(applied=applied, changes=made.changes, faults=faults)
    click.echo(_json(found) if as_json else "\n".join(_lines(found)))
    if faults:
        raise InputError(f"{counted(len(faults), 'fault')}, nothing was changed", where=str(file))


@people.command("list", epilog="Example: linli ingest people list --json")
@config_option
@json_option
def list_(config: Path, *, as_json: bool) -> None:
    """List routes, ladders, and by which channels whom; addresses are not shown."""
    with state(load_settings(config)) as connection:
        found = [one for kind in _KINDS for one in book.some(connection, kind)]
    values = [(one, read(one)) for one in found]
    if as_json:
        shown = [
            {"kind": paper.kind, "name": paper.name, "value": _shown(value)}
            for paper, value in values
        ]
        click.echo(_json({"items": shown}))
        return
    for paper, value in values:
        click.echo(f"{paper.kind:<9}{paper.name:<24}{_said(value)}  ({paper.actor})")
    if not values:
        click.echo("nothing is written down: nobody is told")


@people.command(
    "preview", epilog="Example: linli ingest people preview ebike-in-elevator --building b03"
)
@click.argument("event")
@click.option(
    "--severity", type=click.Choice(get_args(Severity)), default="critical", show_default=True
)
@click.option("--building", help="Where it happens, such as b03")
@config_option
@json_option
def preview_(
    event: str, severity: Severity, building: str | None, config: Path, *, as_json: bool
) -> None:
    """Tell who would be told if EVENT began now, and who next; nothing is sent."""
    settings = load_settings(config)
    zone = ZoneInfo(settings.site.timezone)
    database = database_of(settings)
    if database.is_empty():
        raise InputError("no ingest has run here yet", where=database.place, hint="Check --config")
    engine = database.reader("state")
    try:
        service = ForesightService(engine, settings.notify, zone)
        matter = Matter(settings.site.id, building or "", event, severity)
        found = service.of_matter(_HERE, matter, SystemClock().now())
    finally:
        engine.dispose()
    if as_json:
        click.echo(_json(found))
        return
    for line in _steps(found, zone):
        click.echo(line)


def _lines(found: Imported) -> Iterator[str]:
    for one in found.changes:
        yield f"{_MARKS[one.action]} {one.kind} {one.name}"
    for where, what in found.faults:
        yield f"! {where}: {what}"
    yield "written down" if found.applied else "nothing was changed"


def _shown(value: msgspec.Struct) -> object:
    shown = msgspec.to_builtins(value)
    if isinstance(value, Contacts):
        for way in shown["ways"]:
            del way["address"]
    return shown


def _said(value: msgspec.Struct) -> str:
    if isinstance(value, Contacts):
        return ", ".join(one.channel for one in value.ways) or "no way"
    if isinstance(value, Routes):
        return "; ".join(f"{one.event or 'any'} → {one.team}" for one in value.routes)
    return ", ".join(str(one.who) for one in getattr(value, "rungs", ()))


def _steps(found: Foresight, zone: ZoneInfo) -> Iterator[str]:
    if found.team is None:
        yield "no route fits: nobody would be told"
        return
    rounds = counted(found.rounds, "round")
    yield f"team {found.team}, ladder {found.ladder}, {rounds} while nobody acts"
    for rung in found.rungs:
        clock = rung.at.astimezone(zone).strftime("%H:%M:%S")
        yield f"{clock}  {rung.who:<11}{_whom(rung, zone)}"


def _whom(rung: RungView, zone: ZoneInfo) -> str:
    if rung.skipped is not None:
        return f"left out ({rung.skipped})"
    late = {
        one.owner: f" from {one.at.astimezone(zone):%H:%M}"
        for one in rung.reached
        if one.at != rung.at
    }
    told = [f"{one.owner} by {one.channel}{late.get(one.owner, '')}" for one in rung.reached]
    return "; ".join([*told, *(f"{one.owner}: {one.why}" for one in rung.missing)]) or "nobody"


def _json(found: object) -> str:
    return msgspec.json.encode(found).decode()
