"""What a roster must keep to beside the form of its fields. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from ingest.duty.roster import Roster

Fault = tuple[str, str]
"""Where, and what is wrong there."""


def faults(roster: Roster, teams: Collection[str], people: Collection[str]) -> list[Fault]:
    """Return every rule that a roster breaks; `teams` and `people` are those in use."""
    found = [] if roster.team in teams else [("team", f"no team {roster.team!r} is in use")]
    for number, shift in enumerate(roster.shifts):
        here = f"shifts[{number}]"
        if any(not 0 <= day < roster.cycle for day in shift.days):
            found.append((f"{here}.days", f"days of a cycle of {roster.cycle} count from 0"))
        found += _strangers(f"{here}.people", shift.people, people)
    for number, dated in enumerate(roster.dated):
        found += _strangers(f"dated[{number}].people", dated.people, people)
    for number, swap in enumerate(roster.swaps):
        here = f"swaps[{number}]"
        named = (swap.person,) if swap.by is None else (swap.person, swap.by)
        found += _strangers(here, named, people)
        if not (_aware(swap.begin) and _aware(swap.end)):
            found.append((here, "times need a time zone, such as 2026-03-02T08:00:00+08:00"))
        elif swap.end <= swap.begin:
            found.append((f"{here}.end", "must be after begin"))
    return found


def _strangers(where: str, named: Iterable[str], people: Collection[str]) -> list[Fault]:
    return [(where, f"no person {one!r} is in use") for one in named if one not in people]


def _aware(at: datetime) -> bool:
    return at.tzinfo is not None
