"""Incidents in `state.db`: what a fact needs to know, and the keeping of what was decided.

What is about to be changed is read with `FOR UPDATE` and made with `ON CONFLICT`, so that any
number of writers of one key make one incident. SQLite, whose writers queue, needs no `FOR UPDATE`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from ingest.incidents.cause import thing_of
from ingest.incidents.incident import Incident, Transition
from ingest.incidents.passing import due
from ingest.store.engine import UtcDateTime, insert
from ingest.store.incidents import RESOLVED_LAST, UNRESOLVED, episode, incident, transition
from ingest.store.prepared import Prepared
from ingest.store.registry import RETIRED, device, node
from linli.errors import StoreError
from linli.events import SEVERITIES

_OPENS_AGAIN = {"reopened", "resumed", "undone"}

_INCIDENT = msgspec.json.Decoder(Incident)
_TRANSITION = msgspec.json.Decoder(Transition)
_ENCODER = msgspec.json.Encoder()

_VALUE: sa.BindParameter[str] = sa.bindparam("value")
_OF_NAME: sa.BindParameter[str] = sa.bindparam("of_name")
_INSTANT = sa.bindparam("instant", type_=UtcDateTime)
_OF_ID = sa.select(incident.c.body).where(incident.c.id == _VALUE)
_OF_KEY = sa.select(incident.c.body).where(incident.c.key == _VALUE)
# Written out, not bound: only so does SQLite see that the index of open ones serves it.
_IS_OPEN = incident.c.state != sa.literal_column("'resolved'")
_BY_ID = Prepared(_OF_ID)
_OPEN = Prepared(_OF_KEY.where(_IS_OPEN).with_for_update())
_LATEST = Prepared(_OF_KEY.order_by(incident.c.number.desc()).limit(1).with_for_update())
_LOCK = Prepared(_OF_ID.with_for_update())
_LAST_NUMBER = Prepared(sa.select(sa.func.max(incident.c.number)))
# By the rank, so that resolved ones, of which there are more every day, are not even looked at.
_NEXT_DUE = Prepared(
    sa.select(incident.c.id)
    .where(incident.c.due <= _INSTANT)
    .order_by(incident.c.due, incident.c.number)
    .limit(1)
)
_PARTS = sa.select(incident.c.id).where(incident.c.part_of == _VALUE).order_by(incident.c.number)
_OUTAGES = (
    sa.select(incident.c.id, incident.c.node, incident.c.device, incident.c.clears)
    .where(UNRESOLVED, incident.c.outage.is_(True))
    .order_by(incident.c.number)
)
_LOADS = (
    sa.select(incident.c.id, incident.c.load)
    .where(incident.c.site == _VALUE, incident.c.load <= _INSTANT)
    .order_by(incident.c.load.desc())
    .limit(sa.bindparam("most"))
)
_THIS_EPISODE = sa.and_(episode.c.key == sa.bindparam("of_key"), episode.c.episode == _OF_NAME)
_EPISODE = Prepared(sa.select(episode.c.incident, episode.c.ended).where(_THIS_EPISODE))
_OTHERS_ACTIVE = Prepared(
    sa.select(episode.c.episode)
    .where(
        episode.c.incident == sa.bindparam("of_incident"),
        episode.c.ended.is_(False),
        episode.c.episode != _OF_NAME,
    )
    .limit(1)
)
_STILL = (
    sa.select(incident.c.id)
    .where(UNRESOLVED, incident.c.clears.is_(None))
    .order_by(incident.c.number)
)
_GONE = sa.or_(
    sa.exists().where(
        device.c.node == incident.c.node,
        device.c.device == incident.c.device,
        device.c.standing == RETIRED,
    ),
    sa.exists().where(node.c.node == incident.c.node, node.c.standing == RETIRED),
)
_END_EPISODES = episode.update().where(episode.c.incident == _VALUE).values(ended=True)
_IN_ORDER = transition.select().order_by(transition.c.id)
_LATER = transition.c.id > sa.bindparam("after")
_AFTER = _IN_ORDER.where(_LATER).limit(sa.bindparam("most"))
_NEWEST = (
    transition.select()
    .where(transition.c.incident == _VALUE)
    .order_by(transition.c.id.desc())
    .limit(sa.bindparam("most"))
)
_PART = _IN_ORDER.where(transition.c.incident == _VALUE, _LATER).limit(sa.bindparam("most"))
_OF_THIS = incident.update().where(incident.c.id == sa.bindparam("of_id"))
_REST = _OF_THIS.values(due=None)
_MOVES: tuple[str, ...] = (
    *("state", "severity", "urgency", "last", "clears", "picture", "label", "outage"),
    *("aside", "part_of", "due", "area", "load", "body"),
)
_MOVE_INCIDENT = Prepared(_OF_THIS, _MOVES)
_NEW_TRANSITION = Prepared(
    transition.insert().returning(transition.c.id),
    ("incident", "step", "at", "recorded", "actor", "body"),
)

# Without a target: the number may be taken as well as the key.
_NEW_INCIDENT = Prepared(
    insert(incident).on_conflict_do_nothing().returning(incident.c.id),
    ("id", "number", "key", "node", "device", "site", "event", *_MOVES),
)
_AN_EPISODE = insert(episode)
_PUT_EPISODE = Prepared(
    _AN_EPISODE.on_conflict_do_update(
        index_elements=[episode.c.key, episode.c.episode],
        set_={
            "incident": _AN_EPISODE.excluded.incident,
            "ended": sa.or_(episode.c.ended, _AN_EPISODE.excluded.ended),
        },
    ),
    ("key", "episode", "incident", "ended"),
)


def get(connection: sa.Connection, incident_id: str) -> Incident | None:
    """Return one incident, None when there is none."""
    return _one(connection, _BY_ID, incident_id)


def lock(connection: sa.Connection, incident_id: str) -> Incident | None:
    """Return one incident that nobody else changes before this transaction ends."""
    return _one(connection, _LOCK, incident_id)


def lock_open(connection: sa.Connection, key: str) -> Incident | None:
    """Return the unresolved incident of a key, likewise; None when there is none."""
    return _one(connection, _OPEN, key)


def latest(connection: sa.Connection, key: str) -> Incident | None:
    """Return the newest incident of a key, likewise; None when there is none."""
    return _one(connection, _LATEST, key)


def next_number(connection: sa.Connection) -> int:
    """Return the number of the next incident; another writer may take it first."""
    found = _LAST_NUMBER.first(connection, {})
    return ((found and found[0]) or 0) + 1


def keep(
    connection: sa.Connection, after: Incident, rows: Collection[Transition]
) -> tuple[Transition, ...] | None:
    """Keep rows and the incident they make; return them numbered.

    None, and nothing is kept, when another writer has opened one of this key meanwhile.
    """
    steps = {row.step for row in rows}
    if "opened" in steps:
        fixed = {"id": after.id, "number": after.number, "key": str(after.key)}
        fixed |= {"node": after.key.node, "device": after.key.device}
        fixed |= {"site": after.key.site, "event": after.key.event}
        if _NEW_INCIDENT.first(connection, fixed | _columns(after)) is None:
            return None
    elif steps & _OPENS_AGAIN:
        try:
            with connection.begin_nested():
                connection.execute(_OF_THIS, {"of_id": after.id, **_columns(after)})
        except sa.exc.IntegrityError:
            return None
    else:
        _MOVE_INCIDENT.run(connection, {"of_id": after.id, **_columns(after)})
    return tuple(_append(connection, rows))


def next_due(connection: sa.Connection, until: datetime) -> str | None:
    """Return the incident that time alone changes first; None: nothing is due by `until`."""
    found = _NEXT_DUE.first(connection, {"instant": until})
    return None if found is None else str(found[0])


def rest(connection: sa.Connection, incident_id: str) -> None:
    """Let time alone do nothing more to an incident until something else has changed it."""
    connection.execute(_REST, {"of_id": incident_id})


def parts(connection: sa.Connection, incident_id: str) -> list[str]:
    """Return the incidents that are part of one, oldest first."""
    return list(connection.scalars(_PARTS, {"value": incident_id}))


def of_retired(connection: sa.Connection) -> list[str]:
    """Return what still goes on at devices that are in use no more, oldest first."""
    return list(connection.scalars(_STILL.where(_GONE)))


def end_episodes(connection: sa.Connection, incident_id: str) -> None:
    """Note of every episode of an incident that it has ended."""
    connection.execute(_END_EPISODES, {"value": incident_id})


def outages(connection: sa.Connection) -> list[tuple[str, str, bool]]:
    """Return unresolved outages, oldest first: id, of what, and whether it still lasts."""
    return [
        (row.id, thing_of(row.node, row.device), row.clears is None)
        for row in connection.execute(_OUTAGES)
    ]


def loads(
    connection: sa.Connection, site: str, at: datetime, limit: int
) -> list[tuple[str, datetime]]:
    """Return the incidents that people of a site were called for last up to `at`, and when."""
    found = connection.execute(_LOADS, {"value": site, "instant": at, "most": limit})
    return [(row.id, row.load) for row in found]


def find_episode(connection: sa.Connection, key: str, name: str) -> tuple[str | None, bool]:
    """Return the incident that an episode belongs to, if any, and whether it has ended."""
    row = _EPISODE.first(connection, {"of_key": key, "of_name": name})
    return (None, False) if row is None else (row[0], bool(row[1]))


def others_active(connection: sa.Connection, incident_id: str, name: str) -> bool:
    """Tell whether another episode of an incident still goes on."""
    values = {"of_incident": incident_id, "of_name": name}
    return _OTHERS_ACTIVE.first(connection, values) is not None


def keep_episode(
    connection: sa.Connection, key: str, name: str, incident_id: str, *, ended: bool
) -> None:
    """Note what an episode belongs to; one that has ended stays so."""
    values = {"key": key, "episode": name, "incident": incident_id, "ended": ended}
    _PUT_EPISODE.run(connection, values)


def newest_of(connection: sa.Connection, incident_id: str, limit: int) -> tuple[Transition, ...]:
    """Return up to `limit` newest rows of one incident, oldest first."""
    found = connection.execute(_NEWEST, {"value": incident_id, "most": limit}).all()
    return tuple(_numbered(row) for row in reversed(found))


def transitions_of(
    connection: sa.Connection, incident_id: str, after: int, limit: int
) -> tuple[Transition, ...]:
    """Return up to `limit` rows of one incident above a number, oldest first."""
    values = {"value": incident_id, "after": after, "most": limit}
    return tuple(_numbered(row) for row in connection.execute(_PART, values))


def transitions_after(
    connection: sa.Connection, after: int, limit: int, areas: Collection[str] | None = None
) -> tuple[Transition, ...]:
    """Return rows of all incidents, or those in some areas, above a number, oldest first."""
    if areas is None:
        found = connection.execute(_AFTER, {"after": after, "most": limit})
    else:
        inside = sa.select(incident.c.id).where(incident.c.area.in_(areas))
        query = transition.select().where(transition.c.id > after)
        query = query.where(transition.c.incident.in_(inside)).order_by(transition.c.id)
        found = connection.execute(query.limit(limit))
    return tuple(_numbered(row) for row in found)


def last_transition(connection: sa.Connection) -> int:
    """Return the number of the newest row, 0 when there is none."""
    return connection.scalar(sa.select(sa.func.max(transition.c.id))) or 0


def decoded(body: str) -> Incident:
    """Return the incident that a row's `body` holds."""
    return _INCIDENT.decode(body)


def urgency(one: Incident) -> int:
    """Return the rank of an incident in a list: small is urgent, resolved ones come last."""
    return RESOLVED_LAST if one.state == "resolved" else SEVERITIES.index(one.severity)


def _columns(after: Incident) -> dict[str, Any]:
    return {
        "state": after.state,
        "severity": after.severity,
        "urgency": urgency(after),
        "last": after.last,
        "clears": after.cleared,
        "picture": after.picture.id if after.picture else None,
        "label": after.label,
        "outage": after.policy.outage,
        "aside": after.aside,
        "part_of": after.part_of,
        "due": due(after),
        "area": after.area,
        "load": None if after.exempt else after.called,
        "body": _ENCODER.encode(after).decode(),
    }


def _append(connection: sa.Connection, rows: Iterable[Transition]) -> Iterable[Transition]:
    for row in rows:
        values = {
            "incident": row.incident,
            "step": row.step,
            "at": row.at,
            "recorded": row.recorded,
            "actor": row.actor,
            "body": _ENCODER.encode(row).decode(),
        }
        number = _NEW_TRANSITION.first(connection, values)
        if number is None:
            raise StoreError("a row got no number", where="transition")
        yield replace(row, id=number[0])


def _numbered(row: sa.Row[Any]) -> Transition:
    return replace(_TRANSITION.decode(row.body), id=row.id)


def _one(connection: sa.Connection, query: Prepared, value: str) -> Incident | None:
    found = query.first(connection, {"value": value})
    return None if found is None else _INCIDENT.decode(found[0])
