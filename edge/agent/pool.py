"""A few detectors shared by all cameras, so that memory grows with cores, not with cameras."""

from __future__ import annotations

import queue
from collections.abc import Sequence

from edge.detect.detections import Detections
from edge.detect.detector import Detector
from edge.detect.letterbox import Image


class DetectorPool:
    """Is a detector itself, and safe for threads: each picture takes the next one free."""

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self.names = detectors[0].names
        self.model = detectors[0].model
        self.thresholds = detectors[0].thresholds
        self._free: queue.SimpleQueue[Detector] = queue.SimpleQueue()
        for detector in detectors:
            self._free.put(detector)

    def detect(self, image: Image) -> Detections:
        """Return what is in a BGR picture [height, width, 3]; waits while all are busy."""
        detector = self._free.get()
        try:
            return detector.detect(image)
        finally:
            self._free.put(detector)
