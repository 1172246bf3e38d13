"""Waste bins, for the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import msgspec

from ingest.accounts.account import Viewer
from ingest.series.embedded import EmbeddedTimeseries
from ingest.services.waste import BinView, WasteService
from ingest.settings import load_settings
from ingest.store.choose import database_of
from ingest.waste.walk import Walk
from linli.cli.ingest.folder import actor
from linli.cli.ingest.options import config_option, json_option
from linli.clock import SystemClock

_WHY = {
    "full": "full",
    "may-fill": "may fill before the next round",
    "nearly-full": "nearly full, no forecast",
    "not-known": "NOT KNOWN, look",
}


_ORDERS = {"walk": "along site.walk", "places": "in the order of their places"}


@click.group()
def waste() -> None:
    """Tell which bins to empty now, and how full all are."""


@waste.command("round", epilog="Example: linli ingest waste round --hours 12 --json")
@click.option(
    "--hours",
    type=click.FloatRange(min=0, max=72, min_open=True),
    default=24.0,
    show_default=True,
    help="Hours until the next round.",
)
@config_option
@json_option
def show_round(config: Path, hours: float, *, as_json: bool) -> None:
    """Tell which bins to empty now, in walking order."""
    now = SystemClock().now()
    with _service(config) as (service, viewer, zone):
        found = service.round(viewer, now, now + timedelta(hours=hours))
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    for number, stop in enumerate(found.stops, 1):
        click.echo(f"{number:3}  {_line(stop.bin, zone)}  {_WHY[stop.why]}")
    click.echo(f"{len(found.stops)} to empty, {_ORDERS[found.order]}; {found.left} can wait")
    if found.too_late:
        click.echo(f"{found.too_late} of these may be full before that round: make it sooner")


@waste.command(epilog="Example: linli ingest waste bins")
@config_option
@json_option
def bins(config: Path, *, as_json: bool) -> None:
    """Tell how full each bin is and when it will be full."""
    with _service(config) as (service, viewer, zone):
        found = service.bins(viewer, SystemClock().now())
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    for one in found.items:
        click.echo(_line(one, zone))
    if not found.items:
        click.echo("no bin's level is measured")


@contextmanager
def _service(config: Path) -> Iterator[tuple[WasteService, Viewer, ZoneInfo]]:
    """Yield the service on the files of an ingest, which may be running."""
    settings = load_settings(config)
    database = database_of(settings)
    database.prepare()
    state, series = database.reader("state"), database.reader("series")
    zone = ZoneInfo(settings.site.timezone)
    try:
        yield (
            WasteService(state, EmbeddedTimeseries(series, series), zone, Walk(settings.site.way)),
            Viewer(account=actor(), name=actor(), role="street"),
            zone,
        )
    finally:
        state.dispose()
        series.dispose()


def _line(one: BinView, zone: ZoneInfo) -> str:
    level = " ??" if one.level is None else f"{one.level:3.0%}".rjust(4)
    return f"{level}  {one.place}  {one.label} ({one.node}/{one.device})  {_when(one, zone)}"


def _when(one: BinView, zone: ZoneInfo) -> str:
    if one.full_at is None:
        return f"no forecast: {(one.no_forecast or '').replace('-', ' ')}"
    middle = one.full_at.middle
    if middle is None:
        return "not full within three days"
    return f"full {_clock(middle, zone)} (from {_clock(one.full_at.early or middle, zone)})"


def _clock(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%m-%d %H:%M")
