"""A disk that fills: people hear of it before anything goes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import postgres
import pytest
import stores
from crowded import DAY, GIGA, HOUR, Server
from house import AREA, NODE, NOON, SITE, Folder
from series_contract import sample

from dashboards.web.words import Words
from ingest import registry
from ingest.doctor import disk
from ingest.doctor.sources import Sources
from ingest.evidence import book as pictures
from ingest.evidence.retention import Keep
from ingest.repairs import book
from ingest.repairs.room import (
    BOX_LOW,
    RESERVE,
    low,
)
from ingest.series.timeseries import SeriesKey
from ingest.store.engine import reading, writing
from ingest.store.state import evidence
from linli.events import ReportData
from linli.topics import PROBE_NODE


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.folder.close()


def test_people_hear_of_the_server_before_anything_goes(server: Server) -> None:
    now = server.folder.clock.now()
    server.free = 12 * GIGA
    assert server.look() == [], "no pace is known"
    with writing(server.folder.state) as connection:
        for hours in range(96, 0, -1):
            book.sample(connection, 12 * GIGA + hours * GIGA // 12, now - hours * HOUR)
    (one,) = server.look()
    assert (one.key.node, one.key.event, one.severity) == (PROBE_NODE, "disk-low", "medium")
    assert one.called is not None, "somebody is called"
    assert Words("en", {}).what(one) == "Disk · full in about 5 days"
    assert Words("zh-CN", {}).what(one) == "硬盘 · 约 5 天后写满"
    assert Words("zh-CN", {}).where(one.key) == "服务器"
    assert server.given_up() == {}
    server.free = low(GIGA) - 1
    (one,) = server.look()
    assert one.severity == "medium"
    server.free = GIGA - 1
    (one,) = server.look()
    assert (one.severity, one.object_label, one.condition_active) == ("high", "giving-up", True)
    with writing(server.folder.state) as connection:
        book.count_given_up(connection, "reading", 5000, 0, server.folder.clock.now())
    server.free = GIGA * 9 // 8
    (one,) = server.look()
    assert _level(server) == "urgent", "something went in this hour"
    server.folder.clock.advance(3600)
    server.look()
    assert _level(server) == "low", "with no hysteresis of its own"
    server.free = low(GIGA) * 5 // 4
    (one,) = server.look()
    assert one.condition_active, "at this pace it is soon low again"
    with writing(server.folder.state) as connection:
        book.sample(connection, 12 * GIGA, now + 30 * DAY)
    (one,) = server.look()
    assert not one.condition_active
    with reading(server.reader) as connection:
        assert book.shortages(connection) == {}


def _level(server: Server) -> str:
    with reading(server.reader) as connection:
        return book.shortages(connection)[PROBE_NODE].level


def test_people_hear_of_a_box(server: Server) -> None:
    def report(free: int, rss: int = 9) -> None:
        data = ReportData(agent="0.1", uptime=5, rss=rss, diskfree=free)
        with writing(server.folder.state) as connection:
            origin = registry.Origin(SITE, AREA, NODE)
            registry.keep_report(connection, origin, data, server.folder.clock.now())
            registry.seen(connection, NODE, server.folder.clock.now())

    report(0, rss=0)
    assert server.look() == [], "a device without figures"
    report(BOX_LOW - 1)
    (one,) = server.look()
    assert (one.key.node, one.area, one.severity) == (NODE, AREA, "medium")
    assert one.object_label == "little-room"
    report(RESERVE - 1)
    (one,) = server.look()
    assert (one.severity, one.object_label) == ("high", "no-room")
    server.folder.clock.advance(3600)
    (one,) = server.look()
    assert one.condition_active, "who is not heard of has not got better"
    report(BOX_LOW * 2)
    (one,) = server.look()
    assert not one.condition_active


def test_a_box_that_fills_is_told_by_its_own_readings(server: Server) -> None:
    key = SeriesKey(
        site=SITE, node=NODE, device="self", group="health", name="disk-free", unit="By"
    )
    past = [sample(-60 * hours, (10 + hours / 12) * GIGA, key) for hours in range(1, 140)]
    server.charts.write(past, server.charts.position() + 1)
    data = ReportData(agent="0.1", uptime=5, rss=9, diskfree=10 * GIGA)
    with writing(server.folder.state) as connection:
        origin = registry.Origin(SITE, AREA, NODE)
        registry.keep_report(connection, origin, data, NOON)
        registry.seen(connection, NODE, NOON)
    (one,) = server.look()
    assert one.object_label.startswith("days-")


def test_the_doctor_says_what_goes_and_when_pictures_will(server: Server) -> None:
    folder = server.folder

    def wrong() -> dict[str, str]:
        found = disk.look(
            Sources(
                folder.settings, folder.journal, folder.state, folder.series, folder.clock.now()
            )
        )
        return {one.code: one.what for one in found if one.level != "ok"}

    assert wrong() == {}
    server.furnish()
    with writing(folder.state) as connection:
        one = book.Shortage(PROBE_NODE, "urgent", NOON, 5, None)
        book.keep_shortage(connection, one)
        book.count_given_up(connection, "reading", 5000, 0, NOON)
        book.count_given_up(connection, "reading", 20, 0, NOON)
    assert "5020 readings and means and 0 pictures" in wrong()["disk-giving-up"]
    with writing(folder.state) as connection:
        book.end_shortage(connection, PROBE_NODE)
        connection.execute(evidence.update(), {"received": NOON - 3 * DAY, "bytes": GIGA})
    assert "used in 8 days" in wrong()["evidence-filling"]
    with reading(folder.state) as connection:
        kept, daily, going = pictures.growth(connection, folder.clock.now(), Keep())
    assert (kept, daily) == (6 * GIGA, 2 * GIGA)
    assert sum(going.values()) == 6 * GIGA
    assert going[4] == GIGA, "a false alarm goes on the seventh day"


@pytest.mark.postgres
@pytest.mark.skipif(postgres.missing() is not None, reason=str(postgres.missing()))
def test_what_goes_is_asked_of_a_postgresql_too(tmp_path: Path) -> None:
    with stores.use("postgresql"):
        folder = Folder(tmp_path)
        with reading(folder.state) as connection:
            assert pictures.growth(connection, NOON, Keep()) == (0, None, {})
        folder.close()
