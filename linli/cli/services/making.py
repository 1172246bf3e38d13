"""What both ways of setting a server up do: to whom folders belong, the broker and its secrets."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

from ingest.settings import (
    CLIENT_ID,
    Commands,
    HomeAssistant,
    IngestSettings,
    Share,
    Watch,
    load_settings,
)
from linli.broker.authority import CERTIFICATE
from linli.cli.broker.certificates import AUTHORITY
from linli.cli.broker.roster import COMMANDER, DISCOVERER, SHARER, WATCHER
from linli.errors import InputError
from linli.install import machine
from linli.install.layout import BROKER, DATA, INGEST, SECRETS
from linli.process import linli_argv


def need_root() -> None:
    """Raise InputError for anybody else."""
    if os.geteuid() != 0:
        raise InputError("only root may install services", hint="Use sudo")


def own() -> None:
    """Leave data and secrets to the ingest, and its settings, which root's commands do, to root."""
    machine.guard(INGEST.folder, INGEST.account)
    machine.guard(INGEST.settings, INGEST.account)
    for one in (DATA, SECRETS):
        machine.folder_of(one, INGEST.account)


def make_broker(hosts: tuple[str, ...]) -> Iterator[str]:
    """Make certificates where they are wanted, render the broker, hand the ingest its own."""
    config = ("--config", str(INGEST.settings))
    BROKER.folder.mkdir(parents=True, exist_ok=True)
    if hosts:
        named = [part for one in dict.fromkeys(("127.0.0.1", *hosts)) for part in ("--host", one)]
        machine.run(linli_argv("broker", "ca", *named, *config))
        yield f"certificate of the broker made for {', '.join(hosts)}"
    settings = load_settings(INGEST.settings)
    names = _ours(settings)
    above = BROKER.folder / AUTHORITY / CERTIFICATE
    if above.exists():
        machine.hand(SECRETS / CERTIFICATE, above.read_text(encoding="ascii"), INGEST.account)
        keys = {part.key_file for part in (settings.mqtt, *_parts(settings).values())}
        for name, kept in names.items():
            key = SECRETS / f"{kept}.key"
            if str(key) in keys and not key.exists():
                _certify(name, kept)
    machine.run(linli_argv("broker", "render", *config))
    for name in names:
        secret = BROKER.folder / "secrets" / name
        if secret.exists():
            text = secret.read_text(encoding="utf-8")
            machine.hand(SECRETS / name, text, INGEST.account)
    own()
    yield f"broker rendered in {BROKER.folder}"


def _ours(settings: IngestSettings) -> dict[str, str]:
    """Return the ingest's users of the broker, each with the name of its files in the secrets.

    A part of its own is one only where the settings look for those files there.
    """
    found = {CLIENT_ID: "client"}
    for name, part in _parts(settings).items():
        files = {part.key_file, part.password_file}
        if part.enabled and files & {str(SECRETS / name), str(SECRETS / f"{name}.key")}:
            found[name] = name
    return found


def _parts(settings: IngestSettings) -> dict[str, Commands | HomeAssistant | Watch | Share]:
    """Return what has a user of its own."""
    return {
        COMMANDER: settings.commands,
        DISCOVERER: settings.home_assistant,
        WATCHER: settings.watch,
        SHARER: settings.share,
    }


def _certify(name: str, kept: str) -> None:
    """Issue a certificate and hand it to the ingest; the key last: with it all is there."""
    machine.run(linli_argv("broker", "issue", name, "--config", str(INGEST.settings)))
    given = BROKER.folder / "clients" / name
    files = {"client.crt": f"{kept}.crt", "client.key": f"{kept}.key"}
    for one, there in files.items():
        machine.hand(SECRETS / there, (given / one).read_text(encoding="ascii"), INGEST.account)
    shutil.rmtree(given)
