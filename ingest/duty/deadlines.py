"""How soon somebody should have seen an incident and be done with it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from linli.events import Severity, Slug

Within = Annotated[timedelta | None, Meta(description="ISO 8601, such as PT5M; null: no deadline")]


class Deadline(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Both count from when the incident was opened here."""

    acknowledge: Within = None
    resolve: Within = None


USUAL: Mapping[Severity, Deadline] = {
    "critical": Deadline(acknowledge=timedelta(minutes=3), resolve=timedelta(minutes=30)),
    "high": Deadline(acknowledge=timedelta(minutes=10), resolve=timedelta(hours=2)),
    "medium": Deadline(acknowledge=timedelta(minutes=30), resolve=timedelta(hours=24)),
    "low": Deadline(acknowledge=timedelta(hours=24), resolve=timedelta(hours=72)),
}


class Deadlines(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """By severity, and for some kinds of events whatever the severity."""

    severities: dict[Severity, Deadline] = {}
    events: Annotated[dict[Slug, Deadline], Meta(max_length=256)] = {}

    def of(self, event: str, severity: Severity) -> Deadline:
        """Return the deadline of an incident: of its event, else its severity, else the usual."""
        found = self.events.get(event) or self.severities.get(severity)
        return found if found is not None else USUAL[severity]
