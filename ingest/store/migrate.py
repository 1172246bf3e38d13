"""Bring a file of the ingest to the tables this version knows.

A migration is `migrations/{file}/v{NNNN}_{what}.py` with `revision = "{file}_{NNNN}"` and an
`upgrade()` written out in Alembic operations: it must mean the same when the tables have moved on.
The test of this module prints the operations that a changed table needs. The newest number is the
head, so an up-to-date file is recognised without importing Alembic.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from ingest.store.engine import reading, writing
from linli.errors import InputError
from linli.log import get_logger
from linli.resources import resource

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

log = get_logger(__name__)

File = Literal["journal", "state", "series"]
FILES: tuple[File, ...] = ("journal", "state", "series")
_VERSION_TABLE = "alembic_version"


def head(file: File) -> str:
    """Return the newest revision of a file's tables."""
    numbers = [path.name[1:5] for path in resource(*_folder(file)).glob("v[0-9]*_*.py")]
    return f"{file}_{max(numbers)}"


def current(engine: sa.Engine) -> str | None:
    """Return the revision a file is at, None for an empty one. Raises StoreError."""
    if not sa.inspect(engine).has_table(_VERSION_TABLE):
        return None
    with reading(engine) as connection:
        found: str | None = connection.execute(
            sa.text(f"SELECT version_num FROM {_VERSION_TABLE}")  # noqa: S608 - a constant
        ).scalar()
    return found


def upgrade(file: File, engine: sa.Engine) -> None:
    """Run what is missing, all of it or nothing; `engine` is the file's writer.

    Raises StoreError, and InputError when the file comes from a newer Linli.
    """
    before = current(engine)
    target = head(file)
    if before == target:
        return
    from alembic.operations import Operations  # noqa: PLC0415 - only an outdated file pays for it
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415

    directory = scripts(file)
    revisions = _missing(directory, before, where=str(engine.url.database))
    with writing(engine) as connection:
        context = MigrationContext.configure(connection)
        with Operations.context(context):
            for revision in revisions:
                revision.module.upgrade()
                context.stamp(directory, revision.revision)
    log.info("%s: tables brought from %s to %s", engine.url.database, before, target)


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
