"""Notifications and looks of more than a year ago go, and what is told of all time stays."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from house import NOON
from notices import Office

from ingest.consumers import forget
from ingest.consumers.forget import KEPT, ForgetJob
from ingest.live import book
from ingest.live.look import LiveLook
from ingest.notify import outbox
from ingest.store import forgotten
from ingest.store.engine import reading, writing
from ingest.store.live import live_look
from ingest.store.notify import notification
from linli.ids import uuid7


@pytest.fixture
def office(tmp_path: Path):
    office = Office(tmp_path)
    yield office
    office.close()


def look(office: Office, days: int) -> None:
    at = NOON + timedelta(days=days)
    made = LiveLook(
        id=uuid7(at),
        account="wang",
        actor="user:wang",
        node="c001-n07",
        device="cam-e1",
        purpose="incident",
        began=at,
        until=at + timedelta(minutes=1),
        incident=None,
    )
    with writing(office.folder.state) as connection:
        book.keep(connection, made)


def test_what_is_old_goes_in_slices_and_is_counted_on(office: Office, monkeypatch) -> None:
    monkeypatch.setattr(forget, "SLICE", 2)
    for zone in ("a", "b", "c"):
        office.begin(zone=zone)
    office.work()
    for day in range(5):
        look(office, day)
    job = ForgetJob(office.folder.reader("state"), office.folder.state, office.clock)
    assert not job.step()
    with reading(office.folder.state) as connection:
        before = outbox.counts(connection)
        waiting = {one.state for one in before} & set(outbox.OPEN)
    assert sum(one.number for one in before) >= 3
    assert not waiting
    office.clock.advance((KEPT + timedelta(days=2, hours=1)).total_seconds())
    steps = 1
    while job.step():
        steps += 1
    assert steps >= 2
    with reading(office.folder.state) as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(notification)) == 0
        assert outbox.counts(connection) == before
        assert len(connection.execute(live_look.select()).all()) == 2
        gone = forgotten.counted(connection)
    assert gone == {"live_look": 3, "notification": sum(one.number for one in before)}
    assert not job.step()


def test_what_waits_is_never_forgotten(office: Office) -> None:
    office.begin()
    office.incidents.step()
    office.notify.step()
    with reading(office.folder.state) as connection:
        waiting = outbox.counts(connection)
    assert {one.state for one in waiting} == {"waiting"}
    office.clock.advance((2 * KEPT).total_seconds())
    reader = office.folder.reader("state")
    assert not ForgetJob(reader, office.folder.state, office.clock).step()
    with reading(office.folder.state) as connection:
        assert outbox.counts(connection) == waiting
