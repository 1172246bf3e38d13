"""A community's broker as `linli broker render` writes it, run by a real mosquitto."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from broker_clients import EDGE, GONE, OTHER, SITE, Client, context
from brokers import wait_for_port
from click.testing import CliRunner

from ingest.registry import add_node
from ingest.settings import load_settings
from ingest.store.engine import open_writer, writing
from ingest.store.files import path_of, prepare
from ingest.store.registry import RETIRED, node
from linli.broker import find_mosquitto, free_port
from linli.broker.authority import Authority
from linli.broker.server import SQLITE_PLUGIN
from linli.cli.broker import command
from linli.errors import InputError

NOW = datetime.now(UTC)
BASE = f"linli/v1/{SITE}"
PEOPLE = ("svc-ingest", "svc-command", EDGE, OTHER, "ha", "pm-b03")


@dataclass
class House:
    """A rendered broker: its settings file, its folder, and clients of it."""

    config: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    clients: list[Client] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        return self.config.parent / "broker"

    def render(self, *options: str) -> Any:
        given = ["render", "--config", str(self.config), *options]
        return CliRunner().invoke(command, given)

    def client(self, name: str, **options: Any) -> Client:
        who = {"username": name, **options}
        secret = self.folder / "secrets" / name
        if "password" not in options and "tls" not in options and secret.exists():
            who["password"] = secret.read_text().strip()
        who.setdefault("tls", context(self.folder / "tls/ca.crt"))
        made = Client(self.port, name, **who)
        self.clients.append(made)
        return made

    def certified(self, name: str, **options: Any) -> Client:
        tls = context(self.folder / "tls/ca.crt", self.config.parent / "clients" / name)
        return self.client(name, tls=tls, **options)

    def issue(self, name: str) -> None:
        issued = Authority(self.config.parent / "ca").issue(name, NOW, days=30)
        folder = self.config.parent / "clients" / name
        folder.mkdir(parents=True)
        (folder / "client.crt").write_bytes(issued.certificate)
        (folder / "client.key").write_bytes(issued.key)

    def publish_tls(self) -> None:
        """Give the broker what the authority has now."""
        for name in ("ca.crt", "crl.pem"):
            data = (self.config.parent / "ca" / name).read_bytes()
            (self.folder / "tls" / name).write_bytes(data)

    def reload(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)


def built(folder: Path, access: str) -> House:
    """Write settings, registry and an authority with a certificate for the broker."""
    house = House(folder / "ingest.toml", free_port())
    house.config.write_text(
        f'[site]\nid = "{SITE}"\nlabel = "x"\n'
        f'[broker]\nhost = "127.0.0.1"\nport = {house.port}\naccess = "{access}"\n'
        f"{_of_version()}"
        'run_as = "root"\n[[broker.readers]]\nuser = "ha"\n'
        '[[broker.readers]]\nuser = "pm-b03"\nareas = ["b03"]\n'
        '[commands]\nenabled = true\n[[commands.integrators]]\nuser = "ha"\n'
        'commands = ["door-hold"]\n'
    )
    settings = load_settings(house.config)
    prepare(settings.folder)
    engine = open_writer(path_of(settings.folder, "state"))
    with writing(engine) as connection:
        for name in (EDGE, OTHER, GONE):
            add_node(connection, site=SITE, area="b03", name=name, label="x")
    engine.dispose()
    retire(house, GONE)
    authority = Authority(folder / "ca")
    authority.create("Linli test", NOW)
    server = authority.issue("broker", NOW, days=30, hosts=("localhost", "127.0.0.1"))
    tls = house.folder / "tls"
    tls.mkdir(parents=True)
    (tls / "server.crt").write_bytes(server.certificate)
    (tls / "server.key").write_bytes(server.key)
    house.publish_tls()
    return house


def version() -> str:
    """Which mosquitto runs here, such as 2.0.11; empty for another program."""
    program = find_mosquitto()
    assert program is not None
    said = subprocess.run([program, "-h"], capture_output=True, text=True, check=False).stdout
    words = said.split()
    return words[2] if words[:2] == ["mosquitto", "version"] else ""


def _of_version() -> str:
    """The lines for a mosquitto after 2.0, and where its plugin is when that is not as usual."""
    if find_mosquitto() is None or version().startswith("2.0."):
        return ""
    plugin = os.environ.get("LINLI_MOSQUITTO_PLUGIN", SQLITE_PLUGIN)
    return f'version = "2.1"\nplugin = "{plugin}"\n'


def retire(house: House, name: str) -> None:
    engine = open_writer(path_of(load_settings(house.config).folder, "state"))
    with writing(engine) as connection:
        gone = node.update().where(node.c.node == name)
        connection.execute(gone, {"standing": RETIRED, "retired_at": NOW})
    engine.dispose()


@contextmanager
def running(house: House, *, render: bool = True) -> Iterator[House]:
    if render:
        done = house.render()
        assert done.exit_code == 0, done.output
    program = find_mosquitto()
    assert program is not None
    with (house.config.parent / "mosquitto.log").open("wb") as log:
        argv = [program, "-c", str(house.folder / "mosquitto.conf")]
        house.process = subprocess.Popen(argv, stderr=log)
    try:
        wait_for_port(house.port, house.process)
        yield house
    finally:
        for one in house.clients:
            one.link.close()
        house.process.kill()
        house.process.wait()


def error(result: Any) -> str:
    """What a person who called it is told."""
    assert isinstance(result.exception, InputError), result.output
    return str(result.exception)


def until(there: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not there():
        assert time.monotonic() < end, "it did not happen"
