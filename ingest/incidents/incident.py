"""An incident and its transitions: frozen values, and the fold that makes one from the others."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from linli.events import Action, ModelRef, Redaction, Severity

State = Literal["open", "acknowledged", "in-progress", "resolved"]
Label = Literal["true-alarm", "false-alarm", "drill"]
Step = Literal[
    "opened",  # a fact made the incident
    "repeated",  # another episode of the same key while it is not resolved
    "reopened",  # the same key again within the flap window after resolving
    "updated",  # the same episode goes on: newer or stronger figures
    "worsened",  # severity rose: un-acknowledges
    "pictured",  # a picture became known
    "cleared",  # the condition ended
    "recurred",  # the condition is active again
    "acknowledged",
    "started",
    "resolved",
    "labelled",
]


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """What makes two episodes the same incident."""

    site: str
    node: str
    device: str
    event: str
    zone: str | None = None

    def __str__(self) -> str:
        return "/".join((self.site, self.node, self.device, self.event, self.zone or "-"))


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """Where the evidence of an incident is; no id when the edge withheld it."""

    redaction: Redaction
    id: str | None = None
    bbox: tuple[float, float, float, float] | None = None


class Transition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One append-only row of an incident's life.

    `at` is when it happened, `recorded` when the ingest wrote it; `actor` is `rule:…` or `user:…`.
    The optional fields are what this step sets; `number`, `key`, `area` and `subject` are set once,
    by `opened`. `since` is when the episode began.
    """

    incident: str
    step: Step
    at: datetime
    recorded: datetime
    actor: str
    id: int = 0
    note: str | None = None
    event_id: str | None = None
    episode: str | None = None
    severity: Severity | None = None
    label: Label | None = None
    object_label: str | None = None
    confidence: float | None = None
    dwell: float | None = None
    model: ModelRef | None = None
    actions: tuple[Action, ...] = ()
    picture: Picture | None = None
    late: bool = False
    since: datetime | None = None
    number: int = 0
    key: Key | None = None
    area: str = ""
    subject: str | None = None


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """What people work on; `number` is the short one they say to each other.

    `first` and `last` are event times over all its episodes, `opened` and `updated` are when the
    ingest wrote it down. `late`: it was over five minutes old when it was first heard of.
    """

    id: str
    number: int
    key: Key
    area: str
    subject: str | None
    state: State
    condition_active: bool
    severity: Severity
    object_label: str
    count: int
    opened: datetime
    first: datetime
    last: datetime
    updated: datetime
    cleared: datetime | None = None
    acknowledged: datetime | None = None
    acknowledged_by: str | None = None
    resolved: datetime | None = None
    resolved_by: str | None = None
    label: Label | None = None
    confidence: float | None = None
    dwell: float | None = None
    model: ModelRef | None = None
    actions: tuple[Action, ...] = ()
    picture: Picture | None = None
    pictured: datetime | None = None
    late: bool = False
    version: int = 0
