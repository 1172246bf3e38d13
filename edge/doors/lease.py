"""How long a door is held, as a pure function of (state, fact, now).

A hold is a lease: it ends by itself, may be renewed a few times while its reason is still seen, and
then the door is left alone for a while, since people wait inside. After a mere suspicion it is left
alone by suspicions; what is certain later is held all the same. Fire mode always wins.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from linli.commands import LONGEST_HOLD

NEVER = float("-inf")
REST = 60.0
"""Seconds that a door must have been left alone; a hold before that counts on from the last."""
Reason = Literal["suspicion", "sight", "staff"]


@dataclass(frozen=True, slots=True)
class Terms:
    """Bounds in seconds; `Door` of the settings tells their reasons."""

    lease: float
    renewals: int
    decide: float
    after: float
    silence: float

    @property
    def longest(self) -> float:
        """Seconds that no hold is longer than, whoever asked for it and how often."""
        return LONGEST_HOLD * (1 + self.renewals)


@dataclass(frozen=True, slots=True)
class Sight:
    """A frame shows what the door is held for; `certain` once votes and dwell have confirmed it."""

    certain: bool


@dataclass(frozen=True, slots=True)
class Ordered:
    """Staff want it held for `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Released:
    """Staff want it let go."""


@dataclass(frozen=True, slots=True)
class Fire:
    """The lift's fire mode is on or over."""

    on: bool


@dataclass(frozen=True, slots=True)
class Floor:
    """The lift is where the edge may hold it by itself, or not."""

    allowed: bool


@dataclass(frozen=True, slots=True)
class Passed:
    """Nothing but time."""


Fact = Sight | Ordered | Released | Fire | Floor | Passed


@dataclass(frozen=True, slots=True)
class Hold:
    """The relay is to hold for `seconds` from now, and then let go by itself."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Release:
    """The relay is to let go."""


Wish = Hold | Release


@dataclass(frozen=True, slots=True)
class Lease:
    """One door. Times are monotonic seconds.

    Held from `since` to `until` for a `reason`, None when it is not; `seen` is the last certain
    sight. Before `doubt` no suspicion holds, before `quiet` the edge does not by itself, before
    `barred` nobody does; before `rest` a hold that staff begin is one renewal more.
    """

    reason: Reason | None = None
    since: float = NEVER
    until: float = NEVER
    renewals: int = 0
    seen: float = NEVER
    doubt: float = NEVER
    quiet: float = NEVER
    barred: float = NEVER
    rest: float = NEVER
    fire: bool = False
    allowed: bool = True
    now: float = NEVER

    @property
    def held(self) -> bool:
        """Whether it is held now."""
        return self.reason is not None


def step(lease: Lease, fact: Fact, now: float, terms: Terms) -> tuple[Lease, Wish | None]:
    """Return the door after a fact, and what its relay is to do.

    A `now` before the last one counts as the last one.
    """
    now, before = max(now, lease.now), lease
    lease, ended = _lapsed(replace(lease, now=now), now, terms)
    match fact:
        case Fire(on):
            lease, wish = _let_go(replace(lease, fire=on), terms) if on else (_calm(lease), None)
        case Released():
            lease, wish = _let_go(lease, terms)
            lease = replace(lease, quiet=now + terms.silence)  # held or not, staff want it shut
        case Floor(allowed):
            lease, wish = replace(lease, allowed=allowed), None
        case Ordered(seconds):
            lease, wish = _ordered(lease, seconds, terms)
        case Sight(certain):
            lease, wish = _sighted(lease, terms, certain=certain)
        case Passed():
            wish = None
    if ended is not None and isinstance(wish, Hold) and now < before.until:
        return _carried_on(lease, before.since, terms)
    return lease, wish or ended


def _carried_on(lease: Lease, since: float, terms: Terms) -> tuple[Lease, Wish | None]:
    """Count a hold that begins as the last one lapses as one with it: its relay never let go."""
    until = min(lease.until, since + terms.longest)
    return replace(lease, since=since, until=until), Hold(min(until - lease.now, LONGEST_HOLD))


def _lapsed(lease: Lease, now: float, terms: Terms) -> tuple[Lease, Wish | None]:
    """Let go when time is over: of the lease, of a doubt, or since the last sight."""
    if lease.reason == "suspicion" and now - lease.since >= terms.decide:
        return replace(lease, reason=None, doubt=now + terms.silence, renewals=0), Release()
    over = now >= lease.until or (lease.reason == "sight" and now - lease.seen >= terms.after)
    return _let_go(lease, terms) if lease.held and over else (lease, None)


def _let_go(lease: Lease, terms: Terms) -> tuple[Lease, Wish | None]:
    if not lease.held:
        return lease, None
    quiet = lease.now + terms.silence
    worn = lease.renewals >= terms.renewals or lease.now - lease.since >= terms.longest
    barred = quiet if worn else lease.barred
    return replace(lease, reason=None, quiet=quiet, barred=barred, rest=lease.now + REST), Release()


def _calm(lease: Lease) -> Lease:
    return replace(lease, fire=False)


def _ordered(lease: Lease, seconds: float, terms: Terms) -> tuple[Lease, Wish | None]:
    if lease.fire or lease.now < lease.barred:
        return lease, None
    again = lease.held or lease.now < lease.rest
    if again and lease.renewals >= terms.renewals:
        return lease, None
    if not lease.held:
        return _granted(lease, "staff", seconds, terms, lease.renewals + 1 if again else 0)
    return _extended(replace(lease, reason="staff"), seconds, terms)


def _sighted(lease: Lease, terms: Terms, *, certain: bool) -> tuple[Lease, Wish | None]:
    now = lease.now
    if not lease.held:
        rest = max(lease.quiet, lease.barred, NEVER if certain else lease.doubt)
        if lease.fire or not lease.allowed or now < rest:
            return lease, None
        reason: Reason = "sight" if certain else "suspicion"
        return _granted(replace(lease, seen=now if certain else NEVER), reason, terms.lease, terms)
    if not certain or lease.reason == "staff":
        return lease, None
    lease = replace(lease, reason="sight", seen=now)
    due = lease.until - now <= terms.lease / 2
    return _extended(lease, terms.lease, terms) if due else (lease, None)


def _granted(
    lease: Lease, reason: Reason, seconds: float, terms: Terms, renewals: int = 0
) -> tuple[Lease, Wish | None]:
    seconds = min(seconds, LONGEST_HOLD, terms.longest)
    now = lease.now
    until = now + seconds
    return replace(lease, reason=reason, since=now, until=until, renewals=renewals), Hold(seconds)


def _extended(lease: Lease, seconds: float, terms: Terms) -> tuple[Lease, Wish | None]:
    until = min(lease.now + min(seconds, LONGEST_HOLD), lease.since + terms.longest)
    if lease.renewals >= terms.renewals or until <= lease.until:
        return lease, None
    seconds = min(until - lease.now, LONGEST_HOLD)
    return replace(lease, until=until, renewals=lease.renewals + 1), Hold(seconds)
