"""A community whose every word is private, and a job that tells its district."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import sqlalchemy as sa
import stores

from ingest import registry
from ingest.consumers.share import SAVED, SLOT, USER, ShareJob
from ingest.incidents import flow
from ingest.incidents.facts import EventFact, StaffFact
from ingest.incidents.incident import Incident, Key, Picture
from ingest.settings import IngestSettings, Share, Site
from ingest.share.hold import COMMITTED
from ingest.store.choose import database_of
from ingest.store.database import Database
from ingest.store.engine import writing
from ingest.store.registry import place
from linli.clock import ManualClock
from linli.events import Action, ModelRef
from linli.mqtt import FakeBroker, LinkOptions

SITE, AREA, NODE, DEVICE = "c001", "secret-b03", "c001-secret", "secret-cam"
WORDS = ("secret", "王芳", "13800138000")
NOON = datetime(2026, 3, 2, 12, 0, 41, 123000, tzinfo=UTC)
HELD = 60 + COMMITTED.total_seconds() + 5
SURE = HELD + SAVED + 2 * SLOT
PRIVATE = ["王芳 13800138000", "secret", "secret-word"]
SCHEMAS = Path(__file__).parents[2] / "docs/reference/schema"
VALIDATORS = {
    kind: jsonschema.Draft202012Validator(
        json.loads((SCHEMAS / f"share-{kind}.json").read_text("utf-8"))
    )
    for kind in ("event", "registry")
}


def furnish(writer: sa.Engine) -> None:
    """Register a building, a box and a camera under private names."""
    with writing(writer) as connection:
        connection.execute(
            place.insert(), {"place": f"{SITE}/{AREA}", "kind": "building", "label": PRIVATE[0]}
        )
        registry.add_node(connection, site=SITE, area=AREA, name=NODE, label=PRIVATE[0])
        registry.add_device(
            connection, node_name=NODE, name=DEVICE, kind="camera", label=PRIVATE[0]
        )


class Community:
    """Incidents of one store, and what the broker heard of them."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self.clock = clock
        self.writer = database.writer("state")
        self.reader = database.reader("state")
        self.broker = FakeBroker()
        self.job = self.begin()
        self._number = 0

    def begin(self) -> ShareJob:
        return ShareJob(
            LinkOptions(host="x", port=1, client_id=USER),
            SITE,
            reader=self.reader,
            writer=self.writer,
            clock=self.clock,
            make_link=self.broker.link,
        )

    def close(self) -> None:
        self.job.close()
        self.reader.dispose()
        self.writer.dispose()

    def happens(self, event: str = "smoke", **more: Any) -> Incident:
        """Begin something, with private words wherever there is room for one."""
        self._number += 1
        now, name = self.clock.now(), f"{PRIVATE[1]}{self._number}"
        zone = more.pop("zone", name)
        fact = EventFact(
            **{
                "key": Key(site=SITE, node=NODE, device=DEVICE, event=event, zone=zone),
                "area": AREA,
                "subject": f"{AREA}/secret-e1",
                "event_id": name,
                "phase": "begin",
                "episode": name,
                "severity": "high",
                "object_label": PRIVATE[1],
                "since": now,
                "at": now,
                "heard": now,
                "confidence": 0.9,
                "model": ModelRef(name="secret", version="secret", sha256="0" * 64),
                "actions": (Action(type="secret", result="done"),),
                "picture": Picture(redaction="heads", id=name, bbox=(0.1, 0.2, 0.3, 0.4)),
                "note": PRIVATE[0],
                "title": PRIVATE[0],
                **more,
            }
        )
        with writing(self.writer) as connection:
            return flow.take(connection, fact)[0]

    def staff(self, one: Incident, wish: str, **more: Any) -> Incident:
        fact = StaffFact(wish=wish, actor=f"user:{PRIVATE[0]}", note=PRIVATE[0], **more)  # type: ignore[arg-type]
        with writing(self.writer) as connection:
            done = flow.step(connection, one.id, fact, self.clock.now())
        assert done is not None
        return done[0]

    def pass_time(self, seconds: float, step: float = 5) -> None:
        """Let the job turn while time passes."""
        while seconds > 0:
            for _ in range(4):
                self.job.step()
            self.clock.advance(min(step, seconds))
            seconds -= step
        for _ in range(4):
            self.job.step()

    def told(self, kind: str = "event") -> list[dict[str, Any]]:
        """Return what the broker took, each held against the schema."""
        found = []
        for topic, payload, retain in self.broker.published:
            assert not retain
            body = json.loads(payload)
            base, _, rest = topic.partition("/_share/")
            assert base == f"linli/v1/{SITE}"
            what, _, name = rest.partition("/")
            VALIDATORS[what].validate(body)
            if what == kind:
                assert kind != "event" or body["data"]["type"] == name
                found.append(body)
        return found


def settings_in(folder: Path) -> IngestSettings:
    """Return the settings of a community that shares, whose store is empty."""
    return IngestSettings(
        data=str(folder),
        site=Site(id=SITE, label="春晖"),
        database=stores.copy(folder, stores.nothing),
        share=Share(enabled=True),
    )


@contextmanager
def furnished(settings: IngestSettings) -> Iterator[Community]:
    """Give a community with a building, a box and a camera, at 12:00:41."""
    made = Community(database_of(settings), ManualClock(NOON))
    furnish(made.writer)
    try:
        yield made
    finally:
        made.close()
