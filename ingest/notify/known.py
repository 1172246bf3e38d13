"""The channels that hold now: those of the settings file, then those that people wrote down."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from ingest.duty import book
from ingest.duty.book import Paper
from ingest.notify_settings import AnyChannel, Notify

MOST = 32


def whole(connection: sa.Connection, settings: Notify) -> Notify:
    """Return settings with all channels. Raises StoreError."""
    found = (channel_of_paper(one) for one in papers(connection, settings))
    return msgspec.structs.replace(
        settings, channels=(*settings.channels, *(one for one in found if one is not None))
    )


def papers(connection: sa.Connection, settings: Notify) -> list[Paper]:
    """Return what is written down of channels; one of the file goes before one of its name."""
    taken = {one.name for one in settings.channels}
    return [one for one in book.some(connection, "channel") if one.name not in taken]


def channel_of_paper(paper: Paper) -> AnyChannel | None:
    """Return the channel that a document says; None for one of another version of Linli."""
    try:
        found: AnyChannel = msgspec.json.decode(paper.body or "", type=AnyChannel)
    except msgspec.ValidationError:
        return None
    return found
