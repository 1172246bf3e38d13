"""A stage on which a real edge agent works: cameras, model, spool, MQTT, as one process."""

from __future__ import annotations

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
from datetime import datetime
from pathlib import Path
from typing import Any

from brokers import SITE
from estate import AREA, DEVICE, NODE, PATIENCE, until
from harm import Harm
from scene_camera import SceneCamera
from stage import Stage, acting
from verdict import Fact
from vision import bright_square_model

from ingest import registry
from ingest.settings import load_settings
from ingest.store.choose import database_of
from ingest.store.engine import writing
from linli.process import linli_argv

SECOND_CAMERA = "cam-2"
SCENE = """
[[camera]]
id = "{id}"
label = "门 Door"
source = "{source}"
[[camera.zone]]
id = "middle"
anchor = "center"
points = [[0.25, 0.0], [0.75, 0.0], [0.75, 1.0], [0.25, 1.0]]
[[camera.scenario]]
event = "zone-dwell"
labels = ["person"]
zone = "middle"
dwell = 0.5
gone_after = 0.6
cooldown = 0
"""


class AgentStage(Stage):
    """A stage without a load; `cameras` are watched by an agent that may be harmed and killed."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.camera = SceneCamera()
        self.cameras = {DEVICE: self.camera.address}
        self.words: tuple[str, ...] = ("--alone",)
        self.spool_folder = self.data
        self.harm = Harm(folder, "spool.db")
        self.agent: subprocess.Popen[bytes] | None = None
        self._seen: dict[str, Fact] = {}

    def prepare(self) -> None:
        super().prepare()
        self.camera.__enter__()
        engine = database_of(load_settings(self.config)).writer("state")
        with writing(engine) as connection:
            registry.add_device(
                connection, node_name=NODE, name=SECOND_CAMERA, kind="camera", label="Cam 2"
            )
        engine.dispose()
        self.keep_beginning()
        bright_square_model(self.folder / "model.onnx")

    def start_agent(self, *words: str) -> None:
        """Start it; what it tells goes to a file that a kill does not take along."""
        settings = self.folder / "edge.toml"
        scenes = (SCENE.format(id=name, source=where) for name, where in self.cameras.items())
        settings.write_text(
            f'data = "{self.spool_folder}"\n[node]\nsite = "{SITE}"\narea = "{AREA}"\n'
            f'id = "{NODE}"\n[status]\nport = 0\n[mqtt]\nport = {self.edge_mqtt_port}\n'
            f'username = "{NODE}"\npassword_file = "{NODE}.secret"\n[model]\nfile = "model.onnx"\n'
            + "".join(scenes)
        )
        argv = linli_argv("edge", "run", "--json", *self.words, *words, "--config", str(settings))
        with self._told.open("ab") as told, (self.folder / "edge.log").open("ab") as log:
            self.agent = subprocess.Popen(
                argv, stdout=told, stderr=log, env={**os.environ, **self.harm.env}
            )

    def kill_agent(self) -> None:
        """Kill it, and leave what is on its disk unread."""
        assert self.agent is not None
        self.agent.kill()
        self.agent.wait()

    def wait_fallen(self, seconds: float = PATIENCE) -> int:
        """Wait until the agent has ended by itself; remember what it leaves."""
        assert self.agent is not None
        code = self.agent.wait(seconds)
        self.look_into_spool()
        return code

    def end_agent(self) -> None:
        """Let the agent deliver everything and end as a service manager would."""
        self.camera.away()
        until(lambda: self.waiting() == 0, 120)
        assert self.agent is not None
        self.agent.send_signal(signal.SIGTERM)
        code = self.agent.wait(PATIENCE)
        assert code in {0, 1}, (code, (self.folder / "edge.log").read_text()[-2000:])
        self.look_into_spool()
        if self.waiting():
            self.start_agent("--duration", "0", "--drain", "60")
            self.wait_fallen(180)
        assert self.waiting() == 0

    def look_into_spool(self) -> list[Fact]:
        """Return what the spool holds, read from a copy, and remember it."""
        copy = self.folder / "spool-copy.db"
        for end in ("", "-wal"):
            copy.with_name(copy.name + end).unlink(missing_ok=True)
            file = self.spool_folder / f"spool.db{end}"
            if file.exists():
                shutil.copy(file, copy.with_name(copy.name + end))
        if not copy.exists():
            return []
        with closing(sqlite3.connect(copy)) as database:
            query = (
                "SELECT lane.stream, sequence, payload, sha256 FROM row"
                " JOIN lane ON lane.lane = row.lane"
            )
            held = [_fact(*row) for row in database.execute(query)]
        self._seen.update((fact.id, fact) for fact in held)
        return held

    def waiting(self) -> int:
        """Return how many facts wait in the spool; as told by the copy of a moment."""
        try:
            return len(self.look_into_spool())
        except sqlite3.DatabaseError:  # copied while it was written
            return -1

    def told(self, kind: str = "event") -> list[dict[str, Any]]:
        """Return what the agent has said of a kind, over all its starts."""
        lines = self._told.read_text().splitlines() if self._told.exists() else []
        said = []
        for line in lines:
            try:
                said.append(json.loads(line))
            except json.JSONDecodeError:  # cut off by a kill
                continue
        return [one for one in said if one["kind"] == kind]

    def camera_state(self, device: str) -> str | None:
        """Return what the agent said last of a camera."""
        said = [one["state"] for one in self.told("camera") if one["device"] == device]
        return said[-1] if said else None

    def damaged_files(self) -> int:
        """Return how many damaged files the node's last report tells of."""
        query = (
            "SELECT json_extract(payload, '$.data.damaged') FROM message"
            " WHERE kind = 'health' AND name = 'report' ORDER BY id DESC LIMIT 1"
        )
        return int(self.ask("journal", query) or 0)

    def wait_told(self, more: int, kind: str = "event", seconds: float = PATIENCE) -> None:
        """Wait until the agent has said so much more of a kind."""
        before = len(self.told(kind))
        until(lambda: len(self.told(kind)) >= before + more or self._fallen(), seconds)

    def recovered(self, since: float, seconds: float = PATIENCE) -> tuple[float, float]:
        """Return how long after `since` the next event told was stored, and in people's hands.

        By its id: the clock of the edge may be wrong.
        """
        before = len(self.told())
        until(lambda: len(self.told()) > before, seconds)
        event = self.told()[before]["id"]
        stored = "SELECT 1 FROM message WHERE event_id = ?"
        until(lambda: self.ask("journal", stored, event) is not None, seconds)
        first = time.time() - since
        shown = "SELECT 1 FROM event WHERE event_id = ?"
        until(lambda: self.ask("state", shown, event) is not None and self._healthy(), seconds)
        return first, time.time() - since

    def facts(self) -> list[Fact]:
        """Return all that was told or seen on its disk; bytes of what only was told are unknown."""
        stored = dict(self.kept())
        facts = dict(self._seen)
        for one in self.told():
            at = datetime.fromisoformat(one["time"]).timestamp()
            digest = stored.get(one["id"], "")
            known = Fact(one["id"], digest, at, one["stream"], one["sequence"])
            facts.setdefault(one["id"], known)
        return list(facts.values())

    def phases(self) -> dict[str, list[str]]:
        """Return the phases of every episode in the journal, in their order."""
        found: dict[str, list[str]] = {}
        with self.reading("journal") as database:
            query = "SELECT payload FROM message WHERE kind = 'event' ORDER BY stream, sequence"
            for (payload,) in database.execute(query):
                data = json.loads(payload)["data"]
                found.setdefault(data["episode"], []).append(data["phase"])
        return found

    def dwells(self) -> list[float]:
        """Return how long each episode in the journal stood, in seconds."""
        query = "SELECT json_extract(payload, '$.data.dwell') FROM message WHERE kind = 'event'"
        with self.reading("journal") as database:
            return [float(one or 0) for (one,) in database.execute(query)]

    def close(self) -> None:
        if self.agent is not None and self.agent.poll() is None:
            self.kill_agent()
        try:
            super().close()
        finally:
            self.camera.__exit__()

    @property
    def _told(self) -> Path:
        return self.folder / "told.ndjson"

    def _fallen(self) -> bool:
        return self.agent is not None and self.agent.poll() is not None


def _fact(stream: str, sequence: int, payload: bytes, digest: str) -> Fact:
    if hashlib.sha256(payload).hexdigest() != digest:
        raise sqlite3.DatabaseError("copied while it was written")
    said = json.loads(payload)
    at = datetime.fromisoformat(said["time"]).timestamp()
    return Fact(said["id"], digest, at, stream, sequence)


@contextmanager
def agent_stage(folder: Path) -> Iterator[AgentStage]:
    """Yield a stage that works, with no agent on it yet."""
    folder.mkdir(parents=True, exist_ok=True)
    with acting(AgentStage(folder)) as stage:
        yield stage
