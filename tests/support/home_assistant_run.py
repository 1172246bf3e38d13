"""Run a real Home Assistant with nothing but MQTT; its own Python runs this, not Linli's.

Arguments: a folder for its settings, the broker's port, a free port, the user, and files with the
password and the authority. Prints a line of JSON each time that what it shows has changed.
"""

import asyncio
import json
import logging
import sys
from pathlib import Path

from homeassistant import bootstrap, loader
from homeassistant.auth import auth_manager_from_config
from homeassistant.config_entries import ConfigEntries
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry
from homeassistant.setup import async_setup_component


def keep_entry(folder: Path, port: int, user: str, password: str, authority: str) -> None:
    """Write what the dialog of the MQTT integration would have kept."""
    broker = {"broker": "localhost", "port": port, "username": user, "password": password}
    entry = {
        "created_at": "2026-01-01T00:00:00+00:00",
        "data": {**broker, "client_id": user, "protocol": "5", "certificate": authority},
        "disabled_by": None,
        "discovery_keys": {},
        "domain": "mqtt",
        "entry_id": "0" * 26,
        "minor_version": 1,
        "modified_at": "2026-01-01T00:00:00+00:00",
        "options": {},
        "pref_disable_new_entities": False,
        "pref_disable_polling": False,
        "source": "user",
        "subentries": [],
        "title": "broker",
        "unique_id": None,
        "version": 1,
    }
    kept = {"version": 1, "minor_version": 5, "key": "core.config_entries"}
    storage = folder / ".storage"
    storage.mkdir(parents=True)
    text = json.dumps({**kept, "data": {"entries": [entry]}})
    (storage / "core.config_entries").write_text(text)
    (folder / "configuration.yaml").write_text("")


async def run(folder: str, http_port: int) -> None:
    hass = HomeAssistant(folder)
    hass.config.skip_pip = True
    loader.async_setup(hass)
    hass.config_entries = ConfigEntries(hass, {})
    await bootstrap.async_load_base_functionality(hass)
    hass.auth = await auth_manager_from_config(hass, [], [])
    config = {"http": {"server_port": http_port, "server_host": "127.0.0.1"}}
    for part in ("homeassistant", "mqtt"):
        assert await async_setup_component(hass, part, config), part
    await hass.async_start()
    said = ""
    while True:
        now = json.dumps({"states": states(hass), "devices": devices(hass)})
        if now != said:
            said = now
            sys.stdout.write(said + "\n")
            sys.stdout.flush()
        await asyncio.sleep(0.1)


def states(hass: HomeAssistant) -> dict[str, dict[str, object]]:
    told = ("friendly_name", "unit_of_measurement", "device_class", "event_type")
    return {
        one.entity_id: {"state": one.state, **{k: one.attributes.get(k) for k in told}}
        for one in hass.states.async_all(("event", "sensor", "binary_sensor"))
    }


def devices(hass: HomeAssistant) -> list[str]:
    return sorted(one.name or "" for one in device_registry.async_get(hass).devices.values())


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    place, port, http, name, secret, ca = sys.argv[1:]
    keep_entry(Path(place), int(port), name, Path(secret).read_text().strip(), Path(ca).read_text())
    asyncio.run(run(place, int(http)))
