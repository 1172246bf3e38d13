"""The hub: rendered once for all who see the same, at once, then coalesced, never queued."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from dashboards.web import live
from dashboards.web.live import STREAMS_PER_SESSION, Fragments, Hub, View
from ingest.accounts.account import Viewer
from ingest.feed import Feed

VIEW = View("desk", "", "duty", "zh-CN", "", frozenset({"incidents"}))
VIEWER = Viewer(account="a", name="a", role="duty")


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "GAP", 0.05)
    monkeypatch.setattr(live, "SLOW_GAP", 0.2)
    monkeypatch.setattr(live, "BEAT", 30.0)


@dataclass
class Press:
    """Renders a number that tests change."""

    text: str = "0"
    renders: int = 0
    views: set[View] = field(default_factory=set)
    broken: bool = False

    def __call__(self, view: View, viewer: Viewer) -> Fragments:
        self.renders += 1
        self.views.add(view)
        if self.broken:
            raise OSError("disk")
        return {"chain": "same", "desk": self.text}


@dataclass
class Stand:
    """A hub with a feed and a press."""

    feed: Feed = field(default_factory=Feed)
    press: Press = field(default_factory=Press)

    def __post_init__(self) -> None:
        self.hub = Hub(self.feed, self.press, "v1")

    def open(
        self, session: str = "s", view: View = VIEW, still_in: Callable[[], bool] = lambda: True
    ) -> AsyncIterator[str]:
        return self.hub.stream(view, VIEWER, session, still_in)

    def change(self, text: str) -> None:
        self.press.text = text
        self.feed.tell("incidents")


async def next_of(stream: AsyncIterator[str]) -> str:
    return await asyncio.wait_for(anext(stream), 5)


async def first(stream: AsyncIterator[str]) -> list[str]:
    return [await next_of(stream) for _ in range(3)]


def test_what_the_page_was_made_with_is_not_sent_again() -> None:
    async def run() -> None:
        stand = Stand()
        have = {"desk": live.mark("0")}
        stream = stand.hub.stream(VIEW, VIEWER, "s", lambda: True, have)
        assert await next_of(stream) == "event: hello\ndata: v1\n\n"
        assert await next_of(stream) == "event: chain\ndata: same\n\n"
        stand.change("1")
        assert await next_of(stream) == "event: desk\ndata: 1\n\n"
        stand.change("0")
        assert await next_of(stream) == "event: desk\ndata: 0\n\n"
        old = stand.hub.stream(VIEW, VIEWER, "t", lambda: True, {"desk": live.mark("1")})
        assert (await first(old))[2] == "event: desk\ndata: 0\n\n"
        await stream.aclose()
        await old.aclose()

    asyncio.run(run())


def test_time_that_passes_is_no_change() -> None:
    shown = '<time datetime="2026-03-02T12:00:00Z" data-ago>{}</time> <time>{}</time>'
    assert live.mark(shown.format("just now", 1)) == live.mark(shown.format("1 minute ago", 1))
    assert live.mark(shown.format("just now", 1)) != live.mark(shown.format("just now", 2))


def test_the_first_events_come_at_once_and_then_only_changes() -> None:
    async def run() -> None:
        stand = Stand()
        stream = stand.open()
        assert await first(stream) == [
            "event: hello\ndata: v1\n\n",
            "event: chain\ndata: same\n\n",
            "event: desk\ndata: 0\n\n",
        ]
        stand.change("1")
        assert await next_of(stream) == "event: desk\ndata: 1\n\n"
        await stream.aclose()

    asyncio.run(run())


def test_many_listeners_cost_one_rendering_and_a_flood_few() -> None:
    async def run() -> None:
        stand = Stand()
        streams = [stand.open(f"s{index}") for index in range(20)]
        for stream in streams:
            await first(stream)
        assert stand.press.renders == 1
        for index in range(200):
            stand.change(str(index))
            if index % 50 == 0:
                await asyncio.sleep(0)
        seen = [await next_of(stream) for stream in streams]
        while not all("199" in text for text in seen):
            seen = [
                text if "199" in text else await next_of(stream)
                for text, stream in zip(seen, streams, strict=True)
            ]
        assert stand.press.renders <= 4
        for stream in streams:
            await stream.aclose()

    asyncio.run(run())


def test_those_who_see_something_else_get_their_own() -> None:
    async def run() -> None:
        stand = Stand()
        other = View("desk", "", "duty", "en", "", frozenset({"incidents"}))
        streams = [stand.open("a"), stand.open("b", view=other)]
        for stream in streams:
            await first(stream)
        assert stand.press.views == {VIEW, other}
        for stream in streams:
            await stream.aclose()

    asyncio.run(run())


def test_a_change_of_little_weight_waits_longer() -> None:
    async def run() -> float:
        stand = Stand()
        stream = stand.open()
        await first(stream)
        start = asyncio.get_running_loop().time()
        stand.press.text = "slow"
        stand.feed.tell("series")
        await next_of(stream)
        taken = asyncio.get_running_loop().time() - start
        await stream.aclose()
        return taken

    assert asyncio.run(run()) > 0.1


def test_too_many_streams_of_a_session_send_the_oldest_to_rest() -> None:
    async def run() -> None:
        stand = Stand()
        streams = [stand.open() for _ in range(STREAMS_PER_SESSION + 1)]
        elsewhere = stand.open("another browser")
        for stream in [*streams, elsewhere]:
            await first(stream)
        assert await next_of(streams[0]) == "event: rest\ndata: \n\n"
        with pytest.raises(StopAsyncIteration):
            await next_of(streams[0])
        stand.change("1")
        for stream in [*streams[1:], elsewhere]:
            assert "data: 1" in await next_of(stream)
            await stream.aclose()

    asyncio.run(run())


def test_the_desk_rests_last() -> None:
    async def run() -> None:
        stand = Stand()
        other = View("devices", "", "duty", "zh-CN", "", frozenset({"incidents"}))
        desk = stand.open()
        others = [stand.open(view=other) for _ in range(STREAMS_PER_SESSION)]
        for stream in [desk, *others]:
            await first(stream)
        assert await next_of(others[0]) == "event: rest\ndata: \n\n"
        more = [stand.open() for _ in range(STREAMS_PER_SESSION - 1)]
        for stream in more:
            await first(stream)
        for stream in others[1:]:
            assert await next_of(stream) == "event: rest\ndata: \n\n"
        stand.change("1")
        for stream in [desk, *more]:
            assert "data: 1" in await next_of(stream)
        newest = stand.open()  # nothing but desks: the oldest of them
        await first(newest)
        assert await next_of(desk) == "event: rest\ndata: \n\n"
        for stream in [*more, newest]:
            await stream.aclose()

    asyncio.run(run())


@pytest.mark.parametrize(("still_in", "expected"), [(True, "beat"), (False, "login")])
def test_beats_tell_that_the_session_holds(
    monkeypatch: pytest.MonkeyPatch, still_in: bool, expected: str
) -> None:
    monkeypatch.setattr(live, "BEAT", 0.05)

    async def run() -> str:
        stream = Stand().open(still_in=lambda: still_in)
        await first(stream)
        event = await next_of(stream)
        await stream.aclose()
        return event

    assert asyncio.run(run()) == f"event: {expected}\ndata: \n\n"


def test_the_end_of_the_service_ends_the_streams() -> None:
    async def run() -> None:
        stand = Stand()
        streams = [stand.open("a"), stand.open("b")]
        for stream in streams:
            await first(stream)
        stand.feed.close()
        for stream in streams:
            with pytest.raises(StopAsyncIteration):
                await next_of(stream)

    asyncio.run(run())


def test_a_page_that_cannot_be_rendered_ends_and_the_next_visit_is_fresh(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def run() -> None:
        stand = Stand()
        stream = stand.open()
        await first(stream)
        stand.press.broken = True
        stand.change("1")
        with pytest.raises(StopAsyncIteration):
            await next_of(stream)
        stand.press.broken = False
        again = stand.open()
        assert (await first(again))[2] == "event: desk\ndata: 1\n\n"
        await again.aclose()

    asyncio.run(run())
    assert "live page desk: cannot be rendered" in caplog.text


def test_nobody_left_means_nothing_rendered() -> None:
    async def run() -> None:
        stand = Stand()
        stream = stand.open()
        await first(stream)
        await stream.aclose()
        stand.change("1")
        await asyncio.sleep(0.12)
        assert stand.press.renders == 1

    asyncio.run(run())


def test_text_with_line_ends_stays_one_event() -> None:
    async def run() -> str:
        stand = Stand(press=Press("a\nb\rdata: c\r\nevent: d"))
        stream = stand.open()
        event = (await first(stream))[2]
        await stream.aclose()
        return event

    assert asyncio.run(run()) == "event: desk\ndata: a\ndata: b\ndata: data: c\ndata: event: d\n\n"
