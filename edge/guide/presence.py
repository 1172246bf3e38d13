"""Whether something is held before the camera: what differs from the place without anything.

Belongs to one thread. What stays for long (a bag left there, the sun moved on) becomes the place.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edge.source.frame import Image

SIZE = (48, 36)
APART = 22.0
"""Grey levels (of 255) by which a spot is another, after the light as a whole is taken out."""
SHARE = 0.10
"""Share of spots that must be others: a hand with an item fills more, an insect less."""
LEARNS = 0.05
"""Weight of each empty look in what the place looks like."""
STAYS = 60.0
"""Seconds after which what has not moved belongs to the place."""
_STILL = 6.0


class Presence:
    """Looks at one place; `see` is told of every frame that is judged."""

    def __init__(self) -> None:
        self._place: npt.NDArray[np.float32] | None = None
        self._last: npt.NDArray[np.float32] | None = None
        self._still_since = 0.0

    def see(self, image: Image, now: float) -> bool:
        """Tell whether something is held into a BGR picture; the first one shows the empty place.

        `now` is seconds that never go back.
        """
        look = _small(image)
        if self._place is None:
            self._place, self._last, self._still_since = look, look, now
            return False
        if self._last is not None and float(np.abs(look - self._last).mean()) > _STILL:
            self._still_since = now
        self._last = look
        apart = look - self._place
        apart -= float(np.median(apart))
        present = float((np.abs(apart) > APART).mean()) >= SHARE
        if not present:
            self._place = self._place + LEARNS * (look - self._place)
        elif now - self._still_since >= STAYS:
            self._place, present = look, False
        return present


def _small(image: Image) -> npt.NDArray[np.float32]:
    small = cv2.resize(image, SIZE, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32)
