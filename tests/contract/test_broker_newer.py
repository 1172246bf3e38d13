"""The files for mosquitto 2.1: tried where one is, and said how where none is."""

from __future__ import annotations

from pathlib import Path

import pytest
from broker_clients import EDGE
from broker_house import BASE, built, running, version

from linli.broker import find_mosquitto

_NONE = (
    "no mosquitto 2.1 here: LINLI_MOSQUITTO=/path/of/it scripts/test tests/contract runs this and "
    "both matrices against it (LINLI_MOSQUITTO_PLUGIN names its SQLite plugin)"
)


@pytest.mark.broker
def test_what_is_retained_outlives_a_kill(tmp_path: Path) -> None:
    if find_mosquitto() is None or not version() or version().startswith("2.0."):
        pytest.skip(_NONE)
    house = built(tmp_path, "passwords")
    topic = f"{BASE}/b03/{EDGE}/cam-1/state/x"
    with running(house):
        assert house.client(EDGE).up().says(topic, b"kept", retain=True) is None
    house.clients.clear()
    with running(house):
        reader = house.client("ha", hears=(topic,)).up()
        reader.until(lambda: reader.heard)
        assert reader.heard == [(topic, b"kept")]


@pytest.mark.parametrize("named", ["/nowhere/mosquitto", "no-such-program"])
def test_a_broker_that_is_named_and_is_not_there_is_none(
    monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.delenv("LINLI_BROKER", raising=False)
    monkeypatch.setenv("LINLI_MOSQUITTO", named)
    assert find_mosquitto() is None


def test_another_program_is_no_broker_of_any_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LINLI_BROKER", raising=False)
    monkeypatch.setenv("LINLI_MOSQUITTO", "true")
    assert version() == ""
