"""Whether people are told of incidents, by what the notifier's auditor wrote down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ingest.doctor.sources import Sources
from ingest.notify import audit, outbox
from ingest.notify.audit import Audit
from ingest.notify.known import whole
from ingest.repairs.finding import Finding, well
from ingest.services.check import Checked, checked
from ingest.store.engine import reading
from linli.counted import counted

SILENT = timedelta(minutes=5)
LATELY = timedelta(days=1)


def look(sources: Sources) -> Iterator[Finding]:
    """Yield what was found. Raises StoreError."""
    with reading(sources.state) as connection:
        if not whole(connection, sources.settings.notify).channels:
            yield well("notify", "no channel is set: nobody is told of incidents")
            return
        found = audit.get(connection)
        dead = outbox.dead_since(connection, sources.now - LATELY)
        plans = checked(connection, sources.settings.notify)
    yield _auditor(sources, found or Audit())
    if plans.faults:
        yield _plans(plans)
    if dead:
        yield Finding(
            code="notify-dead",
            level="warning",
            what=f"given up in the last day: {counted(dead, 'notification')}",
            means="Somebody was not told by this channel; the next contact was, if there is one.",
            do="See `linli ingest notify list --state dead`, and try the channel with "
            "`linli ingest notify test`",
        )


def _plans(found: Checked) -> Finding:
    where, what = found.faults[0]
    more = f", and {len(found.faults) - 1} more" if len(found.faults) > 1 else ""
    return Finding(
        code="notify-plans",
        level="warning" if found.numbers["routes"] else "bad",
        what=f"who is told does not hold: {where}: {what}{more}",
        means="Somebody who should be told is not, or nobody is.",
        do="See `linli ingest notify check` for all, and `linli ingest people import`",
    )


def _auditor(sources: Sources, found: Audit) -> Finding:
    if found.audited is None or sources.now - found.audited > SILENT:
        return Finding(
            code="notify-silent",
            level="bad",
            what="nobody looks after notifications",
            since=found.audited,
            means="Nobody may be told of what happens.",
            do="Check that the ingest runs, and its log",
        )
    if found.well:
        return well("notify", "notifications go out in time")
    return Finding(
        code="notify-trouble",
        level="bad",
        what=found.words,
        since=found.audited,
        means="People are told late or not at all.",
        do="See `linli ingest notify status` for the channel, and try it with "
        "`linli ingest notify test`",
    )
