"""What reaches a person or a team, and what was changed of them: below the form of each."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.web.channels import TYPES
from dashboards.web.language import msg
from dashboards.web.registry_words import FIELDS
from dashboards.web.visit import Visit
from dashboards.web.words import Words
from ingest.notify.contact import Contacts, Way
from ingest.refusal import NotThere
from ingest.registry.plan import Action
from ingest.registry.records import RecordType

CHANGES = 10
_ACTIONS: dict[Action, str] = {
    "created": msg("made it"),
    "changed": msg("changed it"),
    "removed": msg("removed it"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One change: who, when, and which fields; the values of private ones are kept nowhere."""

    at: str
    who: str
    did: str


def ways(visit: Visit, what: str, name: str) -> tuple[Way, ...]:
    """Return by what somebody is reached, none when nothing is written down. Raises NotAllowed."""
    try:
        value, _ = visit.house.services.duty.get(visit.viewer, "contacts", f"{what}:{name}")
    except NotThere:
        return ()
    return value.ways if isinstance(value, Contacts) else ()


def named(visit: Visit, several: tuple[Way, ...]) -> list[tuple[Way, str]]:
    """Return each way with what its channel is called."""
    words = Words(visit.language, {})
    types = {one.name: one.type for one in visit.house.services.channels.list(visit.viewer).items}
    return [
        (one, words.say(TYPES[types[one.channel]]) if one.channel in types else one.channel)
        for one in several
    ]


def log(visit: Visit, what: RecordType, name: str) -> list[Line]:
    """Return who changed a person or a team and its contacts, the newest first."""
    services, viewer, words = visit.house.services, visit.viewer, Words(visit.language, {})
    owner, said = f"{what}:{name}", words.say(msg("changed how they are reached"))
    editions = services.duty.history(viewer, "contacts", owner, limit=CHANGES).items
    entries = services.registry.history(viewer, of=(what, name), limit=CHANGES).items
    found = [(one.at, one.actor, said) for one in editions]
    found += [
        (one.at, one.actor, _did(one.change.action, [it.field for it in one.change.fields], words))
        for one in entries
    ]
    found.sort(key=lambda line: line[0], reverse=True)
    return [
        Line(at=visit.calendar.clock(at), who=words.actor(actor), did=did)
        for at, actor, did in found[:CHANGES]
    ]


def _did(action: Action, changed: list[str], words: Words) -> str:
    said = words.say(_ACTIONS[action])
    if action != "changed" or not changed:
        return said
    names = ", ".join(words.say(FIELDS[one]) if one in FIELDS else one for one in changed)
    return f"{said}: {names}"
