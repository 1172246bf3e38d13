"""Lists of incidents: pages in the order of work, counts, and how often a camera was right."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from ingest.incidents.book import decoded
from ingest.incidents.incident import Incident, Label, State
from ingest.incidents.storm import EVENT
from ingest.store.incidents import NOT_OPEN, RESOLVED_LAST, UNRESOLVED, incident
from ingest.store.registry import CONFIRMED, device
from linli.events import SEVERITIES, Severity

Order = Literal["urgent", "newest"]
Standing = Literal["alone", "shelved", "part"]
"""alone: in the list by itself; shelved and part: set aside, and why."""

_LAST_NUMBER = sa.select(sa.func.max(incident.c.number))
_WAITING = sa.and_(UNRESOLVED, incident.c.state == "open", incident.c.aside.is_(None))
_COUNT_WAITING = sa.select(sa.func.count()).select_from(incident).where(_WAITING)
_DEVICE = (incident.c.area, incident.c.node, incident.c.device)
OF_DEVICES = (
    sa.select(*_DEVICE, sa.func.count().label("number"))
    .where(UNRESOLVED, incident.c.aside.is_(None))
    .group_by(*_DEVICE)
)


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which incidents; what is not given means all. `devices` are nodes and devices."""

    states: Collection[State] = ()
    severities: Collection[Severity] = ()
    devices: Collection[tuple[str, str]] = ()
    areas: Collection[str] = ()
    events: Collection[str] = ()
    standing: Collection[Standing] = ()
    part_of: str | None = None


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """How many incidents wait for somebody to see them, by severity; `handled`: seen, unfinished.

    What is shelved or part of another is left out.
    """

    severities: dict[Severity, int]
    handled: int


class Precision(msgspec.Struct, frozen=True, kw_only=True):
    """How often one device was right about one event, as people have labelled its incidents.

    `precision` is right ÷ (right + wrong); None while nobody has said either: that is not 0.
    """

    site: str
    node: str
    device: str
    event: str
    right: int
    wrong: int
    drills: int
    unlabelled: int
    precision: float | None


def page(
    connection: sa.Connection,
    wanted: Filter,
    *,
    order: Order,
    after: tuple[int, int] | None,
    limit: int,
) -> list[Incident]:
    """Return up to `limit` incidents behind `after` (urgency, number) in the given order."""
    query = listing(wanted, order=order, after=after)
    return [decoded(body) for body in connection.scalars(query.limit(limit))]


def listing(wanted: Filter, *, order: Order, after: tuple[int, int] | None) -> sa.Select[str]:
    """Return the query behind `page`."""
    query = sa.select(incident.c.body)
    for condition in _conditions(wanted):
        query = query.where(condition)
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


def counts(connection: sa.Connection, areas: Collection[str] | None = None) -> tuple[int, int]:
    """Return how many incidents there are, and how many of them wait for someone to see them."""
    if areas is not None:
        inside = incident.c.area.in_(areas)
        all_of_them = sa.select(sa.func.count()).select_from(incident).where(inside)
        return (
            connection.scalar(all_of_them) or 0,
            connection.scalar(_COUNT_WAITING.where(inside)) or 0,
        )
    # None is ever deleted, so the last number is how many there are.
    return connection.scalar(_LAST_NUMBER) or 0, connection.scalar(_COUNT_WAITING) or 0


def waiting(connection: sa.Connection, areas: Collection[str] | None) -> Waiting:
    """Return how many wait and how many are handled, in these areas, or in all when None."""
    here = sa.true() if areas is None else incident.c.area.in_(areas)
    # By the rank, which is the place of a severity until it is resolved, and stands in the index.
    levels = sa.select(incident.c.urgency, sa.func.count().label("number"))
    found = connection.execute(levels.where(_WAITING, here).group_by(incident.c.urgency))
    numbers = {SEVERITIES[row.urgency]: row.number for row in found}
    handled = sa.select(sa.func.count()).select_from(incident)
    handled = handled.where(UNRESOLVED, incident.c.state != "open", incident.c.aside.is_(None))
    return Waiting(
        severities={level: numbers.get(level, 0) for level in SEVERITIES},
        handled=connection.scalar(handled.where(here)) or 0,
    )


def unresolved_by_place(connection: sa.Connection, areas: Collection[str] | None) -> dict[str, int]:
    """Return how many are not resolved of each place, below the site; what is set aside is not.

    It is that of the device in use, or else the area where it happened.
    """
    everywhere = areas is None
    each = OF_DEVICES if everywhere else OF_DEVICES.where(incident.c.area.in_(areas or ()))
    of = each.subquery()
    here = sa.true() if everywhere else device.c.area.in_(areas or ())
    behind = sa.and_(
        device.c.node == of.c.node,
        device.c.device == of.c.device,
        device.c.standing == CONFIRMED,
        here,
    )
    where = sa.func.coalesce(device.c.subject, device.c.area, of.c.area)
    query = sa.select(where, sa.func.sum(of.c.number))
    rows = connection.execute(query.select_from(of.outerjoin(device, behind)).group_by(where))
    return {place: int(number) for place, number in rows}


def many(connection: sa.Connection, ids: Collection[str]) -> dict[str, Incident]:
    """Return the incidents of these ids that exist."""
    query = sa.select(incident.c.body).where(incident.c.id.in_(ids))
    found = [decoded(body) for body in connection.scalars(query)]
    return {one.id: one for one in found}


def unresolved(connection: sa.Connection) -> list[Incident]:
    """Return all that is not resolved, oldest first."""
    query = sa.select(incident.c.body).where(UNRESOLVED).order_by(incident.c.number)
    return [decoded(body) for body in connection.scalars(query)]


def precision(
    connection: sa.Connection,
    start: datetime,
    end: datetime,
    *,
    devices: Collection[tuple[str, str]] = (),
    areas: Collection[str] = (),
    labelled: bool = False,
) -> list[Precision]:
    """Return how right each device was about each event that was last seen in a span of time."""
    place = (incident.c.site, incident.c.node, incident.c.device, incident.c.event)
    query = (
        sa.select(*place, incident.c.label, sa.func.count().label("number"))
        .where(incident.c.last >= start, incident.c.last < end, incident.c.event != EVENT)
        .group_by(*place, incident.c.label)
        .order_by(*place)
    )
    if devices:
        query = query.where(_any_of(devices))
    if areas:
        query = query.where(incident.c.area.in_(areas))
    if labelled:
        query = query.where(incident.c.label.is_not(None))
    found: dict[tuple[str, ...], dict[Label | None, int]] = {}
    for row in connection.execute(query):
        found.setdefault(tuple(row[:4]), {})[row.label] = row.number
    return [_precision(place, labels) for place, labels in found.items()]


def _precision(place: tuple[str, ...], labels: dict[Label | None, int]) -> Precision:
    site, node, device, event = place
    right, wrong = labels.get("true-alarm", 0), labels.get("false-alarm", 0)
    return Precision(
        site=site,
        node=node,
        device=device,
        event=event,
        right=right,
        wrong=wrong,
        drills=labels.get("drill", 0),
        unlabelled=labels.get(None, 0),
        precision=right / (right + wrong) if right + wrong else None,
    )


def _any_of(devices: Collection[tuple[str, str]]) -> sa.ColumnElement[bool]:
    if len(devices) == 1:  # as an equality, so that the index brings them in order of number
        ((node, device),) = devices
        return sa.and_(incident.c.node == node, incident.c.device == device)
    return sa.tuple_(incident.c.node, incident.c.device).in_(list(devices))


def _conditions(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    made: list[Any] = []
    if wanted.states:
        made.append(incident.c.state.in_(wanted.states))
        if set(wanted.states) == {"resolved"}:
            made.append(incident.c.urgency == RESOLVED_LAST)
        elif "resolved" not in wanted.states:
            made += [UNRESOLVED] if "open" in wanted.states else [UNRESOLVED, NOT_OPEN]
    if wanted.severities:
        made.append(incident.c.severity.in_(wanted.severities))
    if wanted.devices:
        made.append(_any_of(wanted.devices))
    if wanted.areas:
        made.append(incident.c.area.in_(wanted.areas))
    if wanted.events:
        made.append(incident.c.event.in_(wanted.events))
    if wanted.standing:
        aside = [one for one in wanted.standing if one != "alone"]
        either = [incident.c.aside.is_(None)] if "alone" in wanted.standing else []
        made.append(sa.or_(*either, *([incident.c.aside.in_(aside)] if aside else [])))
    if wanted.part_of is not None:
        made.append(incident.c.part_of == wanted.part_of)
    return made
