"""The one file that knows OpenCV's video reader."""

from __future__ import annotations

import os
from typing import cast

import cv2
import numpy as np
from cv2.utils import logging

from edge.source.frame import Image

_QUIET = "-8"
# Not waiting to find out how many frames come in a second: a camera is there in 1 s instead of 3.
_OPTIONS = "rtsp_transport;tcp|fpsprobesize;0"


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
    def codec(self) -> str:
        """The codec as FFmpeg calls it, such as `h264`; empty when unknown."""
        return _codec(self._video)

    @property
    def length(self) -> int:
        """How many frames the container says there are; 0 or less when it does not."""
        return int(self._video.get(cv2.CAP_PROP_FRAME_COUNT))

    def close(self) -> None:
        """Let go of the file or connection."""
        self._video.release()


class CodedCapture:
    """An opened camera whose frames are handed out as they came, not decoded."""

    def __init__(self, video: cv2.VideoCapture) -> None:
        self._video = video
        # What a camera may say once and not with each key frame, such as H.264's SPS and PPS.
        header = _coded(video, int(video.get(cv2.CAP_PROP_CODEC_EXTRADATA_INDEX)))
        self._header = header if header.startswith((b"\0\0\1", b"\0\0\0\1")) else b""

    @property
    def codec(self) -> str:
        """The codec as FFmpeg calls it, such as `h264`."""
        return _codec(self._video)

    def grab(self) -> bool:
        """Step to the next coded frame; False when the connection broke."""
        try:
            return self._video.grab()
        except cv2.error:
            return False

    def coded(self) -> tuple[bytes, bool]:
        """Return the frame stepped to, and whether it needs none before it."""
        key = bool(self._video.get(cv2.CAP_PROP_LRF_HAS_KEY_FRAME))
        packet = _coded(self._video)
        return (self._header + packet if key else packet), key

    def close(self) -> None:
        """Let go of the connection."""
        self._video.release()


def open_capture(address: str, *, timeout: float) -> Capture | None:
    """Open a file or an RTSP address over TCP; None when that fails within `timeout` seconds."""
    video = _opened(address, cv2.CAP_FFMPEG, [*_within(timeout), cv2.CAP_PROP_N_THREADS, 1])
    return None if video is None else Capture(video)


def open_coded(address: str, *, timeout: float) -> CodedCapture | None:
    """Open an RTSP address over TCP to decode nothing; None when that fails within `timeout`."""
    video = _opened(address, cv2.CAP_FFMPEG, [*_within(timeout), cv2.CAP_PROP_FORMAT, -1])
    return None if video is None else CodedCapture(video)


def open_bytes(coded: bytes) -> Capture | None:
    """Open frames as `CodedCapture` gave them, of H.264 or H.265; None when they are none."""
    # A file that is in memory alone. OpenCV reads Python's streams too, but falls when other
    # threads run meanwhile (5.0.0).
    memory = os.memfd_create("linli-frames", os.MFD_CLOEXEC)
    try:
        with open(memory, "wb", closefd=False) as file:
            file.write(coded)
        path = f"/proc/self/fd/{memory}"
        video = _opened(path, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    finally:
        os.close(memory)
    return None if video is None else Capture(video)


def open_device(path: str, *, timeout: float) -> Capture | None:
    """Open a Video4Linux device; None when that fails. Frames may be `timeout` seconds apart."""
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(round(timeout)))
    video = _opened(path, cv2.CAP_V4L2, [])
    return None if video is None else Capture(video)


def _within(timeout: float) -> list[int]:
    milliseconds = int(timeout * 1000)
    opening, reading = cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, cv2.CAP_PROP_READ_TIMEOUT_MSEC
    return [opening, milliseconds, reading, milliseconds]


def _opened(source: str, reader: int, parameters: list[int]) -> cv2.VideoCapture | None:
    # FFmpeg would write its complaints to standard error, where a person reads one line of ours;
    # these can only be set through the environment.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", _QUIET)
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", _OPTIONS)
    # Else one camera that does not answer keeps all others from being opened for as long: OpenCV
    # has one lock for that, from times when FFmpeg needed it.
    os.environ.setdefault("OPENCV_FFMPEG_IS_THREAD_SAFE", "1")
    logging.setLogLevel(logging.LOG_LEVEL_SILENT)  # of all threads, so it is not set back
    try:
        video = cv2.VideoCapture(source, reader, parameters)
    except cv2.error:
        return None
    if video.isOpened():
        return video
    video.release()
    return None


def _codec(video: cv2.VideoCapture) -> str:
    letters = int(video.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little", signed=True)
    return letters.decode("ascii", "replace").strip("\0 ").lower()


def _coded(video: cv2.VideoCapture, stream: int = 0) -> bytes:
    # OpenCV says that there always is an array; without a header there is none.
    told = cast("tuple[bool, Image | None]", video.retrieve(None, stream))[1]
    return b"" if told is None else told.tobytes()
