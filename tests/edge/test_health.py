"""What a node says of itself: rates over the time since last asked, memory, disk, clock."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from edge import health, messages
from edge.health import CameraCounts, CameraMeter
from edge.lives import Lives
from edge.messages import Address, Stamp
from linli.clock import SystemClock
from linli.codec import decode
from linli.events import MAX_PAYLOAD, ConfigReport, LaneReport, Reading, ReportMessage
from linli.process import rss

STAMP = Stamp(datetime(2026, 3, 2, 11, 24, 5, tzinfo=UTC))
ADDRESS = Address("c001", "b03", "c001-n01")


def _meter() -> CameraMeter:
    meter = CameraMeter("cam", now=100.0)
    meter.now_is("streaming")
    meter.count(CameraCounts(read=500, inferred=50, dropped=3))
    meter.inferred(0.020, people=4)
    meter.inferred(0.030, people=2)
    return meter


def test_rates_are_of_the_time_since_last_asked_each_for_itself() -> None:
    meter = _meter()
    assert meter.report(now=110.0).fps == 5.0
    meter.count(CameraCounts(inferred=60))
    assert meter.report(now=120.0).fps == 1.0
    assert meter.readings(now=120.0, stamp=STAMP)[0].v == 3.0
    assert meter.report(now=120.0).fps == 0.0


def test_readings_are_means_and_the_latest_people() -> None:
    meter = _meter()
    assert meter.readings(now=110.0, stamp=STAMP) == (
        Reading(n="fps", v=5.0, u="/s", t=STAMP.now),
        Reading(n="inference-time", v=25.0, u="ms", t=STAMP.now),
        Reading(n="people", v=2, u="1", t=STAMP.now),
    )
    assert [reading.n for reading in meter.readings(now=120.0, stamp=STAMP)] == ["fps"]


@pytest.mark.parametrize("state", ["starting", "ended", "failed"])
def test_a_camera_that_is_off_has_no_readings(state: health.CameraState) -> None:
    meter = CameraMeter("cam", now=0.0)
    meter.now_is(state)
    assert meter.readings(now=10.0, stamp=STAMP) == ()


def test_state_changes_are_told_once() -> None:
    meter = CameraMeter("cam", now=0.0)
    assert meter.now_is("stalled", "away")
    assert not meter.now_is("stalled", "away")
    meter.count(CameraCounts(withheld=3))
    report = meter.report(now=1.0)
    assert (report.state, report.detail, report.withheld) == ("stalled", "away", 3)


def test_report_of_many_cameras_in_trouble_fits(tmp_path: Path) -> None:
    meters = [CameraMeter("c" * 32, now=0.0) for _ in range(64)]
    many = dict.fromkeys(CameraCounts.__slots__, 10**9)  # six years of five a second
    for meter in meters:
        meter.now_is("failed", "坏" * 1000)
        meter.count(CameraCounts(**many))
    reports = [meter.report(now=1.0) for meter in meters]
    topic = ADDRESS.topic("self", "health", "report")
    lanes = [LaneReport(lane=one, pending=9, evicted=9, dead=9) for one in ("events", "telemetry")]
    data = health.report_data(
        *("1.0", 12.5, tmp_path, lanes, reports),
        config=ConfigReport(version=2, refused=3, detail="坏" * 256),
        lives=Lives().another("坏" * 1000),
        model="坏" * 1000,
    )
    assert len(messages.report(topic, STAMP, data)) < MAX_PAYLOAD
    assert (data.restarts, data.fell) == (1, "坏" * 200)


def test_report_keeps_the_contract(tmp_path: Path) -> None:
    lane = LaneReport(lane="events", pending=1, evicted=0, dead=0)
    data = health.report_data(
        "1.0", 12.5, tmp_path, [lane], [_meter().report(now=110.0)], damaged=2
    )
    topic = ADDRESS.topic("self", "health", "report")
    message = decode(topic, messages.report(topic, STAMP, data)).message
    assert isinstance(message, ReportMessage)
    assert message.data == data
    assert message.data.damaged == 2
    assert data.diskfree > 0


def test_rss_is_what_the_system_says() -> None:
    assert rss() == pytest.approx(psutil.Process().memory_info().rss, rel=0.05)


@pytest.mark.parametrize("sync", ["synced", "unsynced"])
def test_stamp_says_how_to_place_it_when_the_clock_is_wrong(
    monkeypatch: pytest.MonkeyPatch, sync: str
) -> None:
    monkeypatch.setattr(health, "clock_sync", lambda: sync)
    stamp = health.stamp(SystemClock())
    assert stamp.sync == sync
    assert (stamp.bootid is None, stamp.uptimems is None) == (sync == "synced",) * 2
    topic = ADDRESS.topic("self", "health", "report")
    data = health.report_data("1.0", 0.0, Path("/"), [], [])
    assert decode(topic, messages.report(topic, stamp, data)).unknown_fields == 0


def test_kernel_answers_about_its_clock() -> None:
    assert health.clock_sync() in {"synced", "unsynced"}
