"""Our own parts over TLS: settings name files, a real mosquitto lets in by certificates alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from broker_clients import EDGE, SITE, Client
from broker_house import BASE, House, built, running
from brokers import NEEDS_MOSQUITTO
from click.testing import CliRunner

from edge.agent.build import link_options
from edge.settings import load_settings as load_edge
from ingest.consumers.commands import link_of
from ingest.settings import load_settings as load_ingest
from linli.cli.broker import command
from linli.clock import SystemClock
from linli.errors import InputError
from linli.mqtt import LinkOptions, PahoLink
from linli.tls import client_context

CAMERA = '[[camera]]\nid = "cam-1"\nlabel = "x"\nsource = "clip.mp4"\n'
HEAD = f'{CAMERA}[node]\nsite = "{SITE}"\narea = "b03"\nid = "{EDGE}"\n'


def files(house: House, name: str, *keys: str) -> str:
    folder = house.folder / "clients" / name
    names = {"ca_file": "ca.crt", "cert_file": "client.crt", "key_file": "client.key"}
    return "".join(f'{key} = "{folder / names[key]}"\n' for key in keys or names)


def called(options: LinkOptions) -> Client:
    made = Client(options.port, options.client_id)
    made.link = PahoLink(options, made, SystemClock())
    return made


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = built(tmp_path, "certificates")
    for words in (["ca", "--host", "127.0.0.1"], ["issue", EDGE], ["issue", "svc-command"]):
        done: Any = CliRunner().invoke(command, [*words, "--config", str(made.config)])
        assert done.exit_code == 0, done.output
    return made


@pytest.mark.broker
@NEEDS_MOSQUITTO
def test_edge_and_commands_go_over_tls_with_their_certificates(house: House) -> None:
    edge_file = house.config.parent / "edge.toml"
    edge_file.write_text(f"{HEAD}[mqtt]\nport = {house.port}\n{files(house, EDGE)}")
    text = house.config.read_text()
    text = text.replace(
        "[commands]\n", "[commands]\n" + files(house, "svc-command", "cert_file", "key_file")
    ) + (f"[mqtt]\nport = {house.port}\n" + files(house, "svc-command", "ca_file"))
    house.config.write_text(text)
    with running(house):
        edge = called(link_options(load_edge(edge_file))).up()
        sender = called(link_of(load_ingest(house.config))).up()
        assert edge.says(f"{BASE}/b03/{EDGE}/cam-1/ack/x", b"said") is None
        sender.until(lambda: sender.heard == [(f"{BASE}/b03/{EDGE}/cam-1/ack/x", b"said")])
        assert sender.says(f"{BASE}/b03/{EDGE}/cam-1/command/x") is None
        # Whom it does not trust it does not talk to, and never in the clear.
        stranger = house.config.parent / "ca" / "ca.crt"
        edge_file.write_text(f'{HEAD}[mqtt]\nport = {house.port}\nca_file = "{stranger}"\n')
        assert called(link_options(load_edge(edge_file))).refused()


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        ('ca_file = "missing.crt"', "missing.crt: cannot be read"),
        ('ca_file = "garbage.crt"', "garbage.crt: holds no certificate"),
        ('cert_file = "a"\nca_file = "b"', "cert_file and key_file go together"),
        ('cert_file = "a"\nkey_file = "b"', "cert_file without ca_file"),
    ],
    ids=["missing", "garbage", "half", "trust"],
)
def test_files_that_cannot_be_used_are_named(tmp_path: Path, lines: str, rule: str) -> None:
    (tmp_path / "garbage.crt").write_text("not a certificate")
    (tmp_path / "edge.toml").write_text(f"{HEAD}[mqtt]\n{lines}\n")
    with pytest.raises(InputError, match=rule):
        link_options(load_edge(tmp_path / "edge.toml"))
    config = tmp_path / "ingest.toml"
    config.write_text(f'[site]\nid = "{SITE}"\nlabel = "x"\n[mqtt]\n{lines}\n')
    with pytest.raises(InputError, match=rule):
        link_of(load_ingest(config))


def test_another_s_key_is_named(house: House) -> None:
    clients = house.folder / "clients"
    mixed = [clients / EDGE / "client.crt", clients / "svc-command" / "client.key"]
    with pytest.raises(InputError, match="or not that of the key"):
        client_context(str(clients / EDGE / "ca.crt"), *map(str, mixed))
    assert client_context(None) is None
