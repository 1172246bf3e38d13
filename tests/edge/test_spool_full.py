"""A full disk: telemetry makes room for events, confirmed rows can go, and all of it is counted."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.messages import Place
from edge.reserve import RESERVE
from edge.spool import Spool
from linli.clock import ManualClock
from linli.errors import StoreError
from linli.events import Receipt

START = datetime(2026, 3, 2, 11, 24, 5, tzinfo=UTC)


def _message(place: Place) -> bytes:
    return f"{place.sequence}".encode() + b"x" * 1000


def _spool(folder: Path) -> Spool:
    return Spool(folder / "spool.db", ManualClock(START))


def _put(spool: Spool, lane: str, count: int) -> None:
    for _ in range(count):
        spool.put(lane, "t", _message)  # type: ignore[arg-type]


def _held(spool: Spool, lane: str) -> list[int]:
    return [row.sequence for row in spool.page(lane, 0, 100_000)]  # type: ignore[arg-type]


def _evicted(spool: Spool) -> list[int]:
    return [report.evicted for report in spool.reports()]


class Full:
    """A database whose next commits fail as on a full disk."""

    def __init__(self, behind: sqlite3.Connection, failures: int) -> None:
        self._behind = behind
        self.failures = failures
        self.before = lambda: None

    def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
        if statement == "COMMIT" and self.failures:
            self.failures -= 1
            self.before()
            raise sqlite3.OperationalError("database or disk is full")
        return self._behind.execute(statement, *values)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> object:
        return getattr(self._behind, name)


def _fill_up(spool: Spool, failures: int) -> Full:
    assert spool._database is not None
    spool._database = full = Full(spool._database, failures)  # type: ignore[assignment]
    return full


def test_an_event_takes_the_place_of_the_oldest_telemetry(tmp_path: Path) -> None:
    with _spool(tmp_path) as spool:
        _put(spool, "telemetry", 150)
        _fill_up(spool, 1)
        _put(spool, "events", 2)
        assert _held(spool, "events") == [1, 2]
        assert _held(spool, "telemetry") == list(range(129, 151))
        assert _evicted(spool) == [0, 128]
    with _spool(tmp_path) as spool:
        assert (_evicted(spool), spool.pending()) == ([0, 128], 24)


@pytest.mark.parametrize("lane", ["telemetry", "events"])
def test_what_has_nothing_to_make_room_is_refused_and_no_number_is_used(
    tmp_path: Path, lane: str
) -> None:
    with _spool(tmp_path) as spool:
        _put(spool, "events", 3)
        _fill_up(spool, 1)
        with pytest.raises(StoreError, match="full"):
            _put(spool, lane, 1)
        _put(spool, lane, 1)
        assert _held(spool, "events") == [1, 2, 3, 4][: 4 if lane == "events" else 3]
        assert _evicted(spool) == [0, 0]


def test_a_receipt_gets_the_reserve_which_comes_back_when_there_is_room(tmp_path: Path) -> None:
    reserve = tmp_path / "spool.reserve"
    with _spool(tmp_path) as spool:
        _put(spool, "events", 3)
        assert reserve.stat().st_blocks * 512 >= RESERVE
        full = _fill_up(spool, 1)
        assert spool.confirm(Receipt(stream=spool.stream("events"), upto=2)) == 2
        assert reserve.exists()
        full.failures = 5
        with pytest.raises(StoreError, match="full"):
            spool.confirm(Receipt(stream=spool.stream("events"), upto=3))
        assert not reserve.exists()
        assert _held(spool, "events") == [3]
        full.failures = 0
        _put(spool, "events", 1)
        assert reserve.exists()


def test_a_row_that_is_being_written_and_fails_is_not_the_last_for_anybody(tmp_path: Path) -> None:
    seen: list[int] = []
    with _spool(tmp_path) as spool:
        _put(spool, "events", 3)
        full = _fill_up(spool, 1)
        reader = threading.Thread(target=lambda: seen.append(spool.last("events")))

        def look() -> None:
            reader.start()
            reader.join(0.2)  # who does not wait for the writer is done by then

        full.before = look
        with pytest.raises(StoreError, match="full"):
            _put(spool, "events", 1)
        reader.join()
        assert seen == [3]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "none", str(folder)],
        check=False,
        capture_output=True,
    )
    if not mounted or mounted.returncode:
        pytest.skip("a small disk cannot be mounted here: run it as root, outside a container")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def _stuff(folder: Path) -> Path:
    """Let somebody else take all the space there is."""
    path = folder / "somebody-else"
    with path.open("ab", buffering=0) as file:
        while free := shutil.disk_usage(folder).free:
            assert os.write(file.fileno(), bytes(min(free, 65536)))
    return path


def test_on_a_disk_that_is_really_full(small_disk: Path) -> None:
    with _spool(small_disk) as spool:
        _put(spool, "telemetry", 1500)
        other = _stuff(small_disk)
        _put(spool, "events", 1000)
        assert _held(spool, "events") == list(range(1, 1001))
        evicted = _evicted(spool)[1]
        assert _held(spool, "telemetry") == list(range(evicted + 1, 1501))
        with pytest.raises(StoreError, match="full"):
            _put(spool, "events", 1000)
        kept = _held(spool, "events")
        assert kept == list(range(1, kept[-1] + 1))
        assert (_held(spool, "telemetry"), _evicted(spool)) == ([], [0, 1500])
        _stuff(small_disk)
        assert spool.confirm(Receipt(stream=spool.stream("events"), upto=500)) == 500
        _put(spool, "events", 300)
        other.unlink()
        _put(spool, "telemetry", 1)
        assert (small_disk / "spool.reserve").exists()
        _put(spool, "telemetry", 400)
    with _spool(small_disk) as spool:
        assert len(_held(spool, "events")) == kept[-1] - 500 + 300
        assert len(_held(spool, "telemetry")) == 401


def test_a_start_on_a_full_disk_can_still_deliver(small_disk: Path) -> None:
    with _spool(small_disk) as spool:
        _put(spool, "events", 500)
    _stuff(small_disk)
    with _spool(small_disk) as spool:
        assert spool.confirm(Receipt(stream=spool.stream("events"), upto=100)) == 100
        _put(spool, "events", 50)
        assert _held(spool, "events") == list(range(101, 551))
