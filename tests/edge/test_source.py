"""What holds for every source, and what only for files, patterns and their pace."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import vision
from mjpeg import HttpCamera
from rtsp import require_rtsp, rtsp_server

from edge.settings import Camera
from edge.source.capture import open_capture
from edge.source.file import FileSource
from edge.source.frame import Frame, FrameSource
from edge.source.live import LiveSource
from edge.source.pace import Beat
from edge.source.pattern import PatternSource, draw
from edge.source.rtsp import connect_rtsp
from edge.source.sources import source_of
from edge.source.usb import connect_usb
from linli.broker import free_port
from linli.clock import ManualClock, SystemClock
from linli.errors import InputError

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
Made = contextlib.AbstractContextManager[FrameSource]


@contextlib.contextmanager
def from_file(folder: Path) -> Iterator[FrameSource]:
    path = vision.square_clip(folder / "clip.mp4", seconds=2)
    yield FileSource(path, fps=5, speed=2.0, clock=SystemClock())


@contextlib.contextmanager
def from_pattern(folder: Path) -> Iterator[FrameSource]:
    yield PatternSource("square", fps=5, speed=2.0, clock=SystemClock())


@contextlib.contextmanager
def from_rtsp(folder: Path) -> Iterator[FrameSource]:
    require_rtsp()
    with rtsp_server(free_port()) as address:
        yield LiveSource(address, connect_rtsp, fps=5, clock=SystemClock(), random=lambda: 0.5)


@contextlib.contextmanager
def from_http(folder: Path) -> Iterator[FrameSource]:
    with HttpCamera() as camera:
        one = Camera(id="c", label="c", source=camera.url("/stream"))
        yield source_of(one, SystemClock(), lambda: 0.5)


@contextlib.contextmanager
def from_usb(folder: Path) -> Iterator[FrameSource]:
    device = next(iter(sorted(Path("/dev").glob("video*"))), None)
    if device is None:
        pytest.skip("no /dev/video* here: plug a camera into this machine's USB")
    yield LiveSource(str(device), connect_usb, fps=5, clock=SystemClock(), random=lambda: 0.5)


@pytest.mark.parametrize("make", [from_file, from_pattern, from_rtsp, from_http, from_usb])
def test_every_source_keeps_the_contract(make: Callable[[Path], Made], tmp_path: Path) -> None:
    with make(tmp_path) as source:
        assert source.state == "starting"
        assert source.read(0) is None
        with source as opened:
            frames = list(take(opened, 4))
            assert opened.state == "streaming"
            assert opened.detail is None
        for frame in frames:
            assert frame.image.shape == (240, 416, 3) or make is from_usb
            assert frame.image.dtype == np.uint8
            assert frame.time.utcoffset() == frame.captured.utcoffset() == timedelta(0)
        # A camera waits for nobody: a machine busy elsewhere misses frames, and counts them.
        live = isinstance(source, LiveSource)
        indices = [frame.index for frame in frames]
        assert indices == sorted(set(indices))
        assert indices[-1] - 3 <= source.counts.dropped if live else indices == [0, 1, 2, 3]
        gaps = np.diff([frame.media for frame in frames])
        assert (gaps > (0 if live else 0.05)).all()
        elapsed = (frames[-1].time - frames[0].time).total_seconds()
        assert elapsed == pytest.approx(gaps.sum(), abs=5 if live else 0.05)
        assert source.counts.read >= source.counts.given == 4
        assert live or source.counts.dropped == 0
        assert source.read(0) is None


def take(source: FrameSource, count: int, within: float = 60.0) -> Iterator[Frame]:
    until = time.monotonic() + within
    while count and time.monotonic() < until:
        frame = source.read(0.5)
        if frame is not None:
            count -= 1
            yield frame
    assert not count, f"{count} frames missing, source is {source.state}: {source.detail}"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return vision.square_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=3, enters=1)


def test_a_file_ends_and_its_event_time_is_start_plus_media_time(clip: Path) -> None:
    clock = ManualClock(START)
    with FileSource(clip, fps=5, speed="max", clock=clock, wait=clock.advance) as source:
        frames = list(take(source, 15))
        assert source.read(1) is None
        assert source.state == "ended"
    assert [frame.media for frame in frames] == pytest.approx([n / 5 for n in range(15)])
    assert [frame.time for frame in frames] == [
        START + timedelta(seconds=frame.media) for frame in frames
    ]
    assert {frame.captured for frame in frames} == {START}
    assert (source.counts.read, source.counts.given) == (30, 15)


@pytest.mark.parametrize(("speed", "seconds"), [(1.0, 2.8), (4.0, 0.7), (0.5, 5.6)])
def test_a_file_is_played_at_its_speed(clip: Path, speed: float, seconds: float) -> None:
    clock = ManualClock(START)
    with FileSource(clip, fps=5, speed=speed, clock=clock, wait=clock.advance) as source:
        frames = []
        while source.state != "ended":
            frames.append(source.read(10))
    assert clock.monotonic() == pytest.approx(seconds)
    last = frames[14]
    assert last is not None
    assert last.time == START + timedelta(seconds=2.8)
    assert last.captured == START + timedelta(seconds=seconds)


def test_a_frame_that_is_not_due_within_the_timeout_is_given_later(clip: Path) -> None:
    clock = ManualClock(START)
    with FileSource(clip, fps=1, speed=1.0, clock=clock, wait=clock.advance) as source:
        assert source.read(0.3) is not None
        assert [source.read(0.3) is None for _ in range(4)] == [True, True, True, False]
        assert clock.monotonic() == pytest.approx(1.0)


def test_a_pattern_ends_when_told_and_is_the_same_every_time() -> None:
    clock = ManualClock(START)
    with PatternSource(
        "square", fps=5, speed=1.0, clock=clock, wait=clock.advance, seconds=10
    ) as source:
        frames = list(take(source, 50))
        assert source.read(1) is None
        assert source.state == "ended"
    for frame in frames:
        assert (frame.image == draw("square", frame.media)).all()
        assert (frame.image.max() == 255) == (frame.media >= 4)
    assert frames[-1].time == START + timedelta(seconds=9.8)
    assert draw("empty", 7).max() == 60


@pytest.mark.parametrize("kind", ["none", "folder", "text", "cut", "no frame"])
def test_files_that_cannot_be_played_are_refused_in_one_line(
    kind: str, clip: Path, tmp_path: Path
) -> None:
    path = tmp_path / "bad.mp4"
    if kind == "folder":
        path.mkdir()
    elif kind == "text":
        path.write_text("no video" * 100)
    elif kind == "cut":
        path.write_bytes(clip.read_bytes()[:2000])
    elif kind == "no frame":
        vision.empty_clip(path, seconds=0)
    source = FileSource(path, fps=5, speed="max", clock=SystemClock())
    with pytest.raises(InputError) as caught, source:
        pass
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.hint


def test_the_decoder_itself_says_nothing_about_a_broken_file(clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.mp4"
    path.write_bytes(clip.read_bytes()[:2000])
    code = (
        "import sys; from edge.source.capture import open_capture as o; o(sys.argv[1], timeout=5)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, check=True, text=True
    )
    assert done.stderr == ""


def test_a_file_broken_in_its_middle_plays_to_there_and_says_so(clip: Path, tmp_path: Path) -> None:
    content = bytearray(clip.read_bytes())
    start = content.index(b"mdat")
    end = content.index(b"moov", start) - 4
    middle = start + (end - start) // 3
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(content[:middle] + bytes(end - middle) + content[end:])
    with FileSource(broken, fps=10, speed="max", clock=SystemClock()) as source:
        while source.read(1) is not None:
            pass
        assert source.state == "failed"
        assert source.detail is not None
        assert source.detail.startswith("broken after frame")
        assert 0 < source.counts.given < 30


@pytest.mark.parametrize(
    ("fps", "rate", "chosen"),
    [
        (5, 10, [0, 2, 4, 6, 8]),
        (5, 12.5, [0, 3, 5, 8, 10]),
        (5, 4, [0, 1, 2, 3, 4, 5]),
        (10, 10, list(range(12))),
        (3, 10, [0, 4, 7, 10]),
    ],
)
def test_a_beat_chooses_by_time(fps: float, rate: float, chosen: list[int]) -> None:
    beat = Beat(fps)
    due = [number for number in range(12) if beat.due(number / rate)]
    assert due[: len(chosen)] == chosen


def test_a_beat_does_not_make_up_for_a_gap() -> None:
    beat = Beat(5)
    assert [beat.due(media) for media in (0.0, 7.0, 7.1, 7.19, 7.21)] == [
        True,
        True,
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("a.mp4", FileSource),
        ("rtsp://h/1", LiveSource),
        ("http://h/1", LiveSource),
        ("/dev/video0", LiveSource),
        ("pattern:square", PatternSource),
    ],
)
def test_settings_choose_the_source(source: str, kind: type) -> None:
    camera = Camera(id="c", label="c", source=source)
    assert isinstance(source_of(camera, SystemClock(), lambda: 0.5), kind)


def test_a_camera_that_never_answers_keeps_no_other_from_being_opened(clip: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"rtsp://127.0.0.1:{silent.getsockname()[1]}/camera"
        waiting = threading.Thread(target=open_capture, args=(address,), kwargs={"timeout": 60.0})
        waiting.start()
        silent.settimeout(60)
        caller, _ = silent.accept()
        try:
            opened = open_capture(str(clip), timeout=60.0)
            assert waiting.is_alive()
            assert opened is not None
            opened.close()
        finally:
            caller.close()
    waiting.join(60)
    assert not waiting.is_alive()
