"""The running demo: broker, ingest and edge as processes of one supervisor."""

from __future__ import annotations

import json
import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import psutil

from linli.broker import port_is_free
from linli.cli.demo.files import DemoFiles
from linli.clock import Clock
from linli.errors import LinliError
from linli.guard import guarded
from linli.process import Child, StopSignal, Supervisor, linli_argv

START = 40.0
INTERRUPTED = 130


class World:
    """Starts the parts in order, reads what the edge says, ends all in reverse order."""

    def __init__(self, files: DemoFiles, clock: Clock, stop: StopSignal) -> None:
        self._files = files
        self._clock = clock
        self._stop = stop
        self._supervisor = Supervisor(clock)
        self._edge: subprocess.Popen[str] | None = None
        self._reader = threading.Thread(target=self._read_edge, name="edge-output", daemon=True)
        self._lock = threading.Lock()
        self._captured: dict[str, datetime] = {}
        self._summary: dict[str, Any] = {}
        self._rss: Counter[str] = Counter()
        self.on_event: Callable[[dict[str, Any]], None] = lambda _event: None

    def start_services(self) -> None:
        """Start broker and ingest and wait until the ingest answers. Raises LinliError."""
        files = self._files
        argv = files.broker.argv
        if files.broker.kind == "mosquitto":
            argv = tuple(guarded(argv))
        self._supervisor.start(Child("broker", argv, stderr=files.folder / "broker.log"))
        self._wait(lambda: not port_is_free(files.broker.host, files.broker.port), "broker")
        run = linli_argv("ingest", "run", "--config", str(files.ingest_toml))
        # What it says when it is ready the demo says in its own words.
        self._supervisor.start(Child("ingest", run, stdout=subprocess.DEVNULL))
        self._wait(self._healthy, "ingest")

    def start_edge(self, duration: float | None) -> None:
        """Start the edge; `duration` seconds count from its first frame."""
        argv = linli_argv(
            "edge", "run", "--alone", "--config", str(self._files.edge_toml), "--json"
        )
        if duration is not None:
            argv += ["--duration", str(duration)]
        child = Child("edge", argv, restart=False, stdout=subprocess.PIPE)
        self._edge = self._supervisor.start(child)
        self._reader.start()

    def poll(self) -> int | None:
        """Keep everything running; return the edge's exit code once it has ended."""
        self._measure()
        self._supervisor.poll()
        if self._edge is None or self._edge.poll() is None:
            return None
        self._reader.join(5.0)
        return self._edge.returncode

    def end_edge(self) -> None:
        """Ask the edge to stop; it drains what it has."""
        if self._edge is not None and self._edge.poll() is None:
            self._edge.terminate()

    def close(self) -> None:
        """End all processes."""
        self._supervisor.stop()
        if self._edge is not None and self._edge.stdout is not None:
            self._reader.join(5.0)
            self._edge.stdout.close()

    def captured(self) -> dict[str, datetime]:
        """Return when the deciding frame of each produced event was captured, by event id."""
        with self._lock:
            return dict(self._captured)

    def edge_summary(self) -> dict[str, Any]:
        """Return the edge's last words, empty while it runs."""
        with self._lock:
            return dict(self._summary)

    def rss_mb(self) -> dict[str, float]:
        """Return the most memory each process held, in MB."""
        return {name: round(size / 1e6, 1) for name, size in sorted(self._rss.items())}

    def _healthy(self) -> bool:
        try:
            return (
                httpx2.get(self._files.url + "/healthz", timeout=1.0, trust_env=False).status_code
                == 200
            )
        except httpx2.HTTPError:
            return False

    def _wait(self, ready: Callable[[], bool], name: str) -> None:
        deadline = self._clock.monotonic() + START
        while not ready():
            fallen = self._supervisor.poll().get(name)
            if fallen is not None:
                raise LinliError(f"the {name} ended with code {fallen}", hint=self._hint(name))
            if self._clock.monotonic() > deadline:
                raise LinliError(f"the {name} is not up after {START:.0f} s", hint=self._hint(name))
            if self._stop.wait(0.05):
                raise SystemExit(INTERRUPTED)

    def _hint(self, name: str) -> str:
        log = self._files.folder / f"{name}.log"
        return f"See {log}" if log.is_file() else "The lines above say why"

    def _measure(self) -> None:
        for name in ("broker", "ingest", "edge"):
            process = self._supervisor.process(name)
            if process is None:
                continue
            try:
                self._note(name, psutil.Process(process.pid))
            except psutil.Error:
                continue

    def _note(self, name: str, process: psutil.Process) -> None:
        family = [(name, process)]
        family += [
            (_part(child), child) if name == "ingest" else (name, child)
            for child in process.children()
        ]
        for part, one in family:
            self._rss[part] = max(self._rss[part], one.memory_info().rss)

    def _read_edge(self) -> None:
        assert self._edge is not None
        assert self._edge.stdout is not None
        for line in self._edge.stdout:
            try:
                said = json.loads(line)
            except json.JSONDecodeError:
                continue
            self._take(said)

    def _take(self, said: dict[str, Any]) -> None:
        with self._lock:
            if said["kind"] == "event":
                self._captured[said["id"]] = datetime.fromisoformat(said["captured"])
            elif said["kind"] == "summary":
                self._summary = said
        if said["kind"] == "event":
            self.on_event(said)


def _part(process: psutil.Process) -> str:
    words = process.cmdline()
    return next((word for word in ("receiver", "web") if word in words), Path(words[0]).name)
