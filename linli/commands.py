"""Commands out to devices and their acknowledgements, as contract v1 has them on the wire.

A command is never retained, holds for `expirytime` only, and is done once: a node keeps the ids of
the last 24 h. Its acknowledgement comes back under `ack/` with the same name.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from msgspec import Meta

from linli.events import Envelope, Fraction, Instant, Part, Seconds, Slug, Text, Uuid

CommandName = Literal["door-hold", "door-release", "voice-prompt", "lamp-set", "lamp-release"]
COMMANDS: tuple[CommandName, ...] = get_args(CommandName)
Phase = Literal["accepted", "done", "failed", "expired"]
LONGEST_HOLD = 60
"""Seconds of one door hold; a node holds to it as well."""
SHORTEST_OVERRIDE, LONGEST_OVERRIDE = 60, 86_400
"""Seconds that a lamp may be held at a level."""
Lasting = Annotated[
    int, Meta(ge=SHORTEST_OVERRIDE, le=LONGEST_OVERRIDE, description="seconds of a level")
]


class CommandData(Part, frozen=True, kw_only=True):
    """What to do: `holds` of a door or of a live view, `prompt` to be spoken, `level` of a lamp.

    `lasts` is how long a lamp keeps its level; without it the device decides.
    `operator` stands for a person without naming one.
    """

    operator: Annotated[str, Meta(pattern="^op-[0-9a-f]{8}$", max_length=11)]
    holds: Annotated[int, Meta(ge=1, le=LONGEST_HOLD, description="seconds")] | None = None
    prompt: Slug | None = None
    level: Fraction | None = None
    lasts: Lasting | None = None


class CommandMessage(Envelope, frozen=True, kw_only=True):
    """Do something now or never; its `id` names it in acknowledgements."""

    expirytime: Instant
    data: CommandData


class Effect(Part, frozen=True, kw_only=True):
    """What came of it."""

    held: Seconds | None = None


class AckData(Part, frozen=True, kw_only=True):
    """How far a command is; `code` says why it failed."""

    command: Uuid
    phase: Phase
    code: Slug
    effect: Effect | None = None
    detail: Text | None = None


class AckMessage(Envelope, frozen=True, kw_only=True):
    """A node's word on a command."""

    data: AckData


class AskData(Part, frozen=True, kw_only=True):
    """What an integrator asks for under `_req/`: checked, then issued as a command of ours, or not.

    `id` is the asker's name for it: the same again is the same command.
    """

    id: Uuid
    expirytime: Instant
    reason: Annotated[str, Meta(min_length=1, max_length=200)]
    seconds: Annotated[int, Meta(ge=1, le=10**6)] | None = None
    prompt: Slug | None = None
    level: Fraction | None = None
    lasts: Lasting | None = None
