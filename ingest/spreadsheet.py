"""Files as spreadsheets save them: text of any usual encoding, rows, titles; pure."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from linli.errors import InputError

MOST_BYTES = 2 * 1024 * 1024
MOST_ROWS = 20_000
_DELIMITERS = ",;\t，"  # the last is what a Chinese keyboard types
_FORMULA = re.compile(r"[\s]*[=+\-@\t\r]")
_HINTED = re.compile(r"^sep=(.)\r?\n")


def decoded(data: bytes) -> tuple[str, tuple[str, ...]]:
    """Return a file's text, and a note when it is not UTF-8. Raises InputError."""
    if len(data) > MOST_BYTES:
        raise InputError(f"the file has more than {MOST_BYTES} bytes", hint="Cut it in two")
    encodings = ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            notes = (f"read as {encoding.upper()}",) if encoding != "utf-8-sig" else ()
            return text, notes
    raise InputError(
        "the file is no text", hint="Save it from the spreadsheet as CSV, not as .xlsx"
    )


def rows(text: str, known: Callable[[str], bool]) -> Iterator[tuple[int, list[str]]]:
    """Yield rows with their numbers, as a spreadsheet counts them; raises InputError.

    `known` tells whether a title is one of ours: that decides what separates the cells.
    """
    hinted = _HINTED.match(text)
    text = text[hinted.end() :] if hinted else text
    delimiter = hinted.group(1) if hinted else _delimiter(text, known)
    # Strict, or a quote that is never closed would swallow the rows below it without a word.
    return _numbered(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))


def safe(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def table(titles: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a file of which a spreadsheet runs nothing; Excel knows it by its BOM.

    Times are RFC 3339 in UTC; nothing is an empty cell, and a number stays one.
    """
    out = io.StringIO()
    made = csv.writer(out, lineterminator="\r\n")
    made.writerow(titles)
    for row in rows:
        made.writerow(_cell(one) for one in row)
    return "\ufeff" + out.getvalue()


def tidy(text: str) -> str:
    """Return text on one line, single spaces between words."""
    return " ".join(text.split())


def plain(title: str) -> str:
    """Return a title as it is looked up: without width, case, spaces and underscores."""
    text = unicodedata.normalize("NFKC", title).casefold()
    return "".join(letter for letter in text if not letter.isspace() and letter not in "_*:")


def _cell(value: object) -> object:
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return safe(str(value))


def _numbered(found: Iterable[list[str]]) -> Iterator[tuple[int, list[str]]]:
    number = 0
    try:
        for number, cells in enumerate(found, 1):
            if number > MOST_ROWS + 1:
                raise InputError(f"the file has more than {MOST_ROWS} rows", hint="Cut it in two")
            yield number, cells
    except csv.Error as error:
        raise InputError(f"row {number + 1} is not CSV ({error})") from None


def _delimiter(text: str, known: Callable[[str], bool]) -> str:
    """Return what separates the titles: that by which most of them are ours."""

    def titles(delimiter: str) -> int:
        first = csv.reader(text[:65536].splitlines(), delimiter=delimiter)
        return sum(map(known, next(first, [])))

    return max(_DELIMITERS, key=titles)
