"""Readings folded into five-minute rollups. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from ingest.store.series import BUCKET

Row = tuple[int, int, float, str | None]
"""Series, time in ms, value, quality (None when good)."""
Fold = tuple[int, int, int, float, float, float]
"""Series, beginning of the five minutes in ms, count, sum, lowest, highest."""


def firsts(rows: Iterable[Row]) -> list[Row]:
    """Return the first row of each series and time, sorted: neighbours lie on the same page."""
    kept: dict[tuple[int, int], Row] = {}
    for row in rows:
        kept.setdefault((row[0], row[1]), row)
    return [kept[place] for place in sorted(kept)]


def fold(rows: Iterable[Row]) -> list[Fold]:
    """Return what good rows add to each rollup; those that are not good add nothing."""
    folds: dict[tuple[int, int], Fold] = {}
    for series, time, value, quality in rows:
        if quality is not None:
            continue
        place = series, time - time % BUCKET
        known = folds.get(place)
        if known is None:
            folds[place] = (*place, 1, value, value, value)
        else:
            _, _, count, total, low, high = known
            folds[place] = (*place, count + 1, total + value, min(low, value), max(high, value))
    return list(folds.values())
