"""The keys that edges seal pictures for: the newest for all, older ones to open what still waits.

They lie in `state.db`, which only its owner may read: a copy of it opens sealed pictures.
"""

from __future__ import annotations

import sqlalchemy as sa

from ingest.store.state import secret
from linli.seal import id_of, new_key, public_of

_NEWEST = "evidence-key"
_PREFIX = "evidence-key/"


def newest(connection: sa.Connection) -> bytes | None:
    """Return the public key to seal with, None before the first was made."""
    name = _value(connection, _NEWEST)
    private = None if name is None else _value(connection, _PREFIX + name.decode())
    return None if private is None else public_of(private)


def private(connection: sa.Connection, key: str) -> bytes | None:
    """Return the private key of an id, None when it is not one of ours."""
    return _value(connection, _PREFIX + key)


def make(connection: sa.Connection) -> bytes:
    """Make a new key that edges seal with from now on; return its public one. The old ones stay."""
    made = new_key()
    public = public_of(made)
    key = id_of(public)
    connection.execute(secret.insert(), {"name": _PREFIX + key, "value": made})
    connection.execute(secret.delete().where(secret.c.name == _NEWEST))
    connection.execute(secret.insert(), {"name": _NEWEST, "value": key.encode()})
    return public


def known(connection: sa.Connection) -> list[str]:
    """Return the ids of all keys."""
    names = connection.scalars(sa.select(secret.c.name).where(secret.c.name.startswith(_PREFIX)))
    return sorted(name.removeprefix(_PREFIX) for name in names)


def _value(connection: sa.Connection, name: str) -> bytes | None:
    return connection.scalar(sa.select(secret.c.value).where(secret.c.name == name))
