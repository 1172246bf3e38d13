"""Channels as administrators see them, and what messages say before anything happened."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, tzinfo
from typing import Literal

import msgspec
import sqlalchemy as sa

from ingest.accounts.account import Viewer
from ingest.incidents import book
from ingest.notify import lately, outbox
from ingest.notify.example import example
from ingest.notify.known import whole
from ingest.notify.lately import Setback
from ingest.notify.message import Language
from ingest.notify.texts import Kind, written
from ingest.notify.wording import Wording
from ingest.notify_settings import Notify
from ingest.refusal import NotThere
from ingest.services.notify import ChannelView, channel_views
from ingest.store.engine import reading


class ChannelState(msgspec.Struct, frozen=True, kw_only=True):
    """One channel: how many notifications ended how, and when its provider last took one or not.

    `origin`: it stands in the settings file, or was written down here and can be changed.
    `last_sent` and `setback` look at the newest 10,000 notifications; None: there is none of it.
    """

    name: str
    type: str
    origin: Literal["file", "here"]
    waiting: int
    sent: int
    dead: int
    rests_until: datetime | None
    last_sent: datetime | None
    setback: Setback | None


class ChannelList(msgspec.Struct, frozen=True, kw_only=True):
    """All channels, at most 32."""

    items: tuple[ChannelState, ...]


class MessageText(msgspec.Struct, frozen=True, kw_only=True):
    """What a message says: its title and the lines below it."""

    title: str
    lines: tuple[str, ...]


class ChannelService:
    """Reads what the notifier has written down; `wording` is what messages speak with."""

    def __init__(
        self, settings: Notify, reader: sa.Engine, *, wording: Wording, site: str, zone: tzinfo
    ) -> None:
        self._settings = settings
        self._reader = reader
        self._wording = wording
        self._site = site
        self._zone = zone

    def list(self, viewer: Viewer) -> ChannelList:
        """Return how channels do. Raises NotAllowed."""
        viewer.require("arrange")
        with reading(self._reader) as connection:
            settings = whole(connection, self._settings)
            views = channel_views(settings, connection, outbox.counts(connection))
            fixed = {one.name for one in self._settings.channels}
            return ChannelList(items=tuple(_state(connection, view, fixed) for view in views))

    def text(
        self,
        viewer: Viewer,
        kind: Kind,
        language: Language,
        now: datetime,
        incident: str | None = None,
    ) -> MessageText:
        """Return what a message of a kind says of an incident, or of an example.

        Raises NotThere, NotAllowed.
        """
        viewer.require("see")
        with reading(self._reader) as connection:
            found = book.get(connection, incident) if incident else example(self._site, now)
            if found is None:
                raise NotThere("no such incident")
            story = self._wording.story(connection, found, language)
        title, lines = written(story, kind, language, now=now, zone=self._zone)
        return MessageText(title=title, lines=lines)


def _state(connection: sa.Connection, view: ChannelView, fixed: Collection[str]) -> ChannelState:
    return ChannelState(
        name=view.name,
        type=view.type,
        origin="file" if view.name in fixed else "here",
        waiting=view.waiting,
        sent=view.sent,
        dead=view.dead,
        rests_until=view.rests_until,
        last_sent=lately.last_sent(connection, view.name),
        setback=lately.last_setback(connection, view.name),
    )
