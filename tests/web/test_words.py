"""Times, places, sparklines and the choice of a language: tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from dashboards.web.details import explain
from dashboards.web.health import SILENT, STATES, _state
from dashboards.web.language import choose
from dashboards.web.moments import Calendar
from dashboards.web.sparkline import HEIGHT, WIDTH, sparkline
from dashboards.web.words import Words
from ingest.incidents.incident import Incident, Key
from ingest.rules.targets import AREA

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
CHINESE = Words("zh-CN", {})


@pytest.mark.parametrize(
    ("asked", "cookie", "accepted", "expected"),
    [
        (None, None, None, "zh-CN"),
        (None, None, "", "zh-CN"),
        (None, None, "en-GB,en;q=0.9", "en"),
        (None, None, "fr,en;q=0.2,zh-Hant;q=0.7", "zh-CN"),
        (None, None, "fr", "zh-CN"),
        (None, None, "en;q=none", "zh-CN"),
        (None, "en", "zh", "en"),
        ("zh-CN", "en", "en", "zh-CN"),
        ("xx", "en", None, "en"),
        ("<script>", "", "en", "en"),
    ],
)
def test_language(asked: str, cookie: str, accepted: str, expected: str) -> None:
    assert choose(asked, cookie, accepted) == expected


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (-30, "刚刚", "just now"),
        (59, "刚刚", "just now"),
        (60, "1 分钟前", "1 minute ago"),
        (150, "2 分钟前", "2 minutes ago"),
        (3600, "1 小时前", "1 hour ago"),
        (86399, "23 小时前", "23 hours ago"),
        (3 * 86400, "3 天前", "3 days ago"),
    ],
)
def test_ago(seconds: int, zh: str, en: str) -> None:
    at = NOW - timedelta(seconds=seconds)
    assert Calendar("zh-CN", SHANGHAI, NOW).ago(at) == zh
    assert Calendar("en", SHANGHAI, NOW).ago(at) == en


@pytest.mark.parametrize(
    ("at", "iso"),
    [
        (datetime(1, 1, 1, tzinfo=UTC), "1970-01-01T00:00:00Z"),
        (datetime(9999, 12, 31, 23, tzinfo=timezone(-timedelta(hours=14))), "2200-01-01T00:00:00Z"),
    ],
)
def test_times_at_the_end_of_the_calendar_can_be_said(at: datetime, iso: str) -> None:
    for language in ("zh-CN", "en"):
        assert Calendar(language, SHANGHAI, NOW).moment(at).iso == iso


def test_clock_is_the_sites_own() -> None:
    zh, en = Calendar("zh-CN", SHANGHAI, NOW), Calendar("en", SHANGHAI, NOW)
    assert zh.clock(NOW) == "今天 12:00:00"
    # Before midnight in UTC, after it on site.
    assert zh.clock(datetime(2026, 3, 1, 16, 30, tzinfo=UTC)) == "今天 00:30:00"
    assert zh.clock(datetime(2026, 3, 1, 15, 59, tzinfo=UTC)) == "3月1日 23:59:00"
    assert en.clock(datetime(2026, 3, 1, 15, 59, tzinfo=UTC)) == "Mar 1 23:59:00"
    assert "2025" in en.clock(datetime(2025, 12, 31, 15, 59, tzinfo=UTC))
    assert zh.moment(NOW).iso == "2026-03-02T04:00:00Z"


def test_the_page_clock_gets_forms_it_can_fill_in() -> None:
    forms = Calendar("en", SHANGHAI, NOW).ago_forms()
    assert forms["minutes"] == "0 minutes ago"
    assert forms["minute"] == "0 minute ago"
    assert set(forms) == {"now", "minute", "minutes", "hour", "hours", "day", "days"}


@pytest.mark.parametrize(
    ("slug", "zh", "en"),
    [
        ("b03", "3 号楼", "Building 3"),
        ("lift-2", "2 号电梯", "Lift 2"),
        ("gate-n", "北门", "North gate"),
        ("roof-east", "Roof east", "Roof east"),
        ("b0", "B0", "B0"),
    ],
)
def test_places(slug: str, zh: str, en: str) -> None:
    assert Words("zh-CN", {}).area(slug) == zh
    assert Words("en", {}).area(slug) == en


def incident(*, node: str = "n1", title: str | None = None) -> Incident:
    return Incident(
        id="i",
        number=1,
        key=Key(site="c001", node=node, device="b03", event="bin-full"),
        area="b03",
        subject=None,
        state="open",
        condition_active=True,
        severity="low",
        object_label="bin-full",
        count=1,
        opened=NOW,
        first=NOW,
        last=NOW,
        updated=NOW,
        title=title,
    )


def test_what_a_rule_raises_is_called_as_its_rule_says() -> None:
    assert CHINESE.what(incident(title="垃圾桶满了")) == "垃圾桶满了"


def test_what_belongs_to_a_place_is_there_and_nowhere_wider() -> None:
    one = incident(node=AREA)
    assert (CHINESE.where(one.key), CHINESE.place(one)) == ("3 号楼", "")
    assert CHINESE.place(incident()) == "3\u00a0号楼"


def test_sparkline_breaks_at_gaps() -> None:
    line = sparkline([1.0, 2.0, None, None, 4.0, None, 2.0, 2.0])
    assert line is not None
    assert len(line.lines) == 3
    assert line.missing == 3
    assert line.top == 4.0
    for points in line.lines:
        for pair in points.split():
            x, y = map(float, pair.split(","))
            assert -1 <= x <= WIDTH + 1
            assert 0 <= y <= HEIGHT


def test_sparkline_of_nothing_and_of_little() -> None:
    assert sparkline([]) is None
    assert sparkline([None, None]) is None
    alone = sparkline([None, 3.0, None])
    assert alone is not None
    assert len(alone.lines[0].split()) == 2
    zeros = sparkline([0.0, 0.0])
    assert zeros is not None
    assert zeros.top == 1.0


@pytest.mark.parametrize(
    ("said", "zh", "en"),
    [
        (
            "the camera does not answer; trying again in 2.5 s",
            "摄像头没有响应，正在不断重试",
            "The camera does not answer; trying again and again",
        ),
        (
            "cam-1: broken after frame 12 of 300",
            "视频在第 12 帧之后损坏",
            "The video is broken after frame 12",
        ),
        ("something 100% new", "something 100% new", "something 100% new"),
    ],
)
def test_what_edges_say_of_cameras(said: str, zh: str, en: str) -> None:
    assert explain(said, CHINESE) == zh
    assert explain(said, Words("en", {})) == en


@pytest.mark.parametrize(
    "said",
    [
        "the connection broke; trying again in 0.5 s",
        "reading the camera failed; see the log",
        "clip.mp4: no such video file. Check the path",
        "clip: not a file. Give an MP4",
        "clip.mp4: not a video that can be opened. Give an MP4",
        "clip.mp4: no frame of the video can be decoded. Give an MP4",
    ],
)
def test_what_edges_are_known_to_say_is_said_in_chinese(said: str) -> None:
    assert not any(letter.isascii() and letter.isalpha() for letter in explain(said, CHINESE))


def test_who_is_down_is_not_said_to_send_pictures() -> None:
    assert _state("streaming", "ok") == STATES["streaming"]
    assert _state("streaming", "down") == SILENT
    assert _state("failed", "down") == STATES["failed"]
    assert _state("strange", "down") is None
