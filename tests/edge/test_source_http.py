"""Cameras over HTTP as they are: what they send by right, by habit, by fault, and by malice."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from urllib.parse import quote

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mjpeg import PASSWORD, USER, HttpCamera, jpeg

from edge.settings import Camera
from edge.source.frame import Frame, FrameSource
from edge.source.http import REDIRECTS, connect_http
from edge.source.jpeg import decode, size_of
from edge.source.live import LiveSource
from edge.source.parts import MOST_BYTES, Parts
from edge.source.sources import source_of
from edge.source.stream import Stream
from linli.clock import SystemClock
from linli.errors import LinkError

LOGIN = f"{USER}:{quote(PASSWORD, safe='')}@"


@pytest.fixture
def camera() -> Iterator[HttpCamera]:
    with HttpCamera() as serving:
        yield serving


def connect(address: str, *, patience: float = 5.0):
    return connect_http(address, every=0.05, patience=patience)


@pytest.mark.parametrize(
    "path", ["stream", "no_length", "too_short", "too_long", "moved", "snapshot"]
)
def test_pictures_come_from_cameras_with_every_habit(camera: HttpCamera, path: str) -> None:
    stream = connect(camera.url(f"/{path}"))
    try:
        for _ in range(3):
            assert stream.grab()
            picture = stream.picture()
            assert picture is not None
            assert picture.shape == (240, 416, 3)
            assert picture.max() > 240
    finally:
        stream.close()


@pytest.mark.parametrize("way", ["basic", "digest"])
def test_a_camera_that_asks_for_a_login_gets_the_one_it_asks_for(
    camera: HttpCamera, way: str
) -> None:
    stream = connect(camera.url(f"/{way}", LOGIN))
    assert stream.grab()
    stream.close()
    assert camera.asked[0] == (f"/{way}", None)
    assert len(camera.asked) == 2


@pytest.mark.parametrize(
    ("path", "login", "why"),
    [
        ("page", "", "sends text/html"),
        ("basic", "", "HTTP 401"),
        ("basic", "linli:wrong@", "HTTP 401"),
        ("digest", "linli:wrong@", "HTTP 401"),
        ("odd_login", LOGIN, "login that is not understood"),
        ("loop", "", f"more than {REDIRECTS} times"),
        ("file", "", "leads where no camera is"),
        ("endless_snapshot", "", "more than 8 MiB"),
    ],
)
def test_what_is_no_camera_is_refused_in_a_word_without_its_password(
    camera: HttpCamera, path: str, login: str, why: str
) -> None:
    with pytest.raises(LinkError, match=why) as caught:
        connect(camera.url(f"/{path}", login))
    assert "wrong" not in str(caught.value)
    assert "ge" + "/heim" not in str(caught.value)
    assert len(camera.asked) <= REDIRECTS + 2


def test_a_redirect_is_followed_however_much_comes_with_it(camera: HttpCamera) -> None:
    stream = connect(camera.url("/endless_redirect"))
    assert stream.grab()
    stream.close()


def test_a_password_is_not_taken_to_where_a_camera_points(camera: HttpCamera) -> None:
    with HttpCamera() as other:
        camera.elsewhere = other.url("/basic")
        with pytest.raises(LinkError, match="401"):
            connect(camera.url("/away", LOGIN))
        assert other.asked == [("/basic", None)]


def consume(stream: Stream) -> None:
    for _ in range(1000):
        assert stream.grab()


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("stall", "sends nothing more"),
        ("drip", "no whole picture came|sends nothing more"),
        ("garbage", "no whole picture came|sends nothing more"),
        ("enormous", "more than 8 MiB"),
    ],
)
def test_a_stream_that_gives_no_picture_is_given_up(
    camera: HttpCamera, path: str, why: str
) -> None:
    stream = connect(camera.url(f"/{path}"), patience=1.0)
    began = time.monotonic()
    with pytest.raises(LinkError, match=why):
        consume(stream)
    stream.close()
    assert time.monotonic() - began < 30


def test_a_stream_that_ends_has_broken(camera: HttpCamera) -> None:
    stream = connect(camera.url("/ends"))
    assert [stream.grab() for _ in range(4)] == [True, True, True, False]
    stream.close()


@pytest.mark.parametrize("path", ["broken", "wide"])
def test_a_picture_that_is_none_is_left_out_and_costs_nothing(
    camera: HttpCamera, path: str
) -> None:
    stream = connect(camera.url(f"/{path}"))
    assert stream.grab()
    picture = stream.picture()
    stream.close()
    assert picture is None or picture.shape == (240, 416, 3)
    assert path != "wide" or picture is None


def test_nobody_there_is_said_so() -> None:
    with HttpCamera() as gone:
        address = gone.url("/stream")
    with pytest.raises(LinkError, match="does not answer"):
        connect(address)


def frame_of(source: FrameSource) -> Frame:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        frame = source.read(0.2)
        if frame is not None:
            return frame
    raise AssertionError(f"no frame; {source.state}: {source.detail}")


@pytest.mark.parametrize("path", ["stream", "snapshot"])
def test_a_slow_consumer_gets_the_newest_and_drops_are_counted(
    camera: HttpCamera, path: str
) -> None:
    one = Camera(id="c", label="c", source=camera.url(f"/{path}"), fps=30)
    with source_of(one, SystemClock(), lambda: 0.5) as source:
        first = frame_of(source)
        until = time.monotonic() + 60
        while source.counts.dropped < 5 and time.monotonic() < until:
            time.sleep(0.01)
        newest = frame_of(source)
        assert source.counts.dropped >= 5
        assert newest.index == source.counts.given + source.counts.dropped - 1
        assert (SystemClock().now() - newest.captured).total_seconds() < 30
        assert newest.media > first.media


def test_frames_that_nobody_analyses_are_not_decoded(
    camera: HttpCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = []
    monkeypatch.setattr("edge.source.http.decode", lambda data: decoded.append(1) or decode(data))
    one = Camera(id="c", label="c", source=camera.url("/stream"), fps=0.2)
    with source_of(one, SystemClock(), lambda: 0.5) as source:
        frame_of(source)
        until = time.monotonic() + 60
        while source.counts.read < 20 and time.monotonic() < until:
            time.sleep(0.01)
        assert source.counts.read >= 20
        assert len(decoded) < source.counts.read / 2


def test_a_camera_that_went_is_found_again_and_its_password_is_never_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with HttpCamera() as camera:
        address = camera.url("/digest", LOGIN)
        camera.pause = 0.01
        source = LiveSource(address, connect, fps=5, clock=SystemClock(), random=lambda: 0.0)
        source.__enter__()
        first = frame_of(source)
    try:
        until = time.monotonic() + 60
        while source.state != "stalled" and time.monotonic() < until:
            source.read(0.1)
        assert source.state == "stalled"
        assert source.detail is not None
        assert "trying again in 1.0 s" in source.detail
        with HttpCamera(port=camera.port):
            source.read(0)
            again = frame_of(source)
        assert again.index > first.index
        assert again.media > first.media
        assert source.counts.reconnects >= 1
        assert PASSWORD not in caplog.text + str(source.detail)
        assert quote(PASSWORD, safe="") not in caplog.text
    finally:
        source.__exit__(None, None, None)


PICTURES = [jpeg(number, (120, 160)) for number in range(3)]


@settings(max_examples=60)
@given(
    cuts=st.lists(st.integers(0, 9000), max_size=20),
    lengths=st.lists(st.sampled_from(["none", "right", "short", "long"]), min_size=3, max_size=3),
    gap=st.sampled_from([b"", b"\r\n", b"\r\nrubbish\r\n"]),
)
def test_parts_are_the_same_however_they_come_in(
    cuts: list[int], lengths: list[str], gap: bytes
) -> None:
    said = {"right": 0, "short": -30, "long": 5000}
    body = bytearray(gap)
    for picture, length in zip(PICTURES, lengths, strict=True):
        head = b"\r\nContent-Type: image/jpeg\r\n"
        if length != "none":
            head += b"Content-Length: %d\r\n" % (len(picture) + said[length])
        body += b"--b" + head + b"\r\n" + picture + b"\r\n"
    body += b"--b"
    parts, found, last = Parts("b"), [], 0
    for cut in [*sorted(min(cut, len(body)) for cut in cuts), len(body)]:
        found += parts.feed(bytes(body[last:cut]))
        last = cut
    assert found == PICTURES


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=300) | st.sampled_from([b"--b\r\n\r\n", b"\xff\xd8", b"--b"])))
def test_parts_of_garbage_are_at_most_garbage(chunks: list[bytes]) -> None:
    parts = Parts("b")
    for chunk in chunks:
        for picture in parts.feed(chunk):
            decode(picture)


def test_parts_hold_no_more_than_they_may() -> None:
    parts = Parts("b")
    parts.feed(b"--b\r\n\r\n")
    for _ in range(MOST_BYTES // 65536):
        parts.feed(bytes(65536))
    with pytest.raises(LinkError):
        parts.feed(b"\0")


def test_the_size_of_a_jpeg_is_in_its_header() -> None:
    assert size_of(jpeg(0, (120, 160))) == (120, 160)
    picture = decode(jpeg(0, (120, 160)))
    assert picture is not None
    assert picture.dtype == np.uint8
    assert size_of(b"\x89PNG") is None
    assert size_of(jpeg()[:8]) is None
