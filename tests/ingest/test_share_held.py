"""What the district is told waits for the end of its minute, and is by then what holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sharing import HELD, NODE, SURE, Community, furnished, settings_in

from ingest import registry
from ingest.incidents.incident import Incident
from ingest.share.hold import is_past, whole
from ingest.store.engine import writing


@pytest.fixture
def community(tmp_path: Path) -> Iterator[Community]:
    with furnished(settings_in(tmp_path)) as made:
        yield made


def moments(community: Community, kind: str, seconds: int) -> list[datetime]:
    """Let time pass a second at a time; return when something of a kind was told."""
    found = []
    for _ in range(seconds):
        before = len(community.told(kind))
        community.pass_time(1, step=1)
        found += [community.clock.now()] * (len(community.told(kind)) - before)
    return found


def test_the_moment_of_a_message_tells_no_more_than_its_minute(community: Community) -> None:
    community.pass_time(HELD)
    community.clock.advance((whole(community.clock.now()) - community.clock.now()).total_seconds())
    ended = whole(community.clock.now())
    for seconds in (0.001, 29, 30.9):  # at :00, :29 and :59.9
        community.clock.advance(seconds)
        community.staff(community.happens(), "resolve")
    assert whole(community.clock.now()) == ended
    told = moments(community, "event", 90)
    assert (len(told), len(set(told))) == (3, 1)
    with writing(community.writer) as connection:
        registry.add_device(connection, node_name=NODE, name="d2", kind="lamp", label="x")
    counted = moments(community, "registry", 180)
    assert [one.second for one in counted] == [told[0].second]


@given(st.datetimes(), st.integers(0, 200_000))
def test_what_is_of_one_minute_is_past_together_and_soon(at: datetime, waited: int) -> None:
    noted = at.replace(tzinfo=UTC)
    now = noted + timedelta(milliseconds=waited)
    past = is_past(noted, now)
    if past:
        assert whole(noted) < whole(now)
    assert past == is_past(whole(noted), now)
    assert past or waited < HELD * 1000
    assert is_past(noted, noted - timedelta(hours=1)), "a clock was set back: nothing waits an hour"


def into_the_next_minute(community: Community) -> None:
    """Let the next minute run, while nothing of this one is told yet."""
    left = whole(community.clock.now()) + timedelta(seconds=62) - community.clock.now()
    community.clock.advance(left.total_seconds())


def test_what_comes_of_it_meanwhile_is_told_in_its_own_time(community: Community) -> None:
    community.pass_time(HELD)
    one = community.staff(community.happens(), "resolve")
    into_the_next_minute(community)
    community.staff(one, "label", label="true-alarm")
    community.pass_time(10)
    assert [told["data"]["version"] for told in community.told()] == [one.version]
    community.pass_time(HELD)
    assert [told["data"]["version"] for told in community.told()] == [one.version, one.version + 1]


def test_what_is_judged_a_false_alarm_before_it_was_told_is_never_told(
    community: Community,
) -> None:
    community.pass_time(HELD)

    def judged() -> Incident:
        one = community.staff(community.happens(), "resolve")
        return community.staff(one, "label", label="false-alarm")

    judged()
    community.pass_time(HELD)
    one = community.staff(community.happens(), "resolve")
    into_the_next_minute(community)
    community.staff(one, "label", label="false-alarm")
    community.pass_time(HELD)
    judged()
    community.job = community.begin()
    community.pass_time(HELD)
    community.broker.running = False
    late = community.staff(community.happens(), "resolve")
    community.pass_time(600)
    community.staff(late, "label", label="false-alarm")
    community.pass_time(HELD)
    community.broker.running = True
    community.pass_time(HELD)
    community.job._link.cut()  # and it is not thought to have been told since
    community.pass_time(SURE)
    assert community.told() == []
    community.staff(late, "label", label="true-alarm")
    community.pass_time(HELD)
    assert [told["data"]["count"] for told in community.told()] == [1]


def test_what_was_told_is_taken_back_though_the_ingest_died_between(
    community: Community,
) -> None:
    community.pass_time(HELD)
    one = community.staff(community.happens(), "resolve")
    community.clock.advance(HELD)
    community.job.step()  # given to the broker, whose answer nobody hears
    assert len(community.told()) == 1
    community.staff(one, "label", label="false-alarm")
    community.clock.advance(HELD)
    community.job = community.begin()
    community.pass_time(5)
    assert [told["data"]["count"] for told in community.told()] == [1, 0]
