"""Rules at work in the consumer: journal in, incidents out, memory beside the cursor."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from house import ADMIN, AREA, CAMERA, NODE, NOON, SITE, Folder
from msgspec.structs import replace

import ingest.consumers.work as work_module
from ingest import registry
from ingest.consumers.incidents import IncidentEffect
from ingest.consumers.rules import RuleWork
from ingest.consumers.work import Cursor
from ingest.feed import Feed
from ingest.incidents import book
from ingest.rules import keeper, versions
from ingest.rules.engine import Engine
from ingest.services.registry import RegistryService, Seen
from ingest.store import incidents as incident_tables
from ingest.store import state
from ingest.store.engine import reading, writing
from ingest.store.journal import CLOCK
from ingest.store.registry import CONFIRMED, RETIRED, device
from ingest.store.rules import rule_memory
from linli.errors import StoreError
from linli.events import LaneReport, Reading

HOT = """
[[rule]]
type = "threshold"
id = "hot"
label = "Hot"
severity = "high"
where = { kind = ["camera"] }
reading = "temperature"
above = 60
"""
LONG = HOT + 'for = "10min"\n'
SILENT = """
[[rule]]
type = "absence"
id = "silent"
label = "Silent"
for = "10min"
where = { kind = ["camera"] }
"""
ALONE = f"builtin = false\n{SILENT}"


LANES = ("events", "telemetry")


@pytest.fixture
def folder(tmp_path: Path):
    folder = Folder(tmp_path)
    yield folder
    folder.close()


def cursor(folder: Folder) -> Cursor:
    rules = RuleWork(folder.reader("journal"), ZoneInfo("Asia/Shanghai"))
    effect = IncidentEffect(Feed(), rules)
    return Cursor(folder.reader("journal"), folder.state, state.cursor, effect)


def write(folder: Folder, text: str) -> int:
    with writing(folder.state) as connection:
        return versions.add(connection, text, actor="user:boss", at=NOON).version


def hot(folder: Folder, value: float = 61) -> None:
    folder.put_readings(Reading(n="temperature", v=value, u="Cel", t=folder.clock.now()))


def tick(folder: Folder, *, later: float = 10) -> None:
    folder.clock.advance(later)
    folder.put(CLOCK, "tick", b"", device="")


def test_an_incident_stands_where_the_registry_has_its_device(folder: Folder) -> None:
    with writing(folder.state) as connection:
        registry.confirm(connection, registry.Origin(SITE, AREA, NODE), CAMERA, subject="b03/e1")
    folder.put_event(folder.event())
    folder.put_event(replace(folder.event(zone="hall"), subject="b03/hall"))
    cursor(folder).step()
    found = {one.key.zone: one.subject for one in incidents(folder)}
    assert found == {"door": "b03/e1", "hall": "b03/hall"}


def report(folder: Folder, *, later: float) -> None:
    folder.clock.advance(later)
    empty = {"pending": 0, "evicted": 0, "dead": 0}
    folder.put_report(lanes=tuple(LaneReport(lane=lane, **empty) for lane in LANES))


def incidents(folder: Folder):
    with reading(folder.state) as connection:
        table = incident_tables.incident
        rows = connection.execute(table.select().order_by(table.c.number)).all()
        return [book.get(connection, row.id) for row in rows]


def brief(folder: Folder) -> list[tuple[str, str, bool]]:
    return [(one.key.event, one.rule, one.condition_active) for one in incidents(folder)]


def test_a_reading_becomes_an_incident_that_says_which_rule_of_which_version(folder) -> None:
    write(folder, "")
    write(folder, HOT)
    hot(folder)
    tick(folder)
    cursor(folder).step()
    (one,) = incidents(folder)
    assert (one.rule, one.severity, one.area, one.first) == ("rule:hot@2", "high", AREA, NOON)
    assert (one.key.node, one.key.device, one.key.event) == (NODE, CAMERA, "hot")
    with reading(folder.state) as connection:
        (row,) = book.newest_of(connection, one.id, 1_000_000)
        assert versions.in_force(connection).version == 2
        assert [one.position for one in versions.history(connection, before=None, limit=9)] == [
            0,
            None,
        ]
    assert row.note == "temperature 61 (> 60)"


SEVERE = """
[[rule]]
type = "threshold"
id = "very-hot"
incident = "hot"
label = "Very hot"
severity = "critical"
safety = true
reading = "temperature"
above = 80
"""


@pytest.mark.parametrize("values", [(61, 90), (90,), (90, 30, 61)])
def test_two_rules_of_one_incident_are_one_incident_of_the_worse(folder, values) -> None:
    write(folder, HOT + SEVERE)
    for value in values:
        hot(folder, value)
        folder.clock.advance(20)
    tick(folder)
    cursor(folder).step()
    (one,) = incidents(folder)
    assert (one.key.event, one.title, one.rule) == ("hot", "Very hot", "rule:very-hot@1")
    assert (one.severity, one.policy.safety) == ("critical", True)
    assert one.condition_active


def test_readings_are_not_even_read_while_no_rule_asks(folder: Folder) -> None:
    folder.put("telemetry", "camera", b"\xff", event_id="x", stream="0000000f", sequence=9)
    cursor(folder).step()
    with reading(folder.state) as connection:
        assert connection.execute(state.cursor.select()).one().poisoned == 0


def test_an_event_is_linked_to_its_own_incident_and_a_late_one_to_what_it_became(folder) -> None:
    door = '[[rule]]\ntype = "event"\nid = "door"\nlabel = "D"\nevent = ["door"]\nfor = "1min"\n'
    write(folder, door)
    folder.put_event(folder.event(name="door"))
    folder.put_event(folder.event())
    reader = cursor(folder)
    reader.step()
    report(folder, later=80)
    tick(folder)
    reader.step()
    both = incidents(folder)
    assert [one.key.event for one in both] == ["zone-dwell", "door"]
    with reading(folder.state) as connection:
        rows = connection.execute(state.event.select().order_by(state.event.c.id)).all()
    assert [row.incident for row in rows] == [both[1].id, both[0].id]


def test_a_kill_after_every_row_changes_nothing(tmp_path: Path, monkeypatch) -> None:
    def run(folder: Folder, *, killed: bool) -> list[object]:
        write(folder, LONG + SILENT)
        hot(folder)
        for _ in range(5):
            report(folder, later=120)
            hot(folder, 65)
            tick(folder)
        hot(folder, 20)
        for _ in range(70):
            tick(folder)
        monkeypatch.setattr(work_module, "BATCH", 1)
        reader = cursor(folder)
        while reader.step():
            if killed:
                reader = cursor(folder)
        with reading(folder.state) as connection:
            rows = connection.execute(incident_tables.transition.select()).all()
        found = [(row.step, row.at, row.recorded, row.actor) for row in rows]
        folder.close()
        return found

    once = run(Folder(tmp_path / "once"), killed=False)
    assert {row[0] for row in once} >= {"opened", "cleared"}
    assert {row[3] for row in once} >= {"rule:hot@1", "rule:silent@1"}
    assert run(Folder(tmp_path / "often"), killed=True) == once


def test_a_row_that_cannot_be_used_does_not_take_back_what_its_batch_began_with(
    folder: Folder,
) -> None:
    reader = cursor(folder)
    version = write(folder, HOT)
    bad = {"event_id": "x", "stream": "0000000e", "sequence": 9}
    folder.put("event", "zone-dwell", b"\xff not json", **bad)
    hot(folder)
    tick(folder)
    reader.step()
    with reading(folder.state) as connection:
        assert versions.in_force(connection).version == version
    assert [one.rule for one in incidents(folder)] == ["rule:hot@1"]


def test_what_was_worked_out_for_a_batch_that_failed_is_not_believed(folder, monkeypatch) -> None:
    write(folder, HOT)
    hot(folder)
    reader = cursor(folder)
    reader.step()
    tick(folder)

    def full(*_: object) -> None:
        raise StoreError("disk full")

    monkeypatch.setattr(Cursor, "_move", full)
    for _ in range(2):
        with pytest.raises(StoreError):
            reader.step()
    monkeypatch.undo()
    reader.step()
    assert brief(folder) == [("hot", "rule:hot@1", True)]


def test_a_mistake_in_a_rule_costs_no_edges_alarm(folder: Folder, monkeypatch, caplog) -> None:
    write(folder, HOT)
    cursor(folder).step()

    def broken(*_: object) -> None:
        raise RuntimeError("odd")

    monkeypatch.setattr(Engine, "_ordered", broken)
    folder.put_event(folder.event())
    with caplog.at_level(logging.ERROR):
        cursor(folder).step()
    assert [one.key.event for one in incidents(folder)] == ["zone-dwell"]
    with reading(folder.state) as connection:
        assert connection.execute(state.cursor.select()).one().poisoned == 0
        assert keeper.load(connection).clocks.failed == 1
    assert "rules: journal row" in caplog.text


def test_a_newer_version_ends_what_the_older_raised_and_raises_it_again(folder: Folder) -> None:
    write(folder, HOT)
    hot(folder)
    tick(folder)
    reader = cursor(folder)
    reader.step()
    write(folder, HOT + "clear = 10\n")
    tick(folder)
    reader.step()
    assert brief(folder) == [("hot", "rule:hot@1", False)]
    hot(folder)
    tick(folder)
    reader.step()
    (one,) = incidents(folder)
    assert (one.condition_active, one.state, one.count) == (True, "open", 2)


def test_a_document_that_cannot_be_used_leaves_the_rules_as_they_are(folder, caplog) -> None:
    write(folder, HOT)
    hot(folder)
    reader = cursor(folder)
    reader.step()
    write(folder, "nonsense")
    hot(folder)
    tick(folder)
    with caplog.at_level(logging.ERROR):
        reader.step()
    assert "version 2 cannot be used" in caplog.text
    assert brief(folder) == [("hot", "rule:hot@1", True)]
    tick(folder)
    cursor(folder).step()  # and so it is after a restart
    assert brief(folder) == [("hot", "rule:hot@1", True)]


def test_an_edge_that_goes_on_ends_under_rules_that_do_not_want_it(folder: Folder) -> None:
    begin = folder.event()
    folder.put_event(begin)
    reader = cursor(folder)
    reader.step()
    write(
        folder,
        '[[rule]]\ntype = "event"\nid = "no"\nlabel = "No"\nevent = ["*"]\nraises = false\n',
    )
    folder.clock.advance(5)
    folder.put_event(folder.event(phase="end", episode=begin.data.episode))
    folder.put_event(folder.event(phase="end"))
    reader.step()
    (one,) = incidents(folder)
    assert not one.condition_active
    assert one.cleared == NOON + timedelta(seconds=5)


def test_devices_heard_of_before_are_missed_from_the_switch_on(folder: Folder) -> None:
    hot(folder)
    reader = cursor(folder)
    reader.step()
    write(folder, ALONE)
    for _ in range(59):
        tick(folder)
    reader.step()
    assert brief(folder) == []
    for _ in range(3):
        tick(folder)
    reader.step()
    assert brief(folder) == [("silent", "rule:silent@1", True)]
    (one,) = incidents(folder)
    assert one.policy.outage


def test_a_device_retired_by_people_is_missed_no_more(folder: Folder) -> None:
    write(folder, ALONE)
    hot(folder)
    for _ in range(70):
        tick(folder)
    cursor(folder).step()
    assert brief(folder) == [("silent", "rule:silent@1", True)]
    with writing(folder.state) as connection:
        this = device.update().where(device.c.device == CAMERA, device.c.standing == CONFIRMED)
        connection.execute(this.values(standing=RETIRED))
    for _ in range(70):
        tick(folder)
    cursor(folder).step()
    assert brief(folder) == [("silent", "rule:silent@1", False)]


def test_our_own_absence_is_nobodys_silence(folder: Folder) -> None:
    write(folder, ALONE)
    hot(folder)
    tick(folder)
    tick(folder, later=86_400)
    for _ in range(50):
        tick(folder)
    cursor(folder).step()
    assert brief(folder) == []


def test_the_built_in_rules_remember_when_each_box_was_heard_of_and_no_more(
    folder: Folder,
) -> None:
    folder.put_event(folder.event())
    hot(folder)
    cursor(folder).step()
    with reading(folder.state) as connection:
        memory = keeper.load(connection)
        assert connection.scalar(sa.select(sa.func.count()).select_from(rule_memory)) == 3
    assert set(memory.targets) == {("edge-silent", f"{NODE}/self")}
    assert (set(memory.rules), memory.lanes, memory.clocks.oldest) == ({"edge-silent"}, {}, 0)


def test_a_dead_box_calls_once_and_is_over_when_it_is_heard_of(folder: Folder) -> None:
    report(folder, later=0)
    for _ in range(29):
        tick(folder)
    cursor(folder).step()
    assert brief(folder) == []
    folder.put_status("lost")
    for _ in range(3):
        tick(folder)
    cursor(folder).step()
    (one,) = incidents(folder)
    assert (one.key.event, one.key.device, one.severity) == ("edge-silent", "self", "high")
    assert (one.rule, one.condition_active, one.title) == ("rule:edge-silent@0", True, None)
    assert one.policy.outage
    report(folder, later=60)
    cursor(folder).step()
    assert brief(folder) == [("edge-silent", "rule:edge-silent@0", False)]


def test_a_box_that_was_switched_off_in_order_is_not_missed_until_it_is_heard_of(
    folder: Folder,
) -> None:
    report(folder, later=0)
    folder.put_status("stopped")
    for _ in range(100):
        tick(folder)
    folder.put_status("stopped")  # a broker keeps it, and tells it again
    for _ in range(100):
        tick(folder)
    cursor(folder).step()
    assert brief(folder) == []
    folder.put_status("ready")
    for _ in range(31):
        tick(folder)
    cursor(folder).step()
    assert [name for name, _, _ in brief(folder)] == ["edge-silent"]


def test_a_box_that_stops_in_order_while_it_was_missed_is_missed_no_more(folder: Folder) -> None:
    report(folder, later=0)
    for _ in range(31):
        tick(folder)
    folder.put_status("stopped")
    cursor(folder).step()
    assert brief(folder) == [("edge-silent", "rule:edge-silent@0", False)]


def test_after_an_outage_of_our_own_boxes_have_as_long_to_come_back(folder: Folder) -> None:
    report(folder, later=0)
    for _ in range(3):
        tick(folder)
    tick(folder, later=7200)
    for _ in range(26):
        tick(folder)
    cursor(folder).step()
    assert brief(folder) == []
    report(folder, later=5)
    tick(folder)
    cursor(folder).step()
    assert brief(folder) == []


def test_a_box_that_was_retired_or_never_heard_of_is_not_missed(folder: Folder) -> None:
    for _ in range(40):
        tick(folder)
    cursor(folder).step()
    assert brief(folder) == []
    report(folder, later=0)
    cursor(folder).step()
    retire(folder, f"{NODE}/{CAMERA}", NODE)
    for _ in range(40):
        tick(folder)
    cursor(folder).step()
    assert brief(folder) == []


def test_a_restart_of_the_ingest_misses_the_same_boxes(folder: Folder) -> None:
    report(folder, later=0)
    cursor(folder).step()
    for _ in range(29):
        tick(folder)
        cursor(folder).step()
    assert brief(folder) == []
    for _ in range(2):
        tick(folder)
        cursor(folder).step()
    assert brief(folder) == [("edge-silent", "rule:edge-silent@0", True)]


def test_replaying_the_journal_makes_the_same_incidents(tmp_path: Path) -> None:
    first = Folder(tmp_path / "a")
    write(first, LONG + SILENT)
    for minute in range(30):
        hot(first, 61 if minute % 20 < 15 else 20)
        if minute % 3 == 0:
            first.put_event(first.event(name="ebike-in-elevator"))
        report(first, later=60)
    for _ in range(31):
        tick(first)
    cursor(first).step()
    before = [(one.id, one.number, one.state, one.first, one.last) for one in incidents(first)]
    with writing(first.state) as connection:
        for table in (
            incident_tables.transition,
            incident_tables.episode,
            incident_tables.incident,
            state.event,
            state.cursor,
            rule_memory,
        ):
            connection.execute(table.delete())
    cursor(first).step()
    after = [(one.id, one.number, one.state, one.first, one.last) for one in incidents(first)]
    assert after == before
    assert len(before) == 3
    assert brief(first)[-1][0] == "edge-silent"
    first.close()


def retire(folder: Folder, *things: str) -> None:
    service = RegistryService(folder.reader("state"), folder.state, Feed(), SITE)
    for name in things:
        what = "device" if "/" in name else "edge"
        anything = Seen(frozenset({"*"}))
        now = folder.clock.now()
        service.put(ADMIN, what, name, {"retired": True}, seen=anything, now=now, whole=False)


@pytest.mark.parametrize("killed", [False, True], ids=["running", "restarted"])
def test_what_goes_on_at_a_retired_device_is_over(folder: Folder, killed: bool) -> None:
    write(folder, HOT)
    hot(folder)
    folder.put_event(folder.event())
    tick(folder)
    reader = cursor(folder)
    reader.step()
    assert [active for _, _, active in brief(folder)] == [True, True]
    retire(folder, f"{NODE}/{CAMERA}")
    tick(folder)
    (cursor(folder) if killed else reader).step()
    both = incidents(folder)
    assert [one.condition_active for one in both] == [False, False]
    with reading(folder.state) as connection:
        rows = [book.newest_of(connection, one.id, 1_000_000)[-1] for one in both]
        assert set(keeper.load(connection).targets) == {("edge-silent", f"{NODE}/self")}
    assert {(row.step, row.actor) for row in rows} == {("cleared", "rule:retired")}
    assert {row.at for row in rows} == {folder.clock.now()}


def test_what_was_sent_before_and_is_read_after_is_over_too(folder: Folder) -> None:
    write(folder, HOT)
    hot(folder)
    reader = cursor(folder)
    reader.step()  # the reading still waits for others that may come before it
    retire(folder, f"{NODE}/{CAMERA}")
    folder.put_event(folder.event())
    reader.step()
    tick(folder)
    reader.step()
    assert [active for _, _, active in brief(folder)] == [False, False]
    with reading(folder.state) as connection:
        assert set(keeper.load(connection).targets) == {("edge-silent", f"{NODE}/self")}


def test_a_batch_that_failed_does_not_forget_who_was_retired(folder: Folder, monkeypatch) -> None:
    folder.put_event(folder.event())
    reader = cursor(folder)
    reader.step()
    retire(folder, f"{NODE}/{CAMERA}", NODE)
    tick(folder)

    def full(*_: object) -> None:
        raise StoreError("disk full")

    monkeypatch.setattr(Cursor, "_move", full)
    with pytest.raises(StoreError):
        reader.step()
    monkeypatch.undo()
    reader.step()
    assert [active for _, _, active in brief(folder)] == [False]


def test_what_comes_back_into_use_is_raised_again(folder: Folder) -> None:
    write(folder, HOT)
    hot(folder)
    tick(folder)
    reader = cursor(folder)
    reader.step()
    retire(folder, f"{NODE}/{CAMERA}")
    tick(folder)
    reader.step()
    service = RegistryService(folder.reader("state"), folder.state, Feed(), SITE)
    seen, now = Seen(frozenset({"*"})), folder.clock.now()
    name, back = f"{NODE}/{CAMERA}", {"retired": False}
    service.put(ADMIN, "device", name, back, seen=seen, now=now, whole=False)
    hot(folder, 70)
    tick(folder)
    reader.step()
    assert brief(folder) == [("hot", "rule:hot@1", True)]
    assert incidents(folder)[0].count == 2
