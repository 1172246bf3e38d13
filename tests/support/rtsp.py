"""Starts and kills a real RTSP server for tests; skips where none is installed."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from brokers import wait_for_port

from edge.source import main_stream, rtsp

Opened = TypeVar("Opened")

PYTHON = "/usr/bin/python3"  # GStreamer's bindings belong to the system's Python
PATIENCE = 60.0
"""Seconds that a server on a busy machine may take to answer."""
PACKAGES = (
    "python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good"
)
_PROBE = (
    "import gi; gi.require_version('GstRtspServer', '1.0'); "
    "from gi.repository import Gst, GstRtspServer; Gst.init(None); "
    "needed = 'videotestsrc', 'jpegenc', 'rtpjpegpay', 'rtph264pay', 'qtdemux'; "
    "exit(not all(map(Gst.ElementFactory.find, needed)))"
)


def require_rtsp() -> None:
    """Skip the test, saying why, where GStreamer's RTSP server is not installed."""
    try:
        found = subprocess.run([PYTHON, "-c", _PROBE], capture_output=True, timeout=60, check=False)
    except OSError:
        found = None
    if found is None or found.returncode:
        pytest.skip(f"no RTSP server here; install: {PACKAGES}")


@contextlib.contextmanager
def rtsp_server(port: int, clip: Path | None = None) -> Iterator[str]:
    """Run a camera on `port` and give its address; it dies without a goodbye at the end.

    It plays an H.264 `clip` as its main stream, at /main instead of /camera. Meanwhile this process
    opens addresses patiently and one after the other.
    """
    script = Path(__file__).with_name("rtsp_server.py")
    argv = [PYTHON, str(script), str(port), *([str(clip)] if clip else [])]
    server, over = subprocess.Popen(argv), threading.Event()

    def again() -> None:
        """Start it again when it falls by itself: two who begin at once can make it."""
        nonlocal server
        while not over.is_set():
            if server.wait() and not over.is_set():
                server = subprocess.Popen(argv)

    keeper = threading.Thread(target=again, daemon=True)
    try:
        wait_for_port(port, server)
        keeper.start()
        with _in_turn():
            yield f"rtsp://127.0.0.1:{port}/camera"
    finally:
        over.set()
        server.kill()
        server.wait()
        if keeper.ident is not None:
            keeper.join(60)
        server.kill()
        server.wait()


@contextlib.contextmanager
def _in_turn() -> Iterator[None]:
    """Let nobody give up on a slow server, which would leave it with half a connection.

    Nor do two begin at the very same time: now and then GStreamer's serves neither of them.
    """
    turn = threading.Lock()

    def patient(opened: Callable[..., Opened]) -> Callable[..., Opened]:
        def opens(address: str, *, timeout: float) -> Opened:
            with turn:
                return opened(address, timeout=max(timeout, PATIENCE))

        return opens

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rtsp, "open_capture", patient(rtsp.open_capture))
        patch.setattr(main_stream, "open_coded", patient(main_stream.open_coded))
        yield
