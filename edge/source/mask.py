"""Parts of a picture that nobody is to see, made flat before anything else has the frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from edge.settings import Mask
from edge.source.frame import Finer, Frame, FrameSource, Image, SourceCounts, SourceState

FLAT = 114
"""Grey as what models are given beside a picture: nothing is ever found in it."""
_EDGE = 3  # pixels of the outline drawn on top, so that no half pixel of what is hidden is left


class MaskedSource:
    """Another source, of whose frames only the masked ones are ever handed out."""

    def __init__(self, source: FrameSource, masks: Sequence[Mask]) -> None:
        self._source = source
        self._masks = masks

    @property
    def state(self) -> SourceState:
        """What the source is doing; `ended` and `failed` are final."""
        return self._source.state

    @property
    def detail(self) -> str | None:
        """Why it is stalled or failed, for a person; holds no password."""
        return self._source.detail

    @property
    def counts(self) -> SourceCounts:
        """What it has done so far."""
        return self._source.counts

    def __enter__(self) -> Self:
        self._source.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._source.__exit__(kind, error, trace)

    def read(self, timeout: float) -> Frame | None:
        """Return the next frame to analyse, masked; None when none is due in `timeout` seconds."""
        frame = self._source.read(timeout)
        if frame is None:
            return None
        finer = None if frame.finer is None else partial(self._finer, frame.finer)
        return replace(frame, image=masked(frame.image, self._masks), finer=finer)

    def _finer(self, finer: Finer) -> Image | None:
        image = finer()
        return None if image is None else masked(image, self._masks)


def masked(image: Image, masks: Sequence[Mask]) -> Image:
    """Return a BGR picture [height, width, 3] with `masks` flat; in place where it can be."""
    if not masks:
        return image
    picture = image if image.flags.writeable else image.copy()
    height, width = picture.shape[:2]
    for mask in masks:
        corners = np.array(mask.points, np.float64) * (width, height)
        outline = [np.round(corners).astype(np.int32)]
        cv2.fillPoly(picture, outline, (FLAT, FLAT, FLAT))
        cv2.polylines(picture, outline, isClosed=True, color=(FLAT, FLAT, FLAT), thickness=_EDGE)
    return picture
