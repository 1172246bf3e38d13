from __future__ import annotations

import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from house import ADMIN, AREA, CAMERA, NODE, NOON, SITE, STAFF, Folder

from ingest.consumers import influx as consumer
from ingest.consumers.incidents import IncidentEffect
from ingest.consumers.influx import InfluxJob, Sources
from ingest.consumers.rules import RuleWork
from ingest.consumers.work import Cursor
from ingest.feed import Feed
from ingest.incidents import book as incidents
from ingest.incidents.flow import ALONE
from ingest.influx import book
from ingest.influx.book import InfluxStatus
from ingest.influx.endpoint import FakeEndpoint, Refused, Unavailable
from ingest.receive.upkeep import DAY, consumed, forget
from ingest.services.incidents import IncidentService
from ingest.services.registry import NOTHING_YET, RegistryService
from ingest.settings import Influx
from ingest.store import state
from ingest.store.engine import reading, to_micros, writing
from linli.errors import StoreError
from linli.events import CameraReport, ConfigReport, LaneReport, Reading

INFLUX = Influx(url="http://influx.test:8086")


class Estate(Folder):
    """A folder with an InfluxDB that is a fake."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.fake = FakeEndpoint()
        self.sources = Sources(
            self.reader("journal"), self.reader("state"), self.reader("series"), self.state
        )
        self.job = self.fresh()

    def fresh(self) -> InfluxJob:
        """The process was killed and started again: nothing is left in memory."""
        self.job = InfluxJob(self.sources, lambda: self.fake, SITE, self.clock)
        return self.job

    def run(self) -> None:
        while self.job.step():
            pass

    def status(self) -> InfluxStatus:
        with reading(self.sources.state) as one, reading(self.sources.journal) as other:
            return book.status(INFLUX, one, other)

    def lines(self, measurement: str) -> list[str]:
        stored = self.fake.stored.values()
        return [line for line in stored if line.startswith(f"{measurement},")]

    def put_fps(self, number: int, *, after: int = 0) -> None:
        """Put messages of up to five readings each."""
        values = range(after, after + number)
        for index in values[::5]:
            self.put_readings(
                *(
                    Reading(n="fps", v=float(one), u="/s", t=NOON + timedelta(milliseconds=one))
                    for one in values[index - after : index - after + 5]
                )
            )

    def values(self) -> set[float]:
        lines = [line for line in self.lines("reading") if ",name=fps," in line]
        values = [float(line.split(" value=")[1].split(" ")[0]) for line in lines]
        assert len(values) == len(set(values)), "something is there twice"
        return set(values)

    def make_incidents(self) -> None:
        rules = RuleWork(self.sources.journal, ALONE.zone)
        Cursor(self.sources.journal, self.state, state.cursor, IncidentEffect(Feed(), rules)).step()


@pytest.fixture
def estate(tmp_path: Path):
    estate = Estate(tmp_path)
    yield estate
    estate.close()


def gone(lines: list[str]) -> None:
    raise Unavailable("cannot be reached (Connection refused)")


def test_every_kind_of_row_becomes_its_points(estate: Estate) -> None:
    now = estate.clock.now()
    estate.put_readings(
        Reading(n="fps", v=5, u="/s", t=now), Reading(n="level", v=0.5, u="1", t=now, q="stuck")
    )
    estate.put_event(estate.event(severity="high", confidence=0.8))
    estate.put_report(
        CameraReport(device=CAMERA, state="streaming", fps=4.5, dropped=2),
        lanes=(
            LaneReport(
                lane="events", pending=3, evicted=1, dead=0, oldest=now - timedelta(hours=1)
            ),
            LaneReport(lane="telemetry", pending=4, evicted=0, dead=2),
        ),
        config=ConfigReport(version=7),
    )
    estate.put_status("ready")
    estate.put_description(CAMERA, "电梯")
    last = estate.put("clock", "tick", b"")
    estate.run()
    assert [line.split(" ")[1] for line in estate.lines("reading")] == ["value=5.0", "value=0.5"]
    (event,) = estate.lines("event")
    where = f"site={SITE},area={AREA},node={NODE}"
    assert event.startswith(f"event,{where},device={CAMERA},name=zone-dwell,zone=door,phase=begin")
    assert "confidence=0.8" in event
    assert "late=0i,delay=0.0" in event
    (health,) = estate.lines("health")
    assert "spool_depth=7i,evicted=1i,dead=2i,oldest=3600.0,cameras=1i,streaming=1i" in health
    assert "config_version=7i,config_refused=0i" in health
    first, second = estate.lines("health_lane")
    assert "lane=events pending=3i,evicted=1i,dead=0i,oldest=3600.0" in first
    assert "oldest" not in second, "nothing waits: that is not an age of zero"
    assert 'fps=4.5,dropped=2i,state="streaming",streaming=1i' in estate.lines("health_camera")[0]
    assert 'state="ready",up=1i' in estate.lines("presence")[0]
    assert any('option="1 号电梯 (cam-e1)"' in line for line in estate.lines("label"))
    assert any(",metric=journal_position," in line for line in estate.lines("linli"))
    status = estate.status()
    assert (status.state, status.behind, status.parked) == ("ok", 0, 0)
    with reading(estate.sources.state) as connection:
        assert book.positions(connection).journal == last


def test_two_events_of_one_millisecond_are_two_points_and_twice_sent_is_once(estate) -> None:
    for _ in range(3):
        estate.put_event(estate.event())
    estate.run()
    first = estate.lines("event")
    assert len(first) == 3
    with writing(estate.state) as connection:
        book.replay(connection)
    estate.fresh()
    estate.run()
    assert estate.lines("event") == first


def test_an_event_that_comes_late_has_its_own_time_and_says_so(estate) -> None:
    message = estate.event()
    estate.clock.advance(3600)
    estate.put_event(message)
    estate.run()
    (line,) = estate.lines("event")
    assert "late=1i,delay=3600.0" in line
    assert line.rsplit(" ", 1)[1].startswith(str(to_micros(NOON) // 1000))


def test_trap_1_an_outage_of_days_loses_nothing_and_doubles_nothing(estate: Estate) -> None:
    """No attempt is the last; and nothing piles up in memory, but in the journal."""
    estate.put_fps(100)
    estate.fake.answer = gone
    for hour in range(24 * 3):
        estate.put_fps(2, after=100 + 2 * hour)
        assert estate.job.step() is False
        estate.clock.advance(3600)
    assert estate.values() == set()
    status = estate.status()
    assert (status.state, status.behind) == ("waiting", 20 + 72)
    assert status.words == "cannot be reached (Connection refused)"
    assert status.since == NOON
    assert not [line for line in vars(estate.job).values() if isinstance(line, list) and line]
    estate.fake.answer = None
    estate.run()
    assert estate.values() == {float(number) for number in range(100 + 2 * 72)}
    assert (estate.status().state, estate.status().behind, estate.status().words) == ("ok", 0, "")


def test_the_journal_keeps_what_influxdb_has_not(estate: Estate) -> None:
    """An outage longer than the journal is kept otherwise."""
    estate.put_fps(10)
    estate.fake.answer = gone
    estate.job.step()
    with writing(estate.state) as connection:
        connection.execute(
            state.cursor.insert(), {"name": "incidents", "position": 10, "poisoned": 0}
        )
    later = to_micros(NOON) + 30 * DAY
    forget(estate.journal, now=later, days=8, read_up_to=consumed(estate.sources.state))
    estate.clock.advance(30 * 86400)
    estate.fake.answer = None
    estate.run()
    assert len(estate.values()) == 10
    forget(estate.journal, now=later, days=8, read_up_to=consumed(estate.sources.state))
    with reading(estate.sources.journal) as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM message")) == 0


def test_a_switched_off_influxdb_holds_the_journal_no_more(estate: Estate) -> None:
    estate.put_fps(1)
    estate.run()
    with writing(estate.state) as connection:
        book.stop(connection)
    assert consumed(estate.sources.state) == 0
    with reading(estate.sources.state) as one:
        assert one.execute(state.cursor.select()).all() == []
        with reading(estate.sources.journal) as other:
            assert book.status(Influx(), one, other).state == "off"


@pytest.mark.parametrize("number", [1, 600, 1500])
def test_killed_between_send_and_commit(estate: Estate, monkeypatch, number: int) -> None:
    estate.put_fps(number)

    def killed(*_: object) -> bool:
        raise StoreError("killed")

    monkeypatch.setattr("ingest.consumers.influx.book.move", killed)
    with pytest.raises(StoreError, match="killed"):
        estate.job.step()
    assert estate.values()
    monkeypatch.undo()
    estate.fresh()
    estate.run()
    assert estate.values() == {float(index) for index in range(number)}
    assert estate.status().behind == 0


def test_trap_7_the_client_is_made_by_the_thread_that_writes(estate: Estate) -> None:
    """One that was made before a fork writes nothing, and says nothing."""
    made: list[int] = []

    def make() -> FakeEndpoint:
        made.append(threading.get_ident())
        return estate.fake

    job = InfluxJob(estate.sources, make, SITE, estate.clock)
    assert made == []
    estate.put_fps(5)
    thread = threading.Thread(target=job.step)
    thread.start()
    thread.join()
    job.step()
    assert len(made) == 1
    assert made[0] != threading.get_ident()
    assert len(estate.values()) == 5


def test_an_ingest_without_influxdb_does_not_load_the_client() -> None:
    """It would cost every ingest 25 MB."""
    code = "import ingest.app, sys; sys.exit('influxdb_client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_trap_6_pieces_have_a_bound(estate: Estate) -> None:
    """Neither memory nor a request grows with what waits."""
    for index in range(12):
        at = estate.clock.now() + timedelta(seconds=index)
        estate.put_readings(*(Reading(n=f"r{number}", v=1, u="1", t=at) for number in range(300)))
    longest = []
    estate.fake.answer = lambda lines: longest.append(len(lines))
    estate.run()
    assert len(estate.lines("reading")) == 12 * 300
    assert len(longest) == 3
    assert max(longest) < 1000 + 500 + 100


def test_trap_2_a_bad_point_is_parked_with_the_words_and_stops_nothing(estate: Estate) -> None:
    """One bad line must not take its batch with it."""
    estate.put_fps(50)

    def answer(lines: list[str]) -> None:
        if any("value=7.0 " in line for line in lines):
            raise Refused(422, "field type conflict")

    estate.fake.answer = answer
    estate.run()
    assert estate.values() == {float(number) for number in range(50)} - {7.0}
    with reading(estate.sources.state) as connection:
        (parked,) = book.parked(connection)
    assert (parked.status, parked.words) == (422, "field type conflict")
    assert "value=7.0 " in parked.line
    assert (estate.status().state, estate.status().parked, estate.status().behind) == ("ok", 1, 0)

    with writing(estate.state) as connection:
        assert book.retry(connection) == 1
    estate.run()
    assert estate.status().parked == 1, "refused again: parked again"
    estate.fake.answer = None
    with writing(estate.state) as connection:
        book.retry(connection)
    estate.run()
    assert estate.status().parked == 0
    assert 7.0 in estate.values()


def test_more_refused_points_than_there_is_room_for_are_counted(estate, monkeypatch) -> None:
    monkeypatch.setattr(book, "MOST_PARKED", 3)
    estate.put_fps(10)

    def answer(lines: list[str]) -> None:
        if any(line.startswith("reading,") for line in lines):
            raise Refused(400, "beyond retention")

    estate.fake.answer = answer
    estate.run()
    assert (estate.status().parked, estate.status().dropped) == (3, 7)
    assert estate.status().behind == 0


def test_a_wrong_token_or_bucket_keeps_everything_and_asks_for_a_person(estate, caplog) -> None:
    estate.put_fps(5)

    def answer(lines: list[str]) -> None:
        raise Unavailable("answers 401: unauthorized access", person=True)

    estate.fake.answer = answer
    for _ in range(5):
        estate.job.step()
        estate.clock.advance(61)
    assert (estate.status().state, estate.status().words) == (
        "refused",
        "answers 401: unauthorized access",
    )
    assert len([one for one in caplog.records if "401" in one.message]) == 1, "said once"
    estate.fake.answer = None
    estate.clock.advance(61)
    estate.run()
    assert len(estate.values()) == 5


def test_a_config_that_refuses_every_point_parks_none(estate: Estate) -> None:
    estate.put_fps(5)

    def answer(lines: list[str]) -> None:
        raise Refused(400, "database is required")

    estate.fake.answer = answer
    estate.job.step()
    assert (estate.status().state, estate.status().parked) == ("refused", 0)


def test_waiting_grows_to_a_minute_and_obeys_the_server(estate: Estate) -> None:
    estate.put_fps(1)
    estate.fake.answer = gone
    tries = []
    for second in range(200):
        before = estate.fake.calls
        estate.job.step()
        if estate.fake.calls > before:
            tries.append(second)
        estate.clock.advance(1)
    assert tries == [0, 1, 3, 7, 15, 31, 63, 123, 183]

    def busy(lines: list[str]) -> None:
        raise Unavailable("answers 429", after=300)

    estate.fake.answer = busy
    estate.clock.advance(60)
    estate.job.step()
    calls = estate.fake.calls
    estate.clock.advance(299)
    estate.job.step()
    assert estate.fake.calls == calls
    estate.clock.advance(1)
    estate.job.step()
    assert estate.fake.calls == calls + 1


def test_rows_that_cannot_be_read_are_counted_and_stop_nothing(estate: Estate, caplog) -> None:
    estate.put("telemetry", "camera", b"garbage of a resident")
    estate.put_fps(1)
    estate.run()
    assert (estate.status().poisoned, estate.status().behind) == (1, 0)
    assert len(estate.values()) == 1
    assert "garbage" not in caplog.text


def test_too_many_series_are_put_aside(estate: Estate, monkeypatch) -> None:
    maker = estate.job._encoder._makers["reading"]
    monkeypatch.setattr(maker, "_most", 2)
    for name in ("a", "b", "c", "d"):
        estate.put_readings(Reading(n=name, v=1, u="1", t=NOON))
    estate.run()
    assert len(estate.lines("reading")) == 2
    with reading(estate.sources.state) as connection:
        assert [one.words for one in book.parked(connection)] == ["too-many-series"] * 2


def test_the_last_will_of_a_replaced_connection_says_nothing(estate: Estate) -> None:
    estate.put_status("ready", "00000001")
    estate.put_status("lost", "00000001")
    estate.put_status("ready", "00000002")
    estate.put_status("lost", "00000001")
    estate.fake.answer = gone
    estate.job.step()
    estate.fake.answer = None
    estate.clock.advance(2)
    estate.run()
    ups = [line.split("up=")[1][0] for line in estate.lines("presence")]
    assert ups == ["1", "0", "1"]


def test_an_incident_is_a_point_per_transition_and_what_it_is_now(estate: Estate) -> None:
    estate.put_event(estate.event(name="ebike-in-elevator", severity="critical"))
    estate.make_incidents()
    service = IncidentService(estate.sources.state, estate.state, Feed(), ALONE)
    with reading(estate.sources.state) as connection:
        (one,) = (row.incident for row in incidents.transitions_after(connection, 0, 1))
    estate.run()
    assert any("open=1i" in line for line in estate.lines("incident_state"))
    estate.clock.advance(90)
    service.acknowledge(STAFF, one, estate.clock.now())
    estate.clock.advance(30)
    service.resolve(STAFF, one, estate.clock.now())
    estate.run()
    lines = estate.lines("incident")
    steps = [line.split(",transition=")[1].split(",")[0] for line in lines]
    assert steps[0] == "opened"
    acknowledged = lines[steps.index("acknowledged")]
    assert "seconds_to_acknowledge=90.0" in acknowledged
    assert ",by=user " in acknowledged
    resolved = lines[steps.index("resolved")]
    assert "seconds_to_resolve=120.0" in resolved
    assert "seconds_to_acknowledge" not in resolved
    assert "wang" not in "".join(estate.fake.stored.values()), "who acted stays here"
    states = estate.lines("incident_state")
    assert len(states) == len(lines)
    assert {line.split(" ")[0] for line in states} == {f"incident_state,site={SITE},slot=0001"}
    last = max(states, key=lambda line: int(line.rsplit(" ", 1)[1]))
    assert "open=0i" in last
    assert 'state="resolved"' in last
    assert estate.status().transitions_behind == 0


def test_a_long_history_is_read_once_and_the_same_comes_of_it(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    whole = incidents.transitions_of

    def transitions_of(connection, incident, after, limit):
        found = whole(connection, incident, after, limit)
        read.extend(row.id for row in found)
        return found

    monkeypatch.setattr(incidents, "transitions_of", transitions_of)
    monkeypatch.setattr(consumer, "ROWS", 2)
    for _ in range(3):
        estate.put_event(estate.event())
        estate.make_incidents()
        estate.run()
        estate.clock.advance(5)
    assert len(read) == len(set(read)) >= 3, "a row was read again"
    before = dict(estate.fake.stored)
    estate.fresh()
    estate.run()
    transitions = {key for key in before if key.startswith("incident")}
    assert {key: estate.fake.stored[key] for key in transitions} == {
        key: before[key] for key in transitions
    }


def test_a_restart_writes_the_same_transitions_again(estate: Estate) -> None:
    estate.put_event(estate.event())
    estate.make_incidents()
    estate.run()
    before = dict(estate.fake.stored)
    assert estate.lines("incident")
    estate.fresh()
    estate.run()
    assert {key: line for key, line in estate.fake.stored.items() if key in before} == before
    assert len(estate.lines("incident")) == sum(key.startswith("incident,") for key in before)


def test_a_transition_that_is_committed_behind_a_later_one_is_not_lost(estate: Estate) -> None:
    """PostgreSQL gives numbers before it commits: 2 may be there before 1."""
    for name in ("a", "b"):
        estate.put_event(estate.event(name=name))
    estate.make_incidents()
    table = incidents.transition
    with writing(estate.state) as connection:
        first = connection.execute(table.select().order_by(table.c.id)).first()
        assert first is not None
        connection.execute(table.delete().where(table.c.id == first.id))
    estate.run()
    before = len(estate.lines("incident_state"))
    with writing(estate.state) as connection:
        connection.execute(table.insert(), dict(first._mapping))
    estate.run()
    assert len(estate.lines("incident_state")) == before + 1


def test_what_is_written_with_a_point_is_no_lag(estate: Estate) -> None:
    """Otherwise the writer would always be behind by what it carries."""
    estate.put_fps(5)
    estate.run()
    for number, behind in ((50, {"0.0"}), (600 * 5, {"0.0", "400.0"})):
        estate.put_fps(number, after=number)
        estate.clock.advance(20)
        estate.job.step()
        assert lag_of(estate, "influx") == behind, "what goes into a later request is behind"


def lag_of(estate: Estate, name: str) -> set[str]:
    lines = [line for line in estate.lines("linli") if f"metric=lag,of={name} " in line]
    return {line.split("value=")[1].split(" ")[0] for line in lines}


def test_names_are_told_again_when_they_change_and_each_hour(estate: Estate) -> None:
    def told() -> int:
        estate.clock.advance(16)
        estate.run()
        return len(estate.lines("label"))

    first = told()
    assert first
    assert told() == first
    service = RegistryService(estate.sources.state, estate.state, Feed(), SITE)
    place = f"{SITE}/b04"
    values = {"kind": "building", "label": "4 号楼"}
    service.put(ADMIN, "place", place, values, seen=NOTHING_YET, now=NOON)
    assert told() == 2 * first + 1
    assert any('option="4 号楼 (b04)"' in line for line in estate.lines("label"))
    estate.clock.advance(3600)
    assert told() == 3 * first + 2
