"""What `linli broker render` writes, against a real mosquitto: who may write, read, be whom."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from broker_clients import EDGE, GONE, OTHER, SITE, Client, context
from broker_house import BASE, NOW, PEOPLE, House, built, running
from brokers import NEEDS_MOSQUITTO

from linli.broker.authority import Authority
from linli.clock import SystemClock
from linli.mqtt import PahoLink, Will

pytestmark = [pytest.mark.broker, NEEDS_MOSQUITTO]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with running(built(tmp_path_factory.mktemp("passwords"), "passwords")) as made:
        yield made


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = built(tmp_path_factory.mktemp("certificates"), "certificates")
    for name in (*PEOPLE, GONE):
        made.issue(name)
    made.publish_tls()
    with running(made):
        yield made


@pytest.fixture(params=["passwords", "certificates"])
def either(request: pytest.FixtureRequest) -> Callable[..., Client]:
    name = "house" if request.param == "passwords" else "certified"
    made: House = request.getfixturevalue(name)
    return made.client if request.param == "passwords" else made.certified


def writable(name: str) -> set[str]:
    """What an identity may write, as the contract has it, of all that is tried below."""
    own = {f"{area}/{name}/cam-1/{kind}/x" for area in ("b03", "b04") for kind in FACTS}
    own |= {f"b03/{name}/self/health/status", f"b03/{name}/self/meta/x"}
    return own | {
        "svc-ingest": {f"_sys/{who}/ingest/receipt/x" for who in (EDGE, OTHER)}
        | {f"_sys/{EDGE}/ingest/reject/x", "_sys/all/ingest/health/status"},
        # It is whom requests are for, so writing one itself gains it nothing.
        "svc-command": {
            f"{area}/{who}/cam-1/command/x" for who in PEOPLE for area in ("b03", "_req")
        },
        "ha": {"_req/ha/cam-1/command/x"},
    }.get(name, set())


FACTS = ("event", "telemetry", "state", "ack", "meta")
WITHIN = sorted(
    {
        *(
            f"{area}/{who}/cam-1/{kind}/x"
            for who in PEOPLE
            for area in ("b03", "b04")
            for kind in FACTS
        ),
        *(f"b03/{who}/cam-1/command/x" for who in PEOPLE),
        *(f"b03/{who}/self/health/status" for who in PEOPLE),
        *(f"b03/{who}/cam-1/health/status" for who in PEOPLE),
        *(f"b03/{who}/self/meta/x" for who in PEOPLE),
        *(f"_req/{who}/cam-1/command/x" for who in PEOPLE),
        *(f"_sys/{who}/ingest/receipt/x" for who in (EDGE, OTHER)),
        f"_sys/{EDGE}/ingest/reject/x",
        "_sys/all/ingest/health/status",
        "_share/x/y/event/z",
        f"b03/{EDGE}/cam-1/event/x/deeper",
        f"b03/{EDGE}/cam-1/event",
        "b03/+/cam-1/event/x".replace("+", "%u"),
    }
)
BEYOND = [
    f"linli/v1/c002/b03/{EDGE}/cam-1/event/x",
    f"linli/v2/{SITE}/b03/{EDGE}/cam-1/event/x",
    f"LINLI/v1/{SITE}/b03/{EDGE}/cam-1/event/x",
    f"/linli/v1/{SITE}/b03/{EDGE}/cam-1/event/x",
    "homeassistant/sensor/x/config",
    "$CONTROL/dynamic-security/v1",
    "$SYS/broker/version",
]


@pytest.mark.parametrize("name", PEOPLE)
def test_each_writes_what_is_its_own_and_nothing_else(
    either: Callable[..., Client], name: str
) -> None:
    witness = either("svc-ingest", hears=(f"{BASE}/#",)).up() if name != "svc-ingest" else None
    client = either(name).up()
    taken = {topic for topic in WITHIN if client.says(f"{BASE}/{topic}") is None}
    beyond = [topic for topic in BEYOND if client.says(topic) is None]
    assert (taken & set(WITHIN), beyond) == (writable(name) & set(WITHIN), [])
    assert client.downs == 0
    if witness is not None:
        witness.caught_up()
        seen = {topic for topic, _ in witness.heard}
        assert seen - {f"{BASE}/b03/svc-ingest/self/health/report"} == {
            f"{BASE}/{topic}" for topic in taken
        }
        witness.link.close()
    client.link.close()


def readable(name: str, topic: str) -> bool:
    """What an identity may read, as the contract has it."""
    told = any(part in topic for part in ("/event/", "/state/", "self/health/status"))
    special = {
        "svc-ingest": True,
        "svc-command": "/ack/" in topic or topic.startswith("_req/"),
        "ha": told,
        "pm-b03": told and topic.startswith("b03/"),
    }
    everybody = topic == "_sys/all/ingest/health/status" or topic.startswith(f"_sys/{name}/")
    return special.get(name, False) or everybody or f"/{name}/cam-1/command/" in topic


@pytest.mark.parametrize(
    "filters", [("#", "$SYS/#"), ("$share/g/#", f"{BASE}/#")], ids=["all", "shared"]
)
def test_each_reads_what_is_meant_for_it_and_nothing_else(
    either: Callable[..., Client], filters: tuple[str, ...]
) -> None:
    clients = {name: either(name, hears=filters).up() for name in PEOPLE}
    sent = [(name, topic) for name in PEOPLE for topic in sorted(writable(name))]
    for name, topic in sent:
        assert clients[name].says(f"{BASE}/{topic}") is None
    for client in clients.values():
        client.caught_up()
    for name, client in clients.items():
        heard = {topic for topic, _ in client.heard if not topic.endswith("self/health/report")}
        assert heard == {f"{BASE}/{one}" for _, one in sent if readable(name, one)}, name
        client.link.close()


@pytest.mark.parametrize("name", PEOPLE)
def test_anonymous_and_wrong_passwords_are_refused(house: House, name: str) -> None:
    assert house.client(name, username=None, password=None).refused()
    assert house.client(name, password="admin").refused()
    assert house.client(name, username="admin", password="admin").refused()


def test_a_connection_without_tls_is_refused(house: House, certified: House) -> None:
    for one in (house, certified):
        assert Client(one.port, EDGE, username=EDGE, password="x").refused()


def test_an_empty_client_id_is_refused(house: House) -> None:
    secret = (house.folder / "secrets" / EDGE).read_text().strip()
    assert house.client("", username=EDGE, password=secret).refused()


def test_no_certificate_and_a_stranger_s_are_refused(certified: House, tmp_path: Path) -> None:
    assert certified.client(EDGE).refused()
    stranger = Authority(tmp_path / "ca")
    stranger.create("Linli test", NOW)
    issued = stranger.issue(EDGE, NOW, days=1)
    (tmp_path / "client.crt").write_bytes(issued.certificate)
    (tmp_path / "client.key").write_bytes(issued.key)
    tls = context(certified.folder / "tls/ca.crt", tmp_path)
    assert certified.client(EDGE, tls=tls).refused()


def test_the_broker_s_own_certificate_is_nobody_s(certified: House, tmp_path: Path) -> None:
    for name in ("crt", "key"):
        data = (certified.folder / f"tls/server.{name}").read_bytes()
        (tmp_path / f"client.{name}").write_bytes(data)
    tls = context(certified.folder / "tls/ca.crt", tmp_path)
    assert certified.client("broker", tls=tls).refused()


def test_a_certificate_counts_more_than_the_name_that_is_claimed(certified: House) -> None:
    client = certified.certified(OTHER, username=EDGE, password="x").up()
    assert client.says(f"{BASE}/b03/{EDGE}/cam-1/event/x") == "Not authorized"
    assert client.says(f"{BASE}/b03/{OTHER}/cam-1/event/x") is None


def test_nobody_pushes_another_off_by_its_client_id(either: Callable[..., Client]) -> None:
    victim = either(EDGE).up()
    thief = either(OTHER)
    thief.link.close()
    stolen = dataclasses.replace(thief.link._options, client_id=EDGE)
    thief.link = PahoLink(stolen, thief, SystemClock())
    thief.until(lambda: thief.ups)
    assert thief.says(f"{BASE}/b03/{EDGE}/cam-1/event/x") == "Not authorized"
    assert victim.caught_up().downs == 0
    assert victim.ups == 1
    victim.link.close()


@pytest.mark.parametrize(
    ("topic", "heard"),
    [
        (f"{BASE}/b03/{OTHER}/self/health/status", False),
        (f"{BASE}/b03/{OTHER}/cam-1/command/door-hold", False),
        (f"{BASE}/_sys/all/ingest/health/status", False),
        (f"{BASE}/b03/{EDGE}/self/health/status", True),
    ],
    ids=["other", "command", "ingest", "own"],
)
def test_a_forged_will_is_dropped(either: Callable[..., Client], topic: str, heard: bool) -> None:
    witness = either("svc-ingest", hears=(f"{BASE}/#",)).up()
    dying = either(EDGE, will=Will(topic, b"will", delay=0)).up()
    assert dying.link._tap is not None
    dying.link._tap.close()  # no goodbye
    if heard:
        witness.until(lambda: (topic, b"will") in witness.heard)
        assert either(EDGE).up().says(topic, b"", retain=True) is None
        return
    # Its next connection ends the old one for good; what the broker had to say is said by then.
    assert either(EDGE).up().says(f"{BASE}/b03/{EDGE}/cam-1/event/after") is None
    witness.until(lambda: any(topic.endswith("event/after") for topic, _ in witness.heard))
    assert b"will" not in {payload for _, payload in witness.heard}


@pytest.mark.parametrize(("size", "taken"), [(60_000, True), (70_000, False)])
def test_a_message_that_is_too_large_ends_only_its_sender(
    house: House, size: int, taken: bool
) -> None:
    witness = house.client("svc-ingest", hears=(f"{BASE}/#",)).up()
    client = house.client(EDGE).up()
    topic = f"{BASE}/b03/{EDGE}/cam-1/event/large"
    token = client.link.publish(topic, b"x" * size)
    client.until(lambda: token in client.answers or client.downs)
    assert (client.downs == 0) is taken
    witness.caught_up()
    assert any(one == topic for one, _ in witness.heard) is taken
    assert witness.downs == 0


def test_commands_that_others_write_reach_nobody(either: Callable[..., Client]) -> None:
    edge = either(EDGE, hears=(f"{BASE}/+/{EDGE}/+/command/+",)).up()
    topic = f"{BASE}/b03/{EDGE}/cam-1/command/door-hold"
    for name in (OTHER, "ha", "pm-b03", "svc-ingest"):
        client = either(name).up()
        assert client.says(topic, b"forged") == "Not authorized"
        assert client.says(topic, b"forged", retain=True) == "Not authorized"
        client.link.close()
    assert edge.says(topic, b"forged") == "Not authorized"
    sender = either("svc-command").up()
    assert sender.says(topic, b"true") is None
    edge.until(lambda: edge.heard)
    assert edge.heard == [(topic, b"true")]


def test_a_retired_edge_may_nothing(house: House, certified: House) -> None:
    assert GONE not in (house.folder / "passwords").read_text()
    assert house.client(GONE, password="x").refused()
    client = certified.certified(GONE, hears=("#",)).up()
    for topic in sorted(writable(GONE)):
        assert client.says(f"{BASE}/{topic}") == "Not authorized"
    assert client.heard == []
