"""Secrets of channels that are written down here: sealed in the store, opened by a key beside it.

Who copies the database alone cannot read them. What a document says instead of a secret is its
name here, which nobody can choose. The cipher is imported when one is used.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Collection
from pathlib import Path

import sqlalchemy as sa

from ingest.store.engine import reading
from ingest.store.state import secret as table
from linli.errors import InputError
from linli.settings import read_secret, write_secret

KEY_FILE = "channel-key"
SEALED = "sealed:"
_ROW = "channel/"


class Vault:
    """Seals and opens secrets; its key is made with the first one, for the service alone to read.

    Called with what a setting says, it returns the secret: from here, or from the file it names.
    """

    def __init__(self, folder: Path, reader: sa.Engine) -> None:
        self._path = folder / KEY_FILE
        self._reader = reader
        self._lock = threading.Lock()

    def __call__(self, name: str) -> str:
        """Return a secret. Raises InputError when it cannot be read, StoreError."""
        if not name.startswith(SEALED):
            return read_secret(Path(name))
        query = sa.select(table.c.value).where(table.c.name == _row(name))
        with reading(self._reader) as connection:
            sealed = connection.scalar(query)
        if sealed is None:
            raise InputError("its secret is gone", where=KEY_FILE, hint="Write it down again")
        from linli.seal import opened  # noqa: PLC0415 - for its cipher

        try:
            return opened(sealed, self._key(make=False), _about(name)).decode()
        except ValueError:
            raise InputError(
                "its secret cannot be opened by this key",
                where=KEY_FILE,
                hint="Write it down again",
            ) from None

    def keep(self, connection: sa.Connection, secret: str) -> str:
        """Seal a secret in the transaction of a writer; return what names it. Raises InputError."""
        from linli.seal import public_of, seal  # noqa: PLC0415 - for its cipher

        name = SEALED + secrets.token_hex(8)
        value = seal(secret.encode(), public_of(self._key(make=True)), _about(name))
        connection.execute(table.insert(), {"name": _row(name), "value": value})
        return name

    def _key(self, *, make: bool) -> bytes:
        with self._lock:
            if make and not self._path.exists():
                from linli.seal import new_key  # noqa: PLC0415 - for its cipher

                write_secret(self._path, new_key().hex())
            try:
                return bytes.fromhex(read_secret(self._path))
            except ValueError:
                raise InputError("is no key", where=str(self._path)) from None


def forget(connection: sa.Connection, names: Collection[str]) -> None:
    """Let secrets go, in the transaction of a writer."""
    gone = [_row(one) for one in names if one.startswith(SEALED)]
    if gone:
        connection.execute(table.delete().where(table.c.name.in_(gone)))


def _row(name: str) -> str:
    return _ROW + name.removeprefix(SEALED)


def _about(name: str) -> bytes:
    return f"linli channel {name}".encode()
