"""An incident of a real ingest, and a phone with a link to it."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient
from house import ADMIN, CAMERA, NODE, SITE, Folder, snapshot

from dashboards.web import mount
from ingest.app import create_app
from ingest.evidence.book import Arrival
from ingest.incidents.incident import Incident
from ingest.notify.links import LinkKey, PersonalLinks
from ingest.services import Services
from ingest.store.engine import writing
from ingest.store.registry import person, team
from linli.ids import uuid7

PERSON, TEAM = "person:li", "team:security"


class Phone:
    """A browser that never signed in, with a link to the one incident there is."""

    def __init__(self, folder: Folder, app: FastAPI, client: TestClient) -> None:
        self.folder, self.client = folder, client
        self.services: Services = app.state.services
        self._links = PersonalLinks("http://linli.test", LinkKey(folder.path))
        self.of, self.token, self.path = "", "", ""

    def use(self, recipient: str) -> None:
        """Take the link of another recipient."""
        self.token = self.minted(recipient)
        self.path = f"/i/{self.token}"

    def minted(self, recipient: str) -> str:
        return self._links.token(self.of, recipient, self.folder.clock.now())

    def get(self) -> Any:
        return self.client.get(self.path)

    def post(self, deed: str) -> Any:
        return self.client.post(f"{self.path}/{deed}", follow_redirects=True)

    def incident(self) -> Incident:
        return self.services.incidents.get(ADMIN, self.of)

    def person(self, *, label: str = "李伟", retired: bool = False) -> None:
        gone = self.folder.clock.now() if retired else None
        with writing(self.folder.state) as connection:
            connection.execute(person.update().values(label=label, retired_at=gone))

    def wait(self) -> None:
        """Wait for the incident that the journal has."""
        for _ in range(400):
            found = self.services.incidents.list(ADMIN).items
            if found and found[0].picture is not None:
                self.of = found[0].id
                return
            threading.Event().wait(0.01)
        raise AssertionError("no incident")

    def hand_in(self, data: bytes) -> str:
        """Let the node hand in the incident's picture."""
        picture = self.incident().picture
        assert picture is not None
        assert picture.id is not None
        now = self.folder.clock.now()
        arrival = Arrival(
            id=picture.id,
            site=SITE,
            node=NODE,
            device=CAMERA,
            redaction="heads",
            expires=now + timedelta(days=7),
            sent_sha256=hashlib.sha256(data).hexdigest(),
        )
        self.services.evidence.take(arrival, data, now)
        return picture.id


@contextmanager
def phone(folder: Folder, **event: Any) -> Iterator[Phone]:
    """Let something happen, and give its link to a person."""
    app = create_app(folder.settings, clock=folder.clock)
    site = folder.settings.site
    mount(app, app.state.services, site=site.label, zone=site.timezone, clock=folder.clock)
    _people(folder)
    folder.put_event(
        folder.event(
            severity="high",
            snapshot=snapshot(uuid7(folder.clock.now())),
            **event,
        )
    )
    with TestClient(app, base_url="http://linli.test", follow_redirects=False) as client:
        client.headers["accept-language"] = "en"
        made = Phone(folder, app, client)
        made.wait()
        made.use(PERSON)
        yield made
    folder.close()


def _people(folder: Folder) -> None:
    rows: list[tuple[sa.Table, dict[str, str]]] = [
        (team, {"team": "security", "label": "保安队"}),
        (person, {"person": "li", "label": "李伟", "role": "security", "team": "security"}),
    ]
    with writing(folder.state) as connection:
        for table, row in rows:
            connection.execute(table.insert(), row)
