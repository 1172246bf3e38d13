"""Who is on duty, for the command line."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import msgspec

from ingest.audit import book as audit
from ingest.duty import book
from ingest.services import roster_sheet
from ingest.services.duty import on_duty_now
from ingest.services.duty_views import Someone, TeamDuty
from ingest.services.roster_sheet import RosterPreview
from ingest.settings import load_settings
from ingest.spreadsheet import MOST_BYTES
from linli.cli.ingest.folder import actor, state
from linli.cli.ingest.options import config_option, json_option
from linli.clock import SystemClock
from linli.counted import counted
from linli.errors import InputError


@click.group()
def duty() -> None:
    """Tell who is on duty, and show rosters."""


@duty.command("now", epilog="Example: linli ingest duty now --json")
@config_option
@json_option
def duty_now(config: Path, *, as_json: bool) -> None:
    """Tell for every team who is on duty, who is next, and the gaps of the coming week."""
    settings = load_settings(config)
    zone = ZoneInfo(settings.site.timezone)
    with state(settings) as connection:
        found = on_duty_now(connection, SystemClock().now(), zone)
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    for team in found.teams:
        for line in _lines(team, zone):
            click.echo(line)
    if not found.teams:
        click.echo("no team is registered")


@duty.command(epilog="Example: linli ingest duty show night > night.json")
@click.argument("team")
@config_option
@json_option
def show(team: str, config: Path, *, as_json: bool) -> None:
    """Print the roster of a TEAM as JSON, as the REST API takes it."""
    with state(load_settings(config)) as connection:
        found = book.get(connection, "roster", team)
    if found is None:
        raise InputError(f"team {team!r} has no roster", hint="Names: linli ingest duty now")
    body = (found.body or "").encode()
    click.echo(body if as_json else msgspec.json.format(body, indent=1))


@duty.command("import", epilog="Example: linli ingest duty import night march.csv --preview")
@click.argument("team")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--preview/--apply", "preview", default=None, help="Only say what would change, or do it"
)
@config_option
@json_option
def import_roster(
    team: str, file: Path, preview: bool | None, config: Path, *, as_json: bool
) -> None:
    """Write the days of a CSV FILE into the roster of a TEAM; other days stay as they are.

    Columns: date, from and to (or hours such as 08:00-20:00), names; titles in English or Chinese,
    UTF-8 or GBK, dates as people or Excel write them. It is written down whole or not at all.
    """
    if preview is None:
        raise InputError("say --preview or --apply", hint="Look at the preview first")
    settings = load_settings(config)
    zone, now = ZoneInfo(settings.site.timezone), SystemClock().now()
    try:
        with file.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(file)) from None
    with state(settings) as connection:
        made = roster_sheet.plan(connection, team, data, now, zone)
        found = made.preview
        if not preview and not found.faults:
            found = roster_sheet.write(connection, made, actor(), now)
            audit.note(connection, now, actor(), "roster-imported", team)
    if as_json:
        click.echo(msgspec.json.encode(found))
    else:
        click.echo("\n".join(_changes(found, zone)))
    if found.faults:
        raise InputError(
            f"{counted(len(found.faults), 'fault')}, nothing was changed", where=str(file)
        )


def _changes(found: RosterPreview, zone: ZoneInfo) -> Iterable[str]:
    yield from found.notes
    for change in found.changes:
        before = "; ".join(change.before) or "nothing"
        yield f"~ {change.day}: {before} → {'; '.join(change.after)}"
    for gap in found.gaps:
        yield f"  nobody: {_clock(gap.begin, zone)} to {_clock(gap.end, zone)}"
    for fault in found.faults:
        yield f"! row {fault.row}, {fault.column}: {fault.value!r} {fault.rule}"
    same = found.days - len(found.changes)
    done = "written down" if found.applied else "nothing was changed"
    yield f"{counted(len(found.changes), 'day')} changed, {same} as before: {done}"


def _lines(team: TeamDuty, zone: ZoneInfo) -> Iterable[str]:
    if not team.roster:
        yield f"{team.team} ({team.label}): no roster"
        return
    present = "NOBODY" if team.now is None else _names(team.now.people)
    until = "" if team.now is None else f" until {_clock(team.now.end, zone)}"
    yield f"{team.team} ({team.label}): {present}{until}"
    if team.next is not None:
        yield f"    next: {_names(team.next.people)} from {_clock(team.next.begin, zone)}"
    for gap in team.gaps:
        yield f"    nobody: {_clock(gap.begin, zone)} to {_clock(gap.end, zone)}"


def _names(people: Iterable[Someone]) -> str:
    return ", ".join(one.label for one in people)


def _clock(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
