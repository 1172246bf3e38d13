"""The made-up community alone: what it says keeps the contract, and follows from seed and start."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import jsonschema
import pytest

from linli import schema
from linli.cli.simulate.options import Span
from linli.codec import decode
from linli.errors import InputError
from linli.events import EventData, TelemetryData
from linli.simulate import fault, wire
from linli.simulate.community import MOST, MOST_EDGES, Community, community
from linli.simulate.said import Said
from linli.simulate.surroundings import DUSK, Weather, activity
from linli.simulate.timekeeping import Timekeeping
from linli.simulate.world import World
from linli.topics import Topic

MONDAY = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SMALL = community("c001", 40, 2)
ONE_OF_EACH = dict.fromkeys(fault.FAULTS, 1)
OF_DEVICES = {name for name, one in fault.FAULTS.items() if one.sorts}
SCHEMAS = {
    name: jsonschema.Draft202012Validator(
        json.loads(json.dumps(document)), format_checker=jsonschema.FormatChecker()
    )
    for name, document in schema.json_schemas().items()
}


def world(seed: int = 1, length: timedelta = DAY, made: Community = SMALL, **faults: int) -> World:
    wanted = {name.replace("_", "-"): count for name, count in faults.items()}
    return World(made, seed=seed, start=MONDAY, length=length, faults=wanted)


def played(one: World, slices: timedelta = DAY) -> list[Said]:
    said: list[Said] = []
    now = one.start
    while now < one.end:
        now = min(now + slices, one.end)
        said += one.step(now)
    return said + list(one.close(one.end))


def digest(one: World, slices: timedelta = DAY) -> str:
    whole = hashlib.sha256()
    for number, said in enumerate(played(one, slices), start=1):
        stream = wire.stream_id(one.key, said.device.box, said.lane)
        topic, payload = wire.fact(said, stream, number, 1)
        whole.update(topic.encode() + payload)
    return whole.hexdigest()


@pytest.fixture(scope="module")
def day() -> list[Said]:
    faulty = World(SMALL, seed=3, start=MONDAY, length=DAY, faults=ONE_OF_EACH)
    return played(faulty, timedelta(hours=1))


def test_the_same_seed_says_the_same_whatever_slices_it_is_asked_in() -> None:
    hour = timedelta(hours=1)
    first = digest(world(length=hour, ebike=1, lamp=2))
    assert digest(world(length=hour, ebike=1, lamp=2), timedelta(seconds=7)) == first
    assert digest(world(seed=2, length=hour, ebike=1, lamp=2)) != first
    later = World(SMALL, seed=1, start=MONDAY + DAY, length=hour, faults={"ebike": 1, "lamp": 2})
    assert digest(later) != first


def test_every_fact_keeps_its_schema_and_its_topic(day: list[Said]) -> None:
    seen: set[tuple[str, str, str]] = set()
    for number, said in enumerate(day, start=1):
        kind = (said.lane, said.name, getattr(said.data, "phase", said.device.sort))
        if said.lane == "telemetry" and kind in seen and number % 50:
            continue
        seen.add(kind)
        topic, payload = wire.fact(said, "0123abcd", number, 1)
        assert not decode(Topic.parse(topic), payload).unknown_fields
        SCHEMAS[said.lane].validate(json.loads(payload))
    events = {name for lane, name, _ in seen if lane == "event"}
    assert events == {
        *("ebike-in-elevator", "camera-tampered", "lamp-fault", "bin-full", "bin-fire"),
        *("smoke", "sensor-offline"),
    }
    assert {name for lane, name, _ in seen if lane == "telemetry"} == {
        *("camera", "lamp", "bin", "sensor"),
    }


def test_births_and_reports_keep_their_schemas() -> None:
    box = SMALL.boxes[0]
    births = wire.births(box, SMALL.devices, MONDAY)
    assert len(births) == len(SMALL.devices) + 1
    said = [("describe", one) for one in births]
    pending = (("events", 0), ("telemetry", 3))
    said.append(("report", wire.report(box, SMALL.devices, MONDAY, uptime=1.5, pending=pending)))
    for name, (topic, payload) in said:
        assert not decode(Topic.parse(topic), payload).unknown_fields
        SCHEMAS[name].validate(json.loads(payload))


def test_every_episode_begins_once_and_ends_once_in_order(day: list[Said]) -> None:
    phases: dict[str, list[str]] = {}
    for said in day:
        if isinstance(said.data, EventData):
            phases.setdefault(said.data.episode, []).append(said.data.phase)
            assert said.data.since <= said.at
    assert len(phases) >= len(OF_DEVICES)
    for one in phases.values():
        assert (one[0], one[-1], one.count("begin"), one.count("end")) == ("begin", "end", 1, 1)


def test_each_fault_happens_as_often_as_it_was_asked_for(day: list[Said]) -> None:
    begun = Counter(
        one.name for one in day if isinstance(one.data, EventData) and one.data.phase == "begin"
    )
    del begun["bin-full"]
    assert set(begun.values()) == {1}
    assert len(begun) == len(OF_DEVICES)
    calm = played(world(length=timedelta(hours=1)))
    assert {one.name for one in calm if one.lane == "event"} <= {"bin-full"}


def test_an_edge_is_away_or_has_no_time_as_often_as_it_was_asked_for() -> None:
    one = world(edge_offline=2, clock_off=1)
    assert (set(one.away), len(one.unset)) == (set(SMALL.boxes), 1)
    for span in (*one.away.values(), *one.unset.values()):
        assert one.start < span.begin < span.end <= one.end
    calm = world(edge_offline=1)
    assert played(calm) == played(world()), "what devices say does not change"
    with pytest.raises(InputError, match="2 edges can have it"):
        world(clock_off=3)


def test_a_clock_that_nothing_set_says_so_and_an_episode_has_one_begin() -> None:
    one = world(length=timedelta(hours=6), lamp=15, clock_off=2)
    clocks = {box: Timekeeping(span, "0123abcd") for box, span in one.unset.items()}
    since: dict[str, set[str]] = {}
    kinds: set[tuple[str, str]] = set()
    for number, said in enumerate(played(one), start=1):
        clock = clocks[said.device.box]
        topic, payload = wire.fact(said, "0123abcd", number, 1, clock)
        document = json.loads(payload)
        if said.lane == "event":
            since.setdefault(said.data.episode, set()).add(document["data"]["since"])
        elif number % 50:
            continue
        off = clock.unset is not None and clock.unset.covers(said.at)
        kinds.add((said.lane, document["clocksync"]))
        assert document["clocksync"] == ("unsynced" if off else "synced")
        assert document["time"].startswith("2000-01-01T0" if off else "2026-03-02T")
        assert ("bootid" in document and "uptimems" in document) == off
        assert not decode(Topic.parse(topic), payload).unknown_fields
        SCHEMAS[said.lane].validate(document)
    assert len(kinds) == 4
    assert {len(one) for one in since.values()} == {1}
    assert any(next(iter(one)).startswith("2000") for one in since.values())


def test_what_is_open_at_the_end_is_ended() -> None:
    one = world(length=timedelta(minutes=10), camera_covered=2)
    begun = [said for said in one.step(one.end) if said.lane == "event"]
    ended = list(one.close(one.end))
    assert [said.name for said in begun] == ["camera-tampered"] * 2
    assert sorted(said.device.id for said in ended) == sorted(said.device.id for said in begun)
    assert not list(one.step(one.end))


def test_lamps_follow_the_sun_and_people_the_hour(day: list[Said]) -> None:
    weather = Weather(3)
    riding: dict[int, list[float]] = {}
    lamps = 0
    for said in day:
        assert isinstance(said.data, EventData | TelemetryData)
        if isinstance(said.data, EventData):
            continue
        values = {one.n: one.v for one in said.data.readings}
        if said.name == "lamp":
            lamps += values["on"] == (weather.daylight(said.at) < DUSK)
        if "people" in values:
            riding.setdefault((said.at.hour + 8) % 24, []).append(values["people"])
    of_lamps = sum(said.name == "lamp" for said in day)
    assert of_lamps * 0.95 < lamps < of_lamps  # one lamp has its fault
    assert sum(riding[18]) > 10 * sum(riding[3])
    assert weather.daylight(MONDAY + timedelta(hours=4)) > 5_000
    assert weather.daylight(MONDAY + timedelta(hours=16)) < 0.1
    assert activity(MONDAY + timedelta(hours=10)) > activity(MONDAY + timedelta(hours=18))


def test_bins_fill_and_are_emptied_twice_a_day(day: list[Said]) -> None:
    levels: dict[str, list[float]] = {}
    emptied = Counter[str]()
    for said in day:
        if said.name == "bin" and isinstance(said.data, TelemetryData):
            values = {one.n: one.v for one in said.data.readings}
            of = f"{said.device.box.id}/{said.device.id}"
            emptied[of] += "emptied" in values
            levels.setdefault(of, []).append(values.get("fill-level", 0.0))
    assert set(emptied.values()) <= {1, 2}  # the day begins at eight, when a round may just end
    for one in levels.values():
        assert 0 <= min(one) < 0.1 < 0.2 < max(one) <= 1


@pytest.mark.parametrize(
    ("devices", "edges", "boxes"),
    [(10, None, 1), (120, None, 3), (MOST, None, MOST_EDGES), (40, 4, 4)],
)
def test_devices_are_shared_out(devices: int, edges: int | None, boxes: int) -> None:
    made = community("c001", devices, edges)
    assert len(made.boxes) == boxes
    assert len(made.devices) == devices
    assert len({(one.box.id, one.id) for one in made.devices}) == devices
    counts = Counter(one.box.id for one in made.devices)
    assert max(counts.values()) - min(counts.values()) <= 1
    first = [one.sort for one in made.devices if one.box == made.boxes[0]]
    assert set(first) == {"lift", "lamp", "bin", "climate", "light", "smoke"}


@pytest.mark.parametrize(
    ("site", "devices", "edges"),
    [
        *(("C1", 20, None), ("c" * 21, 20, None), ("c1", 9, None), ("c1", MOST + 1, None)),
        *(("c1", 20, 0), ("c1", 20, 3), ("c1", MOST, MOST_EDGES + 1)),
    ],
)
def test_what_is_no_community_is_refused(site: str, devices: int, edges: int | None) -> None:
    with pytest.raises(InputError):
        community(site, devices, edges)


def test_faults_are_read() -> None:
    assert fault.parse("ebike, lamp=3,ebike=2") == {"ebike": 3, "lamp": 3}
    assert fault.parse("") == {}
    for bad in ("flood", "ebike=0", "ebike=", "ebike=-1", "ebike=x", "ebike=99999", "ebike=²"):
        with pytest.raises(InputError):
            fault.parse(bad)
    with pytest.raises(InputError, match="cannot happen 3 times"):
        world(ebike=3)
    with pytest.raises(InputError, match="ebike"):
        world(camera_covered=2, ebike=1)


def test_spans_are_read() -> None:
    assert Span().convert("90s", None, None) == timedelta(seconds=90)
    assert Span().convert("2d", None, None) == timedelta(days=2)
    for bad in ("", "1", "0s", "-1h", "1w", "367d", "1h30m", "٣h"):
        with pytest.raises(Exception, match="must be like"):
            Span().convert(bad, None, None)
