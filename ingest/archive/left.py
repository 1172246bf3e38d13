"""Who has left by now, and which place of backups knows of it.

The web process keeps in the data folder what there is to know, each delivery which place has it, so
that the parent starts one and the doctor says what is missing without opening anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec

from linli.durable import write_whole
from linli.errors import StoreError
from linli.owner import sole_owner

LEFT, TOLD = "left.json", "left-told.json"
_WAIT_SECONDS = 5.0


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """People, accounts and tokens that are gone: `mark` changes with them, "" while there is none.

    `at` is when that was noticed.
    """

    mark: str = ""
    number: int = 0
    at: datetime | None = None


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a place has; `since` and `why` tell of trouble, None while there is none."""

    mark: str = ""
    number: int = 0
    since: datetime | None = None
    why: str | None = None


def read(folder: Path) -> Left:
    """Return who is gone; nobody while that was never looked at."""
    try:
        return msgspec.json.decode((folder / LEFT).read_bytes(), type=Left)
    except (OSError, msgspec.DecodeError):
        return Left()


def told(folder: Path) -> dict[str, Told]:
    """Return what the places have, by address."""
    try:
        return msgspec.json.decode((folder / TOLD).read_bytes(), type=dict[str, Told])
    except (OSError, msgspec.DecodeError):
        return {}


def lacking(folder: Path, addresses: Iterable[str]) -> dict[str, Told]:
    """Return the places that do not have who left, with what they have."""
    wanted, known = read(folder).mark, told(folder)
    found = {one: known.get(one, Told()) for one in addresses}
    return {address: one for address, one in found.items() if one.mark != wanted}


def note(folder: Path, address: str, given: Left) -> None:
    """Write down that a place has it. Raises InputError and StoreError."""
    with sole_owner(folder, "left", wait=_WAIT_SECONDS):
        _write(folder / TOLD, told(folder) | {address: Told(mark=given.mark, number=given.number)})


def note_failure(folder: Path, address: str, now: datetime, why: str) -> None:
    """Write down that a place could not be told. Raises InputError and StoreError."""
    with sole_owner(folder, "left", wait=_WAIT_SECONDS):
        known = told(folder)
        before = known.get(address, Told())
        failed = msgspec.structs.replace(before, since=before.since or now, why=why)
        _write(folder / TOLD, known | {address: failed})


def write(folder: Path, found: Left) -> None:
    """Keep who is gone. Raises StoreError."""
    _write(folder / LEFT, found)


def _write(path: Path, what: object) -> None:
    try:
        write_whole(path, msgspec.json.encode(what))
    except OSError as error:
        raise StoreError(f"cannot be kept ({error.strerror})", where=str(path)) from None
