"""`linli ingest notify`: try a channel, see who was told of what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import click
import msgspec
import sqlalchemy as sa

from ingest.accounts.account import Viewer
from ingest.notify import outbox
from ingest.notify.known import whole
from ingest.notify.message import Language
from ingest.notify.note import NoteState
from ingest.notify.texts import Kind
from ingest.notify.vault import Vault
from ingest.services.channels import ChannelService
from ingest.services.check import checked
from ingest.services.notify import NoteView, NotifyService, NotifyView, status, view_of
from ingest.settings import IngestSettings, load_settings
from ingest.store.choose import database_of
from ingest.store.engine import reading
from linli.cli.ingest.folder import operator
from linli.cli.ingest.options import config_option, json_option
from linli.clock import SystemClock
from linli.errors import InputError, LinliError

_HERE = Viewer(account="cli", name="cli", role="admin")
MOST = 1000


@click.group(short_help="Who is told of incidents: try a channel, see what came of each.")
def notify() -> None:
    """Try a channel, see who was told of what and what came of it."""


@notify.command(epilog="Example: linli ingest notify test group-bot 693a91f6-7xxx")
@click.argument("channel")
@click.argument("address")
@click.option("--language", type=click.Choice(get_args(Language)), default="zh", show_default=True)
@config_option
@json_option
def test(channel: str, address: str, language: Language, config: Path, *, as_json: bool) -> None:
    """Send a test message now; exit code 1 when the provider does not take it."""
    settings = load_settings(config)
    database = database_of(settings)
    fresh = database.is_empty()  # then nothing is written down, and the file has all channels
    if not fresh:
        database.prepare()
    reader, writer = database.reader("state"), database.writer("state")  # connect when first used
    try:
        known = _names(settings, None if fresh else reader)
        if channel not in known:
            hint = f"Known: {', '.join(known) or 'none'}"
            raise InputError(f"no channel {channel!r}", where=str(config), hint=hint)
        service = NotifyService(
            settings.notify,
            reader,
            site=settings.site.label,
            zone=ZoneInfo(settings.site.timezone),
            writer=None if fresh else writer,
            secrets=Vault(settings.folder, reader),
        )
        made = service.test(operator(), channel, address, language, SystemClock().now())
    finally:
        reader.dispose()
        writer.dispose()
    if as_json:
        click.echo(_json(made))
    elif made.sent:
        click.echo("the provider took it")
    if not made.sent:
        raise LinliError(f"not taken: {made.words} ({made.code})", where=f"channel {channel}")


@notify.command(epilog="Example: linli ingest notify check --config ingest.toml")
@config_option
@json_option
def check(config: Path, *, as_json: bool) -> None:
    """Look at channels, routes, contacts, ladders and rosters, and say what is wrong."""
    settings = load_settings(config)
    with _reading(settings) as connection:
        found = checked(connection, settings.notify)
    if not found.numbers["channels"]:
        raise InputError(
            "no channel is set: nobody is told", where=str(config), hint="See docs/notifications.md"
        )
    text = ", ".join(f"{number} {name}" for name, number in found.numbers.items())
    click.echo(_json(found) if as_json else text)
    if found.faults:
        lines = "; ".join(f"{where}: {what}" for where, what in found.faults)
        raise InputError(lines, where="what is written down", hint="See docs/notifications.md")


@notify.command(epilog="Example: linli ingest notify text --kind reminder --language en")
@click.option("--kind", type=click.Choice(get_args(Kind)), default="call", show_default=True)
@click.option("--language", type=click.Choice(get_args(Language)), default="zh", show_default=True)
@click.option("--incident", help="Id of an incident; an example without it")
@config_option
@json_option
def text(
    kind: Kind, language: Language, incident: str | None, config: Path, *, as_json: bool
) -> None:
    """Show what a message says; nobody is told."""
    from dashboards.web.notices import WebWording

    settings = load_settings(config)
    database = database_of(settings)
    if database.is_empty():
        raise InputError("no ingest has run here yet", where=database.place, hint="Check --config")
    engine = database.reader("state")
    service = ChannelService(
        settings.notify,
        engine,
        wording=WebWording(),
        site=settings.site.id,
        zone=ZoneInfo(settings.site.timezone),
    )
    try:
        found = service.text(_HERE, kind, language, SystemClock().now(), incident)
    finally:
        engine.dispose()
    click.echo(_json(found) if as_json else "\n".join((found.title, *found.lines)))


@notify.command("status", epilog="Example: linli ingest notify status --json")
@config_option
@json_option
def status_(config: Path, *, as_json: bool) -> None:
    """Show how telling people does; works beside a running ingest."""
    settings = load_settings(config)
    with _reading(settings) as connection:
        found = status(settings.notify, connection, SystemClock().now())
    click.echo(_json(found) if as_json else "\n".join(_lines(found)))


@notify.command("list", epilog="Example: linli ingest notify list --state dead --limit 20")
@click.option("--incident", help="Only of this incident's id")
@click.option("--state", type=click.Choice(get_args(NoteState)), help="Only those in this state")
@click.option("--limit", type=click.IntRange(1, MOST), default=50, show_default=True, help="Lines")
@config_option
@json_option
def list_(
    incident: str | None, state: NoteState | None, limit: int, config: Path, *, as_json: bool
) -> None:
    """Show notifications, the newest first."""
    with _reading(load_settings(config)) as connection:
        found = outbox.notes(connection, incident=incident, state=state, limit=limit)
    views = [view_of(one, secret=True) for one in found]
    if as_json:
        click.echo(_json({"items": views}))
        return
    for one in views:
        click.echo(_line(one))
    if not views:
        click.echo("no notification")


@notify.command(epilog="Example: linli ingest notify show 17")
@click.argument("number", type=int)
@config_option
@json_option
def show(number: int, config: Path, *, as_json: bool) -> None:
    """Show one notification with its address and what the provider said."""
    with _reading(load_settings(config)) as connection:
        found = outbox.get(connection, number)
    if found is None:
        raise InputError(f"no notification {number}", where="notify show")
    view = view_of(found, secret=False)
    if as_json:
        click.echo(_json(view))
        return
    for name, value in msgspec.structs.asdict(view).items():
        if value is not None:
            click.echo(f"{name:<10} {value}")


def _names(settings: IngestSettings, reader: sa.Engine | None) -> list[str]:
    if reader is None:
        return [one.name for one in settings.notify.channels]
    with reading(reader) as connection:
        return [one.name for one in whole(connection, settings.notify).channels]


@contextmanager
def _reading(settings: IngestSettings) -> Iterator[sa.Connection]:
    database = database_of(settings)
    if database.is_empty():
        raise InputError("no ingest has run here yet", where=database.place, hint="Check --config")
    engine = database.reader("state")
    try:
        with reading(engine) as connection:
            yield connection
    finally:
        engine.dispose()


def _line(one: NoteView) -> str:
    reason = f" ({one.reason})" if one.reason else ""
    said = f"  {one.words}" if one.words else ""
    when = f"{one.created:%Y-%m-%d %H:%M:%S}Z"
    who = f"{one.kind:<8} {one.owner:<16} {one.channel:<10}"
    return f"{one.id}  {when}  {who} {one.state}{reason}{said}"


def _lines(found: NotifyView) -> Iterator[str]:
    yield f"state       {found.state}  {found.words}".rstrip()
    yield f"created     {found.created}: {found.sent} sent, {found.waiting} waiting"
    for name, reasons in (("suppressed", found.suppressed), ("dead", found.dead)):
        if reasons:
            yield f"{name:<11} {', '.join(f'{n} {why}' for why, n in sorted(reasons.items()))}"
    yield f"may be twice {found.doubts}; overdue {found.overdue}; left and freed {found.requeued}"
    for one in found.channels:
        rests = f", rests until {one.rests_until:%H:%M:%S}Z" if one.rests_until else ""
        numbers = f"{one.sent} sent, {one.waiting} wait, {one.dead} dead{rests}"
        yield f"{one.name} ({one.type}): {numbers}"


def _json(found: object) -> str:
    return msgspec.json.encode(found).decode()
