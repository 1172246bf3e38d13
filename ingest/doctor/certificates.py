"""Certificates that end soon: the authority that the ingest trusts, and those of boxes."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from ingest.doctor.sources import Sources
from ingest.repairs.finding import Finding, well
from ingest.store.engine import reading
from ingest.store.joining import certificate_task
from ingest.store.registry import CONFIRMED, node

AUTHORITY_SOON = timedelta(days=60)
"""To change it somebody must go to each box."""
BOX_SOON = timedelta(days=7)
"""A box asks for the next one long before; that it did not is what is wrong."""


def look(sources: Sources) -> Iterator[Finding]:
    """Yield what was found. Raises StoreError."""
    yield from _authority(sources)
    yield from _boxes(sources)


def _authority(sources: Sources) -> Iterator[Finding]:
    name = sources.settings.mqtt.ca_file
    if name is None:
        return
    until = _ends(name)
    if until is None or until - sources.now > AUTHORITY_SOON:
        yield well("authority", "the authority of the broker's certificates holds")
        return
    over = until <= sources.now
    yield Finding(
        code="authority-ends",
        level="bad" if over else "warning",
        what=f"the authority in {name} {'ended' if over else 'ends'} on {until:%Y-%m-%d}",
        since=until if over else None,
        means="Nothing until that day; then no box is heard any more.",
        do="Make a new authority and let the boxes join again in time (docs/broker.md)",
    )


def _ends(name: str) -> datetime | None:
    """Return when the first authority of a file ends, None when it cannot be read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(name)
    except (OSError, ssl.SSLError):
        return None
    ends = [one["notAfter"] for one in context.get_ca_certs()]
    found = [ssl.cert_time_to_seconds(one) for one in ends if isinstance(one, str)]
    return datetime.fromtimestamp(min(found), UTC) if found else None


def _boxes(sources: Sources) -> Iterator[Finding]:
    task = certificate_task.c
    newest = (
        sa.select(task.node, sa.func.max(task.until).label("until"))
        .where(task.kind == "issue", task.until.is_not(None))
        .group_by(task.node)
        .subquery()
    )
    used = sa.select(newest.c.node, newest.c.until).join(node, node.c.node == newest.c.node)
    with reading(sources.state) as connection:
        rows = connection.execute(used.where(node.c.standing == CONFIRMED)).all()
    for name, until in rows:
        if until - sources.now > BOX_SOON:
            continue
        over = until <= sources.now
        yield Finding(
            code="edge-certificate",
            level="bad" if over else "warning",
            what=f"the certificate of {name} {'ended' if over else 'ends'} on {until:%Y-%m-%d}, "
            "and it has not got another",
            about=name,
            since=until if over else None,
            means="From that day on nothing is heard of this box; its doors and voices may still "
            "work by themselves.",
            do="See that the box reaches this server and that `linli broker keep` runs; otherwise "
            "let it join again",
        )
