"""Rosters as offices keep them: a CSV of dates, hours and names, in either language; pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, timedelta
from typing import Final, TypeVar

import msgspec

from ingest.duty.roster import Dated, Roster
from ingest.spreadsheet import decoded, plain, rows, tidy
from linli.errors import InputError

T = TypeVar("T")
TITLES: Final[dict[str, tuple[str, ...]]] = {
    "date": ("日期", "值班日期", "day"),
    "from": ("开始", "上班", "起", "开始时间", "上班时间", "begin", "start"),
    "to": ("结束", "下班", "止", "结束时间", "下班时间", "end", "until"),
    "hours": ("时间", "班次", "时段", "值班时间", "shift", "time"),
    "names": ("姓名", "人员", "值班人员", "值班人", "name", "people", "person"),
}
"""Each column with what else it may be called."""
_FIELD: Final = {plain(word): name for name, words in TITLES.items() for word in (name, *words)}
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_COMPACT = re.compile(r"(20\d{2})(\d{2})(\d{2})")
_BESIDE_DATE = re.compile(r"[\sT]*(0?0:00(:00)?)?[\s(]*((周|星期)[一二三四五六日天])?[\s)]*")
_CLOCK = re.compile(r"(\d{1,2})(?:[:点时](\d{2})?分?(?::\d{2})?)?")
_FRACTION = re.compile(r"[01]\.\d+")
_SERIAL = re.compile(r"\d{5}(\.0+)?")
_TO = re.compile(r"\s*(?:[-–—~〜至到]|to)\s*")
_NEXT_DAY = re.compile(r"^(次日|翌日|第二天|\+1\s)\s*")
_FORMULA = re.compile(r"'*[=+@]|'*-[^0-9]")
_BETWEEN = re.compile(r"[,;|、/\n]+")
_EXCEL = date(1899, 12, 30)
_FORMULA_RULE = "is a formula, not a value: paste values before saving"
_SHOWN = 40
MOST_FAULTS = 200


class SheetFault(msgspec.Struct, frozen=True, kw_only=True):
    """One rule that a cell breaks; `row` counts as a spreadsheet does: the titles are row 1."""

    row: int
    column: str
    rule: str
    value: str = ""


class RosterSheet(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says, day by day; `unknown` are names that nobody in the registry has.

    `faults` are the first of all that were found.
    """

    days: dict[date, tuple[Dated, ...]]
    faults: tuple[SheetFault, ...] = ()
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Names:
    """Who is meant by a name: an id or what people are called, of the team before all others."""

    def __init__(self, people: Mapping[str, Iterable[str]], team: Collection[str]) -> None:
        self._known: dict[str, set[str]] = {}
        self._team = frozenset(team)
        for one, labels in people.items():
            for label in (one, *labels):
                self._known.setdefault(plain(label), set()).add(one)

    def of(self, name: str) -> tuple[str, ...]:
        """Return whom a name may mean; one when it is sure."""
        found = self._known.get(plain(name), set())
        near = found & self._team
        return tuple(sorted(near if len(near) == 1 else found))


def read(data: bytes, names: Names) -> RosterSheet:
    """Read a file. Raises InputError for a file that is none, too large, or without the columns."""
    text, notes = decoded(data)
    found = rows(text, lambda title: plain(title) in _FIELD)
    fields = _fields(next(found, (1, []))[1])
    reader = _Reader(names)
    for number, cells in found:
        if any(tidy(cell) for cell in cells):
            given = {name: cell for name, cell in zip(fields, cells, strict=False) if name}
            reader.take(number, given)
    return RosterSheet(
        days={day: tuple(ones) for day, ones in sorted(reader.days.items())},
        faults=tuple(reader.faults),
        unknown=tuple(sorted(reader.unknown)),
        notes=notes,
    )


def merged(roster: Roster, days: Mapping[date, Iterable[Dated]]) -> Roster:
    """Return the roster with the dated shifts of these days as given; other days stay."""
    kept = [one for one in roster.dated if one.day not in days]
    new = [one for ones in days.values() for one in ones]
    dated = sorted([*kept, *new], key=lambda one: (one.day, one.begin, one.end, one.people))
    return msgspec.structs.replace(roster, dated=tuple(dated))


class WrongCellError(ValueError):
    """A cell cannot be used, in words."""


class _Reader:
    """Gathers rows by day."""

    def __init__(self, names: Names) -> None:
        self.days: dict[date, list[Dated]] = {}
        self.faults: list[SheetFault] = []
        self.unknown: set[str] = set()
        self._names = names

    def take(self, number: int, given: Mapping[str, str]) -> None:
        """Take one row."""
        day = self._cell(number, "date", given, date_of)
        if "hours" in given and not tidy(given.get("from", "")):
            hours = self._cell(number, "hours", given, hours_of)
        else:
            begin = self._cell(number, "from", given, clock_of)
            end = self._cell(number, "to", given, clock_of)
            hours = None if begin is None or end is None else (begin, end)
        people = self._people(number, given)
        if day is None or hours is None or not people:
            return
        made = Dated(day=day, begin=hours[0], end=hours[1], people=people)
        ones = self.days.setdefault(day, [])
        if made not in ones:
            ones.append(made)

    def _cell(
        self, row: int, column: str, given: Mapping[str, str], of: Callable[[str], T]
    ) -> T | None:
        cell = unicodedata.normalize("NFKC", tidy(given.get(column, "")))
        rule = "is needed" if not cell else _FORMULA_RULE if _FORMULA.match(cell) else None
        if rule is None:
            try:
                return of(cell)
            except WrongCellError as wrong:
                rule = str(wrong)
        self._fault(row, column, rule, cell)
        return None

    def _people(self, row: int, given: Mapping[str, str]) -> tuple[str, ...]:
        cell = given.get("names", "")
        if _FORMULA.match(tidy(cell)):
            self._fault(row, "names", _FORMULA_RULE, cell)
            return ()
        said = [
            one
            for part in _BETWEEN.split(cell.replace("，", ",").replace("；", ";"))
            for one in self._split(tidy(part))
        ]
        if not said:
            self._fault(row, "names", "names nobody", "")
        found: list[str] = []
        for name in said:
            meant = self._names.of(name)
            if len(meant) == 1:
                found += meant
                continue
            rule = "is nobody in the registry"
            if meant:
                rule = f"may be {' or '.join(meant[:4])}: write the id"
            else:
                self.unknown.add(name[:_SHOWN])
            self._fault(row, "names", rule, name)
        return tuple(dict.fromkeys(found)) if len(found) >= len(said) else ()

    def _split(self, part: str) -> list[str]:
        """Return a name that may hold spaces, else the words: several names with spaces between."""
        if not part:
            return []
        return [part] if self._names.of(part) else part.split(" ")

    def _fault(self, row: int, column: str, rule: str, value: str) -> None:
        if len(self.faults) < MOST_FAULTS:
            fault = SheetFault(row=row, column=column, rule=rule, value=tidy(value)[:_SHOWN])
            self.faults.append(fault)


def date_of(cell: str) -> date:
    """Return a date as people or Excel write it. Raises WrongCellError."""
    if _SERIAL.fullmatch(cell):  # days since 1900, as Excel keeps dates
        return _EXCEL + timedelta(days=int(cell.partition(".")[0]))
    found = _DATE.match(cell) or _COMPACT.fullmatch(cell)
    if found is None or not _BESIDE_DATE.fullmatch(cell[found.end() :]):
        raise WrongCellError("is no date with its year first, such as 2026-03-02")
    year, month, day = map(int, found.groups())
    try:
        return date(year, month, day)
    except ValueError:
        raise WrongCellError("is no day of the calendar") from None


def clock_of(cell: str) -> str:
    """Return a time of day as HH:MM; 24:00 is 00:00. Raises WrongCellError."""
    cell = _NEXT_DAY.sub("", cell)
    if _FRACTION.fullmatch(cell):  # parts of a day, as Excel keeps times
        minutes = round(float(cell) * 24 * 60)
    else:
        found = _CLOCK.fullmatch(cell)
        minutes = -1 if found is None else int(found.group(1)) * 60 + int(found.group(2) or 0)
        if found is not None and int(found.group(2) or 0) > 59:
            minutes = -1
    if not 0 <= minutes <= 24 * 60:
        raise WrongCellError("is no time of day, such as 08:00")
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}"


def hours_of(cell: str) -> tuple[str, str]:
    """Return both ends of `08:00-20:00`. Raises WrongCellError."""
    parts = _TO.split(cell)
    if len(parts) != 2:
        raise WrongCellError("is no span of hours, such as 08:00-20:00")
    begin, end = (clock_of(one) for one in parts)
    return begin, end


def _fields(titles: list[str]) -> list[str | None]:
    fields = [_FIELD.get(plain(one)) for one in titles[:64]]
    fields += [None] * (len(titles) - len(fields))
    named = [one for one in fields if one]
    twice = next((one for one in named if named.count(one) > 1), None)
    if twice is not None:
        raise InputError(f"two columns are called {twice!r}", where="row 1")
    hours = "hours" in named or {"from", "to"} <= set(named)
    missing = [one for one in ("date", "names") if one not in named]
    missing += [] if hours else ["from", "to"]
    if missing:
        words = " and ".join(f"{one!r} ({TITLES[one][0]})" for one in missing)
        raise InputError(f"there is no column {words}", where="row 1", hint="See docs/duty.md")
    return fields
