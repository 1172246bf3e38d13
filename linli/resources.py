"""Where data files are, in a checkout and in an installed wheel alike."""

from __future__ import annotations

from pathlib import Path

from linli.errors import InputError

_PACKAGES = Path(__file__).resolve().parent.parent


def resource(*parts: str) -> Path:
    """Return the path of a data file below the folder that holds the import packages.

    Raises InputError when the file is not there: an incomplete installation.
    """
    path = _PACKAGES.joinpath(*parts)
    if not path.exists():
        raise InputError(
            "data file is missing", where=str(path), hint="Install Linli again: scripts/demo"
        )
    return path


def package_root() -> Path:
    """Return the folder that holds the import packages."""
    return _PACKAGES
