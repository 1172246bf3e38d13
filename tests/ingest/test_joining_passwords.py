"""Boxes that join where the broker takes passwords: real ingest, mosquitto, keeper and edge."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import httpx2
import pytest
from broker_clients import EDGE
from broker_house import House, built, retire, running
from brokers import NEEDS_MOSQUITTO
from click.testing import CliRunner
from fastapi.testclient import TestClient
from house import ADMIN, NODE, NODE_KEY, NOON, SITE, Folder
from joiners import CLOCK, NEW, Box, community, join, streams
from served import served

from edge.agent.build import link_options
from edge.identity import Passwords, proof_of
from edge.upload import open_client
from ingest.app import create_app
from ingest.audit import book as audit
from ingest.joining import book
from ingest.refusal import Clash, NotUsable
from ingest.registry import add_device
from ingest.services.joining import JoiningService
from ingest.settings import load_settings
from linli.broker.passwords import fits, is_digest, password_hash
from linli.cli.broker import command as broker
from linli.cli.broker import keep as keeper
from linli.cli.broker.keep import Owed, look
from linli.cli.edge.command import command as edge
from linli.cli.ingest.folder import state
from linli.errors import InputError, LinkError, StoreError
from linli.mqtt import LinkOptions, PahoLink

GOOD = password_hash("x" * 43)


@pytest.fixture
def house(tmp_path: Path) -> House:
    (tmp_path / "server").mkdir()
    made = built(tmp_path / "server", "passwords")
    with made.config.open("a") as more:
        more.write(
            f'[mqtt]\nhost = "localhost"\nport = {made.port}\nusername = "svc-ingest"\n'
            f'password_file = "broker/secrets/svc-ingest"\nca_file = "broker/tls/ca.crt"\n'
        )
    return made


@pytest.mark.broker
@NEEDS_MOSQUITTO
def test_a_box_makes_its_password_changes_it_at_work_is_replaced_and_shut_out(
    house: House, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    with community(house) as (web, joining):
        code = joining.invite(ADMIN, NEW, CLOCK.now(), area="b07", label="七号楼").secret
        done = join(first, web, code)
        assert done.exit_code == 0, done.output
        assert {one.name for one in first.iterdir() if one.stat().st_mode & 0o077} == {"edge.toml"}
        with state(load_settings(house.config)) as connection:
            add_device(connection, node_name=NEW, name="cam-1", kind="camera", label="x")
        old = Box(first)
        old.deliver(3)
        made = (first / "mqtt.password").read_text().strip()
        assert fits(made, (house.folder / "secrets" / NEW).read_text().strip())
        assert not [one for one in files(house) if made.encode() in one.read_bytes()]
        assert join(second, web, code).exception is not None, "a code is good once"

        live = house.client(NEW, password=link_options(old.settings).password).up()
        words = ["password", "--config", str(first / "edge.toml")]
        assert CliRunner().invoke(edge, words).exit_code == 0
        live.until(lambda: live.ups == 2)  # the very link that was up comes back by itself
        assert (first / "mqtt.password").read_text().strip() != made
        assert house.client(NEW, password=made).refused()

        again = joining.invite(ADMIN, NEW, CLOCK.now()).secret
        done = join(second, web, again)
        assert done.exit_code == 0, done.output
        live.until(lambda: live.downs == 2)
        Box(second).deliver(2)
        stored = streams(load_settings(house.config))
        assert sorted(stored.values()) == [[1, 2], [1, 2, 3]], "its history goes on"
        with open_client() as client:
            dead = proof_of(old.settings, client)
            assert isinstance(dead, Passwords)
            with pytest.raises(LinkError, match="401"):
                dead.ask()

        live = house.client(NEW, password=link_options(Box(second).settings).password).up()
        joining.shut_out(ADMIN, NEW, CLOCK.now())
        live.until(lambda: live.downs)
        assert house.client(NEW, password=link_options(Box(second).settings).password).refused()
        (box,) = joining.boxes(ADMIN)
        assert (box.kind, box.until, box.refused) == ("revoke", None, None)
    acts = [(one.actor, one.act) for one in audited(house) if one.subject == NEW]
    for act in ("asked", "set", "ended"):
        who = "keeper:" if act != "asked" else f"edge:{NEW}"
        assert (who, f"broker-password-{act}") in acts
    assert not [act for _, act in acts if "certificate" in act]


def files(house: House) -> Iterator[Path]:
    """Everything that the server keeps."""
    return (one for one in house.config.parent.rglob("*") if one.is_file())


def audited(house: House) -> list[Any]:
    with state(load_settings(house.config)) as connection:
        return list(audit.page(connection, before=None, limit=100))


@pytest.mark.broker
@NEEDS_MOSQUITTO
def test_shutting_out_ends_also_a_password_that_was_made_here(tmp_path: Path) -> None:
    house = built(tmp_path, "passwords")
    settings = load_settings(house.config)
    topic = f"linli/v1/c001/b03/{EDGE}/cam-1/event/zone-dwell"
    with running(house):
        assert house.process is not None
        told = ["kill", "-HUP", str(house.process.pid)]
        secret = house.folder / "secrets" / EDGE
        password = secret.read_text()
        live = house.client(EDGE).up()
        assert live.says(topic, b"{}") is None
        with state(settings) as connection:
            book.ask(connection, EDGE, "revoke", CLOCK.now())
        look(settings, told, days=365, owed=Owed())
        live.until(lambda: live.downs)
        assert secret.read_text() != password
        assert house.client(EDGE, password=password.strip()).refused()


def test_the_keeper_takes_digests_of_edges_and_tells_the_broker(house: House) -> None:
    settings, owed = load_settings(house.config), Owed()
    assert house.render().exit_code == 0
    asked = [(EDGE, GOOD), ("svc-command", GOOD), (EDGE, "-----BEGIN CERTIFICATE REQUEST-----")]
    with state(settings) as connection:
        for node, request in asked:
            book.ask(connection, node, "issue", CLOCK.now(), public=request, request=request)
    for _ in range(2):
        with pytest.raises(InputError, match="--reload"):
            look(settings, ["false"], days=365, owed=owed)
    with state(settings) as connection:
        assert len(book.undone(connection, 9)) == 3, "the broker was never told"
    look(settings, ["true"], days=365, owed=owed)
    lines = (house.folder / "passwords").read_text().splitlines()
    assert f"{EDGE}:{GOOD}" in lines
    assert len([one for one in lines if GOOD in one]) == 1
    kept = [(one.act, one.subject) for one in audited(house) if one.actor == "keeper:"]
    assert kept[::-1] == [
        ("broker-rendered", "passwords"),
        ("broker-password-set", EDGE),
        ("broker-password-refused", "svc-command"),
        ("broker-password-refused", EDGE),
    ]
    assert house.render("--check").exit_code == 0, "a rendering by hand leaves it"


def test_a_broker_that_could_not_be_told_of_a_rendering_is_told_again(
    house: House, tmp_path: Path
) -> None:
    settings, owed, told = load_settings(house.config), Owed(), tmp_path / "told"
    assert house.render().exit_code == 0
    retire(house, EDGE)
    with pytest.raises(InputError, match="--reload"):
        look(settings, ["false"], days=365, owed=owed)
    look(settings, ["touch", str(told)], days=365, owed=owed)
    assert told.exists()
    look(settings, ["false"], days=365, owed=owed)  # nothing is left to tell


def test_a_rendering_whose_audit_row_fails_is_told_and_written_down(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, owed, told = load_settings(house.config), Owed(), tmp_path / "told"
    assert house.render().exit_code == 0
    retire(house, EDGE)
    monkeypatch.setattr(keeper, "note", Mock(side_effect=[StoreError("full"), None]))
    with pytest.raises(StoreError):
        look(settings, ["touch", str(told)], days=365, owed=owed)
    assert told.exists()
    look(settings, ["true"], days=365, owed=owed)
    assert [len(call.args[1]) for call in keeper.note.mock_calls] == [2, 2]  # type: ignore[attr-defined]


def test_a_keeper_that_was_killed_tells_the_broker_first(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = Mock(side_effect=KeyboardInterrupt)
    monkeypatch.setattr(keeper, "look", looked)
    for name in ("set_up", "signal"):
        monkeypatch.setattr(keeper, name, Mock())
    words = ["keep", "--config", str(house.config)]
    for more in (["--reload", "true"], ["--once", "--reload", "true"], []):
        CliRunner().invoke(broker, [*words, *more])
    assert [call.kwargs["owed"].reload for call in looked.mock_calls] == [True, False, False]


def _with(rounds: str = "101", salt: int = 12, digest: int = 64) -> str:
    parts = (base64.b64encode(bytes(size)).decode() for size in (salt, digest))
    return f"$7${rounds}$" + "$".join(parts)


BAD = {
    "empty": "",
    "plain": "x" * 43,
    "weak": _with("100"),
    "weaker": _with("1"),
    "dear": _with("10001"),
    "dearest": _with("999999999"),
    "zeros": _with("0101"),
    "signed": _with("+101"),
    "arabic": _with("١٠١"),
    "sha512": _with().replace("$7$", "$6$"),
    "salt": _with(salt=11),
    "digest": _with(digest=63),
    "line": GOOD + "\n",
    "two": f"{GOOD}\nsvc-command:{GOOD}",
    "colon": f"svc-command:{GOOD}",
    "space": f" {GOOD}",
    "nul": f"{GOOD[:-1]}\0",
    "long": GOOD + "A" * 100_000,
}


@pytest.mark.parametrize("digest", BAD.values(), ids=BAD.keys())
def test_what_mosquitto_would_not_take_or_is_weak_or_dear_is_no_digest(digest: str) -> None:
    assert not is_digest(digest)


def test_the_mildest_and_the_dearest_digests_are_taken() -> None:
    assert is_digest(_with("101"))
    assert is_digest(_with("10000"))


def test_what_is_no_digest_is_refused_and_written_nowhere(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    app = create_app(folder.settings, clock=folder.clock)
    headers = {"Authorization": f"Bearer {NODE_KEY}", "Linli-Node": f"{SITE}/{NODE}"}
    with TestClient(app) as client:
        for digest in BAD.values():
            with pytest.raises(NotUsable):
                app.state.services.joining.password(NODE, digest, NOON)
            body = {"digest": digest}
            said = client.put("/api/v1/edge-password", json=body, headers=headers)
            assert said.status_code in {400, 422}, digest
    assert app.state.services.joining.boxes(ADMIN) == ()
    folder.close()


@pytest.fixture
def joining(tmp_path: Path) -> Iterator[JoiningService]:
    folder = Folder(tmp_path)
    yield create_app(folder.settings).state.services.joining
    folder.close()


def test_passwords_are_asked_for_once_seldom_and_end_for_good(joining: JoiningService) -> None:
    mine = [password_hash(str(number)) for number in range(6)]
    assert joining.password(NODE, mine[0], NOON).done is None
    assert joining.password(NODE, mine[0], NOON).done is None
    joining.shut_out(ADMIN, NODE, NOON)
    with pytest.raises(Clash, match="revoked"):
        joining.password(NODE, mine[0], NOON)
    for one in mine[1:5]:
        joining.password(NODE, one, NOON)
    with pytest.raises(Clash, match="too many"):
        joining.password(NODE, mine[5], NOON)
    joining.password(NODE, mine[5], NOON + timedelta(days=1))


class Keeper:
    """An ingest that answers what a keeper did."""

    def __init__(self) -> None:
        self.answer: dict[str, Any] = {"done": None, "refused": None}
        self.asked: list[bytes] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request.content)
        return httpx2.Response(200, json=self.answer)


def test_a_box_asks_for_the_same_until_it_is_there_also_after_a_restart(tmp_path: Path) -> None:
    keeper, file, now = Keeper(), tmp_path / "mqtt.password", datetime.now(UTC)
    client = httpx2.Client(transport=httpx2.MockTransport(keeper))

    def started() -> Passwords:
        return Passwords(client, "http://x", "c001/c001-n09", "key", file)

    assert not started().renew(now)
    assert not started().renew(now)
    assert len(set(keeper.asked)) == 1
    assert not file.exists()
    keeper.answer["done"] = "2026-01-01T00:00:00Z"
    assert started().renew(now)
    assert is_digest_of(file.read_text().strip(), keeper.asked[-1])
    assert not started().renew(now + timedelta(days=9999))
    assert len(keeper.asked) == 3, "by itself it asks for no other, nor when a command has ended it"
    keeper.answer["refused"] = "it is no edge in use"
    for _ in range(2):
        with pytest.raises(InputError, match="no edge"):
            started().ask()
    assert len(set(keeper.asked[3:])) == 2, "what was refused is not asked for again"
    assert is_digest_of(file.read_text().strip(), keeper.asked[0]), "the old one stays"
    assert [one.name for one in tmp_path.iterdir()] == [file.name]


def is_digest_of(password: str, asked: bytes) -> bool:
    digest = asked.decode().split('"')[3]
    return is_digest(digest) and fits(password, digest)


def test_without_a_keeper_a_box_waits_and_says_what_to_do(house: House, tmp_path: Path) -> None:
    box = tmp_path / "box"
    app = create_app(load_settings(house.config))
    joining = app.state.services.joining
    code = joining.invite(ADMIN, NEW, CLOCK.now(), area="b07").secret
    with served(app) as web:
        done = join(box, web, code, "--wait", "0")
        assert isinstance(done.exception, InputError)
        assert "linli edge password --config" in str(done.exception)
        words = ["certificate", "--config", str(box / "edge.toml")]
        assert "has a password" in str(CliRunner().invoke(edge, words).exception)
    assert {one.name for one in box.iterdir()} >= {"edge.toml", "node.key", "mqtt.password.next"}


@pytest.mark.skipif(
    os.geteuid() != 0, reason="only root gives folders to other accounts: run it as root"
)
def test_root_writes_no_password_that_the_edge_could_not_read(tmp_path: Path) -> None:
    box = tmp_path / "box"
    words = ["--site", "c001", "--area", "b07", "--node", NEW, "--config", str(box / "edge.toml")]
    assert CliRunner().invoke(edge, ["init", *words]).exit_code == 0
    os.chown(box, 65534, 65534)
    told = str(CliRunner().invoke(edge, ["password", *words[-2:]]).exception)
    assert "runuser -u nobody -- linli edge password" in told


def test_a_link_whose_password_cannot_be_read_tries_on() -> None:
    def password() -> str:
        raise InputError("secret cannot be read", where="mqtt.password")

    options = LinkOptions("127.0.0.1", 9, "c001-n09", username="c001-n09", password=password)
    link = PahoLink(options, Nobody(), CLOCK)
    link.step(0.0)
    assert link._attempt == 1
    link.close()


class Nobody:
    """Hears nothing."""

    def on_up(self) -> None:
        raise AssertionError

    def on_down(self, reason: str) -> None:
        raise AssertionError(reason)

    def on_message(self, delivery: object) -> None:
        raise AssertionError(delivery)

    def on_sent(self, token: int, error: str | None) -> None:
        raise AssertionError(token, error)
