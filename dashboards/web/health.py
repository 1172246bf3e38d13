"""Devices, edge boxes and the chain of delivery as the pages show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dashboards.web.details import explain
from dashboards.web.language import msg
from dashboards.web.moments import DAY, HOUR, Calendar, Moment
from dashboards.web.registry_words import kind_word
from dashboards.web.sparkline import Sparkline
from dashboards.web.words import Words
from ingest.chain.judge import ChainState, Why
from ingest.influx.book import InfluxStatus
from ingest.services.views import ChainView, DeviceView, Health, NodeView, Standing, Stats

HEALTH: dict[Health, str] = {
    "ok": msg("Working"),
    "degraded": msg("Impaired"),
    "down": msg("Down"),
    "unknown": msg("Not heard of yet"),
}
STATES = {
    "starting": msg("starting"),
    "streaming": msg("sending pictures"),
    "stalled": msg("no picture comes"),
    "ended": msg("the video has ended"),
    "failed": msg("cannot be opened"),
    "init": msg("starting"),
    "ready": msg("connected"),
    "stopped": msg("switched off in order"),
    "lost": msg("connection lost"),
}
WELL = {"streaming", "ready"}
SILENT = msg("nothing is heard of it any more")
COPIES: dict[str, tuple[Health, str]] = {
    "ok": ("ok", msg("Working")),
    "new": ("unknown", msg("Not heard of yet")),
    "waiting": ("degraded", msg("Away; everything is kept and sent when it is back")),
    "refused": ("down", msg("Takes nothing; someone must look at the settings")),
}
MEGA, GIGA = 1_000_000, 1_000_000_000


@dataclass(frozen=True, slots=True)
class DeviceCard:
    """One device at a glance."""

    node: str
    device: str
    standing: Standing
    health: Health
    health_word: str
    state_word: str | None
    label: str
    kind: str
    place: str
    last_seen: Moment | None
    fps: str | None
    detail: str | None
    parked: int
    camera: bool
    line: Sparkline | None


@dataclass(frozen=True, slots=True)
class NodeCard:
    """One edge box at a glance."""

    node: str
    health: Health
    health_word: str
    state_word: str | None
    label: str
    place: str
    last_seen: Moment | None
    agent: str | None
    uptime: str | None
    memory: str | None
    disk: str | None
    waiting: int
    lost: int
    turned_away: int


@dataclass(frozen=True, slots=True)
class InfluxCard:
    """The copy in InfluxDB at a glance."""

    health: Health
    word: str
    since: Moment | None
    words: str
    waiting: int
    refused: int


WHY: dict[Why, str] = {
    "works": msg("Every probe comes through"),
    "starting": msg("Just started: the next probe will tell"),
    "silent": msg("The chain is broken: nothing comes through"),
    "lost": msg("The chain loses messages"),
    "slow": msg("The chain is slow"),
}


@dataclass(frozen=True, slots=True)
class Probes:
    """What the probes say; `within`: seconds for 95 of 100 of them, None without figure."""

    state: ChainState
    word: str
    since: Moment
    produced: int
    stored: int
    lost: int
    within: str | None


@dataclass(frozen=True, slots=True)
class Chain:
    """Whether everything that the edges made has come through."""

    probes: Probes
    healthy: bool
    stored: int
    rejected: int
    duplicates: int
    lost: int
    open_incidents: int


def chain(stats: Stats, view: ChainView, words: Words, calendar: Calendar) -> Chain:
    """Sum up the chain of delivery."""
    return Chain(
        probes=Probes(
            state=view.state,
            word=words.say(WHY[view.why]),
            since=calendar.moment(view.since),
            produced=view.produced,
            stored=view.stored,
            lost=view.lost,
            within=f"{view.p95:.2f}" if view.p95 is not None else None,
        ),
        healthy=stats.healthy,
        stored=stats.events_stored + stats.telemetry_stored,
        rejected=stats.rejected,
        duplicates=stats.duplicates,
        lost=stats.lost,
        open_incidents=stats.open_incidents,
    )


def influx_card(status: InfluxStatus, words: Words, calendar: Calendar) -> InfluxCard:
    """Put the copy in InfluxDB into words; what the server said stays as it said it."""
    health, word = COPIES[status.state]
    return InfluxCard(
        health=health,
        word=words.say(word),
        since=calendar.optional(status.since),
        words=status.words,
        waiting=status.behind + status.transitions_behind,
        refused=status.parked + status.dropped,
    )


def _state(said: str, health: Health) -> str | None:
    """Return what it said of itself; who is down while all was well is simply not heard of."""
    return SILENT if health == "down" and said in WELL else STATES.get(said)


def device_card(
    view: DeviceView,
    words: Words,
    calendar: Calendar,
    lines: Mapping[tuple[str, str], Sparkline | None],
    where: str,
) -> DeviceCard:
    """Put one device into words; `lines` maps (node, device) to its last hour."""
    state = _state(view.state, view.health)
    return DeviceCard(
        node=view.node,
        device=view.device,
        standing=view.standing,
        health=view.health,
        health_word=words.say(HEALTH[view.health]),
        state_word=words.say(state) if state else None,
        label=view.label or view.device,
        kind=kind_word(view.kind, words),
        place=where,
        last_seen=calendar.optional(view.last_seen),
        fps=f"{view.fps:.1f}" if view.fps is not None else None,
        detail=explain(view.detail, words) if view.detail else None,
        parked=view.parked,
        camera=view.kind == "camera",
        line=lines.get((view.node, view.device)),
    )


def node_card(view: NodeView, words: Words, calendar: Calendar) -> NodeCard:
    """Put one edge box into words."""
    state = _state(view.state, view.health)
    return NodeCard(
        node=view.node,
        health=view.health,
        health_word=words.say(HEALTH[view.health]),
        state_word=words.say(state) if state else None,
        label=view.label or view.node,
        place=words.area(view.area),
        last_seen=calendar.optional(view.last_seen),
        agent=view.agent,
        uptime=_duration(view.uptime, words) if view.uptime is not None else None,
        memory=f"{view.rss / MEGA:.0f} MB" if view.rss is not None else None,
        disk=f"{view.diskfree / GIGA:.1f} GB" if view.diskfree is not None else None,
        waiting=sum(lane.pending for lane in view.lanes),
        lost=sum(lane.evicted for lane in view.lanes),
        turned_away=view.turned_away,
    )


def _duration(seconds: float, words: Words) -> str:
    if seconds >= DAY:
        return words.say(msg("%(count)s d")) % {"count": int(seconds // DAY)}
    if seconds >= HOUR:
        return words.say(msg("%(count)s h")) % {"count": int(seconds // HOUR)}
    return words.say(msg("%(count)s min")) % {"count": int(seconds // 60)}
