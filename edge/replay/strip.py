"""A recording on one sheet: a few moments, and below them each scenario over time, with why."""

from __future__ import annotations

import textwrap

import cv2
import numpy as np

from edge.replay.course import Story, why
from edge.replay.draw import COLOURS, INK, PAPER, ROW, Colour, Image, words
from edge.replay.held import HeldDoor
from edge.replay.play import Played

WIDTH, MARGIN, LANE = 1280, 20, 16
_COLUMNS, _GAP = 4, 8
_THUMB = (WIDTH - 2 * MARGIN - (_COLUMNS - 1) * _GAP) // _COLUMNS
_MOST = 40  # moments that are kept while it plays
_LETTERS = 150
_MOST_LINES = 12
_TICKS = 8
_EMPTY: Colour = (225, 225, 222)
_HELD: Colour = (120, 170, 60)


class Album:
    """Moments worth showing, small, bounded: all with news as long as there is room, some between.

    Every `stride`th frame is kept; when there are too many, every other one goes and `stride`
    doubles.
    """

    def __init__(self) -> None:
        self._news: list[tuple[float, Image]] = []
        self._between: list[tuple[float, Image]] = []
        self._stride, self._at = 1, 0

    def wants(self, *, news: bool) -> bool:
        """Tell whether the next moment would be kept; called once for each."""
        due = self._at % self._stride == 0
        self._at += 1
        return due or (news and len(self._news) < _MOST)

    def keep(self, media: float, picture: Image, *, news: bool) -> None:
        """Keep a moment's drawn picture."""
        height = round(picture.shape[0] * _THUMB / picture.shape[1])
        small = cv2.resize(picture, (_THUMB, height), interpolation=cv2.INTER_AREA)
        mine = self._news if news and len(self._news) < _MOST else self._between
        mine.append((media, np.asarray(small, np.uint8)))
        if len(self._between) > _MOST:
            self._between, self._stride = self._between[::2], self._stride * 2

    def chosen(self) -> list[tuple[float, Image]]:
        """Return one row of moments in their order: those with news first, filled evenly."""
        chosen = _evenly(self._news, _COLUMNS)
        chosen += _evenly(self._between, _COLUMNS - len(chosen))
        return sorted(chosen, key=lambda one: one[0])


def strip(played: Played, album: Album, title: str) -> Image:
    """Return the sheet [h, 1280, 3] BGR."""
    rows = [_title(title), _moments(album), _axis(played.seconds)]
    rows += [_story(story, played.seconds) for story in played.stories]
    rows += [_door(door, played.seconds) for door in played.doors]
    rows += [_lines(_cut(played.others()))]
    return np.asarray(np.concatenate(rows), np.uint8)


def _evenly(found: list[tuple[float, Image]], count: int) -> list[tuple[float, Image]]:
    if count <= 0 or not found:
        return []
    at = np.linspace(0, len(found) - 1, min(count, len(found))).round().astype(int)
    return [found[index] for index in at]


def _sheet(height: int) -> Image:
    return np.full((height, WIDTH, 3), PAPER, np.uint8)


def _title(title: str) -> Image:
    sheet = _sheet(34)
    words(sheet, (MARGIN, 24), title, size=0.6)
    return sheet


def _moments(album: Album) -> Image:
    chosen = album.chosen()
    height = max((picture.shape[0] for _, picture in chosen), default=0)
    sheet = _sheet(height + ROW + 6)
    for column, (media, picture) in enumerate(chosen):
        x = MARGIN + column * (_THUMB + _GAP)
        sheet[: picture.shape[0], x : x + _THUMB] = picture
        words(sheet, (x, picture.shape[0] + ROW - 4), f"{media:.1f} s")
    return sheet


def _axis(seconds: float) -> Image:
    sheet = _sheet(24)
    for tick in range(_TICKS + 1):
        at = seconds * tick / _TICKS
        x = _x(at, seconds)
        cv2.line(sheet, (x, 18), (x, 23), INK, 1)
        words(
            sheet,
            (min(x, WIDTH - 60), 14),
            f"{at:.1f} s" if seconds < 60 else f"{at:.0f} s",
            size=0.4,
        )
    return sheet


def _story(story: Story, seconds: float) -> Image:
    rule = story.scenario
    sheet = _sheet(ROW + LANE + 6)
    head = f"{rule.event} in {rule.zone}" + (" (shadow)" if rule.shadow else "")
    words(sheet, (MARGIN, ROW - 5), head, size=0.5)
    top = ROW
    _bar(sheet, top, (MARGIN, WIDTH - MARGIN), _EMPTY)
    for span in story.spans:
        if span.phase != "none":
            ends = (_x(span.start, seconds), _x(span.end, seconds))
            _bar(sheet, top, ends, COLOURS[span.phase])
    for course in story.begun:
        x = _x(course.begun or 0.0, seconds)
        cv2.line(sheet, (x, top - 4), (x, top + LANE + 3), INK, 2)
    lines = [
        part
        for line in why(story)
        for part in textwrap.wrap(line, _LETTERS, subsequent_indent=" " * 8) or [""]
    ]
    return np.asarray(np.concatenate((sheet, _lines(_cut(lines)))), np.uint8)


def _cut(lines: list[str]) -> list[str]:
    if len(lines) <= _MOST_LINES:
        return lines
    return [*lines[: _MOST_LINES - 1], f"... and {len(lines) - _MOST_LINES + 1} lines more"]


def _lines(lines: list[str]) -> Image:
    sheet = _sheet(ROW * len(lines) + 8)
    for row, line in enumerate(lines, 1):
        words(sheet, (MARGIN, ROW * row - 5), line, size=0.42)
    return sheet


def _door(door: HeldDoor, seconds: float) -> Image:
    sheet = _sheet(2 * ROW + LANE + 14)
    words(sheet, (MARGIN, ROW - 5), f"door {door.id}, as it would have been held", size=0.5)
    _bar(sheet, ROW, (MARGIN, WIDTH - MARGIN), _EMPTY)
    for hold in door.holds:
        ends = (_x(hold.start, seconds), _x(hold.end or seconds, seconds))
        _bar(sheet, ROW, ends, _HELD)
    words(sheet, (MARGIN, ROW + LANE + ROW - 3), held(door), size=0.42)
    return sheet


def held(door: HeldDoor) -> str:
    """Return in words when a door would have been held."""
    if not door.holds:
        return "never"
    return "; ".join(
        f"{one.start:.1f} s to "
        + (f"{one.end:.1f} s" if one.end is not None else "the end")
        + f" ({one.reason})"
        for one in door.holds
    )


def _bar(sheet: Image, top: int, span: tuple[int, int], colour: Colour) -> None:
    left, right = span
    cv2.rectangle(sheet, (left, top), (max(right, left + 2), top + LANE), colour, -1)


def _x(at: float, seconds: float) -> int:
    share = at / seconds if seconds > 0 else 0.0
    return MARGIN + round(share * (WIDTH - 2 * MARGIN))
