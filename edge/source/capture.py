"""The one file that knows OpenCV's video reader."""

from __future__ import annotations

import os

import cv2
import numpy as np
from cv2.utils import logging

from edge.source.frame import Image

_QUIET = "-8"


class Capture:
    """An opened video: `grab` steps to the next frame, `picture` decodes the one grabbed."""

    def __init__(self, video: cv2.VideoCapture) -> None:
        self._video = video

    def grab(self) -> bool:
        """Step to the next frame; False at the end or when the connection broke."""
        try:
            return self._video.grab()
        except cv2.error:
            return False

    def picture(self) -> Image | None:
        """Return the grabbed frame as BGR [height, width, 3], None when it cannot be decoded."""
        try:
            good, image = self._video.retrieve()
        except cv2.error:
            return None
        if not good or image.ndim != 3:
            return None
        return np.asarray(image, np.uint8)

    @property
    def position(self) -> float:
        """Media time of the grabbed frame in seconds, as the container says."""
        return self._video.get(cv2.CAP_PROP_POS_MSEC) / 1000

    @property
    def fps(self) -> float:
        """Frames per second as the container says; 0 when it does not."""
        return self._video.get(cv2.CAP_PROP_FPS)

    @property
    def length(self) -> int:
        """How many frames the container says there are; 0 or less when it does not."""
        return int(self._video.get(cv2.CAP_PROP_FRAME_COUNT))

    def close(self) -> None:
        """Let go of the file or connection."""
        self._video.release()


def open_capture(address: str, *, timeout: float) -> Capture | None:
    """Open a file or an RTSP address over TCP; None when that fails within `timeout` seconds."""
    # FFmpeg would write its complaints to standard error, where a person reads one line of ours;
    # these two can only be set through the environment.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", _QUIET)
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp")
    milliseconds = int(timeout * 1000)
    parameters = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
        milliseconds,
        cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        milliseconds,
        cv2.CAP_PROP_N_THREADS,
        1,
    ]
    return _opened(address, cv2.CAP_FFMPEG, parameters)


def open_device(path: str, *, timeout: float) -> Capture | None:
    """Open a Video4Linux device; None when that fails. Frames may be `timeout` seconds apart."""
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(round(timeout)))
    return _opened(path, cv2.CAP_V4L2, [])


def _opened(address: str, reader: int, parameters: list[int]) -> Capture | None:
    level = logging.getLogLevel()
    logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        video = cv2.VideoCapture(address, reader, parameters)
    except cv2.error:
        return None
    finally:
        logging.setLogLevel(level)
    if video.isOpened():
        return Capture(video)
    video.release()
    return None
