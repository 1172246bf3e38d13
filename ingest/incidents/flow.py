"""The course of incidents in the store: facts, people's steps and time come in, rows are kept.

A fact that changes one incident may change others: what hangs behind a thing that fails, what came
in one storm. All of it is one transaction of the caller's. Time passes with the journal: before a
fact is applied, everything that time alone would have done until then is done, so that the same
journal always makes the same rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Literal

import sqlalchemy as sa
from msgspec.structs import replace

from ingest.incidents import book, silences, storm
from ingest.incidents.calls import calls
from ingest.incidents.cause import SETTLE, Wiring, above, root, thing_of
from ingest.incidents.facts import (
    Case,
    EventFact,
    Fact,
    MemberFact,
    PartFact,
    Recheck,
    Retired,
    StaffFact,
    Tick,
    episode_after,
)
from ingest.incidents.fold import apply
from ingest.incidents.incident import Incident, Transition
from ingest.incidents.machine import decide
from ingest.incidents.storm import StormRule
from ingest.refusal import Clash
from linli.errors import StoreError
from linli.ids import derived_id
from linli.log import get_logger

log = get_logger(__name__)

Rows = tuple[Transition, ...]
_TRIES = 1000
_STANDING = {"opened", "reopened", "recurred", "resumed", "undone", "cleared", "resolved"}
"""Steps after which an outage may explain others, or no longer."""


def _no_wiring(connection: sa.Connection) -> Wiring:
    del connection
    return {}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known of the community: its time zone, what hangs behind what, when it is a storm."""

    zone: tzinfo = UTC
    wiring: Callable[[sa.Connection], Wiring] = _no_wiring
    storm: StormRule = field(default_factory=StormRule)


ALONE = Surroundings()


def take(
    connection: sa.Connection, fact: EventFact, around: Surroundings = ALONE
) -> tuple[Incident, Rows]:
    """Apply a fact; return the incident after it and the rows that it added to it, numbered."""
    advance(connection, fact.heard, around)
    return _take(connection, fact, around)


def tell(
    connection: sa.Connection, fact: EventFact, around: Surroundings = ALONE
) -> tuple[Incident, Rows]:
    """Apply a fact that does not come by the journal, as it is told: no time passes with it."""
    return _take(connection, fact, around)


def step(
    connection: sa.Connection,
    incident_id: str,
    fact: StaffFact | Recheck,
    now: datetime,
    around: Surroundings = ALONE,
) -> tuple[Incident, Rows] | None:
    """Apply a person's step, or a change of silences; None when there is no such incident.

    Raises Clash when it would open an incident again beside another one of its key.
    """
    return _change(connection, incident_id, fact, now, around)


def retire(connection: sa.Connection, now: datetime, around: Surroundings = ALONE) -> bool:
    """End what goes on at devices that people have retired; tell whether there was anything."""
    found = book.of_retired(connection)
    for one in found:
        _change(connection, one, Retired(), now, around)
        book.end_episodes(connection, one)
    return bool(found)


def advance(connection: sa.Connection, until: datetime, around: Surroundings = ALONE) -> bool:
    """Do what time alone does to incidents until `until`; tell whether there was anything."""
    changed = False
    while (found := book.next_due(connection, until)) is not None:
        made = _change(connection, found, Tick(), until, around)
        if made is None or not made[1]:
            log.error("incident %s is due and nothing comes of it", found)
            book.rest(connection, found)
        changed = True
    return changed


def _take(
    connection: sa.Connection, fact: EventFact, around: Surroundings
) -> tuple[Incident, Rows]:
    for _ in range(_TRIES):
        case, owner, ended = _case(connection, fact)
        made = None if case is None else _apply(connection, case, fact, fact.heard, around)
        if case is not None and made is not None:
            break
    else:
        raise StoreError("too many writers at once", where=str(fact.key))
    after, rows = made
    over = episode_after(case.episode, fact.phase) == "ended"
    if (owner, ended) != (after.id, over):
        book.keep_episode(connection, str(fact.key), fact.episode, after.id, ended=over)
    _ripple(connection, case.incident, after, rows, around)
    return after, rows


def _change(
    connection: sa.Connection, incident_id: str, fact: Fact, now: datetime, around: Surroundings
) -> tuple[Incident, Rows] | None:
    found = book.lock(connection, incident_id)
    if found is None:
        return None
    made = _apply(connection, Case(incident=found), fact, now, around)
    if made is None:
        raise Clash("another incident of this kind is open at this place")
    _ripple(connection, found, *made, around)
    return made


def _case(connection: sa.Connection, fact: EventFact) -> tuple[Case | None, str | None, bool]:
    """Return what is known, and the episode's incident and end; None when it has just changed."""
    key = str(fact.key)
    home = found = book.lock_open(connection, key)
    owner, ended = book.find_episode(connection, key, fact.episode)
    if owner is not None and (ended or home is None):
        home = book.lock(connection, owner)
    elif home is None:
        home = book.latest(connection, key)
    # Without an open incident nothing was locked while the episode was read.
    if found is None and book.find_episode(connection, key, fact.episode) != (owner, ended):
        return None, owner, ended
    known = owner is not None and home is not None and owner == home.id
    may_open = home is None or home.state == "resolved"
    case = Case(
        incident=home,
        episode="ended" if ended else "active" if known else "new",
        # Only an end asks for it.
        others_active=home is not None
        and fact.phase == "end"
        and book.others_active(connection, home.id, fact.episode),
        fresh_id=derived_id(fact.heard, key, fact.event_id) if may_open else "",
        fresh_number=book.next_number(connection) if may_open else 0,
    )
    return case, owner, ended


def _apply(
    connection: sa.Connection, case: Case, fact: Fact, now: datetime, around: Surroundings
) -> tuple[Incident, Rows] | None:
    """Decide and keep; silences and storms are asked only when someone would be called."""
    rows = decide(case, fact, now)
    if calls(rows) or isinstance(fact, Recheck):
        at = rows[-1].recorded if rows else now
        case = replace(case, covers=silences.covers_at(connection, at, around.zone))
        rows = decide(case, fact, now)
    if calls(rows, reminders=False):
        case = replace(case, storm=_storm(connection, _after(case, rows), around))
        rows = decide(case, fact, now)
    after = _after(case, rows)
    kept = book.keep(connection, after, rows) if rows else ()
    return None if kept is None else (after, kept)


def _after(case: Case, rows: Rows) -> Incident:
    after = case.incident
    for row in rows:
        after = apply(None if row.step == "opened" else after, row)
    assert after is not None
    return after


def _ripple(
    connection: sa.Connection,
    before: Incident | None,
    after: Incident,
    rows: Rows,
    around: Surroundings,
) -> None:
    """Let what changed one incident change others."""
    if not rows:
        return
    at, steps = rows[-1].recorded, {row.step for row in rows}
    was = before.part_of if before is not None and before.id == after.id else None
    if was is not None and was != after.part_of:
        _change(connection, was, MemberFact(member=after.id, change="left"), at, around)
    if after.part_of is not None and was != after.part_of:
        _tell_head(connection, after, "joined", at, around)
    elif after.bond == "storm" and "worsened" in steps and after.state != "resolved":
        _tell_head(connection, after, "worse", at, around)
    if after.policy.outage and steps & _STANDING:
        _regroup(connection, after, at, around)
    if after.key.event == storm.EVENT and steps & {"cleared", "resolved"}:
        for one in book.parts(connection, after.id):
            _change(connection, one, PartFact(part_of=None, bond="storm"), at, around)


def _tell_head(
    connection: sa.Connection,
    one: Incident,
    change: Literal["joined", "worse"],
    at: datetime,
    around: Surroundings,
) -> None:
    assert one.part_of is not None
    fact = MemberFact(member=one.id, change=change)
    if one.bond == "storm":
        recent = book.loads(connection, one.key.site, at, around.storm.calm + 1)
        lapses = around.storm.over([when for _, when in recent], at)
        fact = replace(fact, severity=one.severity, lapses=lapses)
    _change(connection, one.part_of, fact, at, around)


def _storm(connection: sa.Connection, one: Incident, around: Surroundings) -> str | None:
    """Return the storm that a call is to be gathered by; when it is one too many, a new one."""
    if one.exempt:
        return None
    at, site, rule = one.updated, one.key.site, around.storm
    head = book.lock_open(connection, str(storm.key(site)))
    if head is not None and head.condition_active:
        return head.id
    recent = [
        found for found in book.loads(connection, site, at, rule.most + 1) if found[0] != one.id
    ]
    if not rule.crowded([when for _, when in recent], at):
        return None
    head, _ = _take(connection, storm.beginning(one, at), around)
    for other, when in reversed(recent):
        found = book.lock(connection, other)
        if found is not None and when > at - rule.window and _waits_alone(found):
            _change(connection, other, PartFact(part_of=head.id, bond="storm"), at, around)
    return head.id


def _waits_alone(one: Incident) -> bool:
    return one.state == "open" and one.part_of is None


def _regroup(
    connection: sa.Connection, changed: Incident, at: datetime, around: Surroundings
) -> None:
    """Find anew what explains an outage, and everything that it may explain."""
    outages = book.outages(connection)
    lasting: dict[str, str] = {}
    for found, name, lasts in outages:
        if lasts:
            lasting.setdefault(name, found)
    wiring, mine = around.wiring(connection), thing_of(changed.key.node, changed.key.device)
    parts = set(book.parts(connection, changed.id))
    for found, name, _ in outages:
        if found == changed.id or found in parts or mine in above(name, wiring):
            cause = root(name, lasting, wiring)
            one = book.lock(connection, found)
            if cause is not None:
                fact = PartFact(part_of=cause, bond="parent")
            elif one is not None and one.bond == "parent" and one.part_until is None:
                fact = PartFact(part_of=one.part_of, bond="parent", until=at + SETTLE)
            else:
                continue
            _change(connection, found, fact, at, around)
