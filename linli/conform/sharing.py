"""Clauses about what a community tells its district, each a pure function of what it sent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec

from linli.conform.clause import Clause, Finding, weigh
from linli.conform.device_link import back
from linli.conform.trace import Sent, Subscribed, Trace
from linli.events import SEVERITIES, schema_uri
from linli.ids import time_of
from linli.share import (
    AREA_CLASSES,
    SHARED_KINDS,
    SHARED_TYPES,
    SharedCount,
    SharedCountData,
    SharedEvent,
    SharedEventData,
)
from linli.topics import parse_shared

_NOTHING = "nothing was shared"
_TYPES: dict[str, type[SharedEvent | SharedCount]] = {"event": SharedEvent, "registry": SharedCount}
_DATA: dict[str, type[msgspec.Struct]] = {"event": SharedEventData, "registry": SharedCountData}
_LISTS: dict[str, tuple[Any, ...]] = {
    "phase": ("end",),
    "type": SHARED_TYPES,
    "kind": SHARED_KINDS,
    "severity": SEVERITIES,
    "areaclass": AREA_CLASSES,
}
_MINUTE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:00Z")
WHOLE = timedelta(minutes=1)


def shared(trace: Trace, kind: str = "") -> Iterator[Sent]:
    """Yield what was shared, of a kind or of both."""
    for one in trace.all(Sent):
        found = parse_shared(one.topic)
        if found is not None and kind in {"", found[1]}:
            yield one


def _kind(one: Sent) -> str:
    found = parse_shared(one.topic)
    return found[1] if found else ""


def _topics(trace: Trace) -> Finding:
    bad, sites = [], set()
    sent = list(trace.all(Sent))
    for one in sent:
        found = parse_shared(one.topic)
        if found is None:
            bad.append(f"{one.topic}: nothing else is written under this name")
        elif one.qos != 1 or one.retain:
            bad.append(f"{one.topic}: QoS {one.qos}, retained: {one.retain}")
        else:
            sites.add(found[0])
    if len(sites) > 1:
        bad.append(f"speaks for several communities: {sorted(sites)}")
    return weigh(bad, len(sent), f"{len(sent)} messages on two topics, QoS 1", _NOTHING)


def _reads(trace: Trace) -> Finding:
    asked = [item for one in trace.all(Subscribed) for item, _ in one.filters]
    return weigh(
        [f"subscribes to {one}" for one in asked],
        len(list(shared(trace))),
        "it asked for nothing",
        _NOTHING,
    )


def _schema(trace: Trace) -> Finding:
    bad, looked = [], 0
    for one in shared(trace):
        looked += 1
        try:
            msgspec.json.decode(one.payload, type=_TYPES[_kind(one)])
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            bad.append(f"{one.topic}: {error}")
    return weigh(bad, looked, f"{looked} messages keep their schema", _NOTHING)


def _allowed(trace: Trace) -> Finding:
    bad, looked = [], 0
    for one in shared(trace):
        looked += 1
        kind = _kind(one)
        for body, type_ in ((one.document, _TYPES[kind]), (one.data, _DATA[kind])):
            more = sorted(body.keys() - set(type_.__struct_fields__))
            bad += [f"{one.topic}: {name!r} has no place there" for name in more]
        for name, allowed in _LISTS.items():
            if name in one.data and one.data[name] not in allowed:
                bad.append(f"{one.topic}: {name} {one.data[name]!r} is not on the list")
    return weigh(bad, looked, f"fields and words of the lists in {looked} messages", _NOTHING)


def _addressed(trace: Trace) -> Finding:
    bad, looked = [], 0
    for one in shared(trace):
        looked += 1
        site, kind, name = parse_shared(one.topic) or ("", "", "")
        wanted = {
            "source": f"/{site}",
            "type": f"linli.share.{kind}",
            "dataschema": schema_uri(f"share-{kind}").rpartition("/")[0],
        }
        said = {field: one.text(field) for field in wanted}
        said["dataschema"] = said["dataschema"].rpartition("/")[0]
        if kind == "event":
            wanted["data.type"], said["data.type"] = name, str(one.data.get("type"))
        bad += [
            f"{one.topic}: {key} is not its topic's" for key in wanted if said[key] != wanted[key]
        ]
    return weigh(
        bad, looked, "source, type, dataschema and what happened are the topic's", _NOTHING
    )


def _minutes(trace: Trace) -> Finding:
    bad, looked = [], 0
    for one in shared(trace):
        looked += 1
        times = {"time": one.document.get("time")}
        if _kind(one) == "event":
            times["since"] = one.data.get("since")
        bad += [
            f"{one.topic}: {name} {text!r} is no whole minute in UTC"
            for name, text in times.items()
            if not (isinstance(text, str) and _MINUTE.fullmatch(text))
        ]
        made = time_of(one.text("id"))
        if made is None or made != made.replace(second=0, microsecond=0):
            bad.append(f"{one.topic}: the id is no UUIDv7 of a whole minute")
    return weigh(bad, looked, f"whole minutes in {looked} messages, ids too", _NOTHING)


def _held(trace: Trace) -> Finding:
    bad, looked = [], 0
    for one in shared(trace):
        said = one.instant("time")
        if said is None:
            continue
        looked += 1
        if one.at - said < WHOLE:
            bad.append(f"{one.topic}: at {one.at:%H:%M:%S} of {said:%H:%M}, which was not over")
    return weigh(bad, looked, "each came when its minute was over", _NOTHING)


def _versions(trace: Trace) -> Finding:
    bad, known, again = _renamed(trace), dict[str, Sent](), set[str]()
    for one in shared(trace, "event"):
        name, before = one.text("id"), known.get(one.text("id"))
        if before is not None:
            again.add(name)
        if before is None or _version(one) > _version(before):
            known[name] = one
        elif _version(one) == _version(before) and one.payload != before.payload:
            bad.append(f"{one.topic}: another message of {name} with version {_version(one)}")
        if before is not None and _fact(one) != _fact(before):
            bad.append(f"{one.topic}: {name} was another thing before")
    return weigh(bad, len(again), f"{len(again)} ids told again", "no event was told again")


def _renamed(trace: Trace) -> list[str]:
    """Return what was told before the cut and again after it, under another id."""
    cut = trace.did("cut")
    known, names, bad = dict[str, str](), set[str](), []
    for one in shared(trace, "event"):
        name = one.text("id")
        rest = json.dumps({**one.document, "id": ""}, sort_keys=True)
        if not cut or one.at < cut[0].at:
            known[rest] = name
        elif name not in names and rest in known:
            bad.append(f"{one.topic}: {known[rest]} came again as {name}")
        names.add(name)
    return bad


def _fact(one: Sent) -> tuple[object, ...]:
    """Return what never changes of one id."""
    return (one.topic, one.document.get("source"), one.data.get("type"), one.data.get("since"))


def newest(trace: Trace) -> dict[str, int]:
    """Return the greatest version of each row of the registry."""
    found = dict[str, int]()
    for one in shared(trace, "registry"):
        row = _row(one)
        found[row] = max(_version(one), found.get(row, -1))
    return found


def _row(one: Sent) -> str:
    return f"{one.data.get('kind')}/{one.data.get('areaclass')}"


def _version(one: Sent) -> int:
    found = one.data.get("version")
    return found if isinstance(found, int) else -1


def _told(trace: Trace) -> Finding:
    bad, good, told = [], 0, set[str]()
    for one in shared(trace, "event"):
        if one.data.get("count") != 0:
            told.add(one.text("id"))
        elif one.text("id") in told:
            good += 1
        else:
            bad.append(f"{one.topic}: count 0 of an id that was not told before")
    return weigh(bad, good, f"{good} ends taken back", "nothing that was told was taken back")


def _rows(trace: Trace) -> Finding:
    """Judge each row of the registry: what is told again is the same, what is another grows."""
    bad, known, grown = [], dict[str, Sent](), set[str]()
    ids = dict[str, bytes]()
    for one in shared(trace, "registry"):
        row = _row(one)
        before = known.get(row)
        if ids.setdefault(one.text("id"), one.payload) != one.payload:
            bad.append(f"{one.topic}: another number under the same id")
        if before is None or _version(one) > _version(before):
            known[row] = one
            if before is not None:
                grown.add(row)
        elif _version(one) == _version(before) and one.payload != before.payload:
            bad.append(f"{row}: another number with version {_version(one)}")
    return weigh(bad, len(grown), f"{len(grown)} rows changed", "no number changed")


CLAUSES = (
    Clause(
        "S1",
        "Write what is shared alone, at QoS 1, not retained: `_share/event/{type}` and "
        "`_share/registry/{hash}` of one community.",
        "Give what shares a user of its own, and take its topics from the AsyncAPI.",
        _topics,
    ),
    Clause("S2", "Ask for nothing.", "Subscribe to nothing under this name.", _reads),
    Clause(
        "S3",
        "Keep the schema of `share-event` and `share-registry`.",
        "Hold your messages against docs/reference/schema before you send them.",
        _schema,
    ),
    Clause(
        "S4",
        "Share no field and no word that is not on the lists: of events, kinds, areas.",
        "Copy named fields into a type that has room for nothing else; leave the rest.",
        _allowed,
    ),
    Clause(
        "S5",
        "`source` is `/{site}`; `type`, `dataschema` and `data.type` are the topic's.",
        "Make all from the topic.",
        _addressed,
    ),
    Clause(
        "S6",
        "Tell no time finer than a minute, in `time`, `since` and `id`.",
        "Cut seconds off, also where a UUIDv7 is made.",
        _minutes,
    ),
    Clause(
        "S7",
        "Tell it when its minute is over: the moment of a message is a time, too.",
        "Hold back what is of the minute that runs.",
        _held,
    ),
    Clause(
        "S8",
        "One thing is one `id`, told again too; whatever changes of it has a greater `version`.",
        "Make the id of what never changes, and count changes.",
        _versions,
    ),
    Clause(
        "S9",
        "Say `count` 0 only of what was told before.",
        "Keep which ids were told; what was judged a false alarm before that is never told.",
        _told,
    ),
    Clause(
        "S10",
        "A number that is another has an `id` of its own and a greater `version` of its row.",
        "Count the changes of each kind and class of areas.",
        _rows,
    ),
    Clause(
        "S11",
        "Come back by yourself when the connection was lost, within a minute.",
        "Reconnect with growing pauses that end at 60 s.",
        back,
    ),
)
