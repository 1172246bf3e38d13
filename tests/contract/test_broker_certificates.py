"""`linli broker ca | issue | revoke | list`, and what a real mosquitto makes of their files."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from broker_clients import EDGE, GONE, OTHER, context
from broker_house import BASE, House, built, error, running, until
from brokers import NEEDS_MOSQUITTO
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from linli.broker.authority import Authority
from linli.cli.broker import command
from linli.errors import InputError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def call(house: House, *words: str) -> Any:
    return CliRunner().invoke(command, [*words, "--config", str(house.config)])


def client(house: House, name: str) -> Any:
    tls = context(house.folder / "tls/ca.crt", house.folder / "clients" / name)
    return house.client(name, tls=tls)


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = built(tmp_path, "certificates")
    for path in (made.folder / "tls").iterdir():
        path.unlink()
    return made


@pytest.mark.broker
@NEEDS_MOSQUITTO
def test_from_nothing_to_a_broker_that_refuses_a_revoked_edge(house: House) -> None:
    assert "Make it with `linli broker ca`" in error(house.render())
    assert call(house, "ca", "--host", "localhost").exit_code == 0
    for name in (EDGE, OTHER):
        assert call(house, "issue", name).exit_code == 0
    with running(house):
        edge = client(house, EDGE).up()
        assert edge.says(f"{BASE}/b03/{EDGE}/cam-1/event/x") is None
        edge.link.close()
        assert "Say --yes to do it" in error(call(house, "revoke", EDGE))
        assert not client(house, EDGE).refused()
        assert call(house, "revoke", EDGE, "--yes").exit_code == 0
        house.reload()
        until(lambda: client(house, EDGE).refused())
        assert not client(house, OTHER).refused()
        # A box that is replaced gets another one under the same name.
        assert call(house, "issue", EDGE).exit_code == 0
        assert not client(house, EDGE).refused()
    said = call(house, "list", "--all", "--json")
    assert said.exit_code == 0, said.output
    listed = json.loads(said.output)["certificates"]
    assert sorted((one["name"], one["revoked"] is not None) for one in listed) == [
        ("broker", False), (EDGE, False), (EDGE, True), (OTHER, False),
    ]  # fmt: skip


@pytest.mark.parametrize("part", ["command", "discovery", "watch", "share"])
def test_a_service_gets_its_certificate_before_it_is_switched_on(house: House, part: str) -> None:
    assert call(house, "ca", "--host", "localhost").exit_code == 0
    assert call(house, "issue", f"svc-{part}").exit_code == 0
    assert (house.folder / "clients" / f"svc-{part}" / "client.key").exists()


def test_keys_are_their_owner_s_alone(house: House) -> None:
    call(house, "ca", "--host", "localhost", "--host", "10.0.0.5")
    call(house, "issue", EDGE)
    keys = list(house.folder.rglob("*.key"))
    assert sorted(path.name for path in keys) == ["ca.key", "client.key", "server.key"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in keys)
    for folder in ("ca", "clients", f"clients/{EDGE}"):
        assert (house.folder / folder).stat().st_mode & 0o077 == 0, folder
    served = x509.load_pem_x509_certificate((house.folder / "tls/server.crt").read_bytes())
    names = served.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(one.value) for one in names] == ["localhost", "10.0.0.5"]
    key = served.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"
    usage = served.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [x509.ExtendedKeyUsageOID.SERVER_AUTH]


def test_a_second_time_the_authority_stays(house: House) -> None:
    call(house, "ca", "--host", "localhost")
    kept = (house.folder / "ca/ca.key").read_bytes()
    before = (house.folder / "tls/server.crt").read_bytes()
    assert call(house, "ca", "--host", "mqtt.example").exit_code == 0
    assert (house.folder / "ca/ca.key").read_bytes() == kept
    assert (house.folder / "tls/server.crt").read_bytes() != before
    with pytest.raises(InputError, match="there is an authority already"):
        Authority(house.folder / "ca").create("x", NOW)


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["issue", GONE], "no edge in use, service or reader"),
        (["issue", "../x"], "no edge in use, service or reader"),
        (["revoke", EDGE, "--yes"], "has no valid certificate"),
        (["ca", "--host", "邻里"], "is no host name"),
    ],
    ids=["retired", "path", "none", "host"],
)
def test_what_cannot_be_is_refused(house: House, words: list[str], rule: str) -> None:
    call(house, "ca", "--host", "localhost")
    assert rule in error(call(house, *words))


@pytest.mark.parametrize("words", [["issue", EDGE], ["list"], ["revoke", EDGE, "--yes"]])
def test_without_an_authority_it_is_said(house: House, words: list[str]) -> None:
    assert "Make one with: linli broker ca" in error(call(house, *words))


@pytest.mark.parametrize("text", ["", "[", '[{"name": 1}]', "{}", "\x00"])
def test_a_broken_list_is_named(house: House, text: str) -> None:
    call(house, "ca", "--host", "localhost")
    (house.folder / "ca/issued.json").write_text(text)
    assert "ca/issued.json: not a list of certificates" in error(call(house, "list"))
    assert "not a list of certificates" in error(call(house, "issue", EDGE))


@pytest.mark.parametrize(("days", "code"), [(59, 1), (62, 0)])
def test_what_ends_soon_is_told(house: House, days: int, code: int) -> None:
    call(house, "ca", "--host", "localhost")
    call(house, "issue", EDGE, "--days", str(days))
    result = call(house, "list")
    assert result.exit_code == code
    assert (f"ending or ended: {EDGE}" in result.output) is bool(code)
    call(house, "issue", EDGE)
    assert call(house, "list").exit_code == 0  # a newer one is there


def test_a_certificate_ends_with_its_authority_at_the_latest(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.create("x", NOW)
    issued = authority.issue(EDGE, NOW + timedelta(days=3600), days=730)
    assert issued.entry.until == NOW + timedelta(days=3650)
    revoked = x509.load_pem_x509_crl((tmp_path / "crl.pem").read_bytes())
    assert revoked.next_update_utc == NOW + timedelta(days=3650)
