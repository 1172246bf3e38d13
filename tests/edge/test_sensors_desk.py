"""The desk of sensors: marks, alarms, silence over restarts, what is refused is counted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from edge.sensors.alarm import CALM, stepped, waited
from edge.sensors.desk import AWAY_AFTER, MAX_HELD, MAX_UNKNOWN, SensorDesk
from edge.sensors.happening import OFFLINE, SOURCE_OFFLINE, Happening
from edge.sensors.known import known_sensors
from edge.sensors.mapping import Alarm
from edge.sensors.quality import FUTURE, LATE, Series, Terms, judge
from edge.sensors.reading import QUALITIES, Reading
from edge.sensors.topics import Said
from linli.clock import ManualClock
from linli.errors import InputError
from linli.sensor_config import Sensor, SensorSource

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ZIGBEE = SensorSource(id="zigbee", kind="zigbee2mqtt")
PLAIN = SensorSource(id="plain", kind="json")
SMOKE = Sensor(
    id="smoke-1", label="烟感", kind="smoke", source="zigbee", address="smoke", subject="b03/u1"
)
DOOR = Sensor(
    id="door-1", label="门", source="zigbee", address="door", alarm=("open",), alarm_after=30
)
PLUG = Sensor(id="plug-1", label="插座", source="zigbee", address="plug", supply="mains")
BIN = Sensor(id="bin-1", label="桶", source="plain", address="bins/1", mapping="weighing-bin")
GATE = Sensor(
    id="gate-1",
    label="门禁",
    source="plain",
    address="gate",
    mapping="dahua-vto",
    alarm=("access-denied",),
)
TERMS = Terms(0, 100, timedelta(hours=1))


@dataclass
class Kept:
    readings: list[Reading] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)
    commits: int = 0

    def keep(self, readings: Mapping[str, Sequence[Reading]]) -> None:
        self.commits += 1
        for one in readings.values():
            self.readings += one

    def tell(self, happening: Happening) -> None:
        self.happenings.append(happening)


@dataclass
class Heard:
    batches: list[Sequence[Reading]] = field(default_factory=list)

    def take(self, readings: Sequence[Reading]) -> None:
        self.batches.append(readings)


class Room:
    """A desk with a clock that is turned by hand; both sources are up."""

    def __init__(self, *sensors: Sensor) -> None:
        self.clock = ManualClock(NOON)
        self.kept, self.heard = Kept(), Heard()
        sources = (ZIGBEE, PLAIN)
        known = known_sensors(sources, sensors)
        self.desk = SensorDesk(sources, known, self.kept, self.clock, [self.heard])
        for source in sources:
            self.desk.reach(source.id, up=True)

    def say(self, sensor: Sensor, payload: Any) -> None:
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.desk.take(sensor.source, Said("payload", sensor.address), data)

    def wait(self, seconds: float, step: float = 1.0) -> None:
        for _ in range(int(seconds / step)):
            self.clock.advance(step)
            self.desk.tick()

    @property
    def told(self) -> list[tuple[str, str, str]]:
        return [(one.device, one.event, one.phase) for one in self.kept.happenings]

    @property
    def marks(self) -> list[str]:
        self.desk.flush()
        return [one.quality for one in self.kept.readings]


def test_an_alarm_is_told_before_the_next_message_and_ends_with_the_state() -> None:
    room = Room(SMOKE)
    room.say(SMOKE, {"smoke": True, "battery": 90})
    assert room.told == [("smoke-1", "smoke", "begin")]
    room.say(SMOKE, {"smoke": True, "battery": 90})
    room.clock.advance(60)
    room.say(SMOKE, {"smoke": False, "battery": 90})
    assert room.told[1:] == [("smoke-1", "smoke", "end")]
    begin, end = room.kept.happenings
    assert (begin.episode, begin.since, begin.subject) == (end.episode, end.since, "b03/u1")
    assert (begin.severity, end.time - begin.time) == ("critical", timedelta(seconds=60))


def test_a_door_s_alarm_waits_as_long_as_it_was_told_to() -> None:
    room = Room(DOOR)
    room.say(DOOR, {"contact": False})
    room.wait(29)
    assert room.told == []
    room.say(DOOR, {"contact": True})
    room.wait(60)
    assert room.told == []
    room.say(DOOR, {"contact": False})
    room.wait(31)
    assert room.told == [("door-1", "door-open", "begin")]
    assert room.kept.happenings[0].since == NOON + timedelta(seconds=89)


def test_a_denied_passage_is_over_as_soon_as_it_happened() -> None:
    room = Room(GATE)
    utc = int(NOON.timestamp())
    room.say(GATE, {"Data": {"Status": 1, "UTC": utc, "CardNo": "8A"}})
    room.say(GATE, {"Data": {"Status": 0, "UTC": utc + 1, "CardNo": "8A"}})
    room.say(GATE, {"Data": {"Status": 0, "UTC": utc + 2, "CardNo": "8A"}})
    phases = ("begin", "end")
    told = ("gate-passed", *["access-denied", "gate-refused"] * 2)
    assert [one[1:] for one in room.told] == [(event, phase) for event in told for phase in phases]
    assert len({one.episode for one in room.kept.happenings}) == 5
    quiet = [one for one in room.kept.happenings if one.event != "access-denied"]
    assert {one.severity for one in quiet} == {"low"}
    assert room.desk.counts["personal"] == 3


def test_late_and_future_and_disordered_and_repeated_readings_are_marked_never_changed() -> None:
    room = Room(BIN)
    utc = NOON.timestamp()
    for offset in (-10, -10, -20, -5, 3600, -4):
        room.say(BIN, {"ts": utc + offset, "weight_g": 1000})
    room.clock.advance(400)
    room.say(BIN, {"ts": utc - 3, "weight_g": 1000})
    room.say(BIN, {"ts": utc + 400, "weight_g": 9e12})
    assert room.marks == [
        "good",
        "duplicate",
        "out-of-order",
        "good",
        "future",
        "good",
        "late",
        "out-of-range",
    ]
    assert room.kept.readings[4].time == NOON + timedelta(hours=1)
    assert room.kept.readings[-1].value == 9e9
    assert room.desk.counts["marked-late"] == 1


def test_the_same_bytes_within_a_second_are_one_message_heard_twice() -> None:
    room = Room(PLUG)
    for pause in (0, 0.2, 30):
        room.clock.advance(pause)
        room.say(PLUG, {"power": 9})
    assert room.marks == ["good", "duplicate", "good"]


def test_an_alarm_needs_a_reading_that_can_be_believed() -> None:
    room = Room(replace(BIN, alarm=("open",)))
    utc = NOON.timestamp()
    room.say(BIN, {"ts": utc - 600, "lid": "open"})  # late, and the newest there is
    assert room.told == [("bin-1", "door-open", "begin")]
    room.say(BIN, {"ts": utc - 900, "lid": "closed"})  # overtaken
    assert len(room.told) == 1


def test_a_box_whose_clock_stands_still_does_not_sleep_through_an_alarm() -> None:
    room = Room(replace(BIN, alarm=("open",)))
    room.say(BIN, {"ts": NOON.timestamp() + 7200, "lid": "open"})
    assert (room.told, room.marks) == ([("bin-1", "door-open", "begin")], ["future"])
    assert room.kept.happenings[0].time == NOON


def test_what_a_broker_had_kept_is_late_no_sign_of_life_and_still_an_alarm() -> None:
    room = Room(SMOKE, BIN)
    room.wait(89_940, 60)
    for sensor, payload in (
        (SMOKE, {"smoke": True}),
        (BIN, {"ts": NOON.timestamp(), "lid": "open"}),
    ):
        data = json.dumps(payload).encode()
        room.desk.take(sensor.source, Said("payload", sensor.address), data, kept=True)
    assert room.marks == ["late", "late"]  # the second says itself that it is old
    room.wait(120, 60)
    assert room.told == [
        ("smoke-1", "smoke", "begin"),
        ("smoke-1", OFFLINE, "begin"),
        ("bin-1", OFFLINE, "begin"),
    ]


@pytest.mark.parametrize(("sensor", "limit"), [(PLUG, 600), (SMOKE, 90_000)])
def test_mains_are_gone_after_minutes_and_batteries_after_a_day(
    sensor: Sensor, limit: float
) -> None:
    room = Room(sensor)
    room.wait(limit - 60, 60)
    assert room.told == []
    room.wait(120, 60)
    assert room.told == [(sensor.id, OFFLINE, "begin")]
    assert room.kept.happenings[0].severity == ("medium" if sensor is SMOKE else "low")
    room.say(sensor, {"linkquality": 9})
    assert room.told[1:] == [(sensor.id, OFFLINE, "end")]


def test_nobody_is_gone_because_the_broker_is_and_the_broker_is_told_once() -> None:
    room = Room(PLUG, SMOKE)
    room.desk.reach("zigbee", up=False)
    assert room.desk.silent() == frozenset()
    room.wait(3 * 3600, 60)
    assert room.told == [("self", SOURCE_OFFLINE, "begin")]
    assert len(room.desk.silent()) == 2  # of whom nothing is known meanwhile
    assert (room.kept.happenings[0].zone, AWAY_AFTER) == ("zigbee", 60)
    room.desk.reach("zigbee", up=True)
    room.wait(590)
    assert room.told[1:] == [("self", SOURCE_OFFLINE, "end")]
    assert room.desk.silent() == frozenset()
    room.wait(20)
    assert room.told[2:] == [("plug-1", OFFLINE, "begin")]
    assert room.desk.silent() == {"plug-1"}


def test_a_broker_of_lamps_alone_is_told_of_too() -> None:
    clock, kept = ManualClock(NOON), Kept()
    desk = SensorDesk((ZIGBEE, PLAIN), (), kept, clock, watched=("zigbee",))
    desk.reach("zigbee", up=True)
    desk.reach("zigbee", up=False)
    for seconds in (AWAY_AFTER, 1, 1):
        clock.advance(seconds)
        desk.tick()
    desk.reach("zigbee", up=True)
    desk.tick()
    told = [(one.event, one.zone, one.phase) for one in kept.happenings]
    assert told == [(SOURCE_OFFLINE, "zigbee", phase) for phase in ("begin", "end")]


def test_a_gateway_that_says_it_is_away_counts_as_a_broker_that_is() -> None:
    room = Room(PLUG)
    room.desk.take("zigbee", Said("source", up=False), b"offline")
    room.wait(1200, 60)
    assert room.told == [("self", SOURCE_OFFLINE, "begin")]
    room.desk.take("zigbee", Said("source", up=True), b"online")
    room.wait(1)
    assert room.told[1:] == [("self", SOURCE_OFFLINE, "end")]


def test_a_gateway_s_word_that_a_device_is_away_counts_at_once() -> None:
    room = Room(SMOKE)
    room.desk.take("zigbee", Said("presence", "smoke", up=False), b"offline")
    room.wait(1)
    assert room.told == [("smoke-1", OFFLINE, "begin")]
    room.desk.take("zigbee", Said("presence", "smoke"), b"online")
    assert room.told[1:] == [("smoke-1", OFFLINE, "end")]


def test_after_a_restart_nobody_is_gone_who_was_not_and_who_is_gone_stays_so() -> None:
    before = Room(PLUG, SMOKE, DOOR)
    before.say(SMOKE, {"smoke": True})
    before.wait(300)
    before.say(DOOR, {"contact": True})
    before.wait(310)
    assert before.told == [("smoke-1", "smoke", "begin"), ("plug-1", OFFLINE, "begin")]
    after = Room(PLUG, SMOKE, DOOR)
    after.desk.happenings.restore(before.desk.happenings.silences())
    assert all(after.desk.happenings.adopt(one) for one in before.kept.happenings)
    after.wait(120)
    assert after.told == []
    after.say(SMOKE, {"smoke": False})
    after.say(PLUG, {"power": 4})
    assert after.told == [("smoke-1", "smoke", "end"), ("plug-1", OFFLINE, "end")]
    assert after.kept.happenings[0].episode == before.kept.happenings[0].episode


def test_what_is_no_longer_ours_is_not_adopted() -> None:
    before = Room(SMOKE)
    before.say(SMOKE, {"smoke": True})
    (begun,) = before.kept.happenings
    assert not Room(PLUG).desk.happenings.adopt(begun)
    assert not Room(BIN).desk.happenings.adopt(begun)


def test_what_is_over_at_once_is_not_gone_on_with_after_a_fall_in_its_middle() -> None:
    before = Room(GATE)
    before.say(GATE, {"Data": {"Status": 0, "UTC": int(NOON.timestamp())}})
    for told in before.kept.happenings:
        assert not Room(GATE).desk.happenings.adopt(told)


def test_who_is_no_sensor_here_is_counted_and_named_up_to_a_bound() -> None:
    room = Room(SMOKE)
    for number in range(MAX_UNKNOWN + 50):
        room.desk.take("zigbee", Said("payload", f"bulb-{number}"), b"{}")
    assert room.desk.counts["address"] == MAX_UNKNOWN + 50
    assert len(room.desk.unknown()) == MAX_UNKNOWN
    assert room.heard.batches == []


def test_bad_payloads_are_counted_and_the_sensor_is_alive_all_the_same() -> None:
    room = Room(PLUG)
    for payload in (b"{", b"[]", b'{"power": "much"}', b"\xff"):
        room.wait(300)
        room.say(PLUG, payload)
    assert dict(room.desk.counts) == {
        "payloads": 4,
        "personal": 0,
        "json": 2,
        "shape": 1,
        "number": 1,
    }
    assert room.told == []


def test_readings_are_kept_together_and_no_more_than_so_many_are_held() -> None:
    room = Room(PLUG)
    for number in range(MAX_HELD + 10):
        room.clock.advance(0.001)
        room.say(PLUG, {"power": number})
    assert (room.kept.commits, len(room.kept.readings)) == (1, MAX_HELD)
    room.wait(1)
    assert (room.kept.commits, len(room.kept.readings)) == (2, MAX_HELD + 10)
    assert len(room.heard.batches) == MAX_HELD + 10


@pytest.mark.parametrize(
    ("sensor", "said"),
    [
        (replace(BIN, mapping="tasmota"), "speaks json"),
        (replace(BIN, alarm=("weight",)), "no state"),
        (replace(BIN, alarm=("smoke",)), "It reads: open"),
        (replace(BIN, mapping="./gone.toml"), "no such file"),
    ],
)
def test_a_sensor_that_does_not_fit_its_mapping_is_told(sensor: Sensor, said: str) -> None:
    with pytest.raises(InputError, match=said):
        known_sensors((ZIGBEE, PLAIN), [sensor])


def test_stuck_is_what_never_moves() -> None:
    known: Series | None = None
    marks = []
    for minute in range(0, 90, 30):
        at = NOON + timedelta(minutes=minute)
        mark, known = judge(known, TERMS, 5.0, at, at)
        marks.append(mark)
    assert marks == ["good", "good", "stuck"]
    at = NOON + timedelta(minutes=91)
    assert judge(known, TERMS, 5.1, at, at)[0] == "good"


WHEN = st.integers(-7200, 7200).map(lambda seconds: NOON + timedelta(seconds=seconds))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.floats(-50, 150), WHEN, WHEN, st.booleans()), max_size=20))
def test_what_is_good_is_in_range_in_order_and_in_time(
    facts: list[tuple[float, datetime, datetime, bool]],
) -> None:
    known: Series | None = None
    for value, time, received, again in facts:
        before = known
        mark, known = judge(known, TERMS, value, time, received, again=again)
        assert mark in QUALITIES
        if mark == "good":
            assert 0 <= value <= 100
            assert -FUTURE <= received - time <= LATE
            assert before is None or time >= before.time
            assert not again
        if mark in {"future", "duplicate", "out-of-order"}:
            assert known is before
        else:
            assert known is not None
            assert (known.time, known.value) == (time, value)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.floats(0, 100),
    st.lists(st.tuples(st.integers(1, 60), st.sampled_from(["on", "off", "wait"])), max_size=30),
)
def test_an_alarm_begins_and_ends_in_turn_and_only_after_it_lasted(
    after: float, steps: list[tuple[int, str]]
) -> None:
    rule = Alarm(quantity="open", event="open", after=after)
    state, now, told = CALM, NOON, []
    for seconds, what in steps:
        now += timedelta(seconds=seconds)
        if what == "wait":
            state, step = waited(state, rule, now)
        else:
            state, step = stepped(state, rule, on=what == "on", time=now)
        if step == "begin":
            assert state.since is not None
            assert (now - state.since).total_seconds() >= after - 1e-6
        if step:
            told.append(step)
    assert told == [("begin", "end")[at % 2] for at in range(len(told))]
