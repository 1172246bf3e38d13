"""Live pages: fragments rendered once for all who see the same, and sent when they changed.

A channel per (page, role, language) renders while anyone listens: at once after a change that
matters, then at most twice a second. A listener that is slow skips what it missed; nothing queues.
A browser session holds few streams: browsers open six connections to one server at most, and
pages in further tabs must still load. The oldest stream is sent to rest until it is looked at, the
desk last: it is the page that staff have touched, so browsers let it sound.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from types import MappingProxyType

from dashboards.web.language import Language
from ingest.accounts.account import Viewer
from ingest.feed import Feed, Subscription, Topic
from linli.log import get_logger

log = get_logger(__name__)

GAP = 0.5
SLOW_GAP = 5.0
BEAT = 15.0
STREAMS_PER_SESSION = 4
Fragments = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class View:
    """What is shown: page `name` (about `subject`), alike for everyone of a role and language."""

    name: str
    subject: str
    role: str
    language: Language
    prefix: str
    urgent: frozenset[Topic]
    rights: tuple[frozenset[str] | None, frozenset[str] | None] = (None, None)
    """Scopes and areas of the viewer: who is limited otherwise sees something else."""


_AGO = re.compile(r"(<time [^>]*data-ago>)[^<]*")
_MARK = 8


def mark(text: str) -> str:
    """Return what differs when a fragment does; how long ago something was, browsers count."""
    return blake2b(_AGO.sub(r"\1", text).encode(), digest_size=_MARK).hexdigest()


Renderer = Callable[[View, Viewer], Fragments]


@dataclass(slots=True)
class _Channel:
    fragments: Fragments = field(default_factory=dict)
    marks: Mapping[str, str] = field(default_factory=dict)
    version: int = 0
    ended: bool = False
    listeners: int = 0
    task: asyncio.Task[None] | None = None
    bell: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def put(self, fragments: Fragments | None) -> None:
        async with self.bell:
            if fragments is None:
                self.ended = True
            else:
                marks = {name: mark(text) for name, text in fragments.items()}
                self.fragments = fragments
                if marks != self.marks:
                    self.marks = marks
                    self.version += 1
            self.bell.notify_all()


@dataclass(eq=False, slots=True)
class _Listener:
    channel: _Channel
    page: str
    seen: int = 0
    resting: bool = False

    async def wait(self, seconds: float) -> bool:
        """Wait for something new; False when `seconds` passed without."""
        try:
            async with asyncio.timeout(seconds), self.channel.bell:
                await self.channel.bell.wait_for(self._roused)
        except TimeoutError:
            return False
        return True

    async def rest(self) -> None:
        self.resting = True
        async with self.channel.bell:
            self.channel.bell.notify_all()

    def _roused(self) -> bool:
        return self.resting or self.channel.ended or self.channel.version != self.seen


class Hub:
    """Holds the channels and the listeners of each session. For one event loop."""

    def __init__(self, feed: Feed, render: Renderer, version: str) -> None:
        self._feed = feed
        self._render = render
        self._version = version
        self._channels: dict[View, _Channel] = {}
        self._sessions: dict[str, list[_Listener]] = {}

    async def stream(
        self,
        view: View,
        viewer: Viewer,
        session: str,
        still_in: Callable[[], bool],
        have: Mapping[str, str] = MappingProxyType({}),
    ) -> AsyncIterator[str]:
        """Yield server-sent events until the service stops, the session ends or is needed.

        `have` are the marks of fragments that the page stands on already.
        """
        listener = self._join(view, viewer, session)
        channel, sent = listener.channel, dict(have)
        loop = asyncio.get_running_loop()
        beat_at = loop.time() + BEAT
        try:
            for other in self._too_many(session):
                await other.rest()
            yield _event("hello", self._version)
            while not channel.ended:
                await listener.wait(beat_at - loop.time())
                if listener.resting:
                    yield _event("rest", "")
                    return
                listener.seen = channel.version
                fragments, marks = channel.fragments, channel.marks
                for name, text in fragments.items():
                    if sent.get(name) != marks[name]:
                        sent[name] = marks[name]
                        yield _event(name, text)
                if loop.time() >= beat_at:
                    beat_at = loop.time() + BEAT
                    signed_in = await asyncio.to_thread(still_in)
                    yield _event("beat" if signed_in else "login", "")
                    if not signed_in:
                        return
        finally:
            self._leave(view, session, listener)

    def _join(self, view: View, viewer: Viewer, session: str) -> _Listener:
        channel = self._channels.get(view)
        if channel is None or channel.ended:
            channel = self._channels[view] = _Channel()
            channel.task = asyncio.create_task(self._run(view, viewer, channel))
        channel.listeners += 1
        listener = _Listener(channel, view.name)
        self._sessions.setdefault(session, []).append(listener)
        return listener

    def _too_many(self, session: str) -> list[_Listener]:
        active = [one for one in self._sessions[session] if not one.resting]
        before = sorted(active[:-1], key=lambda one: one.page == "desk")
        return before[: max(0, len(active) - STREAMS_PER_SESSION)]

    def _leave(self, view: View, session: str, listener: _Listener) -> None:
        self._sessions[session].remove(listener)
        if not self._sessions[session]:
            del self._sessions[session]
        channel = listener.channel
        channel.listeners -= 1
        if channel.listeners == 0:
            if channel.task is not None:
                channel.task.cancel()
            if self._channels.get(view) is channel:
                del self._channels[view]

    async def _run(self, view: View, viewer: Viewer, channel: _Channel) -> None:
        try:
            with self._feed.subscribe() as changes:
                while True:
                    await channel.put(await asyncio.to_thread(self._render, view, viewer))
                    if not await _due(changes, view.urgent):
                        break
        except asyncio.CancelledError:
            channel.ended = True
            raise
        except Exception:
            # Its listeners are sent away and come back by themselves, to a fresh channel.
            log.exception("live page %s: cannot be rendered", view.name)
        await channel.put(None)


async def _due(changes: Subscription, urgent: frozenset[Topic]) -> bool:
    """Wait until it is time to render again; False when the service is stopping."""
    loop = asyncio.get_running_loop()
    start, wait = loop.time(), BEAT
    while True:
        left = start + wait - loop.time()
        if left <= 0:
            return True
        topics = await changes.changed(left)
        if topics is None:
            return False
        if topics & urgent:
            wait = GAP
        elif topics:
            wait = min(wait, SLOW_GAP)


def _event(name: str, text: str) -> str:
    # A lone carriage return ends a line of the stream too, and may stand in what people typed.
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = "".join(f"data: {line}\n" for line in plain.split("\n"))
    return f"event: {name}\n{lines}\n"
