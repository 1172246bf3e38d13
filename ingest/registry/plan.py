"""What a set of wishes would do to the registry, before it does it; pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from ingest.registry.records import KINDS, Key, Record, RecordType
from ingest.registry.rules import Breach, Records, Surroundings, breaches
from ingest.registry.values import RegistryFault

Action = Literal["created", "changed", "removed"]
Value: TypeAlias = str | bool | tuple[str, ...] | None


class FieldChange(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a record, as it is and as it is going to be."""

    field: str
    before: Value
    after: Value


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to one record, field by field; `row` is where a file says so."""

    type: RecordType
    id: str
    action: Action
    fields: tuple[FieldChange, ...] = ()
    row: int | None = None


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What would be done; nothing at all when there is a fault. `applied` says that it was done."""

    created: int
    changed: int
    removed: int
    unchanged: int
    refused: int
    changes: tuple[Change, ...] = ()
    faults: tuple[RegistryFault, ...] = ()
    notes: tuple[str, ...] = ()
    applied: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """How a record should be, None for not at all; `row` and `titles` are those of a file."""

    key: Key
    record: Record | None
    row: int | None = None
    titles: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A preview, and the records that go with it."""

    preview: Preview
    records: tuple[Record, ...] = ()
    removed: tuple[Key, ...] = ()

    @property
    def tag(self) -> str:
        """What it would do, as a short name: equal only while it would do exactly the same."""
        return tag(replace(self.preview, notes=()))


def make(
    current: Records,
    wishes: Sequence[Wish],
    around: Surroundings,
    *,
    heard: Collection[Key] = (),
    faults: Sequence[RegistryFault] = (),
    refused: Mapping[Key, int] | None = None,
    notes: tuple[str, ...] = (),
) -> Plan:
    """Hold the wishes against what is there.

    `heard` names what has sent something, which is never removed; `faults` are known already, of
    rows whose keys are in `refused`.
    """
    faults, refused = list(faults), refused or {}
    after = dict(current)
    for wish in wishes:
        if wish.record is None:
            faults += _removal(wish, heard)
            after.pop(wish.key, None)
        else:
            after[wish.key] = wish.record
    by_key = {wish.key: wish for wish in wishes}
    for breach in breaches(after, around):
        at_fault = by_key.get(breach.record) or by_key.get(breach.target or breach.record)
        if at_fault is not None:
            faults.append(_fault(breach, at_fault, refused))
    changes = [one for wish in wishes if (one := _change(current.get(wish.key), wish))]
    records = [wish.record for wish in wishes if wish.record is not None]
    rows = {fault.row for fault in faults if fault.row is not None}
    count = Counter(one.action for one in changes)
    preview = Preview(
        created=count["created"],
        changed=count["changed"],
        removed=count["removed"],
        unchanged=len(wishes) - len(changes),
        refused=len(rows) or (1 if faults else 0),
        changes=tuple(changes),
        faults=tuple(sorted(faults, key=lambda one: (one.row or 0, one.column))),
        notes=notes,
    )
    kept = tuple(one for one in records if current.get(one.key) != one)
    return Plan(preview, kept, tuple(wish.key for wish in wishes if wish.record is None))


def tag(part: msgspec.Struct) -> str:
    """Return a short name of a value, another one for every other value."""
    return hashlib.sha256(msgspec.json.encode(part)).hexdigest()[:24]


def _change(before: Record | None, wish: Wish) -> Change | None:
    what, name = wish.key
    after = wish.record
    if before == after:
        return None
    action: Action = "removed" if after is None else "created" if before is None else "changed"
    changed = tuple(
        FieldChange(field=field, before=old, after=new)
        for field in KINDS[what].__struct_fields__
        if field != "id" and (old := _value(before, field)) != (new := _value(after, field))
    )
    return Change(type=what, id=name, action=action, fields=changed, row=wish.row)


def _value(record: Record | None, field: str) -> Value:
    found: Value = getattr(record, field) if record is not None else None
    return None if found in ((), False) else found


def _removal(wish: Wish, heard: Collection[Key]) -> list[RegistryFault]:
    what, name = wish.key
    if wish.key in heard or (
        what == "edge" and any(key[1].startswith(f"{name}/") for key in heard)
    ):
        rule = f"this {what} has a history"
        hint = "Retire it instead"
        return [RegistryFault(column="id", rule=rule, value=name, hint=hint, type=what, id=name)]
    return []


def _fault(breach: Breach, wish: Wish, refused: Mapping[Key, int]) -> RegistryFault:
    column, rule, value, hint = breach.field, breach.rule, breach.value, breach.hint
    if breach.target is not None and breach.target in refused:
        hint = f"Row {refused[breach.target]} would make it, but is refused"
    if wish.key != breach.record:  # not what was wished breaks the rule, but what depends on it
        what, name = breach.record
        hint = f"{what} {name!r} depends on it: change or retire that first"
        if column != "type":
            column, rule, value = "retired", f"this {wish.key[0]} is in use", wish.key[1]
    return RegistryFault(
        column=(wish.titles or {}).get(column, column),
        rule=rule,
        value=value,
        hint=hint,
        row=wish.row,
        type=wish.key[0],
        id=wish.key[1],
    )
