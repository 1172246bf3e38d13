"""Commands at the edge: never expired, retained or twice; every one gets its word."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.actuate.ledger import KEEP, Ledger
from edge.actuate.orders import Order, Orders
from edge.actuate.words import MOST_WORDS
from edge.messages import Address, Stamp
from edge.spool import Spool
from edge.uplink import Uplink
from linli.clock import ManualClock
from linli.codec import decode_part, encode
from linli.commands import AckMessage, CommandData, CommandMessage, Effect
from linli.errors import LinkError, StoreError
from linli.events import ClockSync, schema_uri
from linli.ids import uuid7
from linli.mqtt import Delivery, FakeBroker, FakeLink, LinkOptions
from linli.topics import Topic

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ADDRESS = Address("c001", "b03", "c001-n07")
TOPIC = ADDRESS.topic("hall", "command", "lamp-set")
RELEASE = ADDRESS.topic("hall", "command", "door-release")
HOUR = 3600.0


def _command(level: float = 0.5, *, topic: Topic = TOPIC, **changes: Any) -> CommandMessage:
    values: dict[str, Any] = {
        "specversion": "1.0",
        "id": uuid7(NOW),
        "source": "/c001/svc-command",
        "type": topic.type,
        "time": NOW,
        "datacontenttype": "application/json",
        "dataschema": schema_uri("command"),
        "clocksync": "synced",
        "expirytime": NOW + timedelta(seconds=10),
        "data": CommandData(operator="op-00000001", level=level),
    }
    return CommandMessage(**{**values, **changes})


def _delivery(command: CommandMessage, *, topic: Topic = TOPIC, retain: bool = False) -> Delivery:
    return Delivery(str(topic), encode(command), retain, 1, 1, 1)


def sent(orders: Orders) -> list[tuple[Topic, bytes]]:
    """Send what waits to a broker that has it at once."""
    found: list[tuple[Topic, bytes]] = []

    def publish(topic: Topic, payload: bytes) -> int:
        found.append((topic, payload))
        return len(found)

    orders.words.send(publish)
    for token in range(len(found)):
        orders.words.answered(token + 1)
    return found


class Desk:
    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(NOW)
        self.ledger = Ledger(folder / "commands.db").__enter__()
        self.sync: ClockSync = "synced"
        self.done: list[float] = []
        self.released = 0
        self.orders = self.anew()

    def anew(self) -> Orders:
        """Orders as after a restart: only the ledger is the same."""
        orders = Orders(ADDRESS, self.ledger, self.clock, self._stamp)
        orders.serve({("hall", "lamp-set"): self._do, ("hall", "door-release"): self._release})
        return orders

    def _stamp(self) -> Stamp:
        if self.sync == "synced":
            return Stamp(self.clock.now())
        return Stamp(self.clock.now(), self.sync, bootid="00000000", uptimems=0)

    def _release(self, order: Order) -> None:
        self.released += 1
        order.finish("done")

    def _do(self, order: Order) -> None:
        assert order.command.data.level is not None
        self.done.append(order.command.data.level)
        order.finish("done")

    def words(self, orders: Orders | None = None) -> list[tuple[str, str]]:
        said = [decode_part(one, AckMessage) for _, one in sent(orders or self.orders)]
        return [(one.data.phase, one.data.code) for one in said]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    found = Desk(tmp_path)
    yield found
    found.ledger.__exit__(None, None, None)


def test_a_command_is_accepted_and_done(desk: Desk) -> None:
    command = _command()
    desk.orders.take(_delivery(command))
    assert desk.done == [0.5]
    words = sent(desk.orders)
    said = [decode_part(payload, AckMessage) for _, payload in words]
    assert [one.data.phase for one in said] == ["accepted", "done"]
    assert {one.data.command for one in said} == {command.id}
    assert {str(topic) for topic, _ in words} == {"linli/v1/c001/b03/c001-n07/hall/ack/lamp-set"}
    assert said[0].source == "/c001/c001-n07/hall"
    assert said[0].type == "linli.ack.lamp-set"


def test_a_command_that_comes_twice_is_done_once_even_after_a_restart(desk: Desk) -> None:
    delivery = _delivery(_command())
    desk.orders.take(delivery)
    desk.orders.take(delivery)
    later = desk.anew()
    desk.clock.advance(3600)  # long expired, and yet its word is the one of then
    later.take(delivery)
    assert desk.done == [0.5]
    assert desk.words(later) == [("done", "ok")]
    assert later.dropped == {"duplicate": 1}


def test_after_a_day_the_ledger_forgets(desk: Desk) -> None:
    old = _command()
    desk.orders.take(_delivery(old))
    desk.clock.advance(KEEP.total_seconds() + 1)
    now = desk.clock.now()
    fresh = _command(time=now, expirytime=now + timedelta(seconds=10))
    desk.orders.take(_delivery(fresh))
    assert desk.ledger.said(old.id) is None
    assert desk.ledger.said(fresh.id) is not None


def test_an_expired_one_is_told_and_never_done(desk: Desk) -> None:
    desk.clock.advance(10)
    desk.orders.take(_delivery(_command()))
    assert (desk.done, desk.words()) == ([], [("expired", "expired")])


@pytest.mark.parametrize("jump", [15, HOUR, -HOUR])
def test_a_clock_that_nothing_keeps_right_has_no_say(desk: Desk, jump: float) -> None:
    desk.sync = "unsynced"
    desk.clock.jump(jump)
    desk.orders.take(_delivery(_command()))
    assert (desk.done, desk.words()) == ([0.5], [("accepted", "ok"), ("done", "ok")])


@pytest.mark.parametrize("sync", ["synced", "unsynced"])
@pytest.mark.parametrize("jump", [0, -HOUR])
def test_what_waited_for_its_whole_life_is_not_begun_however_the_clock_jumps(
    desk: Desk, sync: ClockSync, jump: float
) -> None:
    waiting: list[Order] = []
    desk.sync = sync
    desk.orders.serve({("hall", "lamp-set"): waiting.append})
    desk.orders.take(_delivery(_command()))
    desk.clock.jump(jump)
    desk.clock.advance(9.9)
    assert not waiting[0].expired()
    desk.clock.advance(0.1)
    assert waiting[0].expired()


def test_a_jump_while_one_waits_ends_nothing_where_nothing_keeps_the_clock(desk: Desk) -> None:
    waiting: list[Order] = []
    desk.orders.serve({("hall", "lamp-set"): waiting.append})
    desk.orders.take(_delivery(_command()))
    desk.clock.jump(HOUR)
    desk.sync = "unsynced"
    assert not waiting[0].expired()
    desk.sync = "synced"
    assert waiting[0].expired()


@pytest.mark.parametrize("sync", ["synced", "unsynced"])
def test_one_that_never_had_a_life_is_expired_by_any_clock(desk: Desk, sync: ClockSync) -> None:
    desk.sync = sync
    desk.clock.jump(-HOUR)
    desk.orders.take(_delivery(_command(expirytime=NOW)))
    release = _command(topic=RELEASE, expirytime=NOW - timedelta(seconds=60))
    desk.orders.take(_delivery(release, topic=RELEASE))
    assert (desk.done, desk.released) == ([], 0)
    assert desk.words() == [("expired", "expired")] * 2


@pytest.mark.parametrize("sync", ["synced", "unsynced"])
@pytest.mark.parametrize("jump", [15, HOUR, -HOUR])
def test_a_door_is_let_go_however_late_it_seems_and_once(
    desk: Desk, sync: ClockSync, jump: float
) -> None:
    desk.sync = sync
    desk.clock.jump(jump)
    delivery = _delivery(_command(topic=RELEASE), topic=RELEASE)
    desk.orders.take(delivery)
    desk.orders.take(delivery)
    assert desk.released == 1
    assert desk.words() == [("accepted", "ok"), ("done", "ok"), ("done", "ok")]


def test_a_release_that_the_ledger_may_have_forgotten_is_a_replay(desk: Desk) -> None:
    delivery = _delivery(_command(topic=RELEASE), topic=RELEASE)
    desk.orders.take(delivery)
    desk.clock.advance(KEEP.total_seconds() + 60)
    now = desk.clock.now()
    desk.orders.take(_delivery(_command(time=now, expirytime=now + timedelta(seconds=10))))
    desk.words()
    desk.orders.take(delivery)
    assert (desk.released, desk.words()) == (1, [("expired", "expired")])


def test_a_release_that_was_retained_is_never_done(desk: Desk) -> None:
    desk.orders.take(_delivery(_command(topic=RELEASE), topic=RELEASE, retain=True))
    assert (desk.released, desk.words()) == (0, [])


@pytest.mark.parametrize(
    ("changes", "topic", "retain", "reason"),
    [
        ({}, TOPIC, True, "retained"),
        ({"source": "/c001/c001-n01/cam"}, TOPIC, False, "misaddressed"),
        ({"source": "/c002/svc-command"}, TOPIC, False, "misaddressed"),
        ({"type": "linli.command.door-hold"}, TOPIC, False, "misaddressed"),
        ({}, Topic("c001", "b03", "c001-n08", "hall", "command", "lamp-set"), False, None),
        ({}, Topic("c001", "b04", "c001-n07", "hall", "command", "lamp-set"), False, None),
    ],
)
def test_what_is_not_for_us_is_dropped_and_counted(
    desk: Desk, changes: dict[str, Any], topic: Topic, retain: bool, reason: str | None
) -> None:
    desk.orders.take(_delivery(_command(**changes), topic=topic, retain=retain))
    assert (desk.done, desk.words()) == ([], [])
    assert desk.orders.dropped == {reason or "misaddressed": 1}


def test_one_that_waited_too_long_is_not_begun(desk: Desk) -> None:
    waiting: list[Order] = []
    desk.orders.serve({("hall", "lamp-set"): waiting.append})
    desk.orders.take(_delivery(_command()))
    assert not waiting[0].expired()
    desk.clock.advance(10)
    assert waiting[0].expired()
    assert desk.words() == [("accepted", "ok"), ("expired", "expired")]


def test_unknown_devices_and_commands_fail_by_name(desk: Desk) -> None:
    other = ADDRESS.topic("cellar", "command", "lamp-set")
    desk.orders.take(_delivery(_command(topic=other), topic=other))
    hold = ADDRESS.topic("hall", "command", "door-hold")
    desk.orders.take(_delivery(_command(topic=hold), topic=hold))
    assert desk.words() == [("failed", "unknown-device"), ("failed", "unknown-command")]
    assert desk.done == []


def test_what_cannot_be_written_down_is_not_begun(desk: Desk) -> None:
    desk.ledger.__exit__(None, None, None)
    desk.orders.take(_delivery(_command()))
    assert (desk.done, desk.words()) == ([], [("failed", "store")])


def test_a_door_is_let_go_though_the_disk_takes_no_id(desk: Desk) -> None:
    desk.ledger.__exit__(None, None, None)
    desk.orders.take(_delivery(_command(topic=RELEASE), topic=RELEASE))
    assert (desk.released, desk.words()) == (1, [("accepted", "ok"), ("done", "ok")])


def test_a_disk_that_fails_half_way_begins_nothing_but_a_release(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreError("commands cannot be kept (disk full)", where="commands.db")

    monkeypatch.setattr(desk.ledger, "note", full)
    desk.orders.take(_delivery(_command()))
    assert (desk.done, desk.words()) == ([], [("failed", "store")])
    desk.orders.take(_delivery(_command(topic=RELEASE), topic=RELEASE))
    assert (desk.released, desk.words()) == (1, [("accepted", "ok"), ("done", "ok")])


def test_words_that_nobody_fetches_are_bounded(desk: Desk) -> None:
    for _ in range(MOST_WORDS):
        desk.orders.take(_delivery(_command()))
    assert len(sent(desk.orders)) == MOST_WORDS
    assert desk.orders.dropped == {"words": MOST_WORDS}


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(payload=st.binary(max_size=300), topic=st.text(max_size=60))
def test_nonsense_is_counted(desk: Desk, payload: bytes, topic: str) -> None:
    before = sum(desk.orders.dropped.values())
    desk.orders.take(Delivery(topic, payload, False, 1, 1, 1))
    desk.orders.take(Delivery(str(TOPIC), payload, False, 1, 1, 1))
    assert sum(desk.orders.dropped.values()) == before + 2
    assert desk.done == []


def test_a_damaged_ledger_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "commands.db"
    path.write_bytes(b"no database at all" * 100)
    with Ledger(path) as ledger:
        assert ledger.said("x") is None
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE", b"CREATE \xb3\xb3BLE"))
    with Ledger(path) as ledger:
        assert ledger.said("x") is None
    with Ledger(tmp_path) as ledger, pytest.raises(StoreError, match="cannot be kept"):
        ledger.said("x")


def test_a_row_that_cannot_be_read_is_an_error_of_the_disk(desk: Desk, tmp_path: Path) -> None:
    command = _command()
    desk.orders.take(_delivery(command))
    with closing(sqlite3.connect(tmp_path / "commands.db", isolation_level=None)) as database:
        database.execute("UPDATE command SET ack = x'7bff'")
    with pytest.raises(StoreError, match="cannot be kept"):
        desk.ledger.said(command.id)


class Line:
    """A broker, the uplink to it, and commands that come over it."""

    def __init__(self, desk: Desk, spool: Spool) -> None:
        self.broker = FakeBroker()
        self.uplink = Uplink(
            ADDRESS,
            LinkOptions("h", 1, "x"),
            self.broker.link,
            spool,
            desk.clock,
            session="00000001",
            agent="1",
            orders=desk.orders,
        )
        self.uplink.turn(0)

    def command(self) -> None:
        self.broker.route(str(TOPIC), encode(_command()), retain=False, qos=1)

    def acks(self) -> list[str]:
        found = [one for topic, one, _ in self.broker.published if "/ack/" in topic]
        return [decode_part(one, AckMessage).data.phase for one in found]


@pytest.fixture
def line(desk: Desk, tmp_path: Path) -> Iterator[Line]:
    with Spool(tmp_path / "spool.db", desk.clock) as spool:
        yield Line(desk, spool)


def test_through_the_uplink(desk: Desk, line: Line) -> None:
    line.command()
    for _ in range(3):
        line.uplink.turn(0)
    assert (line.acks(), desk.done) == (["accepted", "done"], [0.5])


def test_words_that_the_broker_did_not_answer_are_sent_again_by_the_next_line(line: Line) -> None:
    line.command()
    line.uplink.turn(0)
    line.broker.stop()
    line.uplink.turn(0)
    line.broker.start()
    for _ in range(3):
        line.uplink.turn(0)
    assert line.acks() == ["accepted", "done"] * 2


def test_words_are_kept_where_the_line_falls_between_them(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish, tries = FakeLink.publish, []

    def falls(link: FakeLink, topic: str, payload: bytes, **more: Any) -> int:
        if "/ack/" in topic:
            tries.append(topic)
            if len(tries) == 2:
                raise LinkError("not connected", where="mqtt fake")
        return publish(link, topic, payload, **more)

    monkeypatch.setattr(FakeLink, "publish", falls)
    line.command()
    line.uplink.turn(0)
    assert line.acks() == ["accepted"]
    line.uplink.turn(0)
    line.uplink.turn(0)
    assert line.acks() == ["accepted", "done"]


def test_what_is_said_while_the_line_is_away_is_sent_when_it_is_back(
    desk: Desk, line: Line
) -> None:
    line.broker.stop()
    line.uplink.turn(0)
    desk.orders.take(_delivery(_command()))
    line.uplink.turn(0)
    assert line.acks() == []
    line.broker.start()
    line.uplink.turn(0)
    assert line.acks() == ["accepted", "done"]


def test_the_effect_goes_with_the_word_and_is_remembered(desk: Desk) -> None:
    held = Effect(held=30)
    desk.orders.serve({("hall", "lamp-set"): lambda one: one.finish("done", effect=held)})
    delivery = _delivery(_command())
    for _ in range(2):
        desk.orders.take(delivery)
    effects = [decode_part(one, AckMessage).data.effect for _, one in sent(desk.orders)]
    assert effects == [None, held, held]
