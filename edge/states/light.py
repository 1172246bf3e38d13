"""One picture in many lights: what teaching adds to examples that were all taken in a few."""

from __future__ import annotations

import cv2
import numpy as np

from edge.geometry import Box
from edge.states.features import SIDE, Image, Patch, patch_of

_GAMMA = 2.2
_SHAKE = 0.012  # of the place: a mast in the wind, a camera cleaned
_ROWS, _COLUMNS = np.mgrid[:SIDE, :SIDE].astype(np.float32) / SIDE - 0.5


def relit(image: Image, crop: Box, rng: np.random.Generator) -> Patch | None:
    """Return a place of a BGR picture as another hour and a worse camera would show it.

    Light falls from one side, a shadow's edge may lie across, the lamp has another colour; now
    and then in infrared, always with noise. None where the place has no pixels.
    """
    patch = patch_of(image, _shaken(crop, rng))
    if patch is None:
        return None
    light: Patch = patch**_GAMMA * np.exp(rng.normal(0, 0.5) * 2 * _ramp(rng))[..., None]
    if rng.random() < 0.5:
        light *= 1 - rng.uniform(0.2, 0.75) * _shadow(rng)[..., None]
    light *= rng.uniform(0.55, 1.7) * np.exp(rng.normal(0, 0.12, 3))
    seen = np.clip(light, 0, 1) ** (rng.uniform(0.85, 1.15) / _GAMMA)
    if rng.random() < 0.15:
        seen[:] = seen.mean(axis=2, keepdims=True)
    noisy = seen + rng.normal(0, rng.uniform(0.005, 0.03), seen.shape)
    return np.asarray(np.clip(noisy, 0, 1), np.float32)


def _shaken(crop: Box, rng: np.random.Generator) -> Box:
    x1, y1, x2, y2 = crop
    wide, high = x2 - x1, y2 - y1
    right, down, grow = rng.normal(0, _SHAKE, 3)
    middle_x, middle_y = (x1 + x2) / 2 + right * wide, (y1 + y2) / 2 + down * high
    wide, high = wide * (1 + grow) / 2, high * (1 + grow) / 2
    return (middle_x - wide, middle_y - high, middle_x + wide, middle_y + high)


def _ramp(rng: np.random.Generator) -> Patch:
    angle = rng.uniform(0, 2 * np.pi)
    return np.asarray(_COLUMNS * np.cos(angle) + _ROWS * np.sin(angle), np.float32)


def _shadow(rng: np.random.Generator) -> Patch:
    """Return 1 in the shade and 0 in the sun, with an edge between sharp and soft."""
    soft = rng.uniform(0.01, 0.08)
    away = (_ramp(rng) - rng.uniform(-0.4, 0.4)) / soft
    return np.asarray(1 / (1 + cv2.exp(-np.clip(away, -30, 30))), np.float32)
