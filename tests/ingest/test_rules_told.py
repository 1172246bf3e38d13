"""Whoever watches hears of what the clock alone made, as of what an event made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from house import NOON, Folder

from ingest.consumers.incidents import IncidentEffect
from ingest.consumers.rules import RuleWork
from ingest.consumers.work import Cursor
from ingest.feed import Feed, Topic
from ingest.rules import versions
from ingest.store import state
from ingest.store.engine import writing
from ingest.store.journal import CLOCK
from linli.events import Reading

SILENT = """
builtin = false
[[rule]]
type = "absence"
id = "silent"
label = "Silent"
for = "10min"
where = { kind = ["camera"] }
"""


class Told(Feed):
    def __init__(self) -> None:
        super().__init__()
        self.topics: set[Topic] = set()

    def tell(self, topic: Topic) -> None:
        self.topics.add(topic)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    folder.close()


def tick(folder: Folder, times: int) -> None:
    for _ in range(times):
        folder.clock.advance(10)
        folder.put(CLOCK, "tick", b"", device="")


def test_an_incident_of_the_clock_and_its_end_reach_the_live_feed(folder: Folder) -> None:
    with writing(folder.state) as connection:
        versions.add(connection, SILENT, actor="user:boss", at=NOON)
    feed, journal = Told(), folder.reader("journal")
    effect = IncidentEffect(feed, RuleWork(journal, ZoneInfo("Asia/Shanghai")))
    cursor = Cursor(journal, folder.state, state.cursor, effect)

    def told() -> bool:
        feed.topics.clear()
        cursor.step()
        return "incidents" in feed.topics

    folder.put_readings(Reading(n="temperature", v=20, u="Cel", t=folder.clock.now()))
    assert not told()
    tick(folder, 50)
    assert not told()
    tick(folder, 20)
    assert told()
    tick(folder, 5)
    assert not told()
    folder.put_readings(Reading(n="temperature", v=20, u="Cel", t=folder.clock.now()))
    assert told()
