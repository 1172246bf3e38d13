"""Where the bytes of pictures lie: a protocol, the folder behind it, and its fake."""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from ingest.store.space import free_of
from linli.errors import StoreError

PARTS = 256
"""By the last two digits of an id."""


class EvidenceStore(Protocol):
    """Bytes by id, a UUID; putting the same id again replaces them."""

    def put(self, name: str, data: bytes) -> None:
        """Keep the bytes; they are on disk when this returns. Raises StoreError."""
        ...

    def get(self, name: str) -> bytes | None:
        """Return the bytes, None when they are not there. Raises StoreError."""
        ...

    def remove(self, name: str) -> None:
        """Forget the bytes, if they are there. Raises StoreError."""
        ...

    def lying(self, part: int, before: datetime) -> list[str]:
        """Return the ids in one of `PARTS` whose bytes were put before a moment.

        Also those of which only a half was put. Raises StoreError.
        """
        ...


class FolderStore:
    """One file per picture, in 256 folders, readable by their owner alone.

    With less than `reserve` bytes free nothing is put: that room is for events.
    """

    def __init__(self, folder: Path, *, reserve: int = 0) -> None:
        self._folder = folder
        self._reserve = reserve

    def put(self, name: str, data: bytes) -> None:
        """Keep the bytes; they are on disk when this returns. Raises StoreError."""
        path = self._path(name)
        half = path.with_suffix(".part")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            free = free_of(path.parent) if self._reserve else None
            if free is not None and free < self._reserve:
                raise StoreError("what is left of the disk is for events", where=str(path))
            number = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(number, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            half.replace(path)
            _sync_folder(path.parent)
        except OSError as error:
            raise StoreError(error.strerror or "cannot be written", where=str(path)) from error

    def get(self, name: str) -> bytes | None:
        """Return the bytes, None when they are not there. Raises StoreError."""
        path = self._path(name)
        try:
            with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(error.strerror or "cannot be read", where=str(path)) from error

    def remove(self, name: str) -> None:
        """Forget the bytes, if they are there. Raises StoreError."""
        path = self._path(name)
        try:
            path.unlink(missing_ok=True)
            path.with_suffix(".part").unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(error.strerror or "cannot be removed", where=str(path)) from error

    def lying(self, part: int, before: datetime) -> list[str]:
        """Return the ids in one of `PARTS` whose bytes were put before a moment.

        Also those of which only a half was put. Raises StoreError.
        """
        folder = self._folder / f"{part:02x}"
        found = set()
        try:
            with os.scandir(folder) as files:
                for file in files:
                    name = Path(file.name).stem
                    if file.stat().st_mtime < before.timestamp() and _is_ours(name):
                        found.add(name)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(error.strerror or "cannot be read", where=str(folder)) from error
        return sorted(found)

    def _path(self, name: str) -> Path:
        # Through UUID, so that no id can name a place outside; its end is random, its start a time.
        plain = str(uuid.UUID(name))
        return self._folder / plain[-2:] / f"{plain}.jpg"


class MemoryStore:
    """The fake: a dictionary; for tests."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}
        self._put: dict[str, datetime] = {}

    def put(self, name: str, data: bytes) -> None:
        """Keep the bytes."""
        plain = str(uuid.UUID(name))
        self._kept[plain], self._put[plain] = data, datetime.now(UTC)

    def get(self, name: str) -> bytes | None:
        """Return the bytes, None when they are not there."""
        return self._kept.get(str(uuid.UUID(name)))

    def remove(self, name: str) -> None:
        """Forget the bytes, if they are there."""
        self._kept.pop(str(uuid.UUID(name)), None)

    def lying(self, part: int, before: datetime) -> list[str]:
        """Return the ids in one of `PARTS` whose bytes were put before a moment."""
        ours = (name for name in self._kept if int(name[-2:], 16) == part)
        return sorted(name for name in ours if self._put[name] < before)


def _is_ours(name: str) -> bool:
    try:
        return str(uuid.UUID(name)) == name
    except ValueError:
        return False


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
