"""`linli privacy`: what is kept of a place and a time, handed over, or deleted."""

from __future__ import annotations

import csv
import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import click
import msgspec

from ingest.archive.delivery import bury
from ingest.audit import book as audit
from ingest.evidence import book, request
from ingest.evidence.request import PURPOSE, Request, Shown
from ingest.evidence.shelf import FolderStore
from ingest.registry import book as registry
from ingest.registry.whereabouts import Whereabouts
from ingest.settings import IngestSettings, load_settings
from linli.cli.ingest.folder import actor, state
from linli.cli.ingest.options import config_option, json_option
from linli.clock import SystemClock
from linli.counted import counted
from linli.errors import InputError

F = TypeVar("F", bound=Callable[..., object])
_COLUMNS = ("file", "taken", "received", "edge", "device", "redaction", "held", "sha256")


@click.group(epilog="Example: linli privacy list --place c001/b03 --from 2026-03-01T08:00")
def command() -> None:
    """What pictures show a place in some time: list, hand over, delete; each is written down.

    Heads in pictures are blurred and Linli knows nobody, so whoever asks says where and when.
    """


def _asked(function: F) -> F:
    options = (
        click.option("--place", required=True, help="Path such as c001/b03/u1, with all below it"),
        click.option("--from", "since", required=True, help="Local time, such as 2026-03-01T08:00"),
        click.option("--to", "until", help="Local time; by default now"),
        config_option,
        json_option,
    )
    for option in reversed(options):
        function = option(function)
    return function


def _said(_context: click.Context, _option: click.Parameter, why: str) -> str:
    if not why.strip():
        raise click.BadParameter("say who asked, by what")
    return why


_why = click.option(
    "--why", required=True, callback=_said, help="Who asked, by what; goes into the audit log"
)


@command.command("list", epilog="Example: linli privacy list --place c001 --from 2026-03-01")
@_asked
def list_pictures(
    place: str, since: str, until: str | None, config: Path, *, as_json: bool
) -> None:
    """List the pictures that are kept, without opening any."""
    settings = load_settings(config)
    asked = _request(settings, place, since, until)
    found = _found(settings, asked, SystemClock().now())
    _say(found, settings, as_json=as_json)


@command.command(
    epilog="Example: linli privacy export --place c001/b03 --from 2026-03-01T08:00 "
    "--to 2026-03-01T09:00 --why 'request 17' --out request-17.zip"
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="ZIP file to write")
@_why
@_asked
def export(
    place: str, since: str, until: str | None, config: Path, out: Path, why: str, *, as_json: bool
) -> None:
    """Write the pictures and a list of them into a ZIP file; each counts as a look at it."""
    settings, now = load_settings(config), SystemClock().now()
    asked = _request(settings, place, since, until)
    if out.exists():
        raise InputError("is there already", where=str(out), hint="Choose another name")
    found = _found(settings, asked, now)
    try:
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as folder:
            fresh = Path(folder) / "new"
            _pack(fresh, found, settings)
            # Written down before it is handed over, and shortly: the ingest waits meanwhile.
            with state(settings) as connection:
                for one in found:
                    book.look(connection, one.id, actor(), now, PURPOSE)
                told = {"why": why, "pictures": len(found), **_told(asked)}
                audit.note(connection, now, actor(), "pictures-exported", asked.place, **told)
            fresh.replace(out)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", where=str(out)) from None
    _say(found, settings, as_json=as_json)


@command.command(
    epilog="Example: linli privacy delete --place c001/b03 --from 2026-03-01T08:00 "
    "--to 2026-03-01T09:00 --why 'request 17'"
)
@_why
@click.option("--yes", is_flag=True, help="Do not ask")
@_asked
def delete(
    place: str, since: str, until: str | None, config: Path, why: str, *, yes: bool, as_json: bool
) -> None:
    """Delete the pictures, but those under a hold; what happened stays, without its picture.

    Backups keep them until the archives go, but no restore brings them back. Edges that were
    offline may hand in some later: ask again then. The exit code is 1 when some are held.
    """
    settings, now = load_settings(config), SystemClock().now()
    asked = _request(settings, place, since, until)
    found = _found(settings, asked, now)
    free = [one for one in found if not one.held]
    if not yes:
        click.confirm(f"Delete {counted(len(free), 'picture')} for good?", abort=True, err=True)
    shelf = FolderStore(settings.folder / "evidence")
    with state(settings) as connection:
        gone = request.delete(connection, shelf, free, now)
        held = len(found) - len(gone)
        told = {"why": why, "pictures": len(gone), "held": held, **_told(asked)}
        audit.note(connection, now, actor(), "pictures-deleted", asked.place, **told)
    if as_json:
        click.echo(json.dumps({"deleted": [one.id for one in gone], "held": held}))
    else:
        click.echo(f"{len(gone)} deleted" + (f", {held} held and kept" if held else ""))
    _tell_places(settings, now)
    click.get_current_context().exit(1 if held else 0)


def _tell_places(settings: IngestSettings, now: datetime) -> None:
    """Let no backup bring them back, from now on."""
    for place, why in bury(settings, now).items():
        click.echo(f"not told to {place} yet, the next backup does: {why}", err=True)


def _request(settings: IngestSettings, place: str, since: str, until: str | None) -> Request:
    """Return what is asked. Raises InputError."""
    zone = ZoneInfo(settings.site.timezone)
    begin = _moment("--from", since, zone)
    end = SystemClock().now() if until is None else _moment("--to", until, zone)
    if end <= begin:
        raise InputError(f"{until or 'now'} is not after {since}", where="--to")
    place = place.strip("/")
    if place.partition("/")[0] != settings.site.id:
        raise InputError(
            f"{place!r} is not here", where="--place", hint=f"Begin with {settings.site.id}"
        )
    return Request(place=place, since=begin, until=end)


def _found(settings: IngestSettings, asked: Request, now: datetime) -> list[Shown]:
    """Return the pictures; say so when nobody knows the place, which may be a slip of the pen."""
    with state(settings) as connection:
        if registry.one(connection, "place", asked.place) is None:
            click.echo(f"{asked.place} is no place of the registry; is it written right?", err=True)
        return request.shown(connection, asked, now, Whereabouts.read(connection).of)


def _moment(option: str, text: str, zone: ZoneInfo) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"{text!r} is no time", where=option, hint="As in 2026-03-01T08:00"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=zone)


def _told(asked: Request) -> dict[str, str]:
    return {"from": asked.since.isoformat(), "to": asked.until.isoformat()}


def _pack(path: Path, found: list[Shown], settings: IngestSettings) -> None:
    shelf = FolderStore(settings.folder / "evidence")
    path.touch(mode=0o600, exist_ok=False)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number, one in enumerate(found, 1):
            if number % 100 == 0:
                click.echo(f"{number} of {len(found)}", err=True)
            if (data := shelf.get(one.id)) is not None:
                archive.writestr(f"{one.id}.jpg", data)
        table = io.StringIO()
        lines = csv.writer(table)
        lines.writerow(_COLUMNS)
        lines.writerows(_row(one, settings) for one in found)
        archive.writestr("pictures.csv", table.getvalue())


def _row(one: Shown, settings: IngestSettings) -> list[str]:
    zone = ZoneInfo(settings.site.timezone)
    taken, received = (at.astimezone(zone).isoformat() for at in (one.taken, one.received))
    held = "held" if one.held else ""
    return [f"{one.id}.jpg", taken, received, one.node, one.device, one.redaction, held, one.sha256]


def _say(found: list[Shown], settings: IngestSettings, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(found)))
        return
    zone = ZoneInfo(settings.site.timezone)
    for one in found:
        taken = one.taken.astimezone(zone)
        click.echo(f"{taken:%Y-%m-%d %H:%M:%S}  {one.node}/{one.device}  {one.id}")
    held = sum(one.held for one in found)
    click.echo(counted(len(found), "picture") + (f", {held} of them held" if held else ""))
