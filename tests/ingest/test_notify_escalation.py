"""The ladder, the bucket and the waits, stepped by a clock in the test's hand."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.notify.bucket import full, rest, take
from ingest.notify.channel import Pace
from ingest.notify.escalation import USUAL, Climb, Ladder, Rung, Told, begin, climb_on, end
from ingest.notify.message import Failed
from ingest.notify.retry import ATTEMPTS, LONGEST, again_in
from linli.events import Severity

NOW = datetime(2026, 3, 2, 11, 24, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def minutes(climb: Climb, upto: int, *, business: bool = True) -> list[tuple[int, str]]:
    """Step a minute at a time; return who is told in which minute."""
    told: list[tuple[int, str]] = []
    for minute in range(upto):
        climb, some = climb_on(climb, NOW + minute * MINUTE, business=business)
        told += [(minute, one.who) for one in some if one.skipped is None]
    return told


def usual(severity: Severity = "critical") -> Climb:
    return begin("i1", 7, USUAL, severity, NOW)


def test_nobody_acts() -> None:
    once = [(0, "on-duty"), (5, "team"), (15, "supervisor"), (45, "street")]
    again = [(minute + 60, who) for minute, who in once]
    assert minutes(usual(), 300) == once + again


def test_the_street_is_not_told_of_what_is_not_critical() -> None:
    assert minutes(usual("high"), 50) == [(0, "on-duty"), (5, "team"), (15, "supervisor")]


def test_whoever_acknowledges_stops_it() -> None:
    climb, told = climb_on(usual(), NOW, business=True)
    assert [one.who for one in told] == ["on-duty"]
    climb = end(climb, "acknowledged")
    assert minutes(climb, 300) == []
    assert end(climb, "resolved").ended == "acknowledged"


def test_a_new_call_starts_anew() -> None:
    climb, _ = climb_on(usual("medium"), NOW + 7 * MINUTE, business=True)
    again = begin("i1", 9, climb.ladder, "critical", NOW + 8 * MINUTE)
    _, told = climb_on(again, NOW + 8 * MINUTE, business=True)
    assert told == (Told(call=9, round=1, rung=0, who="on-duty", people=()),)


def test_a_server_that_was_down_tells_one_rung_not_all() -> None:
    climb, told = climb_on(usual(), NOW + timedelta(hours=3), business=True)
    assert [one.who for one in told] == ["on-duty"]
    assert climb.due == NOW + timedelta(hours=3) + 5 * MINUTE


def test_business_hours() -> None:
    ladder = Ladder(
        rungs=(
            Rung(who="team", hours="business"),
            Rung(who="on-duty", hours="off"),
            Rung(who="supervisor", after=5 * MINUTE),
        ),
        rounds=1,
    )
    climb = begin("i1", 1, ladder, "low", NOW)
    assert minutes(climb, 20, business=True) == [(0, "team"), (5, "supervisor")]
    assert minutes(climb, 20, business=False) == [(0, "on-duty"), (5, "supervisor")]


def test_what_is_skipped_is_said() -> None:
    ladder = Ladder(rungs=(Rung(who="street", least="critical"),), rounds=1)
    climb, told = climb_on(begin("i1", 1, ladder, "low", NOW), NOW, business=True)
    assert [one.skipped for one in told] == ["severity"]
    assert climb.ended == "exhausted"


@given(
    st.lists(
        st.builds(
            Rung,
            who=st.sampled_from(["on-duty", "team", "supervisor", "street"]),
            after=st.integers(0, 40).map(lambda n: n * MINUTE),
            least=st.sampled_from(["low", "medium", "high", "critical"]),
            hours=st.sampled_from(["always", "business", "off"]),
        ),
        min_size=1,
        max_size=5,
    ).map(tuple),
    st.integers(1, 5),
    st.sampled_from(["low", "medium", "high", "critical"]),
    st.lists(st.integers(0, 90), max_size=60),
)
def test_every_ladder_ends_and_takes_each_rung_once_a_round(
    rungs: tuple[Rung, ...], rounds: int, severity: Severity, steps: list[int]
) -> None:
    climb = begin("i1", 1, Ladder(rungs=rungs, rounds=rounds), severity, NOW)
    now, told = NOW, list[Told]()
    for step in (*steps, *[24 * 60] * (len(rungs) * rounds + 1)):
        now += step * MINUTE
        climb, some = climb_on(climb, now, business=step % 2 == 0)
        told += some
    assert climb.ended == "exhausted"
    expected = [(turn, rung) for turn in range(1, rounds + 1) for rung in range(len(rungs))]
    assert [(one.round, one.rung) for one in told] == expected


PACE = Pace(most=18, per=MINUTE, burst=6)


def test_a_bucket_gives_its_tokens_then_one_every_few_seconds() -> None:
    bucket, now = full(PACE, NOW), NOW
    for _ in range(6):
        bucket, wait = take(bucket, PACE, now)
        assert wait == timedelta()
    bucket, wait = take(bucket, PACE, now)
    assert wait == timedelta(seconds=5)
    bucket, wait = take(bucket, PACE, now + wait)
    assert wait == timedelta()


def test_a_clock_that_goes_backwards_adds_nothing() -> None:
    bucket = msgspec.structs.replace(full(PACE, NOW), tokens=0.0)
    _, wait = take(bucket, PACE, NOW - timedelta(hours=1))
    assert wait > timedelta()


def test_a_channel_rests_as_long_as_it_was_told() -> None:
    bucket = rest(full(PACE, NOW), NOW, 10 * MINUTE)
    assert take(bucket, PACE, NOW + 9 * MINUTE)[1] == MINUTE
    assert take(bucket, PACE, NOW + 10 * MINUTE)[1] == timedelta()


@given(st.lists(st.floats(0, 30), max_size=80))
def test_no_minute_holds_more_than_the_pace(waits: list[float]) -> None:
    bucket, now, sent = full(PACE, NOW), NOW, list[datetime]()
    for wait in waits:
        now += timedelta(seconds=wait)
        for _ in range(5):
            bucket, left = take(bucket, PACE, now)
            if left == timedelta():
                sent.append(now)
    for start in sent:
        assert sum(start <= moment < start + PACE.per for moment in sent) <= PACE.most


def test_waits_double_and_end() -> None:
    chance = random.Random(1)
    failed = Failed(code="network", words="x", advice="again")
    for attempts in range(1, ATTEMPTS["low"]):
        wait = again_in(failed, attempts, "low", chance)
        assert wait is not None
        assert timedelta(seconds=2.5) <= wait <= LONGEST
    assert again_in(failed, ATTEMPTS["low"], "low", chance) is None


@pytest.mark.parametrize(
    ("failed", "least"),
    [
        (Failed(code="1", words="x", advice="never"), None),
        (Failed(code="1", words="x", advice="pause", after=10 * MINUTE), 10 * MINUTE),
    ],
)
def test_the_providers_word_goes_before(failed: Failed, least: timedelta | None) -> None:
    wait = again_in(failed, 1, "critical", random.Random(1))
    assert wait == least if least is None else wait >= least
