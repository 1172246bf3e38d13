"""One bin as a pure function of (state, reading, now): its level, and what is wrong with it.

Conditions begin and end as facts: full (then overflowing), burning, tipped, overdue. That it was
emptied is measured, not announced: nobody has to act on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from edge.waste.terms import Terms
from edge.waste.witness import NOTHING, Witness, hear, tell
from linli.events import Phase, Severity

FULL, FIRE, TIPPED, OVERDUE = "bin-full", "bin-fire", "bin-tipped", "bin-overdue"

QUANTITIES = frozenset(
    {
        "distance",
        "weight",
        "fill-level",
        "temperature",
        "tilt",
        "tilted",
        "open",
        "overflowing",
    }
)
"""What is heard of a bin's sensors, in the units of `edge.sensors.quantity`; `open` is its lid, and
`overflowing` a state that a camera was taught."""

OVER, NOT_OVER = 1.05, 1.0
LESS_FULL = 0.15
"""How far below `full` the level must fall to be full no more."""
GAPING = timedelta(minutes=10)
"""A full bin whose lid stands open that long does not close any more: it overflows."""
SETTLES = timedelta(minutes=1)
"""After the lid has closed, echoes of a swinging lid and of falling bags are not heard."""
LIES = timedelta(minutes=2)
"""A lorry tips a bin for less than that."""
COOLER = 10.0
COOL_FOR = timedelta(minutes=10)
RISE, RISE_WITHIN, WARM = 15.0, timedelta(minutes=10), 45.0
"""So many kelvin more in that time, to above WARM: it burns before it is hot."""
EMPTY, DROP = 0.2, 0.25
"""A level at most EMPTY, and DROP below its highest since, is that of an emptied bin."""
_MOST_HEATS = 64


@dataclass(frozen=True, slots=True)
class BinFact:
    """One phase of one condition; `label` is the state that it is in."""

    event: str
    phase: Phase
    label: str
    severity: Severity
    since: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is wrong since `since`."""

    label: str
    severity: Severity
    since: datetime


@dataclass(frozen=True, slots=True)
class BinState:
    """All that is known of one bin; `peak` is the highest level since it was emptied."""

    echo: Witness = NOTHING
    weight: Witness = NOTHING
    told: Witness = NOTHING
    shown: bool = False
    lid_open: datetime | None = None
    lid_closed: datetime | None = None
    leans: datetime | None = None
    heats: tuple[tuple[datetime, float], ...] = ()
    hot_at: datetime | None = None
    peak: float = 0.0
    emptied: datetime | None = None
    open: Mapping[str, Condition] = field(default_factory=dict)

    def level(self, now: datetime) -> float | None:
        """Return the level that the fullest witness believes, None when none knows it."""
        known = [one.known(now) for one in (self.echo, self.weight, self.told)]
        return max((one for one in known if one is not None), default=None)

    @property
    def odd(self) -> int:
        """How many readings were no level at all."""
        return self.echo.odd + self.weight.odd + self.told.odd


def heard(quantity: str, *, usable: bool) -> bool:
    """Tell whether a reading says something of a bin: usable ones do, and any heat.

    A fire is beyond what a sensor can measure, or it is the last thing that it says.
    """
    return quantity in QUANTITIES and (usable or quantity == "temperature")


def take(
    state: BinState, quantity: str, value: float, at: datetime, terms: Terms
) -> tuple[BinState, list[BinFact]]:
    """Return the bin after a good reading of `at`, and what began or ended with it."""
    return judge(_emptied(_heard(state, quantity, value, at, terms), at), at, terms)


def judge(state: BinState, now: datetime, terms: Terms) -> tuple[BinState, list[BinFact]]:
    """Return the bin at `now` and what began, changed or ended; for each reading and each minute.

    Nothing ends because nobody measures any more.
    """
    wrong = {
        event: condition
        for event, condition in (
            (FULL, _full(state, now, terms)),
            (FIRE, _fire(state, terms)),
            (TIPPED, _tipped(state, now)),
        )
        if condition is not None
    }
    overdue = _overdue(state.open.get(OVERDUE), wrong.get(FULL), now, terms)
    if overdue is not None:
        wrong[OVERDUE] = overdue
    return replace(state, open=wrong), _told(state.open, wrong, now)


def _told(
    before: Mapping[str, Condition], wrong: Mapping[str, Condition], now: datetime
) -> list[BinFact]:
    facts = []
    for event in (*wrong, *(one for one in before if one not in wrong)):
        was, is_now = before.get(event), wrong.get(event)
        phase: Phase = "begin" if was is None else "end" if is_now is None else "update"
        said = is_now or was
        if said is not None and was != is_now:
            at = max(now, said.since)
            facts.append(BinFact(event, phase, said.label, said.severity, said.since, at))
    return facts


def _heard(state: BinState, quantity: str, value: float, at: datetime, terms: Terms) -> BinState:
    changed: dict[str, Any] = {}
    match quantity:
        case "distance" if not _lid_disturbs(state, at):
            changed["echo"] = _witnessed(state.echo, terms.level_of_distance(value), at)
        case "weight":
            changed["weight"] = _witnessed(state.weight, terms.level_of_weight(value), at)
        case "fill-level":
            changed["told"] = tell(state.told, value, at)
        case "overflowing":
            changed["shown"] = value > 0
        case "temperature":
            changed = _warmed(state, value, at, terms)
        case "tilt" | "tilted":
            leans = value > 0 if quantity == "tilted" else abs(value) >= terms.tilt
            changed["leans"] = (state.leans or at) if leans else None
        case "open" if value > 0:
            changed["lid_open"] = state.lid_open or at
        case "open" if state.lid_open is not None:
            changed = {"lid_open": None, "lid_closed": at}
    return replace(state, **changed)


def _witnessed(witness: Witness, level: float | None, at: datetime) -> Witness:
    return witness if level is None else hear(witness, level, at)


def _lid_disturbs(state: BinState, at: datetime) -> bool:
    if state.lid_open is not None:
        return True
    return state.lid_closed is not None and at - state.lid_closed < SETTLES


def _warmed(state: BinState, value: float, at: datetime, terms: Terms) -> dict[str, Any]:
    near = [one for one in state.heats if at - one[0] <= RISE_WITHIN][1 - _MOST_HEATS :]
    coolest = min((heat for _, heat in near), default=value)
    still = FIRE in state.open and value > terms.hot - COOLER
    burns = value >= terms.hot or still or (value >= WARM and value - coolest >= RISE)
    return {"heats": (*near, (at, value)), "hot_at": at if burns else state.hot_at}


def _emptied(state: BinState, at: datetime) -> BinState:
    level = state.level(at)
    if level is None:
        return state
    if level <= EMPTY and state.peak - level >= DROP:
        return replace(state, peak=level, emptied=at)
    return replace(state, peak=max(state.peak, level))


def _full(state: BinState, now: datetime, terms: Terms) -> Condition | None:
    was, level = state.open.get(FULL), state.level(now)
    if level is None and not state.shown:
        return was
    need = terms.full - (LESS_FULL if was is not None else 0.0)
    if (level is None or level < need) and not state.shown:
        return None
    since = was.since if was is not None else now
    over = _overflows(state, was, level, now)
    return Condition("overflowing", "high", since) if over else Condition("full", "medium", since)


def _overflows(state: BinState, was: Condition | None, level: float | None, now: datetime) -> bool:
    gapes = state.lid_open is not None and now - state.lid_open >= GAPING
    limit = NOT_OVER if was is not None and was.label == "overflowing" else OVER
    return state.shown or gapes or (level is not None and level > limit)


def _fire(state: BinState, terms: Terms) -> Condition | None:
    was = state.open.get(FIRE)
    if state.hot_at is None:
        return None
    if was is not None:
        # Only a reading can tell that it is cool again: a sensor that burnt says nothing more.
        cool = bool(state.heats) and state.heats[-1][1] <= terms.hot - COOLER
        return None if cool and state.heats[-1][0] - state.hot_at >= COOL_FOR else was
    hot = bool(state.heats) and state.heats[-1][0] == state.hot_at
    return Condition("overheating", "critical", state.hot_at) if hot else None


def _tipped(state: BinState, now: datetime) -> Condition | None:
    if state.leans is None:
        return None
    lies = now - state.leans >= LIES
    return state.open.get(TIPPED) or (Condition("tipped", "medium", state.leans) if lies else None)


def _overdue(
    was: Condition | None, full: Condition | None, now: datetime, terms: Terms
) -> Condition | None:
    if full is None or now - full.since < terms.empty_within:
        return None
    return was or Condition("not-emptied", "high", full.since + terms.empty_within)
