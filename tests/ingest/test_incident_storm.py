"""Too many at once: one storm that gathers them, and nothing lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger import SAFE, Ledger, event, silent

from ingest.incidents.lists import counts
from ingest.incidents.storm import EVENT, StormRule

WINDOW = 600


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    ledger = Ledger()
    yield ledger
    ledger.close()


def burst(ledger: Ledger, number: int, start: float = 0, step: float = 1, **more) -> None:
    for each in range(number):
        time = start + each * step
        ledger.tell(
            event(device=f"cam-{start}-{each}", episode=f"{start}-{each}", time=time, **more)
        )


def storms(ledger: Ledger):
    return [one for one in ledger.all if one.key.event == EVENT]


def test_ten_call_and_the_eleventh_is_a_storm(ledger: Ledger) -> None:
    burst(ledger, 10)
    assert (ledger.called(), storms(ledger)) == (["new"] * 10, [])
    burst(ledger, 90, start=20)
    (storm,) = storms(ledger)
    assert ledger.called() == ["new"] * 11
    assert ledger.called(storm) == ["new"]
    others = [one for one in ledger.all if one.id != storm.id]
    assert len(others) == 100
    assert {one.part_of for one in others} == {storm.id}
    assert (storm.parts, storm.aside, storm.severity) == (100, None, "medium")
    assert [row.why for row in ledger.rows() if row.page == "hold"] == ["storm"] * 90
    with ledger.connection() as connection:
        assert counts(connection) == (101, 1)  # in all, and waiting for someone


def test_slowly_it_is_no_storm(ledger: Ledger) -> None:
    burst(ledger, 40, step=61)
    assert (storms(ledger), len(ledger.called())) == ([], 40)


def test_it_ends_by_itself_and_not_at_the_first_pause(ledger: Ledger) -> None:
    """Between more than 10 and no more than 5 in ten minutes it stays what it was."""
    burst(ledger, 20)
    burst(ledger, 8, start=300, step=40)
    ledger.pass_until(14 + WINDOW)
    (storm,) = storms(ledger)
    assert storm.condition_active
    # The sixth latest call was at 380.
    ledger.pass_until(380 + WINDOW - 1)
    assert storms(ledger)[0].condition_active
    ledger.pass_until(380 + WINDOW)
    (storm,) = storms(ledger)
    assert (storm.state, storm.condition_active, storm.parts) == ("open", False, 0)
    assert {one.part_of for one in ledger.all} == {None}
    assert {one.state for one in ledger.all} == {"open"}
    assert len(ledger.called()) == 11
    burst(ledger, 1, start=2000)
    assert len(ledger.called()) == 12


def test_a_storm_that_nobody_has_seen_stays_listed(ledger: Ledger) -> None:
    burst(ledger, 12)
    ledger.pass_until(86_400)
    (storm,) = storms(ledger)
    assert (storm.state, storm.condition_active) == ("open", False)
    ledger.staff(storm, "acknowledge", 86_401)
    ledger.pass_until(86_402)
    assert storms(ledger)[0].state == "resolved"


def test_safety_kinds_call_in_any_storm_and_make_none(ledger: Ledger) -> None:
    burst(ledger, 30, policy=SAFE, severity="critical")
    assert (storms(ledger), len(ledger.called())) == ([], 30)
    burst(ledger, 12, start=40)
    burst(ledger, 3, start=60, policy=SAFE)
    assert len(ledger.called()) == 30 + 10 + 1 + 3
    assert storms(ledger)[0].parts == 12


def test_one_that_gets_worse_in_a_storm_makes_the_storm_worse(ledger: Ledger) -> None:
    burst(ledger, 12)
    (storm,) = storms(ledger)
    ledger.staff(storm, "acknowledge", 20)
    ledger.tell(event("update", "0-11", time=30, device="cam-0-11", severity="critical"))
    (storm,) = storms(ledger)
    assert (storm.severity, storm.state, ledger.called(storm)) == (
        "critical",
        "open",
        ["new", "worse"],
    )
    assert ledger.of("cam-0-11").aside == "part"


def test_one_that_ends_in_a_storm_is_told_and_resolves(ledger: Ledger) -> None:
    burst(ledger, 12)
    ledger.tell(event("end", "0-11", time=30, device="cam-0-11"))
    ledger.pass_until(30 + WINDOW)
    assert ledger.of("cam-0-11").state == "resolved"
    assert ("resolved", "tell", "resolved") in ledger.pages(ledger.of("cam-0-11"))


def test_a_person_may_end_a_storm_and_the_next_call_begins_it_again(ledger: Ledger) -> None:
    burst(ledger, 12)
    ledger.staff(storms(ledger)[0], "resolve", 20)
    assert {one.part_of for one in ledger.all} == {None}
    burst(ledger, 1, start=30)
    (storm,) = storms(ledger)
    assert (storm.state, storm.count) == ("open", 2)
    assert ledger.called(storm) == ["new", "again"]


def test_what_an_outage_explains_is_no_storm(ledger: Ledger) -> None:
    for number in range(30):
        ledger.tell(silent(f"cam-{number}", number / 2))
    ledger.tell(silent("self", 16))
    ledger.pass_until(100)
    assert (storms(ledger), ledger.called()) == ([], ["waited"])


def test_an_outage_without_a_cause_is_a_storm_like_any_other(ledger: Ledger) -> None:
    for number in range(30):
        ledger.tell(silent("cam", number / 2, node=f"c001-n{number:02}"))
    ledger.pass_until(100)
    assert storms(ledger)[0].parts == 30
    assert ledger.called() == ["waited"] * 10 + ["new"]


def test_sites_have_storms_of_their_own(ledger: Ledger) -> None:
    burst(ledger, 8)
    burst(ledger, 8, start=20, site="c002")
    assert storms(ledger) == []
    burst(ledger, 4, start=40, site="c002")
    assert [one.key.site for one in storms(ledger)] == ["c002"]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 200), st.booleans()), max_size=60))
def test_nothing_is_lost_and_everything_is_counted(steps) -> None:
    """Each incident has called, or the storm that it came in has; heads count what they hold."""
    rule = StormRule(most=3, calm=1, window=timedelta(seconds=100))
    ledger, time = Ledger(storm=rule), 0.0
    for number, (pause, safe) in enumerate(steps):
        time += pause
        more = {"policy": SAFE} if safe else {}
        ledger.tell(event(device=f"d{number}", episode=f"e{number}", time=time, **more))
    found = ledger.all
    heads = [one for one in found if one.key.event == EVENT]
    for one in found:
        assert not one.owed
        assert one.called is not None
        assert one.parts == sum(other.part_of == one.id for other in found)
        if one.policy.safety:
            assert ledger.called(one)
    storm_rows = [row for one in heads for row in ledger.rows(one) if row.step == "gathered"]
    gathered = {row.member for row in storm_rows}
    quiet = {one.id for one in found if one not in heads and not ledger.called(one)}
    assert quiet <= gathered
    ledger.pass_until(time + 300)
    assert not any(one.condition_active for one in ledger.all if one.key.event == EVENT)
    ledger.close()
