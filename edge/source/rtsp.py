"""A network camera over RTSP, by TCP."""

from __future__ import annotations

from edge.source.capture import Capture, open_capture
from edge.source.stream import TIMEOUT
from linli.errors import LinkError


def connect_rtsp(address: str) -> Capture:
    """Open the camera. Raises LinkError when it does not answer."""
    capture = open_capture(address, timeout=TIMEOUT)
    if capture is None:
        raise LinkError("the camera does not answer")
    return capture
