"""A result in words: one JSON object for machines, a table for people."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

from linli.cli.models.evaluation.measure import ClassResult, Result
from linli.counted import counted

_DIGITS = 4
_HEADS = ("n", "found", "false", "on pictures", "precision", "recall", "AP", "AP50", "threshold")


def document(result: Result) -> dict[str, Any]:
    """Return what --json prints; null where there is no figure, since that is not 0."""
    return {
        "AP": _rounded(result.ap),
        "AP50": _rounded(result.ap50),
        "iou": result.iou,
        "pictures": result.pictures,
        "per_class": {
            name: {
                "AP": _rounded(each.ap),
                "AP50": _rounded(each.ap50),
                "precision": _rounded(each.precision),
                "recall": _rounded(each.recall),
                "n": each.n,
                "found": each.found,
                "false": each.false,
                "pictures_with_false": each.pictures_with_false,
                "threshold": each.threshold,
            }
            for name, each in result.classes.items()
        },
    }


def table(result: Result) -> Iterator[str]:
    """Give the lines for people; classes that are neither labelled nor said are only counted."""
    yield (
        f"AP {_share(result.ap)}   AP50 {_share(result.ap50)}   "
        f"{counted(result.pictures, 'picture')}, IoU {result.iou:g}"
    )
    shown = {name: each for name, each in result.classes.items() if each.n or each.false}
    rows = [("", *_HEADS), *((name, *_cells(each)) for name, each in shown.items())]
    widths = [max(_width(row[column]) for row in rows) for column in range(len(rows[0]))]
    for first, *cells in rows:
        aligned = (f"{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True))
        yield "  ".join((first + " " * (widths[0] - _width(first)), *aligned))
    silent = len(result.classes) - len(shown)
    if silent:
        more = counted(silent, "more class", "more classes")
        yield f"neither labelled nor said: {more} of the model"


def _cells(each: ClassResult) -> tuple[str, ...]:
    counts = (each.n, each.found, each.false, each.pictures_with_false)
    shares = (each.precision, each.recall, each.ap, each.ap50)
    threshold = "-" if each.threshold is None else f"{each.threshold:g}"
    return (*(str(count) for count in counts), *(_share(share) for share in shares), threshold)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes; Chinese takes two a character."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)
