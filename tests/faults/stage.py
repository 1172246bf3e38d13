"""The estate that faults are played on: every path to the broker leads through a proxy."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest
from brokers import RunningBroker, wait_for_port
from estate import ENDING, PATIENCE, Estate, until
from fault_proxy import FaultProxy
from netns import NEAR, Cable
from verdict import Fact

from ingest.store.migrate import FILES, previous
from linli.broker import plan_broker
from linli.process import linli_argv

POINTS = ("before-commit", "after-commit", "after-ack", "after-receipt")
BACKLOG = 30
FOREVER = 1_000_000
OTHER_NODE = "c001-n02"
AnyStage = TypeVar("AnyStage", bound="Stage")
_BOUNDS = ("max_queued_messages", "max_queued_bytes", "memory_limit", "autosave_interval")


class PlainBroker(RunningBroker):
    """A broker that queues as little and saves as seldom as mosquitto does by default."""

    def launch(self) -> None:
        """Start without waiting until it listens; its files are written the first time only."""
        if self.plan is None:
            self._write()
        assert self.plan is not None
        with (self._folder.parent / "broker.log").open("a") as errors:
            self._process = subprocess.Popen(self.plan.argv, stderr=errors)

    def _write(self) -> None:
        self.plan = plan_broker(self._folder, site=self._site, port=self.port, users=self._users)
        conf = self._folder / "mosquitto.conf"
        lines = conf.read_text().splitlines(keepends=True)
        conf.write_text("".join(one for one in lines if not one.startswith(_BOUNDS)))

    def start(self) -> None:
        self.launch()
        wait_for_port(self.port, self._process)

    @property
    def database(self) -> Path:
        return self._folder / "mosquitto.db"

    @property
    def process(self) -> psutil.Process:
        assert self._process is not None
        return psutil.Process(self._process.pid)


class Stage(Estate):
    """An estate whose parts can be cut off, frozen, locked and killed while a load runs."""

    def __init__(self, folder: Path, line: Cable | None = None, *, straight: bool = False) -> None:
        """With `straight` nothing stands in the way, for tests that measure delays."""
        super().__init__(folder)
        self.line = line
        self.straight = straight
        users = {**self.broker._users, OTHER_NODE: "three"}
        self.broker = PlainBroker(folder / "broker", users)
        if line is not None:
            self.edge_host, self.edge_prefix = NEAR, line.inside
        self.edge_path = FaultProxy(self.broker.port, host=self.edge_host)
        self.ingest_path = FaultProxy(self.broker.port)
        self.load: subprocess.Popen[str] | None = None
        self.load_words: tuple[str, ...] = ()
        self.rate = 100.0
        self.fallen = False
        self._truth_read = self._truth_made = 0
        self._journal_read = self._journal_kept = 0

    @property
    def ingest_mqtt_port(self) -> int:
        return self.broker.port if self.straight else self.ingest_path.port

    @property
    def edge_mqtt_port(self) -> int:
        return self.broker.port if self.straight else self.edge_path.port

    def prepare(self) -> None:
        self.edge_path.start()
        self.ingest_path.start()
        super().prepare()
        self.keep_beginning()
        for point in POINTS:
            self.failpoint(point).touch()

    def keep_beginning(self) -> None:
        """Keep what stands in the registry before anything happens, to read the journal anew."""
        shutil.copy(self.file("state"), self.folder / "state-at-first.db")

    def file(self, name: str) -> Path:
        return self.folder / "ingest" / f"{name}.db"

    def failpoint(self, point: str) -> Path:
        """The file whose absence makes the receiver fall at a point, once."""
        return self.folder / "ingest" / f"failpoint-{point}.done"

    def start_ingest(self, env: dict[str, str] | None = None) -> None:
        super().start_ingest({"LINLI_FAILPOINT": ",".join(POINTS), **(env or {})})
        self.fallen = False

    def fresh_supervisor(self) -> None:
        """Let nobody remember an earlier fall: a second one within a minute waits longer."""
        if self.fallen:
            self.stop_ingest()
            self.start_ingest()
            self.wait_ready()

    def stop_ingest(self) -> int:
        """End the ingest as a service manager does; return its exit code."""
        assert self._ingest is not None
        self._ingest.send_signal(signal.SIGTERM)
        return self._ingest.wait(ENDING)

    def step_back(self) -> None:
        """Undo the last change of every file's tables; the ingest does not run."""
        for file in FILES:
            if previous(file) is not None:
                words = ("back", file, "--yes", "--config", str(self.config))
                argv = linli_argv("ingest", "migrate", *words)
                subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, timeout=120)

    def child(self, name: str) -> psutil.Process:
        assert self._ingest is not None
        found: list[psutil.Process] = []

        def there() -> bool:
            assert self._ingest is not None
            children = psutil.Process(self._ingest.pid).children()
            found[:] = [one for one in children if name in one.cmdline()]
            return bool(found)

        until(there)
        return found[0]

    def play_load(self, *words: str, count: int = FOREVER) -> None:
        self.load_words = words
        self.load = self.start_load(count, self.rate, *words)

    def kill_load(self) -> None:
        assert self.load is not None
        self.load.kill()
        self.load.wait()

    def finish_load(self, seconds: float = 90) -> dict[str, Any]:
        """End production, wait until the spool is empty, return what the edge says of it."""
        assert self.load is not None
        (self.data / "enough").touch()
        return self.drained(seconds)

    def drained(self, seconds: float = 90) -> dict[str, Any]:
        """Wait until the load has made everything and its spool is empty; return its summary."""
        assert self.load is not None
        out, _ = self.load.communicate(timeout=seconds)
        assert self.load.returncode == 0, out
        summary: dict[str, Any] = json.loads(out)
        return summary

    def wait_produced(self, seconds: float = PATIENCE) -> None:
        """Wait until the load has made all its facts, stored or not."""
        until((self.data / "produced").exists, seconds)

    def facts(self) -> list[Fact]:
        return [
            Fact(one["id"], one["sha256"], one["at"], one["stream"], one["sequence"])
            for one in self.truth()
        ]

    @contextmanager
    def reading(self, name: str) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.file(name), timeout=10)) as database:
            yield database

    def ask(self, name: str, query: str, *values: object) -> Any:
        """Return the first value of the first row, None when there is none."""
        with self.reading(name) as database:
            row = database.execute(query, values).fetchone()
        return None if row is None else row[0]

    def kept(self) -> list[tuple[str, str]]:
        """Return id and sha256 of every fact in the journal."""
        query = "SELECT event_id, payload FROM message WHERE kind IN ('event', 'telemetry')"
        with self.reading("journal") as database:
            return [
                (one, hashlib.sha256(body).hexdigest()) for one, body in database.execute(query)
            ]

    def for_people(self) -> list[str]:
        """Return the id of every event that the consumer of incidents has kept."""
        with self.reading("state") as database:
            return [one for (one,) in database.execute("SELECT event_id FROM event")]

    def refused(self) -> list[str]:
        with self.reading("journal") as database:
            query = "SELECT event_id FROM reject WHERE event_id IS NOT NULL"
            return [one for (one,) in database.execute(query)]

    def counted(self, name: str) -> int:
        return int(self.ask("journal", "SELECT value FROM counter WHERE name = ?", name) or 0)

    def behind(self) -> int:
        """Return how many facts of the truth are not in the journal yet, roughly."""
        path = self.data / "truth.ndjson"
        if path.exists():
            with path.open("rb") as truth:
                truth.seek(self._truth_read)
                new = truth.read()
            self._truth_read += len(new)
            self._truth_made += new.count(b"\n")
        new_rows = "SELECT id, stream <> '' FROM message WHERE id > ? ORDER BY id"
        with self.reading("journal") as database:
            for number, is_fact in database.execute(new_rows, (self._journal_read,)):
                self._journal_read = number
                self._journal_kept += bool(is_fact)
        return self._truth_made - self._journal_kept

    def wait_caught_up(self, seconds: float = PATIENCE) -> None:
        until(lambda: self.behind() < BACKLOG, seconds)

    def recovered(self, since: float, seconds: float = PATIENCE) -> tuple[float, float]:
        """Return how long after `since` a newer fact was stored, and in people's hands."""
        micros, first = int(since * 1e6), 0.0
        # Only the newest rows: there may be a million, and this is asked all the time.
        lately = "SELECT 1 FROM (SELECT * FROM {} ORDER BY id DESC LIMIT 5000) WHERE time > ?"
        stored = lately.format("message") + " AND kind = 'event' LIMIT 1"
        shown = lately.format("event") + " LIMIT 1"
        while time.time() < since + seconds:
            if not first and self.ask("journal", stored, micros):
                first = time.time() - since
            if first and self.ask("state", shown, micros) and self._healthy():
                return first, time.time() - since
            time.sleep(0.02)
        raise AssertionError(f"nothing new was stored and shown within {seconds:.0f} s")

    def close(self) -> None:
        try:
            super().close()
        finally:
            self.edge_path.stop()
            self.ingest_path.stop()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a database's write lock, as a backup tool or a hung process may."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("ROLLBACK")


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Mount a small disk in memory at a folder; skip the test where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    size = f"size={megabytes}m"
    command = ["mount", "-t", "tmpfs", "-o", size, "linli-test", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk: run it as root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def resize(disk: Path, megabytes: int) -> None:
    """Let a small disk be of another size, as when others took the rest of it."""
    remount = f"remount,size={megabytes}m"
    subprocess.run(["mount", "-o", remount, str(disk)], check=True)


def fill(folder: Path) -> Path:
    """Take all room of a disk; return the file that holds it."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65536, 4096, 512):
            with contextlib.suppress(OSError):
                while file.write(b"\0" * size):
                    pass
    return ballast


@contextmanager
def running_stage(
    folder: Path, line: Cable | None = None, *, straight: bool = False
) -> Iterator[Stage]:
    """Yield a stage that works; its edges stand at the far end of a line, if there is one."""
    folder.mkdir(parents=True, exist_ok=True)
    with acting(Stage(folder, line, straight=straight)) as stage:
        yield stage


@contextmanager
def acting(stage: AnyStage) -> Iterator[AnyStage]:
    """Let a stage work, and end it."""
    try:
        stage.prepare()
        stage.start_ingest()
        stage.wait_ready()
        yield stage
    finally:
        stage.close()
