"""An estate with many devices and many incidents that wait, filled straight into the store."""

from __future__ import annotations

from datetime import timedelta

from house import NOON, SITE, Folder

from ingest.incidents import book
from ingest.incidents.fold import fold
from ingest.incidents.incident import Key, Picture, Transition
from ingest.store.engine import writing
from ingest.store.registry import CONFIRMED, device, node, place
from linli.events import SEVERITIES
from linli.ids import uuid7

BUILDINGS, UNITS, KINDS = 40, 3, ("camera", "sensor", "bin")
EVENTS = ("ebike-in-elevator", "blocked-fire-lane", "zone-dwell", "bin-full")


def fill(folder: Folder, *, devices: int, still_open: int) -> tuple[str, ...]:
    """Register so many devices in forty buildings; return the incidents, the newest last."""
    homes = [(f"{SITE}-f{number % BUILDINGS:02}", f"d{number:04}") for number in range(devices)]
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
            [{**shared, "node": f"{SITE}-{one}", "area": one, "label": one} for one in areas],
        )
        connection.execute(
            device.insert(),
            [
                {
                    **shared,
                    "node": behind,
                    "device": name,
                    "area": behind.rpartition("-")[2],
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
    return tuple(made)


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
        area=behind.rpartition("-")[2],
        severity=SEVERITIES[number % 3 + 1],
        object_label="ebike",
        confidence=0.9,
        dwell=2.0,
        episode=uuid7(at),
        event_id=uuid7(at),
        picture=Picture(id=uuid7(at), redaction="heads"),
    )
