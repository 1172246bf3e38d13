"""Who is on duty, in words: now, next, and the coming week day by day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from babel.dates import format_skeleton

from dashboards.web.language import Language
from ingest.services.duty_views import DutyView, Someone, TeamDuty, TurnView

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of one day: the same people, or nobody."""

    hours: str
    names: str

    @property
    def gap(self) -> bool:
        """Whether nobody is on duty."""
        return not self.names


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the week ahead."""

    label: str
    iso: str
    pieces: tuple[Piece, ...]

    @property
    def gap(self) -> bool:
        """Whether there is a time without anybody."""
        return any(piece.gap for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Team:
    """A team at a glance; `known` is false when it has no roster."""

    id: str
    label: str
    known: bool
    now: str
    until: str
    then: str
    then_at: str
    gaps: int
    days: tuple[Day, ...]


def teams(view: DutyView, language: Language, zone: tzinfo) -> tuple[Team, ...]:
    """Put a view into words, teams with a roster first."""
    made = [_team(one, view.at, _Words(language, zone)) for one in view.teams]
    return tuple(sorted(made, key=lambda one: not one.known))


@dataclass(frozen=True, slots=True)
class _Words:
    language: Language
    zone: tzinfo

    def names(self, people: Iterable[Someone]) -> str:
        return (
            "、".join(map(self.name, people))
            if self._chinese
            else ", ".join(map(self.name, people))
        )

    def name(self, one: Someone | TeamDuty) -> str:
        return one.label if self._chinese else one.label_en or one.label

    def day(self, day: date) -> str:
        return format_skeleton("MMMEd", day, locale=self.language.replace("-", "_"))

    def moment(self, at: datetime, now: datetime) -> str:
        """Return a time of day, with its day when that is not today."""
        local, today = at.astimezone(self.zone), now.astimezone(self.zone).date()
        clock = local.strftime("%H:%M")
        return clock if local.date() == today else f"{self.day(local.date())} {clock}"

    @property
    def _chinese(self) -> bool:
        return self.language == "zh-CN"


def _team(one: TeamDuty, now: datetime, words: _Words) -> Team:
    return Team(
        id=one.team,
        label=words.name(one),
        known=one.roster,
        now=words.names(one.now.people) if one.now else "",
        until=words.moment(one.now.end, now) if one.now else "",
        then=words.names(one.next.people) if one.next else "",
        then_at=words.moment(one.next.begin, now) if one.next else "",
        gaps=len(one.gaps),
        days=tuple(_days(one, now, words)) if one.roster else (),
    )


def _days(one: TeamDuty, now: datetime, words: _Words) -> Iterable[Day]:
    spans = [(turn.begin, turn.end, _of(turn, words)) for turn in one.week]
    spans += [(gap.begin, gap.end, "") for gap in one.gaps]
    spans.sort()
    first = now.astimezone(words.zone).date()
    for number in range(8):
        day = first + number * _DAY
        pieces = tuple(_pieces(spans, day, words))
        if pieces:
            yield Day(words.day(day), day.isoformat(), pieces)


def _of(turn: TurnView, words: _Words) -> str:
    return words.names(turn.people)


def _pieces(
    spans: Iterable[tuple[datetime, datetime, str]], day: date, words: _Words
) -> Iterable[Piece]:
    begin, end = (
        datetime.combine(one, time(), words.zone).astimezone(UTC) for one in (day, day + _DAY)
    )
    for start, stop, names in spans:
        if start < end and stop > begin:
            left = max(start, begin).astimezone(words.zone).strftime("%H:%M")
            right = "24:00" if stop >= end else stop.astimezone(words.zone).strftime("%H:%M")
            yield Piece(f"{left}–{right}", names)
