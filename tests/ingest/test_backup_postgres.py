"""Backups of a PostgreSQL, and archives that go from one kind of database to the other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import postgres
import pytest
import sqlalchemy as sa
import stores
from house import NOON, SITE, Folder
from notices import Office

from ingest.archive import make as archive
from ingest.archive.age import Key
from ingest.archive.restore import Restored, restore
from ingest.settings import DatabaseSettings, IngestSettings, Site
from ingest.store import copying, state
from ingest.store import journal as journals
from ingest.store.choose import database_of
from ingest.store.database import UNFINISHED, Database
from ingest.store.engine import reading, writing
from ingest.store.migrate import FILES, File
from ingest.store.server import Server
from linli.clock import ManualClock
from linli.errors import InputError, StoreError

MISSING = postgres.missing()
pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(MISSING is not None, reason=str(MISSING)),
]
KEY = Key.new()
AFTER = {
    "audit",
    "device",
    "cursor",
    "rule_memory",
    "tally",
    "notifier",
    "climb",
    "notification",
    "session",
}
"""Tables of the state that a restore itself writes."""


@pytest.fixture(autouse=True)
def on_server() -> Iterator[None]:
    with stores.use("postgresql"):
        yield


def made(folder: Folder, target: Path) -> Path:
    return archive.make(folder.settings, target, [KEY.public], folder.clock.now()).path


def bring_back(settings: IngestSettings, path: Path) -> Restored:
    return restore(settings, path, KEY, ManualClock(NOON + timedelta(seconds=1)))


def clean(path: Path, database: DatabaseSettings) -> IngestSettings:
    path.mkdir()
    return IngestSettings(data=str(path), site=Site(id=SITE, label="x"), database=database)


def held(database: Database, file: File) -> dict[str, copying.Content]:
    engine = database.reader(file)
    try:
        with reading(engine) as connection:
            return copying.contents(connection, file)
    finally:
        engine.dispose()


def kept(database: Database) -> dict[str, copying.Content]:
    """Return what a restore must leave as it was."""
    return {
        f"{file}.{name}": content
        for file in FILES
        for name, content in held(database, file).items()
        if not (file == "state" and name in AFTER)
    }


def test_it_is_whole_while_others_write_and_the_same_on_either_kind(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "old")
    ended, began = threading.Event(), threading.Event()

    def write() -> None:
        while not ended.is_set():
            for _ in range(20):
                folder.put("telemetry", "x", b"{}")
            with writing(folder.state) as connection:
                last = sa.select(sa.func.count()).select_from(state.tally).scalar_subquery()
                connection.execute(
                    state.tally.insert().from_select(
                        ["name", "value"], sa.select(sa.cast(last, sa.Text), last)
                    )
                )
            began.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert began.wait(60)
        made(folder, tmp_path / "usb")
    finally:
        ended.set()
        writer.join()
    with writing(folder.journal) as connection:  # forgotten for its age; cursors stand there
        table = journals.message
        last = connection.scalar(sa.select(sa.func.max(table.c.id)))
        connection.execute(table.delete().where(table.c.id > last - 5))
    folder.clock.advance(60)
    path = made(folder, tmp_path / "usb")
    before = kept(folder.database)
    assert before["journal.message"].rows > 0
    assert before["state.account"].rows == 3

    files = clean(tmp_path / "files", DatabaseSettings())
    done = bring_back(files, path)
    assert (done.aside, done.schemas) == (None, None)
    assert kept(database_of(files)) == before
    again = archive.make(files, tmp_path / "usb", [KEY.public], NOON + timedelta(hours=1)).path
    other = clean(tmp_path / "other", stores.copy(tmp_path / "unused"))
    done = bring_back(other, again)
    assert done.schemas == "before_restore_20260302t120001z_"
    assert kept(database_of(other)) == before
    for settings in (files, other):
        assert database_of(settings).prepare() == []
        assert not (settings.folder / UNFINISHED).exists()
        engine = database_of(settings).writer("journal")
        with writing(engine) as connection:
            row = {"source": "/c001/n/d", "kind": "event", "name": "x", "payload": b""}
            row |= {"site": SITE, "area": "b03", "node": "n", "device": "d"}
            row |= {"received": 1, "time": 1, "flags": 0}
            (number,) = connection.execute(table.insert(), row).inserted_primary_key
        engine.dispose()
        assert number > last, "no number is given twice: a cursor may stand there"
    folder.close()


def test_no_old_page_goes_out(tmp_path: Path) -> None:
    old = Office(tmp_path / "old")
    old.begin(zone="a")
    old.incidents.step()
    old.notify.step()
    waiting = old.tally().get("waiting", 0)
    assert waiting
    old.begin(zone="b")
    path = made(old.folder, tmp_path / "usb")
    old.close()
    new = Office(tmp_path / "new")
    new.folder.close()
    new.clock.advance(3600)
    done = restore(new.folder.settings, path, KEY, new.clock)
    assert done.settled.quiet >= waiting + 1
    new.work(minutes=1)
    assert len(new.open()) == 2
    assert new.said("bot") == new.said("mail") == []
    new.begin(zone="d")
    new.once()
    assert new.said("bot")
    new.folder.close()


def test_one_that_runs_or_a_server_that_fails_is_left_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path / "data")
    path = made(folder, tmp_path / "usb")
    with writing(folder.state) as connection:
        connection.execute(state.tally.insert(), {"name": "newer", "value": 1})
    before = kept(folder.database) | held(folder.database, "state")
    assert isinstance(folder.database, Server)
    ours = folder.database.writer("journal", sole=True)
    folder.database.claim(ours)
    monkeypatch.setattr("ingest.store.postgres.claim.__kwdefaults__", {"seconds": 0.1})
    with pytest.raises(InputError, match="another process writes the journal"):
        bring_back(folder.settings, path)
    ours.dispose()

    def lossy(*_: object) -> object:
        return copying.Content(0, "")

    with monkeypatch.context() as patch:
        patch.setattr(copying, "_copied", lossy)
        with pytest.raises(StoreError, match="is not what was copied"):
            bring_back(folder.settings, path)
    assert kept(folder.database) | held(folder.database, "state") == before
    assert bring_back(folder.settings, path).schemas is not None
    assert "newer" not in str(held(folder.database, "state")["tally"])
    folder.close()


def test_tables_of_another_version_are_not_taken(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "data")
    with writing(folder.state) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'state_0001'"))
    with pytest.raises(InputError, match="its tables are at 'state_0001'"):
        made(folder, tmp_path / "usb")
    assert not list((tmp_path / "usb").iterdir())
    folder.close()
