"""Which frame a camera looks at when its turn comes: the newest, not the one that asked."""

from __future__ import annotations

from edge.agent.pool import Seat
from edge.source.frame import Frame, FrameSource


class NewestFrame:
    """Waits for a camera's turn; what is late is told by the frame that is looked at, not behind.

    For live cameras alone: a file waits for who reads it, and loses no frame.
    """

    def __init__(self, seat: Seat, source: FrameSource) -> None:
        self._seat = seat
        self._source = source

    def __call__(self, frame: Frame) -> Frame:
        """Return the frame to look at now that the detector is this camera's."""
        self._seat.ready()
        try:
            return self._source.read(0.0) or frame
        except BaseException:
            self._seat.leave()
            raise
