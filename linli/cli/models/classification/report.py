"""Figures in words: one JSON object for machines, a table for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from linli.cli.models.classification.measure import Figures
from linli.counted import counted

_DIGITS = 4


def document(figures: Figures) -> dict[str, Any]:
    """Return what --json prints; null where there is no figure, since that is not 0."""
    return {
        "pictures": figures.pictures,
        "accuracy": _rounded(figures.accuracy),
        "ece": _rounded(figures.ece),
        "threshold": figures.threshold,
        "named": _rounded(figures.named),
        "accuracy_of_named": _rounded(figures.accuracy_of_named),
        "others": figures.others,
        "others_unknown": _rounded(figures.refused),
        "per_class": {
            name: {
                "precision": _rounded(each.precision),
                "recall": _rounded(each.recall),
                "n": each.n,
                "said": dict(each.said),
            }
            for name, each in figures.classes.items()
        },
    }


def table(figures: Figures) -> Iterator[str]:
    """Give the lines for people."""
    yield (
        f"accuracy {_share(figures.accuracy)}   calibration error {_share(figures.ece)}   "
        f"{counted(figures.pictures, 'picture')}"
    )
    yield (
        f"from {figures.threshold:g}: named {_share(figures.named)}, "
        f"of these right {_share(figures.accuracy_of_named)}"
    )
    if figures.others:
        yield f"other things: {figures.others}, called unknown {_share(figures.refused)}"
    width = max(len(name) for name in figures.classes)
    yield f"{'':{width}}      n  precision  recall"
    for name, each in figures.classes.items():
        yield (f"{name:{width}}  {each.n:5}  {_share(each.precision):>9}  {_share(each.recall):>6}")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
