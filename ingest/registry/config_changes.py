"""What one version of a document changed against another, part by part. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import msgspec

MOST = 500
Path = tuple[str, ...]


class ConfigChange(msgspec.Struct, frozen=True, kw_only=True):
    """One setting, or one thing that came or went; null where it is not there.

    `path` leads to it by names: `["camera", "cam-e1", "zone", "door", "points"]`.
    """

    path: Path
    before: Any = None
    after: Any = None


def changes(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> tuple[ConfigChange, ...]:
    """Return the first 500 differences of two documents, in the order of the newer one."""
    return tuple(islice(_compared((), dict(before or {}), dict(after or {})), MOST))


def _compared(path: Path, before: Any, after: Any) -> Iterator[ConfigChange]:
    if before == after:
        return
    if path[-1:] == ("taught",):
        yield ConfigChange(path=path, before=_made(before), after=_made(after))
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys((*after, *before)):
            yield from _compared((*path, str(name)), before.get(name), after.get(name))
        return
    old, new = _named(before), _named(after)
    if old is not None and new is not None:
        for name in dict.fromkeys((*new, *old)):
            yield from _compared((*path, name), old.get(name), new.get(name))
        return
    yield ConfigChange(path=path, before=_short(before), after=_short(after))


def _short(value: Any) -> Any:
    """Return a value without the numbers of what was taught: when it was says enough."""
    if not isinstance(value, dict):
        return value
    return {**value, "taught": _made(value["taught"])} if "taught" in value else value


def _made(taught: Any) -> Any:
    return taught.get("made") if isinstance(taught, dict) else taught


def _named(value: Any) -> dict[str, Any] | None:
    """Return a list of things by their names; None for a plain value or a list of such."""
    if value is None:
        return {}
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        return None
    return {_name(one, number): one for number, one in enumerate(value, 1)}


def _name(thing: Mapping[str, Any], number: int) -> str:
    if isinstance(name := thing.get("id"), str):
        return name
    what = thing.get("event") or thing.get("pack")
    return f"{what} in {thing.get('zone')}" if isinstance(what, str) else str(number)
