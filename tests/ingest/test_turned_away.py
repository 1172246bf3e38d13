"""A node whose messages are not read: people, programs and the doctor are told which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from house import NODE, Folder

from ingest.accounts.account import Viewer
from ingest.doctor import edges
from ingest.doctor.sources import Sources
from ingest.feed import Feed
from ingest.receive.writer import add_counts
from ingest.repairs.finding import Finding
from ingest.services.devices import DeviceService
from ingest.services.estate import LATELY
from ingest.services.views import NodeView
from ingest.store.engine import to_micros, writing
from ingest.store.journal import reject, turned_away
from ingest.store.registry import node
from linli.codec import encode
from linli.events import Status

VIEWER = Viewer(account="tests", name="tests", role="street")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    with writing(folder.state) as connection:
        said = encode(Status(state="ready", session="00000001")).decode()
        values = {"status": said, "last_seen": folder.clock.now() + timedelta(minutes=5)}
        connection.execute(node.update().where(node.c.node == NODE), values)
    with writing(folder.journal) as connection:
        add_counts(connection, Counter({turned_away(NODE): 7, "turned_away": 2}))
    yield folder
    folder.close()


def refuse_something(folder: Folder) -> None:
    values = {"topic": "t", "node": NODE, "code": "json", "path": "$", "what": "x", "sha256": "0"}
    with writing(folder.journal) as connection:
        connection.execute(reject.insert(), {**values, "received": to_micros(folder.clock.now())})


def view(folder: Folder) -> NodeView:
    house = DeviceService(folder.state, folder.state, folder.journal, Feed(), "c001")
    return next(one for one in house.nodes(VIEWER, folder.clock.now()) if one.node == NODE)


def findings(folder: Folder) -> dict[str, Finding]:
    sources = Sources(
        settings=folder.settings,
        state=folder.state,
        series=folder.state,
        journal=folder.journal,
        now=folder.clock.now(),
    )
    return {one.code: one for one in edges.look(sources)}


def test_who_was_only_too_fast_is_counted_and_well(folder: Folder) -> None:
    seen = view(folder)
    assert (seen.turned_away, seen.health) == (7, "ok")
    assert "edge-turned-away" not in findings(folder)


def test_who_breaks_the_contract_is_shown_as_impaired_until_it_stops(folder: Folder) -> None:
    refuse_something(folder)
    assert view(folder).health == "degraded"
    told = findings(folder)["edge-turned-away"]
    assert "7 of its messages" in told.what
    folder.clock.advance(LATELY.total_seconds() + 1)
    seen = view(folder)
    assert (seen.turned_away, seen.health) == (7, "ok")
    assert "edge-turned-away" not in findings(folder)


def test_a_refusal_alone_is_no_flood(folder: Folder) -> None:
    with writing(folder.journal) as connection:
        connection.exec_driver_sql("DELETE FROM counter")
    refuse_something(folder)
    assert (view(folder).turned_away, view(folder).health) == (0, "ok")
