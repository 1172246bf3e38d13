"""A bucket for archives at a server that speaks S3; imported when there is one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from ingest.archive.place import require_same, sha256_of, sha256_of_file
from ingest.backup_settings import BackupPlace
from linli.errors import InputError, StoreError
from linli.settings import read_secret

_SAID = 200


class S3Place:
    """Keeps archives in a bucket, below a prefix."""

    def __init__(self, settings: BackupPlace) -> None:
        """Raise InputError when the secret cannot be read."""
        self._settings = settings
        parts = urlsplit(settings.to)
        self._store = S3Store(
            parts.netloc,
            prefix=unquote(parts.path).strip("/") or None,
            endpoint=settings.endpoint,
            region=settings.region,
            access_key_id=settings.access_key,
            secret_access_key=read_secret(Path(settings.secret_file or "")),
            virtual_hosted_style_request=False,
            # One request may carry all of an archive, over a slow line.
            client_options={"allow_http": True, "connect_timeout": "30s", "timeout": "12h"},
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=60)},
        )

    @property
    def address(self) -> str:
        """See Place."""
        return self._settings.to

    def put(self, source: Path, name: str) -> None:
        """See Place; what came wrong is removed again."""
        with self._translated():
            obstore.put(self._store, name, source)
            kept = sha256_of(bytes(one) for one in obstore.get(self._store, name))
            try:
                require_same(sha256_of_file(source), kept, f"{self.address}/{name}")
            except StoreError:
                obstore.delete(self._store, name)
                raise

    def fetch(self, name: str, target: Path) -> None:
        """See Place."""
        with self._translated():
            try:
                pieces = obstore.get(self._store, name)
            except (NotFoundError, FileNotFoundError):
                pieces = None
            if pieces is not None:
                with target.open("wb") as out:
                    for piece in pieces:
                        out.write(bytes(piece))
        if pieces is None:
            raise FileNotFoundError(name)

    def names(self) -> list[str]:
        """See Place."""
        with self._translated():
            return sorted(one["path"] for page in obstore.list(self._store) for one in page)

    def remove(self, name: str) -> None:
        """See Place."""
        with self._translated():
            obstore.delete(self._store, name)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (PermissionDeniedError, UnauthenticatedError):
            hint = "Mend access_key, its secret, and what that key may do in the bucket"
            raise InputError("lets us not in", where=self.address, hint=hint) from None
        except (BaseError, OSError) as error:
            said = (str(error).strip().splitlines() or [type(error).__name__])[0][:_SAID]
            raise StoreError(f"cannot be used ({said})", where=self.address) from None
