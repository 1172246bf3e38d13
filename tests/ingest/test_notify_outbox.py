"""From a row of an incident to a message at a channel: real tables, a clock in the test's hand."""

from __future__ import annotations

import threading
from datetime import UTC, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from house import ADMIN, NOON, jpeg, snapshot
from notices import Office

from ingest.accounts.account import Viewer
from ingest.evidence import book as pictures
from ingest.notify import outbox
from ingest.notify.message import Failed
from ingest.notify.routes import Matter
from ingest.notify_settings import Notify, WecomBotSettings
from ingest.services.notify import NotifyService
from ingest.store.engine import reading, writing
from ingest.store.incidents import transition
from ingest.store.registry import person
from linli.ids import uuid7

LIMIT = Failed(code="45009", words="too many messages", advice="pause", after=timedelta(minutes=10))
BAD = Failed(code="93000", words="the key is not valid", advice="never")
BUSY = Failed(code="http-500", words="busy", advice="again")


@pytest.fixture
def office(tmp_path: Path):
    office = Office(tmp_path)
    yield office
    office.close()


def test_a_fact_reaches_whoever_is_on_duty(office: Office) -> None:
    office.begin()
    office.work()
    assert office.said("bot") == [("li-key", "call")]
    (message, _) = office.channels["bot"].sent[0]
    assert "#1" in message.title
    assert message.link == f"https://linli.test/incidents/{office.incident().id}"
    assert office.tally() == {"sent": 1}


def test_the_next_rung_comes_when_nobody_acts(office: Office) -> None:
    office.begin()
    office.work(minutes=20)
    assert [address for address, _ in office.said("bot")] == ["li-key", "group-key"]
    assert [address for address, _ in office.said("mail")] == ["boss@linli.test"]


def test_acknowledging_stops_it_and_the_others_are_told(office: Office) -> None:
    office.begin()
    office.work(minutes=6)
    office.act("acknowledge")
    office.work(minutes=20)
    assert office.said("bot") == [
        ("li-key", "call"),
        ("group-key", "call"),
        ("li-key", "seen"),
        ("group-key", "seen"),
    ]
    assert not office.channels["mail"].sent


def test_whoever_acts_is_not_told_what_they_did(office: Office) -> None:
    office.begin()
    office.work()
    office.act("acknowledge", by="wang")  # the account of li
    office.work()
    assert [kind for _, kind in office.said("bot")] == ["call"]
    assert office.tally() == {"sent": 1, "suppressed acted": 1}


def test_whoever_acts_by_a_link_is_not_told_either(office: Office) -> None:
    office.begin()
    office.work()
    guest = Viewer(account="person:li", name="li", role="duty", kind="person")
    office.staff.acknowledge(guest, office.incident().id, office.clock.now())
    office.work()
    assert office.tally() == {"sent": 1, "suppressed acted": 1}


def test_acknowledging_wins_against_a_rung_that_is_due(office: Office) -> None:
    office.begin()
    office.work()
    office.clock.advance(301)
    office.act("acknowledge")  # its row is not read yet when the timer comes
    office.work()
    assert ("group-key", "call") not in office.said("bot")


def test_an_acknowledgement_stops_what_is_leased_next(office: Office) -> None:
    office.begin()
    office.incidents.step()
    office.notify.step()
    office.act("acknowledge")
    office.deliver()
    assert not office.channels["bot"].sent
    assert office.tally() == {"suppressed overtaken": 1}


def test_told_three_times_it_is_one_message(office: Office) -> None:
    message = office.begin()
    for _ in range(2):
        office.begin(episode=message.data.episode)
    office.work()
    assert len(office.channels["bot"].sent) == 1


def test_a_restart_and_a_reset_cursor_call_nobody_again(office: Office) -> None:
    office.begin()
    office.work()
    office.fresh()
    with writing(office.folder.state) as connection:
        connection.exec_driver_sql("UPDATE notifier SET transition = 0")
    office.work()
    assert len(office.channels["bot"].sent) == 1


def test_late_facts_call_nobody_and_say_so(office: Office) -> None:
    old = NOON - timedelta(hours=1)
    began = office.begin(time=old, since=old)
    office.end(began, time=old + timedelta(minutes=1))
    office.work(minutes=2)
    assert office.tally() == {"suppressed waiting": 1}


def test_what_was_recorded_long_ago_calls_nobody(office: Office) -> None:
    office.begin()
    office.incidents.step()
    office.clock.advance(25 * 3600)
    office.work()
    assert office.tally() == {"suppressed old": 1}


def test_what_nobody_has_a_route_for_is_written_down(office: Office) -> None:
    office.begin(name="bin-full")
    office.work()
    assert office.tally() == {"suppressed no-route": 1}


def test_a_refused_one_goes_by_the_next_contact(office: Office) -> None:
    office.answer("bot", BAD)
    office.begin()
    office.work()
    assert office.said("mail") == [("li@linli.test", "call")]
    assert office.tally() == {"dead refused": 1, "sent": 1}


def test_when_nobody_can_be_reached_the_next_rung_does_not_wait(office: Office) -> None:
    office.answer("bot", BAD)
    office.answer("mail", BAD)
    office.begin()
    office.work()
    assert office.said("bot") == [("group-key", "call")]


def test_a_failing_channel_neither_delays_nor_repeats_another(office: Office) -> None:
    office.answer("bot", *[BUSY] * 3)
    office.begin()
    office.work(minutes=16)
    assert [address for address, _ in office.said("mail")] == ["boss@linli.test"]
    assert sorted(office.said("bot")) == [("group-key", "call"), ("li-key", "call")]


def test_what_is_urgent_does_not_wait_long_for_a_channel_that_fails(office: Office) -> None:
    office.answer("bot", *[BUSY] * 20)
    office.begin()
    office.work(minutes=1)
    assert office.said("mail") == [("li@linli.test", "call")]
    assert office.tally() == {"dead gave-up": 1, "sent": 1}
    office.begin(severity="medium", zone="b")
    office.work(minutes=1)
    assert office.tally() == {"dead gave-up": 1, "sent": 1, "waiting": 1}


def test_whoever_left_is_not_told_what_still_waits(office: Office) -> None:
    office.answer("bot", BUSY)
    office.begin(severity="medium")
    office.work()
    with writing(office.folder.state) as connection:
        change = person.update().where(person.c.person == "li")
        connection.execute(change.values(retired_at=office.clock.now()))
    office.work(minutes=1)
    assert office.said("bot") == []
    assert office.tally() == {"suppressed left": 1}


def test_what_is_tried_again_keeps_quiet_hours(office: Office) -> None:
    ways = office.channels["bot"], office.channels["mail"]
    office.clock.advance(9 * 3600 + 3550)  # 21:59:10
    office.answer("bot", *[BUSY] * 9)
    office.begin(severity="medium")
    office.work(minutes=3)
    assert [way.sent for way in ways] == [[], []]
    assert office.tally() == {"waiting": 1}
    office.channels["bot"].answers_now()
    office.work(minutes=10)
    assert ("li-key", "call") not in office.said("bot"), "it is quiet by now"
    office.clock.advance(8 * 3600)
    office.work()
    assert ("li-key", "call") in office.said("bot")


def test_a_limit_rests_the_channel_and_survives_a_restart(office: Office) -> None:
    office.answer("bot", LIMIT)
    office.begin(severity="medium")
    office.work()
    office.fresh()
    office.work(minutes=4)
    assert not office.channels["bot"].sent
    office.work(minutes=8)
    assert ("li-key", "call") in office.said("bot")


def test_what_is_urgent_leaves_a_channel_that_rests(office: Office) -> None:
    office.answer("bot", LIMIT)
    office.begin(severity="high", zone="a")
    office.begin(severity="high", zone="b")
    office.work()
    assert office.said("mail") == [("li@linli.test", "call")] * 2
    assert office.tally() == {"dead channel-rests": 2, "sent": 2}


def test_three_that_wait_for_one_address_are_one_message(office: Office) -> None:
    for zone in ("a", "b", "c"):
        office.begin(severity="medium", zone=zone)
    office.incidents.step()
    office.notify.step()
    office.deliver()
    ((message, _),) = office.channels["bot"].sent
    assert message.title.startswith("【一般】3 条告警")
    assert sorted(message.lines[0].split()) == ["#1", "#2", "#3"]
    assert len(message.lines) == 7
    assert office.tally() == {"sent": 3}


def test_what_is_critical_jumps_the_queue_and_stays_alone(office: Office) -> None:
    for zone in ("a", "b", "c"):
        office.begin(severity="medium", zone=zone)
    office.begin(severity="critical", zone="d")
    office.incidents.step()
    office.notify.step()
    office.deliver()
    severities = [message.severity for message, _ in office.channels["bot"].sent]
    assert severities == ["critical", "medium"]


def test_quiet_hours_wait_for_what_is_not_critical(office: Office) -> None:
    office.clock.advance(11 * 3600)  # 23:00
    office.begin(severity="medium", zone="a")
    office.begin(severity="critical", zone="b")
    office.work(minutes=4)
    assert [message.severity for message, _ in office.channels["bot"].sent] == ["critical"]


def test_killed_between_sending_and_writing_it_down(office: Office) -> None:
    office.begin()
    office.incidents.step()
    office.notify.step()
    office.fall_after_sending("bot")
    office.fresh()
    office.work()
    assert len(office.channels["bot"].sent) == 1  # the lease holds
    office.work(minutes=3)
    assert len(office.channels["bot"].sent) == 2
    assert len({message.key for message, _ in office.channels["bot"].sent}) == 1
    assert office.doubts() == 1
    assert office.tally() == {"sent": 1}


def test_four_workers_send_one(office: Office) -> None:
    office.begin()
    office.incidents.step()
    office.notify.step()
    jobs = [office.job("bot") for _ in range(4)]
    threads = [threading.Thread(target=job.step) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(office.channels["bot"].sent) == 1


def test_a_flapping_thing_is_told_of_twice_at_most(office: Office) -> None:
    for _ in range(20):
        began = office.begin()
        office.work()
        office.clock.advance(15)
        office.end(began)
        office.work()
        office.clock.advance(15)
    assert len([kind for _, kind in office.said("bot") if kind == "call"]) <= 2


def test_the_auditor_frees_what_was_left_and_ends_what_has_no_channel(office: Office) -> None:
    office.begin()
    office.incidents.step()
    office.notify.step()
    office.fall_after_sending("bot")
    office.clock.advance(8 * 60)
    audit = office.audit(channels=("mail",))
    audit.step()
    assert office.status().requeued == 1
    office.deliver()
    assert office.said("mail") == [("li@linli.test", "call")]


def test_the_auditor_counts_what_is_overdue_and_does_not_ping(office: Office) -> None:
    office.work()
    office.audit().step()
    assert len(office.pings) == 1
    office.begin()
    office.incidents.step()
    office.notify.step()
    office.clock.advance(11 * 60)
    office.audit().step()
    assert office.status().overdue == 2  # the message, and the rung behind it
    assert len(office.pings) == 1


def test_rows_that_nobody_reads_and_silence_from_outside_are_trouble(office: Office) -> None:
    office.work()
    office.begin()
    office.incidents.step()
    office.clock.advance(6 * 60)
    office.audit().step()
    assert office.status().overdue == 1
    office.work()
    office.clock.advance(60)
    office.audit(hears=False).step()
    assert "nothing comes in" in office.status().words
    assert office.pings == []
    office.clock.advance(60)
    office.audit().step()
    assert len(office.pings) == 1


def test_adding_twice_changes_nothing(office: Office) -> None:
    office.begin()
    office.work()
    with reading(office.reader) as connection:
        found = outbox.notes(connection)
    with writing(office.folder.state) as connection:
        assert outbox.add(connection, found) == 0


def test_what_began_before_the_first_start_calls_nobody(tmp_path: Path) -> None:
    office = Office(tmp_path, started=False)
    try:
        office.begin()
        office.incidents.step()
        office.work()
        assert office.tally() == {}
        office.begin(zone="other")
        office.work()
        assert office.tally() == {"sent": 1}
    finally:
        office.close()


def test_a_row_that_cannot_be_used_stops_no_other(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = office.notify._plans
    route = plans.route

    def broken(connection: sa.Connection, matter: Matter) -> object:
        if matter.severity == "low":
            raise RuntimeError("a fault of ours")
        return route(connection, matter)

    monkeypatch.setattr(plans, "route", broken)
    office.begin(zone="a", severity="low")
    office.begin(zone="b")
    office.work()
    assert office.tally() == {"suppressed failed": 1, "sent": 1}


def test_without_words_or_link_a_message_goes_all_the_same(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> object:
        raise ValueError("no words")

    composer = office.jobs["bot"]._composer
    monkeypatch.setattr(composer._wording, "story", broken)
    monkeypatch.setattr(composer._links, "link_for", broken)
    office.begin()
    office.work()
    ((message, _),) = office.channels["bot"].sent
    assert "zone-dwell" in message.title
    assert message.link is None


def test_a_number_that_another_writer_may_still_commit_is_waited_for(office: Office) -> None:
    office.begin(zone="a")
    office.incidents.step()
    with writing(office.folder.state) as connection:
        moved = sa.update(transition).values(id=transition.c.id + 1)
        connection.execute(moved)
    office.notify.step()
    assert office.tally() == {}
    office.clock.advance(6)
    office.work()
    assert office.tally() == {"sent": 1}


def test_a_picture_goes_where_it_may_and_is_written_down(office: Office) -> None:
    data = jpeg()
    name = uuid7(NOON)
    office.keep_picture(name, data)
    office.begin(snapshot=snapshot(name, data))
    office.pictures = True
    office.fresh()
    office.work()
    ((message, _),) = office.channels["bot"].sent
    assert message.picture == data
    with reading(office.reader) as connection:
        (look,) = pictures.looks(connection, name)
    assert (look.account, look.purpose) == ("channel:bot", "notification")


def test_what_was_seen_and_is_not_resolved_is_brought_back_to_mind(office: Office) -> None:
    office.begin()
    office.work()
    office.act("acknowledge")
    office.work()
    office.clock.advance(30 * 60 + 5)
    office.work()
    assert office.said("bot") == [("li-key", "call"), ("li-key", "seen"), ("li-key", "reminder")]
    office.act("resolve")
    office.work()
    assert office.said("bot")[3:] == [("li-key", "resolved")]


def test_a_shelf_that_ends_while_it_goes_on_is_one_message(office: Office) -> None:
    office.begin()
    office.incidents.step()
    now = office.clock.now()
    office.staff.shelve(ADMIN, office.incident().id, timedelta(minutes=10), now)
    office.work(minutes=2)
    assert not office.channels["bot"].sent
    office.clock.advance(9 * 60)
    office.work()
    assert office.said("bot") == [("li-key", "call")]


def test_what_nobody_looked_at_lately_is_not_said_to_be_well(office: Office) -> None:
    settings = Notify(channels=(WecomBotSettings(name="bot"),))
    service = NotifyService(settings, office.reader, site="here", zone=UTC)
    office.audit().step()
    assert service.status(ADMIN, office.clock.now()).state == "ok"
    found = service.status(ADMIN, office.clock.now() + timedelta(minutes=6))
    assert (found.state, "does the ingest run" in found.words) == ("trouble", True)
