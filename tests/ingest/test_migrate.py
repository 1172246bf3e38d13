from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata, produce_migrations, render_python_code
from alembic.runtime.migration import MigrationContext

from ingest.store.engine import open_writer, writing
from ingest.store.migrate import FILES, File, current, head, scripts, upgrade
from linli.errors import InputError


@pytest.fixture
def engine(tmp_path: Path):
    engine = open_writer(tmp_path / "x.db")
    yield engine
    engine.dispose()


@pytest.mark.parametrize("file", FILES)
def test_the_migrations_make_exactly_the_tables(file: File, engine: sa.Engine) -> None:
    metadata = importlib.import_module(f"ingest.store.{file}").metadata
    upgrade(file, engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        missing = produce_migrations(context, metadata).upgrade_ops
        assert missing is not None
        assert compare_metadata(context, metadata) == [], (
            "tables and migrations differ; what a new migration must do:\n"
            + render_python_code(missing)
        )


@pytest.mark.parametrize("file", FILES)
def test_migrations_are_one_line_and_named_by_number(file: File) -> None:
    directory = scripts(file)
    assert directory.get_heads() == [head(file)]
    for revision in directory.walk_revisions():
        assert revision.revision == f"{file}_{Path(revision.path).name[1:5]}"


def test_upgrading_again_changes_nothing(engine: sa.Engine) -> None:
    assert current(engine) is None
    upgrade("journal", engine)
    before = sa.inspect(engine).get_table_names()
    upgrade("journal", engine)
    assert current(engine) == head("journal")
    assert sa.inspect(engine).get_table_names() == before


def test_a_file_of_a_newer_version_is_refused(engine: sa.Engine) -> None:
    upgrade("journal", engine)
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'journal_9999'")
    with pytest.raises(InputError, match="journal_9999"):
        upgrade("journal", engine)


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise RuntimeError("power gone")

    monkeypatch.setattr(MigrationContext, "stamp", stop)
    with pytest.raises(RuntimeError):
        upgrade("journal", engine)
    assert sa.inspect(engine).get_table_names() == []


def test_an_up_to_date_file_does_not_pay_for_alembic(tmp_path: Path) -> None:
    path = tmp_path / "y.db"
    engine = open_writer(path)
    upgrade("journal", engine)
    engine.dispose()
    code = (
        "import sys, pathlib; from ingest.store.engine import open_writer; "
        "from ingest.store.migrate import upgrade; "
        "upgrade('journal', open_writer(pathlib.Path(sys.argv[1]))); "
        "sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == 0
