from __future__ import annotations

import pytest
from rulework import Estate, at, event, reading, report, rule_set, seconds, short, tick

import ingest.rules.memory as memory_module
import ingest.rules.waiting as waiting_module
from ingest.rules.engine import Engine
from ingest.rules.signals import Signal

HOT = """
[[rule]]
type = "threshold"
id = "hot"
label = "Hot"
reading = "t"
above = 60
"""
COLD = HOT.replace("hot", "cold").replace("above", "below")


def switched(estate: Estate, text: str, version: int = 2) -> tuple[Estate, list[Signal]]:
    """Return an estate with other rules over the same memory, and what the switch said."""
    said = estate.engine.drain()
    after = Estate(text, kinds=estate.kinds, memory=estate.memory, version=version)
    return after, said + after.begun


def hot(**more: object) -> Estate:
    estate = Estate('settle = "0s"' + HOT, **more)  # type: ignore[arg-type]
    assert estate.say(reading(61, 0)) == [("raise", 0)]
    return estate


def test_a_rule_that_stays_as_it_is_goes_on() -> None:
    after, said = switched(hot(), 'settle = "0s"' + HOT.replace('"Hot"', '"热"') + COLD)
    assert said == []
    assert after.say(reading(62, 10), reading(50, 20)) == [("clear", 20), ("raise", 20)]


def test_a_rule_that_was_changed_ends_what_it_raised_and_may_raise_it_again() -> None:
    estate = hot()
    episode = "hot"
    after, (over,) = switched(estate, 'settle = "0s"' + HOT + "clear = 40\n")
    assert (over.kind, over.rule, over.version) == ("clear", episode, 2)
    assert after.say(reading(61, 10)) == [("raise", 10)]


def test_a_rule_that_is_gone_ends_what_it_raised_with_the_same_episode() -> None:
    estate = Estate('settle = "0s"' + HOT)
    (begun,) = estate.take(reading(61, 0, received=5))
    after, (over,) = switched(estate, "")
    assert (over.kind, over.fact.episode) == ("clear", begun.fact.episode)
    assert over.fact.key == begun.fact.key
    assert seconds(over.fact.at) == 5
    assert not after.memory.targets
    assert set(after.memory.rules) == {"edge-silent"}


DOOR = """
settle = "0s"
[[rule]]
type = "event"
id = "door"
label = "Door"
event = ["door"]
for = "1min"
"""


@pytest.mark.parametrize(
    ("text", "said", "later"),
    [
        (DOOR.replace("1min", "2min"), [], [("raise", 120), ("clear", 200)]),
        ("", [("raise", 0)], [("clear", 200)]),
        (DOOR.replace('for = "1min"', "raises = false"), [], [("clear", 200)]),
    ],
)
def test_an_event_goes_on_under_whichever_rule_fits_it_now(text, said, later) -> None:
    estate = Estate(DOOR)
    assert estate.say(event("door", 0), report(61)) == [("raise", 60)]
    after, told = switched(estate, text)
    assert short(told) == said
    assert after.say(report(130), event("door", 200, phase="end", since=0)) == later
    assert not after.memory.targets


def test_what_waits_at_a_switch_belongs_to_the_rules_before_it() -> None:
    estate = Estate(HOT)
    assert estate.say(reading(61, 0)) == []
    _, said = switched(estate, HOT.replace("60", "70"))
    assert [(one.kind, one.version) for one in said] == [("raise", 1), ("clear", 2)]


def test_readings_wait_for_those_that_happened_before_them() -> None:
    estate = Estate(HOT)
    assert estate.say(reading(61, 10), reading(50, 12, received=12)) == []
    assert estate.say(reading(40, 9, received=14.9), tick(15.1)) == [("raise", 10)]
    assert estate.say(tick(17.1)) == [("clear", 12)]


def test_what_comes_later_than_it_may_is_left_out_and_counted() -> None:
    estate = Estate(HOT)
    estate.take(reading(40, 10), tick(15.1))
    assert estate.say(reading(61, 9, received=16), tick(30)) == []
    assert estate.memory.clocks.late == 1


def test_a_device_that_is_behind_others_of_its_lane_is_used_in_its_own_order() -> None:
    estate = Estate(HOT)
    estate.take(reading(40, 100), tick(106))
    rows = [reading(61, 10, received=107, device="d2"), reading(40, 20, received=107, device="d2")]
    assert estate.say(*rows) == [("raise", 10), ("clear", 20)]


def test_a_duration_of_what_comes_late_waits_for_the_rest_of_it() -> None:
    estate = Estate(HOT + 'for = "1min"\n')
    estate.take(reading(40, 500), report(500), tick(506))
    late = [reading(61, 10, received=507, device="d2"), reading(40, 20, received=507, device="d2")]
    assert estate.say(*late, tick(600)) == []
    assert estate.say(reading(61, 30, received=601, device="d2"), tick(602)) == []
    assert estate.say(tick(610)) == [("raise", 90)]


def test_a_lane_may_be_far_behind_another_of_the_same_box() -> None:
    estate = Estate(HOT)
    estate.take(event("seen", 5000), report(5000, held={"telemetry": 0}), tick(5010))
    rows = [reading(61, 100, received=5011), reading(40, 200, received=5011)]
    assert estate.say(*rows, tick(5020)) == [("raise", 100), ("clear", 200)]
    assert estate.memory.clocks.late == 0


def test_too_many_that_wait_are_used_early_and_none_is_lost(monkeypatch) -> None:
    monkeypatch.setattr(waiting_module, "MOST", 10)
    estate = Estate(HOT)
    rows = [reading(61 if n % 2 else 40, n / 100, received=1, key=f"k{n:03}") for n in range(101)]
    estate.take(*rows)
    assert len(estate.engine._waiting) <= 10
    said = estate.take(tick(7))
    assert short(said)[-1] == ("clear", 1.0)


def test_targets_without_room_are_counted_and_say_nothing(monkeypatch) -> None:
    monkeypatch.setattr(memory_module, "MOST_TARGETS", 2)
    estate = Estate('settle = "0s"' + HOT)
    rows = [reading(61, number, device=f"d{number}") for number in range(4)]
    assert estate.say(*rows) == [("raise", 0), ("raise", 1)]
    assert estate.memory.clocks.refused == 2


def test_the_built_in_rules_remember_when_each_box_was_heard_of_and_no_more() -> None:
    estate = Estate("", kinds={"n1/self": "edge"})
    said = estate.take(event("ebike-in-elevator", 0), event("zone-dwell", 1), reading(1, 2))
    assert [(one.rule, one.fact.policy.safety) for one in said] == [
        ("ebike-in-elevator", True),
        ("edge", False),
    ]
    estate.take(*(reading(1, 3, device=f"d{number}") for number in range(20)))
    assert set(estate.memory.targets) == {("edge-silent", "n1/self")}
    assert not estate.memory.lanes
    assert not estate.engine.rules.wants_readings
    estate.engine.note()
    assert estate.memory.clocks.oldest == 0  # a start reads no row again


def test_what_waited_for_its_device_moves_no_clock() -> None:
    estate = Estate(HOT)
    estate.take(tick(1000))
    estate.take(event("zone-dwell", 2000, replayed=True))
    assert estate.memory.clocks.now == at(1000)


def test_the_clock_of_the_ingest_never_goes_back() -> None:
    estate = Estate(HOT)
    estate.take(tick(100), tick(50), tick(100))
    assert (estate.memory.clocks.now, estate.memory.clocks.away) == (at(100), 0)


@pytest.mark.parametrize("value", [1e300, -1e300, 0.0, -0.0])
def test_odd_values_are_values(value: float) -> None:
    Estate(HOT + COLD + 'clear = 61\nhits = 2\nof = 3\nfor = "1s"\n').take(
        reading(value, 0), reading(-value, 1), tick(100)
    )


def test_a_rule_about_groups_counts_for_each_of_them() -> None:
    text = """
settle = "0s"
[[group]]
id = "left"
device = ["n1/d1", "n1/d2"]
[[group]]
id = "right"
device = ["n1/d2"]
[[rule]]
type = "rate"
id = "often"
label = "Often"
event = ["seen"]
where = { group = ["left", "right"] }
count = 2
within = "1h"
per = "group"
"""
    estate = Estate(text)
    rows = [
        event("seen", 1, episode="a", device="d2"),
        event("seen", 2, episode="b"),
        event("seen", 3, episode="c", device="d9"),
        event("seen", 4, episode="d", device="d2"),
    ]
    said = [one for one in estate.take(*rows) if one.rule == "often"]
    assert [(one.fact.key.device, one.kind, seconds(one.fact.at)) for one in said] == [
        ("left", "raise", 2),
        ("left", "touch", 4),
        ("right", "raise", 4),
    ]


def test_rules_may_be_asked_by_node_device_kind_and_place() -> None:
    rows = [reading(61, 1, node=node, device=device) for node in ("n1", "n2") for device in "de"]
    for where, expected in {
        'node = ["n1"]': {"n1/d", "n1/e"},
        'device = ["n2/e"]': {"n2/e"},
        'kind = ["oven"]': {"n1/e"},
        'place = ["b03"]': {"n1/d", "n1/e", "n2/d", "n2/e"},
        'place = ["b0"]': set(),
        'node = ["n1"], kind = ["oven", "sensor"]': {"n1/d", "n1/e"},
    }.items():
        text = f'settle = "0s"\n{HOT}where = {{ {where} }}\n'
        said = Estate(text, kinds={"n1/e": "oven"}).take(*rows)
        assert {f"{one.fact.key.node}/{one.fact.key.device}" for one in said} == expected, where


def test_a_rule_set_is_named_by_its_content() -> None:
    assert rule_set(HOT).digest == rule_set(HOT, version=9).digest
    assert len({rule_set(text).digest for text in ("", HOT, COLD, 'settle = "1s"' + HOT)}) == 4


def test_asking_twice_for_what_was_said_gives_it_once() -> None:
    engine = Engine(rule_set(""), Estate("").memory, Estate("").find)
    assert len(engine.take(event("x", 0))) == 1
    assert engine.said() == []
