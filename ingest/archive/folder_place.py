"""A folder for archives: a disk, or a share that is mounted."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.archive.place import require_same, sha256_of_file
from linli.errors import InputError, StoreError


class FolderPlace:
    """Keeps archives in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def address(self) -> str:
        """See Place."""
        return str(self.folder)

    def put(self, source: Path, name: str) -> None:
        """See Place; what was made right there only stays."""
        target = self._there() / name
        if source == target:
            return
        partial = target.with_name(name + ".part")
        with self._translated():
            try:
                partial.touch(mode=0o600)
                with source.open("rb") as given, partial.open("wb") as out:
                    shutil.copyfileobj(given, out)
                    out.flush()
                    os.fsync(out.fileno())
                require_same(sha256_of_file(source), sha256_of_file(partial), str(target))
                partial.replace(target)
            finally:
                partial.unlink(missing_ok=True)

    def fetch(self, name: str, target: Path) -> None:
        """See Place."""
        with self._translated():
            shutil.copyfile(self._there() / name, target)

    def names(self) -> list[str]:
        """See Place."""
        with self._translated():
            return sorted(one.name for one in self._there().iterdir() if one.is_file())

    def remove(self, name: str) -> None:
        """See Place."""
        with self._translated():
            (self.folder / name).unlink(missing_ok=True)

    def _there(self) -> Path:
        """Return the folder, never made: what lies below a mount point would fill another disk."""
        if not self.folder.is_dir():
            hint = "Is the disk there? If so, make the folder on it once"
            raise InputError("no such folder", where=self.address, hint=hint)
        return self.folder

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StoreError(f"cannot be used ({error.strerror})", where=self.address) from None
