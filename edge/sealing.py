"""The ingest's key that waiting pictures are sealed with, kept beside them; the box cannot open."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from edge.messages import Address
from linli.errors import LinkError, StoreError
from linli.log import get_logger
from linli.seal import KEY_BYTES, about, id_of, seal

log = get_logger(__name__)

FILE = "evidence.key"


class Seal(Protocol):
    """Makes pictures unreadable here. Safe for threads."""

    @property
    def known(self) -> bool:
        """Whether there is a key to seal with."""
        ...

    def take(self, public: bytes) -> None:
        """Seal with this key from now on. Raises LinkError when it is none."""
        ...

    def seal(self, picture: str, jpeg: bytes) -> bytes | None:
        """Return a picture for the ingest alone, None without a key."""
        ...


class IngestSeal:
    """The real one; the key is public, and survives a restart without the ingest."""

    def __init__(self, folder: Path, address: Address) -> None:
        """`folder` need not be there yet; the key is read from it at the first use."""
        self._file = folder / FILE
        self._address = address
        self._public: bytes | None = None

    @property
    def known(self) -> bool:
        """Whether there is a key to seal with."""
        return self._key() is not None

    def take(self, public: bytes) -> None:
        """Seal with this key from now on. Raises LinkError when it is none."""
        if len(public) != KEY_BYTES or not any(public):
            raise LinkError("the ingest's key for pictures is none")
        if public == self._key():
            return
        if self._public is not None:
            log.warning("pictures: sealed for another key of the ingest, %s", id_of(public))
        self._public = public
        try:
            fresh = self._file.with_suffix(".new")
            fresh.write_bytes(public)
            fresh.replace(self._file)
        except OSError as error:
            log.warning("pictures: key not kept (%s); asked for again", error.strerror)

    def seal(self, picture: str, jpeg: bytes) -> bytes | None:
        """Return a picture for the ingest alone, None without a key. Raises StoreError."""
        public = self._key()
        if public is None:
            return None
        try:
            return seal(jpeg, public, about(self._address.site, self._address.node, picture))
        except ValueError:
            raise StoreError(
                "the ingest's key for pictures is none", where=str(self._file)
            ) from None

    def _key(self) -> bytes | None:
        if self._public is None:
            try:
                public = self._file.read_bytes()
            except OSError:
                return None
            self._public = public if len(public) == KEY_BYTES else None
        return self._public


class OpenSeal:
    """The fake, for tests: hides nothing, and has a key when told."""

    def __init__(self, *, known: bool = True) -> None:
        self.known = known
        self.taken: list[bytes] = []

    def take(self, public: bytes) -> None:
        """Note the key."""
        self.taken.append(public)
        self.known = True

    def seal(self, picture: str, jpeg: bytes) -> bytes | None:
        """Return the picture as it is."""
        del picture
        return jpeg if self.known else None
