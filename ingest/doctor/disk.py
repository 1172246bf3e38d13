"""Whether the disk, or the room for pictures, will be full soon, and what was given up for it."""

from __future__ import annotations

from collections.abc import Iterator

from ingest.doctor.sources import Sources
from ingest.evidence import book as pictures
from ingest.evidence.sweep import kept_for
from ingest.repairs import book
from ingest.repairs.disk import Free, left
from ingest.repairs.finding import Finding, well
from ingest.repairs.room import PICTURES, SOON, low, pictures_last
from ingest.store.engine import reading
from ingest.store.space import free_of
from linli.counted import counted
from linli.topics import PROBE_NODE


def look(sources: Sources) -> Iterator[Finding]:
    """Yield what was found. Raises StoreError."""
    free = free_of(sources.settings.folder)
    if free is None:
        return  # that the folder is not there is a finding of its own
    yield from _giving_up(sources)
    yield from _filling(sources, free)
    yield from _pictures(sources)


def _giving_up(sources: Sources) -> Iterator[Finding]:
    with reading(sources.state) as connection:
        known = book.shortages(connection).get(PROBE_NODE)
        gone = book.all_given_up(connection)
    if known is None or known.level != "urgent":
        return
    rows = sum(one.pieces for one in gone if one.what in ("reading", "rollup"))
    lost = sum(one.pieces for one in gone if one.what in PICTURES)
    yield Finding(
        code="disk-giving-up",
        level="bad",
        what="the disk is nearly full, so the oldest of what is worth least is deleted: "
        f"{counted(rows, 'reading or mean', 'readings and means')} and "
        f"{counted(lost, 'picture')} so far",
        since=known.since,
        means="Older charts lose their detail and older incidents their pictures; alarms, and "
        "pictures that somebody holds, stay.",
        do="Make room now: old logs and files of others, a larger disk; then it ends by itself",
    )


def _filling(sources: Sources, free: int) -> Iterator[Finding]:
    least = low(sources.settings.disk.least_free)
    if free < least:
        return  # said already
    with reading(sources.state) as connection:
        past = book.past(connection)
    lasts = left([*past, Free(sources.now, free)], least)
    if lasts is None or lasts > SOON:
        yield well("disk-filling", "nothing says that the disk will be full within two weeks")
        return
    yield Finding(
        code="disk-filling",
        level="warning",
        what=f"{free / 1e9:.1f} GB are free on the disk of {sources.settings.folder}; at the pace "
        f"of the last week little is left in {counted(max(lasts.days, 1), 'day')}",
        means="Nothing yet. When it is full nothing new is stored.",
        do="Make room now: old logs and files of others; or lower [evidence] max_bytes and days",
    )


def _pictures(sources: Sources) -> Iterator[Finding]:
    evidence = sources.settings.evidence
    with reading(sources.state) as connection:
        kept, daily, going = pictures.growth(connection, sources.now, kept_for(evidence))
    lasts = pictures_last(kept, evidence.max_bytes, daily, going)
    if lasts is None:
        yield well("evidence-filling", "nothing says that the room for pictures is used up soon")
        return
    yield Finding(
        code="evidence-filling",
        level="warning",
        what=f"{kept / 1e9:.1f} of {evidence.max_bytes / 1e9:.1f} GB of pictures are kept; at the "
        f"pace of the last week all is used in {counted(lasts.days, 'day')}",
        means="Nothing yet. Then the oldest pictures go before their time.",
        do="Give [evidence] max_bytes more, or keep pictures for fewer days",
    )
