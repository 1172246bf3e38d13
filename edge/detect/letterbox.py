"""Pictures made to fit a network: with their shape kept, top left, padded; or stretched."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.detect.decoder import Input
from edge.detect.detections import Floats

PAD = 114
_FITS = 4  # sizes of pictures remembered: whole pictures and windows of them take turns
Image = npt.NDArray[np.uint8]


@dataclass(slots=True, eq=False)
class _Fit:
    tensor: Floats
    extent: Floats
    resized: Image
    planes: list[Image]
    windows: list[Floats]


class Letterbox:
    """Fills a tensor again and again: float32 [1, 3, height, width] as `Input` says.

    The padding is written once for each size of pictures, of which the last few are remembered, and
    the resized picture goes plane by plane into place, which measured twice as fast as one
    transposing copy. Not for several threads at once.
    """

    def __init__(self, wanted: Input) -> None:
        self._wanted = wanted
        self._unit = np.float32(wanted.unit)
        self._fits: dict[tuple[int, ...], _Fit] = {}

    def fill(self, image: Image) -> tuple[Floats, Floats]:
        """Return the tensor, valid until the next call, and how far the picture extends over it.

        `image` is BGR [height, width, 3]; the extent is [4]: width, height, width, height in pixels
        of the tensor, so that boxes divided by it are in 0..1 of the picture.
        """
        fit = self._fits.get(image.shape[:2])
        if fit is None:
            if len(self._fits) == _FITS:
                del self._fits[next(iter(self._fits))]
            fit = self._fits[image.shape[:2]] = self._new_fit(image.shape[0], image.shape[1])
        height, width = fit.resized.shape[:2]
        cv2.resize(image, (width, height), dst=fit.resized)
        cv2.split(fit.resized, fit.planes)
        for plane, window in zip(fit.planes, fit.windows, strict=True):
            window[...] = plane
            if self._unit != 1:
                np.multiply(window, self._unit, out=window)
        return fit.tensor, fit.extent

    def _new_fit(self, height: int, width: int) -> _Fit:
        wanted = self._wanted
        down, across = wanted.height / height, wanted.width / width
        if not wanted.stretch:
            down = across = min(down, across)
        size = (_shrunk(height, down), _shrunk(width, across))
        full = wanted.around(size[1], size[0])
        tensor = np.full((1, 3, full[1], full[0]), PAD * self._unit, np.float32)
        return _Fit(
            tensor=tensor,
            extent=np.array([width * across, height * down] * 2, np.float32),
            resized=np.empty((*size, 3), np.uint8),
            planes=[np.empty(size, np.uint8) for _ in range(3)],
            windows=[tensor[0, channel, : size[0], : size[1]] for channel in range(3)],
        )


def _shrunk(side: int, scale: float) -> int:
    """Round down as the models were trained, but not 233.99999999999997 to 233."""
    return max(int(side * scale + 1e-6), 1)
