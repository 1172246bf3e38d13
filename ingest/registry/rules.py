"""What must hold between the registry's records; pure.

What is in use may only refer to what is in use, so that nothing is retired from under something
else. Nothing hangs behind itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from ingest.registry.records import Device, Edge, Key, Person, Place, PlaceKind, Record, thing

SERVICES = "svc-"
_HANGING = ("network", "power")
Records = Mapping[Key, Record]

_IN: dict[PlaceKind, tuple[PlaceKind | None, ...]] = {
    "site": (None,),
    "building": ("site",),
    "area": ("site",),
    "unit": ("building",),
    "point": ("building", "area", "unit"),
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What records are held against beside each other: the site served, and account names."""

    site: str
    accounts: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Breach:
    """A record whose field breaks a rule; `target` is the other record that matters, if any."""

    record: Key
    field: str
    value: str
    rule: str
    hint: str = ""
    target: Key | None = None


def breaches(records: Records, around: Surroundings) -> Iterator[Breach]:
    """Yield every broken rule of a whole registry."""
    for record in records.values():
        for field, value, target in references(record):
            yield from _reference(records, record, field, value, target)
        if isinstance(record, Edge) and record.id.startswith(SERVICES) and not record.retired:
            rule = f"{SERVICES}… are names of Linli's own services at the broker"
            hint = "Call the box by the site and a number, such as c001-n02"
            yield Breach(record.key, "id", record.id, rule, hint)
        if isinstance(record, Place):
            yield from _place(records, record, around)
        elif isinstance(record, Edge | Device) and record.place and "/" not in record.place:
            rule = "a thing stands in a building or public area"
            yield Breach(record.key, "place", record.place, rule)
        elif (
            isinstance(record, Person) and record.account and record.account not in around.accounts
        ):
            yield Breach(record.key, "account", record.account, "there is no such account")
    yield from _circles(records)


def references(record: Record) -> Iterator[tuple[str, str, Key]]:
    """Yield what a record refers to: the field, its value, the record meant."""
    match record:
        case Place():
            if record.above is not None:
                yield "id", record.above, ("place", record.above)
        case Edge() | Device():
            if isinstance(record, Device):
                yield "id", record.edge, ("edge", record.edge)
            if record.place is not None:
                yield "place", record.place, ("place", record.place)
            for field, ref in (("network", record.network), ("power", record.power)):
                if ref is not None:
                    yield field, ref, thing(ref)
        case Person():
            if record.team is not None:
                yield "team", record.team, ("team", record.team)


def _reference(
    records: Records, record: Record, field: str, value: str, target: Key
) -> Iterator[Breach]:
    found = records.get(target)
    if found is None:
        yield Breach(record.key, field, value, f"there is no such {target[0]}", target=target)
    elif found.retired and not record.retired:
        yield Breach(record.key, field, value, f"this {target[0]} is retired", target=target)


def _place(records: Records, record: Place, around: Surroundings) -> Iterator[Breach]:
    if record.id.partition("/")[0] != around.site:
        rule = f"this ingest serves the site {around.site!r}"
        yield Breach(record.key, "id", record.id, rule)
        return
    above = records.get(("place", record.above)) if record.above is not None else None
    if record.above is not None and above is None:
        return  # said already
    stands_in = above.kind if isinstance(above, Place) else None
    allowed = _IN[record.kind]
    if stands_in not in allowed:
        wanted = " or ".join(kind or "nothing" for kind in allowed)
        rule = f"a {record.kind} is in a {wanted}, not in a {stands_in or 'nothing'}"
        target = above.key if above is not None else None
        yield Breach(record.key, "type", record.kind, rule, target=target)


def _circles(records: Records) -> Iterator[Breach]:
    """Yield a breach for each member of a circle of things that hang behind each other."""
    behind = {
        record.key: {
            target: (field, value)
            for field, value, target in references(record)
            if field in _HANGING
        }
        for record in records.values()
        if isinstance(record, Edge | Device)
    }
    try:
        TopologicalSorter(behind).prepare()
    except CycleError as error:
        circle: list[Key] = error.args[1]  # each is what the next one hangs behind
        way = " → ".join(key[1] for key in reversed(circle))
        for target, member in pairwise(circle):
            field, value = behind[member][target]
            yield Breach(member, field, value, "nothing hangs behind itself", way)
