"""One rule put into the text of a document, whose other rules and comments stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Table

from ingest.rules.document import AnyRule, Document
from ingest.rules.loading import KINDS, RulesError, load
from linli.errors import InputError

_NOTHING: tuple[object, ...] = (None, [], (), {})


def placed(text: str, name: str, values: Mapping[str, Any] | None) -> str:
    """Return a document with the rule `name` as `values` say, None to take it out.

    A new rule comes last; of one that is there the comments and the order of its keys stay. What
    is as it would be anyway is not written. Raises InputError for a text that cannot be changed so.
    """
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        raise InputError(f"not valid TOML: {error}", where="text") from None
    rules = document.get("rule")
    if rules is None:
        rules = tomlkit.aot()
        if values is not None:
            document.append("rule", rules)
    if not isinstance(rules, AoT):
        raise InputError("write each rule below its own [[rule]]", where="text")
    number = next((at for at, one in enumerate(rules) if one.get("id") == name), None)
    if values is None:
        if number is not None:
            del rules[number]
    elif number is None:
        rules.append(_fill(tomlkit.table(), values))
    else:
        _fill(rules[number], values)
    return tomlkit.dumps(document)


def values_of(rule: AnyRule) -> dict[str, Any]:
    """Return a rule as a document holds it, what is as it would be anyway included."""
    found: dict[str, Any] = msgspec.to_builtins(rule)
    return found


@lru_cache(maxsize=32)
def rules_of(text: str) -> Mapping[str, AnyRule]:
    """Return the rules of a kept document by their names; none of one that breaks today's rules."""
    try:
        document: Document = load(text)
    except RulesError:
        return {}
    return {one.id: one for one in document.rule}


def _fill(table: Table, values: Mapping[str, Any]) -> Table:
    wanted = _told(values)
    for key in [key for key in table if key not in wanted]:
        del table[key]
    for key, value in wanted.items():
        if key not in table or table[key] != value:
            table[key] = _item(value)
    return table


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what has to be written down."""
    kind = KINDS.get(str(values.get("type")))
    usual = {
        one.encode_name: msgspec.to_builtins(one.default)
        for one in (msgspec.structs.fields(kind) if kind else ())
        if one.default is not msgspec.NODEFAULT and not isinstance(one.default, msgspec.Struct)
    }
    bare = {
        key: {name: one for name, one in value.items() if one not in _NOTHING}
        if isinstance(value, Mapping)
        else value
        for key, value in values.items()
    }
    return {
        key: value
        for key, value in bare.items()
        if value not in _NOTHING and usual.get(key, msgspec.UNSET) != value
    }


def _item(value: Any) -> Any:
    if isinstance(value, Mapping):
        table = tomlkit.inline_table()
        table.update(value)
        return table
    if isinstance(value, list | tuple):
        array = tomlkit.array()
        array.extend(_item(one) for one in value)
        return array
    return value
