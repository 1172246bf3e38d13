"""What a message says, in Chinese or English: plain words, the worst first. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Literal

import msgspec

from ingest.notify.message import Language, Message
from linli.counted import counted
from linli.events import Severity

Kind = Literal["call", "reminder", "seen", "ended", "resolved", "test"]
_SEVERITY: dict[Language, dict[Severity, str]] = {
    "zh": {"critical": "紧急", "high": "重要", "medium": "一般", "low": "提示"},
    "en": {"critical": "Critical", "high": "High", "medium": "Medium", "low": "Low"},
}
_ORDER: tuple[Severity, ...] = ("critical", "high", "medium", "low")
_KINDS: dict[Language, dict[Kind, str]] = {
    "zh": {
        "call": "",
        "reminder": "仍未处理完 · ",
        "seen": "已有人处理 · ",
        "ended": "现场已恢复 · ",
        "resolved": "已解决 · ",
        "test": "测试消息 · ",
    },
    "en": {
        "call": "",
        "reminder": "Still open · ",
        "seen": "Being handled · ",
        "ended": "Over by itself · ",
        "resolved": "Resolved · ",
        "test": "Test · ",
    },
}
_HOUR = timedelta(hours=1)


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """One incident in the words of one language: what, where, what was done, what to do."""

    number: int
    severity: Severity
    what: str
    where: str
    since: datetime
    did: tuple[str, ...] = ()
    todo: str = ""
    by: str | None = None
    late: bool = False


def written(
    story: Story, kind: Kind, language: Language, *, now: datetime, zone: tzinfo
) -> tuple[str, tuple[str, ...]]:
    """Return the title and the lines below it; names of any length and on one line."""
    what, where = _tidy(story.what), _tidy(story.where)
    severity = _SEVERITY[language][story.severity]
    prefix = _KINDS[language][kind]
    if language == "zh":
        title = f"【{severity}】#{story.number} {prefix}{what} · {where}"
    else:
        title = f"[{severity}] #{story.number} {prefix}{what} · {where}"
    return title, tuple(_lines(story, kind, language, now, zone))


def _lines(
    story: Story, kind: Kind, language: Language, now: datetime, zone: tzinfo
) -> Sequence[str]:
    chinese = language == "zh"
    begun = _since(story.since, now, zone, chinese=chinese)
    lines = [f"{'时间:' if chinese else 'Since: '}{begun}"]
    if story.late:
        lines.append(
            "这条消息来得晚,现场仍在继续" if chinese else "Heard of late; it still goes on"
        )
    if story.did:
        done = ("、" if chinese else ", ").join(_tidy(one) for one in story.did)
        lines.append(f"{'设备已自动:' if chinese else 'Done by itself: '}{done}")
    if story.by and kind in ("seen", "resolved"):
        lines.append(f"{'处理人:' if chinese else 'By: '}{_tidy(story.by)}")
    if story.todo and kind in ("call", "reminder"):
        lines.append(f"{'请:' if chinese else 'Please: '}{_tidy(story.todo)}")
    return lines


def _since(since: datetime, now: datetime, zone: tzinfo, *, chinese: bool) -> str:
    there, today = since.astimezone(zone), now.astimezone(zone)
    clock = f"{there:%H:%M}"
    if there.date() != today.date():
        clock = f"{there.month}月{there.day}日 {clock}" if chinese else f"{there:%d %b} {clock}"
    minutes = int(max(now - since, timedelta()) / timedelta(minutes=1))
    if minutes < 1:
        return f"{clock} 刚刚" if chinese else f"{clock}, just now"
    if minutes < 60:
        return f"{clock} 起,已 {minutes} 分钟" if chinese else f"{clock}, {minutes} min"
    hours = int((now - since) / _HOUR)
    return f"{clock} 起,已 {hours} 小时" if chinese else f"{clock}, {hours} h"


def digest(messages: Sequence[Message], key: str) -> Message:
    """Make one message of several for one recipient, the worst first, each with its link.

    Their numbers stand in front of all, so that a channel with little room leaves none unsaid.
    """
    ordered = sorted(messages, key=lambda one: _ORDER.index(one.severity))
    worst, language = ordered[0].severity, ordered[0].language
    count = len(ordered)
    name = _SEVERITY[language][worst]
    waiting = all(one.asks for one in ordered)
    if language == "zh":
        title = f"【{name}】{count} 条告警{'待处理' if waiting else '消息'}"
    else:
        title = f"[{name}] " + (
            f"{counted(count, 'alarm')} waiting" if waiting else counted(count, "message")
        )
    numbers = dict.fromkeys(one.number for one in ordered if one.number is not None)
    lines = [" ".join(f"#{number}" for number in numbers)] if numbers else []
    lines += [part for one in ordered for part in (one.title, *((one.link,) if one.link else ()))]
    return Message(key=key, title=title, lines=tuple(lines), severity=worst, language=language)


def _tidy(text: str) -> str:
    return " ".join(text.split())
