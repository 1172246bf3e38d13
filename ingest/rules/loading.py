"""From the text of a document to its types, and to plain words about what is wrong with it."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from ingest.rules.document import (
    MOST_RULES,
    AbsenceRule,
    AnyRule,
    ChangeRule,
    Document,
    EventRule,
    Group,
    RateRule,
    ThresholdRule,
    Where,
)
from ingest.rules.spans import SECOND, micros
from linli.errors import InputError
from linli.hours import Window
from linli.resources import resource

MOST_BYTES = 512 * 1024
LONGEST_SETTLE = 600 * SECOND
SHORTEST_SILENCE = 60 * SECOND
KINDS: dict[str, type[AnyRule]] = {
    "event": EventRule,
    "threshold": ThresholdRule,
    "rate": RateRule,
    "absence": AbsenceRule,
    "change": ChangeRule,
}
_AT = re.compile(r" - at `\$\.?([^`]*)`$")
_UNKNOWN = re.compile(r"unknown field `([^`]+)`")
_MISSING = re.compile(r"missing required field `([^`]+)`")


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong: in which rule if in any, under which key, what, what to do."""

    rule: str
    key: str
    what: str
    hint: str = ""

    @property
    def where(self) -> str:
        """The place as people say it."""
        parts = [f"rule {self.rule!r}" if self.rule else "", self.key]
        return ": ".join(part for part in parts if part)

    @property
    def said(self) -> str:
        """What is wrong and what to do."""
        return f"{self.what}. {self.hint}" if self.hint else self.what

    def __str__(self) -> str:
        """Return one line fit for a person."""
        return f"{self.where}: {self.said}" if self.where else self.said


class RulesError(InputError):
    """A document that cannot be used; `faults` are all that were found, the first one is told."""

    def __init__(self, faults: tuple[Fault, ...], *, where: str) -> None:
        first = faults[0]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        place = ": ".join(part for part in (where, first.where) if part)
        super().__init__(first.what + more, where=place, hint=first.hint)
        self.faults = faults


def load(text: str, *, where: str = "") -> Document:
    """Read a document. Raises RulesError that names every rule and key that breaks a rule."""
    if len(text.encode(errors="replace")) > MOST_BYTES:
        raise _single(f"a document has at most {MOST_BYTES // 1024} KiB", where)
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _single(f"not valid TOML: {error}", where) from None
    faults: list[Fault] = []
    rules = _rules(raw.pop("rule", []), faults)
    head = _convert(raw, Document, "", faults)
    if head is not None:
        document: Document = msgspec.structs.replace(head, rule=tuple(rules))
        faults += _check(document)
        if not faults:
            return document
    raise RulesError(tuple(faults), where=where)


def load_file(path: Path) -> Document:
    """Read a file. Raises InputError."""
    return load(read(path), where=str(path))


def read(path: Path) -> str:
    """Return the text of a file. Raises InputError."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError("no such file", where=str(path), hint="Check the path") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read ({error})", where=str(path)) from None


def builtin() -> Document:
    """Return the rules that come with Linli."""
    return load_file(resource("ingest", "rules", "builtin.toml"))


def _single(what: str, where: str) -> RulesError:
    return RulesError((Fault(rule="", key="", what=what),), where=where)


def _rules(raw: object, faults: list[Fault]) -> list[AnyRule]:
    if not isinstance(raw, list):
        faults.append(Fault(rule="", key="rule", what="write each rule below its own [[rule]]"))
        return []
    found = []
    for number, one in enumerate(raw, 1):
        name = one.get("id") if isinstance(one, dict) else None
        rule = _rule(one, str(name) if name else f"number {number}", faults)
        if rule is not None:
            found.append(rule)
    return found


def _rule(raw: object, name: str, faults: list[Fault]) -> AnyRule | None:
    kind = raw.get("type") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or not isinstance(kind, str) or kind not in KINDS:
        said = "needs a type" if kind is None else f"no rule is of type {kind!r}"
        hint = "Types: " + ", ".join(KINDS)
        faults.append(Fault(rule=name, key="type", what=said, hint=hint))
        return None
    rule: AnyRule | None = _convert(raw, KINDS[kind], name, faults)
    return rule


def _convert(raw: object, kind: type[Any], name: str, faults: list[Fault]) -> Any:
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        faults.append(_fault(str(error), kind, name, raw))
        return None


def _fault(text: str, kind: type[msgspec.Struct], name: str, raw: object) -> Fault:
    at = _AT.search(text)
    key, text = (at.group(1) if at else ""), _AT.sub("", text)
    inner = _inner(kind, key)
    known = [one.encode_name for one in msgspec.structs.fields(inner)]
    if unknown := _UNKNOWN.search(text):
        word = unknown.group(1)
        close = difflib.get_close_matches(word, known, n=1)
        hint = f"Did you mean {close[0]!r}?" if close else "Known: " + ", ".join(sorted(known))
        key = f"{key}.{word}" if key else word
        return Fault(rule=name, key=key, what="nobody knows this key", hint=hint)
    if missing := _MISSING.search(text):
        key = f"{key}.{missing.group(1)}" if key else missing.group(1)
        return Fault(rule=name, key=key, what="is missing")
    value = _value(raw, key)
    if "matching regex" in text:
        text = f"{value!r} has the wrong form"
    elif value is not None:
        text = f"{text}, not {value!r}"
    return Fault(rule=name, key=key, what=text, hint=_meaning(inner, key))


def _inner(kind: type[msgspec.Struct], key: str) -> type[msgspec.Struct]:
    """Return the struct in which a key such as `where` or `during[0].from` stands."""
    tables: dict[str, type[msgspec.Struct]] = {"where": Where, "during": Window, "group": Group}
    return tables.get(re.split(r"[.\[]", key, maxsplit=1)[0], kind)


def _meaning(kind: type[msgspec.Struct], key: str) -> str:
    """Return what the schema says of a key, as a hint."""
    word = re.sub(r"\[[^]]*\]", "", key).rpartition(".")[2]
    for one in msgspec.structs.fields(kind):
        if one.encode_name == word:
            said = _description(msgspec.inspect.type_info(one.type))
            return said[:1].upper() + said[1:] if said else ""
    return ""


def _description(info: object) -> str:
    """Return the first description inside a type."""
    extra = getattr(info, "extra_json_schema", None) or {}
    if said := extra.get("description"):
        return str(said)
    inner = [getattr(info, "type", None), getattr(info, "item_type", None)]
    for one in [*inner, *getattr(info, "types", ())]:
        if one is not None and (said := _description(one)):
            return said
    return ""


def _value(raw: object, key: str) -> object:
    """Return what stands under a key such as `during[0].from`, None where that is a table."""
    found = raw
    for part in re.findall(r"[^.\[\]]+", key):
        if isinstance(found, dict):
            found = found.get(part)
        elif isinstance(found, list) and part.isdecimal():
            found = found[int(part)] if int(part) < len(found) else None
        else:
            return None
    return None if isinstance(found, dict | list) else found


def _check(document: Document) -> Iterator[Fault]:
    """Yield what types alone cannot say."""
    yield from _span("", "settle", document.settle, least=0, most=LONGEST_SETTLE)
    if len(document.rule) > MOST_RULES:
        yield Fault(rule="", key="rule", what=f"at most {MOST_RULES}, not {len(document.rule)}")
    groups = [one.id for one in document.group]
    yield from (_twice("", f"group {one!r}") for one in _repeated(groups))
    yield from (_twice(one, "id") for one in _repeated([one.id for one in document.rule]))
    for rule in document.rule:
        yield from _check_rule(rule, set(groups))


def _check_rule(rule: AnyRule, groups: set[str]) -> Iterator[Fault]:
    for name in ("clear_after", "flap", "late_after"):
        yield from _span(rule.id, name, getattr(rule, name), least=0)
    for name in rule.where.group:
        if name not in groups:
            hint = "Known: " + ", ".join(sorted(groups)) if groups else "Write it as [[group]]"
            yield Fault(rule=rule.id, key="where.group", what=f"no group {name!r}", hint=hint)
    for number, window in enumerate(rule.during):
        if window.begin == "24:00":
            yield Fault(rule=rule.id, key=f"during[{number}].from", what="write 00:00, not 24:00")
    if isinstance(rule, RateRule | AbsenceRule) and rule.per == "group" and not rule.where.group:
        yield Fault(rule=rule.id, key="per", what="needs a group", hint="Name it in where.group")
    match rule:
        case ThresholdRule():
            yield from _check_threshold(rule)
        case RateRule():
            yield from _span(rule.id, "within", rule.within)
        case AbsenceRule():
            yield from _check_absence(rule)
        case ChangeRule():
            yield from _span(rule.id, "within", rule.within)
        case EventRule():
            yield from _span(rule.id, "for", rule.lasting)


def _check_threshold(rule: ThresholdRule) -> Iterator[Fault]:
    yield from _span(rule.id, "for", rule.lasting)
    yield from _span(rule.id, "stale", rule.stale)
    if (rule.above is None) == (rule.below is None):
        yield Fault(rule=rule.id, key="above", what="give one of above and below")
    elif rule.clear is not None:
        if rule.above is not None and rule.clear > rule.above:
            what = f"must not be higher than above ({rule.above:g}), not {rule.clear:g}"
            yield Fault(rule=rule.id, key="clear", what=what)
        if rule.below is not None and rule.clear < rule.below:
            what = f"must not be lower than below ({rule.below:g}), not {rule.clear:g}"
            yield Fault(rule=rule.id, key="clear", what=what)
    if rule.hits > rule.of:
        what = f"{rule.hits} of the last {rule.of} readings cannot be"
        yield Fault(rule=rule.id, key="hits", what=what, hint="Set `of` to that many or more")


def _check_absence(rule: AbsenceRule) -> Iterator[Fault]:
    yield from _span(rule.id, "for", rule.lasting, least=SHORTEST_SILENCE)
    if rule.reading is not None and rule.event is not None:
        yield Fault(rule=rule.id, key="reading", what="give at most one of reading and event")


def _span(
    rule: str, key: str, span: str | None, *, least: int = SECOND, most: int | None = None
) -> Iterator[Fault]:
    if span is None:
        return
    try:
        found = micros(span)
    except ValueError as error:
        yield Fault(rule=rule, key=key, what=str(error))
        return
    if found < least:
        yield Fault(rule=rule, key=key, what=f"must be at least {least // SECOND}s, not {span!r}")
    if most is not None and found > most:
        yield Fault(rule=rule, key=key, what=f"must be at most {most // SECOND}s, not {span!r}")


def _repeated(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def _twice(rule: str, key: str) -> Fault:
    return Fault(rule=rule, key=key, what="is there twice", hint="Give each its own")
