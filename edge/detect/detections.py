"""What a detector saw in one picture: parallel arrays, frozen and checked when made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Objects of one picture, best score first.

    `boxes` [n, 4] float32 x1, y1, x2, y2 in 0..1 of the picture; `scores` [n] float32 in 0..1;
    `classes` [n] int64 indices into `names`. Raises ValueError when they do not fit together.
    """

    boxes: Floats
    scores: Floats
    classes: Ints
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        count = len(self.scores)
        shapes = (self.boxes.shape, self.scores.shape, self.classes.shape)
        if shapes != ((count, 4), (count,), (count,)):
            raise ValueError(f"shapes must be [n, 4], [n], [n], not {shapes}")
        if not count:
            return
        # Written so that a NaN fails them.
        if not (self.boxes.min() >= 0 and self.boxes.max() <= 1):
            raise ValueError("boxes must be within 0..1")
        if not (self.boxes[:, :2] <= self.boxes[:, 2:]).all():
            raise ValueError("boxes must be x1, y1, x2, y2 with x1 <= x2 and y1 <= y2")
        if not (self.scores.min() >= 0 and self.scores.max() <= 1):
            raise ValueError("scores must be within 0..1")
        if self.classes.min() < 0 or self.classes.max() >= len(self.names):
            raise ValueError(f"classes must be within 0..{len(self.names) - 1}")

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def nothing(cls, names: tuple[str, ...]) -> Detections:
        """Return the detections of a picture in which nothing is."""
        return cls(
            np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int64), names
        )

    def where(self, mask: Mask) -> Detections:
        """Return those for which `mask` [n] holds."""
        return Detections(self.boxes[mask], self.scores[mask], self.classes[mask], self.names)

    def of(self, labels: Iterable[str]) -> Detections:
        """Return those of the named classes; names that no class has match nothing."""
        return self.where(chosen(self.names, labels)[self.classes])


def chosen(names: tuple[str, ...], labels: Iterable[str]) -> Mask:
    """Return for each of `names` whether it is one of `labels`; index it with class numbers."""
    wanted = frozenset(labels)
    return np.array([name in wanted for name in names], np.bool_)
