"""Bring a file of the ingest to the tables this version knows.

A migration is `migrations/{file}/v{NNNN}_{what}.py` with `revision = "{file}_{NNNN}"` and an
`upgrade()` written out in Alembic operations: it must mean the same when the tables have moved on.
The test of this module prints the operations that a changed table needs. The newest number is the
head, so an up-to-date file is recognised without importing Alembic.

The newest migration of a file has a `downgrade()` too, which a test runs on data; it may destroy
what only the newer version knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from ingest.store.engine import reading, writing
from linli.errors import InputError
from linli.log import get_logger
from linli.resources import resource

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

log = get_logger(__name__)

File = Literal["journal", "state", "series"]
FILES: tuple[File, ...] = ("journal", "state", "series")
Finish = Callable[[sa.Connection], None]
_VERSION_TABLE = "alembic_version"


def _nothing(connection: sa.Connection) -> None:
    del connection


def head(file: File) -> str:
    """Return the newest revision of a file's tables."""
    numbers = [path.name[1:5] for path in resource(*_folder(file)).glob("v[0-9]*_*.py")]
    return f"{file}_{max(numbers)}"


def current(engine: sa.Engine) -> str | None:
    """Return the revision a file is at, None for an empty one. Raises StoreError."""
    with reading(engine) as connection:
        return revision_of(connection)


def revision_of(connection: sa.Connection) -> str | None:
    """Return the revision of the tables that a connection sees, None when there are none."""
    if not sa.inspect(connection).has_table(_VERSION_TABLE):
        return None
    found: str | None = connection.execute(
        sa.text(f"SELECT version_num FROM {_VERSION_TABLE}")  # noqa: S608 - a constant
    ).scalar()
    return found


def upgrade(file: File, engine: sa.Engine, *, finish: Finish = _nothing) -> None:
    """Run what is missing, all of it or nothing; `engine` is the file's writer.

    `finish` is called in the same transaction. Raises StoreError, and InputError when the file
    comes from a newer Linli.
    """
    if current(engine) == head(file):
        return
    directory = scripts(file)
    with writing(engine) as connection:
        before = revision_of(connection)  # another process may have been faster
        revisions = _missing(directory, before, where=where(engine))
        with _operations(connection) as context:
            for revision in revisions:
                revision.module.upgrade()
                context.stamp(directory, revision.revision)
        finish(connection)
    log.info("%s: tables brought from %s to %s", where(engine), before, head(file))


def outdated(file: File, engine: sa.Engine) -> bool:
    """Tell whether `upgrade` has anything to do. Raises as it does."""
    before = current(engine)
    if before == head(file):
        return False
    _missing(scripts(file), before, where=where(engine))
    return True


def previous(file: File) -> str | None:
    """Return the revision before the newest, None when the newest is the first."""
    before = scripts(file).get_revision(head(file)).down_revision
    return before if isinstance(before, str) else None


def downgrade(file: File, engine: sa.Engine, *, finish: Finish = _nothing) -> None:
    """Undo the newest migration, all of it or nothing. Raises InputError and StoreError."""
    with writing(engine) as connection:
        _undo(file, connection, where(engine))
        finish(connection)


def losses(file: File, engine: sa.Engine) -> dict[str, int]:
    """Return what undoing the newest migration destroys, by trying: rows by table or table.column.

    Raises InputError when the file is not at the newest revision or cannot go back, and StoreError.
    """
    with engine.connect() as connection, connection.begin() as transaction:
        before = _columns(connection)
        counts = {
            table: connection.execute(
                sa.select(sa.func.count()).select_from(sa.table(table))
            ).scalar_one()
            for table in before
        }
        _undo(file, connection, where(engine))
        after = _columns(connection)
        transaction.rollback()
    lost = {table: counts[table] for table in before if table not in after}
    for table, columns in before.items():
        lost |= {f"{table}.{name}": counts[table] for name in columns - after.get(table, columns)}
    return lost


def where(engine: sa.Engine) -> str:
    """Return what a person calls the file behind an engine."""
    return str(engine.url.database)


def _undo(file: File, connection: sa.Connection, place: str) -> None:
    target, found = previous(file), revision_of(connection)
    directory = scripts(file)
    undo = getattr(directory.get_revision(head(file)).module, "downgrade", None)
    if found != head(file):
        raise InputError(f"its tables are at {found!r}, not at {head(file)!r}", where=place)
    if target is None or undo is None:
        raise InputError(f"there is no way back from {found!r}", where=place)
    with _operations(connection) as context:
        undo()
        context.stamp(directory, target)


@contextmanager
def _operations(connection: sa.Connection) -> Iterator[MigrationContext]:
    from alembic.operations import Operations  # noqa: PLC0415 - only an outdated file pays for it
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415

    context = MigrationContext.configure(connection)
    with Operations.context(context):
        yield context


def _columns(connection: sa.Connection) -> dict[str, set[str]]:
    found = sa.inspect(connection)
    return {
        table: {str(column["name"]) for column in found.get_columns(table)}
        for table in found.get_table_names()
        if table != _VERSION_TABLE
    }


def scripts(file: File) -> ScriptDirectory:
    """Return Alembic's view of a file's migrations."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - only an outdated file pays for it

    folder = resource(*_folder(file))
    return ScriptDirectory(folder.parent, version_locations=[folder])


def _missing(directory: ScriptDirectory, before: str | None, *, where: str) -> Iterable[Any]:
    """Return the revisions above `before`, oldest first."""
    known = {revision.revision for revision in directory.walk_revisions()}
    if before is not None and before not in known:
        raise InputError(
            f"its tables are at {before!r}, which this version does not know",
            where=where,
            hint="Install the Linli that wrote it, or a newer one",
        )
    return reversed(list(directory.iterate_revisions("head", before or "base")))


def _folder(file: File) -> tuple[str, ...]:
    return ("ingest", "store", "migrations", file)
