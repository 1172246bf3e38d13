"""One command and its course: sent, accepted, then done, failed or timeout. Pure.

Nothing is ever sent again by itself: what was not accepted may still have been done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from ingest.refusal import Clash, NotUsable
from linli.commands import LONGEST_HOLD, AckData, CommandData, CommandMessage, CommandName
from linli.events import schema_uri

CommandState = Literal["sent", "accepted", "done", "failed", "timeout"]
OPEN: tuple[CommandState, ...] = ("sent", "accepted")
TTL = timedelta(seconds=10)
TO_ACCEPT = timedelta(seconds=3)
TO_FINISH = timedelta(seconds=5)
"""Beyond the time to live."""
MOST_HOLDS = 4
"""One hold and three renewals; then the door must have been left alone for `PAUSE`."""
PAUSE = timedelta(seconds=60)
SENDER = "svc-command"


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wanted of a device, why, and what came of it; `code` says why it failed.

    `once` is what the asker calls it: asked again under that name, it is the same command.
    """

    id: str
    site: str
    area: str
    node: str
    device: str
    name: CommandName
    data: CommandData
    actor: str
    reason: str
    issued: datetime
    state: CommandState = "sent"
    incident: str | None = None
    once: str | None = None
    accepted: datetime | None = None
    ended: datetime | None = None
    code: str | None = None
    detail: str | None = None

    @property
    def expires(self) -> datetime:
        """From then on the node must not begin it."""
        return self.issued + TTL

    @property
    def topic(self) -> tuple[str, str, str, str, str, str]:
        """The levels of the topic it goes to."""
        return self.site, self.area, self.node, self.device, "command", self.name


def wish(
    name: CommandName,
    actor: str,
    *,
    seconds: int | None = None,
    prompt: str | None = None,
    level: float | None = None,
    lasts: int | None = None,
) -> CommandData:
    """Return what to ask of a device; a hold is cut to 60 s.

    Raises NotUsable for a field that the command lacks or does not know.
    """
    given = {"seconds": seconds, "prompt": prompt, "level": level}
    takes: dict[CommandName, str | None] = {
        "door-hold": "seconds",
        "door-release": None,
        "voice-prompt": "prompt",
        "lamp-set": "level",
        "lamp-release": None,
    }
    for field, value in given.items():
        if (value is not None) != (field == takes[name]):
            rule = "is needed" if value is None else "means nothing"
            raise NotUsable(f"{rule} in a {name}", where=field)
    if lasts is not None and name != "lamp-set":
        raise NotUsable(f"means nothing in a {name}", where="lasts")
    return CommandData(
        operator="op-" + hashlib.sha256(actor.encode()).hexdigest()[:8],
        holds=None if seconds is None else min(seconds, LONGEST_HOLD),
        prompt=prompt,
        level=level,
        lasts=lasts,
    )


def check_holds(before: Iterable[Command], now: datetime) -> None:
    """Refuse to hold a door on and on; `before` are the device's holds, newest first.

    One that timed out counts: it may have been done. Raises Clash.
    """
    begins, row = now, 0
    for one in before:
        if one.state == "failed":
            continue
        if begins - (one.issued + timedelta(seconds=one.data.holds or 0)) > PAUSE:
            break
        begins, row = one.issued, row + 1
    if row >= MOST_HOLDS:
        raise Clash(
            f"the door was held {row} times in a row",
            hint=f"Let it go; it can be held again after {PAUSE.seconds} s",
        )


def message(command: Command) -> CommandMessage:
    """Return what goes to the node."""
    return CommandMessage(
        specversion="1.0",
        id=command.id,
        source=f"/{command.site}/{SENDER}",
        type=f"linli.command.{command.name}",
        time=command.issued,
        datacontenttype="application/json",
        dataschema=schema_uri("command"),
        clocksync="synced",
        expirytime=command.expires,
        data=command.data,
    )


def answered(command: Command, ack: AckData, now: datetime) -> Command:
    """Return it after a node's word; the end stays, but a late word corrects a timeout."""
    if command.state in {"done", "failed"}:
        return command
    if ack.phase == "accepted":
        return msgspec.structs.replace(
            command, state="accepted", accepted=command.accepted or now, ended=None, code=None
        )
    return msgspec.structs.replace(
        command,
        state="done" if ack.phase == "done" else "failed",
        ended=now,
        code="expired" if ack.phase == "expired" else ack.code,
        detail=ack.detail,
    )


def failed(command: Command, code: str, now: datetime) -> Command:
    """Return it as one that never left."""
    return msgspec.structs.replace(command, state="failed", ended=now, code=code)


def overdue(command: Command, now: datetime) -> Command:
    """Return it as timed out when a word is missing, else as it is."""
    if command.state == "sent" and now > command.issued + TO_ACCEPT:
        return msgspec.structs.replace(command, state="timeout", ended=now, code="not-accepted")
    if command.state == "accepted" and now > command.expires + TO_FINISH:
        return msgspec.structs.replace(command, state="timeout", ended=now, code="not-finished")
    return command
