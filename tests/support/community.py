"""Two days of a small community, made up but the same each time, told as its edges would tell it.

Everything behind the journal is real: the consumers make incidents, series, and points for
InfluxDB of it, and staff answer, judge and resolve through the services.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from community_edges import AWAY, BUILDINGS, HOURS, START, TICK, Edges, node_of, stream_of
from house import NOON, SITE, STAFF, Folder

from ingest import registry
from ingest.consumers.incidents import IncidentEffect
from ingest.consumers.influx import InfluxJob, Sources
from ingest.consumers.own import OwnFigures
from ingest.consumers.rules import RuleWork
from ingest.consumers.series import SeriesJob
from ingest.consumers.work import Cursor
from ingest.feed import Feed
from ingest.incidents.flow import Surroundings
from ingest.influx.endpoint import Endpoint
from ingest.series.embedded import EmbeddedTimeseries
from ingest.services.chain import ChainService
from ingest.services.incidents import IncidentService
from ingest.store import journal, state
from ingest.store.chain import probe
from ingest.store.engine import reading, to_micros, writing
from ingest.store.incidents import incident
from ingest.store.registry import place


class Community(Edges):
    """Turns the clock of a data folder through the days; `end` is its last moment."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.folder = Folder(path, fresh=True)
        self.folder.clock.jump(-HOURS * 3600)
        self._counted: Counter[str] = Counter()
        with writing(self.folder.state) as connection:
            self._enroll(connection)

    @property
    def end(self) -> datetime:
        return NOON

    def unresolved(self) -> dict[int, str]:
        """Return the number of each incident that is not resolved, and its severity."""
        table = incident.c
        wanted = sa.select(table.number, table.severity).where(table.state != "resolved")
        with reading(self.folder.reader("state")) as connection:
            return {number: severity for number, severity in connection.execute(wanted)}  # noqa: C416 - typed

    def live(self, endpoint: Endpoint | None = None) -> None:
        """Let all hours pass; with an endpoint InfluxDB is told of each."""
        around = Surroundings()
        feed = Feed()
        folder = self.folder
        journal_reader, reader = folder.reader("journal"), folder.reader("state")
        rules = RuleWork(journal_reader, around.zone)
        effect = IncidentEffect(feed, rules, around)
        cursor = Cursor(journal_reader, folder.state, state.cursor, effect)
        series_reader = folder.reader("series")
        store = EmbeddedTimeseries(series_reader, folder.series)
        people = IncidentService(reader, folder.state, feed, around)
        sources = Sources(journal_reader, reader, series_reader, folder.state)
        chain = ChainService(reader, folder.state, journal_reader, feed, folder.clock)
        own = OwnFigures(
            journal_reader,
            reader,
            series_reader,
            SITE,
            folder.clock,
            chain=lambda: chain.view(STAFF),
        )
        readings = SeriesJob(journal_reader, store, feed, own=own)
        influx = endpoint and InfluxJob(
            sources, lambda: endpoint, SITE, folder.clock, chain=lambda: chain.view(STAFF)
        )
        for hour in range(HOURS):
            self._hour(hour)
            folder.clock.advance(3600)
            while cursor.step():
                pass
            self._shown()
            while readings.step():
                pass
            self._staff(people, hour)
            while influx and influx.step():
                pass

    def _shown(self) -> None:
        """Say of each probe when the live feed had it."""
        with writing(self.folder.state) as connection:
            for row in connection.execute(probe.select().where(probe.c.shown.is_(None))).all():
                took = timedelta(seconds=0.04 + 0.2 * self._dice.random() ** 4)
                shown = probe.update().where(probe.c.id == row.id)
                connection.execute(shown.values(shown=row.made + took))

    def _enroll(self, connection: sa.Connection) -> None:
        registry.make_site(connection, SITE, "春晖社区", START)
        for area, label in BUILDINGS.items():
            node = node_of(area)
            registry.add_node(
                connection, site=SITE, area=area, name=node, label=f"{label}边缘盒子", now=START
            )
            for name, kind, said in (
                ("cam-e1", "camera", "1 号电梯"),
                ("cam-yard", "camera", "楼前"),
                ("meter-1", "meter", "公共电表"),
                ("lux-1", "sensor", "照度计"),
            ):
                registry.add_device(
                    connection,
                    node_name=node,
                    name=name,
                    kind=kind,
                    label=f"{label} {said}",
                    now=START,
                )

            said = {"label": label, "label_en": f"Building {area[1:]}"}
            here = place.update().where(place.c.place == f"{SITE}/{area}")
            connection.execute(here.values(**said))

    def _streams(self, hour: int) -> None:
        """Note how far each stream has come; one box has lost a little while it was away."""
        values = {"ranges": "[]", "low": 1, "duplicates": 0, "updated": 0}
        with writing(self.folder.journal) as connection:
            connection.execute(journal.stream.delete())
            for (area, kind), number in self._numbers.items():
                lost = 3 if area == AWAY[0] and kind == "telemetry" and hour > AWAY[1].stop else 0
                row = {"node": node_of(area), "stream": stream_of(area, kind), "upto": number}
                connection.execute(journal.stream.insert(), {**values, **row, "evicted": lost})

    def _hour(self, hour: int) -> None:
        """Put everything of one hour into the journal, in the order in which it came."""
        begin = START + timedelta(hours=hour)
        if hour == 0:
            for area in BUILDINGS:
                self._status(area, "ready", begin)
        for area in BUILDINGS:
            away = area == AWAY[0] and hour in AWAY[1]
            if away and hour == AWAY[1].start:
                self._status(area, "lost", begin + timedelta(minutes=1))
            if area == AWAY[0] and hour == AWAY[1].stop:
                self._status(area, "ready", begin + timedelta(minutes=1))
            for tick in range(int(timedelta(hours=1) / TICK)):
                self._tick(area, hour, begin + tick * TICK, away=away)
            self._events(area, hour, begin)
        for minute in range(60):
            self._probe(begin + timedelta(minutes=minute, seconds=50))
        self._commit(begin + timedelta(hours=1))
        self._streams(hour)

    def _commit(self, until: datetime) -> None:
        """Write what had come by then; what comes later waits."""
        limit = to_micros(until)
        due = sorted((one for one in self._rows if one[0] < limit), key=lambda one: one[0])
        self._rows = [one for one in self._rows if one[0] >= limit]
        with writing(self.folder.journal) as connection:
            connection.execute(journal.message.insert(), [row for _, row in due])
            self._counted.update({journal.PROBE_COUNTER: 60, "duplicates": len(due) // 40})
            self._counted["rejected.schema"] += self._dice.random() < 0.1
            connection.execute(journal.counter.delete())
            rows = [{"name": name, "value": value} for name, value in self._counted.items()]
            connection.execute(journal.counter.insert(), rows)

    def _staff(self, people: IncidentService, hour: int) -> None:
        """Answer most of what is open, resolve some, judge a few."""
        now = self.folder.clock.now()
        if hour >= HOURS - 2:
            if hour == HOURS - 1:
                yard = people.list(STAFF, states=("open",), device="c001-n02/cam-yard").items
                lamp = next(one for one in yard if one.key.event == "lamp-fault")
                people.acknowledge(STAFF, lamp.id, now - timedelta(minutes=10), "电工下午去看")
            return
        for one in people.list(STAFF, states=("open", "acknowledged", "in-progress")).items:
            luck = self._dice.random()
            delay = timedelta(seconds=60 + 900 * luck**3)
            at = max(one.updated, min(now, one.opened + delay))
            if one.state == "open" and luck < 0.85:
                people.acknowledge(STAFF, one.id, at)
            elif one.state == "acknowledged" and luck < 0.4:
                people.start(STAFF, one.id, at)
            if luck < 0.6 and (hour % 3 == 0 or one.state != "open"):
                people.resolve(STAFF, one.id, now)
                people.label(STAFF, one.id, "false-alarm" if luck < 0.08 else "true-alarm", now)


@contextmanager
def lived(path: Path, endpoint: Endpoint | None = None) -> Iterator[Community]:
    """Return a community whose days are over."""
    made = Community(path)
    try:
        made.live(endpoint)
        yield made
    finally:
        made.folder.close()
