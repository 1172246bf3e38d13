from __future__ import annotations

import pytest
from rulework import Estate, event, reading, report, seconds, tick

HOT = """
settle = "0s"
[[rule]]
type = "threshold"
id = "hot"
label = "Hot"
severity = "critical"
reading = "t"
above = 60
clear = 50
"""


def test_a_threshold_raises_once_and_clears_below_its_hysteresis() -> None:
    estate = Estate(HOT)
    values = [59, 60, 61, 70, 55, 61, 50, 61]
    said = estate.say(*(reading(value, 60 * n) for n, value in enumerate(values)))
    assert said == [("raise", 120), ("clear", 360), ("raise", 420)]


def test_a_signal_says_what_which_rule_and_why() -> None:
    (one,) = Estate(HOT, version=7).take(reading(61.25, 3, received=4))
    fact = one.fact
    assert (one.rule, one.version, one.label, one.kind) == ("hot", 7, "Hot", "raise")
    assert one.why == "t 61.25 (> 60)"
    assert str(fact.key) == "c001/n1/d1/hot/-"
    assert (fact.severity, fact.area, fact.actor) == ("critical", "b03", "rule:hot@7")
    assert (seconds(fact.at), seconds(fact.heard)) == (3, 4)
    assert one.evidence == (fact.event_id,)


def test_below_is_the_other_way_round() -> None:
    estate = Estate(HOT.replace("above = 60", "below = 5").replace("clear = 50", "clear = 8"))
    said = estate.say(*(reading(value, n) for n, value in enumerate([5, 4, 7, 8])))
    assert said == [("raise", 1), ("clear", 3)]


def test_each_device_and_reading_is_for_itself() -> None:
    estate = Estate(HOT)
    assert estate.say(reading(61, 0), reading(61, 1, device="d2"), reading(99, 2, name="x")) == [
        ("raise", 0),
        ("raise", 1),
    ]
    assert estate.say(reading(10, 3)) == [("clear", 3)]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([61, 0, 61, 0, 61], [("raise", 4)]),
        ([61, 61, 61, 0, 0, 61, 0], [("raise", 2), ("clear", 6)]),
        ([61, 0, 0, 61, 0, 0, 61], []),
        ([61, 61, 61, 55, 55, 55, 55, 55], [("raise", 2)]),
    ],
)
def test_n_of_m_wants_as_many_to_end_as_to_begin(values: list[float], said: list) -> None:
    estate = Estate(HOT + "hits = 3\nof = 5\n")
    assert estate.say(*(reading(value, n) for n, value in enumerate(values))) == said


LASTING = HOT + 'for = "10min"\n'


def test_a_duration_is_over_by_the_nodes_own_time_without_another_reading() -> None:
    estate = Estate(LASTING)
    assert estate.say(reading(61, 0), report(590), report(609)) == [("raise", 600)]
    assert estate.say(reading(40, 700)) == [("clear", 700)]


def test_a_duration_is_broken_by_one_reading_that_is_back() -> None:
    estate = Estate(LASTING)
    rows = [reading(61, 0), reading(50, 300), reading(61, 310), report(905), report(911)]
    assert estate.say(*rows) == [("raise", 910)]


def test_a_duration_waits_while_the_node_still_holds_older_facts() -> None:
    estate = Estate(LASTING)
    assert estate.say(reading(61, 0), report(900, held={"telemetry": 30})) == []
    assert estate.say(reading(40, 300, received=901), report(960)) == []


def test_a_duration_ends_at_last_when_the_node_says_nothing_more() -> None:
    estate = Estate(LASTING)
    ticks = [tick(second) for second in range(10, 1300, 10)]
    said = estate.take(reading(61, 0), *ticks)
    assert [(one.kind, seconds(one.fact.at), seconds(one.fact.heard)) for one in said] == [
        ("raise", 600, 1200)
    ]


def test_what_is_stale_is_no_evidence_for_a_duration() -> None:
    estate = Estate(LASTING + 'stale = "5min"\n')
    assert estate.say(reading(61, 0), report(700)) == []
    assert estate.say(reading(61, 710), reading(61, 1011), report(1311)) == [("raise", 1310)]


NIGHT = """
settle = "0s"
[[rule]]
type = "threshold"
id = "lamp-off"
label = "Lamp off at night"
reading = "t"
below = 5
for = "10min"
during = [{ from = "21:00", to = "06:00" }]
"""
HOUR = 3600


def test_hours_begin_and_end_what_holds_all_day() -> None:
    estate = Estate(NIGHT)  # noon is 20:00 at the site, so it opens after an hour
    said = estate.say(reading(0, 0), report(HOUR + 590), report(HOUR + 620), report(10 * HOUR + 20))
    assert said == [("raise", HOUR + 600), ("clear", 10 * HOUR)]
    assert estate.say(report(25 * HOUR + 620)) == [("raise", 25 * HOUR + 600)]


RATE = """
settle = "0s"
[[rule]]
type = "rate"
id = "often"
label = "E-bikes again and again"
event = ["ebike"]
count = 3
within = "1h"
per = "area"
"""


def ebike(minute: float, number: int, **more: object):
    return event("ebike", minute * 60, episode=f"e{number}", **more)  # type: ignore[arg-type]


def rate(estate: Estate, *rows: object) -> list[tuple[str, float]]:
    return [
        (one.kind, seconds(one.fact.at) / 60)
        for one in estate.take(*rows)  # type: ignore[arg-type]
        if one.rule == "often"
    ]


def test_a_rate_counts_happenings_of_a_whole_building() -> None:
    estate = Estate(RATE)
    rows = [ebike(0, 1), ebike(1, 1, phase="update", since=0), ebike(20, 2, node="n2")]
    assert rate(estate, *rows) == []
    assert rate(estate, ebike(59, 3, device="d7"), ebike(59.5, 4, area="b04")) == [("raise", 59)]
    assert rate(estate, ebike(59.6, 5)) == [("touch", 59.6)]


def test_a_rate_is_over_when_there_are_too_few_left() -> None:
    estate = Estate(RATE)
    both = [report(85 * 60), report(85 * 60, node="n2")]
    assert rate(estate, ebike(0, 1), ebike(20, 2, node="n2"), ebike(30, 3)) == [("raise", 30)]
    assert rate(estate, report(60 * 60 + 11)) == []  # the other box may still know more
    assert rate(estate, *both) == [("clear", 60)]


def test_the_incident_of_a_rate_belongs_to_the_place() -> None:
    said = Estate(RATE).take(ebike(0, 1), ebike(1, 2), ebike(2, 3))
    (one,) = [one for one in said if one.rule == "often"]
    assert str(one.fact.key) == "c001/_area/b03/often/-"
    assert len(one.evidence) == 3
    assert seconds(one.fact.since) == 0


def test_a_rate_of_the_whole_site_is_nowhere_else() -> None:
    said = Estate(RATE.replace('"area"', '"site"')).take(
        ebike(0, 1), ebike(1, 2, area="b04"), ebike(2, 3, node="n2")
    )
    (one,) = [one for one in said if one.rule == "often"]
    assert (str(one.fact.key), one.fact.area) == ("c001/-/-/often/-", "-")


ABSENT = """
settle = "0s"
[[rule]]
type = "absence"
id = "silent"
label = "Camera says nothing"
for = "10min"
where = { kind = ["camera"] }
"""


def camera(**more: object) -> Estate:
    return Estate(ABSENT, kinds={"n1/d1": "camera"}, **more)  # type: ignore[arg-type]


def ticks(first: float, last: float):
    return [tick(second) for second in range(int(first), int(last) + 1, 10)]


def test_silence_raises_by_the_ingests_clock_and_a_word_ends_it() -> None:
    estate = camera()
    assert estate.say(reading(1, 0), *ticks(10, 590)) == []
    (one,) = estate.take(*ticks(600, 700))
    assert (one.kind, seconds(one.fact.at), one.why) == ("raise", 600, "silent ≥ 10min")
    assert one.fact.policy.outage
    assert estate.say(reading(1, 705)) == [("clear", 705)]


def test_what_was_sent_long_ago_is_a_word_of_now() -> None:
    estate = camera()
    estate.take(reading(1, 0))
    assert estate.say(reading(1, 10, received=50), *ticks(60, 640)) == []
    assert estate.say(*ticks(650, 660)) == [("raise", 650)]


def test_other_kinds_and_devices_never_heard_of_are_not_missed() -> None:
    estate = camera()
    assert estate.say(reading(1, 0, device="d2"), *ticks(10, 3000)) == []


def test_time_when_the_ingest_was_away_is_not_the_devices_silence() -> None:
    estate = camera()
    assert estate.say(reading(1, 0), *ticks(10, 100)) == []
    assert estate.say(*ticks(9000, 9480)) == []
    assert estate.say(*ticks(9490, 9600)) == [("raise", 9500)]


def test_what_is_retired_is_missed_by_nobody() -> None:
    estate = camera()
    estate.retired.add("n1/d1")
    assert estate.say(reading(1, 0), *ticks(10, 1000)) == []
    assert not estate.memory.targets


def test_an_absence_ends_when_its_device_is_retired() -> None:
    estate = camera()
    assert estate.say(reading(1, 0), *ticks(10, 700)) == [("raise", 600)]
    estate.retired.add("n1/d1")
    assert estate.say(*ticks(710, 1400)) == [("clear", 1200)]
    assert not estate.memory.targets


def test_a_box_is_missed_when_nothing_behind_it_says_anything() -> None:
    text = ABSENT.replace('{ kind = ["camera"] }', '{ device = ["n1/self"] }')
    estate = Estate(text)
    assert estate.say(reading(1, 0), *ticks(10, 700)) == [("raise", 600)]
    assert estate.say(reading(1, 710, device="d2")) == [("clear", 710)]


def stopped(when: float, **more: object):
    row = report(when)._replace(name="status", lanes=(), life=False, leaves=True)
    return row._replace(**more)  # type: ignore[arg-type]


def test_a_box_that_was_switched_off_in_order_is_missed_by_no_rule() -> None:
    estate = Estate(ABSENT.replace('{ kind = ["camera"] }', '{ device = ["n1/self"] }'))
    assert estate.say(reading(1, 0), stopped(5), *ticks(10, 2000)) == []
    assert estate.say(reading(1, 2005), *ticks(2010, 2700)) == [("raise", 2605)]
    assert estate.say(stopped(2705)) == [("clear", 2705)]


def test_what_is_behind_a_box_that_was_switched_off_is_missed_as_ever() -> None:
    estate = camera()
    assert estate.say(reading(1, 0), stopped(5), *ticks(10, 700)) == [("raise", 600)]


def test_a_last_word_that_waited_for_its_box_is_old() -> None:
    estate = Estate("", kinds={"n1/self": "edge"})
    said = [*estate.take(reading(1, 0), stopped(5, replayed=True), *ticks(10, 310))]
    assert [(one.kind, one.rule) for one in said] == [("raise", "edge-silent")]


def test_the_absence_of_one_reading_is_not_ended_by_another() -> None:
    estate = Estate(ABSENT + 'reading = "t"\n', kinds={"n1/d1": "camera"})
    others = [reading(1, second, name="x") for second in range(10, 700, 10)]
    assert estate.say(reading(1, 0), *others) == [("raise", 600)]


def test_an_absence_counts_within_its_hours_only() -> None:
    estate = Estate(
        ABSENT + 'during = [{ from = "20:30", to = "21:00" }]\n', kinds={"n1/d1": "camera"}
    )
    assert estate.say(reading(1, 0), *ticks(10, 3700)) == [("raise", 2400), ("clear", 3600)]


def test_a_whole_building_is_silent_when_nothing_of_it_is_heard() -> None:
    estate = Estate(ABSENT + 'per = "area"\n', kinds={"n1/d1": "camera", "n2/d1": "camera"})
    rows = [reading(1, 0), reading(1, 300, node="n2"), *ticks(310, 890)]
    assert estate.say(*rows) == []
    (one,) = estate.take(*ticks(900, 1000))
    assert (one.kind, seconds(one.fact.at), str(one.fact.key)) == (
        "raise",
        900,
        "c001/_area/b03/silent/-",
    )
    assert estate.say(reading(1, 1010)) == [("clear", 1010)]


def test_devices_heard_of_before_count_from_the_beginning_of_the_rule() -> None:
    estate = camera()
    estate.take(tick(0))
    estate.engine.watch([(reading(1, 0).spot, estate.find("n1", "d1"))])
    assert estate.say(*ticks(10, 700)) == [("raise", 600)]


JUMP = """
settle = "0s"
[[rule]]
type = "change"
id = "jump"
label = "Jumps"
reading = "t"
by = 0.5
"""


@pytest.mark.parametrize(
    ("more", "values", "when"),
    [
        ("", [0.1, 0.5, 1.0, 0.4], [2, 3]),
        ('direction = "up"', [0.1, 0.7, 0.1], [1]),
        ('direction = "down"', [0.1, 0.7, 0.1], [2]),
    ],
)
def test_a_jump_is_over_at_once(more: str, values: list[float], when: list[int]) -> None:
    said = Estate(JUMP + more).say(*(reading(value, n) for n, value in enumerate(values)))
    assert said == [(kind, second) for second in when for kind in ("raise", "clear")]


def test_a_jump_from_an_old_reading_is_none() -> None:
    estate = Estate(JUMP + 'within = "1min"')
    assert estate.say(reading(0, 0), reading(1, 61), reading(0, 62)) == [
        ("raise", 62),
        ("clear", 62),
    ]


DOOR = """
settle = "0s"
[[rule]]
type = "event"
id = "door-left-open"
label = "Door left open"
event = ["door-open"]
severity = "low"
for = "10min"
"""


def door(when: float, phase: str = "begin", **more: object):
    return event("door-open", when, phase=phase, since=0, **more)  # type: ignore[arg-type]


def test_an_event_is_raised_when_it_has_gone_on_long_enough() -> None:
    estate = Estate(DOOR)
    assert estate.say(door(0), report(590)) == []
    (one,) = estate.take(report(611))
    assert (one.kind, seconds(one.fact.at), one.fact.severity) == ("raise", 600, "low")
    assert (one.fact.key.event, one.fact.episode, one.rule) == ("door-open", "e1", "door-left-open")
    assert estate.say(door(700, "end")) == [("clear", 700)]
    assert not estate.memory.targets


def test_an_event_that_ends_in_time_only_ends_what_was_there_before() -> None:
    estate = Estate(DOOR)
    said = estate.take(door(0), door(300, "end"), report(700))
    assert [(one.kind, one.known_only) for one in said] == [("clear", True)]


def test_an_event_whose_begin_was_lost_is_told_by_its_end() -> None:
    assert Estate(DOOR).say(door(700, "end")) == [("raise", 600), ("clear", 700)]


def test_a_begin_that_comes_after_its_end_begins_nothing() -> None:
    estate = Estate(DOOR)
    estate.take(door(300, "end"), report(311))
    assert estate.say(door(0, received=312), report(1000)) == []
    assert not estate.memory.targets


FIRST = """
[[rule]]
type = "event"
id = "lobby"
label = "Lobby"
event = ["zone-dwell"]
zone = ["lobby"]
raises = false

[[rule]]
type = "event"
id = "dwell"
label = "Dwell"
event = ["zone-dwell"]
where = { place = ["b03/e1"] }
confidence = 0.5
severity = "critical"
safety = true
"""


def passed(row: object) -> list[tuple[str, str, str]]:
    return [(one.rule, one.kind, one.fact.severity) for one in Estate(FIRST).take(row)]  # type: ignore[arg-type]


def test_the_first_rule_that_fits_has_the_event() -> None:
    here = {"subject": "b03/e1", "zone": "door"}
    assert passed(event("zone-dwell", 0, **here, confidence=0.5)) == [
        ("dwell", "raise", "critical")
    ]
    assert passed(event("zone-dwell", 0, **here, confidence=0.4)) == [("edge", "raise", "high")]
    assert passed(event("zone-dwell", 0, **here)) == [("edge", "raise", "high")]
    assert passed(event("other", 0, phase="update", **here)) == [("edge", "touch", "high")]
    assert passed(event("zone-dwell", 0, subject="b03/e12", confidence=1)) == [
        ("edge", "raise", "high")
    ]
    assert passed(event("zone-dwell", 0, zone="lobby")) == []


def test_an_event_that_no_rule_wants_ends_what_an_earlier_one_began() -> None:
    (one,) = Estate(FIRST).take(event("zone-dwell", 0, zone="lobby", phase="end"))
    assert (one.kind, one.known_only) == ("clear", True)


def test_events_never_wait() -> None:
    estate = Estate('settle = "10min"')
    assert estate.say(event("zone-dwell", 0)) == [("raise", 0)]
