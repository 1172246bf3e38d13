"""What a camera gives while it is connected, whatever it speaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from edge.source.frame import Image

TIMEOUT = 5.0
"""Seconds without an answer, or without a whole frame, after which a camera is away."""


class Stream(Protocol):
    """An open connection to a camera: `grab` steps to the next frame, `picture` decodes that one.

    Decoding is apart, so that frames nobody analyses cost next to nothing.
    """

    def grab(self) -> bool:
        """Step to the next frame; False when the connection broke. LinkError says why it did."""
        ...

    def picture(self) -> Image | None:
        """Return the grabbed frame as BGR [height, width, 3], None when it cannot be decoded."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


Connect = Callable[[str], Stream]
"""Opens the camera at an address within TIMEOUT; raises LinkError that holds no password."""
