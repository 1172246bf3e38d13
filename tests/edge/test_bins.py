"""Bins between sensors and spool: what is told, what is kept, what a restart goes on with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from edge import messages
from edge.agent.bins import TELL_EVERY, Bins
from edge.agent.readings import heard_of
from edge.facts import StateFact
from edge.messages import Place, Stamp
from edge.sensors.happening import Happening
from edge.sensors.reading import Quality, Reading
from edge.settings import Bin, Camera, EdgeSettings, Node, Sensor, SensorSource, State
from edge.states.watch import Report
from linli.clock import ManualClock
from linli.codec import decode
from linli.events import EventData, EventMessage
from linli.topics import Topic

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
BIN = Bin(
    id="bin-1", label="桶", subject="b03/yard", sensor=("us", "heat"), view="cam/b", depth=1.1
)


class Kept:
    def __init__(self) -> None:
        self.told: list[Happening] = []
        self.readings: list[Reading] = []

    def tell(self, happening: Happening) -> None:
        self.told.append(happening)

    def keep(self, readings: Mapping[str, Sequence[Reading]]) -> None:
        for some in readings.values():
            self.readings += some

    def retry(self) -> None:
        pass

    def phases(self) -> list[tuple[str, str]]:
        return [(one.event, one.phase) for one in self.told]

    def values(self, name: str) -> list[float]:
        return [one.value for one in self.readings if one.quantity == name]


class Yard:
    def __init__(self, *bins: Bin) -> None:
        self.kept, self.clock = Kept(), ManualClock(START)
        self.bins = Bins(bins or (BIN,), self.kept, self.clock)  # type: ignore[arg-type]

    def say(
        self,
        device: str,
        quantity: str,
        *values: float,
        quality: Quality = "good",
        every: float = 10,
    ) -> None:
        for value in values:
            self.clock.advance(60 * every)
            one = Reading(device, quantity, value, "1", self.clock.now(), quality)
            self.bins.take([one])


def test_a_full_bin_is_told_once_and_its_level_when_it_changes() -> None:
    yard = Yard()
    yard.say("us", "distance", 0.2, 0.2, 0.2, 0.2, every=1)
    assert yard.kept.phases() == [("bin-full", "begin")]
    (told,) = yard.kept.told
    assert (told.device, told.subject, told.label) == ("bin-1", "b03/yard", "full")
    assert yard.kept.values("fill-level") == [0.9]
    yard.say("us", "distance", 0.2, every=TELL_EVERY / timedelta(minutes=1))
    assert yard.kept.values("fill-level") == [0.9, 0.9]
    yard.say("us", "distance", 1.05, 1.05, 1.05)
    assert yard.kept.phases()[1:] == [("bin-full", "end")]
    assert yard.kept.told[0].episode == yard.kept.told[1].episode
    assert yard.kept.values("emptied") == [1]
    assert yard.kept.values("fill-level")[-1] == 0.05


@pytest.mark.parametrize("quality", ["out-of-range", "duplicate", "out-of-order"])
def test_what_is_not_usable_moves_nothing_but_any_heat_counts(quality: Quality) -> None:
    yard = Yard()
    yard.say("us", "distance", *[0.2] * 5, quality=quality)
    assert yard.kept.told == []
    yard.say("heat", "temperature", 300, quality=quality)
    assert [(one.event, one.severity) for one in yard.kept.told] == [("bin-fire", "critical")]


def test_what_comes_from_the_future_is_the_newest_there_is_and_begins_no_later_than_now() -> None:
    yard = Yard()
    yard.say("us", "distance", *[0.2] * 5, quality="future")
    assert yard.kept.phases() == [("bin-full", "begin")]


def test_other_devices_and_quantities_are_nothing_to_it() -> None:
    yard = Yard()
    yard.say("other", "distance", *[0.2] * 5)
    yard.say("us", "battery", 0.2, 0.2, 0.2)
    assert yard.kept.told == yard.kept.readings == []


def test_a_reading_that_comes_late_does_not_turn_time_back() -> None:
    yard = Yard()
    yard.say("us", "distance", 0.2, 0.2)
    (begun,) = yard.kept.told
    late = Reading("us", "distance", 1.05, "m", START - timedelta(hours=3), "late")
    yard.bins.take([late, late, late])
    assert yard.kept.told[-1].time >= begun.time


def test_a_round_that_does_not_come_is_told_by_time_alone() -> None:
    yard = Yard()
    yard.say("us", "distance", 0.2, 0.2)
    yard.clock.advance(BIN.empty_within * 3600)
    yard.bins.tick()
    yard.bins.tick()
    assert yard.kept.phases() == [("bin-full", "begin"), ("bin-overdue", "begin")]


def test_a_camera_that_was_taught_fills_a_bin() -> None:
    yard = Yard()
    states = ("empty", "half", "full", "overflowing")
    for state, level in (("half", 0.5), ("overflowing", 1.0), ("full", 1.0), ("empty", 0.0)):
        report = Report(state=state, states=states, level=level, known=1.0, rate=None)
        yard.bins.take(heard_of("cam", StateFact("b", report, yard.clock.now())))
        yard.clock.advance(60)
    phases = [(one.phase, one.label) for one in yard.kept.told]
    assert phases == [("begin", "overflowing"), ("update", "full"), ("end", "full")]
    unseen = Report(state=None, states=states, level=None, known=0.0, rate=None)
    assert heard_of("cam", StateFact("b", unseen, START)) == ()


@pytest.mark.parametrize(
    ("event", "heard", "ends"),
    [
        ("bin-full", ("us", "distance", 1.05), True),
        ("bin-full", ("us", "distance", 0.2), False),
        ("bin-tipped", ("us", "tilted", 0), True),
        ("bin-tipped", ("us", "tilted", 1), False),
        ("bin-fire", ("heat", "temperature", 25), True),
        ("bin-fire", ("heat", "temperature", 80), False),
    ],
)
def test_what_was_open_goes_on_until_a_sensor_says_otherwise(
    event: str, heard: tuple[str, str, float], ends: bool
) -> None:
    yard = Yard()
    topic = Topic("c001", "b03", "c001-n01", "bin-1", "event", event)
    assert yard.bins.adopt(topic, begun(event))
    assert not yard.bins.adopt(replace(topic, device="bin-9"), begun(event))
    yard.bins.tick()
    assert yard.kept.told == []
    device, quantity, value = heard
    yard.say(device, quantity, value, value, value)
    assert [(one.phase, one.episode) for one in yard.kept.told] == [("end", EPISODE)] * ends


EPISODE = "019cae4d-1f30-7a11-9b3c-2d4e5f6a7b8c"


def begun(event: str) -> EventMessage:
    place = Place("0000000e", 1, 1)
    data = EventData(phase="begin", episode=EPISODE, severity="medium", label="full", since=START)
    topic = Topic("c001", "b03", "c001-n01", "bin-1", "event", event)
    payload = messages.event(topic, Stamp(START), place, data, event_id=EPISODE, time=START)
    message = decode(topic, payload).message
    assert isinstance(message, EventMessage)
    return message


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sensor": ("nobody",)}, "names sensor 'nobody'"),
        ({"view": "cam/x"}, "names view 'cam/x'"),
        ({"id": "us"}, "'us' is there twice"),
    ],
)
def test_a_bin_that_names_what_is_not_there_is_refused(change: dict[str, Any], words: str) -> None:
    values = {"id": "bin-1", "label": "x", "sensor": ("us",), **change}
    with pytest.raises(ValueError, match=words):
        EdgeSettings(
            node=Node(site="c001", area="b03", id="c001-n01"),
            sensor_source=(SensorSource(id="json", kind="json"),),
            sensor=(
                Sensor(id="us", label="x", source="json", address="a", mapping="weighing-bin"),
            ),
            camera=(
                Camera(
                    id="cam", label="x", source="pattern:empty", state=(State(id="b", file="b"),)
                ),
            ),
            bin=(Bin(**values),),
        )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sensor": ()}, "needs sensor or view"),
        ({"depth": 0.1}, "more than brim"),
        ({"load": 5.0, "tare": 9.0}, "more than tare"),
        ({"id": "self"}, "may not be called"),
    ],
)
def test_a_bin_that_cannot_be_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Bin(**{"id": "bin-1", "label": "x", "sensor": ("us",), **change})
