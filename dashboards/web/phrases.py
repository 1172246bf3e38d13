"""What validators say in English, in the language of the page: by what stands in it."""

from __future__ import annotations

import re

from dashboards.web.language import msg
from dashboards.web.words import Words

Table = tuple[tuple[re.Pattern[str], str], ...]


def table(*rows: tuple[str, str]) -> Table:
    """Return patterns with what is said instead; their groups go into the text."""
    return tuple((re.compile(pattern, re.ASCII), text) for pattern, text in rows)


def find(known: Table, text: str, words: Words) -> str | None:
    """Return what is said instead of a text, None where nothing is known of it."""
    for pattern, instead in known:
        found = pattern.search(text)
        if found:
            said = words.say(instead)
            return said % found.groupdict() if "%(" in said else said
    return None


ANY_FILE = table(
    (r"more than (?P<most>\d+) bytes", msg("The file is too large; cut it in two")),
    (r"more than (?P<most>\d+) rows", msg("The file has more than %(most)s rows; cut it in two")),
    (r"the file is no text", msg("The file is no text. Save it from the spreadsheet as CSV")),
    (r"two columns are called", msg("Two columns mean the same")),
    (
        r"row (?P<row>\d+) is not CSV",
        msg("Row %(row)s cannot be read; perhaps a quote is not closed"),
    ),
)
"""What is wrong with a list from a spreadsheet, whatever it lists."""
