"""Parts of the ingest that come to the broker as users of their own."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.consumers.broker_watch import watch_of
from ingest.consumers.home_assistant import discovery_of
from ingest.consumers.runner import Runner
from ingest.consumers.share import share_of
from ingest.settings import IngestSettings
from linli.clock import Clock


def broker_users(
    settings: IngestSettings, reader: sa.Engine, writer: sa.Engine, clock: Clock
) -> tuple[Runner, ...]:
    """Return those that are switched on. Raises InputError."""
    return (
        *discovery_of(settings, reader, clock),
        *watch_of(settings, writer, clock),
        *share_of(settings, reader, writer, clock),
    )
