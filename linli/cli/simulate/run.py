"""`linli simulate run`: play it, say how far it is, and at the end what came of it."""

from __future__ import annotations

import ipaddress
import json
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import click

from linli.cli.simulate.options import Span, community_options
from linli.clock import Clock, SystemClock
from linli.counted import counted
from linli.errors import InputError
from linli.mqtt import LinkOptions
from linli.process import StopSignal
from linli.settings import read_secret
from linli.simulate import fault
from linli.simulate.community import Community, community
from linli.simulate.fleet import Fleet
from linli.simulate.world import World

_TELL_EVERY = 10.0
_TELL_A_PERSON_EVERY = 1.0


@click.command(
    epilog="Example: linli simulate run --site c001 --devices 120 --for 1h --speed 60 "
    "--faults ebike,lamp=3 --secrets broker-data/secrets  (exit code 1: not all was received)"
)
@community_options
@click.option("--seed", type=int, default=1, show_default=True, help="Another one, another day")
@click.option("--for", "length", type=Span(), default="1h", show_default=True, help="How long")
@click.option(
    "--speed",
    type=click.FloatRange(min=0.1, max=100_000),
    default=1.0,
    show_default=True,
    help="How much faster than the clock; receipts set the limit",
)
@click.option(
    "--start",
    help="When it begins, RFC 3339 with an offset.  [default: so that it ends now]",
)
@click.option("--faults", default="", help=f"NAME or NAME=TIMES, of: {', '.join(fault.FAULTS)}")
@click.option("--host", default="127.0.0.1", show_default=True, help="The broker")
@click.option("--port", type=click.IntRange(1, 65535), default=1883, show_default=True)
@click.option("--protocol", type=click.Choice(["5", "3.1.1"]), default="5", show_default=True)
@click.option(
    "--secrets", type=click.Path(path_type=Path), help="Folder with a password file for each edge"
)
@click.option("--yes", is_flag=True, help="Yes, to a broker that is not on this machine")
@click.option("--json", "as_json", is_flag=True, help="For machines: one JSON document at the end.")
def run(
    site: str,
    devices: int,
    edges: int | None,
    seed: int,
    length: timedelta,
    speed: float,
    start: str | None,
    faults: str,
    host: str,
    port: int,
    protocol: Literal["5", "3.1.1"],
    secrets: Path | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Play a community to a broker: people are told of its alarms as of real ones.

    Ctrl-C ends what is open, waits for the last receipts and says goodbye.
    """
    if not yes and not _is_here(host):
        raise InputError(
            f"{host} is not this machine",
            where="--host",
            hint="Whoever is on duty there is told of what is made up; say --yes if you mean it",
        )
    clock = SystemClock()
    made = community(site, devices, edges)
    begin = _start(start, length, speed, clock)
    world = World(made, seed=seed, start=begin, length=length, faults=fault.parse(faults))
    links = _links(made, host, port, protocol, secrets)
    stop = StopSignal()
    stop.install()
    fleet = Fleet(made, world, links, clock=clock)
    progress = _Progress(fleet, clock)
    began = clock.monotonic()
    try:
        fleet.run(speed, stop.is_set, progress.tell, patience=30)
    finally:
        progress.end()
    said = summary(made, world, fleet, seconds=clock.monotonic() - began)
    click.echo(json.dumps(said) if as_json else _text(said))
    if said["unreceipted"] or said["rejected"]:
        sys.exit(1)


def summary(made: Community, world: World, fleet: Fleet, *, seconds: float) -> dict[str, Any]:
    """Return what came of a run; `behind` is in seconds of its own time."""
    standing, counts = fleet.standing, fleet.counts
    return {
        "site": made.site,
        "devices": len(made.devices),
        "edges": len(made.boxes),
        "start": world.start.isoformat(),
        "end": standing.at.isoformat(),
        "seconds": round(seconds, 1),
        "facts": standing.made,
        "published": counts.sent + counts.resent,
        "receipted": counts.receipted,
        "unreceipted": standing.held,
        "rejected": dict(counts.rejected),
        "refused": counts.refused,
        "behind": round(standing.behind, 1),
    }


def _text(said: dict[str, Any]) -> str:
    facts, devices = counted(said["facts"], "fact"), counted(said["devices"], "device")
    lines = [f"{facts} of {devices} behind {counted(said['edges'], 'edge')},"]
    lines.append(f"{said['start']} to {said['end']}, in {said['seconds']} s:")
    lines.append(f"{said['receipted']} received for good, {said['unreceipted']} not")
    for code, number in said["rejected"].items():
        lines.append(f"{number} rejected: {code}")
    return "\n".join(lines)


def _start(text: str | None, length: timedelta, speed: float, clock: Clock) -> datetime:
    """Return when it begins; by itself so that the end of its time is the end of the run."""
    if text is None:
        return clock.now() - length * max(1 - 1 / speed, 0.0)
    try:
        start = datetime.fromisoformat(text)
    except ValueError:
        start = None
    if start is None or start.tzinfo is None or not 2000 <= start.year < 2100:
        raise InputError(
            f"must be a time with an offset, not {text!r}",
            where="--start",
            hint="Such as 2026-03-02T07:00:00+08:00",
        )
    return start.astimezone(UTC)


def _links(
    made: Community, host: str, port: int, protocol: Literal["5", "3.1.1"], secrets: Path | None
) -> dict[str, LinkOptions]:
    return {
        box.id: LinkOptions(
            host=host,
            port=port,
            client_id=box.id,
            username=box.id,
            password=read_secret(secrets / box.id) if secrets is not None else None,
            protocol=protocol,
        )
        for box in made.boxes
    }


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(slots=True)
class _Progress:
    """A line that moves for people, one now and then for logs; on standard error."""

    fleet: Fleet
    clock: Clock
    _next: float = 0.0
    _moving: bool = field(default_factory=sys.stderr.isatty)

    def tell(self) -> None:
        """Say how far it is, when that is due."""
        now = self.clock.monotonic()
        if now < self._next:
            return
        self._next = now + (_TELL_A_PERSON_EVERY if self._moving else _TELL_EVERY)
        one = self.fleet.standing
        text = (
            f"{one.at:%Y-%m-%d %H:%M:%S} UTC: {counted(one.made, 'fact')}, "
            f"{one.held} without receipt, "
            f"{one.behind:.0f} s behind, {counted(one.connected, 'edge')} connected"
        )
        click.echo(f"\r{text}" if self._moving else text, err=True, nl=not self._moving)

    def end(self) -> None:
        """End the line that moves."""
        if self._moving and self._next:
            click.echo(err=True)
