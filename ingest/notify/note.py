"""One notification: who is told of what and why, how it stands, and its key. Pure."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Literal, get_args

import msgspec

from ingest.notify.contact import Contact
from ingest.notify.texts import Kind

NoteState = Literal["waiting", "leased", "sent", "suppressed", "dead"]
STATES: tuple[NoteState, ...] = get_args(NoteState)
CALLS: tuple[Kind, ...] = ("call", "reminder")
ENDS: frozenset[NoteState] = frozenset({"sent", "suppressed", "dead"})


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A message to one owner by one of their contacts; `contacts` are all of theirs, in order.

    `call` is the row of the incident that it is for; `place` says which contact this one uses.
    `reason` says why it was suppressed or is dead. `doubts` counts the times that it was being
    sent when we fell: each may have come twice.
    """

    incident: str
    call: int
    kind: Kind
    owner: str
    created: datetime
    next_at: datetime
    urgency: int
    round: int = 1
    rung: int = 0
    contacts: tuple[Contact, ...] = ()
    place: int = 0
    state: NoteState = "waiting"
    reason: str | None = None
    id: int = 0
    attempts: int = 0
    doubts: int = 0
    lease_until: datetime | None = None
    code: str | None = None
    words: str | None = None
    reference: str | None = None
    ended: datetime | None = None

    @property
    def contact(self) -> Contact | None:
        """The way that it goes; None when there is none."""
        return self.contacts[self.place] if self.place < len(self.contacts) else None

    @property
    def channel(self) -> str:
        """The name of the channel, empty when there is none."""
        return "" if self.contact is None else self.contact.channel

    @property
    def address(self) -> str:
        """The address in the channel, empty when there is none."""
        return "" if self.contact is None else self.contact.address

    @property
    def key(self) -> str:
        """The same for the same message, whoever makes it and how often."""
        parts = (
            *(self.incident, str(self.call), self.kind, str(self.round), str(self.rung)),
            *(self.owner, str(self.place), self.channel, self.address),
        )
        return hashlib.sha256("|".join(parts).encode()).hexdigest()


def fallback(note: Note, now: datetime) -> Note | None:
    """Return the same by the owner's next contact, None when there is none."""
    place = note.place + 1
    if place >= len(note.contacts):
        return None
    return Note(
        incident=note.incident,
        call=note.call,
        kind=note.kind,
        owner=note.owner,
        created=now,
        next_at=now,
        urgency=note.urgency,
        round=note.round,
        rung=note.rung,
        contacts=note.contacts,
        place=place,
    )
