"""Incidents in a store of their own, told facts by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from msgspec.structs import replace

from ingest.incidents import book, flow, lists, silences
from ingest.incidents.facts import EventFact, Recheck, StaffFact
from ingest.incidents.flow import Surroundings
from ingest.incidents.fold import fold
from ingest.incidents.incident import Incident, Key, Transition
from ingest.incidents.passing import due
from ingest.incidents.policy import Policy
from ingest.incidents.silence import Matchers, Silence
from ingest.store.engine import _equip, writing
from ingest.store.incidents import incident
from ingest.store.state import metadata

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
KEY = Key(site="c001", node="c001-n07", device="cam-1", event="zone-dwell", zone="door")
OUTAGE = Policy(outage=True)
SAFE = Policy(safety=True)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def event(phase="begin", episode="e1", time=0.0, delay=0.0, severity="medium", **more: Any):
    """Return a fact; `device` and other parts of its key may be given by name."""
    key = {name: more.pop(name) for name in Key.__struct_fields__ if name in more}
    since = more.pop("since", time)
    return EventFact(
        **{
            "key": replace(KEY, **key),
            "area": "b03",
            "subject": None,
            "event_id": f"{episode}-{phase}-{time}",
            "phase": phase,
            "episode": episode,
            "severity": severity,
            "object_label": "person",
            "since": at(since),
            "at": at(time),
            "heard": at(time + delay),
            **more,
        }
    )


def silent(device: str, time: float, phase="begin", node="c001-n07", **more: Any):
    """Return the fact that nothing is heard of a device any more, or again."""
    name = {"event": "device-silent", "zone": None, "device": device, "node": node}
    episode = more.pop("episode", f"{node}-{device}")
    return event(phase, episode, time, policy=OUTAGE, **name, **more)


def _in_memory() -> sa.Engine:
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    _equip(engine, Path(":memory:"), ("foreign_keys=ON",), "BEGIN")
    return engine


class Ledger:
    """The book of incidents, in memory unless told otherwise."""

    def __init__(self, engine: sa.Engine | None = None, **around: Any) -> None:
        self.engine = engine or _in_memory()
        self.around = Surroundings(**around)
        metadata.create_all(self.engine)

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def connection(self) -> Iterator[sa.Connection]:
        with writing(self.engine) as connection:
            yield connection

    def tell_all(self, facts: Iterable[EventFact]) -> None:
        with self.connection() as connection:
            for fact in facts:
                flow.take(connection, fact, self.around)

    def tell(self, *facts: EventFact) -> tuple[Incident, tuple[Transition, ...]]:
        with self.connection() as connection:
            for fact in facts:
                told = flow.take(connection, fact, self.around)
        return told

    def staff(self, one: Incident | str, wish: str, seconds: float, **more: Any) -> Incident:
        fact = StaffFact(wish=wish, actor="user:wang", **more)  # type: ignore[arg-type]
        name = one if isinstance(one, str) else one.id
        with self.connection() as connection:
            done = flow.step(connection, name, fact, at(seconds), self.around)
        assert done is not None
        return done[0]

    def pass_until(self, seconds: float) -> None:
        with self.connection() as connection:
            flow.advance(connection, at(seconds), self.around)

    def silence(self, starts: float, ends: float, **more: Any) -> Silence:
        values = {"id": f"s{starts}", "matchers": Matchers(sites=("c001",)), "created": at(starts)}
        made = Silence(
            **{**values, **more},
            starts=at(starts),
            ends=at(ends),
            created_by="user:wang",
            why="repair",
        )
        with self.connection() as connection:
            silences.add(connection, made)
        return made

    def recheck(self, one: Incident, seconds: float) -> Incident:
        with self.connection() as connection:
            fact = Recheck(actor="user:wang")
            done = flow.step(connection, one.id, fact, at(seconds), self.around)
        assert done is not None
        return done[0]

    @property
    def all(self) -> list[Incident]:
        """Every incident, oldest first; each is what its rows make, and so are its columns."""
        with self.connection() as connection:
            found = lists.page(connection, lists.Filter(), order="newest", after=None, limit=9999)
            for one in found:
                assert fold(book.newest_of(connection, one.id, 1_000_000)) == one
                row = connection.execute(incident.select().where(incident.c.id == one.id)).one()
                assert (row.state, row.due, row.clears) == (one.state, due(one), one.cleared)
                assert (row.aside, row.part_of, row.label) == (one.aside, one.part_of, one.label)
                assert row.key == str(one.key)
        open_keys = [str(one.key) for one in found if one.state != "resolved"]
        assert len(open_keys) == len(set(open_keys))
        return found[::-1]

    @property
    def only(self) -> Incident:
        (one,) = self.all
        return one

    def of(self, device: str) -> Incident:
        """The newest incident of a device."""
        return [one for one in self.all if one.key.device == device][-1]

    def rows(self, one: Incident | None = None) -> tuple[Transition, ...]:
        with self.connection() as connection:
            if one is None:
                return book.transitions_after(connection, 0, 99_999)
            return book.newest_of(connection, one.id, 1_000_000)

    def pages(self, one: Incident | None = None) -> list[tuple[str, str, str]]:
        """Step, page and why of each row that says whether people are called."""
        found = self.rows(one)
        return [(row.step, row.page, row.why) for row in found if row.page and row.why]

    def called(self, one: Incident | None = None) -> list[str]:
        """Why people were called, each time."""
        return [why for _, page, why in self.pages(one) if page == "call"]
