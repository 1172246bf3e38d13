from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
import stores
from facts import AREA, DEVICE, NODE, NOW, SITE

from ingest.receive.directory import DirectoryWatch
from ingest.receive.failpoint import failpoint
from ingest.receive.process import waker
from ingest.receive.upkeep import DAY, consumed, forget, note_memory
from ingest.registry import add_device, add_node
from ingest.store import journal, state
from ingest.store import registry as tables
from ingest.store.database import Database
from ingest.store.engine import to_micros, writing
from linli.errors import InputError
from linli.owner import sole_owner

TODAY = to_micros(NOW)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return stores.database(tmp_path)


@pytest.fixture
def engine(database: Database) -> Iterator[sa.Engine]:
    engine = database.writer("journal")
    yield engine
    engine.dispose()


def put(engine: sa.Engine, received: list[int]) -> None:
    texts = dict.fromkeys(("site", "area", "node", "device", "kind", "name", "source"), "x")
    rows = [
        {**texts, "received": at, "time": at, "flags": 0, "payload": b"", "event_id": str(at)}
        for at in received
    ]
    with writing(engine) as connection:
        connection.execute(journal.message.insert(), rows)


def ids(engine: sa.Engine) -> list[int]:
    with writing(engine) as connection:
        return [row.id for row in journal.messages_after(connection, 0, 10_000)]


@pytest.mark.parametrize(
    ("read_up_to", "left"), [(0, [1, 2, 3, 4]), (2, [3, 4]), (3, [4]), (99, [4])]
)
def test_only_old_messages_that_everyone_has_read_go(
    engine: sa.Engine, read_up_to: int, left: list[int]
) -> None:
    put(engine, [TODAY - 20 * DAY, TODAY - 19 * DAY, TODAY - 9 * DAY, TODAY])
    assert forget(engine, now=TODAY, days=8, read_up_to=read_up_to) is False
    assert ids(engine) == left


def test_forgetting_goes_in_slices_and_never_gives_a_position_twice(engine: sa.Engine) -> None:
    put(engine, [TODAY - 20 * DAY + number for number in range(501)])
    assert forget(engine, now=TODAY, days=8, read_up_to=501) is True
    assert ids(engine) == [501]
    assert forget(engine, now=TODAY, days=8, read_up_to=501) is False
    put(engine, [TODAY])
    assert ids(engine) == [502]


def test_the_receiver_says_how_much_memory_it_holds(engine: sa.Engine) -> None:
    for size in (50_000_000, 40_000_000):
        note_memory(engine, size)
        with writing(engine) as connection:
            assert journal.counters(connection)[journal.MEMORY] == size, "the last is what counts"


def test_quarantine_ends_after_a_week(engine: sa.Engine) -> None:
    rows = [
        {"sha256": str(days), "received": TODAY - days * DAY, "size": 1, "payload": b"x"}
        for days in (6, 8)
    ]
    with writing(engine) as connection:
        connection.execute(journal.quarantine.insert(), rows)
    forget(engine, now=TODAY, days=8, read_up_to=0)
    with writing(engine) as connection:
        kept = connection.execute(sa.select(journal.quarantine.c.sha256)).scalars().all()
    assert kept == ["6"]


def test_the_slowest_consumer_decides_and_one_that_never_read_holds_all(
    database: Database,
) -> None:
    engines = [database.writer("state"), database.writer("series")]
    assert consumed(*engines) == 0
    for engine, position in zip(engines, (7, 5), strict=True):
        with writing(engine) as connection:
            connection.execute(
                state.cursor.insert(), {"name": "x", "position": position, "poisoned": 0}
            )
    assert consumed(*engines) == 5
    for engine in engines:
        engine.dispose()


def test_the_directory_follows_the_registry(database: Database) -> None:
    writer, reader = database.writer("state"), database.reader("state")
    watch = DirectoryWatch(reader)
    empty = watch.refresh()
    assert empty is not None
    assert empty.standing(SITE, AREA, NODE, DEVICE) == "unknown"
    assert watch.refresh() is None
    with writing(writer) as connection:
        add_node(connection, site=SITE, area=AREA, name=NODE, label="3 号楼")
        add_device(connection, node_name=NODE, name=DEVICE, kind="camera", label="电梯")
    now = watch.refresh()
    assert now is not None
    assert now.standing(SITE, AREA, NODE, DEVICE) == "known"
    assert now.standing(SITE, AREA, NODE, "self") == "known"
    assert now.standing(SITE, AREA, NODE, "cam-2") == "unknown"
    assert now.standing(SITE, "b04", NODE, DEVICE) == "moved"
    assert now.standing(SITE, "b04", NODE, "self") == "moved"
    with writing(writer) as connection:
        connection.execute(tables.node.update().values(last_seen=NOW))
    assert watch.refresh() is None
    watch.close()
    writer.dispose()
    reader.dispose()


def test_a_data_folder_has_one_owner(tmp_path: Path) -> None:
    with (
        sole_owner(tmp_path),
        pytest.raises(InputError, match="another ingest"),
        sole_owner(tmp_path),
    ):
        pass
    with sole_owner(tmp_path):
        pass


def test_a_full_or_closed_wake_pipe_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    monkeypatch.setenv("LINLI_WAKE", str(write))
    wake = waker()
    for _ in range(70_000):
        wake()
    assert len(os.read(read, 100_000)) > 0
    os.close(read)
    wake()
    os.close(write)


def test_a_failpoint_is_reached_once_and_only_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exits: list[int] = []
    monkeypatch.setattr("os._exit", exits.append)
    failpoint(tmp_path)("after-commit")
    monkeypatch.setenv("LINLI_FAILPOINT", "after-commit")
    for _ in range(2):
        reach = failpoint(tmp_path)
        reach("before-commit")
        reach("after-commit")
    assert exits == [137]


def test_a_place_goes_with_its_message(engine: sa.Engine) -> None:
    put(engine, [TODAY - 20 * DAY, TODAY])
    rows = [{"id": number, "stream": "0" * 8, "sequence": number} for number in (1, 2)]
    with writing(engine) as connection:
        connection.execute(journal.place.insert(), rows)
    forget(engine, now=TODAY, days=8, read_up_to=99)
    with writing(engine) as connection:
        assert list(connection.scalars(sa.select(journal.place.c.id))) == [2]
