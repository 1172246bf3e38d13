from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from house import CAMERA, NOON, Folder
from msgspec.structs import replace
from series_contract import KEY

from ingest.consumers.incidents import IncidentEffect
from ingest.consumers.rules import RuleWork
from ingest.consumers.series import SeriesJob
from ingest.consumers.work import Cursor
from ingest.feed import Feed
from ingest.series.memory import MemoryTimeseries
from ingest.series.timeseries import from_millis
from ingest.store import state
from linli.codec import encode
from linli.events import Reading, TelemetryData, TelemetryMessage

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FAR = 2**41


@pytest.fixture
def folder(tmp_path: Path):
    folder = Folder(tmp_path)
    yield folder
    folder.close()


def put(folder: Folder, *ages: float, clock: datetime, **envelope) -> None:
    """Journal readings by a clock that stood at `clock` when the message was written."""
    told = tuple(
        Reading(n="fps", v=index, u="/s", t=clock - timedelta(seconds=age))
        for index, age in enumerate(ages)
    )
    message = TelemetryMessage(
        **folder._fact("telemetry", "camera", CAMERA, clock), data=TelemetryData(readings=told)
    )
    folder.put("telemetry", "camera", encode(replace(message, **envelope)), event_id=message.id)


def unset(seconds: float) -> dict[str, object]:
    """What a node says of itself that came up so long ago and whose clock began at 1970."""
    return {"clocksync": "unsynced", "bootid": "0000000b", "uptimems": int(seconds * 1000)}


def times(folder: Folder) -> list[datetime]:
    """Let incidents and series come up to the journal; return when the readings lie."""
    incidents = IncidentEffect(Feed(), RuleWork(folder.reader("journal"), UTC))
    cursor = Cursor(folder.reader("journal"), folder.state, state.cursor, incidents)
    while cursor.step():
        pass
    timeseries = MemoryTimeseries()
    job = SeriesJob(folder.reader("journal"), timeseries, Feed(), folder.reader("state"))
    while job.step():
        pass
    return [from_millis(one.time) for one in timeseries.samples(KEY, 0, FAR, 100)]


def test_readings_of_an_unset_clock_lie_when_they_were_measured(folder: Folder) -> None:
    """Up for 50 s when written, held for ten minutes; a report in time says when it came up."""
    folder.put_report(unsynced=("0000000b", 30_000))
    folder.clock.advance(620)
    put(folder, 20, 0, clock=EPOCH + timedelta(seconds=50), **unset(50))
    assert times(folder) == [NOON, NOON + timedelta(seconds=20)]


def test_without_a_report_in_time_they_lie_where_they_were_received(folder: Folder) -> None:
    put(folder, 20, 0, clock=EPOCH + timedelta(seconds=50), **unset(50))
    assert times(folder) == [NOON - timedelta(seconds=20), NOON]


def test_an_unset_clock_that_says_nothing_of_its_uptime_is_moved_as_a_whole(folder) -> None:
    put(folder, 20, 0, clock=EPOCH + timedelta(seconds=50), clocksync="unsynced")
    assert times(folder) == [NOON - timedelta(seconds=20), NOON]


def test_a_clock_that_only_claims_to_be_set_is_moved_as_a_whole(folder: Folder) -> None:
    put(folder, 20, 0, clock=EPOCH + timedelta(seconds=50))
    put(folder, 40, 10, clock=NOON + timedelta(days=3))
    moved = [timedelta(seconds=-one) for one in (40, 20, 10, 0)]
    assert times(folder) == [NOON + one for one in moved]


def test_readings_that_waited_for_weeks_lie_where_they_were_measured(folder: Folder) -> None:
    put(folder, 20, 0, clock=NOON - timedelta(days=29))
    assert times(folder) == [
        NOON - timedelta(days=29, seconds=20),
        NOON - timedelta(days=29),
    ]


@pytest.mark.parametrize(
    "wrong", [datetime(1, 1, 1, tzinfo=UTC), EPOCH, datetime(9999, 12, 31, tzinfo=UTC)]
)
def test_one_reading_with_an_impossible_time_lies_where_it_was_received(folder, wrong) -> None:
    message = TelemetryMessage(
        **folder._fact("telemetry", "camera", CAMERA, NOON),
        data=TelemetryData(readings=(Reading(n="fps", v=1, u="/s", t=wrong),)),
    )
    folder.put("telemetry", "camera", encode(message), event_id=message.id)
    assert times(folder) == [NOON]
