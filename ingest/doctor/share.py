"""What the district is told: does the broker take it."""

from __future__ import annotations

from collections.abc import Iterator

from ingest.doctor.sources import Sources
from ingest.repairs.finding import Finding, well
from ingest.share import book
from ingest.store.engine import reading
from linli.counted import counted


def look(sources: Sources) -> Iterator[Finding]:
    """Yield what was found; nothing where nothing is shared. Raises StoreError."""
    if not sources.settings.share.enabled:
        return
    with reading(sources.state) as connection:
        number, oldest = book.waiting(connection, sources.now - book.LATE)
        events, counts = book.totals(connection)
    if not number:
        told = f"{counted(events, 'end')} and {counted(counts, 'number')}"
        yield well("share", f"the broker took {told} for the district")
        return
    yield Finding(
        code="share-waiting",
        level="warning",
        what=f"not told to the district yet: {counted(number, 'end')} of incidents",
        since=oldest,
        means="Nothing: they are kept, and told when the broker takes them.",
        do="Check [share], run `linli broker render` and restart the broker as it says",
    )
