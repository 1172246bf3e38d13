"""From a row of the outbox to the message: words, link and picture as they are when it is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, tzinfo

import msgspec
import sqlalchemy as sa

from ingest.evidence import book as pictures
from ingest.evidence.shelf import EvidenceStore
from ingest.incidents.incident import Incident
from ingest.notify.message import Language, Message
from ingest.notify.note import CALLS, Note
from ingest.notify.texts import Story, digest, written
from ingest.notify.wording import Links, PlainWording, Wording
from ingest.store.state import evidence
from linli.errors import LinliError, StoreError
from linli.log import get_logger

log = get_logger(__name__)

TEST_KEY = "test"
_KEPT = sa.select(evidence.c.id).where(
    evidence.c.id == sa.bindparam("name"), evidence.c.deleted.is_(None)
)


class Composer:
    """Makes messages; `shelf` holds pictures that are redacted already."""

    def __init__(self, wording: Wording, links: Links, shelf: EvidenceStore, zone: tzinfo) -> None:
        self._wording = wording
        self._links = links
        self._shelf = shelf
        self._zone = zone

    def message(
        self, connection: sa.Connection, note: Note, incident: Incident, now: datetime
    ) -> Message:
        """Return what one owner is told now. Raises StoreError."""
        language: Language = "zh" if note.contact is None else note.contact.language
        story = self._story(connection, incident, language)
        title, lines = written(story, note.kind, language, now=now, zone=self._zone)
        return Message(
            key=note.key,
            title=title,
            lines=lines,
            severity=incident.severity,
            language=language,
            number=incident.number,
            link=self._link(incident, note, now, language),
            asks=note.kind in CALLS,
        )

    def picture(self, connection: sa.Connection, incident: Incident) -> bytes | None:
        """Return the redacted picture, None when there is none (any more)."""
        name = incident.picture.id if incident.picture is not None else None
        if name is None or connection.execute(_KEPT, {"name": name}).first() is None:
            return None
        try:
            return self._shelf.get(name)
        except StoreError as error:
            log.warning("a picture stays out of a message: %s", error)
            return None

    def _story(self, connection: sa.Connection, incident: Incident, language: Language) -> Story:
        """Return the story; in plain ids rather than not at all."""
        try:
            return self._wording.story(connection, incident, language)
        except StoreError:
            raise
        except Exception:
            log.exception("no words for incident %d", incident.number)
            return PlainWording().story(connection, incident, language)

    def _link(
        self, incident: Incident, note: Note, now: datetime, language: Language
    ) -> str | None:
        try:
            return self._links.link_for(incident.id, note.owner, now, language)
        except (LinliError, ValueError) as error:
            log.warning("a message goes without its link: %s", error)
            return None


def together(messages: Sequence[Message]) -> Message:
    """Return one message: the only one, or a digest whose key follows from theirs."""
    if len(messages) == 1:
        return messages[0]
    keys = "|".join(sorted(one.key for one in messages))
    return digest(messages, hashlib.sha256(keys.encode()).hexdigest())


def shown(
    connection: sa.Connection, incident: Incident, channel: str, message: Message, now: datetime
) -> None:
    """Write down that a channel was shown the incident's picture."""
    name = incident.picture.id if incident.picture is not None else None
    if name is not None and message.picture is not None:
        pictures.look(connection, name, f"channel:{channel}", now, "notification")


def trial(language: Language, now: datetime, zone: tzinfo, site: str) -> Message:
    """Return the message of the test button."""
    chinese = language == "zh"
    story = Story(
        number=0,
        severity="low",
        what="这条消息只为试一试通道" if chinese else "Only to try the channel",
        where=site,
        since=now,
    )
    title, lines = written(story, "test", language, now=now, zone=zone)
    moment = f"{TEST_KEY}|{now.isoformat()}"
    key = hashlib.sha256(moment.encode()).hexdigest()
    return Message(key=key, title=title, lines=lines, severity="low", language=language)


def with_picture(message: Message, picture: bytes | None) -> Message:
    """Return it with a picture."""
    return msgspec.structs.replace(message, picture=picture)
