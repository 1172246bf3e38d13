"""The main stream for evidence: kept coded, the right moment decoded, and away without harm."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from mjpeg import HttpCamera
from rtsp import PATIENCE, require_rtsp, rtsp_server

from edge.detect.detections import Detections
from edge.detect.detector import FakeDetector
from edge.redact import RedactedPicture
from edge.redactor import Redactor
from edge.settings import Camera, Mask
from edge.source import main_stream
from edge.source.capture import CodedCapture, open_coded
from edge.source.frame import Frame, Image
from edge.source.http import connect_http
from edge.source.live import LiveSource
from edge.source.main_stream import NEAR, MainStream, connect_coded
from edge.source.mask import FLAT, MaskedSource
from edge.source.moments import Moments, Packet
from edge.source.pattern import PatternSource
from edge.source.rtsp import connect_rtsp
from edge.source.sources import source_of
from linli.broker import free_port
from linli.clock import Clock, ManualClock, SystemClock
from linli.errors import LinkError

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
FPS, GOP, SECONDS = 10, 20, 8
LONG = 120  # seconds: what is played to its end, a server plays to nobody any more
WIDTH, HEIGHT = 640, 360
BITS = 8


def numbered(number: int) -> Image:
    """Return a picture with its number along the top, in eight dark or bright squares."""
    image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    for bit in range(BITS):
        side = WIDTH // BITS
        image[:side, bit * side : (bit + 1) * side] = 230 if number >> bit & 1 else 10
    return image


def number_of(image: Image) -> int:
    side = WIDTH // BITS
    cells = [image[20:60, bit * side + 20 : (bit + 1) * side - 20].mean() for bit in range(BITS)]
    return sum((cell > 128) << bit for bit, cell in enumerate(cells))


@functools.cache
def clip(folder: Path, codec: str, seconds: int = SECONDS, between: int = 0) -> Path:
    path = folder / f"{codec}-{seconds}-{between}.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        if codec == "mjpeg":
            stream.pix_fmt = "yuvj420p"
        stream.gop_size = GOP
        stream.options = {
            "bf": str(between),
            "x265-params": "log-level=none",
            "preset": "ultrafast",
        }
        for number in range(seconds * FPS):
            frame = av.VideoFrame.from_ndarray(numbered(number % 256), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


def fed(path: Path, clock: Clock, moments: Moments | None = None) -> MainStream:
    """Return a main stream that was given all packets of a clip, frame n at n / FPS seconds."""
    main = MainStream("rtsp://h/main", clock=clock, random=lambda: 0.0, moments=moments)
    stream = opened(path)
    number = 0
    while stream.grab():
        main.take(stream, number / FPS)
        number += 1
    stream.close()
    assert number == SECONDS * FPS
    return main


def opened(path: Path) -> CodedCapture:
    stream = open_coded(str(path), timeout=5)
    assert stream is not None
    return stream


@pytest.mark.parametrize("codec", ["libx264", "libx265", "mjpeg"])
def test_the_picture_is_that_of_the_moment(folder: Path, codec: str) -> None:
    main = fed(clip(folder, codec), ManualClock(START))
    for moment in (5.0, 5.05, 5.95, 6.0, 6.5, 7.9):
        picture = main.at(moment)
        assert picture is not None
        assert picture.shape == (HEIGHT, WIDTH, 3)
        assert number_of(picture) == int(moment * FPS + 1e-6)


def test_frames_between_others_are_as_near(folder: Path) -> None:
    main = fed(clip(folder, "libx264", between=2), ManualClock(START))
    for moment in (4.5, 5.2, 6.4):
        picture = main.at(moment)
        assert picture is not None
        assert abs(number_of(picture) - moment * FPS) <= 4


def test_what_is_not_kept_is_not_invented(folder: Path) -> None:
    path = clip(folder, "libx264")
    main = fed(path, ManualClock(START))
    assert main.at(0.5) is None  # forgotten
    assert main.at(7.9 + NEAR - 0.01) is not None
    assert main.at(7.9 + NEAR + 0.01) is None  # nothing came since
    assert main.detail is None
    main.lose("the connection broke")
    assert main.detail == "main stream: the connection broke"
    assert main.at(7.9) is None
    few = Moments(most=500)
    assert fed(path, ManualClock(START), few).at(7.9) is None
    assert few.overflows > 0


class SlowClock(ManualClock):
    """Lets a tenth of a second pass each time somebody looks."""

    def monotonic(self) -> float:
        self.advance(0.1)
        return super().monotonic()


def test_decoding_that_takes_too_long_gives_a_near_moment_or_none(folder: Path) -> None:
    main = fed(clip(folder, "libx264"), SlowClock(START))
    near = main.at(6.9)
    assert near is not None
    assert 65 <= number_of(near) <= 68
    assert main.at(7.9) is None


@pytest.mark.parametrize(
    "rubbish", [b"", b"\0\0\0\1rubbish" * 50, b"\xff\xd8\xff\xd9", b"x" * 9000]
)
def test_rubbish_gives_no_picture(rubbish: bytes) -> None:
    moments = Moments()
    moments.add(Packet(rubbish, True, 1.0))
    main = MainStream("rtsp://h", clock=SystemClock(), random=lambda: 0.0, moments=moments)
    assert main.at(1.0) is None


def test_a_stream_of_another_codec_is_refused_in_a_word(folder: Path) -> None:
    with pytest.raises(LinkError, match=r"not H\.264"):
        connect_coded(str(clip(folder, "mpeg4")))
    with pytest.raises(LinkError, match="does not answer"):
        connect_coded(str(folder / "nothing"))


def packets(keys: set[int], count: int, size: int = 10) -> Iterator[Packet]:
    for number in range(count):
        yield Packet(bytes(size), number in keys, float(number))


@pytest.mark.parametrize(
    ("keys", "most", "held", "overflows"),
    [
        ({0, 2, 4, 6, 8}, 1000, [5, 6, 7], 0),
        ({0}, 1000, [0, 1, 2, 3, 4, 5, 6, 7], 0),
        ({0}, 50, [], 1),
        ({0, 7}, 50, [7], 1),
        (set(), 1000, [], 0),
        ({0, 5}, 60, [5, 6, 7], 0),
    ],
)
def test_moments_are_bounded_and_begin_with_a_key_frame(
    keys: set[int], most: int, held: list[int], overflows: int
) -> None:
    moments = Moments(most)
    for packet in packets(keys, 10):
        moments.add(packet)
        assert moments.bytes <= most
    found = [int(packet.at) for packet in moments.until(7.5)]
    assert found == [number for number in held if number >= max([0, *(k for k in keys if k <= 7)])]
    assert moments.overflows == overflows


class Still(PatternSource):
    """Gives one frame."""

    def __init__(self, frame: Frame) -> None:
        super().__init__("empty", fps=1, speed="max", clock=ManualClock(START))
        self.frame = frame

    def read(self, timeout: float) -> Frame | None:
        return self.frame


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def checks(height: int, width: int) -> Image:
    rows, columns = np.indices((height, width)) // 4
    return np.repeat(((rows + columns) % 2 * 255).astype(np.uint8)[..., None], 3, axis=2)


def sharp(jpeg: bytes, x1: float, x2: float) -> float:
    """Return how much detail the upper part of a picture has between two places across."""
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    height, width = picture.shape
    part = picture[
        round(height * 0.22) : round(height * 0.3), round(width * x1) : round(width * x2)
    ]
    return float(part.std())


@pytest.mark.parametrize("away", [False, True])
def test_heads_are_gone_where_they_were_and_where_they_are_now(away: bool) -> None:
    person = np.array([0])
    then, now = (0.1, 0.2, 0.2, 0.9), (0.6, 0.2, 0.7, 0.9)
    seen = Detections(boxes(now), np.array([0.9], np.float32), person, ("person",))
    redactor = Redactor(FakeDetector(("person",), [] if away else [seen]), ManualClock(START))
    finer = None if away else checks(720, 1280)
    picture = redactor.redact(checks(360, 640), boxes(then), finer=lambda: finer)
    assert isinstance(picture, RedactedPicture)
    shown = cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert shown.shape[:2] == ((360, 640) if away else (720, 1280))
    assert sharp(picture.jpeg, 0.1, 0.2) < 60
    assert (sharp(picture.jpeg, 0.6, 0.7) < 60) is not away
    assert (sharp(picture.jpeg, 0.08, 0.1) < 60) is not away  # who walks was a step further
    assert sharp(picture.jpeg, 0.35, 0.5) > 100


def test_a_stream_that_fails_withholds_the_picture_and_no_event() -> None:
    def fail() -> Image:
        raise RuntimeError("decoder")

    redactor = Redactor(FakeDetector(("person",)), ManualClock(START))
    assert redactor.redact(checks(90, 160), boxes(), finer=fail) == "failed"


def test_masks_are_burned_into_both_streams() -> None:
    white = np.full((40, 60, 3), 255, np.uint8)
    inner = Still(Frame(white.copy(), 0, 0.0, START, START, finer=lambda: white.repeat(2, 0)))
    mask = Mask(points=((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)))
    taken = MaskedSource(inner, [mask]).read(0)
    assert taken is not None
    assert taken.finer is not None
    for picture in (taken.image, taken.finer()):
        assert picture is not None
        assert (picture[:, :28] == FLAT).all()
        assert (picture[:, 36:] == 255).all()


@pytest.mark.timeout(600)
def test_both_streams_of_a_camera_show_the_same_moment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_rtsp()
    monkeypatch.setattr(main_stream, "PATIENCE", 30.0)  # a busy machine decodes slowly
    played = clip(folder, "libx264", seconds=LONG)
    apart: list[int] = []
    tries: list[str] = []
    # A server that a busy machine lets down plays to nobody any more; a new one does.
    while not apart and len(tries) < 4:
        with rtsp_server(free_port(), played) as address:
            apart, why = frames_apart(address.replace("camera", "main"))
        tries.append(why)
    assert len(apart) == 5, tries
    assert abs(sorted(apart)[2]) <= 3, apart


def frames_apart(shared: str) -> tuple[list[int], str]:
    """Return by how many frames the two streams of a camera differ, five times, or nothing and why.

    One shared stream stands for both, so that what each shows can be compared. A third follower
    keeps it going, so that both join one that is under way.
    """
    camera = Camera(id="c", label="c", source=shared, evidence_source=shared)
    first = LiveSource(shared, connect_rtsp, fps=1, clock=SystemClock(), random=lambda: 0.5)
    apart: list[int] = []
    with first:
        if first.read(PATIENCE) is None:
            return [], f"no frame at all: {first.state}, {first.detail}"
        with source_of(camera, SystemClock(), lambda: 0.5) as source:
            until = time.monotonic() + PATIENCE
            while len(apart) < 5 and time.monotonic() < until:
                taken = source.read(0.2)
                picture = taken.finer() if taken is not None and taken.finer is not None else None
                if taken is not None and picture is not None:
                    apart.append(number_of(taken.image) - number_of(picture))
            counts = source.counts
            assert counts.finer == len(apart)
            why = f"{counts}, {source.state}, {source.detail}; first {first.state}, {first.detail}"
    return (apart, "") if len(apart) == 5 else ([], why)


def test_a_main_stream_that_went_gives_nothing_and_is_found_again(
    folder: Path,
) -> None:
    gone, back, done = threading.Event(), threading.Event(), threading.Event()
    long = clip(folder, "libx264", seconds=LONG)

    class Cut:
        """Gives a clip, then is away until it may come back."""

        codec = "h264"

        def __init__(self, address: str) -> None:
            if gone.is_set() and not back.is_set():
                raise LinkError("the camera does not answer")
            self._stream = opened(long)
            self._left = 30

        def grab(self) -> bool:
            if self._left == 0 and not back.is_set():
                gone.set()
                return False
            done.wait(0.02)
            self._left -= 1
            return self._stream.grab()

        def coded(self) -> tuple[bytes, bool]:
            return self._stream.coded()

        def close(self) -> None:
            self._stream.close()

    clock = SystemClock()
    main = MainStream("rtsp://u:geheim@h", Cut, clock=clock, random=lambda: 0.0)  # type: ignore[arg-type]
    main.start()
    try:
        assert gone.wait(60)
        assert shown(main, clock, wanted=False)
        back.set()
        assert shown(main, clock, wanted=True)
        assert main.detail is None
    finally:
        done.set()
        main.stop()


def shown(main: MainStream, clock: Clock, *, wanted: bool) -> bool:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if (main.at(clock.monotonic()) is not None) is wanted:
            return True
        time.sleep(0.01)
    return False


def test_a_camera_goes_on_and_says_that_its_main_stream_is_away() -> None:
    def away(address: str) -> CodedCapture:
        raise LinkError("the camera does not answer")

    clock = SystemClock()
    main = MainStream("rtsp://u:geheim@h", away, clock=clock, random=lambda: 0.0)
    with HttpCamera() as camera:
        source = LiveSource(
            camera.url("/stream"),
            functools.partial(connect_http, every=0.1),
            fps=5,
            clock=clock,
            random=lambda: 0.0,
            main=main,
        )
        with source:
            until = time.monotonic() + 60
            taken = None
            while source.detail is None and time.monotonic() < until:
                taken = source.read(0.2) or taken
            assert source.state == "streaming"
            assert source.detail is not None
            assert source.detail.startswith("main stream: the camera does not answer")
            assert taken is not None
            assert taken.finer is not None
            assert taken.finer() is None
            assert (source.counts.finer, source.counts.missed) == (0, 1)
