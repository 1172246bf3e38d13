"""Encryption of archives: the format `age` (X25519, ChaCha20-Poly1305), by the library pyrage.

Who has the public key (`age1…`) can write and not read; any `age` program can open what is written.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import pyrage

from linli.errors import InputError, StoreError
from linli.settings import read_secret


class Key:
    """A private key, and what its public key is called."""

    def __init__(self, identity: pyrage.x25519.Identity) -> None:
        self._identity = identity

    @classmethod
    def new(cls) -> Key:
        """Make one."""
        return cls(pyrage.x25519.Identity.generate())

    @classmethod
    def read(cls, path: Path) -> Key:
        """Read a key file as `age-keygen` writes them too. Raises InputError."""
        lines = [line.strip() for line in read_secret(path).splitlines()]
        found = [line for line in lines if line and not line.startswith("#")]
        try:
            (only,) = found
            return cls(pyrage.x25519.Identity.from_str(only))
        except (ValueError, pyrage.IdentityError):
            hint = "A line AGE-SECRET-KEY-1…, as `linli backup key` writes it"
            raise InputError("this is no private key", where=str(path), hint=hint) from None

    @property
    def public(self) -> str:
        """The public key, `age1…`."""
        return str(self._identity.to_public())

    @property
    def private(self) -> str:
        """The secret itself: for the key file alone."""
        return str(self._identity)

    @contextmanager
    def opening(self, source: BinaryIO, where: str) -> Iterator[BinaryIO]:
        """Yield what an archive holds, as a stream; read it to its end, or its end is not checked.

        Raises InputError when it is for another key, cut short or changed.
        """
        reader, writer = os.pipe()

        sink = _Sink(writer)

        def work() -> None:
            with sink.closing():
                pyrage.decrypt_io(source, sink, [self._identity])

        failed: list[Exception] = []
        thread = _started(work, failed)
        try:
            with os.fdopen(reader, "rb") as plain:
                yield plain
        finally:
            thread.join()
            if failed and not sink.unwanted:
                raise InputError(
                    f"cannot be opened ({failed[0]})",
                    where=where,
                    hint="It is for another key, cut short, or was changed",
                ) from None


def check_public(text: str) -> str:
    """Return a public key as it is. Raises InputError."""
    try:
        return str(pyrage.x25519.Recipient.from_str(text))
    except (ValueError, pyrage.RecipientError):
        hint = "It begins with age1; `linli backup key FILE` makes a pair"
        raise InputError(f"{text!r} is no public key", hint=hint) from None


class _Sink:
    """The near end of a pipe, which knows when nobody reads any more."""

    def __init__(self, number: int) -> None:
        self._out = os.fdopen(number, "wb")
        self.unwanted = False

    def write(self, data: bytes) -> int:
        """Write all of it."""
        try:
            return self._out.write(data)
        except BrokenPipeError:
            self.unwanted = True
            raise

    def flush(self) -> None:
        """Leave that to the end."""

    @contextmanager
    def closing(self) -> Iterator[None]:
        """Say at the end that there is no more."""
        try:
            yield
        finally:
            try:
                self._out.close()
            except BrokenPipeError:
                self.unwanted = True


@contextmanager
def sealing(target: BinaryIO, keys: Sequence[str], where: str) -> Iterator[BinaryIO]:
    """Yield a stream; what is written to it goes encrypted to `target`. Raises StoreError."""
    recipients = [pyrage.x25519.Recipient.from_str(key) for key in keys]
    reader, writer = os.pipe()

    def work() -> None:
        with os.fdopen(reader, "rb") as plain:
            pyrage.encrypt_io(plain, target, recipients)

    failed: list[Exception] = []
    thread = _started(work, failed)
    plain = os.fdopen(writer, "wb")
    try:
        yield plain
    finally:
        with suppress(BrokenPipeError):
            plain.close()
        thread.join()
        if failed:
            raise StoreError(f"cannot be written ({failed[0]})", where=where) from None


def _started(work: Callable[[], None], failed: list[Exception]) -> threading.Thread:
    def guarded() -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - whoever waits for the thread raises it
            failed.append(error)

    thread = threading.Thread(target=guarded, name="age", daemon=True)
    thread.start()
    return thread
