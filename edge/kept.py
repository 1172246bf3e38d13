"""The configuration that last worked here, and the one that did not: a file in the data folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from linli.errors import StoreError
from linli.log import get_logger

log = get_logger(__name__)

FILE = "wanted.json"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A version of what the ingest wants this box to watch; the document is not yet checked."""

    version: Annotated[int, Meta(ge=1, lt=2**53)]
    document: dict[str, Any]


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A version that this box could not use, and why."""

    version: int
    detail: str


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the ingest's wishes."""

    good: Wanted | None = None
    refused: Refused | None = None

    @property
    def newest(self) -> int:
        """The highest version heard of, 0 when there was none."""
        return max(one.version if one else 0 for one in (self.good, self.refused))


def read_kept(folder: Path) -> Kept:
    """Return what is kept; nothing when the file is missing or damaged, so that it comes again."""
    path = folder / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Kept)
    except FileNotFoundError:
        return Kept()
    except (OSError, msgspec.DecodeError) as error:
        log.warning("%s: cannot be used (%s); the ingest is asked again", path, error)
        return Kept()


def write_kept(folder: Path, kept: Kept) -> None:
    """Keep it whole or not at all. Raises StoreError."""
    path, fresh = folder / FILE, folder / f"{FILE}.new"
    try:
        with fresh.open("wb") as file:
            file.write(msgspec.json.encode(kept))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise StoreError(f"cannot be written ({error.strerror})", where=str(path)) from None
