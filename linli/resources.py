"""Where data files are, in a checkout and in an installed wheel alike."""

from __future__ import annotations

from pathlib import Path

from linli.errors import InputError

_PACKAGES = Path(__file__).resolve().parent.parent
_BUNDLED = Path(__file__).resolve().parent / "data"


def resource(*parts: str) -> Path:
    """Return the path of a data file, such as `resource("broker", "acl.conf")`.

    A wheel carries `broker/` and `models/` below `linli/data/`; a checkout has them at its top.
    Raises InputError when the file is in neither: an incomplete installation.
    """
    for root in (_BUNDLED, _PACKAGES):
        path = root.joinpath(*parts)
        if path.exists():
            return path
    raise InputError(
        "data file is missing", where="/".join(parts), hint="Install Linli again: scripts/demo"
    )
