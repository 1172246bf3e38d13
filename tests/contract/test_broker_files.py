"""`linli broker render` as a command: told twice, told wrong, and told to a live broker."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from broker_clients import EDGE, GONE, OTHER, Client
from broker_house import BASE, NOW, House, built, error, retire, running, until
from brokers import NEEDS_MOSQUITTO
from click.testing import CliRunner

from linli.broker.authority import Authority
from linli.cli.broker import command

FILES = ["acl.conf", "passwords", "mosquitto.conf"]


def secrets_in(house: House) -> list[str]:
    kept = [path.read_text().strip() for path in (house.folder / "secrets").iterdir()]
    return kept + [line.partition(":")[2] for line in text(house, "passwords").splitlines()]


def text(house: House, name: str) -> str:
    return (house.folder / name).read_text()


def said(result: Any) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(result.output)
    return answer


def test_told_twice_it_changes_nothing(tmp_path: Path) -> None:
    house = built(tmp_path, "passwords")
    before = house.render("--check")
    assert before.exit_code == 1
    assert [path.name for path in house.folder.iterdir()] == ["tls"]
    first = said(house.render("--json"))
    assert ([one["file"] for one in first["files"]], first["broker"]) == (FILES, "restart")
    assert (first["barred"], EDGE in first["identities"]) == ([GONE], True)
    written = {name: text(house, name) for name in FILES}
    second = said(house.render("--json"))
    assert (second["files"], second["broker"]) == ([], "nothing")
    assert {name: text(house, name) for name in FILES} == written
    assert house.render("--check").exit_code == 0
    assert {path.name for path in house.folder.iterdir()} == {*FILES, "tls", "data", "secrets"}


def test_the_keeper_lets_in_what_shares_once_it_is_switched_on(tmp_path: Path) -> None:
    house = built(tmp_path, "passwords")
    reloads = tmp_path / "reloads"
    told = ("keep", "--once", "--reload", f"touch {reloads}", "--config", str(house.config))
    assert CliRunner().invoke(command, [*told]).exit_code == 0
    assert "svc-share" not in text(house, "passwords")
    reloads.unlink(missing_ok=True)
    with house.config.open("a") as lines:
        lines.write("[share]\nenabled = true\n")
    assert CliRunner().invoke(command, [*told]).exit_code == 0
    assert "\nsvc-share:$7$" in text(house, "passwords")
    assert (house.folder / "secrets/svc-share").stat().st_mode & 0o777 == 0o600
    assert reloads.exists(), "the broker reads its passwords again"


def test_it_tells_drift_without_telling_secrets(tmp_path: Path) -> None:
    house = built(tmp_path, "passwords")
    house.render()
    with (house.folder / "acl.conf").open("a") as acl:
        acl.write("user mallory\ntopic readwrite #\n")
    (house.folder / "secrets" / EDGE).write_text("quite another password\n")
    retire(house, OTHER)
    (house.folder / "mosquitto.conf").chmod(0o644)
    result = house.render("--check")
    assert result.exit_code == 1
    for line in ("-topic readwrite #", f"+{EDGE}", f"-{OTHER}", "mosquitto.conf: open to others"):
        assert line in result.output
    everything = result.output + house.render("--check", "--json").output
    assert not [one for one in secrets_in(house) if one in everything]
    mended = said(house.render("--json"))
    assert (mended["broker"], mended["barred"]) == ("reload", [OTHER, GONE])
    assert "mallory" not in text(house, "acl.conf")
    assert (house.folder / "mosquitto.conf").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("access", ["passwords", "certificates"])
def test_of_what_it_writes_only_the_owner_reads_secrets(tmp_path: Path, access: str) -> None:
    house = built(tmp_path, access)
    house.render()
    assert (house.folder / "secrets").exists() is (access == "passwords")
    open_to_others = {
        path.name
        for path in house.folder.rglob("*")
        if path.parent.name != "tls" and path.stat().st_mode & 0o077
    }
    assert open_to_others == {"tls"}
    assert "password" not in text(house, "mosquitto.conf") or access == "passwords"


def test_for_the_next_mosquitto_it_keeps_sessions_by_the_plugin(tmp_path: Path) -> None:
    house = built(tmp_path, "certificates")
    config = house.config.read_text()
    if "version = " not in config:  # where a 2.1 runs the tests, it is set already
        house.config.write_text(config.replace("[broker]", '[broker]\nversion = "2.1"'))
    house.render()
    lines = text(house, "mosquitto.conf").splitlines()
    assert "accept_protocol_versions 5" in lines
    assert "plugin_opt_sync full" in lines
    assert "persistence true" not in lines  # beside a plugin the broker would not start
    listener = lines.index(f"listener {house.port} 127.0.0.1")
    assert listener < lines.index("accept_protocol_versions 5")


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ('host = "127.0.0.1"', 'host = "0.0.0.0"\ntls = false', "without tls lets anyone read"),
        ("[broker]", "[broker]\ntls = false", "certificates need tls"),
        ('"root"', '"root\\nallow_anonymous true"', "broker.run_as"),
        ('"pm-b03"', f'"{EDGE}"', f"'{EDGE}' is an edge or a service already"),
        ('"pm-b03"', '"svc-ingest"', "'svc-ingest' is an edge or a service already"),
        ('"b03"', '"b03/#"', "areas"),
        ("[broker]", '[mqtt]\nusername = "me"\n[broker]', "rules call it"),
    ],
    ids=["open", "plain", "line", "edge", "service", "wildcard", "receiver"],
)
def test_bad_settings_are_named(tmp_path: Path, old: str, new: str, rule: str) -> None:
    house = built(tmp_path, "certificates")
    house.config.write_text(house.config.read_text().replace(old, new, 1))
    assert rule in error(house.render())
    assert not (house.folder / "mosquitto.conf").exists()


@pytest.mark.skipif(
    os.geteuid() != 0, reason="only root gives files to other accounts: run it as root"
)
def test_an_account_that_is_not_there_is_named(tmp_path: Path) -> None:
    house = built(tmp_path, "certificates")
    house.config.write_text(house.config.read_text().replace('"root"', '"no-such-account"', 1))
    assert "broker.run_as: this machine has no account" in error(house.render())
    assert not (house.folder / "mosquitto.conf").exists()


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    house = built(tmp_path, "certificates")
    (house.folder / "tls/server.key").unlink()
    assert "tls/server.key: no such file: the broker cannot start" in error(house.render())


@pytest.mark.broker
@NEEDS_MOSQUITTO
@pytest.mark.parametrize("access", ["passwords", "certificates"])
def test_an_edge_that_is_retired_is_silenced_while_it_floods(tmp_path: Path, access: str) -> None:
    house = built(tmp_path, access)
    for name in ("svc-ingest", EDGE, OTHER):
        house.issue(name)
    house.publish_tls()
    with running(house):
        connect = house.client if access == "passwords" else house.certified
        victim: Client = connect(OTHER).up()
        flood: Client = connect(EDGE).up()
        for number in range(500):
            assert flood.says(f"{BASE}/b03/{EDGE}/d{number}/state/x", retain=True) is None
        retire(house, EDGE)
        assert said(house.render("--json"))["broker"] == "reload"
        house.reload()

        def silenced() -> bool:
            flood.link.step(0.02)
            if flood.downs or not flood.link.connected:
                return True
            token = flood.link.publish(f"{BASE}/b03/{EDGE}/more/state/x", b"x", retain=True)
            flood.until(lambda: flood.downs or token in flood.answers)
            return flood.answers.get(token) is not None or bool(flood.downs)

        until(silenced)
        assert victim.caught_up().downs == 0
        witness: Client = connect("svc-ingest", hears=(f"{BASE}/+/{EDGE}/+/state/+",)).up()
        witness.until(lambda: len(witness.heard) >= 500)


@pytest.mark.broker
@NEEDS_MOSQUITTO
def test_a_revoked_certificate_is_refused_after_a_reload(tmp_path: Path) -> None:
    house = built(tmp_path, "certificates")
    for name in (EDGE, OTHER):
        house.issue(name)
    house.publish_tls()
    with running(house):
        assert not house.certified(EDGE).refused()
        assert len(Authority(tmp_path / "ca").revoke(EDGE, NOW)) == 1
        house.publish_tls()
        house.reload()
        until(lambda: house.certified(EDGE).refused())
        assert not house.certified(OTHER).refused()
