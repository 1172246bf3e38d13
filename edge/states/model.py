"""What each state looks like: a mean per state and one common spread, from few examples.

Linear discriminant analysis with shrinkage, in the form of probabilistic PCA: the spread within
states along a few axes, and one number for all others. The same distance tells the nearest state
and whether a picture is like any of them at all. No I/O, no clock.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Numbers = npt.NDArray[np.integer]

AXES = 24
_SHRINK = 0.3  # how far each number's own spread is drawn to the mean spread
_LEAST = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class StateModel:
    """`means` [states, size], `scale` [size], `axes` [k, size] with their `spread` [k].

    `rest` is the spread along everything that is not an axis.
    """

    means: Floats
    scale: Floats
    axes: Floats
    spread: Floats
    rest: float

    def distances(self, looks: Floats) -> Floats:
        """Return the squared distance of looks [n, size] to each state: [n, states]."""
        away = (looks[:, None, :] - self.means) * self.scale
        along = (away @ self.axes.T) ** 2
        beside = (away**2).sum(axis=-1) - along.sum(axis=-1)
        squared: Floats = (along / (self.spread + self.rest)).sum(axis=-1) + beside / self.rest
        return squared

    def between(self, looks: Floats, low: int, high: int) -> Floats:
        """Return where looks [n, size] lie on the way from one state (0) to another (1): [n]."""
        way = (self.means[high] - self.means[low]) * self.scale
        along = self.axes @ way
        weights = way / self.rest
        weights = weights + (along * (1 / (self.spread + self.rest) - 1 / self.rest)) @ self.axes
        share: Floats = ((looks - self.means[low]) * self.scale) @ weights / (way @ weights)
        return share


def fit(looks: Floats, states: Numbers, count: int) -> StateModel:
    """Learn from looks [n, size] of states [n], numbered 0 to count - 1, each there at least once.

    Of fewer looks than AXES + 2 it takes fewer axes.
    """
    means = np.stack([looks[states == state].mean(axis=0) for state in range(count)])
    away = looks - means[states]
    own = away.var(axis=0)
    scale = 1 / np.sqrt(own + _SHRINK * own.mean() + _LEAST)
    away *= scale
    spread, axes = np.linalg.eigh(away.T @ away / len(away))
    k = max(min(AXES, len(looks) - count - 1), 1)
    rest = max(float(spread[:-k].mean()), _LEAST)
    return StateModel(means, scale, axes[:, -k:].T.copy(), spread[-k:].clip(0), rest)


def confidences(distances: Floats, temperature: float) -> Floats:
    """Return how likely each state is, given that it is one of them: [n, states] to the same."""
    score = -distances / (2 * temperature)
    odds = np.exp(score - score.max(axis=1, keepdims=True))
    share: Floats = odds / odds.sum(axis=1, keepdims=True)
    return share


def temperature(distances: Floats, states: Numbers) -> float:
    """Return the temperature at which confidences fit what held-out looks turned out to be.

    One look with the usual lead is counted as wrong besides: with a few pictures nobody has seen
    all mistakes, and a perfect score must not make the confidence 1.
    """
    right = distances[np.arange(len(states)), states]
    others = np.where(np.arange(distances.shape[1]) == states[:, None], np.inf, distances)
    lead = others.min(axis=1) - right
    usual = max(float(np.median(lead)), _LEAST)
    candidates = usual * np.geomspace(0.01, 10, 61)
    losses = [
        float(np.logaddexp(0, -lead / (2 * one)).sum() + np.logaddexp(0, usual / (2 * one)))
        for one in candidates
    ]
    return float(candidates[int(np.argmin(losses))])
