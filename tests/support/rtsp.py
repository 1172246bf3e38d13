"""Starts and kills a real RTSP server for tests; skips where none is installed."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PYTHON = "/usr/bin/python3"  # GStreamer's bindings belong to the system's Python
PACKAGES = (
    "python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good"
)
_PROBE = (
    "import gi; gi.require_version('GstRtspServer', '1.0'); "
    "from gi.repository import Gst, GstRtspServer; Gst.init(None); "
    "exit(not all(map(Gst.ElementFactory.find, ('videotestsrc', 'jpegenc', 'rtpjpegpay'))))"
)


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def require_rtsp() -> None:
    """Skip the test, saying why, where GStreamer's RTSP server is not installed."""
    try:
        found = subprocess.run([PYTHON, "-c", _PROBE], capture_output=True, timeout=60, check=False)
    except OSError:
        found = None
    if found is None or found.returncode:
        pytest.skip(f"no RTSP server here; install: {PACKAGES}")


@contextlib.contextmanager
def rtsp_server(port: int) -> Iterator[str]:
    """Run a camera on `port` and give its address; it dies without a goodbye at the end."""
    script = Path(__file__).with_name("rtsp_server.py")
    server = subprocess.Popen([PYTHON, str(script), str(port)])
    try:
        _await(port)
        yield f"rtsp://127.0.0.1:{port}/camera"
    finally:
        server.kill()
        server.wait()


def _await(port: int) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"no RTSP server on port {port} after 20 s")
