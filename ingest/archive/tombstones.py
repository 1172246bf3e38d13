"""What was deleted, kept beside the archives: none of them may bring it back.

A list of every picture that an ingest has deleted, sealed to the keys that open the archives. It
is written anew each time: the state keeps the row of a picture whose bytes are gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec

from ingest.archive.age import Key, check_public, sealing
from ingest.archive.place import Place
from ingest.archive.settle import known
from ingest.store.database import Database
from linli.errors import InputError

_SUFFIX = "-deleted.age"
_MOST = 1 << 30


class Tombstones(msgspec.Struct, frozen=True, kw_only=True):
    """Pictures by id, and when each was deleted."""

    site: str
    pictures: dict[str, datetime]


def name_of(site: str) -> str:
    """Return what the list of a community is called at a place."""
    return f"{site}{_SUFFIX}"


def write(database: Database, site: str, public: Sequence[str], path: Path) -> Path:
    """Write the list into a file. Raises InputError and StoreError."""
    data = msgspec.json.encode(Tombstones(site=site, pictures=known(database).deleted))
    path.touch(mode=0o600)
    keys = [check_public(one) for one in public]
    with path.open("wb") as out, sealing(out, keys, str(path)) as plain:
        plain.write(data)
    return path


def read(path: Path, site: str, key: Key) -> dict[str, datetime]:
    """Return the pictures of a list. Raises InputError when it cannot be read."""
    with path.open("rb") as source, key.opening(source, str(path)) as plain:
        data = plain.read(_MOST)
    try:
        found = msgspec.json.decode(data, type=Tombstones)
    except msgspec.DecodeError as error:
        raise InputError(f"no list of what was deleted ({error})", where=str(path)) from None
    return found.pictures if found.site == site else {}


def gather(places: Iterable[Place], site: str, key: Key, scratch: Path) -> dict[str, datetime]:
    """Return all that any place knows of. Raises InputError and StoreError."""
    found: dict[str, datetime] = {}
    for place in places:
        with suppress(FileNotFoundError):  # none was ever written there
            place.fetch(name_of(site), scratch)
            found |= read(scratch, site, key)
    scratch.unlink(missing_ok=True)
    return found
