"""How much is free on the disk of a folder, and what else may be said of that disk."""

from __future__ import annotations

import shutil
from pathlib import Path

from linli.errors import InputError
from linli.owner import sole_owner

BACKUP = "backup"
"""The lock that who makes a backup of a data folder holds."""
STAGE, WORKSHOP = "backup-stage", "backup-new"
"""Folders of a data folder that are there while a backup is made: what fills them goes again."""


def free_of(folder: Path) -> int | None:
    """Return the bytes that are free on the disk of a folder, None when nobody can say.

    A file system that knows no size (some of a network, some of containers) answers zeros alone.
    """
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    return usage.free if usage.total else None


def same_disk(folder: Path, other: Path) -> bool:
    """Tell whether two folders lie on one disk; no while either is not there."""
    try:
        return folder.stat().st_dev == other.stat().st_dev
    except OSError:
        return False


def staging(folder: Path) -> bool:
    """Tell whether a backup of a data folder is being made; what one that is dead left goes."""
    there = [one for name in (STAGE, WORKSHOP) if (one := folder / name).exists()]
    if not there:
        return False
    try:
        with sole_owner(folder, BACKUP):
            for one in there:
                shutil.rmtree(one, ignore_errors=True)
    except InputError:
        return True
    return False


def check_least(folder: Path, least: int) -> None:
    """Raise InputError where so many free bytes are more than half of a data folder's disk."""
    try:
        total = shutil.disk_usage(folder).total
    except OSError:
        return  # that it is not there is said elsewhere
    if 0 < total < 2 * least:
        raise InputError(
            f"{least >> 20} MiB are more than half of the disk of {folder}, {total >> 20} MiB",
            where="disk.least_free",
            hint="Set a smaller one, 256 MiB at least, or put `data` on a larger disk",
        )
