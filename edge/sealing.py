"""The ingest's key that waiting pictures are sealed with, kept beside them; the box cannot open.

Where the network could have put its own key in the place of the ingest's, the first one stays.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import NoReturn, Protocol
from urllib.parse import urlsplit

from edge.messages import Address
from linli.durable import keep_names, write_whole
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
        """Seal with this key from now on. Raises LinkError for none, or one not to be trusted."""
        ...

    def seal(self, picture: str, jpeg: bytes) -> bytes | None:
        """Return a picture for the ingest alone, None without a key."""
        ...


class IngestSeal:
    """The real one; the key is public, and survives a restart without the ingest."""

    def __init__(self, folder: Path, address: Address, *, sure: bool) -> None:
        """`folder` need not be there yet; the key is read from it at the first use.

        `sure` says that who gives keys is the ingest; else only the first one is taken.
        """
        self.strange: str | None = None
        """The id of another key that was offered and not taken, if it is still offered."""
        self._file = folder / FILE
        self._address = address
        self._sure = sure
        self._public: bytes | None = None

    @property
    def key(self) -> str | None:
        """The id of the key to seal with."""
        public = self._key()
        return None if public is None else id_of(public)

    @property
    def known(self) -> bool:
        """Whether there is a key to seal with."""
        return self._key() is not None

    def take(self, public: bytes) -> None:
        """Seal with this key from now on. Raises LinkError for none, or one not to be trusted."""
        known = self._key()
        if public == known:
            self.strange = None
            return
        _check(public)
        if known is not None and not self._sure:
            self._refuse(id_of(public), id_of(known))
        if known is not None:
            log.warning("pictures: sealed for another key of the ingest, %s", id_of(public))
        self._public, self.strange = public, None
        try:
            write_whole(self._file, public)
            keep_names(self._file.parent)
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

    def _refuse(self, strange: str, known: str) -> NoReturn:
        if strange != self.strange:
            log.error(
                "pictures: another key (%s) was offered without https and not taken; sealed for"
                " %s on. If `linli ingest seal show` says it is right, remove %s and start again",
                *(strange, known, self._file),
            )
        self.strange = strange
        raise LinkError(f"offers another key, {strange}")

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


def surely(url: str) -> bool:
    """Tell whether nobody in the network can answer for this address: by https, or on this box."""
    parts = urlsplit(url)
    if parts.scheme == "https" or parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def _check(public: bytes) -> None:
    try:
        if len(public) == KEY_BYTES:
            seal(b"", public, b"")
            return
    except ValueError:
        pass
    raise LinkError("the ingest's key for pictures is none")
