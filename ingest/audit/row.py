"""One row of the audit log, and the hash that binds it to all rows before it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import msgspec

START = "0" * 64
"""Stands for the hash before the first row."""


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody did something. `hash` is over all of this and the hash of the row before."""

    id: int
    at: datetime
    actor: str
    act: str
    subject: str
    detail: dict[str, str | int | float | bool | None]
    hash: str


class Anchor(msgspec.Struct, frozen=True):
    """A row that was there once, as somebody wrote it down elsewhere: `17:3f9a…`."""

    id: int
    hash: str

    @classmethod
    def parse(cls, text: str) -> Anchor:
        """Return the anchor that a text names. Raises ValueError."""
        number, _, digest = text.partition(":")
        if not number.isdecimal() or len(digest) != len(START):
            raise ValueError("an anchor is a row's number and hash, such as 17:3f9a…")
        return cls(int(number), digest.lower())

    def __str__(self) -> str:
        """Return it as `parse` reads it."""
        return f"{self.id}:{self.hash}"


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """The first row that is not as it was written, and what is wrong."""

    id: int
    why: str


def digest_of(
    before: str, number: int, micros: int, said: tuple[str, str, str], detail: str
) -> str:
    """Return the hash of a row: of the one `before`, its number, time, `said` and detail as JSON.

    `said` is actor, act and subject.
    """
    return hashlib.sha256(msgspec.json.encode([before, number, micros, *said, detail])).hexdigest()


def first_broken(
    rows: Iterable[tuple[int, int, tuple[str, str, str], str, str]],
    anchors: Mapping[int, str],
) -> Iterator[Broken]:
    """Yield what is wrong with the first row that is not as it was written, if there is one.

    A row is number, micros, (actor, act, subject), detail, hash, in the order of numbers.
    `anchors` are hashes of rows that are known from elsewhere: without one nobody can tell whether
    rows are missing at the end.
    """
    before, last = START, 0
    for number, micros, said, detail, found in rows:
        if number != last + 1:
            yield Broken(id=last + 1, why="is missing")
            return
        if digest_of(before, number, micros, said, detail) != found:
            yield Broken(id=number, why="was changed, or comes after one that was taken out")
            return
        if anchors.get(number, found) != found:
            yield Broken(id=number, why="is not the row that the anchor names")
            return
        before, last = found, number
    missing = sorted(number for number in anchors if number > last)
    if missing:
        yield Broken(id=last + 1, why=f"is missing: there was a row {missing[-1]}")
