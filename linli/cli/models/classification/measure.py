"""How good a classifier's probabilities are. Pure arrays in, figures out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
OTHER = -1
_BINS = 15


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One class at the threshold; None where nothing was counted, which is not 0."""

    n: int
    precision: float | None
    recall: float | None
    said: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Figures:
    """`accuracy` and `ece` count every picture of a class, `named` and what follows the threshold.

    `ece` is the expected calibration error over 15 bins; `others` pictures of no class, of which
    the share `refused` was called unknown.
    """

    pictures: int
    accuracy: float
    ece: float
    threshold: float
    named: float
    accuracy_of_named: float | None
    others: int
    refused: float | None
    classes: Mapping[str, ClassFigures]


def measure(probabilities: Floats, truth: Ints, names: Sequence[str], threshold: float) -> Figures:
    """Measure probabilities [n, classes] against classes [n], `OTHER` for pictures of none.

    At least one picture must be of a class.
    """
    sure, best = probabilities.max(axis=1), probabilities.argmax(axis=1)
    ours, named = truth != OTHER, sure >= threshold
    right = best == truth
    said = np.where(named, best, len(names))
    return Figures(
        pictures=len(truth),
        accuracy=float(right[ours].mean()),
        ece=_calibration_error(sure[ours], right[ours]),
        threshold=threshold,
        named=float(named[ours].mean()),
        accuracy_of_named=_mean(right[ours & named]),
        others=int((~ours).sum()),
        refused=_mean(~named[~ours]),
        classes={
            name: _figures(truth == number, said, number, (*names, "unknown"))
            for number, name in enumerate(names)
        },
    )


def _figures(mine: Mask, said: Ints, number: int, columns: Sequence[str]) -> ClassFigures:
    counts = np.bincount(said[mine], minlength=len(columns))
    return ClassFigures(
        n=int(mine.sum()),
        precision=_mean(mine[said == number]),
        recall=_mean((said == number)[mine]),
        said={name: int(count) for name, count in zip(columns, counts, strict=True) if count},
    )


def _calibration_error(sure: Floats, right: Mask) -> float:
    bins = np.minimum((sure * _BINS).astype(np.int64), _BINS - 1)
    gaps = np.bincount(bins, weights=sure - right, minlength=_BINS)
    return float(np.abs(gaps).sum() / len(sure))


def _mean(mask: Mask) -> float | None:
    return float(mask.mean()) if mask.size else None
