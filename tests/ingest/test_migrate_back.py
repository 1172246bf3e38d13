"""Backups before tables change, and one step back, with rows in every table."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import stores
from filled import ROWS, contents, fill

from ingest.store import backup, migrate
from ingest.store.database import Database
from ingest.store.engine import open_reader, writing
from ingest.store.files import Files
from ingest.store.migrate import FILES, File
from linli.errors import InputError, StoreError

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return stores.database(tmp_path)


@pytest.mark.parametrize("file", FILES)
def test_one_step_back_and_up_again_keeps_every_row(file: File, database: Database) -> None:
    writer = database.writer(file)
    fill(file, writer)
    full = contents(writer)
    lost = database.losses(file)
    assert contents(writer) == full, "looking at what would be lost changes nothing"
    database.step_back(file)
    before = contents(writer)
    assert database.revision(file) == migrate.previous(file)
    gone = {
        *(table for table in full if table not in before),
        *(f"{table}.{name}" for table in before for name in full[table].keys() - before[table]),
    }
    assert lost == dict.fromkeys(gone, ROWS)
    for table, columns in before.items():
        for name, rows in columns.items():
            assert rows == full[table][name], f"{table}.{name}"
    database.prepare(backups=False)
    assert database.revision(file) == migrate.head(file)
    after = contents(writer)
    assert {table: columns.keys() for table, columns in after.items()} == {
        table: columns.keys() for table, columns in full.items()
    }
    for table, columns in before.items():
        for name in columns:
            assert after[table][name] == full[table][name], f"{table}.{name}"
    writer.dispose()


def test_reports_that_the_version_before_refuses_are_gone_one_step_back(
    database: Database,
) -> None:
    writer = database.writer("state")
    fill("state", writer)
    newer = '{"cameras":[{"device":"cam","state":"ended","redetected":2}]}'
    with writing(writer) as connection:
        connection.execute(sa.text("UPDATE node SET report = :newer"), {"newer": newer})
    kept = contents(writer)["device"]["camera"]
    database.step_back("state")
    after = contents(writer)
    assert set(after["node"]["report"]) == {None}
    assert after["device"]["camera"] == kept
    writer.dispose()


@pytest.mark.parametrize("file", FILES)
def test_two_steps_back_are_refused(file: File, database: Database) -> None:
    database.step_back(file)
    for step in (database.losses, database.step_back):
        with pytest.raises(InputError, match="its tables are at"):
            step(file)


@pytest.fixture
def outdated(database: Database) -> Database:
    """State at the version before the newest, with rows."""
    writer = database.writer("state")
    fill("state", writer)
    writer.dispose()
    database.step_back("state")
    return database


def test_an_upgrade_begins_with_a_backup_of_what_holds_data(
    outdated: Database, tmp_path: Path
) -> None:
    writer = outdated.writer("state")
    before = contents(writer)
    writer.dispose()
    (made,) = outdated.prepare()
    assert made.parent == tmp_path / "backups"
    assert made.name.startswith(f"{migrate.previous('state')}-20")
    assert made.stat().st_mode & 0o777 == 0o600
    assert outdated.prepare() == [], "nothing to do, no backup"
    assert restored(made, outdated) == before


def restored(made: Path, database: Database) -> dict[str, dict[str, list[object]]]:
    """Return what a backup holds, by the means that its page names."""
    if isinstance(database, Files):
        engine = open_reader(made)
        try:
            return contents(engine)
        finally:
            engine.dispose()
    writer = database.writer("state")
    with writing(writer) as connection:
        connection.exec_driver_sql("DROP SCHEMA linli_state CASCADE")
    environment = {**os.environ, **stores.environment(database)}
    program = shutil.which("pg_restore")
    assert program is not None
    name = environment["PGDATABASE"]
    subprocess.run([program, "--exit-on-error", "-d", name, made], env=environment, check=True)
    try:
        return contents(writer)
    finally:
        writer.dispose()


def test_a_backup_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    def fail(target: Path) -> None:
        target.write_text("half")
        raise StoreError("the disk said no")

    with pytest.raises(StoreError, match="the disk said no"):
        backup.make(tmp_path, "state_0001", NOW, fail)
    assert list((tmp_path / "backups").iterdir()) == []


def test_the_last_three_backups_of_each_file_stay(tmp_path: Path) -> None:
    for hour in range(5):
        for revision in ("state_0009", "state_0010", "journal_0001"):
            at = NOW + timedelta(hours=hour, minutes=revision == "state_0010")
            backup.make(tmp_path, revision, at, lambda path: None)
    left = sorted(path.name for path in (tmp_path / "backups").iterdir())
    assert left == [
        *(f"journal_0001-20260302T{hour}0000Z.backup" for hour in (14, 15, 16)),
        "state_0009-20260302T160000Z.backup",
        *(f"state_0010-20260302T{hour}0100Z.backup" for hour in (15, 16)),
    ]


def test_without_room_or_program_nothing_is_changed_unless_told(
    outdated: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "_ROOM", 1 << 62)
    monkeypatch.setattr(backup.shutil, "which", lambda name: None)
    with pytest.raises(InputError, match=r"no room for a backup|no pg_dump here") as refused:
        outdated.prepare()
    assert "--no-backup" in refused.value.hint
    assert outdated.revision("state") == migrate.previous("state")
    assert outdated.prepare(backups=False) == []
    assert outdated.revision("state") == migrate.head("state")


def test_a_program_that_fails_says_why(outdated: Database, tmp_path: Path, monkeypatch) -> None:
    if isinstance(outdated, Files):
        (tmp_path / "state.db").write_bytes(b"no database at all" * 100)
        with pytest.raises(StoreError):
            outdated.back_up("state")
        return
    script = tmp_path / "pg_dump"
    script.write_text("#!/bin/sh\necho 'pg_dump: server version mismatch' >&2\nexit 1\n")
    script.chmod(0o755)
    monkeypatch.setattr(backup.shutil, "which", lambda name: str(script))
    with pytest.raises(InputError, match="server version mismatch"):
        outdated.back_up("state")
    assert list((tmp_path / "backups").iterdir()) == []
