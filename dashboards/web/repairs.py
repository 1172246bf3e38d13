"""What is wrong with the system, as the pages show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboards.web.language import msg
from dashboards.web.moments import Calendar, Moment
from dashboards.web.repair_figures import figures
from dashboards.web.repair_words import ADVICE, OTHER, Advice
from dashboards.web.words import Words
from ingest.accounts.account import Right, Viewer
from ingest.repairs.finding import Level
from ingest.services.repairs import FindingView
from ingest.services.views import Health

SHAPES: dict[Level, Health] = {"bad": "down", "warning": "degraded", "ok": "ok"}
RIGHTS: dict[str, Right] = {
    "/channels": "arrange",
    "/devices": "see",
    "/settings/calls": "act",
    "/settings/joining": "administer",
}
"""Who may open the pages that the words lead to."""


@dataclass(frozen=True, slots=True)
class Repair:
    """Everything that is found under one code; `details` are (what, do) in the doctor's English.

    `figures` are what of them is a figure, in the language of the page. Both are empty for those
    who may not arrange things.
    """

    code: str
    level: Level
    shape: Health
    title: str
    since: Moment
    means: str
    do: str
    path: str | None
    boxes: tuple[str, ...]
    figures: tuple[str, ...]
    details: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Trouble:
    """The strip on the desk and the wall: the first that is serious, and how many more."""

    title: str
    since: Moment
    more: int


def repairs(
    found: Sequence[FindingView],
    viewer: Viewer,
    words: Words,
    calendar: Calendar,
    labels: Mapping[str, str],
) -> tuple[Repair, ...]:
    """Put what was found into words, one of each code, in the order in which it was found."""
    groups: dict[str, list[FindingView]] = {}
    for one in found:
        groups.setdefault(one.code, []).append(one)
    return tuple(_repair(group, viewer, words, calendar, labels) for group in groups.values())


def trouble(found: Sequence[FindingView], words: Words, calendar: Calendar) -> Trouble | None:
    """Return the strip, None when nothing is serious."""
    codes = list(dict.fromkeys(one.code for one in found))
    if not codes:
        return None
    title = words.say(ADVICE.get(codes[0], OTHER).title)
    return Trouble(title, calendar.moment(_since(found, codes[0])), len(codes) - 1)


def _repair(
    group: Sequence[FindingView],
    viewer: Viewer,
    words: Words,
    calendar: Calendar,
    labels: Mapping[str, str],
) -> Repair:
    first = group[0]
    advice = ADVICE.get(first.code, OTHER)
    nodes = dict.fromkeys(one.node for one in group if one.node)
    return Repair(
        code=first.code,
        level=first.level,
        shape=SHAPES[first.level],
        title=words.say(advice.title),
        since=calendar.moment(_since(group, first.code)),
        means=words.say(advice.means) if advice.means else "",
        do=words.say(advice.do),
        path=_path(advice, viewer),
        boxes=tuple(labels.get(one, one) for one in nodes),
        figures=tuple(_figures(group, words, labels)),
        details=tuple((one.what, one.do or "") for one in group if one.what),
    )


def _figures(
    group: Sequence[FindingView], words: Words, labels: Mapping[str, str]
) -> Iterator[str]:
    """Yield the figures of each, with its box where there are several."""
    for one in group:
        said = figures(one.what or "", words)
        if said and one.node and len(group) > 1:
            yield f"{labels.get(one.node, one.node)}{words.say(msg(': '))}{said}"
        elif said:
            yield said


def _path(advice: Advice, viewer: Viewer) -> str | None:
    """Return the page where it can be done, None where this viewer may not open it."""
    if not advice.path or not viewer.may_everywhere(RIGHTS[advice.path]):
        return None
    return advice.path


def _since(found: Sequence[FindingView], code: str) -> datetime:
    return min(one.since for one in found if one.code == code)
