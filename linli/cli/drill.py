"""`linli drill`: begin and end incidents to practise on, at the server itself."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import click
import msgspec

from ingest.audit import book as audit
from ingest.incidents.drill import DRILL_EVENTS, Drill
from ingest.incidents.flow import Surroundings
from ingest.incidents.incident import Incident
from ingest.refusal import NotThere
from ingest.services import drills
from ingest.settings import load_settings
from linli.cli.ingest.folder import actor, state
from linli.cli.ingest.options import config_option, json_option
from linli.clock import SystemClock
from linli.errors import InputError
from linli.events import SEVERITIES


@click.group(short_help="Practise on made-up incidents.")
def command() -> None:
    """Begin and end drills: incidents that did not happen, marked as such wherever they show.

    A drill calls nobody unless it says so, and no device is commanded for it.
    """


@command.command(epilog="Example: linli drill start c001-n07/cam-e1 --event smoke --call")
@click.argument("place", metavar="NODE/DEVICE")
@click.option(
    "--event", type=click.Choice(DRILL_EVENTS), default=DRILL_EVENTS[0], show_default=True
)
@click.option("--severity", type=click.Choice(SEVERITIES), default=SEVERITIES[0], show_default=True)
@click.option("--call", is_flag=True, help="Call whoever is on duty, as for a real one")
@config_option
@json_option
def start(
    place: str, event: str, severity: str, config: Path, *, call: bool, as_json: bool
) -> None:
    """Begin a drill at a device; without --call nobody is told."""
    node, slash, device = place.partition("/")
    if not slash:
        raise InputError("say where as NODE/DEVICE", where=place)
    wish = msgspec.convert(
        {"node": node, "device": device, "event": event, "severity": severity, "call": call}, Drill
    )
    settings = load_settings(config)
    around = Surroundings(zone=ZoneInfo(settings.site.timezone))
    with state(settings) as connection:
        now = SystemClock().now()
        try:
            made = drills.begin(connection, wish, actor(), now, around)
        except NotThere as error:
            hint = "See those in use: linli ingest registry export"
            raise InputError(error.what, where=place, hint=hint) from None
        said = {"of": place, "call": call}
        audit.note(connection, now, actor(), "drill-begun", made.id, **said)
    _tell((made,), as_json=as_json)


@command.command(epilog="Example: linli drill end 214")
@click.argument("numbers", type=int, nargs=-1)
@config_option
@json_option
def end(numbers: tuple[int, ...], config: Path, *, as_json: bool) -> None:
    """End the drills of these NUMBERS, or all that go on."""
    settings = load_settings(config)
    around = Surroundings(zone=ZoneInfo(settings.site.timezone))
    now = SystemClock().now()
    with state(settings) as connection:
        known = {one.number: one for one in drills.going_on(connection)}
        unknown = [str(number) for number in numbers if number not in known]
        if unknown:
            raise InputError(
                "no such drill goes on", where=", ".join(unknown), hint="See: linli drill list"
            )
        over = tuple(
            drills.finish(connection, known[number].id, actor(), now, around)
            for number in numbers or sorted(known)
        )
        for one in over:
            audit.note(connection, now, actor(), "drill-ended", one.id)
    _tell(over, as_json=as_json)


@command.command("list", epilog="Example: linli drill list --json")
@config_option
@json_option
def list_drills(config: Path, *, as_json: bool) -> None:
    """List the drills that go on."""
    with state(load_settings(config)) as connection:
        found = tuple(drills.going_on(connection))
    _tell(found, as_json=as_json)


def _tell(found: tuple[Incident, ...], *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode({"drills": found}))
        return
    for one in found:
        called = "calls nobody" if one.policy.quiet else "calls people"
        where = f"{one.key.node}/{one.key.device}"
        click.echo(f"#{one.number} {one.key.event} at {where}: {one.state}, {called}")
    if not found:
        click.echo("no drill goes on")
