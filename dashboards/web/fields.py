"""Forms as lists of fields: what a page shows, what a browser sent, and what is wrong where.

A field is called by the path of its value in the document that it changes, such as
`rungs[0].after`: what the services say is wrong at a path stands beside the field of that name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from starlette.datastructures import FormData

from dashboards.web.language import msg

Kind = Literal[
    "text",
    "long",
    "number",
    "whole",
    "choice",
    "several",
    "check",
    "clock",
    "day",
    "moment",
    "span",
    "words",
    "secret",
]
Say = Callable[[str], str]
Values = dict[str, Any]
Faults = Mapping[str, str]
MOST_TEXT = 512
MOST_WORDS = 4000
MOST_ROWS = 256
MOST_SECRET = 16_384
"""Beyond any rule: a secret that is cut without a word is a wrong one."""
_MOST = {"words": MOST_WORDS, "long": MOST_WORDS, "secret": MOST_SECRET}
UNITS = {"s": msg("seconds"), "min": msg("minutes"), "h": msg("hours"), "d": msg("days")}
_SHORT = {
    "s": msg("%(count)s s"),
    "min": msg("%(count)s min"),
    "h": msg("%(count)s h"),
    "d": msg("%(count)s d"),
}
_SIZES = {"s": 1, "min": 60, "h": 3600, "d": 86400}
_PARTS = re.compile(r"(\d+)(d|h|min|s)", re.ASCII)
_ID = re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class Spec:
    """One field: `name` is the path of its value, `label` and `hint` are texts of the catalogue.

    `choices` are values with what they are called in the page's language. A row that holds nothing
    but `default`s is none.
    """

    name: str
    label: str
    kind: Kind = "text"
    hint: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    needed: bool = False
    default: str = ""
    rare: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """A field with what stands in it, as the template shows it."""

    spec: Spec
    name: str
    label: str
    hint: str
    value: str
    unit: str
    chosen: frozenset[str]
    wrong: str
    units: tuple[tuple[str, str], ...] = ()

    @property
    def id(self) -> str:
        """The id of its input."""
        return "f-" + _ID.sub("-", self.name).strip("-")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of several of a kind; `number` counts from 1, None for a row to fill in."""

    path: str
    number: int | None
    fields: tuple[Field, ...]
    wrong: str


def shown(
    specs: Sequence[Spec], values: Mapping[str, Any], say: Say, faults: Faults, path: str = ""
) -> tuple[Field, ...]:
    """Return fields with their values, and what is wrong with each."""
    return tuple(_shown(spec, values.get(spec.name), say, faults, path) for spec in specs)


def rows(
    specs: Sequence[Spec],
    several: Sequence[Mapping[str, Any]],
    say: Say,
    faults: Faults,
    path: str,
    *,
    blank: int = 1,
) -> tuple[Row, ...]:
    """Return rows, and `blank` ones to fill in."""
    made = []
    for index in range(len(several) + blank):
        old = index < len(several)
        here = f"{path}[{index}]"
        values = several[index] if old else {one.name: one.default for one in specs}
        fields = shown(specs, values, say, faults, f"{here}.")
        said = faults.get(here, "")
        made.append(Row(here, index + 1 if old else None, fields, said))
    return tuple(made)


def taken(specs: Sequence[Spec], form: FormData, path: str = "") -> Values:
    """Return what a browser sent, by name; None is nothing. What cannot be read stays as text."""
    return {spec.name: _taken(spec, form, path + spec.name) for spec in specs}


def taken_rows(specs: Sequence[Spec], form: FormData, path: str) -> list[Values]:
    """Return the rows that hold something and are not to go, by their place where that is asked."""
    pattern = re.compile(rf"{re.escape(path)}\[(\d{{1,4}})\]\.", re.ASCII)
    found = {int(hit[1]) for hit in map(pattern.match, form) if hit}
    kept: list[tuple[float, int, Values]] = []
    for index in sorted(found)[:MOST_ROWS]:
        here = f"{path}[{index}]."
        values = taken(specs, form, here)
        if _text(form, f"{here}gone") or all(_empty(spec, values[spec.name]) for spec in specs):
            continue
        kept.append((_place(_text(form, f"{here}place"), index), index, values))
    return [values for _, _, values in sorted(kept, key=lambda one: one[:2])]


def nested(values: Mapping[str, Any]) -> Values:
    """Return a document of paths such as `where.kind`; what is nothing is left out."""
    made: Values = {}
    for name, value in values.items():
        if value is None or value in ([], ""):
            continue
        *above, last = name.split(".")
        inner = made
        for part in above:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return made


def flat(value: Mapping[str, Any], path: str = "") -> Values:
    """Return the paths of a document: what `nested` takes."""
    made: Values = {}
    for name, one in value.items():
        if isinstance(one, Mapping):
            made |= flat(one, f"{path}{name}.")
        else:
            made[path + name] = one
    return made


def span_text(seconds: float) -> str:
    """Return a length of time in the largest unit that it is whole in: 90min, 2h."""
    whole = int(seconds)
    unit = next((unit for unit in ("d", "h", "min") if whole and whole % _SIZES[unit] == 0), "s")
    return f"{whole // _SIZES[unit]}{unit}"


def span_words(seconds: float, say: Say) -> str:
    """Return a length of time as people read it."""
    text = span_text(seconds)
    unit = text.lstrip("0123456789")
    return say(_SHORT[unit]) % {"count": text.removesuffix(unit)}


def span_seconds(text: str) -> int | None:
    """Return the seconds of a length of time such as 1h30min, None for what is none."""
    parts = _PARTS.findall(text)
    if "".join(number + unit for number, unit in parts) != text or not parts:
        return None
    return sum(int(number) * _SIZES[unit] for number, unit in parts)


def with_choices(spec: Spec, choices: Sequence[tuple[str, str]], values: Sequence[Any]) -> Spec:
    """Return a field with choices; what is chosen already is one of them, known or not."""
    known = {value for value, _ in choices}
    more = [(str(one), str(one)) for one in values if one and one not in known]
    return replace(spec, choices=(*choices, *dict.fromkeys(more)))


def _shown(spec: Spec, value: Any, say: Say, faults: Faults, path: str) -> Field:
    name = path + spec.name
    text, unit, chosen = "", "", frozenset[str]()
    if spec.kind in ("several", "choice"):
        several = value if isinstance(value, list | tuple) else [value]
        chosen = frozenset(str(one) for one in several if one is not None)
    elif spec.kind == "words":
        text = " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value or "")
    elif spec.kind == "span":
        text, unit = _span(str(value or ""))
    elif spec.kind == "check":
        chosen = frozenset({"yes"} if value not in (None, "", False) else ())
    elif spec.kind != "secret":  # written once, never shown
        text = "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    return Field(
        spec=spec,
        name=name,
        label=say(spec.label),
        hint=say(spec.hint) if spec.hint else "",
        value=text,
        unit=unit,
        chosen=chosen,
        wrong=faults.get(name, ""),
        units=tuple((key, say(word)) for key, word in UNITS.items()) if spec.kind == "span" else (),
    )


def _span(text: str) -> tuple[str, str]:
    """Return the number and unit that a length of time is shown as."""
    seconds = span_seconds(text)
    if seconds is None:
        return text, "min"
    short = span_text(seconds)
    unit = short.lstrip("0123456789")
    return short.removesuffix(unit), unit if seconds else "min"


def _taken(spec: Spec, form: FormData, name: str) -> Any:
    if spec.kind == "several":
        return [one for one in form.getlist(name) if isinstance(one, str) and one][:1000]
    text = _text(form, name, _MOST.get(spec.kind, MOST_TEXT))
    if spec.kind == "check":
        return bool(text)
    if spec.kind == "words":
        return re.split(r"[\s,，、]+", text) if text else []
    return _value(spec, form, name, text) if text else None


def _value(spec: Spec, form: FormData, name: str, text: str) -> Any:
    if spec.kind == "span":
        unit = _text(form, f"{name}.unit")
        return f"{text}{unit if unit in UNITS else 'min'}" if text.isdecimal() else text
    if spec.kind in ("number", "whole"):
        return _number(text, whole=spec.kind == "whole")
    return text


def _number(text: str, *, whole: bool) -> float | int | str:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return text if whole else float(text)
    except ValueError:
        return text


def _text(form: FormData, name: str, most: int = MOST_TEXT) -> str:
    value = form.get(name)
    return value.strip()[:most] if isinstance(value, str) else ""


def _empty(spec: Spec, value: Any) -> bool:
    return value in (None, "", [], False) or str(value) == spec.default


def _place(text: str, index: int) -> float:
    try:
        return float(text)
    except ValueError:
        return index + 1.0
