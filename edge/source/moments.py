"""The last moments of a stream as the camera coded them: cheap to keep, decoded when needed."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

MOST_BYTES = 8 * 1024 * 1024
KEPT = 3.0  # seconds; nobody asks for a frame older than its look at the model took


@dataclass(frozen=True, slots=True)
class Packet:
    """One coded frame that came `at` monotonic seconds; a `key` frame needs none before it."""

    data: bytes
    key: bool
    at: float


class Moments:
    """Runs of packets, each from its key frame on; no more than `most` bytes of them."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self.overflows = 0
        self.bytes = 0
        self._most = most
        self._runs: deque[list[Packet]] = deque()

    def add(self, packet: Packet) -> None:
        """Keep a packet, and forget what it makes too old or too much."""
        if packet.key:
            self._runs.append([])
        if not self._runs:
            return
        self._runs[-1].append(packet)
        self.bytes += len(packet.data)
        while len(self._runs) > 1 and self._runs[1][0].at <= packet.at - KEPT:
            self._forget()
        while self.bytes > self._most:
            self.overflows += len(self._runs) == 1  # the run that goes on: none until a key frame
            self._forget()

    def until(self, moment: float) -> list[Packet]:
        """Return what must be decoded for the frame at `moment`: a key frame and what follows."""
        for run in reversed(self._runs):
            if run[0].at <= moment:
                return [packet for packet in run if packet.at <= moment]
        return []

    def clear(self) -> None:
        """Forget everything: what comes next does not follow from it."""
        self._runs.clear()
        self.bytes = 0

    def _forget(self) -> None:
        self.bytes -= sum(len(packet.data) for packet in self._runs.popleft())
