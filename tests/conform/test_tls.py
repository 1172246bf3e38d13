"""The trials over TLS, before a mosquitto as `linli broker render` sets it up."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from broker_clients import EDGE
from broker_house import House, built, running
from brokers import NEEDS_MOSQUITTO
from click.testing import CliRunner
from conforming import KILL, Ingest, conform, not_passed

from ingest.registry import add_node
from ingest.settings import load_settings
from ingest.store.engine import open_writer, writing
from ingest.store.files import path_of
from linli.cli.conform import command
from linli.errors import InputError

LIFT = Path(__file__).parents[2] / "docs/quickstart/python/lift.py"


@pytest.fixture
def certified(tmp_path: Path) -> Iterator[House]:
    house = built(tmp_path, "certificates")
    for name in (EDGE, "svc-ingest"):
        house.issue(name)
    with running(house):
        yield house


def here(house: House) -> tuple[str, ...]:
    """What the trial shows to whom is tried: the broker's own certificate will do."""
    tls = house.folder / "tls"
    return ("--listen-cert", str(tls / "server.crt"), "--listen-key", str(tls / "server.key"))


def pair(house: House, name: str, cert: str, key: str) -> tuple[str, ...]:
    folder = house.config.parent / "clients" / name
    return (cert, str(folder / "client.crt"), key, str(folder / "client.key"))


def by_certificates(house: House) -> tuple[str, ...]:
    ca = str(house.folder / "tls/ca.crt")
    return (
        *here(house),
        *("--listen-ca", ca, "--ca-file", ca),
        *("--broker", f"mqtts://svc-ingest@localhost:{house.port}"),
        *pair(house, "svc-ingest", "--cert-file", "--key-file"),
        *pair(house, EDGE, "--their-cert", "--their-key"),
    )


@pytest.mark.broker
@NEEDS_MOSQUITTO
@pytest.mark.skipif(
    not LIFT.exists(), reason="the quick starts are in a checkout only: run it in a clone"
)
def test_a_device_comes_with_its_certificate(certified: House, tmp_path: Path) -> None:
    ca = str(certified.folder / "tls/ca.crt")
    with conform("device", *by_certificates(certified)) as trial:
        with socket.create_connection(("127.0.0.1", trial.port), 60) as plain:
            plain.sendall(b"\x10\x00")
            assert "came without good TLS" in trial.wait_for("127.0.0.1 came")
        argv = [sys.executable, str(LIFT), "--host", "localhost", "--port", str(trial.port)]
        argv += ["--node", EDGE, "--ca-file", ca]
        argv += pair(certified, EDGE, "--cert-file", "--key-file")
        process = subprocess.Popen(argv, cwd=tmp_path, stdout=subprocess.DEVNULL)
        try:
            trial.wait_for("one fact is refused")  # its line was cut once by then
            trial.process.terminate()
            report = trial.end()
        finally:
            process.terminate()
            process.wait(60)
    verdicts = {one["clause"]: one["verdict"] for one in report["clauses"]}
    assert "fail" not in verdicts.values(), not_passed(report)
    assert {verdicts[f"D{number}"] for number in range(1, 8)} == {"pass"}, not_passed(report)
    assert (report["code"], report["who"]) == (3, EDGE)


@pytest.mark.broker
@NEEDS_MOSQUITTO
def test_our_ingest_passes_with_a_password(tmp_path: Path) -> None:
    house = built(tmp_path, "passwords")
    engine = open_writer(path_of(load_settings(house.config).folder, "state"))
    with writing(engine) as connection:
        add_node(connection, site="c001", area="conform", name="conform-node", label="x")
    engine.dispose()
    kill = tmp_path / "kill.py"
    kill.write_text(KILL)
    restart = f"{sys.executable} {kill} {tmp_path}/pid"
    with running(house):
        ca = str(house.folder / "tls/ca.crt")
        secrets = house.folder / "secrets"
        own = (secrets / "conform-node").read_text().strip()
        address = f"mqtts://conform-node:{own}@127.0.0.1:{house.port}"
        more = (*here(house), "--ca-file", ca, "--broker", address, "--restart", restart)
        with conform("consumer", *more) as trial:
            password = (secrets / "svc-ingest").read_text().strip()
            (tmp_path / "ours").mkdir()
            ingest = Ingest(tmp_path / "ours", trial.port, password, f'ca_file = "{ca}"\n')
            (tmp_path / "pid").write_text(str(ingest.process.pid))
            try:
                trial.wait_for("stop it now")
            finally:
                ingest.stop()
            report = trial.end()
    assert not_passed(report) == {}


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (("--listen-cert", "a"), "--listen-cert: goes together with --listen-key"),
        (("--listen-ca", "a"), "--listen-ca: needs --listen-cert"),
        (("--their-cert", "a", "--their-key", "b"), "--ca-file: certificates for a broker"),
        (("--listen-cert", "a", "--listen-key", "b"), "a: cannot be read"),
        (("--broker", "mqtts://x:1"), "--ca-file: goes together with mqtts"),
        (("--broker", "http://x:1"), "--broker: must be like mqtt"),
    ],
    ids=["half", "listen-ca", "trust", "missing", "scheme", "other"],
)
def test_files_that_do_not_go_together_are_named(words: tuple[str, ...], rule: str) -> None:
    done = CliRunner().invoke(command, ["device", "--listen", "127.0.0.1:0", *words])
    assert isinstance(done.exception, InputError), done.output
    assert rule in str(done.exception)
