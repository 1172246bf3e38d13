"""A folder of another machine for archives, by SFTP; imported when there is one."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path, PurePosixPath
from typing import TypeVar, cast
from urllib.parse import unquote, urlsplit

import asyncssh

from ingest.archive.place import CHUNK, require_same, sha256_of_file
from ingest.backup_settings import BackupPlace
from linli.errors import InputError, StoreError

T = TypeVar("T")
_CONNECT_SECONDS = 30
_ALIVE_SECONDS = 20


class SftpPlace:
    """Keeps archives in a folder that a server shows by SFTP; each call is a connection."""

    def __init__(self, settings: BackupPlace) -> None:
        self._settings = settings
        self._parts = urlsplit(settings.to)
        self._folder = PurePosixPath(unquote(self._parts.path) or "/")

    @property
    def address(self) -> str:
        """See Place."""
        return self._settings.to

    def put(self, source: Path, name: str) -> None:
        """See Place."""
        target, partial = str(self._folder / name), str(self._folder / f"{name}.part")

        async def work(sftp: asyncssh.SFTPClient) -> None:
            await sftp.put(str(source), partial)
            kept = await _sha256(sftp, partial)
            require_same(sha256_of_file(source), kept, f"{self.address}/{name}")
            await sftp.posix_rename(partial, target)

        self._do(work)

    def fetch(self, name: str, target: Path) -> None:
        """See Place."""

        async def work(sftp: asyncssh.SFTPClient) -> None:
            try:
                await sftp.get(str(self._folder / name), str(target))
            except asyncssh.SFTPNoSuchFile:
                raise FileNotFoundError(name) from None

        self._do(work)

    def names(self) -> list[str]:
        """See Place."""

        async def work(sftp: asyncssh.SFTPClient) -> list[str]:
            found = await sftp.listdir(str(self._folder))
            return sorted(str(one) for one in found if one not in {".", ".."})

        return self._do(work)

    def remove(self, name: str) -> None:
        """See Place."""

        async def work(sftp: asyncssh.SFTPClient) -> None:
            await sftp.remove(str(self._folder / name))

        self._do(work)

    def _do(self, work: Callable[[asyncssh.SFTPClient], Awaitable[T]]) -> T:
        try:
            return asyncio.run(self._connected(work))
        except FileNotFoundError:
            raise
        except (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed):
            hint = "Is it the right server? `ssh-keyscan` shows its keys: put that into host_key"
            raise InputError("shows another host key", where=self.address, hint=hint) from None
        except asyncssh.PermissionDenied:
            hint = "Its authorized_keys must have the public key of key_file"
            raise InputError("lets us not in", where=self.address, hint=hint) from None
        except asyncssh.SFTPNoSuchFile:
            hint = "Is the disk there? If so, make the folder on it once"
            raise InputError("no such folder", where=self.address, hint=hint) from None
        except asyncssh.KeyImportError as error:
            raise InputError(f"a key cannot be read ({error})", where=self.address) from None
        except (asyncssh.Error, TimeoutError) as error:
            raise StoreError(f"cannot be used ({error})", where=self.address) from None
        except OSError as error:
            said = error.strerror or error
            raise StoreError(f"cannot be reached ({said})", where=self.address) from None

    async def _connected(self, work: Callable[[asyncssh.SFTPClient], Awaitable[T]]) -> T:
        host_key = asyncssh.import_public_key(self._settings.host_key or "")
        async with (
            asyncssh.connect(
                self._parts.hostname or "",
                self._parts.port or 22,
                username=self._parts.username or "linli",
                client_keys=[self._settings.key_file or ""],
                known_hosts=([host_key], [], []),
                config=None,
                agent_path=None,
                connect_timeout=_CONNECT_SECONDS,
                keepalive_interval=_ALIVE_SECONDS,
            ) as connection,
            connection.start_sftp_client() as sftp,
        ):
            return await work(sftp)


async def _sha256(sftp: asyncssh.SFTPClient, path: str) -> str:
    found = hashlib.sha256()
    async with sftp.open(path, "rb") as opened:
        while data := await opened.read(CHUNK):
            found.update(cast("bytes", data))
    return found.hexdigest()
