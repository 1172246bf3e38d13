"""Our own connection to the estate's broker, for telling its devices what to do.

Nothing is kept for later: a lamp that is told an hour late is told something wrong.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from edge.actuate.actuator import TIMEOUT
from linli.clock import Clock
from linli.errors import FarAwayError, LinkError
from linli.log import get_logger
from linli.mqtt import Delivery, LinkFactory, LinkOptions

log = get_logger(__name__)

TURN = 0.02
MOST_WAITING = 256


@dataclass(slots=True)
class _Word:
    topic: str
    payload: bytes
    answered: threading.Event = field(default_factory=threading.Event)
    error: LinkError | None = None
    given_up: bool = False


class EstateBroker:
    """Publishes for other threads and tells each whether the broker took it."""

    def __init__(self, options: LinkOptions, connect: LinkFactory, clock: Clock) -> None:
        self.where = f"mqtt {options.host}:{options.port}"
        self._waiting: deque[_Word] = deque()
        self._sent: dict[int, _Word] = {}
        self._link = connect(options, self, clock)

    def run(self, stop: threading.Event) -> None:
        """Drive the link until told to stop."""
        try:
            while not stop.is_set():
                self.turn(TURN)
        finally:
            self._link.close()
            self._give_up("is closed")

    def turn(self, timeout: float) -> None:
        """Publish what waits, then handle what came in within `timeout` seconds."""
        while self._waiting:
            self._publish(self._waiting.popleft())
        self._link.step(timeout)

    def publish(self, topic: str, payload: bytes) -> None:
        """Return when the broker took it. From any thread but the one of `run`.

        Raises FarAwayError when there is no broker, else LinkError.

        What could not be said in time is not said at all.
        """
        if len(self._waiting) >= MOST_WAITING:
            raise LinkError("too much waits already", where=self.where)
        word = _Word(topic, payload)
        self._waiting.append(word)
        if not word.answered.wait(TIMEOUT):
            word.given_up = True
            raise FarAwayError(f"no answer in {TIMEOUT:g} s", where=self.where)
        if word.error is not None:
            raise word.error

    def on_up(self) -> None:
        """Nothing to do: what could not go was given up."""

    def on_down(self, reason: str) -> None:
        """Tell those who wait."""
        self._give_up(reason)

    def on_message(self, delivery: Delivery) -> None:
        """Nothing is subscribed."""
        self._link.ack(delivery)

    def on_sent(self, token: int, error: str | None) -> None:
        """Tell who waits for it."""
        word = self._sent.pop(token, None)
        if word is not None:
            word.error = None if error is None else LinkError(error, where=self.where)
            word.answered.set()

    def _publish(self, word: _Word) -> None:
        if word.given_up:
            return
        try:
            self._sent[self._link.publish(word.topic, word.payload)] = word
        except LinkError as error:
            word.error = FarAwayError(error.what, where=self.where)
            word.answered.set()

    def _give_up(self, reason: str) -> None:
        for word in (*self._sent.values(), *self._waiting):
            word.error = FarAwayError(reason, where=self.where)
            word.answered.set()
        self._sent.clear()
        self._waiting.clear()
