"""Of two ingests under one name the newcomer takes nothing, until it is let alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from facts import event_bytes
from rigs import INGEST_STATUS, running_rig

from ingest.receive.process import silent
from ingest.receive.rival import GLANCE, PROBATION, Rival
from ingest.store.engine import to_micros
from linli.codec import encode
from linli.events import Status

OTHER = encode(Status(state="lost", session="0badcafe"))


@pytest.mark.parametrize(
    ("said", "waits"),
    [
        ((), GLANCE),
        (("stopped",), GLANCE),
        (("lost",), PROBATION),
        (("ready", "stopped"), PROBATION),
    ],
)
def test_a_newcomer_waits_by_what_another_one_said_last(
    said: tuple[str, ...], waits: float
) -> None:
    rival = Rival("00000001", newcomer=True)
    assert rival.possible(100.0), "not before the broker let us in"
    rival.up(100.0)
    rival.hear(Status(state="ready", session="00000001"))
    for state in said:
        rival.hear(Status(state=state, session="0badcafe"))  # type: ignore[arg-type]
    assert rival.possible(100.0 + waits - 0.01)
    assert not rival.possible(100.0 + waits)
    rival.down()
    rival.up(200.0)
    assert not rival.possible(200.0), "who was let alone once is at home"


def test_who_is_thrown_out_waits_anew_and_says_why_once(caplog: pytest.LogCaptureFixture) -> None:
    rival = Rival("00000001", newcomer=True)
    rival.hear(Status(state="lost", session="0badcafe"))
    for start in (100.0, 104.0, 108.0):
        rival.up(start)
        assert rival.possible(start + 2)
        rival.down()
        assert rival.possible(start + 3.5)
    assert [one.levelname for one in caplog.records] == ["ERROR"]
    assert "another ingest" in caplog.text


def test_who_wrote_its_journal_just_now_never_waits() -> None:
    rival = Rival("00000001", newcomer=False)
    rival.hear(Status(state="lost", session="0badcafe"))
    rival.up(100.0)
    assert not rival.possible(100.0)


def test_a_newcomer_takes_nothing_at_first_and_all_of_it_later(tmp_path: Path) -> None:
    with running_rig(tmp_path, newcomer=True) as rig:
        rig.broker.route(INGEST_STATUS, OTHER, retain=True, qos=1)
        rig.send(event_bytes(1))
        rig.settle()
        rig.clock.advance(PROBATION - 0.1)
        rig.settle()
        assert (rig.rows(), rig.unacknowledged()) == ([], 1)
        rig.clock.advance(1)
        rig.settle()
        assert rig.sequences() == [1]
        assert (rig.state(), rig.unacknowledged()) == ("ready", 0)


def test_a_newcomer_that_ends_early_leaves_everything_to_the_other(tmp_path: Path) -> None:
    with running_rig(tmp_path, newcomer=True) as rig:
        rig.send(event_bytes(1))
        rig.receiver.step(0)
        rig.receiver.close()
        assert rig.rows() == []


def test_a_journal_is_silent_when_its_last_row_is_a_minute_old(tmp_path: Path) -> None:
    with running_rig(tmp_path) as rig:
        assert silent(rig.reader, to_micros(rig.clock.now())) == (rig.journal() == [])
        rig.send(event_bytes(1))
        rig.settle()
        assert not silent(rig.reader, to_micros(rig.clock.now()))
        rig.clock.advance(61)
        assert silent(rig.reader, to_micros(rig.clock.now()))
