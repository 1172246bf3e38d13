"""An upgrade in its course, written down: whoever is cut short goes on or goes back from it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from ingest.store.migrate import File
from linli.durable import keep_names, write_whole
from linli.errors import InputError
from linli.install.layout import RECORD


class Course(msgspec.Struct, kw_only=True):
    """From which program to which, and what was there before.

    `units` are texts by the unit's name, `tables` versions. `backups` are paths; with them, and the
    moment `stopped` after which only the new version says anything, all is ready for the change:
    before that nothing is different. `back` is since when it is on its way back, with all stopped.
    """

    old: str
    new: str
    units: dict[str, str]
    tables: dict[File, str | None]
    backups: dict[File, str] | None = None
    stopped: datetime | None = None
    back: datetime | None = None

    def keep(self) -> None:
        """Write it down, safe against a power cut. Raises InputError."""
        try:
            write_whole(RECORD, msgspec.json.encode(self))
            keep_names(RECORD.parent)
        except OSError as error:
            raise InputError(f"cannot be written ({error.strerror})", where=str(RECORD)) from None

    def end(self) -> None:
        """Forget it: the services run one version, whole."""
        RECORD.unlink(missing_ok=True)
        keep_names(RECORD.parent)


def left() -> Course | None:
    """Return an upgrade that was cut short, None without one. Raises InputError."""
    if not RECORD.exists():
        return None
    try:
        return msgspec.json.decode(RECORD.read_bytes(), type=Course)
    except (msgspec.MsgspecError, OSError) as error:
        raise InputError(f"cannot be read ({error})", where=str(RECORD)) from None
