"""Real servers for tests: Debian's InfluxDB 1.6 and VictoriaMetrics, in a folder, on free ports."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.settings import Influx
from linli.broker import free_port

NEEDS_INFLUXD = pytest.mark.skipif(
    shutil.which("influxd") is None, reason="no influxd here: apt-get install influxdb"
)
NEEDS_VICTORIA = pytest.mark.skipif(
    shutil.which("victoria-metrics") is None,
    reason="no victoria-metrics here: apt-get install victoria-metrics",
)
DATABASE = "linli"
_CONFIG = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
  logging-enabled = false
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
[logging]
  level = "error"
"""


class RunningServer:
    """A server that a test may kill and start again on the same port and files."""

    def __init__(self, port: int, argv: list[str], ready: str) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._argv = argv
        self._ready = ready
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _wait(f"{self.url}{self._ready}", self._process)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def ask(self, question: str) -> list[dict[str, Any]]:
        """Ask in InfluxQL; return the series of the answer, times in ns."""
        data = urllib.parse.urlencode({"db": DATABASE, "q": question, "epoch": "ns"}).encode()
        with urllib.request.urlopen(f"{self.url}/query", data, timeout=20) as answer:
            result = json.load(answer)["results"][0]
        assert "error" not in result, result
        return result.get("series", [])

    def rows(self, question: str) -> list[dict[str, Any]]:
        """Ask in InfluxQL; return each row with its tags as one dictionary."""
        return [
            {**series.get("tags", {}), **dict(zip(series["columns"], row, strict=True))}
            for series in self.ask(question)
            for row in series["values"]
        ]

    def export(self, metric: str) -> set[float]:
        """Return all values of a metric of VictoriaMetrics, after making it write them down."""
        address = f"{self.url}/internal/force_flush"
        urllib.request.urlopen(address, timeout=20).close()
        named = urllib.parse.urlencode({"match[]": metric})
        with urllib.request.urlopen(f"{self.url}/api/v1/export?{named}", timeout=20) as answer:
            return {value for line in answer for value in json.loads(line)["values"]}

    def count(self, measurement: str, field: str = "value") -> int:
        rows = self.rows(f'SELECT count("{field}") FROM "{measurement}"')
        return rows[0]["count"] if rows else 0


@contextlib.contextmanager
def running_influxd(folder: Path) -> Iterator[RunningServer]:
    """Run InfluxDB 1.6 with an empty database `linli`."""
    port, rpc = free_port(), free_port()
    config = folder / "influxdb.conf"
    config.write_text(_CONFIG.format(folder=folder, port=port, rpc=rpc), encoding="utf-8")
    server = RunningServer(port, ["influxd", "-config", str(config)], "/ping")
    with _running(server):
        server.ask(f"CREATE DATABASE {DATABASE}")
        yield server


@contextlib.contextmanager
def running_victoria(folder: Path) -> Iterator[RunningServer]:
    """Run VictoriaMetrics."""
    port = free_port()
    argv = ["victoria-metrics", f"-storageDataPath={folder / 'vm'}"]
    argv += [f"-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=100y"]
    with _running(RunningServer(port, argv, "/health")) as server:
        yield server


def settings_of(server: RunningServer, **more: Any) -> Influx:
    return Influx(**{"url": server.url, "api": "v1", "bucket": DATABASE, **more})


def eventually(check: Callable[[], bool], seconds: float = 45.0) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, "it never came to be so"
        time.sleep(0.02)


@contextlib.contextmanager
def _running(server: RunningServer) -> Iterator[RunningServer]:
    server.start()
    try:
        yield server
    finally:
        server.kill()


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    def answers() -> bool:
        assert process.poll() is None, f"{process.args} ended with {process.returncode}"
        with contextlib.suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(address, timeout=1).close()
            return True
        return False

    eventually(answers)
