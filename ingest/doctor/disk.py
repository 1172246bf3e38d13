"""Whether the disk will be full soon, by how much of it was free on the days before."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta

from ingest.doctor.machine import DISK_LOW
from ingest.doctor.sources import Sources
from ingest.repairs import book
from ingest.repairs.disk import Free, left
from ingest.repairs.finding import Finding, well
from ingest.store.engine import reading

SOON = timedelta(days=14)


def look(sources: Sources) -> Iterator[Finding]:
    """Yield what was found. Raises StoreError."""
    folder = sources.settings.folder
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return  # that the folder is not there is a finding of its own
    with reading(sources.state) as connection:
        past = book.past(connection)
    if free < DISK_LOW:
        return  # said already
    lasts = left([*past, Free(sources.now, free)], DISK_LOW)
    if lasts is None or lasts > SOON:
        yield well("disk-filling", "nothing says that the disk will be full within two weeks")
        return
    yield Finding(
        code="disk-filling",
        level="warning",
        what=f"{free / 1e9:.1f} GB are free on the disk of {folder}; as it went on the days "
        f"before, little is left in {max(lasts.days, 1)} days",
        means="Nothing yet. When it is full nothing new is stored.",
        do="Make room now: old logs and files of others; or lower [evidence] max_bytes and days",
    )
