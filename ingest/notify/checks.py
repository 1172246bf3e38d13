"""What contacts, ladders and routes must keep to beside the form of their fields. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

import msgspec

from ingest.duty.checks import Fault
from ingest.notify.contact import Contacts
from ingest.notify.escalation import Ladder
from ingest.notify.routes import DEFAULT, Routes

LONGEST_WAIT = timedelta(days=1)


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """What there is for documents to name: what is in use, places as SITE/BUILDING."""

    people: Collection[str] = ()
    teams: Collection[str] = ()
    places: Collection[str] = ()
    ladders: Collection[str] = ()
    channels: Collection[str] = ()


def of_contacts(name: str, value: Contacts, around: Around) -> list[Fault]:
    """Return every rule that the contacts of one owner break."""
    owners = {f"person:{one}" for one in around.people} | {f"team:{one}" for one in around.teams}
    found: list[Fault] = []
    if name not in owners:
        found.append(("owner", f"{name!r} is no person or team in use, such as person:li"))
    seen: dict[tuple[str, str], int] = {}
    for number, way in enumerate(value.ways):
        here, place = f"ways[{number}]", (way.channel, way.address)
        if way.channel not in around.channels:
            known = ", ".join(sorted(around.channels)) or "none"
            found.append(
                (f"{here}.channel", f"no channel {way.channel!r} in the settings. Known: {known}")
            )
        if not way.address.isprintable() or way.address != way.address.strip():
            found.append((f"{here}.address", "must be on one line, without spaces around it"))
        if place in seen:
            found.append((f"{here}.address", f"is that of ways[{seen[place]}] already"))
        seen.setdefault(place, number)
        if way.quiet is not None and way.quiet.begin == way.quiet.end:
            found.append((f"{here}.quiet", "begin and end must differ"))
    return found


def of_ladder(value: Ladder, around: Around) -> list[Fault]:
    """Return every rule that a ladder breaks."""
    found: list[Fault] = []
    for number, rung in enumerate(value.rungs):
        here = f"rungs[{number}]"
        if not timedelta() <= rung.after <= LONGEST_WAIT:
            found.append((f"{here}.after", "must be between PT0S and P1D"))
        found += [
            (f"{here}.people", f"no person {one!r} is in use")
            for one in rung.people
            if one not in around.people
        ]
    if value.rounds > 1 and not timedelta(minutes=1) <= value.again_after <= LONGEST_WAIT:
        found.append(("again_after", "must be between PT1M and P1D"))
    return found


def of_routes(value: Routes, around: Around) -> list[Fault]:
    """Return every rule that routes break; a route behind one that takes everything is a fault."""
    found: list[Fault] = []
    all_taken: int | None = None
    for number, route in enumerate(value.routes):
        here = f"routes[{number}]"
        if route.team not in around.teams:
            found.append((f"{here}.team", f"no team {route.team!r} is in use"))
        if route.ladder != DEFAULT and route.ladder not in around.ladders:
            found.append((f"{here}.ladder", f"no ladder {route.ladder!r}"))
        if not _is_there(route.site, route.building, around.places):
            where = "/".join(one or "*" for one in (route.site, route.building))
            found.append((f"{here}.building", f"no place {where!r} is in use"))
        if all_taken is not None:
            found.append((here, f"never comes: routes[{all_taken}] takes everything"))
        if not (route.site or route.building or route.event or route.severities):
            all_taken = number if all_taken is None else all_taken
    return found


def _is_there(site: str | None, building: str | None, places: Collection[str]) -> bool:
    if building is None:
        return site is None or site in places
    return any(
        (site is None or here == site) and below == building
        for here, _, below in (one.partition("/") for one in places)
    )
