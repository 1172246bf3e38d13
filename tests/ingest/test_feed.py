from __future__ import annotations

import asyncio
import threading

import pytest

from ingest.feed import Feed
from ingest.refusal import Busy


def test_changes_are_told_once_however_many_there_were() -> None:
    async def scene() -> None:
        feed = Feed()
        feed.tell("incidents")  # before anyone listened
        with feed.subscribe() as heard, feed.subscribe() as other:
            assert await heard.changed(0.001) == frozenset()
            for _ in range(1000):
                feed.tell("incidents")
            feed.tell("devices")
            await asyncio.sleep(0)
            assert await heard.changed(1) == {"incidents", "devices"}
            assert await heard.changed(0.001) == frozenset()
            assert await other.changed(1) == {"incidents", "devices"}

    asyncio.run(scene())


def test_a_waiter_is_woken_from_another_thread() -> None:
    async def scene() -> None:
        feed = Feed()
        with feed.subscribe() as heard:
            thread = threading.Thread(target=feed.tell, args=("series",))
            waiting = asyncio.ensure_future(heard.changed(10))
            await asyncio.sleep(0)
            thread.start()
            assert await waiting == {"series"}
            thread.join()

    asyncio.run(scene())


def test_closing_sends_everyone_away() -> None:
    async def scene() -> None:
        feed = Feed()
        with feed.subscribe() as heard:
            feed.close()
            assert await heard.changed(10) is None
            assert await heard.changed(10) is None
        with feed.subscribe() as late:
            assert await late.changed(10) is None

    asyncio.run(scene())


def test_there_is_a_most_of_streams() -> None:
    async def scene() -> None:
        feed = Feed(most=1)
        with feed.subscribe(), pytest.raises(Busy), feed.subscribe():
            pass
        with feed.subscribe():
            pass

    asyncio.run(scene())


def test_a_loop_that_has_ended_is_no_trouble() -> None:
    feed = Feed()
    hearing = feed.subscribe()

    async def scene() -> None:
        hearing.__enter__()

    asyncio.run(scene())
    feed.tell("incidents")
    feed.close()
    assert len(feed._subscriptions) == 1
