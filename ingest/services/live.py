"""Live pictures of cameras: lent for a minute, redacted by the edge, each look written down."""

from __future__ import annotations

import threading
from datetime import datetime

import msgspec
import sqlalchemy as sa

from ingest.accounts.account import Viewer
from ingest.audit import book as audit
from ingest.evidence.picture import clean
from ingest.live import book
from ingest.live.desk import LiveDesk, Shown, Why
from ingest.live.look import LiveLook, Purpose
from ingest.refusal import Busy, Clash, NotThere, NotUsable
from ingest.store.engine import reading, writing
from ingest.store.registry import CONFIRMED, device, node
from linli.ids import uuid7
from linli.live import LiveBox, LiveFrame, LiveShape

MOST_PIXELS = 1_500_000
DECODED_AT_ONCE = 2
DECODED_WITHIN = 1.0
"""Seconds that a picture waits for its turn; a node that is refused waits longer."""
_QUALITY = 80
_FRAME = msgspec.msgpack.Decoder(LiveFrame)
_CAMERA = "camera"


class LiveView(msgspec.Struct, frozen=True, kw_only=True):
    """How a look goes on: `left` seconds until it ends by itself, `why` there is what to see.

    `number` counts the pictures, `age` is seconds since the newest was taken; boxes, zones and
    lines are of that picture. `code` says why an edge refused or withheld it.
    """

    node: str
    device: str
    purpose: Purpose
    began: datetime
    until: datetime
    left: float
    why: Why
    code: str | None = None
    number: int = 0
    age: float | None = None
    boxes: tuple[LiveBox, ...] = ()
    zones: tuple[LiveShape, ...] = ()
    lines: tuple[LiveShape, ...] = ()


class LiveLookList(msgspec.Struct, frozen=True, kw_only=True):
    """Who looked at a camera's live picture, newest first; `next` is the cursor of what follows."""

    items: tuple[LiveLook, ...]
    next: str | None = None


SHOWN = (LiveView, LiveLookList)


class LiveService:
    """Lends cameras' pictures to people; `on` where edges can be asked for them."""

    def __init__(self, reader: sa.Engine, writer: sa.Engine, desk: LiveDesk, *, on: bool) -> None:
        self.on = on
        self._reader = reader
        self._writer = writer
        self._desk = desk
        self._decoding = threading.BoundedSemaphore(DECODED_AT_ONCE)

    def begin(
        self,
        viewer: Viewer,
        where: tuple[str, str],
        purpose: Purpose,
        now: datetime,
        incident: str | None = None,
    ) -> LiveView:
        """Let somebody see a camera (node, device) for a minute, and write down why.

        Asked again for the same purpose it goes on. Raises NotAllowed, NotThere, Busy, and Clash
        where edges cannot be asked.
        """
        viewer.within("look")
        if not self.on:
            raise Clash("live view needs commands", hint="Set commands.enabled in ingest.toml")
        home = self._home(viewer, where)
        before = self._desk.look(where, viewer.account, now)
        if before is not None and before.purpose != purpose:
            self._end(before, now)
            before = None
        look = before or LiveLook(
            id=uuid7(now),
            account=viewer.account,
            actor=viewer.actor,
            node=where[0],
            device=where[1],
            purpose=purpose,
            began=now,
            until=now,
            incident=incident,
        )
        return self._keep(look, home, now, new=before is None)

    def renew(self, viewer: Viewer, where: tuple[str, str], now: datetime) -> LiveView:
        """Let a look go on, since its page is open; for 15 minutes at most. Raises NotThere."""
        look = self._mine(viewer, where, now)
        return self._keep(look, self._home(viewer, where), now)

    def end(self, viewer: Viewer, where: tuple[str, str], now: datetime) -> None:
        """End a look; one that is over is no error. Raises NotAllowed."""
        viewer.within("look")
        look = self._desk.look(where, viewer.account, now)
        if look is not None:
            self._end(look, now)

    def view(self, viewer: Viewer, where: tuple[str, str], now: datetime) -> LiveView:
        """Return how one's own look goes on. Raises NotThere when there is none."""
        return self._view(self._mine(viewer, where, now), now)

    def picture(self, viewer: Viewer, where: tuple[str, str], now: datetime) -> bytes:
        """Return the newest picture of one's own look, a JPEG. Raises NotThere."""
        self._mine(viewer, where, now)
        shown = self._desk.standing(where, now).shown
        if shown is None or shown.frame.jpeg is None:
            raise NotThere("no picture, or not yet")
        return shown.frame.jpeg

    def looks(
        self, viewer: Viewer, where: tuple[str, str], *, cursor: str | None, limit: int
    ) -> LiveLookList:
        """Return who looked at a camera, newest first. Raises NotAllowed."""
        viewer.require("administer")
        with reading(self._reader) as connection:
            found = book.looks(connection, where, before=cursor, limit=limit + 1)
        more = found[limit - 1].id if len(found) > limit else None
        return LiveLookList(items=tuple(found[:limit]), next=more)

    def expects(self, camera: tuple[str, str], now: datetime) -> None:
        """Raise Gone when nobody looks at a camera, Busy when its edge is too fast."""
        self._desk.expects(camera, now)

    def take(self, camera: tuple[str, str], data: bytes, now: datetime) -> None:
        """Show a frame of a checked node's; what nobody looks at is not kept.

        Raises Gone then, NotUsable, TooMuch, WrongKind, and Busy.
        """
        try:
            frame = _FRAME.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise NotUsable(f"not a live frame: {error}") from None
        if frame.jpeg is not None:
            frame = msgspec.structs.replace(frame, jpeg=self._clean(frame.jpeg))
        self._desk.take(camera, frame, now)

    def _clean(self, jpeg: bytes) -> bytes:
        if not self._decoding.acquire(timeout=DECODED_WITHIN):
            raise Busy("too many pictures at once")
        try:
            return clean(jpeg, pixels=MOST_PIXELS, quality=_QUALITY).data
        finally:
            self._decoding.release()

    def _keep(
        self, look: LiveLook, home: tuple[str, str], now: datetime, *, new: bool = False
    ) -> LiveView:
        look = look.renewed(now)
        self._desk.keep(look, home, now)
        try:
            with writing(self._writer) as connection:
                book.keep(connection, look)
                if new:  # how long it lasts is told by the look itself
                    _note(connection, look)
        except BaseException:
            self._desk.end(look, now)  # nobody looks unwritten
            raise
        return self._view(look, now)

    def _end(self, look: LiveLook, now: datetime) -> None:
        self._desk.end(look, now)
        with writing(self._writer) as connection:
            book.keep(connection, look.ended(now))

    def _home(self, viewer: Viewer, where: tuple[str, str]) -> tuple[str, str]:
        with reading(self._reader) as connection:
            home = _home(connection, where)
        if not viewer.knows(home[1]):
            raise NotThere("no such camera in use")
        return home

    def _mine(self, viewer: Viewer, where: tuple[str, str], now: datetime) -> LiveLook:
        viewer.within("look")
        look = self._desk.look(where, viewer.account, now)
        if look is None:
            raise NotThere("nobody of that name looks at this camera now")
        return look

    def _view(self, look: LiveLook, now: datetime) -> LiveView:
        standing = self._desk.standing((look.node, look.device), now)
        shown: Shown | None = standing.shown
        frame = shown.frame if shown is not None else None
        return LiveView(
            node=look.node,
            device=look.device,
            purpose=look.purpose,
            began=look.began,
            until=look.until,
            left=max((look.until - now).total_seconds(), 0.0),
            why=standing.why,
            code=standing.code,
            number=shown.number if shown is not None else 0,
            age=None if shown is None else shown.age(now),
            boxes=frame.boxes if frame is not None else (),
            zones=frame.zones if frame is not None else (),
            lines=frame.lines if frame is not None else (),
        )


def _note(connection: sa.Connection, look: LiveLook) -> None:
    said = {"look": look.id, "purpose": look.purpose, "incident": look.incident}
    audit.note(
        connection, look.began, look.actor, "looked-live", f"{look.node}/{look.device}", **said
    )


def _home(connection: sa.Connection, where: tuple[str, str]) -> tuple[str, str]:
    """Return site and area of a camera that is in use. Raises NotThere."""
    query = (
        sa.select(device.c.site, device.c.area)
        .join(node, node.c.node == device.c.node)
        .where(
            device.c.node == where[0],
            device.c.device == where[1],
            device.c.kind == _CAMERA,
            device.c.standing == CONFIRMED,
            node.c.standing == CONFIRMED,
        )
    )
    row = connection.execute(query).first()
    if row is None:
        raise NotThere("no such camera in use")
    return row.site, row.area
