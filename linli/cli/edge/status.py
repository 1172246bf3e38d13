"""`linli edge status`: how the edge on this machine is."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import httpx2
import msgspec

from edge.settings import load_box
from edge.standing import CameraStanding, Standing, UploadStanding
from linli.cli.edge.options import config_option
from linli.counted import counted
from linli.errors import LinkError
from linli.events import ClockSync

PATIENCE = 5.0
NOTHING_RUNS = 3


@click.command(
    epilog="Example: linli edge status --config edge.toml  (exit code 3: nothing runs here)"
)
@config_option
@click.option("--json", "as_json", is_flag=True, help="For machines: one JSON document.")
def status(config: Path, as_json: bool) -> None:
    """Show what the edge of these settings does now: clock, cameras, model, spool, ways, doors.

    It is asked on this machine; nothing is started or sent.
    """
    box = load_box(config)
    if not box.status.port:
        raise LinkError(
            "it answers nobody", where="status.port", hint="Give it a port in edge.toml to ask it"
        )
    at = f"http://{box.status.host}:{box.status.port}/status"
    try:
        answer = httpx2.get(at, timeout=PATIENCE, trust_env=False)
        answer.raise_for_status()
        standing = msgspec.json.decode(answer.content, type=Standing)
    except httpx2.ConnectError:
        click.echo(f"nothing runs here: nobody answers at {at}", err=True)
        sys.exit(NOTHING_RUNS)
    except httpx2.HTTPError as error:
        raise LinkError(str(error) or type(error).__name__, where=at) from None
    except msgspec.DecodeError:
        raise LinkError("what answers there is no edge of this version", where=at) from None
    if (standing.site, standing.node) != (box.node.site, box.node.id):
        raise LinkError(
            f"another edge answers there: {standing.site}/{standing.node}",
            where=at,
            hint="Give each edge of a machine its own status.port",
        )
    if as_json:
        click.echo(answer.text)
    else:
        for line in lines(standing):
            click.echo(line)


def lines(one: Standing) -> list[str]:
    """Return it for a person."""
    again = f", started again {counted(one.restarts, 'time')} ({one.fell})" if one.restarts else ""
    link, asked = one.link, one.config
    said = [
        f"edge {one.site}/{one.node}, Linli {one.version}, up {_span(one.uptime)}{again}",
        f"memory {one.rss // 1_000_000} MB, disk {one.diskfree // 1_000_000} MB free",
        f"clock {one.time:%F %T} UTC{clock_note(one.clocksync)}",
        f"model {one.model or 'none'}"
        + (f"; not the wanted one: {one.model_fault}" if one.model_fault else ""),
    ]
    if asked is not None:
        refused = f", {asked.refused} refused: {asked.detail}" if asked.refused else ""
        said.append(f"configuration {asked.version or 'of its own file'}{refused}")
    said += [_camera(camera) for camera in one.cameras]
    for door in one.doors:
        state = "held" if door.held else "free"
        said.append(f"door {door.device}: {state}" + "; its relay does not answer" * door.failed)
    broker = "connected" if link.connected else "away"
    ingest = "ready" if link.ingest_ready else "not heard of" if link.connected else "unknown"
    said.append(f"broker {broker}, ingest {ingest}")
    for lane in one.lanes:
        since = f" since {lane.oldest:%F %T} UTC" if lane.oldest else ""
        lost = f", {lane.evicted} given up" * bool(lane.evicted)
        dead = f", {lane.dead} refused" * bool(lane.dead)
        said.append(f"{lane.lane}: {lane.pending} to send{since}{lost}{dead}")
    if one.upload is not None:
        said.append(_pictures(one.upload))
    return said


def clock_note(sync: ClockSync | None) -> str:
    """Return what is to be known of a clock beside its time."""
    if sync in {"synced", None}:
        return ""
    return "; nothing (NTP) keeps it right, and hours go by it"


def _pictures(one: UploadStanding) -> str:
    key = f", sealed for key {one.key}" if one.key else ", no key to seal them for yet"
    strange = f"; another key, {one.strange_key}, is offered and not trusted" * bool(
        one.strange_key
    )
    return f"pictures: {one.waiting} to send{key}{strange}"


def _camera(one: CameraStanding) -> str:
    age = "no picture yet" if one.age is None else f"last picture {_span(one.age)} ago"
    detail = f" ({one.detail})" if one.detail else ""
    lost = f", {one.lost_events} not on disk" * bool(one.lost_events)
    return f"camera {one.device}: {one.state}{detail}, {age}, {counted(one.events, 'event')}{lost}"


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
