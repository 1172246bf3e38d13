"""Whether a lamp does what it was told: pure, one look or measurement after the other.

Three things can speak of a lamp: its meter, a look at it, and the device that switches it. Each is
judged alone, so that one that sees well never covers what another one misses. A lamp that was told
to be off cannot show that it would be on: its fault stays until it is seen to work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

Witness = Literal["power", "light", "answer"]
FaultKind = Literal["no-power", "no-light", "no-answer", "stuck-on", "flickering"]

GRACE = 30.0
"""Seconds after a command in which a lamp ramps, its driver starts and its meter follows."""
CONFIRM = GRACE / 3
"""Seconds that a witness must go on saying it, in at least two words."""
_WORDS = 2
FLICKER_WINDOW = 600.0
FLICKER_SWITCHES = 6
"""Times that a lamp told nothing new went on or off within the window."""
DRAWS = 0.3
"""Share of the power to be expected from which a lamp counts as lit."""
RESTS = 0.05
"""Share of the rated power that a driver may draw at rest, and at least half a watt."""
_MISSING: Mapping[Witness, FaultKind] = {
    "power": "no-power",
    "light": "no-light",
    "answer": "no-answer",
}


@dataclass(frozen=True, slots=True)
class Testimony:
    """What one witness said since the last command, and what was made of it."""

    lit: bool | None = None
    kind: FaultKind | None = None
    since: float = 0.0
    words: int = 0
    switches: tuple[float, ...] = ()
    found: FaultKind | None = None


@dataclass(frozen=True, slots=True)
class Lamp:
    """What a lamp was told, and what is known of it; `fault` is what people were told."""

    on: bool = False
    told: float | None = None
    testimony: Mapping[Witness, Testimony] = field(default_factory=dict)
    fault: FaultKind | None = None


@dataclass(frozen=True, slots=True)
class FaultChange:
    """A fault began, or the one there was is over."""

    phase: Literal["begin", "end"]
    kind: FaultKind


def tell(lamp: Lamp, level: float, now: float) -> Lamp:
    """Return the lamp after it was told a level; a mere dimming changes nothing here."""
    on = level > 0
    if lamp.told is not None and on == lamp.on:
        return lamp
    calm = {
        witness: replace(said, lit=None, kind=None, words=0)
        for witness, said in lamp.testimony.items()
    }
    return replace(lamp, on=on, told=now, testimony=calm)


def draws(watts: float, rated: float | None, level: float) -> bool | None:
    """Tell whether a lamp that was told a level and draws so much is lit.

    None when it is so dim that it would draw hardly more than a driver at rest. Of a lamp with
    unknown power half a watt will do.
    """
    rest = max(RESTS * (rated or 0.0), 0.5)
    if rated is None:
        return watts > rest
    if level == 0:
        return watts > 2 * rest
    expected = rated * level
    return watts > max(DRAWS * expected, rest) if expected >= 2 * rest else None


def witness(
    lamp: Lamp, who: Witness, lit: bool, now: float, grace: float = GRACE
) -> tuple[Lamp, FaultChange | None]:
    """Return the lamp after a word on whether it is lit (for `answer`: whether it obeyed).

    A fault is believed after a third of `grace`.
    """
    if lamp.told is None or now - lamp.told < grace:
        return lamp, None
    said = _heard(lamp.testimony.get(who, Testimony()), lamp.on, who, lit, now, confirm=grace / 3)
    lamp = replace(lamp, testimony={**lamp.testimony, who: said})
    found = next((one.found for one in lamp.testimony.values() if one.found is not None), None)
    if lamp.fault is None and found is not None:
        return replace(lamp, fault=found), FaultChange("begin", found)
    if lamp.fault is not None and found is None:
        return replace(lamp, fault=None), FaultChange("end", lamp.fault)
    return lamp, None


def _heard(
    said: Testimony, on: bool, who: Witness, lit: bool, now: float, *, confirm: float
) -> Testimony:
    switches = tuple(time for time in said.switches if now - time < FLICKER_WINDOW)
    if said.lit is not None and said.lit != lit and who != "answer":
        switches = (*switches, now)[-FLICKER_SWITCHES:]
    kind: FaultKind | None
    if len(switches) >= FLICKER_SWITCHES or (said.found == "flickering" and switches):
        kind = "flickering"
    elif who == "answer":
        kind = None if lit else "no-answer"
    else:
        kind = None if lit == on else (_MISSING[who] if on else "stuck-on")
    same = said.words > 0 and kind == said.kind
    since, words = (said.since, said.words + 1) if same else (now, 1)
    believed = words >= _WORDS and now - since >= confirm
    if kind is None:
        found = None if believed and _shows(said.found, on) else said.found
    else:
        found = kind if believed or kind == "flickering" else said.found
    return Testimony(lit, kind, since, words, switches, found)


def _shows(found: FaultKind | None, on: bool) -> bool:
    """Tell whether a lamp in order, told to be on or off, disproves what was found."""
    return found in {"no-answer", "flickering"} or (found == "stuck-on") != on
