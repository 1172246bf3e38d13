"""Boxes that join: a real ingest, mosquitto, keeper and edge; then the codes, by themselves."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from broker_clients import EDGE
from broker_house import House, built
from brokers import NEEDS_MOSQUITTO
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec
from house import ADMIN, NODE, NOON, SITE, STAFF, Folder
from joiners import CLOCK, NEW, Box, community, join, streams, wait

from edge import identity
from edge.agent.build import link_options
from edge.identity import proof_of
from edge.settings import load_settings as load_edge
from edge.upload import open_client
from ingest.app import create_app
from ingest.audit import book as audit
from ingest.broker_settings import Broker
from ingest.joining import book
from ingest.joining import code as codes
from ingest.refusal import Clash, Gone, NotAllowed, NotThere, NotUsable
from ingest.registry import add_device
from ingest.services.joining import JoiningService
from ingest.settings import load_settings
from ingest.store.engine import writing
from linli.broker.authority import Authority
from linli.cli.broker import command as broker
from linli.cli.broker.keep import Owed, look
from linli.cli.edge.command import command as edge
from linli.cli.ingest.folder import state
from linli.errors import InputError, LinkError


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = built(tmp_path, "certificates")
    for path in (made.folder / "tls").iterdir():
        path.unlink()
    for words in (["ca", "--host", "localhost", "--host", "127.0.0.1"], ["issue", "svc-ingest"]):
        done = CliRunner().invoke(broker, [*words, "--config", str(made.config)])
        assert done.exit_code == 0, done.output
    mine = made.folder / "clients/svc-ingest"
    with made.config.open("a") as more:
        more.write(
            f'[mqtt]\nhost = "localhost"\nport = {made.port}\nca_file = "{mine}/ca.crt"\n'
            f'cert_file = "{mine}/client.crt"\nkey_file = "{mine}/client.key"\n'
        )
    return made


@pytest.mark.broker
@NEEDS_MOSQUITTO
def test_a_box_joins_is_replaced_renews_itself_and_is_shut_out(
    house: House, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    with community(house) as (web, joining):
        code = joining.invite(ADMIN, NEW, CLOCK.now(), area="b07", label="七号楼").secret
        done = join(first, web, code.lower().replace("-", " "))
        assert done.exit_code == 0, done.output
        assert {one.name for one in first.iterdir() if one.stat().st_mode & 0o077} == {"edge.toml"}
        with state(load_settings(house.config)) as connection:
            add_device(connection, node_name=NEW, name="cam-1", kind="camera", label="x")
        old = Box(first)
        old.deliver(3)
        assert join(second, web, code).exception is not None, "a code is good once"
        assert list(second.iterdir()) == []

        again = joining.invite(ADMIN, NEW, CLOCK.now()).secret
        done = join(second, web, again)
        assert done.exit_code == 0, done.output
        new = Box(second)
        new.deliver(2)
        stored = streams(load_settings(house.config))
        assert sorted((node, kept) for (node, _), kept in stored.items()) == [
            (NEW, [1, 2]),
            (NEW, [1, 2, 3]),
        ]
        with open_client() as client:
            dead = proof_of(old.settings, client)
            assert dead is not None
            with pytest.raises(LinkError, match="401"):
                dead.ask()
            renewal = proof_of(new.settings, client)
            assert renewal is not None
            assert not renewal.due(datetime.now(UTC) + timedelta(days=200))
            assert renewal.due(datetime.now(UTC) + timedelta(days=250))
            before = (second / "mqtt.pem").read_bytes()
            wait(renewal.ask, lambda: time.sleep(0.05))
            assert (second / "mqtt.pem").read_bytes() != before
        assert house.client(NEW, tls=link_options(old.settings).tls).refused()

        live = house.client(NEW, tls=link_options(load_edge(second / "edge.toml")).tls).up()
        topic = f"linli/v1/c001/b07/{NEW}/cam-1/event/zone-dwell"
        assert live.says(topic, b"{}") is None
        joining.shut_out(ADMIN, NEW, CLOCK.now())
        wait(lambda: live.says(topic, b"{}") is not None, lambda: None)
        assert house.client(NEW, tls=link_options(new.settings).tls).refused()
        (box,) = joining.boxes(ADMIN)
        assert (box.node, box.label, box.kind, box.refused) == (NEW, "七号楼", "revoke", None)


@pytest.fixture
def joining(tmp_path: Path) -> Iterator[JoiningService]:
    folder = Folder(tmp_path)
    yield create_app(folder.settings).state.services.joining
    folder.close()


KEY = "k" * 40


def test_a_code_is_good_once_for_one_box_and_not_for_long(joining: JoiningService) -> None:
    made = joining.invite(ADMIN, NEW, NOON, area="b07", hours=2)
    late = NOON + timedelta(hours=2)
    with pytest.raises(Gone):
        joining.join(made.secret, KEY, "192.0.2.1", late)
    told = joining.join(made.secret, KEY, "192.0.2.1", NOON)
    assert (told.node, told.area, told.ca) == (NEW, "b07", None)
    assert joining.join(made.secret, KEY, "192.0.2.1", NOON) == told, "its answer was lost"
    with pytest.raises(Gone):
        joining.join(made.secret, "other" * 8, "192.0.2.1", NOON)
    assert joining.codes(ADMIN, NOON) == ()
    one = joining.invite(ADMIN, "c001-n10", NOON, area="b07")
    two = joining.invite(ADMIN, "c001-n10", NOON, area="b07")
    with pytest.raises(Gone):
        joining.join(one.secret, KEY, "192.0.2.1", NOON)
    joining.withdraw(ADMIN, two.id, NOON)
    with pytest.raises(Gone):
        joining.join(two.secret, KEY, "192.0.2.1", NOON)
    with pytest.raises(NotThere):
        joining.withdraw(ADMIN, two.id, NOON)


def test_who_guesses_codes_is_locked_out_and_written_down(joining: JoiningService) -> None:
    right = joining.invite(ADMIN, NEW, NOON, area="b07")
    for _ in range(10):
        with pytest.raises(Gone):
            joining.join(codes.fresh(), KEY, "198.51.100.7", NOON)
    with pytest.raises(Gone):
        joining.join(right.secret, KEY, "198.51.100.7", NOON)
    assert joining.join(right.secret, KEY, "192.0.2.1", NOON).node == NEW


@pytest.mark.parametrize(
    ("node", "words", "where"),
    [
        ("C001", {"area": "b07"}, "node"),
        ("svc-command", {"area": "b07"}, "node"),
        (NEW, {}, "area"),
        (NEW, {"area": "b07", "hours": 169}, "hours"),
        (NEW, {"area": "b07", "label": "\n"}, "label"),
        (NODE, {"area": "b99"}, "area"),
    ],
    ids=["node", "service", "area", "hours", "label", "elsewhere"],
)
def test_what_cannot_be_is_no_invitation(
    joining: JoiningService, node: str, words: dict[str, Any], where: str
) -> None:
    with pytest.raises(NotUsable) as refused:
        joining.invite(ADMIN, node, NOON, **words)
    assert refused.value.where == where
    for deed in (
        lambda: joining.invite(STAFF, NEW, NOON, area="b07"),
        lambda: joining.shut_out(STAFF, NODE, NOON),
        lambda: joining.codes(STAFF, NOON),
    ):
        with pytest.raises(NotAllowed):
            deed()


def test_requests_are_bounded_and_a_revoked_key_stays_revoked(joining: JoiningService) -> None:
    for bad in ("", "x", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"):
        with pytest.raises(NotUsable):
            joining.certificate(NODE, bad, NOON)
    with pytest.raises(NotUsable, match="P-256"):
        joining.certificate(NODE, _request(ec.SECP384R1()), NOON)
    mine = [_request() for _ in range(6)]
    assert joining.certificate(NODE, mine[0], NOON).certificate is None
    joining.shut_out(ADMIN, NODE, NOON)
    with pytest.raises(Clash, match="revoked"):
        joining.certificate(NODE, mine[0], NOON)
    for one in mine[1:5]:
        joining.certificate(NODE, one, NOON)
        joining.certificate(NODE, one, NOON)
    with pytest.raises(Clash, match="too many"):
        joining.certificate(NODE, mine[5], NOON)
    joining.certificate(NODE, mine[5], NOON + timedelta(days=1))


def _request(curve: ec.EllipticCurve | None = None) -> str:
    """A request as a box makes it; the name in it is not believed."""
    return identity._request("anybody", ec.generate_private_key(curve or ec.SECP256R1()))


@pytest.mark.parametrize(
    ("server", "rule"),
    [
        (None, "say where"),
        ("ftp://x", "no address"),
        ("http://203.0.113.9", "shows the code"),
    ],
    ids=["none", "scheme", "plain"],
)
def test_a_box_joins_nowhere_unsafe(tmp_path: Path, server: str | None, rule: str) -> None:
    words = ["init", "--join", "ABCD", "--config", str(tmp_path / "edge.toml")]
    done = CliRunner().invoke(edge, [*words, *(["--server", server] if server else [])])
    assert isinstance(done.exception, InputError)
    assert rule in str(done.exception)
    assert list(tmp_path.iterdir()) == []


def test_the_keeper_signs_once_and_for_edges_alone(house: House) -> None:
    settings, now = load_settings(house.config), CLOCK.now()
    authority, owed = Authority(house.folder / "ca"), Owed()
    with state(settings) as connection:
        for node in (EDGE, "svc-command"):
            book.ask(connection, node, "issue", now, public=node, request=_request())
        book.ask(connection, EDGE, "revoke", now)
        book.ask(connection, EDGE, "issue", now, public="next", request=_request())
    for _ in range(3):
        with pytest.raises(InputError, match="--reload"):
            look(settings, ["false"], days=365, owed=owed)
    with state(settings) as connection:
        assert len(book.undone(connection, 9)) == 4, "the broker was never told"
    look(settings, ["true"], days=365, owed=owed)
    with state(settings) as connection:
        assert book.undone(connection, 9) == ()
        (forged,) = book.tasks_of(connection, "svc-command")
        last = book.tasks_of(connection, EDGE)[-1]
        rows = audit.page(connection, before=None, limit=9)
    assert (forged.certificate, forged.refused) == (None, "it is no edge in use")
    kept = [(one.actor, one.act, one.subject) for one in rows[::-1] if one.actor == "keeper:"]
    assert kept == [
        ("keeper:", "broker-rendered", "acl.conf, mosquitto.conf"),
        ("keeper:", "certificate-signed", EDGE),
        ("keeper:", "certificate-refused", "svc-command"),
        ("keeper:", "certificate-revoked", EDGE),
        ("keeper:", "certificate-signed", EDGE),
    ]
    mine = [one.revoked is None for one in authority.entries() if one.name == EDGE]
    assert mine == [False, True]
    assert last.certificate is not None


def test_many_boxes_are_asked_for_at_once(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    reader = folder.reader("state")
    with writing(folder.state) as connection:
        for number in range(20):
            book.ask(connection, f"c001-n{number:02}", "revoke", NOON)
    asked: list[str] = []
    sa.event.listen(reader, "before_cursor_execute", lambda *said: asked.append(said[2]))
    found = JoiningService(reader, folder.state, Broker(), SITE).boxes(ADMIN)
    assert len(found) == 20
    assert {one.node: one.label for one in found}[NODE] == "3 号楼"
    assert len([one for one in asked if one.startswith("SELECT")]) == 2
    folder.close()
