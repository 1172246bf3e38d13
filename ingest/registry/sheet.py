"""Registry files as people keep them: CSV from and for Excel, in either language; pure."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from ingest.registry.plan import Wish
from ingest.registry.records import KINDS, PLACE_KINDS, TYPES, Key, Place, Record, RecordType
from ingest.registry.rules import Records
from ingest.registry.values import RegistryFault, build
from ingest.registry.words import COLUMNS, LISTS, VALUES, Titles, field_of, title, value_of, word
from ingest.spreadsheet import decoded, rows, tidy
from linli.errors import InputError

_MOST_COLUMNS = 64
_SEPARATORS = re.compile(r"[\s,;|、，；]+")
_FORMULA = re.compile(r"'*[=+\-@＝＋－＠]")
_ESCAPED = re.compile(r"'+[=+\-@＝＋－＠]")
_NARROW = frozenset({"id", "place", "network", "power", "team", "phone"})


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file asks for: how records should be, and what in it breaks a rule.

    `refused` names the records whose rows do; `notes` say how the file was read.
    """

    wishes: tuple[Wish, ...]
    faults: tuple[RegistryFault, ...]
    refused: Mapping[Key, int]
    notes: tuple[str, ...]


def read(data: bytes, current: Records, default: str | None = None) -> Sheet:
    """Read a file; a column that it lacks leaves its field as it is, an empty cell empties it.

    `default` is the type of rows when there is no such column, `building` and the like included.
    Raises InputError for a file that is none, or too large.
    """
    text, notes = decoded(data)
    found = rows(text, lambda title: field_of(title) is not None)
    titles = next(found, (1, []))[1]
    fields = _fields(titles, default)
    unused = [name for name, field in zip(titles, fields, strict=True) if not field and tidy(name)]
    if unused:
        notes += ("columns that nothing is read from: " + ", ".join(unused)[:200],)
    named = {field: tidy(one) for field, one in zip(fields, titles, strict=True) if field}
    reader = _Reader(current, default, named)
    for number, cells in found:
        if any(tidy(cell) for cell in cells):
            reader.take(number, fields, cells)
    return Sheet(tuple(reader.wishes.values()), tuple(reader.faults), reader.refused, notes)


class _Reader:
    """Gathers rows into wishes."""

    def __init__(self, current: Records, default: str | None, titles: Mapping[str, str]) -> None:
        self.wishes: dict[Key, Wish] = {}
        self.faults: list[RegistryFault] = []
        self.refused: dict[Key, int] = {}
        self._current = current
        self._default = default
        self._titles = titles

    def take(self, number: int, fields: list[str | None], cells: list[str]) -> None:
        """Take one row."""
        over = [cell for cell in cells[len(fields) :] if tidy(cell)]
        if over:
            self._refuse(
                number, RegistryFault(column="", rule="has more cells than there are titles")
            )
            return
        given = {field: cell for field, cell in zip(fields, cells, strict=False) if field}
        said = value_of("type", tidy(given.pop("type", "")) or self._default or "")
        if said not in VALUES["type"]:
            rule = "one of " + ", ".join(VALUES["type"])
            self._refuse(number, RegistryFault(column="type", rule=rule, value=said[:40]))
            return
        what: RecordType = "place" if said in PLACE_KINDS else said  # type: ignore[assignment]
        values = {field: _cell(field, cell) for field, cell in given.items()}
        if what == "place":
            if values.pop("kind", None):
                rule = "is for devices; the type says what a place is"
                self._refuse(number, RegistryFault(column="kind", rule=rule))
                return
            values["kind"] = said
        self._keep(number, what, values)

    def _keep(self, number: int, what: RecordType, values: dict[str, Any]) -> None:
        allowed = set(KINDS[what].__struct_fields__)
        name = values.get("id")
        key: Key = (what, name if isinstance(name, str) else "")
        strange = [field for field in values if field not in allowed]
        for field in strange:
            if values.pop(field) not in (None, (), False):
                self._refuse(
                    number, RegistryFault(column=field, rule=f"is not for type {what!r}"), key
                )
        before = self._current.get(key)
        base = {field: getattr(before, field) for field in allowed} if before else {}
        record, faults = build(what, {**base, **values}, self._titles)
        for fault in faults:
            self._refuse(number, fault, key)
        first = self.wishes[key].row if key in self.wishes else self.refused.get(key, number)
        if first != number:
            twice = RegistryFault(column="id", rule=f"is in row {first} already", value=key[1])
            self._refuse(number, twice, key)
        elif record is not None and key not in self.refused:
            self.wishes[key] = Wish(record.key, record, number, self._titles)

    def _refuse(self, row: int, fault: RegistryFault, key: Key | None = None) -> None:
        what, name = key or (None, None)
        column = self._titles.get(fault.column, fault.column)
        self.faults.append(replace(fault, row=row, column=column, type=what, id=name))
        if key is not None and name and key not in self.wishes:
            self.refused.setdefault(key, row)


def write(records: Iterable[Record], titles: Titles) -> str:
    """Return records as CSV that `read` takes back unchanged and a spreadsheet runs nothing of.

    It begins with a byte order mark, by which Excel knows UTF-8.
    """
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(title(field, titles) for field in COLUMNS)
    for record in sorted(records, key=lambda one: (TYPES.index(one.type), one.id)):
        table.writerow(_written(record, field, titles) for field in COLUMNS)
    return "\ufeff" + out.getvalue()


def _written(record: Record, field: str, titles: Titles) -> str:
    if field == "type":
        return word("type", record.kind if isinstance(record, Place) else record.type, titles)
    if field == "kind" and isinstance(record, Place):
        return ""
    value = getattr(record, field, None)
    if isinstance(value, bool):
        return word(field, "yes", titles) if value else ""
    if isinstance(value, tuple):
        return " ".join(word(field, one, titles) for one in value)
    text = word(field, value, titles) if isinstance(value, str) else ""
    return f"'{text}" if _FORMULA.match(text) else text


def _fields(titles: list[str], default: str | None) -> list[str | None]:
    """Return the field of each column. Raises InputError for titles that say too little."""
    fields = [field_of(one) for one in titles[:_MOST_COLUMNS]]
    fields += [None] * (len(titles) - len(fields))
    named = [field for field in fields if field]
    twice = sorted({field for field in named if named.count(field) > 1})
    if twice:
        raise InputError(f"two columns are called {twice[0]!r}", where="row 1")
    needed = ("id",) if default else ("id", "type")
    missing = [f"{name!r} ({COLUMNS[name][0]})" for name in needed if name not in named]
    if missing:
        raise InputError(
            "there is no column " + " and ".join(missing),
            where="row 1",
            hint="The first row holds the titles; an export shows them all",
        )
    return fields


def _cell(field: str, cell: str) -> Any:
    cell = tidy(cell)
    if _ESCAPED.match(cell):
        cell = cell[1:]
    if field in _NARROW:
        cell = unicodedata.normalize("NFKC", cell)
    if field in LISTS:
        return tuple(value_of(field, one) for one in _SEPARATORS.split(cell) if one)
    cell = value_of(field, cell)
    if field == "retired":
        return {"yes": True, "no": False, "": False}.get(cell, cell)
    return cell or None
