"""Who would be told of an incident, and when, as everything is written down now."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Literal

import msgspec
import sqlalchemy as sa

from ingest.accounts.account import Viewer
from ingest.incidents import book as incidents
from ingest.notify import climbs
from ingest.notify.cue import still_called_for
from ingest.notify.escalation import Audience, Climb, begin
from ingest.notify.foresee import Step, foresee
from ingest.notify.plans import StoredPlans, matter_of
from ingest.notify.routes import Matter
from ingest.notify_settings import Notify
from ingest.services.incidents import seen_by
from ingest.store.engine import reading


class ReachedView(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who would be told, by their first contact; the address for administrators only.

    `at` is later than the rung's while they are quiet.
    """

    owner: str
    channel: str
    address: str | None
    at: datetime


class MissingView(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who should be told and could not be, and why."""

    owner: str
    why: str


class RungView(msgspec.Struct, frozen=True, kw_only=True):
    """One rung: when, whom. `skipped`: it is for worse incidents, or for other hours."""

    rung: int
    at: datetime
    who: Audience
    skipped: Literal["severity", "hours"] | None
    reached: tuple[ReachedView, ...]
    missing: tuple[MissingView, ...]


class Foresight(msgspec.Struct, frozen=True, kw_only=True):
    """Who would be told while nobody acts: the rungs to come of this round.

    `team` is null when no route fits: nobody would be told. `under_way`: it goes on by the ladder
    that was frozen when the call began; otherwise it begins now. `calls` is false for an incident
    that calls nobody at present: it is seen, shelved, over or resolved.
    """

    team: str | None
    ladder: str | None
    rounds: int
    under_way: bool
    calls: bool
    rungs: tuple[RungView, ...]


SHOWN: tuple[type, ...] = (Foresight,)
"""What the API answers with."""
_NOBODY = Foresight(team=None, ladder=None, rounds=0, under_way=False, calls=True, rungs=())


class ForesightService:
    """Lets the engine run ahead on what is written down."""

    def __init__(self, reader: sa.Engine, notify: Notify, zone: tzinfo) -> None:
        self._reader = reader
        self._notify = notify
        self._zone = zone

    def of_incident(self, viewer: Viewer, incident: str, now: datetime) -> Foresight:
        """Return who would be told of an incident. Raises NotThere, NotAllowed."""
        viewer.within("act")
        with reading(self._reader) as connection:
            found = seen_by(viewer, incidents.get(connection, incident))
            known = climbs.get(connection, incident)
            if known is not None and known[1].due is not None:
                team, climb = known
                made = self._made(connection, viewer, team, None, climb)
                made = msgspec.structs.replace(made, under_way=True)
            else:
                made = self._anew(connection, viewer, matter_of(found), now)
        return msgspec.structs.replace(made, calls=still_called_for(found, "call"))

    def of_matter(self, viewer: Viewer, matter: Matter, now: datetime) -> Foresight:
        """Return who would be told of such an incident if it began now. Raises NotAllowed."""
        viewer.require("act")
        with reading(self._reader) as connection:
            return self._anew(connection, viewer, matter, now)

    def _anew(
        self, connection: sa.Connection, viewer: Viewer, matter: Matter, now: datetime
    ) -> Foresight:
        plan = StoredPlans(self._zone).route(connection, matter)
        if plan is None:
            return _NOBODY
        climb = begin("", 0, plan.ladder, matter.severity, now)
        return self._made(connection, viewer, plan.team, plan.name, climb)

    def _made(
        self, connection: sa.Connection, viewer: Viewer, team: str, ladder: str | None, climb: Climb
    ) -> Foresight:
        directory = StoredPlans(self._zone).directory(connection)
        steps = foresee(climb, team, directory, self._notify.business, self._zone)
        secret = not viewer.may("administer")
        return Foresight(
            team=team,
            ladder=ladder,
            rounds=climb.ladder.rounds,
            under_way=False,
            calls=True,
            rungs=tuple(_rung(one, secret=secret) for one in steps),
        )


def _rung(step: Step, *, secret: bool) -> RungView:
    return RungView(
        rung=step.told.rung,
        at=step.at,
        who=step.told.who,
        skipped=step.told.skipped,
        reached=tuple(
            ReachedView(
                owner=f"{one.owner_type}:{one.owner}",
                channel=one.contacts[0].channel,
                address=None if secret else one.contacts[0].address,
                at=one.not_before or step.at,
            )
            for one in step.reached
        ),
        missing=tuple(MissingView(owner=one.owner, why=one.why) for one in step.missing),
    )
