"""The wall screen: what needs a person, as much of it as fits, and the rest as numbers."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.web.cards import Card
from dashboards.web.words import Words
from ingest.services.incidents import Waiting
from linli.events import Severity

FITS = 4
"""Rows of letters that can be read from five metres, between the sums above and duty below."""


@dataclass(frozen=True, slots=True)
class Sum:
    """How many of one severity wait."""

    severity: Severity
    word: str
    number: int


@dataclass(frozen=True, slots=True)
class Wall:
    """What is shown; `more` wait without a row of their own, `handled` are seen, not finished."""

    sums: tuple[Sum, ...]
    tiles: tuple[Card, ...]
    more: int
    handled: int


def wall(cards: tuple[Card, ...], waiting: Waiting, words: Words) -> Wall:
    """Choose the rows of the wall from the most urgent `cards`; the last row tells of the rest."""
    total = max(sum(waiting.severities.values()), len(cards))
    shown = cards if total <= FITS and not waiting.handled else cards[: FITS - 1]
    return Wall(
        sums=tuple(
            Sum(level, words.severity(level), number)
            for level, number in waiting.severities.items()
        ),
        tiles=shown,
        more=total - len(shown),
        handled=waiting.handled,
    )
