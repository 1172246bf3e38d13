"""The button on a card in a messenger: a tap acknowledges as the member the card was sent to."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Literal

import msgspec
import sqlalchemy as sa

from ingest.accounts.account import Viewer
from ingest.notify import outbox
from ingest.notify.channels import Secrets, callback_of, from_file, wecom_app_of
from ingest.notify.known import whole
from ingest.notify.message import Failed, Language
from ingest.notify.note import CALLS, Note
from ingest.notify.posting import open_client
from ingest.notify.wecom_app import ACKNOWLEDGE
from ingest.notify.wecom_callback import Callback, Seal, Tap, sealed_part, tap_of
from ingest.notify_settings import Notify, WecomAppSettings
from ingest.refusal import NotThere
from ingest.services.incidents import IncidentService
from ingest.services.links import label_of, viewer_of
from ingest.store.cards import card_tap
from ingest.store.engine import insert, reading, writing
from linli.errors import InputError
from linli.log import get_logger

log = get_logger(__name__)

LASTS = timedelta(hours=72)
"""How long the provider lets a card be changed, so that its button can be answered."""
TapOutcome = Literal["taken", "others", "resolved", "ended", "not-theirs", "left", "unknown"]
WORDS: dict[TapOutcome, dict[Language, str]] = {
    "taken": {"zh": "已由我处理", "en": "Mine"},
    "others": {"zh": "已有人处理", "en": "Taken by others"},
    "resolved": {"zh": "已处理完", "en": "Dealt with"},
    "ended": {"zh": "卡片已过期", "en": "Card has ended"},
    "not-theirs": {"zh": "不是发给你的", "en": "Not your card"},
    "left": {"zh": "你已不在名单", "en": "Not on the list"},
    "unknown": {"zh": "没有这条告警", "en": "No such alarm"},
}


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What to put in place of the button that was tapped."""

    channel: str
    member: str
    response: str
    words: str


class TapView(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody tapped a card's button; `recipient` is whom the card was sent to."""

    channel: str
    member: str
    recipient: str
    outcome: TapOutcome
    at: datetime


class CardService:
    """Takes the provider's calls, which nobody else can sign."""

    def __init__(
        self,
        settings: Notify,
        reader: sa.Engine,
        writer: sa.Engine,
        incidents: IncidentService,
        secrets: Secrets = from_file,
    ) -> None:
        """Raises InputError for a secret of the settings file that cannot be used."""
        for one in settings.channels:
            callback_of(one, secrets)
        self._settings = settings
        self._secrets = secrets
        self._reader = reader
        self._writer = writer
        self._incidents = incidents

    def echo(self, channel: str, seal: Seal, sealed: str, now: datetime) -> bytes:
        """Return what the provider wants back to see that we are we.

        Raises NotThere, NotAllowed.
        """
        return self._callback(channel)[1].open(seal, sealed, now)

    def take(self, channel: str, seal: Seal, body: bytes, now: datetime) -> Reply | None:
        """Do what a call asks; the same tap again does nothing. None: there is nothing to show.

        Raises NotThere for a channel without callback, NotAllowed for what is not a fresh call of
        the provider, NotUsable, StoreError.
        """
        app, callback = self._callback(channel)
        tap = tap_of(callback.open(seal, sealed_part(body), now))
        if tap is None or tap.agent != str(app.agent) or tap.button != ACKNOWLEDGE:
            return None
        once = hashlib.sha256(
            f"{channel}|{tap.task}|{tap.member}|{tap.response}".encode()
        ).hexdigest()
        with reading(self._reader) as connection:
            seen = connection.execute(sa.select(card_tap.c.id).where(card_tap.c.once == once))
            if seen.first() is not None:
                return None
            note = outbox.of_key(connection, tap.task)
            outcome = self._refused(connection, channel, tap, note, now)
        if outcome is None:
            assert note is not None
            outcome = self._acknowledge(note, now)
        ours = note is not None and outcome != "unknown"
        row = {
            "once": once,
            "channel": channel,
            "member": tap.member[:64],
            "incident": note.incident if ours and note else None,
            "recipient": note.owner if ours and note else None,
            "outcome": outcome,
            "at": now,
        }
        # After the step, so that a fall between the two takes it twice, which does no more.
        with writing(self._writer) as connection:
            connection.execute(insert(card_tap).values(row).on_conflict_do_nothing())
        language: Language = note.contact.language if note and note.contact else "zh"
        return Reply(
            channel=channel,
            member=tap.member,
            response=tap.response,
            words=WORDS[outcome][language],
        )

    def show(self, reply: Reply, now: datetime) -> bool:
        """Change the card; tell whether the provider took it. What was done stays done."""
        try:
            app, _ = self._callback(reply.channel)
        except NotThere as error:
            log.warning("channel %s: a card stays as it is: %s", reply.channel, error.what)
            return False
        guarded = app not in self._settings.channels
        with open_client(self._settings.allow_networks if guarded else None) as client:
            try:
                sender = wecom_app_of(app, client, self._secrets)
            except InputError as error:
                log.warning("channel %s: a card stays as it is: %s", reply.channel, error.what)
                return False
            outcome = sender.show(reply.member, reply.response, reply.words, now)
        if isinstance(outcome, Failed):
            log.warning(
                "channel %s: a card stays as it is: %s (%s)", app.name, outcome.words, outcome.code
            )
            return False
        return True

    def taps(self, viewer: Viewer, incident: str) -> tuple[TapView, ...]:
        """Return who tapped cards of an incident, oldest first. Raises NotAllowed, NotThere."""
        viewer.require("administer")
        self._incidents.get(viewer, incident)
        of_it = card_tap.c.incident == incident
        query = card_tap.select().where(of_it).order_by(card_tap.c.id).limit(1000)
        with reading(self._reader) as connection:
            return tuple(
                TapView(
                    channel=row.channel,
                    member=row.member,
                    recipient=row.recipient,
                    outcome=row.outcome,
                    at=row.at,
                )
                for row in connection.execute(query)
            )

    def _callback(self, channel: str) -> tuple[WecomAppSettings, Callback]:
        with reading(self._reader) as connection:
            known = whole(connection, self._settings).channels
        for one in known:
            if one.name == channel and isinstance(one, WecomAppSettings):
                try:
                    callback = callback_of(one, self._secrets)
                except InputError as error:  # who calls may be anybody: nothing of it is for them
                    log.warning("channel %s: a call cannot be opened: %s", one.name, error)
                    break
                if callback is not None:
                    return one, callback
        raise NotThere("no such channel with a callback")

    def _refused(
        self,
        connection: sa.Connection,
        channel: str,
        tap: Tap,
        note: Note | None,
        now: datetime,
    ) -> TapOutcome | None:
        """Return why a tap does nothing, None when it may."""
        if note is None or note.channel != channel or note.kind not in CALLS:
            return "unknown"
        if note.address.casefold() != tap.member.casefold():
            return "not-theirs"
        if now - (note.ended or note.created) >= LASTS:
            return "ended"
        return "left" if label_of(connection, note.owner) is None else None

    def _acknowledge(self, note: Note, now: datetime) -> TapOutcome:
        viewer = viewer_of(note.owner)
        if self._incidents.get(viewer, note.incident).state == "resolved":
            return "resolved"
        incident = self._incidents.acknowledge(viewer, note.incident, now)
        return "taken" if incident.acknowledged_by == viewer.actor else "others"
