"""Words on commands on their way to the broker: each is kept until the broker has it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from linli.topics import Topic

MOST_WORDS = 64


@dataclass(slots=True, eq=False)
class _Word:
    topic: Topic
    payload: bytes
    token: int | None = None


class Words:
    """`add` is for any thread, the rest for the uplink's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._words: deque[_Word] = deque(maxlen=MOST_WORDS)

    def add(self, topic: Topic, payload: bytes) -> bool:
        """Have a word sent soon; tell whether the oldest made room for it."""
        with self._lock:
            full = len(self._words) == MOST_WORDS
            self._words.append(_Word(topic, payload))
        return full

    def send(self, publish: Callable[[Topic, bytes], int]) -> None:
        """Publish what is not on its way yet, in order; what `publish` raises leaves it here."""
        with self._lock:
            waiting = [word for word in self._words if word.token is None]
        for word in waiting:
            word.token = publish(word.topic, word.payload)

    def answered(self, token: int) -> None:
        """Forget the word that the broker answered, if it was one."""
        with self._lock:
            left = [word for word in self._words if word.token != token]
            if len(left) < len(self._words):
                self._words = deque(left, MOST_WORDS)

    def start_over(self) -> None:
        """Send again what got no answer: its line is gone."""
        with self._lock:
            for word in self._words:
                word.token = None
