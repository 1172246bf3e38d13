"""A server whose disk others fill: all that can be given up, and some of what cannot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from handed_in import arrival
from house import NOON, SITE, Folder, jpeg
from series_contract import KEY, sample

from ingest.consumers.room import RoomJob
from ingest.consumers.shortage import SECONDS, ShortageJob
from ingest.evidence import book as pictures
from ingest.evidence.retention import HoldStep
from ingest.evidence.shelf import FolderStore
from ingest.evidence.sweep import SweepJob
from ingest.feed import Feed
from ingest.incidents import lists
from ingest.incidents.incident import Incident
from ingest.repairs import book
from ingest.series.embedded import EmbeddedTimeseries
from ingest.series.retention import Keep as SeriesKeep
from ingest.series.sweep import SeriesSweep
from ingest.series.timeseries import SeriesKey
from ingest.store.engine import reading, writing
from ingest.store.incidents import incident
from ingest.store.state import evidence
from linli.ids import uuid7

GIGA, DAY, HOUR = 1024**3, timedelta(days=1), timedelta(hours=1)
ENDLESS = SeriesKeep(raw_days=3650, rollup_days=3650, max_bytes=10**12)


class Server:
    """A data folder with all that can be given up, and some of what cannot."""

    def __init__(self, path: Path) -> None:
        self.folder = Folder(path / "data")
        self.free: int | None = 10**12
        self.here = True
        self.staging: Callable[[], bool] = lambda: False
        self.store = FolderStore(self.folder.path / "evidence")
        self.reader, clock = self.folder.reader("state"), self.folder.clock
        series = self.folder.reader("series")
        self.charts = EmbeddedTimeseries(series, self.folder.series)
        self.sweep = SeriesSweep(series, self.folder.series, clock, ENDLESS)
        self.pictures = SweepJob(
            self.reader, self.folder.state, self.store, clock, most_bytes=10**12
        )
        state = self.reader, self.folder.state
        self.room = self.job(1000)
        self.feed = Feed()
        self.tells = ShortageJob(
            *state, self.charts, self.feed, clock, site=SITE, least=GIGA, free=lambda: self.free
        )

    def job(self, least: int, free: Callable[[], int] | None = None) -> RoomJob:
        """Return what keeps room, as after a start."""
        return RoomJob(
            self.folder.state,
            self.sweep,
            self.pictures,
            self.folder.clock,
            least=least,
            free=free or (lambda: self.free),
            here=lambda: self.here,
            staging=self.staging,
        )

    def picture(self, *, trial: str | None = None, shows: dict | None = None) -> str:
        name, data = uuid7(self.folder.clock.now()), jpeg()
        with writing(self.folder.state) as connection:
            row = {"received": self.folder.clock.now(), "sha256": "x", "bytes": len(data)}
            one = arrival(data, name, trial=trial, expires=NOON + 400 * DAY)
            pictures.add(connection, one, row | {"width": 64, "height": 48})
            if shows is not None:
                number = len(connection.execute(incident.select()).all())
                values = {"id": f"i{number}", "number": number + 1, "key": f"k{number}"}
                values |= {"node": "n", "device": "d", "severity": "low", "last": NOON}
                values |= {"state": "resolved", "urgency": 9, "label": None, "body": "{}"}
                safety = shows.pop("safety", False)
                connection.execute(incident.insert(), values | shows)
                pictures.use(connection, name, f"i{number}", safety=safety)
        self.store.put(name, data)
        return name

    def furnish(self) -> dict[str, str]:
        """Put a picture of each class, one that is held, and readings of two days."""
        one = {
            "unresolved": self.picture(shows={"state": "open", "urgency": 3}),
            "safety": self.picture(shows={"safety": True}),
            "ordinary": self.picture(),
            "false-alarm": self.picture(shows={"label": "false-alarm", "safety": True}),
            "trial": self.picture(trial="zone-dwell/door"),
            "held": self.picture(shows={"label": "false-alarm"}),
        }
        with writing(self.folder.state) as connection:
            step = HoldStep(step="held", account="boss", at=NOON, why="police")
            pictures.add_step(connection, one["held"], step)
        self.write(range(-48 * 60, 1, 10))
        return one

    def write(self, minutes: range, keys: int = 1) -> None:
        names = [
            SeriesKey(
                site=KEY.site, node=KEY.node, device=f"d{n}", group="g", name="fps", unit="/s"
            )
            for n in range(keys)
        ]
        readings = [sample(at, 1.5, key) for key in names for at in minutes]
        self.charts.write(readings, self.charts.position() + 1)

    def given_up(self) -> dict[str, int]:
        with reading(self.reader) as connection:
            return {one.what: one.pieces for one in book.all_given_up(connection)}

    def one_look(self) -> None:
        """Look once, as at each poll."""
        for _ in range(5000):
            if not self.room.step():
                return
        raise AssertionError("no end of it")

    def steps(self) -> list[str]:
        """Look until nothing more goes; return what, in the order in which it went."""
        order: list[str] = []
        for _ in range(5000):
            before = self.given_up()
            more = self.room.step()
            after = self.given_up()
            for what, number in after.items():
                if number > before.get(what, 0) and (not order or order[-1] != what):
                    order.append(what)
            if not more and after == before:
                return order
        raise AssertionError("no end of it")

    def kept(self) -> set[str]:
        with reading(self.reader) as connection:
            rows = connection.scalars(sa.select(evidence.c.id).where(evidence.c.deleted.is_(None)))
            kept = set(rows)
        assert {name for name in kept if self.store.get(name) is not None} == kept
        return kept

    def readings(self) -> int:
        with reading(self.folder.series) as connection:
            return connection.exec_driver_sql("SELECT count(*) FROM reading").scalar_one()

    def look(self) -> list[Incident]:
        self.folder.clock.advance(SECONDS)
        assert self.tells.step() is False
        with reading(self.reader) as connection:
            return lists.page(connection, lists.Filter(), order="newest", after=None, limit=9)
