"""Backups from before a change of tables, put back: all of it or nothing, the one before aside."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import stores
from filled import held, outdated

from ingest.store import backup, migrate
from ingest.store.database import ASIDE, Database
from ingest.store.engine import writing
from ingest.store.files import Files, path_of
from ingest.store.server import Server
from linli.errors import InputError


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """Journal and state at the versions before the newest, with rows."""
    return stores.database(tmp_path, outdated)


def write(database: Database, name: str) -> None:
    writer = database.writer("state")
    with writing(writer) as connection:
        connection.exec_driver_sql(f"INSERT INTO tally (name, value) VALUES ('{name}', 1)")
    writer.dispose()


def aside(database: Database, folder: Path) -> Database:
    """Return the one that was put aside."""
    if isinstance(database, Server):
        return database.beside(folder, f"linli_{ASIDE}_")
    other = folder / "aside"
    other.mkdir()
    shutil.copy(f"{path_of(folder, 'state')}.{ASIDE}", path_of(other, "state"))
    return Files(other)


def test_what_a_newer_version_left_gives_way_and_stays_aside(
    database: Database, tmp_path: Path
) -> None:
    before = held(database)
    assert database.outdated() == ["journal", "state"]
    database.check_way_back(["state"])
    path = database.back_up("state")
    database.bring_back("state", path, rehearse=True)
    assert held(database) == before
    database.prepare(backups=False)
    assert database.outdated() == []
    write(database, "newer")
    for _ in range(2):  # whoever was cut short does it again
        database.bring_back("state", path)
        assert held(database) == before
        assert database.revision("state") == migrate.previous("state")
    database.prepare(backups=False)
    write(database, "again")
    newer = held(database)
    database.bring_back("state", path)
    assert held(aside(database, tmp_path)) == newer


def test_a_damaged_backup_changes_nothing(database: Database, tmp_path: Path) -> None:
    path = database.back_up("state")
    before = held(database)
    whole = path.read_bytes()
    for bad in (whole[: len(whole) * 2 // 3], b"", b"no backup at all" * 100):
        path.write_bytes(bad)
        for rehearse in (True, False):
            with pytest.raises(InputError, match=r"no whole backup|pg_restore: "):
                database.bring_back("state", path, rehearse=rehearse)
    assert held(database) == before
    assert not list(tmp_path.glob(f"*.{ASIDE}"))


def test_without_room_it_says_so_before(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "_ROOM", 1 << 62)
    with pytest.raises(InputError, match="no room for a backup"):
        database.check_way_back(["state"])
    database.check_way_back([])


def test_room_is_for_the_copies_and_for_each_again_that_goes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs: list[int] = []
    monkeypatch.setattr(backup, "check_room", lambda _, need: needs.append(need))
    for number, file in enumerate(migrate.FILES):
        path_of(tmp_path, file).write_bytes(b"x" * 10**number)
    Files(tmp_path).check_way_back(migrate.FILES)
    again = {file: 10**number for number, file in enumerate(migrate.FILES) if file != "journal"}
    assert needs == [111 + sum(again.values())]


def test_of_which_file_a_backup_is() -> None:
    assert backup.file_of(Path("b/series_0003-20260302T120000Z.backup")) == "series"
    for name in ("state.db", "state_0001.part", "people_0001.backup"):
        with pytest.raises(InputError, match="no name of a backup"):
            backup.file_of(Path(name))
