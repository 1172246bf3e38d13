"""An estate with many devices and many incidents that wait, filled straight into the store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from house import NOON, SITE, Folder

from ingest.incidents import book
from ingest.incidents.fold import fold
from ingest.incidents.incident import Key, Picture, Transition
from ingest.series.embedded import EmbeddedTimeseries
from ingest.series.timeseries import Sample, SeriesKey, to_millis
from ingest.store.engine import writing
from ingest.store.registry import CONFIRMED, device, node, place
from linli.events import SEVERITIES
from linli.ids import uuid7

BUILDINGS, BOXES, UNITS, KINDS = 40, 400, 3, ("camera", "sensor", "bin")
NEW = 60
EVENTS = ("ebike-in-elevator", "blocked-fire-lane", "zone-dwell", "bin-full")


def fill(folder: Folder, *, devices: int, still_open: int) -> tuple[str, ...]:
    """Register so many devices behind 400 boxes in forty buildings, beside some that are new.

    Return the incidents, the newest last.
    """
    homes = [(f"{SITE}-n{number % BOXES:03}", f"d{number:04}") for number in range(devices)]
    for number in range(NEW):
        folder.park(f"new-{number:03}", node=homes[number % BOXES][0])
    areas = [f"f{number:02}" for number in range(BUILDINGS)]
    with writing(folder.state) as connection:
        connection.execute(
            place.insert(),
            [{"place": f"{SITE}/{one}", "kind": "building", "label": one} for one in areas]
            + [
                {"place": f"{SITE}/{one}/u{unit}", "kind": "unit", "label": f"u{unit}"}
                for one in areas
                for unit in range(UNITS)
            ],
        )
        shared = {"site": SITE, "standing": CONFIRMED, "last_seen": NOON}
        connection.execute(
            node.insert(),
            [
                {**shared, "node": f"{SITE}-n{number:03}", "area": one, "label": f"{one} {number}"}
                for number in range(BOXES)
                for one in (areas[number % BUILDINGS],)
            ],
        )
        connection.execute(
            device.insert(),
            [
                {
                    **shared,
                    "node": behind,
                    "device": name,
                    "area": _area(behind),
                    "kind": KINDS[number % len(KINDS)],
                    "label": f"{name} 号",
                    "subject": f"{behind.rpartition('-')[2]}/u{number % UNITS}",
                }
                for number, (behind, name) in enumerate(homes)
            ],
        )
        made = []
        for number in range(still_open):
            row = _opened(number, *homes[number % devices])
            assert book.keep(connection, fold([row]), [row]) is not None
            made.append(row.incident)
    _seen(folder, homes)
    return tuple(made)


def _seen(folder: Folder, homes: Sequence[tuple[str, str]]) -> None:
    """Keep how many pictures each camera sees, as a minute says it."""
    keys = (
        SeriesKey(site=SITE, node=behind, device=name, group="camera", name="fps", unit="/s")
        for behind, name in homes[:: len(KINDS)]
    )
    series = EmbeddedTimeseries(folder.series, folder.series)
    at = to_millis(NOON) - 60_000
    series.write([Sample(key=key, time=at, value=4.5) for key in keys], 0)


def _opened(number: int, behind: str, name: str) -> Transition:
    at = NOON - timedelta(minutes=number % 600)
    return Transition(
        incident=uuid7(at),
        step="opened",
        at=at,
        recorded=at,
        actor="rule:edge",
        number=number + 1,
        key=Key(
            site=SITE,
            node=behind,
            device=name,
            event=EVENTS[number % len(EVENTS)],
            zone=f"z{number}",
        ),
        area=_area(behind),
        severity=SEVERITIES[number % 3 + 1],
        object_label="ebike",
        confidence=0.9,
        dwell=2.0,
        episode=uuid7(at),
        event_id=uuid7(at),
        picture=Picture(id=uuid7(at), redaction="heads"),
    )


def _area(box: str) -> str:
    return f"f{int(box.rpartition('-n')[2]) % BUILDINGS:02}"
