"""One ingest's data folder with its web application, and a journal that tests fill by hand."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import quick_apps
import sqlalchemy as sa
import stores
from fastapi.testclient import TestClient
from msgspec.structs import replace
from PIL import Image

from ingest import registry
from ingest.accounts import book as accounts
from ingest.accounts.account import Viewer
from ingest.app import create_app
from ingest.settings import Http, IngestSettings, Site
from ingest.store import journal
from ingest.store.choose import database_of
from ingest.store.database import Database
from ingest.store.engine import to_micros, writing
from ingest.store.migrate import File
from linli.clock import ManualClock
from linli.codec import encode
from linli.events import (
    CameraReport,
    DescribeData,
    DescribeMessage,
    EventData,
    EventMessage,
    Reading,
    ReportData,
    ReportMessage,
    Snapshot,
    Status,
    TelemetryData,
    TelemetryMessage,
    schema_uri,
    sequence_text,
)
from linli.ids import uuid7
from linli.topics import Topic

quick_apps.use()
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SITE, AREA, NODE, CAMERA = "c001", "b03", "c001-n07", "cam-e1"
NODE_KEY = "a-key-that-only-this-node-has"
STREAMS = {"event": "0000000e", "telemetry": "0000000f"}
PASSWORDS = {
    "wang": ("duty", "a quiet evening"),
    "guest": ("street", "another evening"),
    "boss": ("admin", "a loud morning"),
}
ADMIN = Viewer(account="boss", name="boss", role="admin")
STAFF = Viewer(account="wang", name="wang", role="duty")
GUEST = Viewer(account="guest", name="guest", role="street")


def _furnish(database: Database) -> None:
    """Add three accounts, a node and its camera: hashing takes its time."""
    engine = database.writer("state")
    with writing(engine) as connection:
        for name, (role, password) in PASSWORDS.items():
            accounts.add_account(connection, name, role, NOON, password)  # type: ignore[arg-type]
        registry.add_node(connection, site=SITE, area=AREA, name=NODE, label="3 号楼", key=NODE_KEY)
        registry.add_device(
            connection, node_name=NODE, name=CAMERA, kind="camera", label="1 号电梯"
        )
    engine.dispose()


class Folder:
    """A data folder; rows go straight into the journal, as the receiver would commit them."""

    def __init__(self, path: Path, prefix: str = "", *, fresh: bool = False) -> None:
        self.path = path
        where = stores.copy(path, stores.nothing if fresh else _furnish)
        self.clock = ManualClock(NOON)
        self.settings = IngestSettings(
            data=str(path),
            site=Site(id=SITE, label="春晖"),
            http=Http(path_prefix=prefix),
            database=where,
        )
        self.database = database_of(self.settings)
        self.journal = self.database.writer("journal")
        self.state = self.database.writer("state")
        self.series = self.database.writer("series")
        self._numbers = {kind: count(1) for kind in STREAMS}
        self._open = [self.journal, self.state, self.series]

    @property
    def toml(self) -> str:
        """What leads to this store, for a settings file."""
        url = self.settings.database.url
        return "" if url is None else f'[database]\nurl = "{url}"\n'

    def reader(self, file: File) -> sa.Engine:
        engine = self.database.reader(file)
        self._open.append(engine)
        return engine

    def close(self) -> None:
        for engine in self._open:
            engine.dispose()

    def put(
        self, kind: str, name: str, payload: bytes, *, device: str = CAMERA, **columns: Any
    ) -> int:
        values = {
            "received": to_micros(self.clock.now()),
            "site": SITE,
            "area": AREA,
            "node": NODE,
            "device": device,
            "kind": kind,
            "name": name,
            "source": f"/{SITE}/{NODE}/{device}",
            "time": to_micros(self.clock.now()),
            "flags": 0,
            "payload": payload,
            **columns,
        }
        with writing(self.journal) as connection:
            inserted = connection.execute(journal.message.insert(), values).inserted_primary_key
        assert inserted is not None
        return int(inserted[0])

    def put_event(self, message: EventMessage, *, device: str = CAMERA, **columns: Any) -> int:
        topic = Topic(SITE, AREA, NODE, device, *message.type.split(".")[1:])
        return self.put(
            "event",
            topic.name,
            encode(message),
            device=device,
            event_id=message.id,
            stream=message.stream,
            sequence=int(message.sequence),
            **{"time": to_micros(message.time), **columns},
        )

    def event(self, *, name: str = "zone-dwell", device: str = CAMERA, **data: Any) -> EventMessage:
        now = data.pop("time", self.clock.now())
        return EventMessage(
            **self._fact("event", name, device, now),
            data=EventData(
                **{
                    "phase": "begin",
                    "episode": uuid7(now),
                    "severity": "medium",
                    "label": "person",
                    "since": now,
                    "zone": "door",
                    **data,
                }
            ),
        )

    def put_readings(self, *readings: Reading, group: str = "camera") -> int:
        message = TelemetryMessage(
            **self._fact("telemetry", group, CAMERA, self.clock.now()),
            data=TelemetryData(readings=readings),
        )
        return self.put(
            "telemetry",
            group,
            encode(message),
            event_id=message.id,
            stream=message.stream,
            sequence=int(message.sequence),
        )

    def put_readings_now(self) -> int:
        return self.put_readings(Reading(n="fps", v=5, u="/s", t=self.clock.now()))

    def put_status(self, state: str, session: str = "00000001") -> int:
        status = Status(state=state, session=session)  # type: ignore[arg-type]
        return self.put("health", "status", encode(status), device="self")

    def put_report(
        self, *cameras: CameraReport, unsynced: tuple[str, int] | None = None, **more: Any
    ) -> int:
        data = ReportData(agent="0.1", uptime=5, rss=9, diskfree=8 << 30, cameras=cameras, **more)
        message = ReportMessage(
            **self._envelope("health", "report", "self", self.clock.now()), data=data
        )
        if unsynced:
            boot, up = unsynced
            message = replace(message, clocksync="unsynced", bootid=boot, uptimems=up)
        return self.put("health", "report", encode(message), device="self")

    def put_description(self, device: str, label: str) -> int:
        message = DescribeMessage(
            **self._envelope("meta", "describe", device, self.clock.now()),
            data=DescribeData(kind="camera", label=label),
        )
        return self.put("meta", "describe", encode(message), device=device)

    def park_description(self, device: str, kind: str, label: str) -> None:
        message = DescribeMessage(
            **self._envelope("meta", "describe", device, self.clock.now()),
            data=DescribeData(kind=kind, label=label),
        )
        self.park(device, name="meta/describe", payload=encode(message))

    def park(
        self,
        device: str,
        node: str = NODE,
        *,
        name: str = "event/zone-dwell",
        payload: bytes = b"{}",
    ) -> None:
        with writing(self.journal) as connection:
            connection.execute(
                journal.parked.insert(),
                {
                    "received": to_micros(self.clock.now()),
                    "topic": f"linli/v1/{SITE}/{AREA}/{node}/{device}/{name}",
                    "area": AREA,
                    "node": node,
                    "device": device,
                    "sha256": uuid7(NOON),
                    "size": len(payload),
                    "payload": payload,
                },
            )

    def _fact(self, kind: str, name: str, device: str, now: datetime) -> dict[str, Any]:
        return {
            **self._envelope(kind, name, device, now),
            "stream": STREAMS[kind],
            "sequence": sequence_text(next(self._numbers[kind])),
            "low": sequence_text(1),
        }

    def _envelope(self, kind: str, name: str, device: str, now: datetime) -> dict[str, Any]:
        return {
            "specversion": "1.0",
            "id": uuid7(now),
            "source": f"/{SITE}/{NODE}/{device}",
            "type": f"linli.{kind}.{name}",
            "time": now,
            "datacontenttype": "application/json",
            "dataschema": schema_uri(kind),
            "clocksync": "synced",
        }


def snapshot(name: str, data: bytes = b"x", **changes: Any) -> Snapshot:
    values = {"redaction": "heads", "id": name, "sha256": "0" * 64, "bytes": len(data)}
    return Snapshot(**{**values, "expires": NOON + timedelta(days=7), **changes})


def jpeg(size: tuple[int, int] = (64, 48), **more: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (90, 120, 30)).save(out, "JPEG", **more)
    return out.getvalue()


@contextmanager
def running(folder: Folder, *, raises: bool = True) -> Iterator[TestClient]:
    """Run the application of a folder; its threads run as in life."""
    app = create_app(folder.settings, clock=folder.clock)
    with TestClient(app, base_url="http://linli.test", raise_server_exceptions=raises) as client:
        yield client


def sign_in(client: TestClient, name: str) -> dict[str, str]:
    """Sign in; return the headers that changes need."""
    answer = client.post("/api/v1/login", json={"name": name, "password": PASSWORDS[name][1]})
    assert answer.status_code == 200, answer.text
    return {"X-CSRF-Token": answer.json()["csrf"]}
