"""An edge's figures for Prometheus: counts and states, never a name of a person or a secret.

Pure: made of a `Standing`. The list here is also the page of the reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from edge.standing import CameraStanding, Standing
from linli.events import LaneReport

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4
Kind = Literal["counter", "gauge"]
Labels = tuple[str, ...]
Values = Iterable[tuple[Labels, float]]


class Spec(NamedTuple):
    """One metric: `labels` by name, `about` for people, `of` its values."""

    name: str
    kind: Kind
    labels: Labels
    about: str
    of: Callable[[Standing], Values]


def _one(of: Callable[[Standing], float | None]) -> Callable[[Standing], Values]:
    def values(standing: Standing) -> Values:
        value = of(standing)
        return [((), float(value))] if value is not None else []

    return values


def _camera(of: Callable[[CameraStanding], float | None]) -> Callable[[Standing], Values]:
    def values(standing: Standing) -> Values:
        found = ((one.device, of(one)) for one in standing.cameras)
        return [((device,), float(value)) for device, value in found if value is not None]

    return values


def _lane(of: Callable[[LaneReport], float]) -> Callable[[Standing], Values]:
    return lambda standing: [((one.lane,), float(of(one))) for one in standing.lanes]


def _parts(standing: Standing) -> Values:
    for part, counts in standing.parts.items():
        for what, count in counts.items():
            yield (part, what), float(count)


def _withheld(standing: Standing) -> Values:
    for one in standing.cameras:
        for reason, count in one.withheld.items():
            yield (one.device, reason), float(count)


def _cameras(kind: Kind) -> list[Spec]:
    of: dict[str, tuple[Kind, str, Callable[[CameraStanding], float | None]]] = {
        "streaming": ("gauge", "1 or 0: pictures come", lambda one: one.state == "streaming"),
        "frame_age_seconds": (
            "gauge",
            "how long ago the last picture was looked at; not there before the first",
            lambda one: one.age,
        ),
        "people": (
            "gauge",
            "people in the last picture; not there where nobody looks for them",
            lambda one: one.people,
        ),
        "frames_read": ("counter", "pictures taken from the camera", lambda one: one.read),
        "frames_inferred": ("counter", "pictures looked at", lambda one: one.inferred),
        "frames_held": (
            "counter",
            "pictures not looked at, since nothing had moved in them",
            lambda one: one.held,
        ),
        "frames_redetected": (
            "counter",
            "of the ones looked at those in which nothing had moved: the last look was long ago",
            lambda one: one.redetected,
        ),
        "frames_late": (
            "counter",
            "of the ones looked at those begun when the next was due already",
            lambda one: one.late,
        ),
        "closer_looks": (
            "counter",
            "parts of pictures looked at in full resolution",
            lambda one: one.closer,
        ),
        "closer_looks_skipped": (
            "counter",
            "such parts for which there was no room or no time",
            lambda one: one.skipped,
        ),
        "tracks_refused": (
            "counter",
            "sights of things beyond the most that are followed",
            lambda one: one.refused,
        ),
        "frames_dropped": (
            "counter",
            "pictures given up because a newer one was there",
            lambda one: one.dropped,
        ),
        "detections": ("counter", "things found", lambda one: one.detections),
        "tracks": ("counter", "things followed", lambda one: one.tracks),
        "tracks_ended": (
            "counter",
            "of those the ones not seen for longer than a track lives",
            lambda one: one.ended,
        ),
        "events": ("counter", "events safe on disk", lambda one: one.events),
        "events_lost": (
            "counter",
            "events that never reached the disk, or wait for it",
            lambda one: one.lost_events,
        ),
        "pictures": ("counter", "pictures kept as evidence", lambda one: one.pictures),
        "pictures_coarse": (
            "counter",
            "pictures taken from the analysed stream, since the main stream had none",
            lambda one: one.coarse_pictures,
        ),
        "readings": ("counter", "readings of places and lines kept", lambda one: one.readings),
        "readings_lost": (
            "counter",
            "readings that the disk refused",
            lambda one: one.lost_readings,
        ),
        "model_turns": ("counter", "turns at the model", lambda one: one.turns),
        "model_turns_late": (
            "counter",
            "turns that came after their deadline: the box is too slow for its cameras",
            lambda one: one.late_turns,
        ),
        "model_wait_seconds": ("counter", "time spent waiting for a turn", lambda one: one.waited),
    }
    return [
        Spec(f"linli_edge_camera_{name}", made, ("camera",), about, _camera(value))
        for name, (made, about, value) in of.items()
        if made == kind
    ]


CATALOGUE: tuple[Spec, ...] = (
    Spec(
        "linli_edge_uptime_seconds", "gauge", (), "time since its start", _one(lambda s: s.uptime)
    ),
    Spec(
        "linli_edge_restarts",
        "counter",
        (),
        "how often its parent started it again since the parent began",
        _one(lambda s: s.restarts),
    ),
    Spec(
        "linli_edge_clock_synced",
        "gauge",
        (),
        "1 or 0: something (NTP) keeps its clock right",
        _one(lambda s: s.clocksync == "synced" if s.clocksync else None),
    ),
    Spec("linli_edge_memory_bytes", "gauge", (), "resident memory", _one(lambda s: s.rss)),
    Spec(
        "linli_edge_disk_free_bytes",
        "gauge",
        (),
        "room on the disk of its data folder",
        _one(lambda s: s.diskfree),
    ),
    Spec(
        "linli_edge_config_version",
        "gauge",
        (),
        "version of the ingest's configuration that runs, 0 for its own file alone",
        _one(lambda s: s.config.version if s.config else 0),
    ),
    Spec(
        "linli_edge_model_wrong",
        "gauge",
        (),
        "1 or 0: the wanted model cannot be used, an earlier one runs",
        _one(lambda s: s.model_fault is not None),
    ),
    *_cameras("gauge"),
    *_cameras("counter"),
    Spec(
        "linli_edge_camera_pictures_withheld",
        "counter",
        ("camera", "reason"),
        (
            "events without a picture: `late` not redacted in time, `failed` it could not be, "
            "`blind` the model knows no people, `dark` too little light to see them, "
            "`disk` it could not be kept"
        ),
        _withheld,
    ),
    Spec(
        "linli_edge_spool_pending",
        "gauge",
        ("lane",),
        "facts that wait for the ingest's receipt",
        _lane(lambda lane: lane.pending),
    ),
    Spec(
        "linli_edge_spool_evicted",
        "counter",
        ("lane",),
        "facts given up for lack of room",
        _lane(lambda lane: lane.evicted),
    ),
    Spec(
        "linli_edge_spool_dead",
        "counter",
        ("lane",),
        "facts that the ingest refused for good",
        _lane(lambda lane: lane.dead),
    ),
    Spec(
        "linli_edge_spool_damaged",
        "gauge",
        (),
        "spool files that lie aside: what waited in them is lost",
        _one(lambda s: s.damaged),
    ),
    Spec(
        "linli_edge_broker_connected",
        "gauge",
        (),
        "1 or 0: the broker hears us",
        _one(lambda s: s.link.connected),
    ),
    Spec(
        "linli_edge_ingest_ready",
        "gauge",
        (),
        "1 or 0: the ingest says that it takes facts",
        _one(lambda s: s.link.ingest_ready),
    ),
    Spec("linli_edge_sent", "counter", (), "facts published", _one(lambda s: s.link.sent)),
    Spec("linli_edge_resent", "counter", (), "of them again", _one(lambda s: s.link.resent)),
    Spec("linli_edge_confirmed", "counter", (), "receipted", _one(lambda s: s.link.confirmed)),
    Spec("linli_edge_rejected", "counter", (), "refused", _one(lambda s: s.link.rejected)),
    Spec(
        "linli_edge_broker_refused",
        "counter",
        (),
        "facts that the broker did not take; tried again",
        _one(lambda s: s.link.refused),
    ),
    Spec(
        "linli_edge_unreadable",
        "counter",
        (),
        "messages to this edge that break the contract",
        _one(lambda s: s.link.unreadable),
    ),
    Spec(
        "linli_edge_pictures_waiting",
        "gauge",
        (),
        "pictures that the ingest does not have yet; not there where none are sent",
        _one(lambda s: s.upload.waiting if s.upload else None),
    ),
    Spec(
        "linli_edge_pictures_sent",
        "counter",
        (),
        "pictures sent",
        _one(lambda s: s.upload.sent if s.upload else None),
    ),
    Spec(
        "linli_edge_pictures_failed",
        "counter",
        (),
        "tries to send one that failed",
        _one(lambda s: s.upload.failed if s.upload else None),
    ),
    Spec(
        "linli_edge_pictures_dead",
        "counter",
        (),
        "pictures that the ingest will never take",
        _one(lambda s: s.upload.dead if s.upload else None),
    ),
    Spec(
        "linli_edge_pictures_evicted",
        "counter",
        (),
        "pictures given up for lack of room",
        _one(lambda s: s.upload.evicted if s.upload else None),
    ),
    Spec(
        "linli_edge_pictures_expired",
        "counter",
        (),
        "pictures that became too old before they could be sent",
        _one(lambda s: s.upload.expired if s.upload else None),
    ),
    Spec(
        "linli_edge_pictures_key_strange",
        "gauge",
        (),
        "1 or 0: another key to seal pictures with is offered, and not taken without https",
        _one(lambda s: s.upload.strange_key is not None if s.upload else None),
    ),
    Spec(
        "linli_edge_door_held",
        "gauge",
        ("door",),
        "1 or 0: it is held",
        lambda s: [((one.device,), float(one.held)) for one in s.doors],
    ),
    Spec(
        "linli_edge_door_unreachable",
        "gauge",
        ("door",),
        "1 or 0: its relay did not answer the last time",
        lambda s: [((one.device,), float(one.failed)) for one in s.doors],
    ),
    Spec(
        "linli_edge_commands_dropped",
        "counter",
        ("reason",),
        (
            "commands that were not begun: retained, to another, no command, a repeated one; "
            "`words` are answers given up"
        ),
        lambda s: [((reason,), float(count)) for reason, count in s.commands.items()],
    ),
    Spec(
        "linli_edge_part",
        "gauge",
        ("part", "what"),
        "what runs beside the cameras counts: events, losses, what was marked, refused, dropped",
        _parts,
    ),
)

_PAGE = """\
# Metrics of an edge

`GET /metrics` at the address in `[status]` of `edge.toml` (`http://127.0.0.1:8475` if it says
nothing) answers in Prometheus' text format. It listens on this machine alone unless that setting
says otherwise, and asks nobody who they are. Nothing in it names a person or repeats a message.

Counters end in `_total` there and count since the worker's start, but for restarts and what the
spool knows, which outlast it. What nobody can know has no figure: that is not zero.

| metric | kind | labels | meaning |
|---|---|---|---|
"""


def text(standing: Standing) -> bytes:
    """Return all figures in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Collected(standing))
    return generate_latest(registry)


def reference() -> str:
    """Return docs/reference/edge-metrics.md."""
    return _PAGE + "".join(_line(one) for one in CATALOGUE)


class _Collected(Collector):
    """Figures in the order of the catalogue."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing

    def collect(self) -> Iterator[Metric]:
        """Yield the families."""
        for spec in CATALOGUE:
            make = CounterMetricFamily if spec.kind == "counter" else GaugeMetricFamily
            family = make(spec.name, spec.about, labels=spec.labels)
            for labels, value in spec.of(self._standing):
                family.add_metric(labels, value)
            yield family


def _line(one: Spec) -> str:
    name = one.name + "_total" * (one.kind == "counter")
    labels = ", ".join(f"`{label}`" for label in one.labels)
    return f"| `{name}` | {one.kind} | {labels} | {one.about} |\n"
