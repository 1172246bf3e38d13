"""Probabilities that mean what they say: temperature, calibration error, threshold. Pure NumPy."""

import numpy as np

Array = np.ndarray
BINS = 15


def softmax(logits: Array) -> Array:
    """Return probabilities of logits [n, classes]."""
    e = np.exp(logits - logits.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def loss(logits: Array, truth: Array, temperature: float) -> float:
    """Return the mean negative log-likelihood at a temperature."""
    p = softmax(logits / temperature)[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(p, 1e-12)).mean())


def temperature(logits: Array, truth: Array) -> float:
    """Return the temperature of the least loss, by golden section of its logarithm."""
    low, high, ratio = np.log(0.2), np.log(5.0), (5**0.5 - 1) / 2
    while high - low > 1e-4:
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        if loss(logits, truth, np.exp(a)) < loss(logits, truth, np.exp(b)):
            high = b
        else:
            low = a
    return round(float(np.exp((low + high) / 2)), 3)


def bins(sure: Array, right: Array) -> Array:
    """Return per bin of probability [BINS, 3]: mean probability, share right, count."""
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    rows = np.zeros((BINS, 3))
    for n in range(BINS):
        inside = place == n
        if inside.any():
            rows[n] = sure[inside].mean(), right[inside].mean(), inside.sum()
    return rows


def calibration_error(sure: Array, right: Array) -> float:
    """Return the expected calibration error: how far probability and accuracy are apart."""
    rows = bins(sure, right)
    return float((np.abs(rows[:, 0] - rows[:, 1]) * rows[:, 2]).sum() / rows[:, 2].sum())


def threshold(
    sure: Array, right: Array, others: Array, *, accuracy: float, refused: float
) -> float:
    """Return the least threshold that keeps `accuracy` among what is named and refuses the others.

    `sure` and `right` are of photographs of the classes, `others` the probabilities of pictures
    of other things, of which the share `refused` must stay below. Raises ValueError if none does.
    """
    for value in (n / 100 for n in range(30, 100)):
        kept = sure >= value
        if kept.any() and right[kept].mean() >= accuracy and (others < value).mean() >= refused:
            return value
    raise ValueError("no threshold keeps what is asked")
