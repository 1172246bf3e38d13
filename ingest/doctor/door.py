"""The broker as it tells of itself: who is not let in, how much it retains."""

from __future__ import annotations

from collections.abc import Iterator

from ingest.doctor.sources import Sources
from ingest.door import book
from ingest.door.book import SILENT, Sight
from ingest.repairs.finding import Finding, well
from ingest.store.engine import reading
from linli.counted import counted

FEW = 10
"""Tries of a day: a box that was set up wrongly once is nothing to look at."""
_NAMED = 3


def look(sources: Sources) -> Iterator[Finding]:
    """Yield what was found. Raises StoreError."""
    if not sources.settings.watch.enabled:
        yield well("broker-watch", "nobody listens to who is not let in: [watch] is not enabled")
        return
    with reading(sources.state) as connection:
        seen = book.sight(connection, sources.now)
    if seen.watched is None or sources.now - seen.watched > SILENT:
        yield Finding(
            code="broker-unwatched",
            level="warning",
            what="nobody listens to what the broker says of itself",
            since=seen.watched,
            means="Nothing; but nobody would see that somebody tries to break in.",
            do="Check [watch], run `linli broker render` and restart the broker as it says",
        )
    yield _strangers(seen)
    yield _retained(seen)


def _strangers(seen: Sight) -> Finding:
    if seen.tries < FEW:
        return well(
            "broker-strangers", f"the broker refused {counted(seen.tries, 'try', 'tries')} in a day"
        )
    named = [one for one in seen.strangers if one.address != "?"]
    where = ", ".join(one.address for one in named[:_NAMED]) or "addresses that are not known"
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return Finding(
        code="broker-strangers",
        level="warning",
        what=f"somebody tries to sign in at the broker: {counted(seen.tries, 'time')} in a day, "
        f"from {where}{more}",
        means="Nothing, as long as nobody gets in; a box with an old certificate or password is "
        "not heard.",
        do="A box of ours? Let it join again (`linli ingest node join`). Otherwise close the "
        "broker's port to that address in the firewall",
    )


def _retained(seen: Sight) -> Finding:
    if not seen.flooded:
        return well(
            "broker-retained", f"the broker retains {counted(seen.retained or 0, 'message')}"
        )
    return Finding(
        code="broker-retained",
        level="bad",
        what=f"the broker retains {seen.retained} messages, this community needs at most "
        f"{seen.ordinary}: a box fills its memory",
        means="When its memory is full it takes nothing from anybody; edges hold what they saw.",
        do="See in linli_receiver_turned_away or `linli doctor --all` which box sends so much, "
        "shut it out (`linli ingest node shut-out NODE`), then empty the broker (docs/broker.md)",
    )
