"""Who was told of what, how channels do, and a message to try one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Literal

import msgspec
import sqlalchemy as sa

from ingest.accounts.account import Viewer
from ingest.audit import book as log
from ingest.notify import audit, outbox
from ingest.notify.channels import Secrets, channel_of, from_file
from ingest.notify.compose import trial
from ingest.notify.known import whole
from ingest.notify.message import Failed, Language
from ingest.notify.note import Note, NoteState
from ingest.notify.posting import open_client
from ingest.notify.push_desk import PushDesk
from ingest.notify.texts import Kind
from ingest.notify_settings import AnyChannel, Notify
from ingest.refusal import NotThere, NotUsable
from ingest.store.engine import reading, writing
from linli.errors import InputError

NotifyState = Literal["off", "new", "ok", "trouble"]
WORDS: dict[NotifyState, str] = {
    "off": "no channel is set: nobody is told",
    "new": "not started yet",
    "ok": "",
    "trouble": "",
}
MOST = 500
SEEN_LATELY = timedelta(minutes=5)


class NoteView(msgspec.Struct, frozen=True, kw_only=True):
    """One notification; `address` is shown to administrators only, it may be a secret.

    `reason` says why it was suppressed or is dead, `code` and `words` what the provider said last.
    Each of `doubts` is a time that it may have come twice.
    """

    id: int
    key: str
    incident: str
    kind: Kind
    round: int
    rung: int
    owner: str
    channel: str
    address: str | None
    state: NoteState
    reason: str | None
    attempts: int
    doubts: int
    created: datetime
    next_at: datetime
    ended: datetime | None
    code: str | None
    words: str | None
    reference: str | None


class NoteList(msgspec.Struct, frozen=True, kw_only=True):
    """Notifications, newest first; `next` is the cursor of what follows."""

    items: tuple[NoteView, ...]
    next: int | None = None


class ChannelView(msgspec.Struct, frozen=True, kw_only=True):
    """One channel: what came of its notifications, and until when its provider wants it to rest."""

    name: str
    type: str
    waiting: int
    sent: int
    suppressed: int
    dead: int
    doubts: int
    rests_until: datetime | None = None


class NotifyView(msgspec.Struct, frozen=True, kw_only=True):
    """How telling people does. `off`: nobody is told; `trouble`: `words` say what.

    `created` is waiting + sent + suppressed + dead. `overdue` should have gone five minutes before
    the last audit; `requeued` were left by one that fell.
    """

    state: NotifyState
    words: str
    created: int
    waiting: int
    sent: int
    suppressed: dict[str, int]
    dead: dict[str, int]
    doubts: int
    channels: tuple[ChannelView, ...]
    overdue: int = 0
    requeued: int = 0
    audited: datetime | None = None
    pinged: datetime | None = None


class TrialResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a test message; `code` and `words` are the provider's when it was not taken."""

    sent: bool
    reference: str | None = None
    code: str | None = None
    words: str | None = None


class NotifyService:
    """Reads what the notifier has written down; a test goes straight to the provider.

    Without a `writer`, at a command line before any ingest has run, tests are not written down.
    """

    def __init__(
        self,
        settings: Notify,
        reader: sa.Engine,
        *,
        site: str,
        zone: tzinfo,
        writer: sa.Engine | None = None,
        push: PushDesk | None = None,
        secrets: Secrets = from_file,
    ) -> None:
        self._push = push
        self._secrets = secrets
        self._settings = settings
        self._reader = reader
        self._writer = writer
        self._site = site
        self._zone = zone

    def status(self, viewer: Viewer, now: datetime) -> NotifyView:
        """Return how it does. Raises NotAllowed."""
        viewer.require("see")
        with reading(self._reader) as connection:
            return status(self._settings, connection, now)

    def list(
        self,
        viewer: Viewer,
        *,
        incident: str | None = None,
        state: NoteState | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> NoteList:
        """Return notifications, newest first. Raises NotAllowed."""
        viewer.require("see")
        with reading(self._reader) as connection:
            found = outbox.notes(
                connection, incident=incident, state=state, before=before, limit=limit + 1
            )
        items = tuple(view_of(one, secret=not viewer.may("administer")) for one in found[:limit])
        return NoteList(items=items, next=items[-1].id if len(found) > limit else None)

    def get(self, viewer: Viewer, number: int) -> NoteView:
        """Return one. Raises NotThere, NotAllowed."""
        viewer.require("see")
        with reading(self._reader) as connection:
            found = outbox.get(connection, number)
        if found is None:
            raise NotThere("no such notification")
        return view_of(found, secret=not viewer.may("administer"))

    def test(
        self,
        viewer: Viewer,
        channel: str,
        address: str,
        language: Language,
        now: datetime,
        *,
        owner: str = "",
    ) -> TrialResult:
        """Send a test message now; the audit log says who did, and to which `owner`.

        Raises NotThere, NotAllowed, NotUsable for a bad secret.
        """
        viewer.require("arrange")
        one = next((one for one in self._channels() if one.name == channel), None)
        if one is None:
            raise NotThere(f"no channel {channel!r}")
        networks = self._settings.allow_networks
        message = trial(language, now, self._zone, self._site)
        guarded = one not in self._settings.channels
        with open_client(networks if guarded else None) as client:
            try:
                sender = channel_of(
                    one, client, networks, self._push, self._secrets, guarded=guarded
                )
            except InputError as error:
                raise NotUsable(f"channel {channel!r}: {error.what}") from error
            outcome = sender.send(message, address, now)
        if self._writer is not None:
            subject, taken = f"{channel} {owner}".strip(), not isinstance(outcome, Failed)
            with writing(self._writer) as connection:
                log.note(connection, now, viewer.actor, "message-tried", subject, taken=taken)
        if isinstance(outcome, Failed):
            return TrialResult(sent=False, code=outcome.code, words=outcome.words)
        return TrialResult(sent=True, reference=outcome.reference)

    def _channels(self) -> Sequence[AnyChannel]:
        if self._writer is None:
            return self._settings.channels
        with reading(self._reader) as connection:
            return whole(connection, self._settings).channels


def status(settings: Notify, connection: sa.Connection, now: datetime) -> NotifyView:
    """Return how it does, from what stands on disk alone. Raises StoreError."""
    settings = whole(connection, settings)
    counts, found = outbox.counts(connection), audit.get(connection)
    words = "" if found is None else found.words or _unseen(found, now)
    state: NotifyState = "new" if found is None else "trouble" if words else "ok"
    if not settings.channels:
        state = "off"
    words = words if state == "trouble" else WORDS[state]
    seen = found or audit.Audit()
    return NotifyView(
        state=state,
        words=words,
        created=sum(one.number for one in counts),
        waiting=_sum(counts, "waiting") + _sum(counts, "leased"),
        sent=_sum(counts, "sent"),
        suppressed=_reasons(counts, "suppressed"),
        dead=_reasons(counts, "dead"),
        doubts=sum(one.doubts for one in counts),
        channels=channel_views(settings, connection, counts),
        overdue=seen.overdue,
        requeued=seen.requeued,
        audited=seen.audited,
        pinged=seen.pinged,
    )


def channel_views(
    settings: Notify, connection: sa.Connection, counts: Sequence[outbox.Count]
) -> tuple[ChannelView, ...]:
    """Return how each channel of these settings does."""
    rests = audit.resting(connection)
    return tuple(
        _channel(one, [count for count in counts if count.channel == one.name], rests)
        for one in settings.channels
    )


def _unseen(found: audit.Audit, now: datetime) -> str:
    """Return what is wrong when what stands on disk is old: then it says nothing of now."""
    if found.audited is None or now - found.audited <= SEEN_LATELY:
        return ""
    return f"nobody looked since {found.audited:%Y-%m-%d %H:%M} UTC: does the ingest run?"


def view_of(note: Note, *, secret: bool) -> NoteView:
    """Return it as people see it."""
    return NoteView(
        id=note.id,
        key=note.key,
        incident=note.incident,
        kind=note.kind,
        round=note.round,
        rung=note.rung,
        owner=note.owner,
        channel=note.channel,
        address=None if secret else note.address,
        state=note.state,
        reason=note.reason,
        attempts=note.attempts,
        doubts=note.doubts,
        created=note.created,
        next_at=note.next_at,
        ended=note.ended,
        code=note.code,
        words=note.words,
        reference=note.reference,
    )


def _channel(
    one: AnyChannel, counts: list[outbox.Count], rests: dict[str, datetime]
) -> ChannelView:
    return ChannelView(
        name=one.name,
        type=str(one.__struct_config__.tag),
        waiting=_sum(counts, "waiting") + _sum(counts, "leased"),
        sent=_sum(counts, "sent"),
        suppressed=_sum(counts, "suppressed"),
        dead=_sum(counts, "dead"),
        doubts=sum(count.doubts for count in counts),
        rests_until=rests.get(one.name),
    )


def _sum(counts: list[outbox.Count], state: NoteState) -> int:
    return sum(one.number for one in counts if one.state == state)


def _reasons(counts: list[outbox.Count], state: NoteState) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in counts:
        if one.state == state and one.reason is not None:
            found[one.reason] = found.get(one.reason, 0) + one.number
    return found
