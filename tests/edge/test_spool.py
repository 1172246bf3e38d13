"""The edge's store: every fact is held, confirmed, dead or counted as evicted; nothing else."""

from __future__ import annotations

import sqlite3
import threading
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from edge.messages import Place
from edge.spool import LANES, Spool, SpoolLimits
from linli.clock import ManualClock
from linli.codec import sha256
from linli.errors import InputError, PayloadError, StoreError
from linli.events import Receipt, Reject, sequence_text

START = datetime(2026, 3, 2, 11, 24, 5, tzinfo=UTC)


def _message(place: Place) -> bytes:
    return f"{place.stream} {place.sequence} {place.low}".encode()


def _spool(folder: Path, limits: SpoolLimits | None = None) -> Spool:
    return Spool(folder / "spool.db", ManualClock(START), limits)


def _reject(payload: bytes, stream: str | None = None, sequence: int | None = None) -> Reject:
    return Reject(
        code="schema",
        path="$.data",
        sha256=sha256(payload),
        topic="t",
        stream=stream,
        sequence=None if sequence is None else sequence_text(sequence),
    )


def _fill(spool: Spool) -> None:
    for _ in range(100):
        spool.put("events", "t", lambda _: b"x" * 8000)


def _held(spool: Spool, lane: str = "events") -> list[int]:
    return [row.sequence for row in spool.page(lane, 0, 1000)]


def test_put_numbers_each_lane_from_one_and_keeps_bytes(tmp_path: Path) -> None:
    with _spool(tmp_path) as spool:
        rows = [spool.put("events", "t/e", _message) for _ in range(3)]
        other = spool.put("telemetry", "t/m", _message)
        assert [row.sequence for row in rows] == [1, 2, 3]
        assert other.sequence == 1
        assert other.stream != rows[0].stream
        assert spool.page("events", 0, 10) == rows
        assert spool.get("events", 2) == rows[1]
        assert rows[2].payload == f"{rows[0].stream} 3 1".encode()
    with _spool(tmp_path) as spool:
        assert spool.page("events", 0, 10) == rows
        assert spool.put("events", "t/e", _message).sequence == 4
        assert spool.last("events") == 4
        assert (tmp_path / "spool.db").stat().st_mode & 0o777 == 0o600


def test_low_is_what_was_held_when_written(tmp_path: Path) -> None:
    with _spool(tmp_path) as spool:
        first = spool.put("events", "t", _message)
        spool.put("events", "t", _message)
        spool.confirm(Receipt(stream=first.stream, upto=1))
        assert spool.put("events", "t", _message).payload.endswith(b" 3 2")
        spool.confirm(Receipt(stream=first.stream, upto=3))
        assert spool.put("events", "t", _message).payload.endswith(b" 4 4")


def test_receipt_drops_what_it_covers_and_nothing_else(tmp_path: Path) -> None:
    with _spool(tmp_path) as spool:
        for _ in range(9):
            row = spool.put("events", "t", _message)
            spool.put("telemetry", "t", _message)
        receipt = Receipt(stream=row.stream, upto=2, ranges=((4, 5), (9, 9)))
        assert spool.confirm(receipt) == 5
        assert spool.confirm(receipt) == 0
        assert spool.confirm(Receipt(stream="00000000", upto=9)) == 0
        assert _held(spool) == [3, 6, 7, 8]
        assert len(_held(spool, "telemetry")) == 9
        assert spool.pending() == 13


@pytest.mark.parametrize("by_sequence", [True, False])
def test_rejected_row_is_dead_and_counted(tmp_path: Path, by_sequence: bool) -> None:
    with _spool(tmp_path) as spool:
        rows = [spool.put("events", "t", _message) for _ in range(3)]
        named = (rows[1].stream, 2) if by_sequence else (None, None)
        assert spool.reject(_reject(rows[1].payload, *named)) == rows[1]
        assert spool.reject(_reject(rows[1].payload, *named)) is None
        assert _held(spool) == [1, 3]
    with _spool(tmp_path) as spool:
        report = spool.reports()[0]
        assert (report.lane, report.pending, report.dead, report.oldest) == ("events", 2, 1, START)


@pytest.mark.parametrize(
    ("stream", "sequence"), [("00000000", "1"), ("00000000", None), (None, "1")]
)
def test_reject_of_something_else_moves_nothing(
    tmp_path: Path, stream: str | None, sequence: str | None
) -> None:
    with _spool(tmp_path) as spool:
        spool.put("events", "t", _message)
        reject = Reject(
            code="json", path="$", sha256="0" * 64, topic="t", stream=stream, sequence=sequence
        )
        assert spool.reject(reject) is None
        assert _held(spool) == [1]


def test_dead_rows_go_after_a_week(tmp_path: Path) -> None:
    clock = ManualClock(START)
    with Spool(tmp_path / "spool.db", clock) as spool:
        for _ in range(2):
            row = spool.put("events", "t", _message)
            spool.reject(_reject(row.payload, row.stream, row.sequence))
            clock.advance(8 * 24 * 3600)
    database = sqlite3.connect(tmp_path / "spool.db")
    assert database.execute("SELECT sequence FROM dead").fetchall() == [(2,)]
    database.close()


def test_full_lane_drops_its_oldest_and_counts(tmp_path: Path) -> None:
    with _spool(tmp_path, SpoolLimits(rows=3)) as spool:
        for _ in range(5):
            spool.put("events", "t", _message)
        spool.put("telemetry", "t", _message)
        assert _held(spool) == [3, 4, 5]
        assert [one.evicted for one in spool.reports()] == [2, 0]


def test_bytes_are_taken_from_telemetry_first(tmp_path: Path) -> None:
    with _spool(tmp_path, SpoolLimits(bytes=500)) as spool:
        for _ in range(3):
            spool.put("telemetry", "t", lambda _: b"m" * 100)
        for _ in range(4):
            spool.put("events", "t", lambda _: b"e" * 100)
        assert (_held(spool), _held(spool, "telemetry")) == ([1, 2, 3, 4], [3])
        spool.put("events", "t", lambda _: b"e" * 100)
        spool.put("telemetry", "t", lambda _: b"m" * 100)
        assert (_held(spool), _held(spool, "telemetry")) == ([1, 2, 3, 4, 5], [])
        spool.put("events", "t", lambda _: b"e" * 100)
        assert _held(spool) == [2, 3, 4, 5, 6]
        assert [one.evicted for one in spool.reports()] == [1, 4]


def test_message_over_the_limit_uses_no_number(tmp_path: Path) -> None:
    with _spool(tmp_path) as spool:
        with pytest.raises(PayloadError, match="at most 32768"):
            spool.put("events", "t", lambda _: b"x" * (32 * 1024 + 1))
        assert spool.put("events", "t", _message).sequence == 1


def test_failed_writing_of_a_message_uses_no_number(tmp_path: Path) -> None:
    def fail(place: Place) -> bytes:
        raise RuntimeError(place.stream)

    with _spool(tmp_path) as spool:
        with pytest.raises(RuntimeError):
            spool.put("events", "t", fail)
        assert spool.put("events", "t", _message).sequence == 1


def test_full_disk_is_a_store_error_and_changes_nothing(tmp_path: Path) -> None:
    with _spool(tmp_path) as spool:
        spool.put("events", "t", _message)
        assert spool._database is not None
        pages = spool._database.execute("PRAGMA page_count").fetchone()[0]
        spool._database.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreError, match="full"):
            _fill(spool)
        spool._database.execute("PRAGMA max_page_count = 100000")
        held = _held(spool)
        assert held == list(range(1, held[-1] + 1))
        assert spool.put("events", "t", _message).sequence == held[-1] + 1


NAMELESS = b"CREATE \xb3\xb3BLE lane"
"""A definition that SQLite complains of in bytes that are no text."""


RENAMED = b"stre\xe1m TEXT"
LANELESS = b"ev\xb3nts"


@pytest.mark.parametrize("damage", [b"", b"not a database", b"\xff", NAMELESS, RENAMED, LANELESS])
def test_damaged_file_is_moved_aside(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "spool.db"
    with _spool(tmp_path) as spool:
        old = spool.stream("events")
        for _ in range(200):
            spool.put("events", "t", lambda place: _message(place) + b"x" * 1000)
    content = bytearray(path.read_bytes())
    if damage == b"\xff":
        content[4096:12288] = damage * 8192
    elif damage == RENAMED:
        content = content.replace(b"stream TEXT", damage)
    elif damage == LANELESS:
        content = content.replace(b"events", damage)
    elif damage == NAMELESS:
        content = content.replace(b"CREATE TABLE lane", damage)
    elif damage:
        content[: len(damage)] = damage
    else:
        del content[len(content) // 2 :]
    path.write_bytes(bytes(content))
    with _spool(tmp_path) as spool:
        assert spool.damaged == 1
        assert spool.stream("events") != old
        assert spool.put("events", "t", _message).sequence == 1
        assert len(list(tmp_path.glob("spool.corrupt-*"))) == 1
    with _spool(tmp_path) as spool:
        assert _held(spool) == [1]
        assert spool.damaged == 1, "it is to be seen until a person has taken it away"


def test_damage_at_work_is_said_and_the_next_start_moves_it_aside(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    with _spool(tmp_path) as spool:
        _fill(spool)
        spool.check()
        assert spool._database is not None
        spool._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xa5" * 100_000)
        spool._database.execute("PRAGMA shrink_memory")
        with pytest.raises(StoreError, match="next start"):
            _fill(spool)
        with pytest.raises(StoreError, match="malformed"):
            spool.check()
    with _spool(tmp_path) as spool:
        assert spool.damaged == 1
        spool.check()
        _fill(spool)


def test_a_row_that_an_index_lacks_is_found_at_work_and_mended_by_the_next_start(
    tmp_path: Path,
) -> None:
    path = tmp_path / "spool.db"
    with _spool(tmp_path) as spool:
        row = spool.put("events", "t", _message)
    digest = sha256(row.payload).encode()
    content = path.read_bytes()
    at = content.rindex(digest)  # in the row; the index has it in a page of its own
    at = max(at, content.index(digest))
    path.write_bytes(content[:at] + b"0" * 64 + content[at + 64 :])
    receipt = Receipt(stream=row.stream, upto=1)
    with _spool(tmp_path) as spool:
        assert spool.damaged == 0, "a quick check does not see it"
        with pytest.raises(StoreError, match="next start"):
            spool.confirm(receipt)
    with _spool(tmp_path) as spool:
        assert (spool.damaged, spool.stream("events")) == (0, row.stream)
        assert spool.confirm(receipt) == 1
        assert spool.put("events", "t", _message).sequence == 2


def test_a_topic_that_is_no_text_any_more_stops_no_other(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    with _spool(tmp_path) as spool:
        for topic in ("first", "second", "third"):
            spool.put("events", topic, _message)
    path.write_bytes(path.read_bytes().replace(b"second", b"sec\xb3nd"))
    with _spool(tmp_path) as spool:
        assert spool.damaged == 0
        rows = spool.page("events", 0, 9)
    assert [row.topic for row in rows] == ["first", "sec\ufffdnd", "third"]


def test_second_agent_on_the_same_file_is_told(tmp_path: Path) -> None:
    with (
        _spool(tmp_path),
        pytest.raises(InputError, match="in use by another edge agent"),
        _spool(tmp_path),
    ):
        pass


def test_newer_file_is_left_alone(tmp_path: Path) -> None:
    with _spool(tmp_path) as spool:
        assert spool._database is not None
        spool._database.execute("PRAGMA user_version = 99")
    with pytest.raises(InputError, match="version 99"), _spool(tmp_path):
        pass


def test_unusable_folder_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(InputError, match="spool cannot be written"),
        _spool(tmp_path / "file" / "x"),
    ):
        pass


def test_closed_spool_is_a_store_error(tmp_path: Path) -> None:
    with _spool(tmp_path) as spool:
        pass
    with pytest.raises(StoreError, match="closed"):
        spool.put("events", "t", _message)


def test_threads_share_one_sequence(tmp_path: Path) -> None:
    def fill() -> None:
        for _ in range(50):
            spool.put("events", "t", _message)

    with _spool(tmp_path) as spool:
        threads = [threading.Thread(target=fill) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert _held(spool) == list(range(1, 201))


def test_paging_many_rows_needs_little_memory(tmp_path: Path) -> None:
    with _spool(tmp_path) as spool:
        assert spool._database is not None
        spool._database.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
            " INSERT INTO row SELECT 'events', i, 't', 0, i, zeroblob(600), 0 FROM n"
        )
    tracemalloc.start()
    with _spool(tmp_path) as spool:
        after = count = 0
        while rows := spool.page("events", after, 64):
            after, count = rows[-1].sequence, count + len(rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 100_000
    assert peak < 1_000_000


class SpoolMachine(RuleBasedStateMachine):
    """Any order of putting, confirming, rejecting and reopening, held against sets."""

    folder: Path

    @initialize(rows=st.integers(2, 30))
    def open(self, rows: int) -> None:
        self.limits = SpoolLimits(rows=rows)
        self.clock = ManualClock(START)
        self.path = self.folder / f"{id(self)}.db"
        self.path.unlink(missing_ok=True)
        self.spool = Spool(self.path, self.clock, self.limits)
        self.spool.__enter__()
        self.sent: dict[str, dict[int, bytes]] = {lane: {} for lane in LANES}
        self.confirmed: dict[str, set[int]] = {lane: set() for lane in LANES}
        self.dead: dict[str, set[int]] = {lane: set() for lane in LANES}

    @rule(lane=st.sampled_from(LANES), size=st.integers(0, 50))
    def put(self, lane: str, size: int) -> None:
        row = self.spool.put(lane, "t", lambda place: _message(place) + b"x" * size)
        assert row.sequence == len(self.sent[lane]) + 1
        self.sent[lane][row.sequence] = row.payload

    @rule(
        lane=st.sampled_from(LANES),
        upto=st.integers(0, 20),
        ranges=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 8)), max_size=3),
    )
    def confirm(self, lane: str, upto: int, ranges: list[tuple[int, int]]) -> None:
        spans = tuple((first, first + more) for first, more in ranges)
        before = set(_held(self.spool, lane))
        self.spool.confirm(Receipt(stream=self.spool.stream(lane), upto=upto, ranges=spans))
        covered = {
            one for one in before if one <= upto or any(one in range(a, b + 1) for a, b in spans)
        }
        self.confirmed[lane] |= covered
        assert set(_held(self.spool, lane)) == before - covered

    @rule(lane=st.sampled_from(LANES), sequence=st.integers(1, 40), by_hash=st.booleans())
    def reject(self, lane: str, sequence: int, by_hash: bool) -> None:
        payload = self.sent[lane].get(sequence, b"never sent")
        stream = self.spool.stream(lane)
        held = sequence in _held(self.spool, lane)
        named = (None, None) if by_hash else (stream, sequence)
        row = self.spool.reject(_reject(payload, *named))
        assert (row is not None) == held
        if row is not None:
            assert (row.sequence, row.payload) == (sequence, payload)
            self.dead[lane].add(sequence)

    @rule()
    def reopen(self) -> None:
        self.spool.__exit__(None, None, None)
        self.spool = Spool(self.path, self.clock, self.limits)
        self.spool.__enter__()

    @invariant()
    def every_row_is_accounted_for(self) -> None:
        if not hasattr(self, "spool"):
            return
        for report in self.spool.reports():
            lane = report.lane
            rows = self.spool.page(lane, 0, 1000)
            held = {row.sequence for row in rows}
            assert all(row.payload == self.sent[lane][row.sequence] for row in rows)
            assert not held & (self.confirmed[lane] | self.dead[lane])
            gone = set(self.sent[lane]) - held - self.confirmed[lane] - self.dead[lane]
            assert (report.pending, report.dead) == (len(held), len(self.dead[lane]))
            assert report.evicted == len(gone)

    def teardown(self) -> None:
        self.spool.__exit__(None, None, None)
        self.path.unlink()


def test_no_order_of_things_loses_a_row(tmp_path: Path) -> None:
    class Here(SpoolMachine):
        folder = tmp_path

    case = Here.TestCase
    case.settings = settings(
        max_examples=25,
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    case("runTest").runTest()
