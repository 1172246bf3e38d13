"""Redacted pictures that wait to be sent: sealed on disk, bounded; and the same in memory.

A picture exists once both its sealed bytes and its description do; each is renamed into place. What
a killed process left half written is removed at the next start. Without the ingest's key nothing is
written: then a few wait in memory.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import msgspec

from edge.sealing import OpenSeal, Seal
from linli.durable import keep_names, unlink, write_whole
from linli.errors import InputError, StoreError
from linli.events import Instant, Redaction, Sha256, Slug, Uuid
from linli.log import get_logger

log = get_logger(__name__)

DEAD_DAYS = 7
MAX_DEAD = 100
MAX_UNSEALED = 32
"""How many pictures wait in memory while there is no key; the oldest go first."""


class Picture(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of a picture besides its bytes."""

    id: Uuid
    sha256: Sha256
    bytes: int
    redaction: Redaction
    expires: Instant
    device: Slug
    episode: Uuid | None = None
    trial: str | None = None
    """`event/zone` of the scenario in shadow that would have begun; else it is of an `episode`."""


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """How many pictures may wait, and how many bytes of them."""

    count: int = 5_000
    bytes: int = 512 * 1024 * 1024


@dataclass(slots=True)
class PictureCounts:
    """What was kept and lost since the start."""

    stored: int = 0
    removed: int = 0
    evicted: int = 0
    expired: int = 0
    dead: int = 0


class EvidenceStore(Protocol):
    """Where pictures wait. Safe for threads; methods may raise StoreError."""

    @property
    def counts(self) -> PictureCounts:
        """What was kept and lost since the start."""
        ...

    def put(self, picture: Picture, jpeg: bytes) -> None:
        """Keep a picture; when this returns it survives a power cut, if there is a key."""
        ...

    def waiting(self) -> tuple[Picture, ...]:
        """Return what waits to be sent, oldest first."""
        ...

    def read(self, picture_id: str) -> bytes | None:
        """Return the sealed picture, None when it is no longer here, or not sealed."""
        ...

    def settle(self) -> None:
        """Seal what waits in memory, now that there is a key."""
        ...

    def remove(self, picture_id: str) -> None:
        """Drop a picture that the ingest has; one that is not here is no error."""
        ...

    def bury(self, picture_id: str, reason: str) -> None:
        """Put aside a picture that the ingest will never take."""
        ...

    def expire(self, now: datetime) -> None:
        """Drop what may not be kept any longer; it is counted as expired."""
        ...


class _Index:
    """Which pictures wait, oldest first, within the limits; shared by both kinds."""

    def __init__(self, limits: PictureLimits) -> None:
        self.counts = PictureCounts()
        self.pictures: dict[str, Picture] = {}
        self._limits = limits
        self._bytes = 0

    def load(self, pictures: Iterable[Picture]) -> None:
        for picture in sorted(pictures, key=lambda one: one.id):
            self.pictures[picture.id] = picture
            self._bytes += picture.bytes

    def add(self, picture: Picture) -> list[Picture]:
        """Add a picture; return those that have to go for it."""
        self.take(picture.id)
        self.pictures[picture.id] = picture
        self._bytes += picture.bytes
        self.counts.stored += 1
        evicted: list[Picture] = []
        while len(self.pictures) > self._limits.count or self._bytes > self._limits.bytes:
            oldest = self.take(self._least())
            assert oldest is not None
            evicted.append(oldest)
        if evicted and not self.counts.evicted:
            log.warning("pictures: full, dropping the oldest from here on")
        self.counts.evicted += len(evicted)
        return evicted

    def _least(self) -> str:
        """Return what goes first: the oldest of a trial, or else the oldest."""
        trials = (name for name, one in self.pictures.items() if one.trial is not None)
        return next(trials, next(iter(self.pictures)))

    def expire(self, now: datetime) -> list[Picture]:
        expired = [picture for picture in self.pictures.values() if picture.expires <= now]
        for picture in expired:
            self.take(picture.id)
        self.counts.expired += len(expired)
        return expired

    def take(self, picture_id: str) -> Picture | None:
        picture = self.pictures.pop(picture_id, None)
        if picture is not None:
            self._bytes -= picture.bytes
        return picture


class DiskEvidence:
    """The real store, a folder; a context manager."""

    def __init__(self, folder: Path, seal: Seal, limits: PictureLimits | None = None) -> None:
        self._folder = folder
        self._dead = folder / "dead"
        self._seal = seal
        self._unsealed: dict[str, bytes] = {}
        self._lock = threading.Lock()
        self._index = _Index(limits or PictureLimits())

    def __enter__(self) -> Self:
        """Make the folder, read what waits, clear what is half. Raises InputError."""
        try:
            for folder in (self._folder, self._dead):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._index.load(self._sweep())
        except OSError as error:
            raise InputError(
                f"pictures cannot be kept ({error.strerror})",
                where=str(self._folder),
                hint="Check the folder's permissions and free space",
            ) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is held open."""

    @property
    def counts(self) -> PictureCounts:
        """What was kept and lost since the start."""
        return self._index.counts

    def put(self, picture: Picture, jpeg: bytes) -> None:
        """Keep a picture; when this returns it survives a power cut, if there is a key.

        Raises StoreError.
        """
        with self._lock:
            sealed = self._seal.seal(picture.id, jpeg)
            if sealed is None:
                self._unsealed[picture.id] = jpeg
            else:
                self._write(picture, sealed)
            for old in self._index.add(picture):
                self._unlink(old.id)
            while len(self._unsealed) > MAX_UNSEALED:
                oldest = next(iter(self._unsealed))
                self._index.take(oldest)
                self._index.counts.evicted += 1
                del self._unsealed[oldest]

    def settle(self) -> None:
        """Seal what waits in memory, now that there is a key.

        What the disk refuses goes on waiting in memory, and can be sent from there.
        """
        with self._lock:
            for picture_id, jpeg in list(self._unsealed.items()):
                try:
                    sealed = self._seal.seal(picture_id, jpeg)
                    if sealed is None:
                        return
                    self._write(self._index.pictures[picture_id], sealed)
                except StoreError as error:
                    log.warning("pictures: %s; %d wait in memory", error, len(self._unsealed))
                    return
                del self._unsealed[picture_id]

    def waiting(self) -> tuple[Picture, ...]:
        """Return what waits to be sent, oldest first."""
        with self._lock:
            return tuple(self._index.pictures.values())

    def read(self, picture_id: str) -> bytes | None:
        """Return the sealed picture, None when it is no longer here, or not sealed.

        Raises StoreError.
        """
        with self._lock:
            jpeg = self._unsealed.get(picture_id)
            if jpeg is not None:
                return self._seal.seal(picture_id, jpeg)
        try:
            return self._sealed(picture_id).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(
                f"picture cannot be read ({error.strerror})", where=str(self._folder)
            ) from None

    def remove(self, picture_id: str) -> None:
        """Drop a picture that the ingest has."""
        with self._lock:
            if self._index.take(picture_id) is not None:
                self._index.counts.removed += 1
            self._unlink(picture_id)

    def bury(self, picture_id: str, reason: str) -> None:
        """Move a picture to `dead`, where it lies for a week. Raises StoreError."""
        with self._lock:
            if self._index.take(picture_id) is None:
                return
            self._index.counts.dead += 1
            log.warning("pictures: %s will not be taken (%s); put aside", picture_id, reason)
            if self._unsealed.pop(picture_id, None) is not None:
                return
            try:
                self._sealed(picture_id).replace(self._dead / f"{picture_id}.sealed")
                self._description(picture_id).unlink()
            except OSError as error:
                raise StoreError(
                    f"picture cannot be put aside ({error.strerror})", where=str(self._folder)
                ) from None

    def expire(self, now: datetime) -> None:
        """Drop what may not be kept any longer, and what lay in `dead` for a week."""
        with self._lock:
            for picture in self._index.expire(now):
                self._unlink(picture.id)
            self._purge(now)

    def _write(self, picture: Picture, sealed: bytes) -> None:
        try:
            write_whole(self._sealed(picture.id), sealed)
            write_whole(self._description(picture.id), msgspec.json.encode(picture))
            keep_names(self._folder)
        except OSError as error:
            self._unlink_files(picture.id)
            raise StoreError(
                f"picture cannot be kept ({error.strerror})",
                where=str(self._folder),
                hint="Free some disk space",
            ) from None

    def _sealed(self, picture_id: str) -> Path:
        return self._folder / f"{picture_id}.sealed"

    def _description(self, picture_id: str) -> Path:
        return self._folder / f"{picture_id}.json"

    def _unlink(self, picture_id: str) -> None:
        self._unsealed.pop(picture_id, None)
        self._unlink_files(picture_id)

    def _unlink_files(self, picture_id: str) -> None:
        for file in (self._description(picture_id), self._sealed(picture_id)):
            unlink(file)

    def _sweep(self) -> list[Picture]:
        for file in (*self._folder.glob("*.jpg"), *self._dead.glob("*.jpg")):
            log.warning("pictures: %s is not sealed; removed", file.name)
            file.unlink()
        found: list[Picture] = []
        for file in self._folder.glob("*.json"):
            try:
                picture = msgspec.json.decode(file.read_bytes(), type=Picture)
            except (msgspec.DecodeError, ValueError):
                log.warning("pictures: %s is damaged; removed", file.name)
                continue
            if picture.id == file.stem and self._sealed(picture.id).exists():
                found.append(picture)
        known = {picture.id for picture in found}
        for file in self._folder.iterdir():
            if file.is_file() and file.stem not in known:
                file.unlink()
        return found

    def _purge(self, now: datetime) -> None:
        limit = (now - timedelta(days=DEAD_DAYS)).timestamp()
        aged = sorted(((file.stat().st_mtime, file) for file in self._dead.iterdir()), reverse=True)
        for place, (modified, file) in enumerate(aged):
            if place >= MAX_DEAD or modified < limit:
                unlink(file)


class MemoryEvidence:
    """The fake, for tests; nothing survives it."""

    def __init__(self, limits: PictureLimits | None = None, seal: Seal | None = None) -> None:
        self.buried: dict[str, str] = {}
        self._lock = threading.Lock()
        self._index = _Index(limits or PictureLimits())
        self._seal = seal or OpenSeal()
        self._jpegs: dict[str, bytes] = {}

    @property
    def counts(self) -> PictureCounts:
        """What was kept and lost since the start."""
        return self._index.counts

    def put(self, picture: Picture, jpeg: bytes) -> None:
        """Keep a picture."""
        with self._lock:
            self._jpegs[picture.id] = jpeg
            for old in self._index.add(picture):
                del self._jpegs[old.id]

    def waiting(self) -> tuple[Picture, ...]:
        """Return what waits to be sent, oldest first."""
        with self._lock:
            return tuple(self._index.pictures.values())

    def read(self, picture_id: str) -> bytes | None:
        """Return the sealed picture, None when it is no longer here, or not sealed."""
        jpeg = self._jpegs.get(picture_id)
        return None if jpeg is None else self._seal.seal(picture_id, jpeg)

    def settle(self) -> None:
        """Do nothing: what is in memory is sealed when it is read."""

    def remove(self, picture_id: str) -> None:
        """Drop a picture that the ingest has."""
        with self._lock:
            if self._index.take(picture_id) is not None:
                self._index.counts.removed += 1
                del self._jpegs[picture_id]

    def bury(self, picture_id: str, reason: str) -> None:
        """Put aside a picture that the ingest will never take."""
        with self._lock:
            if self._index.take(picture_id) is not None:
                self._index.counts.dead += 1
                self.buried[picture_id] = reason
                del self._jpegs[picture_id]

    def expire(self, now: datetime) -> None:
        """Drop what may not be kept any longer."""
        with self._lock:
            for picture in self._index.expire(now):
                del self._jpegs[picture.id]
