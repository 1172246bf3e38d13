"""One frame as it stands when everything was made of it, for who only wants to look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from edge.detect.detections import Detections
from edge.geometry import Floats
from edge.redact import Image


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """A frame with all heads still in it: nobody may see it before it is redacted.

    `people` [n, 4] (0..1) are known to be in it; with `whole` all of it must be looked at first.
    `seen` is what is surely there, people or not.
    """

    image: Image
    time: datetime
    captured: datetime
    people: Floats
    whole: bool
    seen: Detections


class Onlooker(Protocol):
    """Who looks at one camera's frames now and then; called in the camera's thread."""

    def waits(self) -> bool:
        """Tell whether the next frame is wanted; never waits for anything."""
        ...

    def see(self, glance: Glance) -> None:
        """Take a frame; never waits."""
        ...
