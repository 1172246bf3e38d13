"""An archive as a stream: a compressed tar of databases, secrets and pictures, a manifest last."""

from __future__ import annotations

import gzip
import hashlib
import io
import shutil
import tarfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec

from ingest.archive.manifest import DATABASES, EVIDENCE, FORMAT, MANIFEST, SECRETS, Entry, Manifest
from linli.errors import InputError, StoreError

_CHUNK = 1 << 20
_MOST_MANIFEST = 256 << 20
_KNOWN = frozenset({*(f"{name}.db" for name in DATABASES), *SECRETS})


class Hashed(io.RawIOBase):
    """A file that is hashed while it is read."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._hash = hashlib.sha256()
        self._bytes = 0

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes."""
        data = self._source.read(size)
        self._hash.update(data)
        self._bytes += len(data)
        return data

    @property
    def entry(self) -> Entry:
        """What was read so far."""
        return Entry(bytes=self._bytes, sha256=self._hash.hexdigest())


class Writer:
    """Puts files into an archive and remembers what they were."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.files: dict[str, Entry] = {}

    def file(self, name: str, path: Path) -> None:
        """Put in a file that nobody changes meanwhile."""
        with path.open("rb") as source:
            self._put(name, source, path.stat().st_size)

    def data(self, name: str, data: bytes) -> None:
        """Put in bytes."""
        self._put(name, io.BytesIO(data), len(data))

    def close(self, manifest: Manifest) -> None:
        """Put in the manifest, which is the last."""
        data = msgspec.json.encode(manifest)
        self._tar.addfile(_info(MANIFEST, len(data)), io.BytesIO(data))

    def _put(self, name: str, source: BinaryIO, size: int) -> None:
        hashed = Hashed(source)
        self._tar.addfile(_info(name, size), hashed)
        self.files[name] = hashed.entry


@contextmanager
def writing_to(target: BinaryIO) -> Iterator[Writer]:
    """Yield a writer into a stream."""
    with (
        gzip.GzipFile(fileobj=target, mode="wb", compresslevel=1, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|") as tar,
    ):
        yield Writer(tar)


def read(
    source: BinaryIO,
    folder: Path,
    picture: Callable[[str, bytes], None],
    where: str,
) -> Manifest:
    """Write databases and secrets of an archive into a folder, and hand over each picture.

    Raises InputError when it is no archive of ours, or a file is not what its manifest says.
    """
    found: dict[str, Entry] = {}
    manifest = None
    try:
        with gzip.GzipFile(fileobj=source) as packed:
            with tarfile.open(fileobj=packed, mode="r|") as tar:
                for member in tar:
                    part = tar.extractfile(member) if member.isreg() else None
                    if part is None or manifest is not None:
                        raise InputError(f"{member.name!r} does not belong here", where=where)
                    if member.name == MANIFEST:
                        manifest = _manifest(part.read(_MOST_MANIFEST), where)
                        continue
                    hashed = Hashed(part)  # type: ignore[arg-type]  # an IO[bytes], read alone
                    _take(member.name, hashed, folder, picture, where)
                    found[member.name] = hashed.entry
            while packed.read(_CHUNK):
                pass
        while source.read(_CHUNK):
            pass
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, ValueError) as error:
        raise InputError(f"not a backup of Linli, or cut short ({error})", where=where) from None
    except OSError as error:
        raise StoreError(f"cannot be read or restored ({error.strerror})", where=where) from None
    if manifest is None:
        raise InputError("cut short: there is no manifest", where=where)
    wrong = manifest.same_contents(found)
    if wrong is not None:
        raise InputError(f"{wrong} is not what the manifest says", where=where)
    return manifest


def _take(
    name: str, hashed: Hashed, folder: Path, picture: Callable[[str, bytes], None], where: str
) -> None:
    if name in _KNOWN:
        target = folder / name
        target.touch(mode=0o600)
        with target.open("wb") as out:
            shutil.copyfileobj(hashed, out, _CHUNK)
        return
    plain = name.removeprefix(EVIDENCE)
    if plain == name or str(uuid.UUID(plain)) != plain:
        raise InputError(f"{name!r} does not belong here", where=where)
    picture(plain, hashed.read())


def _manifest(data: bytes, where: str) -> Manifest:
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except msgspec.DecodeError as error:
        raise InputError(f"its manifest cannot be read ({error})", where=where) from None
    if manifest.format != FORMAT:
        hint = "Use the Linli that wrote it, or a newer one"
        raise InputError(f"an archive of format {manifest.format}", where=where, hint=hint)
    return manifest


def _info(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info
