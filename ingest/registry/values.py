"""From what somebody gave to a record, or to every rule it breaks, in words for that person."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec.structs import fields

from ingest.registry.records import (
    KINDS,
    PLACE_KINDS,
    Person,
    PersonRole,
    Record,
    RecordType,
)
from ingest.spreadsheet import tidy
from linli.topics import SELF, is_id

_ID_WORDS = "lower-case letters a-z, digits and inner hyphens, at most 32 characters"
_TEXT_WORDS = "1 to 64 characters on one line"
_REF_WORDS = "an edge or a device behind one: EDGE or EDGE/DEVICE"
_PLACE_WORDS = f"SITE/BUILDING/UNIT/POINT, as deep as needed; each level {_ID_WORDS}"
RULES: Final[dict[tuple[str, str], str]] = {
    ("place", "id"): _PLACE_WORDS,
    ("edge", "id"): _ID_WORDS,
    ("device", "id"): f"EDGE/DEVICE; each {_ID_WORDS}; not {SELF!r}",
    ("team", "id"): _ID_WORDS,
    ("person", "id"): _ID_WORDS,
    ("place", "kind"): "one of " + ", ".join(PLACE_KINDS),
    ("device", "kind"): f"such as camera, lamp, bin: {_ID_WORDS}",
    ("edge", "place"): _PLACE_WORDS,
    ("device", "place"): _PLACE_WORDS,
    ("person", "role"): "one of " + ", ".join(PersonRole.__args__),  # type: ignore[attr-defined]
    ("person", "phone"): "4 to 25 digits, with spaces or hyphens between and + before",
    ("person", "team"): _ID_WORDS,
    ("person", "languages"): "codes such as zh, en or zh-HK",
    ("device", "capabilities"): f"words, each {_ID_WORDS}; at most 64",
    ("edge", "network"): _REF_WORDS,
    ("edge", "power"): _REF_WORDS,
    ("device", "network"): _REF_WORDS,
    ("device", "power"): _REF_WORDS,
}
_FIELDS = {what: {field.name: field for field in fields(kind)} for what, kind in KINDS.items()}
_LIKE_AN_ID = frozenset({"id", "place", "kind", "network", "power", "team"})
_JOINERS = frozenset("\u200c\u200d")
_SHOWN = 40


class RegistryFault(msgspec.Struct, frozen=True, kw_only=True):
    """One rule that something breaks. `row` counts as a spreadsheet does: the titles are row 1."""

    column: str
    rule: str
    value: str = ""
    hint: str = ""
    row: int | None = None
    type: RecordType | None = None
    id: str | None = None


def build(
    what: RecordType, values: Mapping[str, Any], titles: Mapping[str, str] | None = None
) -> tuple[Record | None, list[RegistryFault]]:
    """Make a record of given values, None when one breaks a rule; what is left out is as default.

    `titles` are the fields' names as the giver knows them.
    """
    kind, known, titles = KINDS[what], _FIELDS[what], titles or {}
    faults = [_unknown(name, list(known)) for name in values if name not in known]
    good: dict[str, Any] = {}
    for name, field in known.items():
        title = titles.get(name, name)
        given = _tidied(values[name]) if name in values else None
        if given is None or given == ():
            if field.required:
                faults.append(
                    RegistryFault(column=title, rule="is needed", hint=rule_of(what, name))
                )
            continue
        try:
            good[name] = _checked(msgspec.convert(given, field.type), name)
        except (msgspec.ValidationError, ValueError):
            private = name in kind.private
            shown = "" if private else _shown(given)
            hint = _suggestion(name, given)
            faults.append(
                RegistryFault(column=title, rule=rule_of(what, name), value=shown, hint=hint)
            )
    if faults:
        return None, faults
    if kind is Person and good.get("retired"):
        good.pop("phone", None)  # who no longer works here is not called
    return kind(**good), []


def rule_of(what: RecordType, name: str) -> str:
    """Return what a field may hold, in words."""
    if name == "retired":
        return "yes or no"
    return RULES.get((what, name), _TEXT_WORDS)


def _tidied(value: object) -> object:
    if isinstance(value, str):
        return tidy(value) or None
    if isinstance(value, list | tuple):
        words = (tidy(one) if isinstance(one, str) else one for one in value)
        return tuple(dict.fromkeys(word for word in words if word != ""))
    return value


def _checked(value: Any, name: str) -> Any:
    texts = (value,) if isinstance(value, str) else value if isinstance(value, tuple) else ()
    for text in texts:
        if not text.isprintable() and any(_invisible(letter) for letter in text):
            raise ValueError("a character that cannot be seen")
    if name == "id" and isinstance(value, str) and value.endswith(f"/{SELF}"):
        raise ValueError("stands for the edge itself")
    return value


def _invisible(letter: str) -> bool:
    category = unicodedata.category(letter)
    return category in ("Cc", "Cs") or (category == "Cf" and letter not in _JOINERS)


def _unknown(name: str, known: list[str]) -> RegistryFault:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {close[0]!r}?" if close else "There is: " + ", ".join(known)
    return RegistryFault(column=name[:_SHOWN], rule="no such field", hint=hint)


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    safe = "".join("\N{REPLACEMENT CHARACTER}" if _invisible(one) else one for one in text)
    return safe if len(safe) <= _SHOWN else safe[: _SHOWN - 1] + "…"


def _suggestion(name: str, value: object) -> str:
    """Return the nearest id when somebody wrote something like one."""
    if name not in _LIKE_AN_ID or not isinstance(value, str):
        return ""
    levels = unicodedata.normalize("NFKC", value).lower().split("/")
    close = [re.sub(r"[\s_.\-]+", "-", level).strip("-") for level in levels]
    suggested = "/".join(close)
    fits = all(is_id(level) for level in close) and suggested != value
    return f"Did you mean {suggested!r}?" if fits else ""
