"""Loudspeakers of an edge and what they can say: a part of `EdgeConfig`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Literal, get_args

from msgspec import Meta

from linli.events import Slug
from linli.settings import Settings
from linli.topics import SELF

Label = Annotated[str, Meta(min_length=1, max_length=64)]
Subject = Annotated[str, Meta(min_length=1, max_length=128)]
Player = Literal["auto", "aplay", "paplay", "ffplay", "none"]
Tongue = Literal["zh", "en"]
Prompt = Literal["ebike-out", "keep-clear", "help-is-coming", "closed-now", "no-dumping"]
PROMPTS: tuple[Prompt, ...] = get_args(Prompt)
"""Sentences that every edge can say, in every `Tongue`."""


class Speaker(Settings, frozen=True, kw_only=True):
    """A loudspeaker at this box. Times in seconds.

    `output` is the player's name of the sound device, when it is not the default one. While its
    scenario is seen a sentence is said again after `pause`, `most` times at most.
    """

    id: Slug
    label: Label
    subject: Subject | None = None
    player: Player = "auto"
    output: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    say: Annotated[tuple[Tongue, ...], Meta(min_length=1, max_length=2)] = ("zh", "en")
    pause: Annotated[float, Meta(ge=2, le=3600)] = 6.0
    most: Annotated[int, Meta(ge=1, le=100)] = 5

    def __post_init__(self) -> None:
        if self.output is not None and self.player not in {"aplay", "paplay"}:
            raise ValueError(f"speaker {self.id!r} has output, which only aplay and paplay know")


def check_speakers(speakers: tuple[Speaker, ...], devices: Collection[str]) -> None:
    """Raise ValueError for a speaker whose id is taken; `devices` are."""
    seen = {SELF, *devices}
    for speaker in speakers:
        if speaker.id in seen:
            raise ValueError(f"device id {speaker.id!r} is there twice, or the edge's own")
        seen.add(speaker.id)
