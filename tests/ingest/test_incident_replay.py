"""The journal read again from its beginning makes the same incidents, row by row."""

from __future__ import annotations

import random
import shutil
from datetime import UTC
from pathlib import Path

import pytest
from house import Folder

import ingest.consumers.work as work_module
from ingest.consumers.incidents import IncidentEffect, TickJob
from ingest.consumers.rules import RuleWork
from ingest.consumers.work import Cursor
from ingest.feed import Feed
from ingest.incidents import book, lists
from ingest.incidents.incident import Incident, Transition
from ingest.store import state
from ingest.store.engine import reading
from ingest.store.files import path_of

EVENTS, SEED = 120, 7


class Reader:
    """A consumer of incidents and its timer, stepped by hand."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        readers = folder.reader("journal"), folder.reader("state")
        effect = IncidentEffect(Feed(), RuleWork(readers[0], UTC))
        self.cursor = Cursor(readers[0], folder.state, state.cursor, effect)
        self.tick = TickJob(*readers, folder.state, Feed(), folder.clock)

    def read(self) -> None:
        while self.cursor.step():
            pass

    def made(self) -> tuple[list[Incident], tuple[Transition, ...]]:
        with reading(self.folder.state) as connection:
            wanted = lists.Filter()
            found = lists.page(connection, wanted, order="newest", after=None, limit=9999)
            return found, book.transitions_after(connection, 0, 99_999)


def live(folder: Folder, reader: Reader) -> None:
    """Let things happen while the consumer and the timer keep up, or fall behind for a while."""
    chance, going = random.Random(SEED), []
    for _ in range(EVENTS):
        folder.clock.advance(chance.choice([1, 2, 5, 30, 200, 700]))
        if going and chance.random() < 0.6:
            begun = going.pop(chance.randrange(len(going)))
            phase = chance.choice(["update", "end", "end"])
            if phase == "update":
                going.append(begun)
            zone, episode = begun
            folder.put_event(folder.event(phase=phase, zone=zone, episode=episode))
        else:
            name = chance.choice(["zone-dwell", "ebike-in-elevator"])
            message = folder.event(zone=chance.choice("abcdefghijklmno"), name=name)
            folder.put_event(message)
            if name == "zone-dwell":
                going.append((message.data.zone, message.data.episode))
        if chance.random() < 0.7:
            reader.read()
        if chance.random() < 0.7:
            reader.tick.step()
    folder.clock.advance(5000)
    reader.read()
    reader.tick.step()


@pytest.mark.parametrize("batch", [1, 7, 256])
def test_the_same_rows_ids_and_numbers(tmp_path: Path, monkeypatch, batch: int) -> None:
    first = Folder(tmp_path / "first")
    reader = Reader(first)
    live(first, reader)
    again = Folder(tmp_path / "again")
    again.journal.dispose()
    for file in first.path.glob(f"{path_of(first.path, 'journal').name}*"):
        shutil.copy(file, again.path)  # with what is still in its write-ahead log
    again.clock = first.clock
    monkeypatch.setattr(work_module, "BATCH", batch)
    replayed = Reader(again)
    replayed.read()
    replayed.tick.step()
    incidents, rows = reader.made()
    assert len(incidents) > 20
    assert {row.step for row in rows} >= {"opened", "repeated", "cleared", "resolved"}
    assert replayed.made() == (incidents, rows)
    first.close()
    again.close()
