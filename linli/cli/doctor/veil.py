"""Takes the names of people and things, and the secrets of this ingest, out of a text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import msgspec
import sqlalchemy as sa

from ingest.doctor.sources import opened
from ingest.settings import IngestSettings
from ingest.store.engine import reading
from ingest.store.registry import device, node, person, place, team
from ingest.store.state import account
from linli.errors import InputError, StoreError

HIDDEN = "(…)"
_SHORTEST = 2
"""One letter alone is no name that could be told from the text around it."""
_NOT_AFTER, _NOT_BEFORE = "(?<![a-zA-Z0-9])", "(?![a-zA-Z0-9])"
_LARGEST = 64 * 1024
_LABELLED = (place, node, device, team, person)
_NAMES: tuple[sa.Column[str | None], ...] = (
    *(table.c.label for table in _LABELLED),
    *(table.c.label_en for table in _LABELLED),
    account.c.name,
    person.c.person,
    person.c.phone,
)


def hidden_words(settings: IngestSettings, now: datetime) -> frozenset[str]:
    """Return what no text for others may hold: labels, names, phones, contents of secret files.

    Names of a store that cannot be read are not known; nothing of it is in a text then.
    """
    words = {settings.site.label, *_secrets(msgspec.to_builtins(settings))}
    try:
        with opened(settings, now) as sources, reading(sources.state) as connection:
            for column in _NAMES:
                query = sa.select(column).where(column.is_not(None)).distinct()
                words.update(word for word in connection.scalars(query) if word)
    except (StoreError, InputError):
        pass
    return frozenset(word for word in map(str.strip, words) if len(word) >= _SHORTEST)


def veiled(text: str, words: Iterable[str]) -> str:
    """Return a text without these words.

    A word of letters and digits is found as a whole, so that `gate` leaves `aggregate` alone.
    """
    there = sorted((word for word in words if word in text), key=len, reverse=True)
    return re.sub("|".join(map(_whole, there)), HIDDEN, text) if there else text


def _whole(word: str) -> str:
    begin, end = (one.isascii() and one.isalnum() for one in (word[0], word[-1]))
    return f"{_NOT_AFTER if begin else ''}{re.escape(word)}{_NOT_BEFORE if end else ''}"


def _secrets(value: object, name: str = "") -> Iterator[str]:
    """Yield each line of the files that settings name."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _secrets(one, key)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _secrets(one, name)
    elif isinstance(value, str) and name.endswith("_file"):
        yield from _lines(Path(value))


def _lines(path: Path) -> Iterator[str]:
    try:
        if path.is_file() and path.stat().st_size <= _LARGEST:
            yield from path.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return
