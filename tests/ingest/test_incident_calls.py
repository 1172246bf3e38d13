"""Who is called, who is not, and why; what time alone does."""

from __future__ import annotations

import pytest
from ledger import SAFE, Ledger, at, event

MINUTE, HOUR = 60, 3600


@pytest.fixture
def ledger():
    ledger = Ledger()
    yield ledger
    ledger.close()


def test_an_incident_calls_when_it_opens_and_once(ledger: Ledger) -> None:
    ledger.tell(event(), event("update", time=2), event(episode="e2", time=5))
    assert ledger.pages() == [("opened", "call", "new")]
    assert ledger.only.called == at(0)
    assert not ledger.only.owed


def test_it_calls_again_when_it_opens_again_or_gets_worse(ledger: Ledger) -> None:
    one, _ = ledger.tell(event())
    ledger.staff(one, "acknowledge", 1)
    ledger.tell(event("update", time=3, severity="high"))
    ledger.staff(one, "resolve", 4)
    ledger.tell(event(episode="e2", time=60))
    assert ledger.pages() == [
        ("opened", "call", "new"),
        ("acknowledged", "tell", "seen"),
        ("worsened", "call", "worse"),
        ("resolved", "tell", "resolved"),
        ("reopened", "call", "again"),
    ]


def test_coming_and_going_within_one_incident_calls_once(ledger: Ledger) -> None:
    for number in range(20):
        begin = event(episode=f"e{number}", time=30 * number)
        ledger.tell(begin, event("end", f"e{number}", 30 * number + 20))
    assert ledger.called() == ["new"]
    assert (ledger.only.count, ledger.only.condition_active) == (20, False)


@pytest.mark.parametrize(
    ("policy", "why"), [(SAFE, "call new"), (None, "hold over")], ids=["safety", "other"]
)
def test_what_was_over_before_it_was_heard_of(ledger: Ledger, policy, why) -> None:
    more = {"policy": policy} if policy else {}
    ledger.tell(event("end", time=8, since=0, **more))
    assert [f"{page} {why}" for step, page, why in ledger.pages() if step == "opened"] == [why]


def test_what_is_late_and_over_calls_nobody(ledger: Ledger) -> None:
    """The begin of a long outage's spool comes first, its end a moment later."""
    begin = event(delay=4 * HOUR)
    end = event("end", time=40, delay=4 * HOUR - 39.5)
    ledger.tell(begin, end)
    ledger.pass_until(5 * HOUR)
    assert ledger.pages() == [("opened", "hold", "waiting")]
    assert (ledger.only.state, ledger.only.resolved_by) == ("resolved", "rule:late")


def test_a_late_safety_kind_that_is_over_stays_listed_and_calls_nobody(ledger: Ledger) -> None:
    ledger.tell(event(delay=HOUR, policy=SAFE), event("end", time=9, delay=HOUR, policy=SAFE))
    ledger.pass_until(9 * HOUR)
    assert ledger.called() == []
    assert (ledger.only.state, ledger.only.condition_active) == ("open", False)


def test_what_is_late_and_still_goes_on_calls_after_a_moment(ledger: Ledger) -> None:
    ledger.tell(event(delay=HOUR))
    ledger.pass_until(HOUR + 29)
    assert ledger.called() == []
    ledger.pass_until(HOUR + 30)
    assert ledger.pages() == [("opened", "hold", "waiting"), ("waited", "call", "waited")]
    assert (ledger.only.late, ledger.only.first) == (True, at(0))


def test_a_safety_kind_waits_for_a_person_and_then_goes(ledger: Ledger) -> None:
    one, _ = ledger.tell(event(policy=SAFE), event("end", time=8, policy=SAFE))
    ledger.pass_until(9 * HOUR)
    assert (ledger.only.state, ledger.only.condition_active) == ("open", False)
    ledger.staff(one, "acknowledge", 9 * HOUR)
    ledger.pass_until(9 * HOUR + 1)
    assert (ledger.only.state, ledger.only.resolved_by) == ("resolved", "rule:clear")
    assert ledger.only.resolved == at(9 * HOUR)


def test_what_was_seen_and_stays_is_brought_back_to_mind(ledger: Ledger) -> None:
    one, _ = ledger.tell(event())
    ledger.staff(one, "acknowledge", 60)
    ledger.pass_until(60 + 30 * MINUTE)
    assert ledger.only.state == "acknowledged"
    assert ledger.pages()[-1] == ("reminded", "call", "reminder")
    ledger.pass_until(60 + 60 * MINUTE)
    assert (ledger.only.state, ledger.only.acknowledged_by) == ("open", None)
    assert ledger.pages()[-1] == ("unacknowledged", "call", "unanswered")
    ledger.staff(one, "start", 2 * HOUR)
    ledger.pass_until(9 * HOUR)
    assert ledger.only.state == "in-progress"
    assert len(ledger.called()) == 3


def test_time_in_one_leap_or_in_steps_makes_the_same_rows() -> None:
    def life(*stops: int) -> list:
        ledger = Ledger()
        one, _ = ledger.tell(event())
        ledger.staff(one, "acknowledge", 60)
        for stop in stops:
            ledger.pass_until(stop)
        ledger.tell(event("end", time=2 * HOUR))
        ledger.pass_until(3 * HOUR)
        rows = ledger.rows()
        ledger.close()
        return list(rows)

    assert life() == life(*range(0, 2 * HOUR, 7 * MINUTE))


def test_what_is_due_and_does_nothing_stops_nothing(ledger: Ledger, caplog) -> None:
    """It cannot come about by itself: someone wrote into the table."""
    from ingest.store.incidents import incident  # noqa: PLC0415

    ledger.tell(event(), event(zone="gate", episode="g"))
    ledger.tell(event("end", "g", time=5, zone="gate"))
    with ledger.connection() as connection:
        wrong = incident.update().where(incident.c.number == 1)
        connection.execute(wrong.values(due=at(1)))
    ledger.pass_until(HOUR)
    assert [one.state for one in ledger.all] == ["open", "resolved"]
    assert "nothing comes of it" in caplog.text


def test_shelving_ends_and_calls_if_it_still_goes_on(ledger: Ledger) -> None:
    one, _ = ledger.tell(event())
    ledger.staff(one, "shelve", 10, until=at(HOUR), note="being repaired")
    assert (ledger.only.aside, ledger.only.shelved_by) == ("shelved", "user:wang")
    ledger.tell(event(episode="e2", time=600))
    ledger.pass_until(HOUR - 1)
    assert ledger.called() == ["new"]
    ledger.pass_until(HOUR)
    assert ledger.pages()[-1] == ("unshelved", "call", "silence-over")
    assert ledger.only.aside is None


def test_what_ended_on_the_shelf_calls_nobody_and_its_end_is_told(ledger: Ledger) -> None:
    one, _ = ledger.tell(event(policy=SAFE))
    ledger.staff(one, "shelve", 10, until=at(HOUR))
    ledger.tell(event("end", time=30, policy=SAFE))
    ledger.pass_until(2 * HOUR)
    assert ledger.called() == ["new"]
    assert ("cleared", "tell", "ended") in ledger.pages()
    assert (ledger.only.state, ledger.only.aside) == ("open", None)


def test_getting_worse_takes_it_off_the_shelf(ledger: Ledger) -> None:
    one, _ = ledger.tell(event())
    ledger.staff(one, "shelve", 10, until=at(HOUR))
    ledger.tell(event("update", time=20, severity="critical"))
    assert ledger.called() == ["new", "worse"]
    assert ledger.only.aside is None


def test_taking_it_off_the_shelf_early(ledger: Ledger) -> None:
    one, _ = ledger.tell(event())
    ledger.staff(one, "shelve", 10, until=at(HOUR))
    ledger.staff(one, "shelve", 20, until=at(HOUR))
    ledger.staff(one, "unshelve", 30)
    ledger.staff(one, "unshelve", 40)
    assert [row.step for row in ledger.rows()] == ["opened", "shelved", "unshelved"]
    assert ledger.called() == ["new", "silence-over"]


def test_taking_up_again_what_was_resolved(ledger: Ledger) -> None:
    one, _ = ledger.tell(event(), event("end", time=5))
    ledger.staff(one, "resolve", 10)
    ledger.staff(one, "resume", 20, note="not repaired after all")
    ledger.pass_until(9 * HOUR)
    assert (ledger.only.state, ledger.only.resolved) == ("in-progress", None)
    ledger.staff(one, "resolve", 10 * HOUR)
    assert ledger.only.state == "resolved"


def test_two_of_a_key_are_never_open_at_once(ledger: Ledger) -> None:
    from ingest.refusal import Clash  # noqa: PLC0415

    one, _ = ledger.tell(event())
    ledger.staff(one, "resolve", 10)
    ledger.tell(event(episode="e2", time=900))
    with pytest.raises(Clash):
        ledger.staff(one, "resume", 901)
    assert [found.state for found in ledger.all] == ["resolved", "open"]


@pytest.mark.parametrize("label", ["true-alarm", "drill", "false-alarm"])
def test_labels(ledger: Ledger, label: str) -> None:
    one, _ = ledger.tell(event())
    for _ in range(2):
        ledger.staff(one, "label", 10, label=label, note="seen")
    assert ledger.only.label == label
    assert ledger.only.state == ("resolved" if label == "false-alarm" else "open")
    ledger.staff(one, "label", 20, label="true-alarm")
    assert ledger.only.label == "true-alarm"
