"""The broker of this machine: its files, and refusals that say which option to mend."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import brokers
import pytest
from click.testing import CliRunner

from linli.broker import free_port, plan_broker, port_is_free, ports
from linli.cli import broker, schema
from linli.errors import InputError


def refused(*arguments: str) -> str:
    result = CliRunner().invoke(broker.command, ["run", *arguments])
    assert result.exit_code != 0
    if isinstance(result.exception, InputError):
        return str(result.exception)
    assert isinstance(result.exception, SystemExit), result.exception
    return result.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--port", "99999"], "'--port': 99999"),
        (["--port", "0"], "'--port': 0"),
        (["--user", "../../x/y"], "--user: must be lower-case letters"),
        (["--user", "a:b"], "not 'a:b'"),
        (["--site", "C 001"], "--site: must be lower-case letters"),
        (["--host", "nosuch.invalid"], "'nosuch.invalid' cannot be resolved. Choose another with"),
        (["--host", "a..b"], "'a..b' cannot be resolved"),
        (["--host", "192.0.2.1"], "cannot listen there"),
    ],
)
def test_a_bad_option_is_named(tmp_path: Path, options: list[str], said: str) -> None:
    given = ["--data", str(tmp_path / "data"), "--site", "c001", "--user", "svc-ingest"]
    assert said in refused(*given, *options)
    assert {path.name for path in tmp_path.iterdir()} <= {"data"}


def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not port_is_free("127.0.0.1", port)
        said = refused(
            *("--data", str(tmp_path), "--site", "c001", "--user", "u", "--port", str(port))
        )
    assert said.endswith(f"127.0.0.1:{port}: port {port} is in use. Choose another with --port")


@pytest.mark.broker
@brokers.NEEDS_MOSQUITTO
@pytest.mark.parametrize(("uid", "lines"), [(0, ["user root\n"]), (12345, [])])
def test_only_root_says_which_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uid: int, lines: list[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    monkeypatch.setenv("LOGNAME", "somebody-else")
    plan = plan_broker(tmp_path, site="c001", port=free_port(), users={"u": "p"})
    assert plan.kind == "mosquitto"
    written = (tmp_path / "mosquitto.conf").read_text(encoding="utf-8").splitlines(keepends=True)
    assert [line for line in written if line.startswith("user ")] == lines


@pytest.mark.broker
@brokers.NEEDS_MOSQUITTO
def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    with brokers.running_broker(tmp_path / "数据 1", {"u": "p"}) as broker:
        assert broker.plan is not None
        assert broker.plan.kind == "mosquitto"


@pytest.mark.broker
@brokers.NEEDS_MOSQUITTO
def test_it_complains_where_it_was_started_and_fills_no_file(tmp_path: Path) -> None:
    place = tmp_path / "broker"
    with brokers.running_broker(place, {"u": "p"}) as broker:
        assert broker.plan is not None
        again = subprocess.run(
            broker.plan.argv, check=False, capture_output=True, text=True, timeout=60
        )
    assert "Address already in use" in again.stderr
    kept = {path.name for path in place.iterdir()}
    assert kept <= {"mosquitto.conf", "acl.conf", "passwords", "mosquitto.db", "stderr.log"}


def test_a_folder_that_cannot_be_written_is_said() -> None:
    result = CliRunner().invoke(schema.command, ["write", "/proc/x"])
    assert isinstance(result.exception, InputError)
    assert "/proc/x: cannot write into this folder" in str(result.exception)


def test_a_free_port_is_none_that_a_connection_may_take() -> None:
    found = {free_port() for _ in range(20)}
    assert len(found) > 15
    assert all(20_000 <= port < 32_000 and port_is_free("127.0.0.1", port) for port in found)


def test_without_room_there_any_free_port_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        number = taken.getsockname()[1]
        monkeypatch.setattr(ports, "_LISTENERS", [number] * 50)
        assert free_port() != number
