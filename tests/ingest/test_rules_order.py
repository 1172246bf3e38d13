"""What the order of rows may change, and what it may not; and going on after a kill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from rulework import Estate, Row, at, event, reading, report, tick

from ingest.rules.memory import Memory
from ingest.rules.signals import Signal

SETTLE = 5.0
LAST = 500
RULES = """
settle = "5s"
[[rule]]
type = "threshold"
id = "hot"
label = "Hot"
reading = "t"
above = 60
clear = 50
[[rule]]
type = "threshold"
id = "long-hot"
label = "Hot for long"
reading = "t"
above = 60
for = "40s"
stale = "2min"
during = [{ from = "20:01", to = "20:05" }]
[[rule]]
type = "threshold"
id = "often-hot"
label = "Hot again and again"
reading = "t"
above = 60
hits = 2
of = 4
[[rule]]
type = "change"
id = "jump"
label = "Jumps"
reading = "t"
by = 15
[[rule]]
type = "rate"
id = "many"
label = "Many"
event = ["seen"]
count = 2
within = "1min"
[[rule]]
type = "event"
id = "stays"
label = "Stays"
event = ["seen"]
for = "30s"
"""


@dataclass(frozen=True)
class Told:
    """A fact that happened at a second, and how late it is heard of, once or twice."""

    second: float
    make: str
    device: str
    value: int
    span: float


told = st.builds(
    Told,
    second=st.integers(0, LAST).map(float),
    make=st.sampled_from(["reading", "reading", "reading", "event"]),
    device=st.sampled_from(["d1", "d2"]),
    value=st.sampled_from([40, 55, 61, 90]),
    span=st.integers(1, 90).map(float),
)
delays = st.floats(0, SETTLE - 0.001)


def rows_of(number: int, one: Told) -> list[tuple[float, Row]]:
    """Return when each message of a fact happened, and the message, as heard of at once."""
    if one.make == "reading":
        key = f"m{number:03}"
        return [(one.second, reading(one.value, one.second, device=one.device, key=key))]
    more = {"episode": f"e{number}", "device": one.device, "since": one.second}
    end = one.second + one.span
    return [
        (one.second, event("seen", one.second, **more)),  # type: ignore[arg-type]
        (end, event("seen", end, phase="end", **more)),  # type: ignore[arg-type]
    ]


def history(facts: Sequence[Told]) -> list[tuple[float, Row]]:
    messages = [row for number, one in enumerate(facts) for row in rows_of(number, one)]
    return messages + [(float(second), report(second)) for second in range(0, LAST, 60)]


def heard(messages: list[tuple[float, Row]], late: Sequence[float]) -> list[Row]:
    """Return the rows in the order in which they are received, each so late."""
    received = [
        row._replace(received=at(when + delay))
        for (when, row), delay in zip(messages, late, strict=True)
    ]
    ordered = sorted(received, key=lambda row: row.received)
    ending = [report(LAST + 200), tick(LAST + 200 + SETTLE), tick(LAST + 206 + SETTLE)]
    return [row._replace(position=number) for number, row in enumerate([*ordered, *ending], 1)]


def said(signals: Sequence[Signal]) -> list[tuple[object, ...]]:
    """Return what rules with a memory said, whenever and after whatever else they said it."""
    return sorted(
        (
            one.rule,
            str(one.fact.key),
            one.fact.at,
            one.kind,
            one.fact.episode,
            one.why,
            one.evidence,
        )
        for one in signals
        if one.rule not in {"edge", ""}
    )


@settings(max_examples=60, deadline=None)
@given(data=st.data(), facts=st.lists(told, max_size=25))
def test_shuffled_and_repeated_rows_mean_the_same(data: st.DataObject, facts: list[Told]) -> None:
    messages = history(facts)
    plain = Estate(RULES).take(*heard(messages, [0.0] * len(messages)))
    again = data.draw(st.lists(st.sampled_from(messages), max_size=8))
    both = messages + again
    late = data.draw(st.lists(delays, min_size=len(both), max_size=len(both)))
    shuffled = Estate(RULES).take(*heard(both, late))
    assert said(shuffled) == said(plain)


def keep(memory: Memory, disk: dict[tuple[str, str], bytes]) -> None:
    for key in memory.changed:
        body = memory.body(key)
        if body is None:
            disk.pop(key, None)
        else:
            disk[key] = body
    memory.changed.clear()


def start(disk: dict[tuple[str, str], bytes], rows: Sequence[Row]) -> Estate:
    """Return an engine that goes on from what was kept; `rows` are those that were taken."""
    memory = Memory()
    for key in sorted(disk):  # rules before their targets, as the table gives them
        memory.load(key, disk[key])
    estate = Estate(RULES, memory=memory)
    assert estate.begun == []
    oldest = memory.clocks.oldest
    for row in rows:
        if oldest and row.position >= oldest:
            estate.engine.restore(row)
    return estate


@settings(max_examples=30, deadline=None)
@given(data=st.data(), facts=st.lists(told, max_size=25))
def test_a_kill_anywhere_changes_nothing(data: st.DataObject, facts: list[Told]) -> None:
    messages = history(facts)
    late = data.draw(st.lists(delays, min_size=len(messages), max_size=len(messages)))
    rows = heard(messages, late)
    whole = Estate(RULES).take(*rows)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(rows)), max_size=4)))
    disk: dict[tuple[str, str], bytes] = {}
    pieces: list[Signal] = []
    for first, last in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        estate = start(disk, rows[:first])
        pieces += estate.take(*rows[first:last])
        estate.engine.note()
        keep(estate.memory, disk)
    assert pieces == whole


def test_what_passes_a_backlog_ends_no_wait_and_what_it_passed_calls_nobody() -> None:
    estate = Estate(RULES)
    assert estate.say(event("seen", 0), tick(6)) == []
    news = event("gate-passed", 600, episode="e2", received=601, passing=True)
    assert estate.say(news, tick(607)) == []
    over = event("seen", 20, phase="end", since=0, received=608, passing=True)
    begun = event("seen", 300, episode="e3", received=609, passing=True)
    ended = event("seen", 310, phase="end", episode="e3", since=300, received=609, passing=True)
    said = estate.say(over, begun, ended, tick(620), report(700), tick(710))
    assert {kind for kind, _ in said} == {"clear"}
    long = (
        event("seen", 800, episode="e4"),
        event("seen", 840, phase="end", episode="e4", since=800),
    )
    assert estate.say(*long, tick(850)) == [("raise", 830.0), ("clear", 840.0)]


def test_what_passed_a_backlog_waits_for_the_rest_of_its_lane() -> None:
    estate = Estate(RULES)
    assert estate.say(event("seen", 600, passing=True), tick(606), tick(650)) == []
    assert estate.say(report(660), tick(666)) == [("raise", 630.0)]
