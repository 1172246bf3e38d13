"""How long a picture is kept, and who may keep it longer. Pure.

The edge says until when at most; the class of what the picture shows may end it sooner. There is no
class for training: no picture is kept for that. A legal hold alone keeps one longer; two different
people set it, and two different people lift it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from ingest.refusal import Clash

Retention = Literal["ordinary", "safety", "false-alarm"]
Step = Literal["asked", "held", "release-asked", "released"]
Wish = Literal["hold", "release"]
ASKED_LASTS = timedelta(days=7)
"""A hold that one person has asked for protects so long; without a second one it ends then."""


class Keep(msgspec.Struct, frozen=True, kw_only=True):
    """How long each class is kept, from when a picture was received."""

    ordinary: timedelta = timedelta(days=30)
    safety: timedelta = timedelta(days=90)
    false_alarm: timedelta = timedelta(days=7)

    def of(self, retention: Retention) -> timedelta:
        """Return the time of one class."""
        match retention:
            case "safety":
                return self.safety
            case "false-alarm":
                return self.false_alarm
            case _:
                return self.ordinary

    @property
    def longest(self) -> timedelta:
        """The longest of all."""
        return max(self.ordinary, self.safety, self.false_alarm)


class HoldStep(msgspec.Struct, frozen=True, kw_only=True):
    """What one person said about holding a picture; these rows are only ever added to."""

    step: Step
    account: str
    at: datetime
    why: str


def retention_of(*, safety: bool, label: str | None) -> Retention:
    """Return the class: what was no incident goes first, whatever it was taken for."""
    if label == "false-alarm":
        return "false-alarm"
    return "safety" if safety else "ordinary"


def standing(steps: Sequence[HoldStep], now: datetime) -> Step:
    """Return where a hold stands; `released` when there is none, or it was never confirmed."""
    if not steps:
        return "released"
    last = steps[-1]
    return "released" if last.step == "asked" and now - last.at > ASKED_LASTS else last.step


def protects(steps: Sequence[HoldStep], now: datetime) -> bool:
    """Tell whether the picture must stay: also while one person's word is not confirmed yet."""
    return standing(steps, now) != "released"


def next_step(steps: Sequence[HoldStep], wish: Wish, account: str, now: datetime) -> Step:
    """Return what a person's wish makes of a hold. Raises Clash when it makes nothing."""
    now_at = standing(steps, now)
    if wish == "hold":
        if now_at == "released":
            return "asked"
        if now_at == "held":
            raise Clash("it is held already")
        if now_at == "release-asked":
            return "held"  # one objection is enough
        _other(steps, account)
        return "held"
    if now_at == "released":
        raise Clash("nobody holds it")
    if now_at == "asked":
        return "released"
    if now_at == "held":
        return "release-asked"
    _other(steps, account)
    return "released"


def _other(steps: Sequence[HoldStep], account: str) -> None:
    if steps[-1].account == account:
        raise Clash("another person must confirm it", hint="Two different people are needed")
