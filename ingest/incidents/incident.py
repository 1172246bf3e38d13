"""An incident and its transitions: frozen values. `fold` makes one from the others."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from ingest.incidents.policy import Policy
from linli.events import Action, ModelRef, Redaction, Severity

State = Literal["open", "acknowledged", "in-progress", "resolved"]
Label = Literal["true-alarm", "false-alarm", "drill"]
Bond = Literal["parent", "storm"]
"""Why an incident is part of another: its cause is behind it, or too many came at once."""
Aside = Literal["shelved", "part"]
"""Why an unresolved incident does not stand in the list by itself."""
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
    "resumed",  # a person took it up again after it was resolved
    "labelled",
    "shelved",  # nobody is called until a moment: a person said so, or a silence does
    "unshelved",
    "joined",  # it is part of another incident from now on
    "left",  # it stands by itself again
    "gathered",  # another incident became part of this one
    "released",  # another incident is part of this one no more
    "waited",  # the time in which its end or its cause might have come is over
    "reminded",  # seen, but not resolved for long
    "unacknowledged",  # seen, and not resolved for so long that it counts as unseen
    "noted",  # a person wrote something down, or added a photograph
    "undone",  # a person took back their own step of a moment ago
]
Page = Literal["call", "tell", "hold"]
"""call: someone must come; tell: who was called should know; hold: would be a call, but is not."""
Why = Literal[
    # of a call
    "new",
    "again",
    "worse",
    "waited",
    "silence-over",
    "stands-alone",
    "unanswered",
    "taken-back",
    "reminder",
    # of telling
    "seen",
    "ended",
    "resolved",
    # of holding back
    "late",
    "over",
    "shelved",
    "part",
    "storm",
    "waiting",
    "drill",
]
DRILL = "drill:"
"""How the zone of a drill's key begins; no id of an edge can."""


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """What makes two episodes the same incident."""

    site: str
    node: str
    device: str
    event: str
    zone: str | None = None

    @property
    def drill(self) -> bool:
        """Whether it was made up for practice: nothing happened there."""
        return self.zone is not None and self.zone.startswith(DRILL)

    def __str__(self) -> str:
        return "/".join((self.site, self.node, self.device, self.event, self.zone or "-"))


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """Where the evidence of an incident is; no id when the edge withheld it."""

    redaction: Redaction
    id: str | None = None
    bbox: tuple[float, float, float, float] | None = None


class Standing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What people's steps move in an incident, so that a step can be taken back."""

    state: State
    acknowledged: datetime | None = None
    acknowledged_by: str | None = None
    reminded: datetime | None = None
    resolved: datetime | None = None
    resolved_by: str | None = None
    label: Label | None = None
    shelved_until: datetime | None = None
    shelved_by: str | None = None


class Transition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One append-only row of an incident's life.

    `at` is when it happened. `recorded` is when we had it: an edge's fact when it was received, a
    person's step when it was made. `actor` is `rule:…`, `user:…` or `silence:…`. `page` says
    whether people are to be called or told, and `why`; without it this row is no reason to.
    The other optional fields are what this step sets; `number`, `key`, `area` and `subject` are set
    once, by `opened`. `since` is when the episode began. `until` is the end of what the step
    begins: waiting (opened, reopened), a shelf (shelved), a bond (joined), a storm (gathered).
    `photo` is what a person added, `undoes` the first row of the step that was taken back and
    `back` how it stood before that.
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
    policy: Policy | None = None
    title: str | None = None
    until: datetime | None = None
    part_of: str | None = None
    bond: Bond | None = None
    member: str | None = None
    page: Page | None = None
    why: Why | None = None
    photo: str | None = None
    undoes: int | None = None
    back: Standing | None = None


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """What people work on; `number` is the short one they say to each other.

    `first` and `last` are event times over all its episodes, `opened` and `updated` are when we
    had them. `severity` is the worst so far. `late`: it was old when it was first heard of. `rule`
    is what raised it or made it worse, `title` what that rule calls it. `part_of` is the incident
    that it is attached to, `parts` how many are attached to this one. `owed`: people should be
    called and were not yet, whether or not something holds the call back; `called` is when they
    last were, for this one or for the storm it came in.
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
    rule: str = "rule:edge"
    title: str | None = None
    policy: Policy = Policy()
    shelved_until: datetime | None = None
    shelved_by: str | None = None
    part_of: str | None = None
    bond: Bond | None = None
    part_until: datetime | None = None
    parts: int = 0
    lapses: datetime | None = None
    owed: bool = False
    waits_until: datetime | None = None
    called: datetime | None = None
    reminded: datetime | None = None
    version: int = 0

    @property
    def aside(self) -> Aside | None:
        """Why it does not stand in the list by itself; None when it does."""
        if self.state == "resolved":
            return None
        if self.shelved_until is not None:
            return "shelved"
        return "part" if self.part_of is not None else None

    @property
    def exempt(self) -> bool:
        """Whether no storm holds back a call for it, and it makes none: safety kinds and drills."""
        return self.policy.safety or self.key.drill
