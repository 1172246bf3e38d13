"""The places of `[backup]`, opened by what their addresses say."""

from __future__ import annotations

from pathlib import Path

from ingest.archive.folder_place import FolderPlace
from ingest.archive.place import Place
from ingest.backup_settings import Backup, BackupPlace
from linli.errors import InputError


def place_of(settings: BackupPlace) -> Place:
    """Return a place; nothing is asked of it yet. Raises InputError when something is missing."""
    if settings.kind == "folder":
        return FolderPlace(Path(settings.to))
    try:
        if settings.kind == "sftp":
            from ingest.archive.sftp_place import SftpPlace  # noqa: PLC0415 - an extra

            return SftpPlace(settings)
        from ingest.archive.s3_place import S3Place  # noqa: PLC0415 - an extra

        return S3Place(settings)
    except ModuleNotFoundError as error:
        raise InputError(
            f"the Python package {error.name!r} is missing",
            where=settings.to,
            hint="Install it with: pip install 'linli[backup]'",
        ) from None


def find(settings: Backup, text: str) -> tuple[Place, str] | None:
    """Return the place and the name that an address as `linli backup list` shows it leads to."""
    address, _, name = text.rpartition("/")
    for one in settings.places:
        if one.to.rstrip("/") == address:
            return place_of(one), name
    return None
