"""Who is not let in by the broker: the log's lines, then a real mosquitto that tells of it."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from broker_clients import EDGE, OTHER, Client
from broker_house import BASE, House, built, running, until
from brokers import NEEDS_MOSQUITTO
from click.testing import CliRunner
from house import ADMIN, NOON, STAFF

from ingest.audit import book as audit
from ingest.consumers.broker_watch import MOST_ADDRESSES, USER, WatchJob, watch_of
from ingest.doctor import door as doctor
from ingest.doctor.sources import opened
from ingest.door import book
from ingest.door.book import MOST_STRANGERS, ROWS_AN_HOUR
from ingest.door.log import MOST_KNOCKING, Door, Refusal
from ingest.refusal import NotAllowed
from ingest.services.joining import JoiningService
from ingest.settings import IngestSettings, load_settings
from ingest.store.choose import database_of
from ingest.store.engine import writing
from linli.cli.broker.keep import Owed
from linli.cli.broker.keep import look as keep
from linli.cli.ingest import command as ingest
from linli.cli.ingest.folder import state
from linli.clock import ManualClock, SystemClock
from linli.errors import LinkError, StoreError
from linli.mqtt import Delivery, FakeBroker, LinkOptions


def heard(*lines: str) -> list[Refusal]:
    door = Door()
    return [one for one in map(door.read, lines) if one is not None]


def new(host: str, port: int = 4000) -> str:
    return f"1795344619: New connection from {host}:{port} on port 8883."


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1: Client c001-n01 disconnected, not authorised.", "name"),
        ("1: Client <unknown> disconnected, not authorised.", "name"),
        ("1: Client <unknown> disconnected due to protocol error.", "protocol"),
        ("1: Client <unknown> disconnected due to malformed packet.", "protocol"),
        ("1: Client <unknown> disconnected: Protocol error.", "tls"),
    ],
)
def test_the_address_is_that_of_who_knocked(line: str, reason: str) -> None:
    assert heard(new("203.0.113.9"), line) == [Refusal("203.0.113.9", reason)]
    assert heard(line) == [Refusal("", reason, sure=False)]


@pytest.mark.parametrize(
    ("line", "host"),
    [
        ("1: Client connection from 203.0.113.9 failed: error:0A00010B:SSL::wrong.", "203.0.113.9"),
        ("1: Client connection from 203.0.113.9:9 failed: error:0A0000C7:SSL::peer", "203.0.113.9"),
        ("Client connection from 2001:db8::7 failed: error:0A00009C:http request.", "2001:db8::7"),
    ],
)
def test_a_handshake_that_failed_names_its_address(line: str, host: str) -> None:
    assert heard(line) == [Refusal(host, "tls")]


@pytest.mark.parametrize(
    "line",
    [
        "1: Client connection from 10.0.0.1 failed: error:0A000126:SSL::unexpected eof while read",
        "1: Client c001-n01 closed its connection.",
        "1: Client c001-n01 disconnected due to protocol error.",
        "1: Client c001-n01 disconnected.",
        "1: mosquitto version 2.0.11 running",
        "",
        "\x00\ufffd",
    ],
)
def test_what_is_no_refusal(line: str) -> None:
    assert heard(line) == []


@pytest.mark.parametrize(
    ("before", "said", "wanted"),
    [
        ("wrong version number", "Protocol error", "tls"),
        ("unexpected eof while reading", "Protocol error", None),
        (None, "protocol error", "protocol"),
    ],
)
def test_the_newer_mosquitto_calls_who_has_no_name_by_the_address(
    before: str | None, said: str, wanted: str | None
) -> None:
    error = [f"1: OpenSSL Error while reading[0]: error:0A00010B:SSL::{before}"] if before else []
    line = f"1: Client 203.0.113.9 [203.0.113.9:4000] disconnected: {said}."
    told = heard(new("203.0.113.9"), *error, line, line)
    assert told == ([Refusal("203.0.113.9", wanted)] if wanted else [])


def test_the_newer_mosquitto_names_the_address_itself() -> None:
    line = "1: Client c001-n01 [203.0.113.9:4000] disconnected: not authorised."
    assert heard(new("10.0.0.1"), new("203.0.113.9"), line) == [Refusal("203.0.113.9", "name")]


def test_no_name_that_a_client_gives_itself_is_taken_for_an_address() -> None:
    name = "x [10.9.9.9:1] disconnected: not authorised."
    line = f"1: Client {name} disconnected, not authorised."
    assert heard(new("203.0.113.9"), line) == [Refusal("203.0.113.9", "name")]
    line = f"1: Client {name} [203.0.113.9:4000] disconnected: not authorised."
    assert heard(new("203.0.113.9"), line) == [Refusal("203.0.113.9", "name")]
    forged = "Client New connection from 10.9.9.9:1 on port 8883. disconnected, not authorised."
    assert heard(new("203.0.113.9"), forged) == [Refusal("203.0.113.9", "name")]


FORGED = "connection from 10.9.9.9 failed: error:0A000126:SSL::x"


@pytest.mark.parametrize(
    "name",
    [
        "connection from 10.9.9.9 failed: x",
        "connection from 10.9.9.9 failed: unexpected eof",
        FORGED,
        "<unknown> has exceeded timeout, disconnecting.",
        "<unknown> [10.9.9.9:1] disconnected due to protocol error.",
    ],
)
def test_no_name_puts_in_an_address_or_hides_its_own(name: str) -> None:
    line = f"1: Client {name} disconnected, not authorised."
    assert heard(new("203.0.113.9"), line) == [Refusal("203.0.113.9", "name")]


@pytest.mark.parametrize(
    "name", [FORGED, "<unknown> [10.9.9.9:1]", "<unknown> [10.9.9.9:1] disconnected due to x"]
)
def test_no_name_of_who_breaks_the_protocol_puts_in_an_address(name: str) -> None:
    line = f"1: Client {name} disconnected due to protocol error."
    told = heard(new("203.0.113.9"), line)
    assert {one.address for one in told} <= {"203.0.113.9"}


def test_the_newer_mosquitto_names_who_has_no_name_yet() -> None:
    line = "1: Client <unknown> [203.0.113.9:4000] disconnected: protocol error."
    (one,) = heard(new("203.0.113.9"), new("10.0.0.1"), line)
    assert (one.address, one.sure) == ("203.0.113.9", True)


def test_when_two_knock_nobody_says_for_sure_which_was_meant() -> None:
    out = "1: Client <unknown> disconnected, not authorised."
    assert heard(new("10.0.0.1"), new("10.0.0.2"), out)[0].sure is False
    inside = "1: New client connected from 10.0.0.1:4000 as c001-n01 (p5, c1, k30, u'c001-n01')."
    assert heard(new("10.0.0.1"), inside, new("10.0.0.2"), out) == [Refusal("10.0.0.2", "name")]


def test_who_only_knocks_fills_no_memory() -> None:
    door = Door()
    for number in range(MOST_KNOCKING * 2):
        door.read(new("10.0.0.1", number))
    assert len(door._knocking) == MOST_KNOCKING


@pytest.fixture
def settings(tmp_path: Path) -> IngestSettings:
    file = tmp_path / "ingest.toml"
    file.write_text('[site]\nid = "c001"\nlabel = "x"\n[watch]\nenabled = true\n')
    return load_settings(file)


@pytest.fixture
def job(settings: IngestSettings) -> Iterator[tuple[WatchJob, ManualClock]]:
    database, clock = database_of(settings), ManualClock(NOON)
    database.prepare()
    writer = database.writer("state")
    options = LinkOptions(host="x", port=1, client_id=USER)
    made = WatchJob(options, writer=writer, clock=clock, make_link=FakeBroker().link)
    yield made, clock
    made.close()
    writer.dispose()


def say(job: WatchJob, topic: str, *lines: str) -> None:
    for line in lines:
        job.on_message(Delivery(f"$SYS/broker/{topic}", line.encode(), False, 1, 1, 1))


def turned_away(job: WatchJob, host: str, times: int = 1) -> None:
    for _ in range(times):
        say(job, "log/N", new(host), "1: Client x disconnected, not authorised.")


def test_all_are_counted_and_few_written_down(
    job: tuple[WatchJob, ManualClock], settings: IngestSettings
) -> None:
    watch, clock = job
    turned_away(watch, "203.0.113.9", 500)
    say(watch, "retained messages/count", "40", "41")
    say(watch, "retained messages/count", "many", "-1")
    watch.step()
    for number in range(MOST_ADDRESSES + 5):
        turned_away(watch, f"10.{number >> 8}.{number & 255}.1")
    clock.advance(10)
    watch.step()
    with state(settings) as connection:
        seen = book.sight(connection, clock.now())
        rows = audit.page(connection, before=None, limit=200, acts=(book.ACT,))
    assert seen.refused == {"name": 500 + MOST_ADDRESSES + 5, "tls": 0, "protocol": 0} | {
        "unwritten": 5
    }
    assert (seen.retained, seen.flooded) == (41, False)
    assert len(rows) == 100
    assert rows[-1].actor == "nobody:"
    assert (rows[-1].subject, rows[-1].detail) == (
        "203.0.113.9",
        {"reason": "name", "times": 500, "sure": True},
    )
    assert seen.strangers[-1].times == 500
    with state(settings) as connection:
        later = book.sight(connection, clock.now() + timedelta(days=1))
    assert later.strangers == ()


def test_the_doctor_says_who_tries_and_that_a_box_floods(
    job: tuple[WatchJob, ManualClock], settings: IngestSettings
) -> None:
    watch, clock = job
    with opened(settings, clock.now()) as sources:
        assert [one.code for one in doctor.look(sources) if one.level != "ok"] == [
            "broker-unwatched"
        ]
    turned_away(watch, "203.0.113.9", 12)
    say(watch, "retained messages/count", "100000")
    watch.step()
    with opened(settings, clock.now()) as sources:
        found = {one.code: one for one in doctor.look(sources)}
    assert set(found) == {"broker-strangers", "broker-retained"}
    assert "12 times in a day, from 203.0.113.9" in found["broker-strangers"].what
    assert "retains 100000 messages, this community needs at most 1000" in (
        found["broker-retained"].what
    )


def test_a_broker_that_has_nothing_new_to_say_is_heard(
    job: tuple[WatchJob, ManualClock], settings: IngestSettings
) -> None:
    watch, clock = job
    for _ in range(10):
        watch.step()
        clock.advance(60)
    with opened(settings, clock.now()) as sources:
        assert [one.code for one in doctor.look(sources) if one.level != "ok"] == []
    watch._link.cut()
    clock.advance(181)
    with opened(settings, clock.now()) as sources:
        (found,) = [one for one in doctor.look(sources) if one.level != "ok"]
    assert (found.code, found.since) == ("broker-unwatched", clock.now() - timedelta(seconds=241))


def test_what_could_not_be_written_down_costs_nothing_and_comes_once(
    job: tuple[WatchJob, ManualClock], settings: IngestSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch, clock = job
    turned_away(watch, "203.0.113.9", 3)
    with monkeypatch.context() as patch:
        patch.setattr(book, "add", _full)
        for _ in range(2 * ROWS_AN_HOUR):
            with pytest.raises(StoreError):
                watch.step()
            clock.advance(5)
    for number in range(ROWS_AN_HOUR):
        turned_away(watch, f"10.0.{number}.1")
    for _ in range(2):
        watch.step()
        clock.advance(5)
    with state(settings) as connection:
        seen = book.sight(connection, clock.now())
    assert seen.strangers[-1].address == "203.0.113.9"
    assert (seen.tries, len(seen.strangers)) == (ROWS_AN_HOUR + 2, ROWS_AN_HOUR)


def _full(*_: object) -> None:
    raise StoreError("database or disk is full")


def test_all_tries_of_a_day_count_and_the_latest_addresses_are_named(
    settings: IngestSettings,
) -> None:
    database = database_of(settings)
    database.prepare()
    writer = database.writer("state")
    with writing(writer) as connection:
        for number in range(MOST_STRANGERS + 50):
            book.note(connection, f"10.0.{number}.1", "name", NOON, times=3, sure=True)
        seen = book.sight(connection, NOON)
    writer.dispose()
    assert seen.tries == 3 * (MOST_STRANGERS + 50)
    assert len(seen.strangers) == MOST_STRANGERS
    assert seen.strangers[0].address == f"10.0.{MOST_STRANGERS + 49}.1"


def test_only_administrators_see_who_tried(settings: IngestSettings) -> None:
    database = database_of(settings)
    database.prepare()
    reader, writer = database.reader("state"), database.writer("state")
    joining = JoiningService(reader, writer, settings.broker, "c001")
    with writing(writer) as connection:
        book.note(connection, "", "tls", NOON, times=1, sure=False)
    (one,) = joining.broker(ADMIN, NOON).strangers
    assert (one.address, one.reason, one.sure) == ("?", "tls", False)
    with pytest.raises(NotAllowed):
        joining.broker(STAFF, NOON)
    for engine in (reader, writer):
        engine.dispose()


@contextlib.contextmanager
def watched(house: House) -> Iterator[WatchJob]:
    """The watcher of a real broker, as `[watch]` sets it up."""
    with house.config.open("a") as more:
        more.write(
            f'[mqtt]\nhost = "localhost"\nport = {house.port}\nca_file = "broker/tls/ca.crt"\n'
            f'[watch]\nenabled = true\nusername = "{USER}"\n'
            f'password_file = "broker/secrets/{USER}"\n'
        )
    with running(house):
        settings = load_settings(house.config)
        writer = database_of(settings).writer("state")
        (runner,) = watch_of(settings, writer, SystemClock())
        job = runner._job
        assert isinstance(job, WatchJob)
        until(lambda: job.step() and job._link.connected)
        yield job
        job.close()
        writer.dispose()


@pytest.fixture
def house(tmp_path: Path) -> House:
    return built(tmp_path, "passwords")


def look(house: House, job: WatchJob) -> book.Sight:
    job._due = 0.0
    job.step()
    with state(load_settings(house.config)) as connection:
        return book.sight(connection, SystemClock().now())


@pytest.mark.broker
@NEEDS_MOSQUITTO
def test_a_real_broker_tells_who_knocks(house: House) -> None:
    with watched(house) as job:
        assert house.client(EDGE, username=None, password=None).refused()
        assert house.client(EDGE, password="admin").refused()
        secret = (house.folder / "secrets" / EDGE).read_text().strip()
        assert house.client("", username=EDGE, password=secret).refused()
        assert Client(house.port, EDGE, username=EDGE, password="x").refused()  # without TLS
        socket.create_connection(("127.0.0.1", house.port)).close()  # looks whether it is open
        wanted = {"name": 2, "tls": 1, "protocol": 1, "unwritten": 0}
        until(lambda: look(house, job).refused == wanted)
        (one,) = look(house, job).strangers
        assert (one.address, one.times, one.sure) == ("127.0.0.1", 4, True)


@pytest.mark.broker
@NEEDS_MOSQUITTO
@pytest.mark.parametrize(
    "many", [1500, pytest.param(100_000, marks=(pytest.mark.full, pytest.mark.timeout(900)))]
)
def test_a_box_that_floods_is_seen_and_shut_out_within_a_minute(house: House, many: int) -> None:
    with watched(house) as job:
        edge = house.client(EDGE).up()
        for begin in range(0, many, 500):
            for number in range(begin, begin + 500):
                topic = f"{BASE}/b03/{EDGE}/cam-1/state/s{number}"
                edge.link.publish(topic, b"x" * 200, retain=True)
            edge.until(lambda: len(edge.answers) == 500 or edge.downs)
            assert set(edge.answers.values()) == {None}
            edge.answers.clear()  # tokens come again after 65,535
            if begin % 5000 == 0:
                job.step()
        until(lambda: look(house, job).flooded)
        assert house.process is not None
        status = Path(f"/proc/{house.process.pid}/status").read_text()
        (resident,) = re.findall(r"VmRSS:\s+(\d+) kB", status)
        assert int(resident) * 1024 < 536870912, "memory_limit of the rendered configuration"

        other = house.client(OTHER).up()
        began = time.monotonic()
        words = ["node", "shut-out", EDGE, "--yes", "--config", str(house.config)]
        assert CliRunner().invoke(ingest, words).exit_code == 0
        keep(load_settings(house.config), _hang_up(house), days=365, owed=Owed())
        edge.until(lambda: edge.downs)
        assert time.monotonic() - began < 60
        assert house.client(EDGE, password="x").refused()
        assert other.says(f"{BASE}/b03/{OTHER}/cam-1/event/x") is None
        assert other.downs == 0


@pytest.mark.broker
@NEEDS_MOSQUITTO
def test_a_full_memory_ends_nothing_but_what_is_new(house: House) -> None:
    with running(house):
        conf = house.folder / "mosquitto.conf"
        conf.write_text(conf.read_text().replace("536870912", "2000000"))
        assert house.process is not None
        house.process.kill()
        house.process.wait()
    house.clients.clear()
    with running(house, render=False):
        edge = house.client(EDGE).up()
        number = 0
        while not edge.downs and not any(edge.answers.values()):
            assert number < 20_000, "memory_limit does not hold"
            topic = f"{BASE}/b03/{EDGE}/cam-1/state/s{number}"
            with contextlib.suppress(LinkError):
                edge.link.publish(topic, b"x" * 1000, retain=True)
            edge.link.step(0.001)
            number += 1
        assert house.process is not None
        assert house.process.poll() is None


def _hang_up(house: House) -> list[str]:
    assert house.process is not None
    return ["kill", "-HUP", str(house.process.pid)]
