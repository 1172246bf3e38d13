"""A small estate for fault tests: real broker, real ingest processes, real edges without eyes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import psutil
from brokers import SITE, RunningBroker

from ingest import registry
from ingest.accounts import book
from ingest.settings import load_settings
from ingest.store.choose import database_of
from ingest.store.engine import writing
from linli.broker import free_port
from linli.clock import SystemClock
from linli.process import linli_argv
from linli.settings import write_secret

AREA, NODE, DEVICE = "b03", "c001-n01", "cam"
LOAD = Path(__file__).parent / "edge_load.py"
PATIENCE = 90.0
ENDING = 45.0
"""Seconds for an ingest to end; its parent gives each of its two children eight before a kill."""


class Estate:
    """Starts, kills and restarts the parts; compares what was made with what is stored."""

    more_settings = ""
    edge_host = "127.0.0.1"
    """Under which address edges find the broker."""
    edge_prefix: tuple[str, ...] = ()
    """What the command of an edge begins with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "load"
        self.data.mkdir()
        self.broker = RunningBroker(folder / "broker", {"svc-ingest": "one", NODE: "two"})
        self.http_port = free_port()
        self.token = ""
        # One for all questions: making it is dear. It keeps no connection: who answers is killed.
        self._web = httpx2.Client(limits=httpx2.Limits(max_keepalive_connections=0))
        self._ingest: subprocess.Popen[bytes] | None = None
        self._loads: list[subprocess.Popen[str]] = []

    def prepare(self) -> None:
        """Write the settings, register the node and its camera, make an API token."""
        self.broker.start()
        for name, secret in (("svc-ingest", "one"), (NODE, "two")):
            write_secret(self.folder / f"{name}.secret", secret)
        self.config.write_text(
            f'data = "ingest"\n[site]\nid = "{SITE}"\nlabel = "Test"\n'
            f'[mqtt]\nport = {self.ingest_mqtt_port}\nusername = "svc-ingest"\n'
            f'password_file = "svc-ingest.secret"\n[http]\nport = {self.http_port}\n'
            f"[rate]\nmessages = 5000\nburst = 5000\n"
            f"[series]\ngather_seconds = 0\n{self.more_settings}"
        )
        database = database_of(load_settings(self.config))
        database.prepare()
        engine = database.writer("state")
        now = SystemClock().now()
        with writing(engine) as connection:
            registry.add_node(connection, site=SITE, area=AREA, name=NODE, label="Load")
            registry.add_device(connection, node_name=NODE, name=DEVICE, kind="camera", label="Cam")
            book.add_account(connection, "admin", "admin", now)
            self.token = book.add_token(
                connection, "admin", "tests", {"see"}, now=now, lasts=timedelta(days=1)
            )
        engine.dispose()

    @property
    def config(self) -> Path:
        return self.folder / "ingest.toml"

    @property
    def ingest_mqtt_port(self) -> int:
        """Where the ingest finds the broker; a proxy may stand there."""
        return self.broker.port

    @property
    def edge_mqtt_port(self) -> int:
        """Where edges find the broker; a proxy may stand there."""
        return self.broker.port

    def start_ingest(self, env: dict[str, str] | None = None) -> None:
        with (self.folder / "ingest.log").open("a") as log:
            self._ingest = subprocess.Popen(
                linli_argv("ingest", "run", "--config", str(self.config)),
                stderr=log,
                env={**os.environ, "LINLI_LOG": "INFO", **(env or {})},
            )

    def wait_ready(self) -> None:
        until(self._healthy)

    def _healthy(self) -> bool:
        with contextlib.suppress(httpx2.HTTPError):
            return self._web.get(self.url + "/healthz", timeout=1).status_code == 200
        return False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    def kill_ingest(self) -> None:
        """Kill parent and children at once, as a power switch for this service would."""
        assert self._ingest is not None
        parent = psutil.Process(self._ingest.pid)
        family = [parent, *parent.children(recursive=True)]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family, timeout=10)
        self._ingest.wait()

    def kill_child(self, name: str) -> None:
        """Kill one child of the ingest; the parent brings it back."""
        assert self._ingest is not None
        for process in psutil.Process(self._ingest.pid).children():
            if name in process.cmdline():
                process.kill()
                return
        raise AssertionError(f"no child {name}")

    def start_load(self, count: int, rate: float, *more: str) -> subprocess.Popen[str]:
        load = subprocess.Popen(
            [
                *(*self.edge_prefix, sys.executable, str(LOAD), "--data", str(self.data)),
                *("--host", self.edge_host, "--port", str(self.edge_mqtt_port)),
                *("--site", SITE, "--area", AREA),
                *("--node", NODE, "--device", DEVICE),
                *("--password-file", str(self.folder / f"{NODE}.secret")),
                *("--rate", str(rate), "--count", str(count), *more),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        self._loads.append(load)
        return load

    def truth(self) -> list[dict[str, Any]]:
        """Return every event an edge is known to have put on disk."""
        path = self.data / "truth.ndjson"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]

    def get(self, path: str, **query: object) -> Any:
        """Ask the API; 503 means that its store is just coming back, so ask again."""
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self._web.get(
                self.url + path,
                params={key: str(value) for key, value in query.items()},
                headers={"Authorization": f"Bearer {self.token}"},
                timeout=10,
            )
            if answer.status_code != 503 or time.monotonic() > deadline:
                break
            time.sleep(0.1)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def stored(self) -> list[dict[str, Any]]:
        """Return every stored event, as an integrator would fetch them."""
        events: list[dict[str, Any]] = []
        after = 0
        while True:
            page = self.get("/api/v1/events", after=after, limit=1000)["items"]
            events += page
            if len(page) < 1000:
                return events
            after = page[-1]["cursor"]

    def close(self) -> None:
        self._web.close()
        for load in self._loads:
            if load.poll() is None:
                load.kill()
            load.wait()
            if load.stdout:
                load.stdout.close()
        if self._ingest is not None and self._ingest.poll() is None:
            self._ingest.send_signal(signal.SIGTERM)
            try:
                self._ingest.wait(ENDING)
            except subprocess.TimeoutExpired:
                self.kill_ingest()
                raise
        self.broker.stop()


def until(condition: Callable[[], bool], seconds: float = PATIENCE) -> float:
    """Wait for real processes; return the seconds it took."""
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        if condition():
            return time.monotonic() - started
        time.sleep(0.05)
    raise AssertionError(f"it did not happen in {seconds:.0f} s")


@contextlib.contextmanager
def running_estate(folder: Path) -> Iterator[Estate]:
    estate = Estate(folder)
    try:
        estate.prepare()
        estate.start_ingest()
        estate.wait_ready()
        yield estate
    finally:
        estate.close()
