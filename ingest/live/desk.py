"""All live views of now: who looks, what the edges were asked for, the newest picture of each.

In memory alone, and no more than one picture of a camera; it goes with the last who looks. Safe for
threads. An edge is asked again while somebody goes on looking, and hears that nobody does when it
hands in its next picture.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from ingest.live.look import LEASE, LiveLook
from ingest.refusal import Busy, Gone
from linli.commands import AckData
from linli.ids import uuid7
from linli.live import PERIOD, LiveFrame

MOST_CAMERAS = 12
"""Watched at once; each picture of them is decoded and encoded again."""
MOST_LOOKS = 60
AHEAD = timedelta(seconds=35)
"""An edge is asked anew when it would end within this time."""
AGAIN = timedelta(seconds=8)
"""Between two questions to an edge that has not answered."""
TO_ANSWER = timedelta(seconds=4)
FRESH = timedelta(seconds=5)
"""A picture that came longer ago is no longer what is to be seen there."""
_SOONEST = timedelta(seconds=PERIOD / 2)

Camera = tuple[str, str]
"""Node and device."""
Why = Literal["showing", "asking", "waiting", "withheld", "no-answer", "refused", "silent"]
"""What there is to see, or why nothing is.

`asking` the edge; `waiting` for its first picture; `withheld` by the edge for privacy; `no-answer`
from it; `refused` by it; `silent` since it answered.
"""


class Ask(NamedTuple):
    """What an edge is to be asked for."""

    id: str
    camera: Camera
    site: str
    area: str
    operator: str
    at: datetime


class Shown(NamedTuple):
    """The newest that came of a camera: which one it is, and when it came."""

    number: int
    frame: LiveFrame
    came: datetime

    def age(self, now: datetime) -> float:
        """Return how many seconds ago it was taken."""
        return self.frame.age + max((now - self.came).total_seconds(), 0.0)


class Standing(NamedTuple):
    """How a live view is; `code` says why an edge refused, or withheld the picture."""

    why: Why
    code: str | None
    shown: Shown | None


@dataclass(slots=True)
class _Watched:
    site: str
    area: str
    looks: dict[str, LiveLook] = field(default_factory=dict)
    ask: Ask | None = None
    answer_due: bool = False
    answered: datetime | None = None
    lent_until: datetime | None = None
    refused: str | None = None
    shown: Shown | None = None
    number: int = 0


class LiveDesk:
    """What live views share in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cameras: dict[Camera, _Watched] = {}
        self._asks: dict[Camera, Ask] = {}
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether nobody may look now, for want of memory."""
        return self._closed

    def close(self, now: bool) -> None:
        """End all looks and let none begin, or let them begin again."""
        with self._lock:
            self._closed = now
            if now:
                self._cameras.clear()
                self._asks.clear()

    def look(self, camera: Camera, account: str, now: datetime) -> LiveLook | None:
        """Return the look of somebody that goes on, if there is one."""
        with self._lock:
            watched = self._watched(camera, now)
            return watched.looks.get(account) if watched is not None else None

    def keep(self, look: LiveLook, home: tuple[str, str], now: datetime) -> None:
        """Let a look go on, at a camera of site and area `home`; ask its edge when it is time.

        Raises Busy when too many look, or memory is short.
        """
        camera = (look.node, look.device)
        with self._lock:
            if self._closed:
                raise Busy("the server is short of memory")
            watched = self._watched(camera, now)
            if watched is None:
                if len(self._cameras) >= MOST_CAMERAS:
                    raise Busy(f"{MOST_CAMERAS} cameras are looked at already")
                watched = self._cameras[camera] = _Watched(*home)
            if look.account not in watched.looks and self._count() >= MOST_LOOKS:
                self._forget(camera, now)
                raise Busy(f"{MOST_LOOKS} people look at cameras already")
            watched.looks[look.account] = look
            self._ask(camera, watched, look.actor, now)

    def end(self, look: LiveLook, now: datetime) -> None:
        """Let a look end; with the last one of a camera its picture goes."""
        camera = (look.node, look.device)
        with self._lock:
            watched = self._cameras.get(camera)
            if watched is not None:
                watched.looks.pop(look.account, None)
            self._forget(camera, now)

    def standing(self, camera: Camera, now: datetime) -> Standing:
        """Return how a camera's live view is."""
        with self._lock:
            watched = self._watched(camera, now)
            return Standing("asking", None, None) if watched is None else _standing(watched, now)

    def expects(self, camera: Camera, now: datetime) -> None:
        """Raise Gone when nobody looks at a camera, Busy when its edge is too fast."""
        with self._lock:
            self._expected(camera, now)

    def take(self, camera: Camera, frame: LiveFrame, now: datetime) -> None:
        """Show another picture instead of the last one. Raises Gone when nobody looks."""
        with self._lock:
            watched = self._expected(camera, now, fast=True)
            watched.number += 1
            watched.shown = Shown(watched.number, frame, now)

    def asks(self, now: datetime) -> Iterator[Ask]:
        """Yield once each what edges are to be asked for, and forget what nobody looks at."""
        with self._lock:
            for camera in list(self._cameras):
                self._forget(camera, now)
            asks, self._asks = self._asks, {}
        yield from asks.values()

    def refuse(self, ask: Ask, code: str) -> None:
        """Note that an edge could not be asked."""
        with self._lock:
            watched = self._cameras.get(ask.camera)
            if watched is not None and watched.ask == ask:
                watched.refused = code

    def heard(self, camera: Camera, ack: AckData, now: datetime) -> bool:
        """Take an edge's word; tell whether it was on a question of ours to this camera."""
        with self._lock:
            watched = self._cameras.get(camera)
            if watched is None or watched.ask is None or watched.ask.id != ack.command:
                return False
            if ack.phase == "accepted":
                return True
            watched.answer_due = False
            if ack.phase == "done":
                watched.answered = watched.answered or now
                watched.lent_until, watched.refused = watched.ask.at + LEASE, None
            else:
                watched.answered = watched.lent_until = None
                watched.refused = ack.code
            return True

    def _ask(self, camera: Camera, watched: _Watched, actor: str, now: datetime) -> None:
        lent = watched.lent_until is not None and watched.lent_until - now > AHEAD
        if lent and _waiting(watched, now) != "silent":
            return
        if watched.ask is not None and now - watched.ask.at < AGAIN:
            return
        watched.ask = Ask(uuid7(now), camera, watched.site, watched.area, actor, now)
        watched.answer_due = True
        self._asks[camera] = watched.ask

    def _expected(self, camera: Camera, now: datetime, *, fast: bool = False) -> _Watched:
        watched = self._watched(camera, now)
        if watched is None:
            raise Gone("nobody looks at this camera")
        shown = watched.shown
        if not fast and shown is not None and now - shown.came < _SOONEST:
            raise Busy(f"at most one picture in {PERIOD:g} s")
        return watched

    def _watched(self, camera: Camera, now: datetime) -> _Watched | None:
        self._forget(camera, now)
        return self._cameras.get(camera)

    def _forget(self, camera: Camera, now: datetime) -> None:
        watched = self._cameras.get(camera)
        if watched is None:
            return
        watched.looks = {name: one for name, one in watched.looks.items() if one.lasts(now)}
        if not watched.looks:
            del self._cameras[camera]
            self._asks.pop(camera, None)

    def _count(self) -> int:
        return sum(len(watched.looks) for watched in self._cameras.values())


def _standing(watched: _Watched, now: datetime) -> Standing:
    shown = watched.shown
    if shown is not None and now - shown.came <= FRESH:
        if shown.frame.jpeg is not None:
            return Standing("showing", None, shown)
        return Standing("withheld", shown.frame.withheld, shown)
    if watched.refused is not None:
        return Standing("refused", watched.refused, shown)
    return Standing(_waiting(watched, now), None, shown)


def _waiting(watched: _Watched, now: datetime) -> Why:
    if watched.answer_due and watched.ask is not None and now - watched.ask.at > TO_ANSWER:
        return "no-answer"
    if watched.answered is None:
        return "asking"
    newest = watched.answered if watched.shown is None else watched.shown.came
    return "waiting" if now - newest <= FRESH else "silent"
