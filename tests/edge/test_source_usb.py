"""USB cameras, as far as they can be tried where there is none."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.source.live import LiveSource
from edge.source.usb import connect_usb
from linli.clock import SystemClock
from linli.errors import LinkError


class Device:
    """Stands for OpenCV's reader; gives a few frames, then is pulled out."""

    opened: tuple[object, ...] = ()
    frames = 3

    def __init__(self, *how: object) -> None:
        Device.opened = how
        self.left = self.frames

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return True

    def grab(self) -> bool:
        self.left -= 1
        return self.left >= 0

    def retrieve(self) -> tuple[bool, np.ndarray]:
        return True, np.full((4, 4, 3), 7, np.uint8)

    def release(self) -> None:
        pass


@pytest.mark.parametrize("kind", ["nothing", "a file"])
def test_what_is_no_camera_is_away(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "video0"
    if kind == "a file":
        path.write_text("no camera")
    with pytest.raises(LinkError, match="no camera is there"):
        connect_usb(str(path))


def test_a_camera_is_opened_by_its_path_and_pulling_it_out_is_an_outage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", Device)
    path = "/dev/v4l/by-id/usb-camera-index0"
    source = LiveSource(path, connect_usb, fps=30, clock=SystemClock(), random=lambda: 0.0)
    with source:
        frame = source.read(60)
        assert frame is not None
        assert frame.image.max() == 7
        while source.state != "stalled":
            source.read(0.01)
        assert source.detail == "the connection broke; trying again in 1.0 s"
        assert source.counts.read == 3
    assert Device.opened[:2] == (path, cv2.CAP_V4L2)
