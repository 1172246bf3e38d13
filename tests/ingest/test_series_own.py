"""A node's report, and how Linli itself does, become readings with a history."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from house import NODE, NOON, SITE, Folder

from ingest.consumers.own import OwnFigures
from ingest.consumers.series import SeriesJob
from ingest.feed import Feed
from ingest.series.embedded import EmbeddedTimeseries
from ingest.series.timeseries import to_millis
from ingest.services.views import ChainView
from ingest.store import journal
from ingest.store.engine import to_micros, writing
from linli.codec import encode
from linli.events import ConfigReport, LaneReport, ReportData, ReportMessage, schema_uri
from linli.topics import PROBE_NODE

CHAIN = ChainView(
    state="green", why="works", words="", since=NOON, produced=9, stored=8, waiting=1, lost=0,
    last=None, p50=None, p95=0.5,
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path):
    folder = Folder(tmp_path)
    yield folder
    folder.close()


def report(**more) -> ReportMessage:
    lanes = (
        LaneReport(lane="events", pending=2, evicted=1, dead=0),
        LaneReport(
            lane="telemetry", pending=5, evicted=0, dead=0, oldest=NOON - timedelta(seconds=90)
        ),
    )
    return ReportMessage(
        specversion="1.0",
        id="018e0000-0000-7000-8000-000000000001",
        source=f"/{SITE}/{NODE}/self",
        type="linli.health.report",
        time=NOON,
        datacontenttype="application/json",
        dataschema=schema_uri("health"),
        clocksync="synced",
        data=ReportData(agent="1", uptime=60, rss=7, diskfree=8, lanes=lanes, **more),
    )


def put(folder: Folder, payload: bytes, name: str = "report") -> None:
    row = {
        "received": to_micros(NOON), "site": SITE, "area": "b03", "node": NODE, "device": "self",
        "kind": "health", "name": name, "source": "s", "time": to_micros(NOON), "flags": 0,
        "payload": payload,
    }  # fmt: skip
    with writing(folder.journal) as connection:
        connection.execute(journal.message.insert(), row)


def kept(folder: Folder, own=tuple) -> dict[tuple[str, str, str, str], float]:
    store = EmbeddedTimeseries(folder.reader("series"), folder.series)
    job = SeriesJob(folder.reader("journal"), store, Feed(), own=own)
    while job.step():
        pass
    end = to_millis(folder.clock.now()) + 1
    newest = store.latest(store.keys(), to_millis(NOON), end)
    return {(one.key.node, one.key.group, one.key.name, one.key.unit): one.value for one in newest}


def test_a_report_is_a_history_of_its_box(folder: Folder) -> None:
    put(folder, encode(report(config=ConfigReport(version=3, refused=4))))
    put(folder, b'{"state":"ready","session":"00000001"}', "status")
    put(folder, b"no report")
    assert kept(folder) == {
        (NODE, "health", name, unit): value
        for name, unit, value in (
            ("uptime", "s", 60), ("rss", "By", 7), ("disk-free", "By", 8), ("spool-depth", "1", 7),
            ("evicted", "1", 1), ("oldest", "s", 90), ("config-refused", "1", 1),
        )
    }  # fmt: skip


def test_what_a_report_does_not_say_is_left_out(folder: Folder) -> None:
    put(folder, encode(report()))
    assert not [name for _, _, name, _ in kept(folder) if name == "config-refused"]


def test_own_figures_once_a_minute(folder: Folder) -> None:
    with writing(folder.journal) as connection:
        connection.execute(journal.counter.insert(), {"name": "duplicates", "value": 7})
    readers = [folder.reader(name) for name in ("journal", "state", "series")]
    own = OwnFigures(*readers, SITE, folder.clock, chain=lambda: CHAIN)
    assert kept(folder, own) == {}
    folder.clock.advance(60)
    found = kept(folder, own)
    assert found[PROBE_NODE, "counter", "duplicates", "1"] == 7
    assert found[PROBE_NODE, "chain_seconds", "p95", "s"] == 0.5
    assert (PROBE_NODE, "chain_seconds", "p50", "s") not in found
    assert found[PROBE_NODE, "chain_green", "chain_green", "1"] == 1
    assert found[PROBE_NODE, "open", "critical", "1"] == 0
    folder.clock.advance(59)
    assert not own()
