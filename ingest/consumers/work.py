"""A consumer's step: read the journal behind a cursor, commit effect and cursor together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import sqlalchemy as sa

from ingest.store.engine import reading, writing
from ingest.store.journal import Kept, messages_after
from linli.errors import StoreError
from linli.log import get_logger

log = get_logger(__name__)

BATCH = 256


class Effect(Protocol):
    """What one consumer does with messages."""

    name: str

    def begin(self, connection: sa.Connection, first: Kept) -> None:
        """Get ready for a batch, inside its transaction; no row's failure takes that back."""
        ...

    def apply(self, connection: sa.Connection, kept: Kept) -> None:
        """Do it for one message, inside the transaction of its batch."""
        ...

    def finish(self, connection: sa.Connection) -> None:
        """Do what is cheaper once per batch, inside the same transaction."""
        ...

    def committed(self) -> None:
        """The batch is on disk: tell whoever waits for it."""
        ...

    def dropped(self) -> None:
        """The batch was rolled back: forget what was gathered for it."""
        ...


class Cursor:
    """Reads journal rows in order and moves on only together with their effect."""

    def __init__(
        self, journal: sa.Engine, target: sa.Engine, table: sa.Table, effect: Effect
    ) -> None:
        self._journal = journal
        self._target = target
        self._table = table
        self._effect = effect
        self._position: int | None = None

    def step(self) -> bool:
        """Take one batch; tell whether there may be more. Raises StoreError: nothing was done."""
        if self._position is None:
            self._position = self._load()
        with reading(self._journal) as connection:
            batch = messages_after(connection, self._position, BATCH)
        if not batch:
            return False
        before, self._position = self._position, None  # read again, should the answer be lost
        try:
            self._commit(batch, before, self._apply)
        except StoreError:
            raise
        except Exception:  # noqa: BLE001 - a poison row: find it, so that it stops nothing else
            self._commit(batch, before, self._apply_guarded)
        self._position = batch[-1].id
        self._effect.committed()
        return len(batch) == BATCH

    def _load(self) -> int:
        with reading(self._target) as connection:
            return self._kept(connection)

    def _kept(self, connection: sa.Connection) -> int:
        query = sa.select(self._table.c.position).where(self._table.c.name == self._effect.name)
        return connection.scalar(query) or 0

    def _commit(
        self, batch: list[Kept], before: int, apply: Callable[[sa.Connection, Kept], int]
    ) -> None:
        self._effect.dropped()
        with writing(self._target) as connection:
            if self._kept(connection) != before:
                raise StoreError("moved by another process", where=f"cursor {self._effect.name}")
            self._effect.begin(connection, batch[0])
            poisoned = sum(apply(connection, kept) for kept in batch)
            self._effect.finish(connection)
            self._move(connection, batch[-1].id, poisoned)

    def _apply(self, connection: sa.Connection, kept: Kept) -> int:
        self._effect.apply(connection, kept)
        return 0

    def _apply_guarded(self, connection: sa.Connection, kept: Kept) -> int:
        try:
            with connection.begin_nested():
                self._effect.apply(connection, kept)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this row's
            log.warning(
                "%s: journal row %d (%s/%s) cannot be used and is skipped: %s",
                self._effect.name,
                kept.id,
                kept.kind,
                kept.name,
                type(error).__name__,
            )
            return 1
        return 0

    def _move(self, connection: sa.Connection, position: int, poisoned: int) -> None:
        table = self._table
        known = table.update().where(table.c.name == self._effect.name)
        changed = connection.execute(
            known.values(position=position, poisoned=table.c.poisoned + poisoned)
        )
        if changed.rowcount == 0:
            fresh = {"name": self._effect.name, "position": position, "poisoned": poisoned}
            connection.execute(table.insert(), fresh)
