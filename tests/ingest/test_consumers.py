from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from house import CAMERA, NODE, NOON, Folder, running, snapshot
from msgspec.structs import replace

import ingest.consumers.runner as runner_module
import ingest.consumers.work as work_module
from ingest import registry, tallies
from ingest.consumers.incidents import IncidentEffect, TickJob
from ingest.consumers.rules import RuleWork
from ingest.consumers.runner import Runner
from ingest.consumers.work import Cursor
from ingest.evidence.sweep import SweepJob
from ingest.feed import Feed
from ingest.incidents import book, boots, flow
from ingest.incidents.fold import fold
from ingest.store import incidents as incident_tables
from ingest.store import registry as tables
from ingest.store import state
from ingest.store.engine import reading, to_micros, writing
from ingest.store.journal import REPLAYED
from linli.errors import StoreError
from linli.events import PASSAGES, CameraReport
from linli.ids import uuid7


@pytest.fixture
def folder(tmp_path: Path):
    folder = Folder(tmp_path)
    yield folder
    folder.close()


def cursor(folder: Folder) -> Cursor:
    effect = IncidentEffect(Feed(), RuleWork(folder.reader("journal"), UTC))
    return Cursor(folder.reader("journal"), folder.state, state.cursor, effect)


def incidents(folder: Folder):
    with reading(folder.state) as connection:
        table = incident_tables.incident
        rows = connection.execute(table.select().order_by(table.c.number)).all()
        found = [book.get(connection, row.id) for row in rows]
        for one in found:
            assert one is not None
            assert fold(book.newest_of(connection, one.id, 1_000_000)) == one
    return found


def position(folder: Folder) -> tuple[int, int]:
    with reading(folder.state) as connection:
        row = connection.execute(state.cursor.select()).one()
    return row.position, row.poisoned


def test_an_event_opens_one_incident_with_everything_it_said(folder: Folder) -> None:
    picture = uuid7(NOON)
    last = folder.put_event(folder.event(snapshot=snapshot(picture), confidence=0.9, dwell=2.5))
    assert cursor(folder).step() is False
    (one,) = incidents(folder)
    assert (one.number, one.state, one.area, one.confidence, one.dwell) == (
        1,
        "open",
        "b03",
        0.9,
        2.5,
    )
    assert one.picture.id == picture
    assert str(one.key) == f"c001/{NODE}/{CAMERA}/zone-dwell/door"
    assert position(folder) == (last, 0)


def test_a_second_cursor_goes_on_where_the_first_was_killed(folder: Folder) -> None:
    folder.put_event(folder.event())
    cursor(folder).step()
    folder.put_event(folder.event())
    again = cursor(folder)
    again.step()
    assert again.step() is False
    (one,) = incidents(folder)
    assert one.count == 2


def test_effect_and_cursor_are_committed_together(folder: Folder, monkeypatch) -> None:
    folder.put_event(folder.event())
    reader = cursor(folder)

    def full(*_):
        raise StoreError("disk full")

    monkeypatch.setattr(Cursor, "_move", full)
    with pytest.raises(StoreError):
        reader.step()
    assert incidents(folder) == []
    monkeypatch.undo()
    reader.step()
    assert len(incidents(folder)) == 1


def test_more_than_a_batch_is_taken_in_pieces(folder: Folder, monkeypatch) -> None:
    monkeypatch.setattr(work_module, "BATCH", 4)
    for _ in range(5):
        folder.put_event(folder.event())
    reader = cursor(folder)
    assert reader.step() is True
    assert reader.step() is False
    assert incidents(folder)[0].count == 5


def test_a_poison_row_is_counted_and_stops_nothing(folder: Folder, caplog) -> None:
    folder.put_event(folder.event())
    folder.put("event", "zone-dwell", b"\xff not json", event_id="x", stream="0000000e", sequence=9)
    folder.put("nonsense", "!!", b"")
    last = folder.put_event(folder.event(zone="gate"))
    with caplog.at_level(logging.WARNING):
        cursor(folder).step()
    assert [one.key.zone for one in incidents(folder)] == ["door", "gate"]
    assert position(folder) == (last, 2)
    assert len([line for line in caplog.messages if "skipped" in line]) == 2
    assert "not json" not in caplog.text


def test_what_a_poison_row_made_is_not_named_by_its_event(folder: Folder, monkeypatch) -> None:
    bad = folder.event(zone="gate")
    folder.put_event(bad)
    folder.put_event(folder.event(zone="hall"))
    taking, telling, told = flow.take, RuleWork.take, []

    def twice(work, kept, said, started):
        return telling(work, kept, said, started) * 2

    def fail_at_the_second(connection, fact, around):
        told.append(fact)
        if fact.key.zone == "gate" and told[-2:-1] == [fact]:
            raise RuntimeError("after the first was made")
        return taking(connection, fact, around)

    monkeypatch.setattr(RuleWork, "take", twice)
    monkeypatch.setattr(flow, "take", fail_at_the_second)
    cursor(folder).step()
    assert position(folder)[1] == 1
    (made,) = incidents(folder)
    with reading(folder.state) as connection:
        rows = connection.execute(state.event.select()).all()
        assert tallies.lanes(connection) == {(NODE, bad.stream): "event"}
    assert {row.event_id == bad.id: row.incident for row in rows} == {True: None, False: made.id}


def test_one_key_has_one_unresolved_incident_whatever_code_does(folder: Folder) -> None:
    folder.put_event(folder.event())
    cursor(folder).step()
    with reading(folder.state) as connection:
        row = connection.execute(incident_tables.incident.select()).mappings().one()
    with pytest.raises(Exception, match=r"(?i)unique"), writing(folder.state) as connection:
        connection.execute(incident_tables.incident.insert(), {**row, "id": "other", "number": 2})


def test_kinds_are_counted_and_lanes_known(folder: Folder) -> None:
    folder.put_event(folder.event())
    folder.put_event(folder.event())
    folder.put_status("ready")
    cursor(folder).step()
    with reading(folder.state) as connection:
        assert tallies.counted(connection) == {"event": 2, "health": 1}
        assert tallies.lanes(connection) == {(NODE, "0000000e"): "event"}


def node_row(folder: Folder):
    with reading(folder.state) as connection:
        return connection.execute(tables.node.select()).one(), registry.status_of(connection, NODE)


@pytest.mark.parametrize(
    ("told", "state_after"),
    [
        ([("ready", "0000000a")], "ready"),
        ([("ready", "0000000a"), ("lost", "0000000a")], "lost"),
        ([("ready", "0000000b"), ("lost", "0000000a")], "ready"),
        ([("ready", "0000000b"), ("stopped", "0000000a")], "ready"),
        ([("lost", "0000000a"), ("ready", "0000000b")], "ready"),
        ([("lost", "0000000a")], "lost"),
    ],
)
def test_the_will_of_an_older_connection_is_old_news(folder: Folder, told, state_after) -> None:
    for state_name, session in told:
        folder.put_status(state_name, session)
    cursor(folder).step()
    assert node_row(folder)[1].state == state_after


def test_a_last_will_is_no_sign_of_life(folder: Folder) -> None:
    folder.put_status("ready")
    folder.clock.advance(60)
    folder.put_status("lost")
    cursor(folder).step()
    assert node_row(folder)[0].last_seen == NOON


def test_reports_and_births_fill_the_registry(folder: Folder) -> None:
    folder.put_report(CameraReport(device="cam-new", state="stalled", fps=0.5, dropped=3))
    folder.put_description("cam-new", "垃圾房")
    folder.put_description(CAMERA, "not what people call it")
    cursor(folder).step()
    with reading(folder.state) as connection:
        rows = {row.device: row for row in connection.execute(tables.device.select())}
    assert (rows["cam-new"].standing, rows["cam-new"].label) == ("discovered", "垃圾房")
    assert registry.camera_report(rows["cam-new"].camera).state == "stalled"
    newer = rows["cam-new"].camera[:-1] + ',"of-a-later-version":1}'
    assert registry.camera_report(newer).dropped == 3
    assert rows[CAMERA].label == "1 号电梯"


def test_time_passing_resolves_what_is_clear(folder: Folder) -> None:
    begin = folder.event()
    folder.put_event(begin)
    folder.put_event(folder.event(name="ebike-in-elevator", phase="end"))
    folder.clock.advance(10)
    folder.put_event(folder.event(phase="end", episode=begin.data.episode))
    cursor(folder).step()
    feed = Feed()
    readers = folder.reader("journal"), folder.reader("state")
    tick = TickJob(*readers, folder.state, feed, folder.clock)
    folder.clock.advance(600)
    tick.step()
    assert [one.state for one in incidents(folder)] == ["open", "open"]
    folder.clock.advance(1)
    tick.step()
    assert [one.state for one in incidents(folder)] == ["resolved", "open"]
    assert incidents(folder)[0].resolved == NOON + timedelta(seconds=610)


def test_times_at_the_end_of_the_calendar_do_no_harm(folder: Folder) -> None:
    east = timezone(timedelta(hours=14))
    folder.put_event(folder.event(time=datetime(1, 1, 1, tzinfo=east)), time=0)
    folder.put_event(folder.event(time=NOON.replace(year=9999), zone="gate"))
    cursor(folder).step()
    old, future = incidents(folder)
    assert (old.late, future.late, future.last) == (True, False, NOON)
    assert position(folder)[1] == 0


def put_unset(folder: Folder, up: int, *, boot="0000000a", zone="door", phase="begin", **more):
    """Put an event of a box that began at 1970; it was written after `up` seconds of running."""
    wrong = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=up)
    message = folder.event(time=wrong - timedelta(seconds=2), zone=zone, phase=phase, **more)
    data = replace(message.data, since=wrong - timedelta(seconds=10))
    folder.put_event(
        replace(
            message,
            data=data,
            clocksync="unsynced",
            recordedtime=wrong,
            bootid=boot,
            uptimems=None if boot is None else up * 1000,
        )
    )


def test_a_box_without_a_clock_is_as_prompt_as_others(folder: Folder) -> None:
    put_unset(folder, 100)
    cursor(folder).step()
    (one,) = incidents(folder)
    assert (one.last, one.first) == (NOON - timedelta(seconds=2), NOON - timedelta(seconds=10))
    assert not one.late
    folder.clock.advance(30)
    put_unset(folder, 130, phase="end", episode=uuid7(NOON), zone="gate")
    cursor(folder).step()
    assert [(one.state, one.late) for one in incidents(folder)] == [("open", False)] * 2


def test_a_box_without_a_clock_is_late_when_its_spool_was(folder: Folder) -> None:
    put_unset(folder, 100)
    folder.clock.advance(4000)
    put_unset(folder, 200, zone="gate", phase="end")
    cursor(folder).step()
    prompt, held_up = incidents(folder)
    assert (prompt.late, held_up.late, held_up.resolved_by) == (False, True, "rule:late")
    assert held_up.last == NOON + timedelta(seconds=98)


def test_a_report_of_now_puts_right_what_waited_before_it(folder: Folder) -> None:
    folder.clock.advance(4000)
    folder.put_report(unsynced=("0000000a", 4100_000))
    put_unset(folder, 200)
    cursor(folder).step()
    (one,) = incidents(folder)
    assert (one.late, one.last) == (True, NOON + timedelta(seconds=98))


@pytest.mark.parametrize(("boot", "up"), [(None, 100), ("0000000a", 10**12)])
def test_a_box_that_says_nothing_of_its_running_is_believed_prompt(folder, boot, up) -> None:
    message = folder.event(time=datetime(1971, 1, 1, tzinfo=UTC))
    unset = replace(message, clocksync="unsynced", bootid=boot, uptimems=boot and up * 1000)
    folder.put_event(unset)
    cursor(folder).step()
    (one,) = incidents(folder)
    assert (one.late, one.last) == (False, NOON)


def test_an_unsynced_clock_that_is_right_is_kept(folder: Folder) -> None:
    time = NOON - timedelta(minutes=4)
    message = replace(folder.event(time=time), clocksync="unsynced", bootid="0000000a", uptimems=1)
    folder.put_event(message)
    cursor(folder).step()
    assert incidents(folder)[0].last == time


def test_few_boots_of_a_box_are_remembered(folder: Folder) -> None:
    for number in range(boots.MOST + 3):
        folder.clock.advance(1000)
        put_unset(folder, 10, boot=f"{number:08x}")
    cursor(folder).step()
    with reading(folder.state) as connection:
        rows = connection.execute(state.boot.select().order_by(state.boot.c.started)).all()
    assert [row.boot for row in rows] == [f"{number:08x}" for number in range(3, boots.MOST + 3)]


def test_what_waited_for_its_device_counts_from_when_it_was_let_in(folder: Folder) -> None:
    waited = folder.event(phase="end")
    folder.clock.advance(86_400)
    folder.put_status("ready")
    folder.put_event(waited, flags=REPLAYED, received=to_micros(NOON))
    cursor(folder).step()
    (one,) = incidents(folder)
    assert (one.late, one.resolved_by) == (True, "rule:late")


class Flaky:
    """Fails a few times, then has three pieces of work."""

    def __init__(self) -> None:
        self.calls = 0

    def step(self) -> bool:
        self.calls += 1
        if self.calls == 1:
            raise StoreError("busy", where="x.db")
        return self.calls < 4


def test_a_runner_goes_on_after_a_store_error(caplog, monkeypatch) -> None:
    monkeypatch.setattr(runner_module, "AFTER_FAILURE", 0.01)
    job = Flaky()
    runner = Runner("test", job, poll=0.01)
    with caplog.at_level(logging.WARNING):
        runner.start()
        while job.calls < 6:
            runner.wake()
        runner.stop()
    assert [line for line in caplog.messages if "test" in line] == [
        "test: x.db: busy; trying again",
        "test: works again",
    ]


class Broken:
    """Meets something that nobody thought of."""

    def step(self) -> bool:
        raise RuntimeError("odd")


def test_a_runner_that_cannot_go_on_ends_the_process(caplog) -> None:
    ended = threading.Event()
    runner = Runner("test", Broken(), fatal=ended.set)
    assert not runner.alive
    runner.start()
    assert ended.wait(10)
    runner.stop()
    assert not runner.alive
    assert [line for line in caplog.messages if "test" in line] == ["test: cannot go on"]


def test_health_is_not_well_without_its_threads(folder: Folder, monkeypatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr(SweepJob, "step", Broken.step)
    monkeypatch.setattr(Runner.__init__, "__kwdefaults__", {"poll": 1.0, "fatal": ended.set})
    with running(folder) as client:
        assert ended.wait(10)
        while any(thread.name == "sweep" for thread in threading.enumerate()):
            ended.wait(0.01)
        assert client.get("/healthz").status_code == 503


def test_ending_the_process_is_no_success() -> None:
    code = "from ingest.consumers.runner import end_process as e; e()"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGTERM


@pytest.mark.parametrize("name", sorted(PASSAGES))
def test_a_passage_is_counted_and_calls_nobody_and_is_not_kept_for_good(
    folder: Folder, name: str
) -> None:
    folder.put_event(folder.event(name=name))
    folder.put_event(folder.event(name="door-open"))
    cursor(folder).step()
    (made,) = incidents(folder)
    assert made.key.event == "door-open"
    with reading(folder.state) as connection:
        assert [row.name for row in connection.execute(state.event.select())] == ["door-open"]
        assert tallies.counted(connection) == {"event": 2}
