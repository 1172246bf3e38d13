"""The files of a demo: settings of both sides, secrets, all below one folder."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from ingest.commands.command import SENDER
from ingest.settings import CLIENT_ID
from linli.broker import BrokerPlan, free_port, plan_broker
from linli.cli.demo.inputs import DemoInputs, is_camera
from linli.settings import make_folder, read_secret, write_secret

SITE = "demo"
AREA = "b01"
NODE = "demo-n01"
CAMERA = "cam-1"
INGEST_USER = CLIENT_ID


@dataclass(frozen=True, slots=True)
class DemoFiles:
    """Where everything of one demo is; `place` is where its camera hangs."""

    folder: Path
    broker: BrokerPlan
    http_port: int
    place: str

    @property
    def ingest_toml(self) -> Path:
        """The ingest's settings."""
        return self.folder / "ingest.toml"

    @property
    def edge_toml(self) -> Path:
        """The edge's settings."""
        return self.folder / "edge.toml"

    @property
    def node_key(self) -> Path:
        """The edge's key for sending pictures."""
        return self.folder / "secrets" / "node-key"

    @property
    def url(self) -> str:
        """Where pages and API are."""
        return f"http://127.0.0.1:{self.http_port}"


def write_files(folder: Path, inputs: DemoInputs, http_port: int, speed: str) -> DemoFiles:
    """Write what is missing below `folder`. Raises InputError when that cannot be."""
    vault = make_folder(make_folder(folder) / "secrets")
    passwords = {name: _secret(vault / name) for name in (INGEST_USER, SENDER, NODE)}
    broker = plan_broker(folder / "broker", site=SITE, port=free_port(), users=passwords)
    files = DemoFiles(folder, broker, http_port, f"{AREA}/{inputs.scene.place}")
    files.ingest_toml.write_text(_ingest_toml(files), encoding="utf-8")
    write_secret(files.edge_toml, _edge_toml(files, inputs, speed))  # may hold a camera's password
    return files


def _secret(path: Path) -> str:
    if not path.exists():
        write_secret(path, secrets.token_urlsafe(24))
    return read_secret(path)


def _ingest_toml(files: DemoFiles) -> str:
    return f"""\
# Written by `linli demo`.
data = "ingest"

[site]
id = "{SITE}"
label = "邻里演示小区 Linli demo"

[mqtt]
port = {files.broker.port}
username = "{INGEST_USER}"
password_file = "secrets/{INGEST_USER}"
protocol = "{files.broker.protocol}"

[http]
port = {files.http_port}

[series]
gather_seconds = 1

[commands]  # what moves doors is off until somebody wants it
enabled = false
username = "{SENDER}"
password_file = "secrets/{SENDER}"
"""


def _edge_toml(files: DemoFiles, inputs: DemoInputs, speed: str) -> str:
    source = json.dumps(inputs.video, ensure_ascii=False)
    model = json.dumps(inputs.model, ensure_ascii=False)
    pace = ""
    if not is_camera(inputs.video):
        pace = f"speed = {json.dumps(speed) if speed == 'max' else speed}\n"
    return f"""\
# Written by `linli demo`.
data = "edge"

[node]
site = "{SITE}"
area = "{AREA}"
id = "{NODE}"

[mqtt]
port = {files.broker.port}
username = "{NODE}"
password_file = "secrets/{NODE}"
protocol = "{files.broker.protocol}"

[ingest]
url = "{files.url}"
key_file = "secrets/node-key"

[model]
file = {model}

[[camera]]
id = "{CAMERA}"
label = "演示摄像头 Demo camera"
subject = "{files.place}"
source = {source}
{pace}
{inputs.scene.watched}"""
