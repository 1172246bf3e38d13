"""Rows that grow old: by the time that the box was on, whatever its clock says."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.agent.delivery import limits_of
from edge.messages import Place
from edge.settings import SpoolCaps
from edge.spool import LANES, Lane, Row, Spool
from linli.clock import ManualClock
from linli.codec import sha256
from linli.events import Reject

START = datetime(2026, 3, 2, 11, 24, 5, tzinfo=UTC)


def _message(place: Place) -> bytes:
    return f"{place.stream} {place.sequence} {place.low}".encode()


def _spool(folder: Path) -> Spool:
    return Spool(folder / "spool.db", ManualClock(START))


def _reject(row: Row) -> Reject:
    return Reject(code="schema", path="$.data", sha256=sha256(row.payload), topic="t")


def _held(spool: Spool, lane: Lane = "events") -> list[int]:
    return [row.sequence for row in spool.page(lane, 0, 1000)]


def test_rows_grow_old_by_time_that_the_box_was_on_and_telemetry_first(tmp_path: Path) -> None:
    clock = ManualClock(START)
    day = 24 * 3600
    with Spool(tmp_path / "spool.db", clock) as spool:
        for _ in range(200):
            spool.put("telemetry", "t", _message)
        spool.put("events", "t", _message)
        clock.advance(6 * day)
        spool.put("telemetry", "t", _message)
    clock = ManualClock(START)  # no battery: after a start the clock stands where it stood
    with Spool(tmp_path / "spool.db", clock) as spool:
        clock.advance(2 * day)
        for _ in range(2):
            spool.put("telemetry", "t", _message)
        assert _held(spool, "telemetry") == [201, 202, 203]
        assert _held(spool) == [1]
        clock.advance(23 * day)
        spool.put("events", "t", _message)
        assert (_held(spool), _held(spool, "telemetry")) == ([2], [])
        assert [one.evicted for one in spool.reports()] == [1, 203]


@pytest.mark.parametrize(
    "jump", [3600, 24 * 3600, 60 * 365 * 24 * 3600, -3600, -56 * 365 * 24 * 3600]
)
def test_no_jump_of_the_clock_drops_anything(tmp_path: Path, jump: int) -> None:
    clock = ManualClock(START)
    with Spool(tmp_path / "spool.db", clock) as spool:
        rows = [spool.put("events", "t", _message) for _ in range(3)]
        spool.reject(_reject(rows[0]))
        clock.jump(jump)
        clock.advance(120)
        rows.append(spool.put("events", "t", _message))
        spool.reject(_reject(rows[1]))
    with Spool(tmp_path / "spool.db", clock) as spool:
        assert spool.page("events", 0, 9) == rows[2:]
        report = spool.reports()[0]
        assert (report.evicted, report.dead) == (0, 2)
    with closing(sqlite3.connect(tmp_path / "spool.db")) as database:
        assert database.execute("SELECT sequence FROM dead").fetchall() == [(1,), (2,)]


def test_a_spool_of_an_older_agent_is_brought_up_and_keeps_its_rows(tmp_path: Path) -> None:
    with _spool(tmp_path) as spool:
        rows = [spool.put("events", "t", _message) for _ in range(3)]
        spool.reject(_reject(rows[0]))
        assert spool._database is not None
        spool._database.execute("ALTER TABLE row DROP COLUMN aged")
        spool._database.execute("UPDATE dead SET moved = 1772450645.0")
        spool._database.execute("PRAGMA user_version = 2")
    with _spool(tmp_path) as spool:
        rows.append(spool.put("events", "t", _message))
        assert spool.page("events", 0, 9) == rows[1:]
        assert [one.evicted for one in spool.reports()] == [0, 0]
        assert spool._database is not None
        assert spool._database.execute("SELECT moved FROM dead").fetchall() == [(0.0,)]


def test_settings_say_how_long_and_how_much(tmp_path: Path) -> None:
    clock = ManualClock(START)
    limits = limits_of(SpoolCaps(megabytes=16, reading_days=0.5, event_days=1))
    assert limits.bytes == 16 * 2**20
    with Spool(tmp_path / "spool.db", clock, limits) as spool:
        for lane in LANES:
            spool.put(lane, "t", _message)
        clock.advance(13 * 3600)
        spool.put("events", "t", _message)
        assert (_held(spool), _held(spool, "telemetry")) == ([1, 2], [])
        clock.advance(12 * 3600)
        spool.put("events", "t", _message)
        assert _held(spool) == [2, 3]
