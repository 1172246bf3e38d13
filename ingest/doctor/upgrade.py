"""Whether an upgrade of this machine was cut short and waits for who brings it to an end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime

from ingest.repairs.finding import Finding
from linli.install.layout import RECORD
from linli.owner import held


def look() -> Iterator[Finding]:
    """Yield one that nobody carries on."""
    if not os.access(RECORD, os.F_OK) or held(RECORD.parent, "upgrade"):
        return
    try:
        since = datetime.fromtimestamp(RECORD.stat().st_mtime, UTC)
    except FileNotFoundError:
        return  # it has just come to its end
    yield Finding(
        code="upgrade-cut-short",
        level="warning",
        what="an upgrade of this server was cut short",
        means="Either version may run now, or none. Nothing is lost.",
        do="As root, run `linli upgrade` of the new version again: it goes on, or back",
        since=since,
    )
