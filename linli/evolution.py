"""What of the contract changed between two versions, and whether that breaks somebody. Pure.

A minor version adds messages and optional fields, nothing else: what is sent by either version is
then read by the other, which drops fields that it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_WORDS = frozenset(
    {"description", "title", "examples", "default", "$ref", "properties", "required"}
)
_NESTED = frozenset({"items", "additionalProperties"})
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: where, what, and whether a program for the old version may fail by it."""

    path: str
    what: str
    breaking: bool
    wider: bool = False
    """Whether whatever was right before still is."""


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """Compare two AsyncAPI documents of this contract."""
    return list(_changes(old, new))


def reads(name: str, old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """Compare two JSON Schemas of a document that is written by people and read by programs.

    What is read today has to take each document of then; it may take more: other words, wider
    bounds. A program of then refuses what it does not know and goes on with what it had.
    """
    was, now = old.get("$defs", {}), new.get("$defs", {})
    found = _schema(name, ({**old, "$defs": None}, was), ({**new, "$defs": None}, now))
    return [one for one in found if one.breaking and not one.wider]


def _changes(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    for name, channel in old["channels"].items():
        other = new["channels"].get(name)
        if other is None:
            yield Change(name, "the channel is gone", breaking=True)
            continue
        if channel["address"] != other["address"]:
            yield Change(name, f"the address is {other['address']}", breaking=True)
        binding = old["operations"][f"receive-{name}"]["bindings"]
        if binding != new["operations"][f"receive-{name}"]["bindings"]:
            yield Change(name, "QoS or retain is another", breaking=True)
        pairs = zip(channel["messages"], other["messages"], strict=False)
        for before, after in pairs:
            was, now = old["components"]["schemas"], new["components"]["schemas"]
            yield from _schema(name, (was[before], was), (now[after], now))
    for name in sorted(new["channels"].keys() - old["channels"].keys()):
        yield Change(name, "the channel is new", breaking=False)


Schema = tuple[dict[str, Any], dict[str, Any]]
"""A schema, and all that it may refer to."""


def _resolved(schema: Schema) -> Schema:
    found, known = schema
    while "$ref" in found:
        found = known[found["$ref"].rpartition("/")[2]]
    return found, known


def _schema(path: str, old: Schema, new: Schema) -> Iterator[Change]:
    (was, old_known), (now, new_known) = _resolved(old), _resolved(new)
    yield from _fields(path, (was, old_known), (now, new_known))
    for key in sorted((was.keys() | now.keys()) - _WORDS - set(_LISTS) - _NESTED):
        if was.get(key) != now.get(key):
            what = f"{key} was {was.get(key)}, is {now.get(key)}"
            yield Change(path, what, breaking=True, wider=_wider(key, was.get(key), now.get(key)))
    for key in _NESTED:
        before, after = was.get(key), now.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _schema(f"{path}[]", (before, old_known), (after, new_known))
        elif before != after:
            yield Change(path, f"{key} was {before}, is {after}", breaking=True)
    for key in _LISTS:
        before, after = was.get(key, []), now.get(key, [])
        if len(before) != len(after):
            wider = key == "anyOf" and _grown((was, old_known), (now, new_known))
            what = f"{len(after)} kinds of value instead of {len(before)}"
            yield Change(path, what, breaking=True, wider=wider)
            continue
        for one, other in zip(before, after, strict=True):
            yield from _schema(path, (one, old_known), (other, new_known))


def _grown(old: Schema, new: Schema) -> bool:
    """Tell whether each kind of value of then, or the only one, is still among those of today."""
    kinds = new[0].get("anyOf", [])
    return all(
        any(_takes((one, old[1]), (other, new[1])) for other in kinds)
        for one in old[0].get("anyOf", [old[0]])
    )


def _takes(old: Schema, new: Schema) -> bool:
    return all(one.wider or not one.breaking for one in _schema("", old, new))


def _fields(path: str, old: Schema, new: Schema) -> Iterator[Change]:
    was, now = old[0].get("properties", {}), new[0].get("properties", {})
    needed, needs = set(old[0].get("required", ())), set(new[0].get("required", ()))
    for name in sorted(was.keys() | now.keys()):
        at = f"{path}.{name}"
        if name not in now:
            yield Change(at, "the field is gone", breaking=True)
        elif name not in was:
            wanted = name in needs
            yield Change(at, "a required field is new" if wanted else "an optional field", wanted)
        else:
            if (name in needed) != (name in needs):
                word = "required" if name in needs else "optional"
                optional = name in needed
                yield Change(at, f"the field is {word} now", breaking=True, wider=optional)
            yield from _schema(at, (was[name], old[1]), (now[name], new[1]))


_LEAST = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
_MOST = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})


def _wider(key: str, was: Any, now: Any) -> bool:
    """Tell whether what one rule allowed is still allowed; None is a rule that is not there."""
    if now is None or key == "discriminator":  # of which `anyOf` says the same
        return True
    if was is None:
        return False
    if key in _LEAST:
        return bool(now <= was)
    if key in _MOST:
        return bool(now >= was)
    return key == "enum" and set(was) <= set(now)
