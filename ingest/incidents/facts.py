"""What can happen to an incident: a fact of an edge or rule, a person's step, time, its group."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from ingest.incidents.incident import Bond, Incident, Key, Label, Picture, Standing
from ingest.incidents.policy import Policy
from ingest.incidents.silence import Cover
from linli.clock import clamped
from linli.events import Action, EventMessage, ModelRef, Phase, Severity
from linli.topics import Topic

RULE_EDGE = "rule:edge"
EpisodeState = Literal["new", "active", "ended"]
Wish = Literal[
    "acknowledge", "start", "resolve", "resume", "label", "shelve", "unshelve", "note", "undo"
]


class EventFact(msgspec.Struct, frozen=True, kw_only=True):
    """One phase of one happening, as an edge or a rule told it.

    `at` is its time by our own clock; `since`, when its episode began, is never after it. `heard`
    is when it began to count: when it was received, or later where its device was unknown then.
    `actor` is the rule that says so and `note` why, `title` what it is called where the event's
    name does not say, `policy` what becomes of an incident that it opens or makes worse.
    """

    key: Key
    area: str
    subject: str | None
    event_id: str
    phase: Phase
    episode: str
    severity: Severity
    object_label: str
    since: datetime
    at: datetime
    heard: datetime
    confidence: float | None = None
    dwell: float | None = None
    model: ModelRef | None = None
    actions: tuple[Action, ...] = ()
    picture: Picture | None = None
    actor: str = RULE_EDGE
    note: str | None = None
    title: str | None = None
    policy: Policy = Policy()

    @property
    def delay(self) -> timedelta:
        """How long after it happened it was heard of."""
        return self.heard - self.at


class StaffFact(msgspec.Struct, frozen=True, kw_only=True):
    """A person's step; `actor` is `user:…`.

    `label` and `until` belong to label and shelve, `photo` to note, `undoes` and `back` to undo.
    """

    wish: Wish
    actor: str
    note: str | None = None
    label: Label | None = None
    until: datetime | None = None
    photo: str | None = None
    undoes: int | None = None
    back: Standing | None = None


class Tick(msgspec.Struct, frozen=True, kw_only=True):
    """Time has passed."""


class Retired(msgspec.Struct, frozen=True, kw_only=True):
    """The device is in use no more: nobody will say that it is over there."""


class Recheck(msgspec.Struct, frozen=True, kw_only=True):
    """The silences that cover it may have changed; `actor` is who changed them."""

    actor: str


class PartFact(msgspec.Struct, frozen=True, kw_only=True):
    """It is part of another incident, until a moment if there is one; None: it is no more."""

    part_of: str | None
    bond: Bond
    until: datetime | None = None


class MemberFact(msgspec.Struct, frozen=True, kw_only=True):
    """Another incident became part of it, is no more, or got worse as a part of it.

    Of a storm, `severity` is that of the member, and `lapses` when the storm is over if nothing
    else comes.
    """

    member: str
    change: Literal["joined", "left", "worse"]
    severity: Severity | None = None
    lapses: datetime | None = None


Fact = EventFact | StaffFact | Tick | Retired | Recheck | PartFact | MemberFact


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """What is known when a fact comes.

    `incident` is the one that the fact's episode ended in; else the unresolved one of its key; else
    the one its episode belongs to; else the latest of the key. `episode` says what is known of the
    fact's episode, `others_active` whether another episode of the incident still goes on.
    `fresh_id` and `fresh_number` are for an incident that this fact may open. `covers` are the
    silences of now, `storm` the incident that gathers what would be a call now.
    """

    incident: Incident | None = None
    episode: EpisodeState = "new"
    others_active: bool = False
    fresh_id: str = ""
    fresh_number: int = 0
    covers: tuple[Cover, ...] = ()
    storm: str | None = None


def episode_after(state: EpisodeState, phase: Phase) -> EpisodeState:
    """Return what is known of an episode after a fact; an end is final."""
    return "ended" if phase == "end" or state == "ended" else "active"


def event_fact(
    topic: Topic, message: EventMessage, heard: datetime, offset: timedelta
) -> EventFact:
    """Return the fact that a stored message tells; `offset` puts its times on our own clock."""
    data = message.data
    at = clamped(clamped(message.time) + offset)
    return EventFact(
        key=Key(
            site=topic.site, node=topic.node, device=topic.device, event=topic.name, zone=data.zone
        ),
        area=topic.area,
        subject=message.subject,
        event_id=message.id,
        phase=data.phase,
        episode=data.episode,
        severity=data.severity,
        object_label=data.label,
        since=min(clamped(clamped(data.since) + offset), at),
        at=at,
        heard=heard,
        confidence=data.confidence,
        dwell=data.dwell,
        model=data.model,
        actions=data.action,
        picture=_picture(message),
    )


def _picture(message: EventMessage) -> Picture | None:
    snapshot, track = message.data.snapshot, message.data.track
    if snapshot is None:
        return None
    return Picture(redaction=snapshot.redaction, id=snapshot.id, bbox=track.bbox if track else None)
