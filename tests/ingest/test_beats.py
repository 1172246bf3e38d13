"""A receiver says that it gets on, and its parent counts the seconds in which it does not."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from facts import event_bytes
from house import NOON
from rigs import Rig, running_rig

from ingest.beats import Beats
from ingest.pulse import Patience
from ingest.receive.process import beat
from linli.clock import ManualClock
from linli.service import ServiceManager

SILENT, STARTING = 60, 300


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with running_rig(tmp_path) as made:
        yield made


class Watched:
    """A parent's ear, and the mouth of the process it started."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOON)
        self.beats = Beats(self.clock, Patience(silent=SILENT, starting=STARTING))
        self.manager = ServiceManager(socket.socket(fileno=os.dup(self.beats.theirs)))
        self.say = beat(self.manager)
        self.beats.lost(1.0)

    def lost_after(self, seconds: int, started: float | None = 1.0) -> bool:
        """Tell whether it is given up when it says nothing for so long."""
        lost = False
        for _ in range(seconds * 4):
            self.clock.advance(0.25)
            lost = self.beats.lost(started)
        return lost


@pytest.fixture
def watched() -> Iterator[Watched]:
    made = Watched()
    yield made
    made.manager.close()
    made.beats.close()


def test_silence_counts_from_the_first_word_that_it_listens(watched: Watched) -> None:
    assert not watched.lost_after(STARTING - 1)
    watched.say(True)
    assert not watched.lost_after(SILENT)
    watched.say(True)
    assert not watched.lost_after(SILENT)
    assert watched.lost_after(1)


def test_one_that_never_begins_is_given_up_too(watched: Watched) -> None:
    assert watched.lost_after(STARTING + 1)


def test_one_that_seeks_its_broker_has_more_time(watched: Watched) -> None:
    watched.say(True)
    assert not watched.lost_after(SILENT)
    watched.say(False)
    assert not watched.lost_after(STARTING)
    assert watched.lost_after(1)


def test_what_the_one_before_said_is_not_said_by_the_next(watched: Watched) -> None:
    watched.say(True)
    assert watched.lost_after(SILENT + 1)
    watched.say(True)
    assert not watched.lost_after(SILENT * 2, started=None), "none runs"
    watched.say(True)
    assert not watched.lost_after(STARTING, started=2.0)
    assert watched.lost_after(1, started=2.0)


def test_a_machine_that_stood_still_silences_nobody(watched: Watched) -> None:
    watched.say(True)
    assert not watched.lost_after(1)
    watched.clock.advance(3600)
    assert not watched.beats.lost(1.0)


def test_a_parent_that_does_not_listen_holds_nothing_up(watched: Watched) -> None:
    for _ in range(10_000):
        watched.say(True)


def test_it_beats_at_each_turn_and_says_whether_it_has_its_broker(rig: Rig) -> None:
    rig.beats.clear()
    for _ in range(3):
        rig.clock.advance(1)
        rig.receiver.step(0.0)
    assert rig.beats == [True] * 3
    assert rig.link is not None
    rig.link.cut()
    rig.clock.advance(1)
    rig.receiver.step(0.0)
    assert rig.beats[-1] is False


def test_what_is_stored_one_by_one_is_no_silence(rig: Rig) -> None:
    rig.unstorable = event_bytes(2)
    rig.send(*map(event_bytes, range(3, 32)), rig.unstorable)
    rig.settle()
    assert len(rig.rows()) == 29
    assert len(rig.beats) > 30
