"""A camera over HTTP before which a square comes and goes in the time of this machine."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler

import cv2
from mjpeg import HttpCamera
from vision import SQUARE, WIDTH, square_image

STAY, AWAY = 2.5, 2.5
"""Seconds."""


def _jpeg(left: int | None) -> bytes:
    good, data = cv2.imencode(".jpg", square_image(left))
    assert good
    body = data.tobytes()
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


THERE, GONE = _jpeg((WIDTH - SQUARE) // 2), _jpeg(None)


class SceneCamera(HttpCamera):
    """Five pictures a second; the square stands there and is gone by turns. It may go `away`."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(fps=5.0, port=port)
        self._gone = threading.Event()

    @property
    def address(self) -> str:
        return self.url("/scene")

    def away(self) -> None:
        """Send nothing any more, whoever asks."""
        self._gone.set()

    def come_back(self) -> None:
        """Be there again."""
        self._gone.clear()

    def scene(self, to: BaseHTTPRequestHandler) -> None:
        self._begin(to, "multipart/x-mixed-replace; boundary=frame")
        while not (self.let_go.wait(self.pause) or self._gone.is_set()):
            there = time.monotonic() % (STAY + AWAY) < STAY
            to.wfile.write(b"--frame\r\n" + (THERE if there else GONE) + b"\r\n")
