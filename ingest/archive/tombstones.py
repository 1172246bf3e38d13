"""What was deleted, kept beside the archives: none of them may bring it back.

A list of every picture that an ingest has deleted and of everybody who left, sealed to the keys
that open the archives. It is written anew each time: the state keeps the row of what is gone. Its
name says of which life of the data it is: one that a restore brought back knows less, and must not
take the place of what another knew.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec

from ingest.archive import left
from ingest.archive.age import Key, check_public, sealing
from ingest.archive.gone import Gone
from ingest.archive.place import Place
from linli.errors import InputError, StoreError

_LIFE = "backup-life"
_MOST = 1 << 30


class Tombstones(Gone, frozen=True, kw_only=True):
    """What is gone from a community by `at`; lists of an older Linli name no time, and pictures."""

    site: str
    at: datetime | None = None


def name_of(site: str, life: str) -> str:
    """Return what the list of a community is called at a place."""
    return f"{site}-deleted-{life}.age"


def is_list(site: str, name: str) -> bool:
    """Tell whether a name is that of a list of the community, of any life."""
    return re.fullmatch(rf"{re.escape(site)}-deleted(-[0-9a-f]{{12}})?\.age", name) is not None


def life(folder: Path) -> str:
    """Return what this life of a data folder is called. Raises StoreError."""
    path = folder / _LIFE
    try:
        with suppress(FileNotFoundError):
            found = path.read_text(encoding="ascii", errors="replace").strip()
            if re.fullmatch(r"[0-9a-f]{12}", found):
                return found
        made, partial = secrets.token_hex(6), folder / f"{_LIFE}.new"
        with partial.open("w", encoding="ascii") as out:
            out.write(made)
            out.flush()
            os.fsync(out.fileno())
        partial.replace(path)
    except OSError as error:
        raise StoreError(f"cannot be kept ({error.strerror})", where=str(path)) from None
    return made


def end_life(folder: Path) -> None:
    """Let another begin: what is there from now on knows less. Raises StoreError."""
    for name in (_LIFE, left.TOLD):
        try:
            (folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"cannot be removed ({error.strerror})", where=name) from None


def since(lists: Iterable[Tombstones], made: datetime) -> Gone:
    """Return what lists say of an archive made then.

    What an older list says of people, the archive knows better: they may be back by then.
    """
    found = Gone()
    for one in lists:
        found |= one if one.at is not None and one.at >= made else one.pictures_alone
    return found


def write(gone: Gone, site: str, public: Sequence[str], path: Path, now: datetime) -> Path:
    """Write the list into a file. Raises InputError and StoreError."""
    data = msgspec.json.encode(Tombstones(site=site, at=now, **msgspec.structs.asdict(gone)))
    path.touch(mode=0o600)
    keys = [check_public(one) for one in public]
    with path.open("wb") as out, sealing(out, keys, str(path)) as plain:
        plain.write(data)
    return path


def read(path: Path, key: Key) -> Tombstones:
    """Return a list. Raises InputError when it cannot be read."""
    with path.open("rb") as source, key.opening(source, str(path)) as plain:
        data = plain.read(_MOST)
    try:
        return msgspec.json.decode(data, type=Tombstones)
    except msgspec.DecodeError as error:
        raise InputError(f"no list of what was deleted ({error})", where=str(path)) from None


def gather(places: Iterable[Place], site: str, key: Key, scratch: Path) -> list[Tombstones]:
    """Return the lists of a community at any place. Raises InputError and StoreError."""
    found: list[Tombstones] = []
    for place in places:
        for name in place.names():  # raises when the place is away: that is no empty list
            if not is_list(site, name):
                continue
            try:
                place.fetch(name, scratch)
            except FileNotFoundError:
                raise StoreError(f"{name} went meanwhile", where=place.address) from None
            found.append(read(scratch, key))
    scratch.unlink(missing_ok=True)
    return [one for one in found if one.site == site]
