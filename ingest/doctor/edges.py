"""Edge boxes as they last said of themselves: silence, spools, clocks, versions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from importlib.metadata import version

import sqlalchemy as sa

from ingest.doctor import clocks
from ingest.doctor.off import switched_off
from ingest.doctor.sources import DOCTOR, Sources
from ingest.feed import Feed
from ingest.repairs.finding import Finding, well
from ingest.services.devices import DeviceService
from ingest.services.estate import LATELY
from ingest.services.views import NodeView
from ingest.store import journal
from ingest.store.engine import reading, to_micros
from ingest.store.registry import CONFIRMED, device
from linli.counted import counted

WAITS = timedelta(minutes=10)
MANY = 1000
FELL = timedelta(hours=1)
DISK_LOW, DISK_BAD = 1024**3, 256 * 1024**2


def look(sources: Sources) -> Iterator[Finding]:
    """Yield what was found. Raises StoreError."""
    site = sources.settings.site.id
    house = DeviceService(sources.state, sources.state, sources.journal, Feed(), site)
    nodes = [one for one in house.nodes(DOCTOR, sources.now) if one.standing == "confirmed"]
    if not nodes:
        yield well("edges", "no edge box is registered yet")
        return
    behind = _kinds_behind(sources)
    for node in nodes:
        found = list(_of(node, behind[node.node], sources))
        yield from found or [well("edge", f"{_name(node)} reports and keeps up")]
    yield from clocks.look(sources, {one.node: _name(one) for one in nodes})


def _kinds_behind(sources: Sources) -> Mapping[str, Collection[str]]:
    """Return the kinds of devices in use behind each box."""
    kinds = sa.select(device.c.node, device.c.kind).where(device.c.standing == CONFIRMED).distinct()
    found: defaultdict[str, set[str]] = defaultdict(set)
    with reading(sources.state) as connection:
        for box, kind in connection.execute(kinds):
            found[box].add(kind)
    return found


def _of(node: NodeView, behind: Collection[str], sources: Sources) -> Iterator[Finding]:
    if node.health == "unknown":
        yield Finding(
            code="edge-never-heard",
            about=node.node,
            level="warning",
            what=f"{_name(node)} has never reported",
            means="What it is to watch is not watched.",
            do="Start the edge, and check its user and password at the broker",
        )
        return
    if node.state == "stopped" and node.last_seen is not None:
        yield switched_off(node.node, _name(node), node.last_seen, behind, sources.now)
    elif node.health == "down":
        yield Finding(
            code="edge-silent",
            about=node.node,
            level="bad",
            what=f"nothing is heard of {_name(node)}",
            since=node.last_seen,
            means="Its doors and voices may still work by themselves; nobody here is told.",
            do="Check its power and network, then `linli edge run` on it",
        )
    yield from _fell(node)
    yield from _model(node)
    yield from _disk(node)
    yield from _lanes(node, sources)
    yield from _turned_away(node, sources)
    ours = version("linli")
    if node.agent is not None and node.agent != ours:
        yield Finding(
            code="edge-version",
            about=node.node,
            level="warning",
            what=f"{_name(node)} runs Linli {node.agent}, this is {ours}",
            means="Nothing, as long as both speak the same major version of the contract.",
            do="Bring the edge to the version of the ingest when it suits",
        )


def _fell(node: NodeView) -> Iterator[Finding]:
    if node.restarts and node.uptime is not None and node.uptime < FELL.total_seconds():
        yield Finding(
            code="edge-fell",
            about=node.node,
            level="warning",
            what=f"{_name(node)} fell or hung and was started again; "
            f"{counted(node.restarts, 'time')} since its parent began: "
            f"{node.fell or 'nobody knows why'}",
            means="For some seconds each time it watched nothing.",
            do="See its log; `linli edge check` on it tries settings, model and cameras",
        )


def _model(node: NodeView) -> Iterator[Finding]:
    if node.model_fault is not None:
        yield Finding(
            code="edge-model",
            about=node.node,
            level="bad",
            what=f"{_name(node)} cannot use its model: {node.model_fault}",
            means="The one that worked before goes on.",
            do="Bring the right file there; it is taken up by itself within a minute",
        )


def _disk(node: NodeView) -> Iterator[Finding]:
    if node.diskfree is not None and node.diskfree < DISK_LOW:
        yield Finding(
            code="edge-disk",
            about=node.node,
            level="bad" if node.diskfree < DISK_BAD else "warning",
            what=f"{_name(node)} has {node.diskfree / 1e9:.1f} GB of disk left",
            means="When it is full and the network is away, readings of that time are given up "
            "first, then alarms.",
            do="Make room on it: old logs and files of others; Linli itself keeps to its limits",
        )


def _lanes(node: NodeView, sources: Sources) -> Iterator[Finding]:
    for lane in node.lanes:
        old = lane.oldest is not None and sources.now - lane.oldest > WAITS
        if lane.pending and (old or lane.pending >= MANY):
            yield Finding(
                code="edge-backlog",
                about=f"{node.node} {lane.lane}",
                level="warning",
                what=f"{lane.pending} {lane.lane} of {_name(node)} wait to be sent",
                since=lane.oldest,
                means="Alarms of this box come late; late ones call nobody.",
                do="Check its network; what waits is sent by itself",
            )
        if lane.evicted or lane.dead:
            yield Finding(
                code="edge-gave-up",
                about=f"{node.node} {lane.lane}",
                level="warning",
                what=f"{_name(node)} gave up {lane.evicted} {lane.lane} for lack of space; "
                f"{lane.dead} were refused",
                means="These are lost: the record of that time has a gap.",
                do="Give the edge more disk or a better network; see /api/v1/rejects for refusals",
            )


def _turned_away(node: NodeView, sources: Sources) -> Iterator[Finding]:
    with reading(sources.journal) as connection:
        since = to_micros(sources.now - LATELY)
        broken = node.turned_away and node.node in journal.breaking_the_contract(connection, since)
    if broken:
        yield Finding(
            code="edge-turned-away",
            about=node.node,
            level="warning",
            what=f"{_name(node)} breaks the contract; {node.turned_away} of its messages were "
            "not read so far, and some were refused in the last minutes",
            means="Alarms of this box may come late; what its spool holds is sent again.",
            do="See /api/v1/rejects for what is wrong with them, and mend or switch off that box",
        )


def _name(node: NodeView) -> str:
    return node.node if node.label == node.node else f"{node.node} ({node.label})"
