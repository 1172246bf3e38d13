"""What a spool knows of its two lanes: caps, streams, counts, and the oldest row."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, get_args

Lane = Literal["events", "telemetry"]
LANES: tuple[Lane, ...] = get_args(Lane)
DAY = 24 * 3600.0
AGES: Mapping[Lane, float] = {"telemetry": 7 * DAY, "events": 30 * DAY}


@dataclass(frozen=True, slots=True)
class SpoolLimits:
    """`rows` at most in each lane, `bytes` of payload in both together; seconds in `ages`."""

    rows: int = 1_000_000
    bytes: int = 512 * 1024 * 1024
    ages: Mapping[Lane, float] = field(default_factory=lambda: dict(AGES))


@dataclass(slots=True)
class LaneState:
    """What the database says of a lane, so that nothing has to be counted twice."""

    stream: str
    next: int
    evicted: int
    dead: int
    rows: int = 0
    bytes: int = 0


def load_lanes(database: sqlite3.Connection) -> dict[Lane, LaneState]:
    """Read both lanes."""
    lanes: dict[Lane, LaneState] = {}
    for lane in LANES:
        kept = database.execute(
            "SELECT stream, next, evicted, dead FROM lane WHERE lane = ?", (lane,)
        ).fetchone()
        held = database.execute(
            "SELECT count(*), coalesce(sum(length(payload)), 0) FROM row WHERE lane = ?", (lane,)
        ).fetchone()
        lanes[lane] = LaneState(*kept, *held)
    return lanes


def oldest(database: sqlite3.Connection, lane: Lane) -> datetime | None:
    """Return when the oldest row of a lane was stored, None when it is empty."""
    found = database.execute(
        "SELECT stored FROM row WHERE lane = ? ORDER BY sequence LIMIT 1", (lane,)
    ).fetchone()
    return datetime.fromtimestamp(found[0], UTC) if found else None
