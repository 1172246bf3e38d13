from __future__ import annotations

from datetime import UTC, timedelta
from pathlib import Path

import msgspec
import pytest
from house import ADMIN, AREA, CAMERA, GUEST, NODE, NOON, SITE, STAFF, Folder
from msgspec.structs import replace

from ingest.consumers.incidents import IncidentEffect
from ingest.consumers.rules import RuleWork
from ingest.consumers.work import Cursor
from ingest.feed import Feed
from ingest.receive.directory import read_directory
from ingest.refusal import Gone, NotAllowed, NotThere, NotUsable
from ingest.services.devices import DeviceService
from ingest.services.incidents import IncidentService
from ingest.services.journal import JournalService
from ingest.store import journal, registry, state
from ingest.store.engine import writing
from linli.events import CameraReport, LaneReport


class Desk:
    """The services that need no thread, and the consumer to step by hand."""

    def __init__(self, path: Path) -> None:
        self.folder = Folder(path)
        self.feed = Feed()
        reader, journal_reader = self.folder.reader("state"), self.folder.reader("journal")
        effect = IncidentEffect(self.feed, RuleWork(journal_reader, UTC))
        self.cursor = Cursor(journal_reader, self.folder.state, state.cursor, effect)
        self.incidents = IncidentService(reader, self.folder.state, self.feed)
        self.devices = DeviceService(
            reader, self.folder.state, journal_reader, self.feed, site=SITE
        )
        self.journal = JournalService(journal_reader, reader, self.folder.reader("series"))

    def device(self, name: str = CAMERA):
        found = self.devices.list(GUEST, self.folder.clock.now())
        return next(one for one in found if one.device == name)

    def node(self, name: str = NODE):
        found = self.devices.nodes(GUEST, self.folder.clock.now())
        return next(one for one in found if one.node == name)


@pytest.fixture
def desk(tmp_path: Path):
    desk = Desk(tmp_path)
    yield desk
    desk.folder.close()


def camera(state_name: str) -> CameraReport:
    return CameraReport(device=CAMERA, state=state_name, fps=4.5, dropped=2, detail="x")  # type: ignore[arg-type]


def test_before_anything_was_heard_health_is_unknown(desk: Desk) -> None:
    assert (desk.device().health, desk.device().state, desk.node().state) == ("unknown",) * 3


@pytest.mark.parametrize(
    ("status", "report", "later", "node", "device"),
    [
        ("ready", "streaming", 0, "ok", "ok"),
        ("ready", "streaming", 180, "ok", "ok"),
        ("ready", "streaming", 181, "down", "down"),
        ("ready", "stalled", 0, "ok", "degraded"),
        ("ready", "ended", 0, "ok", "degraded"),
        ("ready", "failed", 0, "ok", "down"),
        ("init", "starting", 0, "degraded", "degraded"),
        ("lost", "streaming", 0, "down", "down"),
        ("stopped", "streaming", 0, "down", "down"),
    ],
)
def test_traffic_lights(desk: Desk, status, report, later, node, device) -> None:
    desk.folder.put_report(camera(report))
    desk.folder.put_status(status)
    desk.cursor.step()
    desk.folder.clock.advance(later)
    assert (desk.node().health, desk.device().health) == (node, device)
    assert (desk.node().state, desk.device().state) == (status, report)
    assert (desk.device().fps, desk.device().dropped, desk.device().detail) == (4.5, 2, "x")


def test_a_node_that_gave_up_facts_is_degraded(desk: Desk) -> None:
    lane = LaneReport(lane="events", pending=3, evicted=1, dead=0)
    desk.folder.put_report(camera("streaming"), lanes=(lane,))
    desk.folder.put_status("ready")
    desk.cursor.step()
    assert (desk.node().health, desk.node().lanes, desk.node().rss) == ("degraded", (lane,), 9)
    assert desk.node().agent == "0.1"


def test_a_node_whose_spool_was_damaged_is_degraded(desk: Desk) -> None:
    desk.folder.put_report(camera("streaming"), damaged=1)
    desk.folder.put_status("ready")
    desk.cursor.step()
    assert desk.node().health == "degraded"


def test_what_is_discovered_says_itself_what_it_is(desk: Desk) -> None:
    desk.folder.park("door-1")
    desk.folder.park_description("door-1", "lift-door", "电梯")
    desk.folder.park_description("door-1", "lift-door", "1 号电梯门")
    desk.folder.park_description("lamp-1", "lamp", "\u202e走廊")  # turns the text around
    desk.folder.park("bin-1", name="meta/describe")  # says nothing that can be read
    found = {one.device: (one.kind, one.label) for one in desk.devices.list(GUEST, NOON)}
    assert found["door-1"] == ("lift-door", "1 号电梯门")
    assert found["lamp-1"] == ("lamp", "lamp-1")
    assert found["bin-1"] == ("unknown", "bin-1")
    for name, (kind, label) in found.items():
        if name != CAMERA:
            done = desk.devices.confirm(STAFF, NODE, name, NOON)  # nothing of it is replayed yet
            assert (done.kind, done.label, done.standing) == (kind, label, "confirmed")


def test_a_camera_that_its_box_reported_first_says_what_it_is_too(desk: Desk) -> None:
    desk.folder.put_report(CameraReport(device="cam-2", state="streaming", fps=5, dropped=0))
    desk.cursor.step()
    desk.folder.park_description("cam-2", "camera", "北门")
    (found,) = desk.devices.page(GUEST, NOON, devices=(f"{NODE}/cam-2",)).items
    assert (found.kind, found.label, found.standing) == ("camera", "北门", "discovered")
    done = desk.devices.confirm(STAFF, NODE, "cam-2", NOON, subject="gate/north")
    assert (done.kind, done.label, done.subject) == ("camera", "北门", "gate/north")


def test_what_is_parked_is_discovered_until_confirmed(desk: Desk) -> None:
    desk.folder.park("bin-1")
    desk.folder.park("bin-1")
    desk.folder.park("self", node="c001-n09")
    desk.folder.park("cam-1", node="c001-n09")
    listed = desk.devices.list(GUEST, NOON)
    assert [(one.node, one.device, one.standing, one.parked) for one in listed] == [
        (NODE, "bin-1", "discovered", 2),
        ("c001-n09", "cam-1", "discovered", 1),
        (NODE, CAMERA, "confirmed", 0),
    ]
    assert [(one.node, one.standing) for one in desk.devices.nodes(GUEST, NOON)] == [
        (NODE, "confirmed"),
        ("c001-n09", "discovered"),
    ]
    walked, cursor = [], None
    for _ in listed:
        page = desk.devices.page(GUEST, NOON, cursor=cursor, limit=1)
        walked, cursor = [*walked, *page.items], page.next
    assert (tuple(walked), cursor) == (listed, None)
    assert desk.devices.page(GUEST, NOON, devices=("c001-n09/cam-1", "x")).items == (listed[1],)
    with pytest.raises(NotUsable):
        desk.devices.page(GUEST, NOON, cursor=f"{NODE}/none")
    with pytest.raises(NotAllowed):
        desk.devices.confirm(GUEST, NODE, "bin-1", NOON)
    with pytest.raises(NotThere):
        desk.devices.confirm(STAFF, NODE, "bin-2", NOON)
    done = desk.devices.confirm(STAFF, NODE, "bin-1", NOON, label=" 东门桶 ", subject="gate")
    assert (done.standing, done.label, done.subject, done.area) == (
        "confirmed",
        "东门桶",
        "gate",
        AREA,
    )
    assert desk.devices.confirm(STAFF, NODE, "bin-1", NOON).label == "东门桶"
    desk.devices.confirm(STAFF, "c001-n09", "cam-1", NOON)
    assert desk.devices.labels(GUEST)[NODE, "bin-1"] == "东门桶"
    known = read_directory(desk.folder.state)
    for node, device in ((NODE, "bin-1"), ("c001-n09", "cam-1"), ("c001-n09", "self")):
        assert known.standing(SITE, AREA, node, device) == "known"


def test_a_look_at_the_estate_says_what_the_lists_say(desk: Desk) -> None:
    folder = desk.folder
    folder.put_report(camera("stalled"))
    folder.put_status("ready")
    folder.park("bin-1")
    folder.park("self", node="c001-n09")
    folder.park("cam-1", node="c001-n09")
    desk.cursor.step()
    more = {"site": SITE, "area": "b09", "kind": "bin", "last_seen": NOON}
    with writing(folder.state) as connection:
        for name, standing in (("new", "discovered"), ("gone", "retired"), ("used", "confirmed")):
            row = {"node": NODE, "device": name, "label": name, "standing": standing}
            connection.execute(registry.device.insert(), more | row)
        box = {"site": SITE, "area": "b09", "node": "old", "label": "old", "standing": "retired"}
        connection.execute(registry.node.insert(), box)
    far = replace(GUEST, areas=frozenset({"b09"}))
    for viewer, area in ((GUEST, None), (GUEST, "b09"), (far, None), (far, AREA)):
        listed = desk.devices.list(viewer, NOON, area)
        seen = desk.devices.estate(viewer, NOON, area)
        in_use = sorted(seen.devices, key=lambda one: (one.node, one.device))
        assert seen.discovered + seen.views(in_use) == listed
        assert [one.health for one in in_use] == [one.health for one in seen.views(in_use)]
        nodes = desk.devices.nodes(viewer, NOON)
        assert seen.nodes(seen.boxes) == nodes
        assert [one.health for one in seen.boxes] == [one.health for one in nodes]
    assert [one.device for one in desk.devices.estate(far, NOON).devices] == ["used"]
    assert {one.health for one in desk.devices.estate(GUEST, NOON).devices} == {"degraded", "ok"}
    nobody = replace(GUEST, scopes=frozenset())
    with pytest.raises(NotAllowed):
        desk.devices.estate(nobody, NOON)


def put_stream(desk: Desk, stream: str, upto: int, ranges=(), evicted: int = 0) -> None:
    values = {"node": NODE, "stream": stream, "upto": upto, "low": 1, "evicted": evicted}
    values |= {"ranges": msgspec.json.encode(ranges).decode(), "duplicates": 0, "updated": 0}
    with writing(desk.folder.journal) as connection:
        connection.execute(journal.stream.insert(), values)


def test_the_chain_in_numbers(desk: Desk) -> None:
    for _ in range(3):
        desk.folder.put_event(desk.folder.event())
    desk.cursor.step()
    desk.folder.put_event(desk.folder.event())
    desk.folder.put_readings_now()
    put_stream(desk, "0000000e", 10, [(12, 13), (15, 15)], evicted=2)
    put_stream(desk, "0000000f", 99)
    desk.folder.park("bin-1")
    with writing(desk.folder.journal) as connection:
        figures = {"duplicates": 7, "rejected.json": 1, "rejected.size": 2, "parked_dropped": 4}
        figures |= {"quarantine_dropped": 5, "dropped": 6, "future": 8, "unknown_fields": 9}
        rows = [{"name": name, "value": value} for name, value in figures.items()]
        connection.execute(journal.counter.insert(), rows)
    stats = desk.journal.stats(GUEST)
    assert (stats.events_stored, stats.telemetry_stored) == (4, 1)
    assert (stats.produced, stats.duplicates, stats.rejected, stats.parked) == (15, 7, 3, 1)
    assert (stats.parked_dropped, stats.quarantine_dropped, stats.dropped) == (4, 5, 6)
    assert (stats.future, stats.unknown_fields) == (8, 9)
    assert stats.lost == 4 + 6
    assert not stats.healthy
    assert (stats.incidents, stats.open_incidents, stats.behind["incidents"]) == (1, 1, 2)
    event, other = stats.streams
    assert (event.lane, event.upto, event.missing, event.highest, event.evicted) == (
        "events",
        10,
        2,
        15,
        2,
    )
    assert other.lane == "unknown"
    desk.cursor.step()
    assert desk.journal.stats(GUEST).events_stored == 4
    assert desk.journal.stats(GUEST).behind["incidents"] == 0
    assert desk.journal.stats(GUEST).streams[1].lane == "telemetry"


def test_events_outlive_the_journal(desk: Desk) -> None:
    old, new = desk.folder.event(), desk.folder.event(zone="gate")
    desk.folder.put_event(old)
    desk.folder.put("event", "odd", b"!", event_id="odd", stream="0000000e", sequence=9)
    desk.cursor.step()
    with writing(desk.folder.journal) as connection:
        connection.execute(journal.message.delete())
    desk.folder.put_readings_now()
    desk.folder.put_event(new)

    def found(**asked):
        return desk.journal.events(GUEST, **asked)

    incident = desk.incidents.list(GUEST).items[0].id
    asked = [(one.id, one.incident) for one in found().items]
    assert asked == [(old.id, incident), ("odd", None), (new.id, None)]
    desk.cursor.step()
    again = found().items
    assert [one.cursor for one in again] == [1, 2, 4]
    assert again[2].incident not in (None, incident)
    page = found(limit=2)
    assert [one.id for one in page.items] == [old.id, "odd"]
    assert [one.id for one in found(after=int(page.next)).items] == [new.id]
    assert [one.id for one in found(event_id=old.id).items] == [old.id]
    assert found(node="other").items == ()


def test_rejects_are_listed_without_content(desk: Desk) -> None:
    with writing(desk.folder.journal) as connection:
        for number in range(3):
            values = {"received": 1, "topic": f"t{number}", "node": "", "code": "json"}
            values |= {"path": "$", "what": "SECRET", "sha256": "0" * 64}
            connection.execute(journal.reject.insert(), values)
    first = desk.journal.rejects(GUEST, limit=2)
    assert [one.topic for one in first.items] == ["t2", "t1"]
    rest = desk.journal.rejects(GUEST, cursor=first.next, limit=2)
    assert ([one.topic for one in rest.items], rest.next) == (["t0"], None)
    assert "SECRET" not in repr(first)
    with pytest.raises(NotUsable):
        desk.journal.rejects(GUEST, cursor="x")


def test_what_a_refused_message_said_is_for_administrators(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with writing(desk.folder.journal) as connection:
        for digest in ("0" * 64, "1" * 64):
            values = {"received": 1, "topic": "t", "node": "", "code": "json", "path": "$"}
            connection.execute(journal.reject.insert(), {**values, "what": "", "sha256": digest})
        kept = {"sha256": "0" * 64, "received": 1, "size": 6, "payload": b"SECRET"}
        connection.execute(journal.quarantine.insert(), kept)
    assert desk.journal.content(ADMIN, 1) == b"SECRET"
    assert "user:boss reads the refused message 1" in caplog.text
    assert "SECRET" not in caplog.text
    for viewer in (GUEST, STAFF):
        with pytest.raises(NotAllowed):
            desk.journal.content(viewer, 1)
    with pytest.raises(Gone):
        desk.journal.content(ADMIN, 2)
    with pytest.raises(NotThere):
        desk.journal.content(ADMIN, 3)


@pytest.mark.parametrize("step", ["acknowledge", "start", "resolve"])
def test_steps_are_for_staff_may_be_repeated_and_are_told(desk: Desk, step: str) -> None:
    desk.folder.put_event(desk.folder.event())
    desk.cursor.step()
    (one,) = desk.incidents.list(GUEST).items
    act = getattr(desk.incidents, step)
    with pytest.raises(NotAllowed):
        act(GUEST, one.id, NOON)
    with pytest.raises(NotThere):
        act(STAFF, "nothing", NOON)
    with pytest.raises(NotUsable):
        act(STAFF, one.id, NOON, "x" * 501)
    told: list[str] = []
    desk.feed.tell = told.append  # type: ignore[method-assign, assignment]
    first = act(STAFF, one.id, NOON, " seen ")
    rows = desk.incidents.newest(GUEST, one.id, 100)
    assert act(ADMIN, one.id, NOON + timedelta(seconds=9)) == first
    assert desk.incidents.newest(GUEST, one.id, 100) == rows
    assert told == ["incidents"]
    assert next(row.note for row in rows if row.actor == "user:wang") == "seen"


def test_transitions_are_read_by_number(desk: Desk) -> None:
    assert desk.incidents.last_transition(GUEST) == 0
    for zone in "abc":
        desk.folder.put_event(desk.folder.event(zone=zone))
    desk.cursor.step()
    rows = desk.incidents.transitions_after(GUEST, 1, 1)
    assert [row.id for row in rows] == [2]
    assert desk.incidents.last_transition(GUEST) == 3
    with pytest.raises(NotThere):
        desk.incidents.newest(GUEST, "nothing", 100)


def test_a_long_history_is_read_page_by_page(desk: Desk) -> None:
    for _ in range(3):
        desk.folder.clock.advance(1)
        desk.folder.put_event(desk.folder.event())
        desk.folder.put_event(desk.folder.event(zone="other"))
    desk.cursor.step()
    for one in desk.incidents.list(GUEST).items:
        whole = desk.incidents.newest(GUEST, one.id, 100)
        first = desk.incidents.history(GUEST, one.id, limit=2)
        rest = desk.incidents.history(GUEST, one.id, limit=2, cursor=first.next)
        assert (len(first.items), rest.next) == (2, None)
        assert (*first.items, *rest.items) == whole
    with pytest.raises(NotThere):
        desk.incidents.history(GUEST, "nothing")
    with pytest.raises(NotUsable):
        desk.incidents.history(GUEST, one.id, cursor="x")


def test_a_cursor_belongs_to_its_order(desk: Desk) -> None:
    for zone in "ab":
        desk.folder.put_event(desk.folder.event(zone=zone))
    desk.cursor.step()
    page = desk.incidents.list(GUEST, limit=1)
    with pytest.raises(NotUsable, match="another order"):
        desk.incidents.list(GUEST, limit=1, order="newest", cursor=page.next)
