"""A box whose messages contradict what is kept: refused, and people are told once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import stores
from facts import NODE, SITE, event_bytes
from rigs import Rig, running_rig

from ingest.consumers.conflicts import LOOKED_BACK, ConflictJob
from ingest.feed import Feed
from ingest.incidents import flow, lists
from ingest.incidents.conflicts import EVENT
from ingest.incidents.facts import StaffFact
from ingest.incidents.incident import Incident
from ingest.store.engine import reading, writing


class Desk:
    """The job beside a receiver, and what people see of it."""

    def __init__(self, rig: Rig, folder: Path) -> None:
        self.rig = rig
        self.state: sa.Engine = stores.database(folder).writer("state")
        self.feed = Feed()
        self.start()

    def start(self) -> None:
        """Begin anew, as after a restart."""
        self.job = ConflictJob(self.rig.reader, self.state, self.feed, self.rig.clock)

    def refuse(self, sequence: int) -> None:
        """Let a message come, and then another one under its id and number."""
        one = event_bytes(sequence)
        self.rig.send(one)
        self.rig.settle()
        self.rig.send(one.replace(b'"high"', b'"low"'))
        self.rig.settle()

    def look(self) -> list[Incident]:
        assert self.job.step() is False
        with reading(self.state) as connection:
            return lists.page(connection, lists.Filter(), order="newest", after=None, limit=9)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with running_rig(tmp_path / "journal") as rig:
        desk = Desk(rig, tmp_path / "state")
        yield desk
        desk.state.dispose()


def test_people_are_told_of_a_box_that_contradicts_itself(desk: Desk) -> None:
    desk.refuse(1)
    assert [one.code for one in desk.rig.rejects()] == ["conflict"]
    (one,) = desk.look()
    assert (one.key.site, one.key.node, one.key.device, one.key.event) == (
        *(SITE, NODE, "self", EVENT),
    )
    assert (one.severity, one.state, one.condition_active) == ("high", "open", True)
    assert one.called is not None


def test_what_was_told_is_not_told_again_not_even_after_a_restart(desk: Desk) -> None:
    desk.refuse(1)
    (first,) = desk.look()
    assert desk.look() == [first]
    desk.start()
    assert desk.look() == [first]
    desk.rig.clock.advance(60)
    desk.refuse(2)
    (second,) = desk.look()
    assert (second.id, second.count) == (first.id, 2)


def test_many_refusals_between_two_looks_are_one(desk: Desk) -> None:
    for sequence in range(1, 6):
        desk.refuse(sequence)
    (one,) = desk.look()
    assert one.count == 1


def test_what_a_person_has_resolved_opens_again_with_the_next(desk: Desk) -> None:
    desk.refuse(1)
    (one,) = desk.look()
    with writing(desk.state) as connection:
        done = StaffFact(wish="resolve", actor="user:wang")
        assert flow.step(connection, one.id, done, desk.rig.clock.now()) is not None
    assert desk.look()[0].state == "resolved"
    desk.rig.clock.advance(3600)
    desk.refuse(2)
    newest, *_ = desk.look()
    assert newest.state == "open"


def test_a_repeated_message_and_an_old_refusal_are_no_news(desk: Desk) -> None:
    one = event_bytes(1)
    desk.rig.send(one, one, b"no JSON at all")
    desk.rig.settle()
    assert desk.look() == []
    desk.refuse(2)
    desk.rig.clock.advance((LOOKED_BACK + timedelta(hours=1)).total_seconds())
    assert desk.look() == []
