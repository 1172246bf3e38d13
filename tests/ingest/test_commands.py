"""What a command may be, and its course from sent to done, failed or timeout."""

from __future__ import annotations

from datetime import timedelta

import pytest
from house import AREA, CAMERA, NODE, NOON, SITE

from ingest.commands.command import (
    MOST_HOLDS,
    Command,
    answered,
    check_holds,
    failed,
    message,
    overdue,
    wish,
)
from ingest.refusal import Clash, NotUsable
from linli.codec import decode_part, encode
from linli.commands import AckData, CommandMessage, CommandName
from linli.ids import uuid7


def command(name: CommandName = "door-hold", *, ago: float = 0, seconds: int = 30) -> Command:
    issued = NOON - timedelta(seconds=ago)
    return Command(
        id=uuid7(issued),
        site=SITE,
        area=AREA,
        node=NODE,
        device=CAMERA,
        name=name,
        data=wish(name, "user:wang", seconds=seconds if name == "door-hold" else None),
        actor="user:wang",
        reason="e-bike",
        issued=issued,
    )


def ack(one: Command, phase: str, code: str = "ok") -> AckData:
    return AckData(command=one.id, phase=phase, code=code)  # type: ignore[arg-type]


@pytest.mark.parametrize(("asked", "held"), [(1, 1), (60, 60), (61, 60), (99_999, 60)])
def test_a_hold_is_cut_to_a_minute(asked: int, held: int) -> None:
    assert wish("door-hold", "user:wang", seconds=asked).holds == held


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("door-hold", {}),
        ("door-hold", {"seconds": 5, "level": 1.0}),
        ("door-release", {"seconds": 5}),
        ("voice-prompt", {}),
        ("lamp-set", {"prompt": "x"}),
        ("lamp-set", {"lasts": 60}),
        ("lamp-release", {"level": 1.0}),
        ("lamp-release", {"lasts": 60}),
        ("door-hold", {"seconds": 5, "lasts": 60}),
    ],
)
def test_fields_that_do_not_belong_are_refused(
    name: CommandName, fields: dict[str, object]
) -> None:
    with pytest.raises(NotUsable):
        wish(name, "user:wang", **fields)  # type: ignore[arg-type]


def test_three_renewals_and_no_more() -> None:
    holds = [command(ago=25.0 * (number + 1)) for number in range(MOST_HOLDS)]
    check_holds(holds[: MOST_HOLDS - 1], NOON)
    with pytest.raises(Clash, match="4 times"):
        check_holds(holds, NOON)
    check_holds(holds, NOON + timedelta(seconds=30 + 60))
    never = [failed(holds[0], "no-broker", NOON), *holds[1:]]
    check_holds(never, NOON)  # what never left held no door
    late = [overdue(holds[0], NOON), *holds[1:]]
    assert late[0].state == "timeout"
    with pytest.raises(Clash):
        check_holds(late, NOON)  # what timed out may have


def test_it_ends_by_a_word_or_by_silence() -> None:
    one = command()
    assert overdue(one, NOON + timedelta(seconds=3)) is one
    assert overdue(one, NOON + timedelta(seconds=3.1)).code == "not-accepted"
    taken = answered(one, ack(one, "accepted"), NOON + timedelta(seconds=1))
    assert (taken.state, overdue(taken, NOON + timedelta(seconds=15))) == ("accepted", taken)
    assert overdue(taken, NOON + timedelta(seconds=15.1)).code == "not-finished"
    done = answered(taken, ack(one, "done"), NOON + timedelta(seconds=2))
    assert done.state == "done"
    assert answered(done, ack(one, "failed", "jammed"), NOON) is done
    assert answered(taken, ack(one, "failed", "jammed"), NOON).code == "jammed"
    assert answered(taken, ack(one, "expired"), NOON).code == "expired"


def test_a_late_word_corrects_a_timeout() -> None:
    late = overdue(command(), NOON + timedelta(seconds=4))
    assert answered(late, ack(late, "done"), NOON + timedelta(seconds=9)).state == "done"


def test_on_the_wire_nobody_is_named() -> None:
    sent = decode_part(encode(message(command())), CommandMessage)
    assert sent.expirytime == NOON + timedelta(seconds=10)
    assert sent.data.operator.startswith("op-")
    assert b"wang" not in encode(sent)
    assert b"e-bike" not in encode(sent)
