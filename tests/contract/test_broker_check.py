"""`linli broker check` against real mosquittos that are set up badly, and against our own."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from broker_house import built, running
from brokers import NEEDS_MOSQUITTO, SITE, RunningBroker, wait_for_port
from click.testing import CliRunner

from linli.broker import find_mosquitto, free_port
from linli.broker.conf import parse
from linli.broker.conf_check import judge
from linli.broker.passwords import password_hash
from linli.broker.server import Server, configuration
from linli.cli.broker import command
from linli.cli.broker.check import _of_connection
from linli.errors import InputError
from linli.mqtt.greeting import Greeting


def said(*words: str) -> tuple[int, dict[str, str]]:
    """Exit code, and what is said of what."""
    done: Any = CliRunner().invoke(command, ["check", "--json", *words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    found = json.loads(done.output)
    assert found["exit"] == done.exit_code
    levels: dict[str, str] = {}
    order = ["ok", "unknown", "warning", "bad"]
    for one in found["checks"]:
        before = levels.get(one["code"], "ok")
        levels[one["code"]] = max(before, one["level"], key=order.index)
        assert one["level"] == "ok" or one["do"], one
    return done.exit_code, levels


@contextlib.contextmanager
def mosquitto(folder: Path, text: str) -> Iterator[list[str]]:
    """Run one with this file; yield the options that lead to it."""
    port = free_port()
    conf = folder / "mosquitto.conf"
    conf.write_text(f"user root\nlistener {port} 127.0.0.1\n{text}")
    program = find_mosquitto()
    assert program is not None
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "-c", str(conf)], stderr=log)
    try:
        wait_for_port(port, process)
        yield ["--port", str(port), "--file", str(conf)]
    finally:
        process.kill()
        process.wait()


@pytest.mark.broker
@NEEDS_MOSQUITTO
def test_a_broker_as_it_comes_is_told_what_is_wrong_with_it(tmp_path: Path) -> None:
    with mosquitto(tmp_path, "allow_anonymous true\nmax_packet_size 4096\n") as options:
        code, found = said(*options)
    assert code == 2
    assert found["connection-anonymous"] == found["anonymous"] == "bad"
    assert found["connection-window"] == found["window"] == "warning"
    assert found["connection-size"] == found["size"] == "bad"
    assert found["client-id"] == found["rules"] == found["queue"] == found["persistence"] == "bad"
    assert (found["protocol"], found["version"], found["encryption"]) == ("ok", "ok", "ok")


@pytest.mark.broker
@NEEDS_MOSQUITTO
def test_what_no_connection_shows_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "passwords").write_text(f"looker:{password_hash('right')}\n")
    text = f"allow_anonymous false\npassword_file {tmp_path}/passwords\nmax_qos 0\n"
    for name, secret in (("good", "right"), ("wrong", "left")):
        (tmp_path / name).write_text(secret)
        (tmp_path / name).chmod(0o600)
    with mosquitto(tmp_path, text) as (_, port, *_):
        code, found = said("--port", port)
        assert code == 0
        assert found["connection-anonymous"] == found["protocol"] == "ok"
        assert found["connection-limits"] == found["file"] == "unknown"
        user = ("--port", port, "--user", "looker", "--password-file")
        code, found = said(*user, str(tmp_path / "good"))
        assert (code, found["connection-window"], found["connection-qos"]) == (2, "warning", "bad")
        code, found = said(*user, str(tmp_path / "wrong"))
        assert (code, found["user"], found["connection-limits"]) == (2, "bad", "unknown")
    code, found = said("--port", port, "--timeout", "2")
    assert (code, found["reach"]) == (2, "bad")


@pytest.mark.broker
@NEEDS_MOSQUITTO
def test_our_own_brokers_have_nothing_wrong(tmp_path: Path) -> None:
    one = RunningBroker(tmp_path / "run", {"svc-ingest": "x", "looker": "right"})
    one.start()
    try:
        conf = str(tmp_path / "run/mosquitto.conf")
        (tmp_path / "good").write_text("right")
        (tmp_path / "good").chmod(0o600)
        who = ("--user", "looker", "--password-file", str(tmp_path / "good"))
        code, found = said("--port", str(one.port), *who, "--file", conf)
    finally:
        one.stop()
    assert (code, found["rules"], found["connection-window"]) == (0, "unknown", "ok")
    (tmp_path / "house").mkdir()
    house = built(tmp_path / "house", "certificates")
    house.issue("ha")
    with running(house):
        port, ca = str(house.port), str(house.folder / "tls/ca.crt")
        code, found = said("--host", "localhost", "--port", port, "--ca-file", ca)
        assert (code, found["connection-anonymous"]) == (0, "ok")
        mine = house.config.parent / "clients/ha"
        pair = ("--cert-file", str(mine / "client.crt"), "--key-file", str(mine / "client.key"))
        file = ("--file", str(house.folder / "mosquitto.conf"))
        where = ("--host", "localhost", "--port", port, "--ca-file", ca)
        code, found = said(*where, *pair, "--user", "ha", *file)
        assert (code, found["connection-window"], found["revocation" if code else "rules"]) == (
            0, "ok", "unknown",
        )  # fmt: skip
        code, found = said("--host", "localhost", "--port", port)
        assert (code, found["reach"]) == (2, "bad")


@pytest.mark.parametrize("access", ["certificates", "passwords"])
@pytest.mark.parametrize("version", ["2.0", "2.1"])
def test_every_file_that_is_rendered_is_well(tmp_path: Path, access: Any, version: Any) -> None:
    server = Server(folder=tmp_path, host="0.0.0.0", port=8883, access=access, version=version)
    wrong = [one for one in judge(parse(configuration(server))) if one.level in {"warning", "bad"}]
    assert wrong == []


@pytest.mark.parametrize(
    ("out", "into", "code"),
    [
        ("allow_anonymous false", "allow_anonymous true", "anonymous"),
        ("use_username_as_clientid true", "", "client-id"),
        ("require_certificate true", "require_certificate false", "proof"),
        ("use_identity_as_username true", "", "identity"),
        ("crlfile", "#", "revocation"),
        ("certfile", "#", "encryption"),
        ("acl_file", "#", "rules"),
        ("max_inflight_messages 1000", "", "window"),
        ("max_queued_messages 100000", "max_queued_messages 500", "queue"),
        ("max_queued_messages 100000\nmax_queued_bytes 268435456", "max_queued_messages 0",
         "queue"),
        ("max_qos 1", "max_qos 0", "qos"),
        ("max_packet_size", "message_size_limit", "size"),
        ("memory_limit 536870912", "", "memory"),
        ("persistence true", "persistence false", "persistence"),
        ("autosave_interval 60", "", "persistence"),
        ("listener 8883 0.0.0.0", "", "listener"),
        ("max_queued_messages 100000", "max_queued_messages many", "queue"),
    ],
)  # fmt: skip
def test_each_line_that_matters_is_missed(tmp_path: Path, out: str, into: str, code: str) -> None:
    text = configuration(Server(folder=tmp_path, host="0.0.0.0", port=8883, access="certificates"))
    assert out in text
    wrong = {
        one.code for one in judge(parse(text.replace(out, into))) if one.level in {"warning", "bad"}
    }
    assert code in wrong


def test_who_was_not_answered_without_a_name_knows_nothing() -> None:
    silent, served = Greeting(unreachable="no answer in 5 s"), Greeting(protocol="5")
    found = {one.code: one.level for one in _of_connection("b", silent, served, encrypted=True)}
    assert found["connection-anonymous"] == "unknown"


def test_bad_words_are_refused(tmp_path: Path) -> None:
    run = CliRunner()
    for words, rule in (
        (["--offline"], "nothing to look at"),
        (["--offline", "--file", str(tmp_path / "none")], "no such file"),
        (["--user", "svc-ingest"], "cut off the service"),
    ):
        done = run.invoke(command, ["check", *words])
        assert isinstance(done.exception, InputError)
        assert rule in str(done.exception)
    (tmp_path / "odd").write_bytes(b"\xff\x00 listener\nlistener\nport\nbind_address x\n")
    done = run.invoke(command, ["check", "--offline", "--file", str(tmp_path / "odd")])
    assert isinstance(done.exception, InputError)
    shown = run.invoke(command, ["check", "--offline", "--file", __file__])
    assert (shown.exit_code, "→ Write `acl_file`" in shown.output) == (2, True)
    assert SITE not in shown.output
