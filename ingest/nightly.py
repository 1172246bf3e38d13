"""Starts the backup of each night as a process of its own, so that the parent stays small."""

from __future__ import annotations

import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from ingest.archive import record
from ingest.archive.schedule import due
from ingest.settings import IngestSettings
from linli.log import get_logger
from linli.process import Child, Supervisor, linli_argv

log = get_logger(__name__)

NAME = "backup"
_LOOK = timedelta(minutes=1)


class Nightly:
    """Makes a backup when one is due, by the record of what became of those before."""

    def __init__(self, settings: IngestSettings, config: Path) -> None:
        self._settings = settings
        argv = linli_argv("backup", "make", "--config", str(config))
        # What it prints is for people; what is wrong it says on the other channel, into the log.
        self._child = Child(NAME, argv, restart=False, stdout=subprocess.DEVNULL)
        self._next: datetime | None = None
        self._started: datetime | None = None

    def look(self, supervisor: Supervisor, now: datetime) -> None:
        """Start one when it is time and none runs; cheap to ask often."""
        if not self._settings.backup.places or (self._next is not None and now < self._next):
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
