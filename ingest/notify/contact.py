"""How a person or a team is reached, and who is meant by a part such as `on-duty`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ingest.duty.roster import Clock, Roster, on_duty
from ingest.notify.escalation import Told
from ingest.notify.message import Language
from ingest.registry.records import Person
from linli.events import Severity, Slug

OwnerType = Literal["person", "team"]
_ORDER: tuple[Severity, ...] = ("low", "medium", "high", "critical")
_DAY = timedelta(days=1)


class Quiet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hours in which only what is critical comes; the rest waits until they end."""

    begin: Clock
    end: Clock


class Way(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way to reach somebody: a channel, wherever it is written down, and an address in it.

    Nothing below `least` goes there; in `quiet` hours only what is critical does.
    """

    channel: Slug
    address: Annotated[str, Meta(min_length=1, max_length=512)]
    language: Language = "zh"
    least: Severity = "low"
    quiet: Quiet | None = None


class Contacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one person or team is reached: the first way that fits, the next when it fails."""

    ways: Annotated[tuple[Way, ...], Meta(max_length=16)] = ()


class Contact(Way, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A way with whom it reaches.

    Of one owner's contacts the first that fits is used, the next when that one fails for good.
    """

    owner_type: OwnerType
    owner: Slug


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is told, by the first of `contacts`; `not_before` when they are quiet now."""

    owner_type: OwnerType
    owner: str
    contacts: tuple[Contact, ...]
    not_before: datetime | None = None


class Unreached(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who should be told and cannot be: `why` is a reason to show."""

    owner: str
    why: Literal["nobody-on-duty", "no-such-people", "no-contact", "below-severity"]


class Directory(msgspec.Struct, frozen=True, kw_only=True):
    """Who works where and how they are reached, as they are at one moment."""

    people: Mapping[str, Person]
    contacts: Sequence[Contact]
    rosters: Mapping[str, Roster]
    zone: tzinfo

    def of(self, owner_type: OwnerType, owner: str) -> tuple[Contact, ...]:
        """Return the contacts of one owner in their order."""
        return tuple(
            one for one in self.contacts if (one.owner_type, one.owner) == (owner_type, owner)
        )


def owner_of(name: str) -> tuple[OwnerType, str]:
    """Return whose contacts a document of this name holds. Raises ValueError for any other name."""
    owner_type, _, owner = name.partition(":")
    if owner_type == "person":
        return "person", owner
    if owner_type == "team":
        return "team", owner
    raise ValueError("a name such as person:li or team:gate")


def recipients(
    told: Told, team: str, severity: Severity, directory: Directory, now: datetime
) -> tuple[list[Recipient], list[Unreached]]:
    """Return who a rung means now: nobody twice, and everybody who could not be reached."""
    owners, missing = _owners(told, team, directory, now)
    found: list[Recipient] = []
    for owner_type, owner in dict.fromkeys(owners):
        contacts = directory.of(owner_type, owner)
        fit = tuple(one for one in contacts if _rank(severity) >= _rank(one.least))
        if fit:
            until = quiet_until(fit[0], severity, now, directory.zone)
            found.append(
                Recipient(owner_type=owner_type, owner=owner, contacts=fit, not_before=until)
            )
        elif owner_type == "person" or contacts:
            why: Literal["below-severity", "no-contact"] = (
                "below-severity" if contacts else "no-contact"
            )
            missing.append(Unreached(owner=f"{owner_type}:{owner}", why=why))
    return found, missing


def _owners(
    told: Told, team: str, directory: Directory, now: datetime
) -> tuple[list[tuple[OwnerType, str]], list[Unreached]]:
    named: list[tuple[OwnerType, str]] = [("person", name) for name in told.people]
    people = directory.people.values()
    if told.who == "on-duty":
        roster = directory.rosters.get(team)
        turn = on_duty(roster, now, directory.zone) if roster is not None else None
        if turn is None:
            # Nobody on duty must not mean that nobody is told: the whole team is.
            whole = _members(people, team)
            missing = [Unreached(owner=f"team:{team}", why="nobody-on-duty")]
            return [("team", team), *whole, *named], missing
        return [*[("person", name) for name in turn.people], *named], []
    if told.who == "team":
        return [("team", team), *_members(people, team), *named], []
    role = "manager" if told.who == "supervisor" else "grid"
    meant: list[tuple[OwnerType, str]] = [
        ("person", one.id) for one in people if one.role == role and not one.retired
    ]
    if not meant and not named:
        return [], [Unreached(owner=told.who, why="no-such-people")]
    return [*meant, *named], []


def _members(people: Iterable[Person], team: str) -> list[tuple[OwnerType, str]]:
    return [("person", one.id) for one in people if one.team == team and not one.retired]


def _rank(severity: Severity) -> int:
    return _ORDER.index(severity)


def quiet_until(
    contact: Contact, severity: Severity, now: datetime, zone: tzinfo
) -> datetime | None:
    """Return when the quiet hours end that hold a message back now, None when none do."""
    quiet = contact.quiet
    if quiet is None or severity == "critical":
        return None
    begin, end = time.fromisoformat(quiet.begin), time.fromisoformat(quiet.end)
    today = now.astimezone(zone).date()
    for day in (today - _DAY, today):
        start = datetime.combine(day, begin, zone).astimezone(UTC)
        close = day if end > begin else day + _DAY
        stop = datetime.combine(close, end, zone).astimezone(UTC)
        if start <= now < stop:
            return stop
    return None
