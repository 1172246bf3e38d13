"""A camera's main stream beside the analysed one: followed, not decoded until it is asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable

from edge.source.capture import CodedCapture, open_bytes, open_coded
from edge.source.follow import Follower
from edge.source.frame import Image
from edge.source.jpeg import decode as decode_jpeg
from edge.source.moments import Moments, Packet
from edge.source.stream import TIMEOUT
from linli.clock import Clock
from linli.errors import LinkError
from linli.log import get_logger, redact

log = get_logger(__name__)

PATIENCE = 0.8  # seconds for one picture; 50 frames of 1080p in H.265 take 0.45
NEAR = 1.0  # seconds between two frames that still show the same
_CODECS = ("h264", "avc1", "hevc", "hev1", "hvc1", "mjpg", "mjpeg")
# Decoding a picture takes some ten megabytes; two cameras at once would take them twice.
_DECODING = threading.Lock()


def connect_coded(address: str) -> CodedCapture:
    """Open the camera. Raises LinkError when it does not answer, or its codec is not known."""
    capture = open_coded(address, timeout=TIMEOUT)
    if capture is None:
        raise LinkError("the camera does not answer")
    if capture.codec not in _CODECS:
        codec = capture.codec
        capture.close()
        raise LinkError(f"the stream is {codec or 'of no known kind'}, not H.264, H.265 or MJPEG")
    return capture


class MainStream:
    """Keeps the last moments of a stream in a thread of its own, and decodes one when asked.

    `detail` says for a person why it is away, None while it is there.
    """

    def __init__(
        self,
        address: str,
        connect: Callable[[str], CodedCapture] = connect_coded,
        *,
        clock: Clock,
        random: Callable[[], float],
        moments: Moments | None = None,
    ) -> None:
        self.detail: str | None = None
        self._address = address
        self._clock = clock
        self._moments = moments or Moments()
        self._lock = threading.Lock()
        self._follower: Follower[CodedCapture] = Follower(
            address, connect, self, clock=clock, random=random
        )

    def start(self) -> None:
        """Begin to follow the stream."""
        self._follower.start()

    def stop(self) -> None:
        """Let go of it."""
        self._follower.stop()

    def at(self, moment: float) -> Image | None:
        """Return the picture of a moment (monotonic seconds) as BGR [height, width, 3].

        None when the stream is away, that moment is no longer kept, or decoding takes too long.
        """
        with self._lock:
            packets = self._moments.until(moment)
        return self._decoded(packets, moment) if packets else None

    def take(self, stream: CodedCapture, now: float) -> None:
        """Keep the frame just grabbed; called by the thread that follows the stream."""
        data, key = stream.coded()
        with self._lock:
            overflows = self._moments.overflows
            self._moments.add(Packet(data, key, now))
            if self._moments.overflows and not overflows:
                log.warning("main stream %s: too much between key frames", redact(self._address))
        if self.detail is not None:
            self.detail = None
            log.warning("main stream %s is back", redact(self._address))

    def lose(self, detail: str) -> None:
        """Take note that the stream is away, and why; called by the thread that follows it."""
        with self._lock:
            self._moments.clear()
        if self.detail is None:
            log.warning("main stream %s: %s", redact(self._address), detail)
        self.detail = f"main stream: {detail}"

    def _decoded(self, packets: list[Packet], moment: float) -> Image | None:
        until = self._clock.monotonic() + PATIENCE
        if not _DECODING.acquire(timeout=PATIENCE):
            return None
        try:
            if packets[-1].data.startswith(b"\xff\xd8"):
                number, image = len(packets) - 1, decode_jpeg(packets[-1].data)
            else:
                number, image = self._last_of(packets, until)
        finally:
            _DECODING.release()
        near = image is not None and moment - packets[number].at <= NEAR
        return image if near else None

    def _last_of(self, packets: list[Packet], until: float) -> tuple[int, Image | None]:
        """Return the last picture that can be decoded in time, and which of `packets` it is."""
        capture = open_bytes(b"".join(packet.data for packet in packets))
        reached: tuple[int, Image | None] = (0, None)
        if capture is None:
            return reached
        try:
            for number in range(len(packets)):
                if not capture.grab():
                    break
                late = self._clock.monotonic() > until
                # The last but one as well: a damaged last one gives no picture.
                if late or number >= len(packets) - 2:
                    image = capture.picture()
                    reached = (number, image) if image is not None else reached
                if late:
                    break
        finally:
            capture.close()
        return reached
