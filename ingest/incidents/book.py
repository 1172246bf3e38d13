"""Incidents in `state.db`: what a fact needs to know, and the appending of what was decided."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from ingest.incidents.facts import Case, EventFact, StaffFact, Tick, episode_after
from ingest.incidents.fold import apply
from ingest.incidents.incident import Incident, State, Transition
from ingest.incidents.machine import decide
from ingest.incidents.policy import Policy, policy_for
from ingest.store.engine import UtcDateTime
from ingest.store.state import episode, incident, transition
from linli.events import SEVERITIES, Severity
from linli.ids import uuid7

Order = Literal["urgent", "newest"]
RESOLVED_LAST = len(SEVERITIES)

_INCIDENT = msgspec.json.Decoder(Incident)
_TRANSITION = msgspec.json.Decoder(Transition)
_ENCODER = msgspec.json.Encoder()


# What every fact needs is put together once: building a statement costs more than running it.
_VALUE: sa.BindParameter[str] = sa.bindparam("value")
_OF_NAME: sa.BindParameter[str] = sa.bindparam("of_name")
_BY_ID = sa.select(incident.c.body).where(incident.c.id == _VALUE)
_OF_KEY = sa.select(incident.c.body).where(incident.c.key == _VALUE)
# Written out, not bound: only so does SQLite see that the index of open ones serves it.
_OPEN = _OF_KEY.where(incident.c.state != sa.literal_column("'resolved'"))
_LATEST = _OF_KEY.order_by(incident.c.number.desc()).limit(1)
_LAST_NUMBER = sa.select(sa.func.max(incident.c.number))
# By the rank, so that resolved ones, of which there are more every day, are not even looked at.
_UNRESOLVED = incident.c.urgency < RESOLVED_LAST
_COUNT_UNRESOLVED = sa.select(sa.func.count()).select_from(incident).where(_UNRESOLVED)
_CLEARED = sa.select(incident.c.body).where(
    _UNRESOLVED, incident.c.clears <= sa.bindparam("instant", type_=UtcDateTime)
)
_THIS_EPISODE = sa.and_(episode.c.key == sa.bindparam("of_key"), episode.c.episode == _OF_NAME)
_EPISODE = sa.select(episode.c.incident, episode.c.ended).where(_THIS_EPISODE)
_MOVE_EPISODE = episode.update().where(_THIS_EPISODE)
_NEW_EPISODE = episode.insert()
_OTHERS_ACTIVE = (
    sa.select(episode.c.episode)
    .where(
        episode.c.incident == sa.bindparam("of_incident"),
        episode.c.ended.is_(False),
        episode.c.episode != _OF_NAME,
    )
    .limit(1)
)
_IN_ORDER = transition.select().order_by(transition.c.id)
_HISTORY = _IN_ORDER.where(transition.c.incident == _VALUE)
_AFTER = _IN_ORDER.where(transition.c.id > sa.bindparam("after")).limit(sa.bindparam("most"))
_NEW_INCIDENT = incident.insert()
_MOVE_INCIDENT = incident.update().where(incident.c.id == sa.bindparam("of_id"))
_NEW_TRANSITION = transition.insert()


def take(
    connection: sa.Connection, fact: EventFact, now: datetime
) -> tuple[Incident, tuple[Transition, ...]]:
    """Apply an edge's fact; return the incident after it and the rows it added, numbered."""
    key = str(fact.key)
    owner, ended = _episode(connection, key, fact.episode)
    home = get(connection, owner) if owner and ended else _one(connection, _OPEN, key)
    if home is None:
        home = get(connection, owner) if owner else _one(connection, _LATEST, key)
    known = owner is not None and home is not None and owner == home.id
    may_open = home is None or home.state == "resolved"
    case = Case(
        incident=home,
        episode="ended" if ended else "active" if known else "new",
        others_active=home is not None and _others_active(connection, home.id, fact.episode),
        fresh_id=uuid7(now) if may_open else "",
        fresh_number=_next_number(connection) if may_open else 0,
    )
    after, rows = _decide(connection, case, fact, now, policy_for(fact.key.event))
    assert after is not None
    over = episode_after(case.episode, fact.phase) == "ended"
    if (owner, ended) != (after.id, over):
        _keep_episode(connection, key, fact.episode, after.id, over)
    return after, rows


def step(
    connection: sa.Connection, found: Incident, fact: StaffFact | Tick, now: datetime
) -> tuple[Incident, tuple[Transition, ...]]:
    """Apply a person's step or the passing of time to an incident just read."""
    after, rows = _decide(connection, Case(incident=found), fact, now, policy_for(found.key.event))
    return after or found, rows


def get(connection: sa.Connection, incident_id: str) -> Incident | None:
    """Return one incident, None when there is none."""
    return _one(connection, _BY_ID, incident_id)


def cleared_before(connection: sa.Connection, instant: datetime) -> list[Incident]:
    """Return unresolved incidents whose condition has been clear since `instant` or longer."""
    found = connection.scalars(_CLEARED, {"instant": instant})
    return [_INCIDENT.decode(body) for body in found]


def transitions(connection: sa.Connection, incident_id: str) -> tuple[Transition, ...]:
    """Return the rows of one incident, oldest first."""
    found = connection.execute(_HISTORY, {"value": incident_id})
    return tuple(_numbered(row) for row in found)


def transitions_after(connection: sa.Connection, after: int, limit: int) -> tuple[Transition, ...]:
    """Return rows of all incidents above a number, oldest first."""
    found = connection.execute(_AFTER, {"after": after, "most": limit})
    return tuple(_numbered(row) for row in found)


def last_transition(connection: sa.Connection) -> int:
    """Return the number of the newest row, 0 when there is none."""
    return connection.scalar(sa.select(sa.func.max(transition.c.id))) or 0


def many(connection: sa.Connection, ids: Collection[str]) -> dict[str, Incident]:
    """Return the incidents of these ids that exist."""
    query = sa.select(incident.c.body).where(incident.c.id.in_(ids))
    found = [_INCIDENT.decode(body) for body in connection.scalars(query)]
    return {one.id: one for one in found}


def page(
    connection: sa.Connection,
    *,
    states: Collection[State],
    severities: Collection[Severity],
    device: tuple[str, str] | None,
    order: Order,
    after: tuple[int, int] | None,
    limit: int,
) -> list[Incident]:
    """Return up to `limit` incidents behind `after` (urgency, number) in the given order."""
    query = listing(states=states, severities=severities, device=device, order=order, after=after)
    return [_INCIDENT.decode(body) for body in connection.scalars(query.limit(limit))]


def listing(
    *,
    states: Collection[State],
    severities: Collection[Severity],
    device: tuple[str, str] | None,
    order: Order,
    after: tuple[int, int] | None,
) -> sa.Select[str]:
    """Return the query behind `page`."""
    query = sa.select(incident.c.body)
    if states:
        query = query.where(incident.c.state.in_(states))
        if set(states) == {"resolved"}:
            query = query.where(incident.c.urgency == RESOLVED_LAST)
        elif "resolved" not in states:
            query = query.where(_UNRESOLVED)
    if severities:
        query = query.where(incident.c.severity.in_(severities))
    if device is not None:
        query = query.where(incident.c.node == device[0], incident.c.device == device[1])
    if order == "newest":
        query = query.order_by(incident.c.number.desc())
    else:
        query = query.order_by(incident.c.urgency, incident.c.number.desc())
    if after is not None:
        behind = incident.c.number < after[1]
        if order == "urgent":
            behind = sa.or_(
                incident.c.urgency > after[0],
                sa.and_(incident.c.urgency == after[0], behind),
            )
        query = query.where(behind)
    return query


def counts(connection: sa.Connection) -> tuple[int, int]:
    """Return how many incidents there are, and how many of them are not resolved."""
    # None is ever deleted, so the last number is how many there are.
    return connection.scalar(_LAST_NUMBER) or 0, connection.scalar(_COUNT_UNRESOLVED) or 0


def urgency(one: Incident) -> int:
    """Return the rank of an incident in a list: small is urgent, resolved ones come last."""
    return RESOLVED_LAST if one.state == "resolved" else SEVERITIES.index(one.severity)


def _decide(
    connection: sa.Connection,
    case: Case,
    fact: EventFact | StaffFact | Tick,
    now: datetime,
    policy: Policy,
) -> tuple[Incident | None, tuple[Transition, ...]]:
    rows = decide(case, fact, now, policy)
    after = case.incident
    for row in rows:
        after = apply(None if row.step == "opened" else after, row)
    if not rows or after is None:
        return after, ()
    _keep(connection, after, new=rows[0].step == "opened")
    return after, tuple(_append(connection, rows))


def _keep(connection: sa.Connection, after: Incident, *, new: bool) -> None:
    values = {
        "state": after.state,
        "severity": after.severity,
        "urgency": urgency(after),
        "last": after.last,
        "clears": after.cleared,
        "picture": after.picture.id if after.picture else None,
        "body": _ENCODER.encode(after).decode(),
    }
    if new:
        connection.execute(
            _NEW_INCIDENT,
            {
                "id": after.id,
                "number": after.number,
                "key": str(after.key),
                "node": after.key.node,
                "device": after.key.device,
                **values,
            },
        )
    else:
        connection.execute(_MOVE_INCIDENT, {"of_id": after.id, **values})


def _append(connection: sa.Connection, rows: Iterable[Transition]) -> Iterable[Transition]:
    for row in rows:
        result = connection.execute(
            _NEW_TRANSITION,
            {
                "incident": row.incident,
                "step": row.step,
                "at": row.at,
                "recorded": row.recorded,
                "actor": row.actor,
                "body": _ENCODER.encode(row).decode(),
            },
        )
        assert result.inserted_primary_key is not None
        yield replace(row, id=result.inserted_primary_key[0])


def _numbered(row: sa.Row[Any]) -> Transition:
    return replace(_TRANSITION.decode(row.body), id=row.id)


def _one(connection: sa.Connection, query: sa.Select[str], value: str) -> Incident | None:
    body = connection.scalar(query, {"value": value})
    return None if body is None else _INCIDENT.decode(body)


def _episode(connection: sa.Connection, key: str, name: str) -> tuple[str | None, bool]:
    row = connection.execute(_EPISODE, {"of_key": key, "of_name": name}).first()
    return (None, False) if row is None else (row.incident, row.ended)


def _others_active(connection: sa.Connection, incident_id: str, name: str) -> bool:
    values = {"of_incident": incident_id, "of_name": name}
    return connection.execute(_OTHERS_ACTIVE, values).first() is not None


def _keep_episode(
    connection: sa.Connection, key: str, name: str, incident_id: str, ended: bool
) -> None:
    values = {"incident": incident_id, "ended": ended}
    moved = connection.execute(_MOVE_EPISODE, {"of_key": key, "of_name": name, **values})
    if moved.rowcount == 0:
        connection.execute(_NEW_EPISODE, {"key": key, "episode": name, **values})


def _next_number(connection: sa.Connection) -> int:
    return (connection.scalar(_LAST_NUMBER) or 0) + 1
