"""What messages say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import msgspec
import pytest

from ingest.notify.message import Message, cut, fitted
from ingest.notify.texts import Kind, Story, digest, written

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 3, 2, 3, 27, tzinfo=UTC)
STORY = Story(
    number=12,
    severity="critical",
    what="电动车进电梯",
    where="3号楼 1号电梯",
    since=NOW - timedelta(minutes=3),
    did=("电梯门已保持打开", "已播放语音提示"),
    todo="到现场请车主把车推出电梯",
)


def test_a_call_says_what_where_since_when_what_was_done_and_what_to_do() -> None:
    title, lines = written(STORY, "call", "zh", now=NOW, zone=ZONE)
    assert title == "【紧急】#12 电动车进电梯 · 3号楼 1号电梯"
    assert lines == (
        "时间:11:24 起,已 3 分钟",
        "设备已自动:电梯门已保持打开、已播放语音提示",
        "请:到现场请车主把车推出电梯",
    )


def test_the_same_in_english() -> None:
    story = msgspec.structs.replace(
        STORY, what="E-bike in the lift", where="Building 3, lift 1", did=(), todo="Ask them out"
    )
    title, lines = written(story, "call", "en", now=NOW, zone=ZONE)
    assert title == "[Critical] #12 E-bike in the lift · Building 3, lift 1"
    assert lines == ("Since: 11:24, 3 min", "Please: Ask them out")


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_kind_names_the_incident_in_both_languages(kind: Kind) -> None:
    zh, en = (written(STORY, kind, language, now=NOW, zone=ZONE)[0] for language in ("zh", "en"))
    assert "#12" in zh
    assert "#12" in en


def test_who_came_is_named_and_nothing_is_asked_any_more() -> None:
    story = msgspec.structs.replace(STORY, by="王师傅")
    _, lines = written(story, "seen", "zh", now=NOW, zone=ZONE)
    assert "处理人:王师傅" in lines
    assert not any(line.startswith("请") for line in lines)


def test_yesterday_and_late() -> None:
    story = msgspec.structs.replace(STORY, since=NOW - timedelta(hours=14), late=True)
    _, lines = written(story, "call", "zh", now=NOW, zone=ZONE)
    assert lines[0] == "时间:3月1日 21:27 起,已 14 小时"
    assert lines[1] == "这条消息来得晚,现场仍在继续"


def test_a_name_cannot_add_lines() -> None:
    story = msgspec.structs.replace(STORY, where="3号楼\n【紧急】#99 假消息")
    title, _ = written(story, "call", "zh", now=NOW, zone=ZONE)
    assert "\n" not in title


def test_a_digest_has_the_worst_first_and_every_link() -> None:
    low = Message(key="a", title="低", lines=("x",), severity="low", link="https://l/1", asks=True)
    high = Message(
        key="b", title="高", lines=("y",), severity="high", link="https://l/2", number=7, asks=True
    )
    more = Message(key="c", title="中", lines=(), severity="medium", number=9, asks=True)
    one = digest((low, high, more), "d")
    assert one.title == "【重要】3 条告警待处理"
    assert one.lines == ("#7 #9", "高", "https://l/2", "中", "低", "https://l/1")
    assert (one.key, one.severity) == ("d", "high")


def test_a_digest_of_what_is_over_does_not_say_that_it_waits() -> None:
    done = [
        Message(key=str(number), title="已解决", lines=(), severity="low", number=number)
        for number in (1, 2, 3)
    ]
    assert digest(done, "d").title == "【提示】3 条告警消息"
    english = [msgspec.structs.replace(one, language="en") for one in done]
    assert digest(english, "d").title == "[Low] 3 messages"


def test_what_does_not_fit_is_left_out_in_whole_lines() -> None:
    lines = ("#1 #2", "电梯" * 10, "https://linli.test/i/" + "x" * 60)
    assert fitted(lines, 1000) == "\n".join(lines)
    assert fitted(lines, 140) == "\n".join(lines[:2])
    assert fitted((lines[1],), 20) == cut(lines[1], 20)
    assert fitted((), 20) == ""
