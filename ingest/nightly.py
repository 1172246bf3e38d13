"""Starts the backup of each night, and the word that somebody left, as processes of their own."""

from __future__ import annotations

import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from ingest.archive import left, record
from ingest.archive.schedule import AGAIN, due
from ingest.settings import IngestSettings
from linli.log import get_logger
from linli.process import Child, Supervisor, linli_argv

log = get_logger(__name__)

NAME, BURY = "backup", "bury"
_LOOK = timedelta(minutes=1)
_SOON = timedelta(seconds=2)


class Nightly:
    """Makes a backup when one is due, by the record of what became of those before.

    Who left is written beside the archives at once, and again after an hour where that failed.
    """

    def __init__(self, settings: IngestSettings, config: Path) -> None:
        self._settings = settings
        argv = linli_argv("backup", "make", "--config", str(config))
        # What it prints is for people; what is wrong it says on the other channel, into the log.
        self._child = Child(NAME, argv, restart=False, stdout=subprocess.DEVNULL)
        argv = linli_argv("backup", "bury", "--config", str(config))
        self._burial = Child(BURY, argv, restart=False, stdout=subprocess.DEVNULL)
        self._next_burial: datetime | None = None
        self._buried: tuple[str, datetime] | None = None
        self._next: datetime | None = None
        self._started: datetime | None = None

    def look(self, supervisor: Supervisor, now: datetime) -> None:
        """Start one when it is time and none runs; cheap to ask often."""
        if not self._settings.backup.places:
            return
        self._look_who_left(supervisor, now)
        if self._next is not None and now < self._next:
            return
        self._next = now + _LOOK
        if supervisor.process(NAME) is not None:
            return
        known = record.read(self._settings.folder)
        # One that fell without a word in the record counts as tried, and failed.
        fell = self._started is not None and (known.tried is None or known.tried < self._started)
        tried = self._started if fell else known.tried
        zone = ZoneInfo(self._settings.site.timezone)
        if due(now, self._settings.backup.at, zone, tried, failed=fell or known.failed):
            log.info("making the backup of this night")
            self._started = now
            supervisor.start(self._child)

    def _look_who_left(self, supervisor: Supervisor, now: datetime) -> None:
        if self._next_burial is not None and self._next_burial - _SOON <= now < self._next_burial:
            return
        self._next_burial = now + _SOON
        if not left.lacking(
            self._settings.folder, [one.to for one in self._settings.backup.places]
        ):
            return
        wanted, tried = left.read(self._settings.folder).mark, self._buried
        again = tried is None or tried[0] != wanted or not timedelta() <= now - tried[1] < AGAIN
        if again and supervisor.process(BURY) is None:
            log.info("writing down beside the backups who left")
            self._buried = wanted, now
            supervisor.start(self._burial)
