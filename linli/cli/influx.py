"""`linli influx`: try the InfluxDB of the settings, see how its writer does, what was refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec
import sqlalchemy as sa

from ingest.influx import book
from ingest.influx.attempt import Attempt, attempt
from ingest.influx.book import InfluxStatus
from ingest.settings import IngestSettings, load_settings
from ingest.store.choose import database_of
from ingest.store.engine import reading
from linli.cli.ingest.folder import state
from linli.cli.ingest.options import config_option, json_option
from linli.clock import SystemClock
from linli.counted import counted
from linli.errors import InputError, LinliError

MOST = 1000


@click.group(short_help="Check and watch the copy in InfluxDB.")
def command() -> None:
    """Check the InfluxDB of the settings, see how its writer does, look after refused points."""


@command.command(epilog="Example: linli influx check --config ingest.toml")
@config_option
@json_option
def check(config: Path, *, as_json: bool) -> None:
    """Write one point into InfluxDB and read it again; exit code 1 when either fails."""
    settings = _with_influx(config)
    made = attempt(settings.influx, settings.site.id, SystemClock().now())
    if as_json:
        click.echo(_json(made))
    else:
        for step in made.steps:
            click.echo(f"{step.name:<6} {'ok' if step.ok else 'failed'}  {step.words}".rstrip())
    if not _usable(made, charts=settings.influx.charts):
        raise LinliError("InfluxDB cannot be used like this", where=settings.influx.url or "")


@command.command(epilog="Example: linli influx status --json")
@config_option
@json_option
def status(config: Path, *, as_json: bool) -> None:
    """Show how far the writer is and what the server said last; works beside a running ingest."""
    settings = load_settings(config)
    with _reading(settings) as (connection, journal):
        found = book.status(settings.influx, connection, journal)
    click.echo(_json(found) if as_json else "\n".join(_lines(found)))


@command.command(epilog="Example: linli influx replay --config ingest.toml")
@config_option
@json_option
def replay(config: Path, *, as_json: bool) -> None:
    """Write everything again that the journal and the incidents still hold.

    For an InfluxDB that is new or was restored. Points that are there already stay as they are.
    """
    settings = _with_influx(config)
    with state(settings) as connection:
        book.replay(connection)
    click.echo(_json({"replay": True}) if as_json else "the writer begins again with the oldest")


@command.group(short_help="Points that InfluxDB refused.")
def park() -> None:
    """Look at points that InfluxDB refused, and send them again."""


@park.command("list", epilog="Example: linli influx park list --limit 20")
@click.option("--limit", type=click.IntRange(1, MOST), default=50, show_default=True, help="Lines")
@config_option
@json_option
def list_(config: Path, limit: int, *, as_json: bool) -> None:
    """Show the oldest refused points with what InfluxDB said of them."""
    settings = load_settings(config)
    with _reading(settings) as (connection, _):
        total = book.parked_count(connection)
        found = book.parked(connection, limit=limit)
    if as_json:
        click.echo(_json({"total": total, "items": found}))
        return
    for one in found:
        click.echo(f"{one.id}  {one.at:%Y-%m-%d %H:%M:%S}Z  {one.status}  {one.words}")
        click.echo(f"    {one.line!r}")
    click.echo(f"{total} refused" if total else "nothing was refused")


@park.command(epilog="Example: linli influx park retry")
@config_option
@json_option
def retry(config: Path, *, as_json: bool) -> None:
    """Let the running ingest send all refused points again."""
    settings = _with_influx(config)
    with state(settings) as connection:
        number = book.retry(connection)
    click.echo(_json({"retry": number}) if as_json else f"{number} will be sent again")


def _with_influx(config: Path) -> IngestSettings:
    settings = load_settings(config)
    if settings.influx.url is None:
        hint = "Add [influx] with url, as in http://127.0.0.1:8086"
        raise InputError("no InfluxDB is set", where=str(config), hint=hint)
    return settings


@contextmanager
def _reading(settings: IngestSettings) -> Iterator[tuple[sa.Connection, sa.Connection]]:
    database = database_of(settings)
    if database.is_empty():
        raise InputError("no ingest has run here yet", where=database.place, hint="Check --config")
    state_reader, journal_reader = database.reader("state"), database.reader("journal")
    try:
        with reading(state_reader) as one, reading(journal_reader) as other:
            yield one, other
    finally:
        state_reader.dispose()
        journal_reader.dispose()


def _usable(made: Attempt, *, charts: bool) -> bool:
    return all(step.ok for step in made.steps if step.name == "write" or charts)


def _lines(found: InfluxStatus) -> Iterator[str]:
    since = f" since {found.since:%Y-%m-%d %H:%M:%S}Z" if found.since is not None else ""
    yield f"state     {found.state}{since}"
    if found.url is not None:
        yield f"server    {found.url} ({found.api}), {found.bucket}"
    if found.words:
        yield f"it said   {found.words}"
    if found.stored is not None:
        yield f"stored    {found.stored:%Y-%m-%d %H:%M:%S}Z"
    behind, unusable = counted(found.behind, "journal row"), counted(found.poisoned, "row")
    yield f"behind    {behind}, {found.transitions_behind} of incidents"
    yield f"refused   {found.parked} kept, {found.dropped} dropped, {unusable} unusable"


def _json(found: object) -> str:
    return msgspec.json.encode(found).decode()
