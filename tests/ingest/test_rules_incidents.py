"""Facts told late, out of order or again: the same rules make the same incidents of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from ledger import Ledger
from msgspec.structs import replace
from rulework import Estate, Row, at, event, reading, report, seconds, tick

from ingest.rules.signals import Signal
from ingest.store.engine import from_micros

SETTLE = 5.0
LAST, END = 300, 520
"""Facts begin until `LAST`; all is heard of by `END`, before anything resolves by itself."""
MUCH_LATER = 3600.0
RULES = """
settle = "5s"
[[rule]]
type = "threshold"
id = "hot"
label = "Hot"
reading = "t"
above = 60
clear = 50
late_after = "5min"
[[rule]]
type = "threshold"
id = "very-hot"
incident = "hot"
label = "Very hot"
severity = "critical"
safety = true
reading = "t"
above = 80
clear = 70
[[rule]]
type = "threshold"
id = "long-hot"
label = "Hot for long"
reading = "t"
above = 60
for = "40s"
hits = 2
of = 3
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
event = ["stay"]
for = "30s"
"""
Told = tuple[float, Row]
"""When a message was sent, and the message as heard of at once."""


@st.composite
def histories(draw: st.DrawFn) -> list[Told]:
    """Return what two devices of one node tell, with the node's reports between."""
    told: list[Told] = [(float(second), report(second)) for second in range(0, LAST, 60)]
    for number in range(draw(st.integers(0, 20))):
        second = float(draw(st.integers(0, LAST)))
        device = draw(st.sampled_from(["d1", "d2"]))
        kind = draw(st.sampled_from(["reading", "reading", "seen", "stay"]))
        if kind == "reading":
            value = draw(st.sampled_from([40, 55, 65, 90]))
            told.append((second, reading(value, second, device=device, key=f"m{number:02}")))
            continue
        more: dict[str, Any] = {"episode": f"e{number}", "device": device, "since": second}
        told.append((second, event(kind, second, **more)))
        if draw(st.booleans()):
            end = second + draw(st.integers(1, 60))
            told.append((end, event(kind, end, phase="end", **more)))
    return told


def heard(told: Sequence[Told], late: Sequence[float]) -> list[Row]:
    """Return the rows in the order in which they come, each so late."""
    rows = [
        row._replace(received=at(when + by)) for (when, row), by in zip(told, late, strict=True)
    ]
    ending = [report(END), tick(END + SETTLE), tick(END + 2 * SETTLE)]
    clock = [tick(float(second)) for second in range(0, END, 30)]
    ordered = [*sorted([*rows, *clock], key=lambda row: row.received), *ending]
    return [_whole(row)._replace(position=number) for number, row in enumerate(ordered, 1)]


def _whole(row: Row) -> Row:
    """Return a row whose fact was heard of when the row was received."""
    if row.fact is None:
        return row
    return row._replace(fact=replace(row.fact, heard=from_micros(row.received)))


@contextmanager
def made(rows: Sequence[Row]) -> Iterator[tuple[list[Signal], Ledger]]:
    """Yield what the rules say of rows, and the incidents that it makes."""
    ledger = Ledger()
    said = Estate(RULES).take(*rows)
    ledger.tell_all(one.fact for one in said if not one.known_only)
    yield said, ledger
    ledger.close()


def essence(ledger: Ledger) -> dict[str, tuple[object, ...]]:
    """Return what an incident is, whichever of its facts came first."""
    return {
        str(one.key): (
            one.state,
            one.condition_active,
            one.severity,
            one.count,
            seconds(one.first),
            seconds(one.last),
            one.cleared and seconds(one.cleared),
            one.policy.safety,
        )
        for one in ledger.all
    }


def words(said: Sequence[Signal]) -> list[tuple[object, ...]]:
    return sorted(
        (one.rule, str(one.fact.key), one.fact.at, one.kind, one.fact.episode, one.why)
        for one in said
        if not one.known_only
    )


@settings(max_examples=10, deadline=None)
@given(data=st.data(), told=histories())
def test_shuffled_and_repeated_it_is_the_same_incidents(data: st.DataObject, told) -> None:
    both = told + data.draw(st.lists(st.sampled_from(told), max_size=8))
    delays = st.floats(0, SETTLE - 0.001)
    late = data.draw(st.lists(delays, min_size=len(both), max_size=len(both)))
    with (
        made(heard(told, [0.0] * len(told))) as (_, plain),
        made(heard(both, late)) as (_, mixed),
    ):
        assert essence(mixed) == essence(plain)


@settings(max_examples=10, deadline=None)
@given(told=histories(), begins=st.integers(0, LAST), lasts=st.integers(0, 200))
def test_held_back_by_a_cut_line_it_is_the_same_incidents(told, begins: int, lasts: int) -> None:
    """What was sent while the line was cut comes when it is back, in its order."""
    back = begins + lasts
    late = [float(back - when) if begins <= when < back else 0.0 for when, _ in told]
    with (
        made(heard(told, [0.0] * len(told))) as (_, plain),
        made(heard(told, late)) as (_, held),
    ):
        assert essence(held) == essence(plain)


@settings(max_examples=10, deadline=None)
@given(told=histories())
def test_of_old_news_the_rules_say_the_same_and_only_what_goes_on_calls(told) -> None:
    """All of it comes an hour later; the alarms of an hour ago wake nobody up."""
    ended = END + MUCH_LATER
    ending = [report(ended), tick(ended + SETTLE), tick(ended + 2 * SETTLE)]
    rows = [
        _whole(row._replace(received=at(MUCH_LATER + END))) for _, row in sorted(told, key=_when)
    ]
    with (
        made(heard(told, [0.0] * len(told))) as (prompt, _),
        made([*rows, *ending]) as (old, ledger),
    ):
        assert words(old) == words(prompt)
        ledger.pass_until(ended + 600)
        for one in ledger.all:
            assert bool(ledger.called(one)) == one.condition_active, one.key


def _when(one: Told) -> float:
    return one[0]
