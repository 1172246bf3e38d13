"""Tells whoever waits that something changed; what changed, they read themselves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from ingest.refusal import Busy

MOST = 500
Topic = Literal["incidents", "devices", "series", "chain"]


class Subscription:
    """One waiter of one event loop; it remembers which topics changed, never how often."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._event = asyncio.Event()
        self._topics: set[Topic] = set()
        self._closed = False

    async def changed(self, seconds: float) -> frozenset[Topic] | None:
        """Return what changed since the last call, waiting up to `seconds`.

        Empty when nothing did; None when the service is stopping and the waiter should leave.
        """
        if not self._topics and not self._closed:
            try:
                async with asyncio.timeout(seconds):
                    await self._event.wait()
            except TimeoutError:
                return frozenset()
        self._event.clear()
        if self._closed:
            return None
        topics = frozenset(self._topics)
        self._topics.clear()
        return topics

    def _mark(self, topic: Topic | None) -> None:
        if topic is None:
            self._closed = True
        else:
            self._topics.add(topic)
        self._event.set()

    def _tell(self, topic: Topic | None) -> None:
        try:
            self._loop.call_soon_threadsafe(self._mark, topic)
        except RuntimeError:
            return  # its loop has ended, and with it whoever waited


class Feed:
    """Called by consumers and services from any thread; bounded, because it queues nothing."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._subscriptions: set[Subscription] = set()
        self._closed = False

    @property
    def subscribers(self) -> int:
        """How many hear of changes now."""
        return len(self._subscriptions)

    def tell(self, topic: Topic) -> None:
        """Wake everyone who waits."""
        with self._lock:
            waiting = tuple(self._subscriptions)
        for subscription in waiting:
            subscription._tell(topic)  # noqa: SLF001 - the two classes are one part

    @contextmanager
    def subscribe(self) -> Iterator[Subscription]:
        """Hear of changes from now on; call inside a running event loop. Raises Busy."""
        subscription = Subscription(asyncio.get_running_loop())
        with self._lock:
            if len(self._subscriptions) >= self._most:
                raise Busy(f"{self._most} live streams are open already")
            self._subscriptions.add(subscription)
            closed = self._closed
        if closed:
            subscription._mark(None)  # noqa: SLF001 - the two classes are one part
        try:
            yield subscription
        finally:
            with self._lock:
                self._subscriptions.discard(subscription)

    def close(self) -> None:
        """Send everyone away: the service is stopping."""
        with self._lock:
            self._closed = True
            waiting = tuple(self._subscriptions)
        for subscription in waiting:
            subscription._tell(None)  # noqa: SLF001 - the two classes are one part
