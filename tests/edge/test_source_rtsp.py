from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import NoReturn

import numpy as np
import pytest
from rtsp import require_rtsp, rtsp_server

from edge.source.follow import pause
from edge.source.frame import Frame, Image
from edge.source.live import LiveSource
from edge.source.rtsp import connect_rtsp
from linli.broker import free_port
from linli.clock import ManualClock, SystemClock
from linli.errors import LinkError


@pytest.mark.parametrize(
    ("failures", "low", "high"),
    [(1, 1, 2), (2, 2, 4), (3, 4, 8), (6, 30, 60), (7, 30, 60), (10_000, 30, 60)],
)
def test_pauses_grow_to_a_minute_with_jitter(failures: int, low: float, high: float) -> None:
    assert pause(failures, lambda: 0.0) == low
    assert pause(failures, lambda: 1.0) == high


class Camera:
    """Gives numbered frames one by one as the test lets it, then breaks."""

    codec = "h264"

    def __init__(self, clock: ManualClock, frames: int) -> None:
        self.clock = clock
        self.frames = frames
        self.number = 0
        self.go = threading.Semaphore(0)
        self.done = threading.Semaphore(0)
        self.closed = threading.Event()

    def grab(self) -> bool:
        if self.number:
            self.done.release()
        self.go.acquire()
        self.clock.advance(1.0)
        self.number += 1
        return self.number <= self.frames

    def picture(self) -> Image | None:
        return np.full((4, 4, 3), self.number, np.uint8)

    def close(self) -> None:
        self.closed.set()

    def give(self, count: int) -> None:
        for _ in range(count):
            self.go.release()
            self.done.acquire()


def test_a_slow_consumer_gets_the_newest_frame_and_drops_are_counted() -> None:
    clock = ManualClock(datetime(2026, 3, 1, tzinfo=UTC))
    camera = Camera(clock, 5)
    source = LiveSource("rtsp://h", lambda _: camera, fps=5, clock=clock, random=lambda: 0.0)
    with source:
        camera.give(1)
        first = source.read(60)
        camera.give(3)
        newest = source.read(60)
        assert first is not None
        assert newest is not None
        assert (first.image.max(), newest.image.max()) == (1, 4)
        assert (first.index, newest.index) == (0, 3)
        assert (first.media, newest.media) == (1.0, 4.0)
        assert newest.time == newest.captured == clock.now()
        assert (source.counts.read, source.counts.given, source.counts.dropped) == (4, 2, 2)
        assert source.read(0) is None
        camera.go.release(2)
        assert camera.closed.wait(60)
    assert source.state in {"streaming", "stalled"}


def test_a_camera_that_does_not_answer_is_stalled_and_its_password_is_not_said() -> None:
    asked = threading.Event()

    def refuse(address: str) -> NoReturn:
        asked.set()
        raise LinkError("the camera does not answer")

    source = LiveSource(
        "rtsp://u:geheim@h/1", refuse, fps=5, clock=SystemClock(), random=lambda: 0.0
    )
    with source:
        assert asked.wait(60)
        until = time.monotonic() + 60
        while source.state != "stalled" and time.monotonic() < until:
            assert source.read(0.01) is None
        assert source.detail is not None
        assert "does not answer; trying again in 1.0 s" in source.detail
        assert "geheim" not in source.detail


class Undecodable(Camera):
    """Sends frames, none of which is a picture."""

    codec = "av1"

    def picture(self) -> None:
        return None


def test_what_comes_and_cannot_be_decoded_is_an_outage_that_says_so() -> None:
    clock = ManualClock(datetime(2026, 3, 1, tzinfo=UTC))
    camera = Undecodable(clock, 100)
    source = LiveSource("rtsp://h", lambda _: camera, fps=5, clock=clock, random=lambda: 0.0)
    with source:
        camera.give(5)
        assert source.read(0) is None
        camera.go.release(2)
        assert camera.closed.wait(60)
        until = time.monotonic() + 60
        while source.state != "stalled" and time.monotonic() < until:
            time.sleep(0.001)
        said = source.detail or ""
        assert said.startswith("what comes (av1) cannot be decoded; trying again in ")


def test_an_error_of_ours_is_logged_and_the_camera_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = ManualClock(datetime(2026, 3, 1, tzinfo=UTC))
    camera, asked = Camera(clock, 100), threading.Semaphore(0)

    def connect(address: str) -> Camera:
        asked.release()
        if not caplog.records:
            raise TypeError("ours")
        return camera

    source = LiveSource("rtsp://u:geheim@h", connect, fps=5, clock=clock, random=lambda: -1.0)
    with caplog.at_level("ERROR"), source:
        assert asked.acquire(timeout=60)
        assert asked.acquire(timeout=60)
        camera.give(2)
        assert source.read(60) is not None
        assert source.state == "streaming"
        camera.go.release(200)
    assert "reading rtsp://u:***@h failed" in caplog.text
    assert "TypeError: ours" in caplog.text


def test_a_killed_camera_is_found_again_when_it_is_back() -> None:
    require_rtsp()
    port = free_port()

    def frame_of(source: LiveSource) -> Frame:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            frame = source.read(0.2)
            if frame is not None:
                return frame
        raise AssertionError(f"no frame; {source.state}: {source.detail}")

    with rtsp_server(port) as address:
        source = LiveSource(address, connect_rtsp, fps=5, clock=SystemClock(), random=lambda: 0.0)
        source.__enter__()
        first = frame_of(source)
    try:
        until = time.monotonic() + 60
        while source.state != "stalled" and time.monotonic() < until:
            source.read(0.1)
        assert source.state == "stalled"
        assert source.detail is not None
        with rtsp_server(port):
            source.read(0)
            again = frame_of(source)
        assert again.index > first.index
        assert again.media > first.media
        assert source.counts.reconnects >= 1
    finally:
        source.__exit__(None, None, None)


def test_a_camera_that_nobody_takes_frames_from_drops_them_and_does_not_lag() -> None:
    require_rtsp()
    with rtsp_server(free_port()) as address:
        clock = SystemClock()
        source = LiveSource(address, connect_rtsp, fps=25, clock=clock, random=lambda: 0.0)
        with source:
            until = time.monotonic() + 60
            while source.counts.dropped < 10 and time.monotonic() < until:
                time.sleep(0.01)
            asked = clock.now()
            newest = source.read(60)
            assert newest is not None
            assert source.counts.dropped >= 10
            assert newest.index >= 10
            assert abs((newest.captured - asked).total_seconds()) < 30
