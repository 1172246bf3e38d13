"""A camera at this machine's USB, by Video4Linux."""

from __future__ import annotations

from edge.source.capture import Capture, open_device
from edge.source.stream import TIMEOUT
from linli.errors import LinkError


def connect_usb(path: str) -> Capture:
    """Open the camera at `path`, such as /dev/v4l/by-id/…. Raises LinkError when it is away."""
    capture = open_device(path, timeout=TIMEOUT)
    if capture is None:
        raise LinkError("no camera is there, or somebody else uses it")
    return capture
