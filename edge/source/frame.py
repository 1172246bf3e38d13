"""A frame, and what every source of frames offers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Literal, Protocol, Self

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Finer = Callable[[], Image | None]
SourceState = Literal["starting", "streaming", "stalled", "ended", "failed"]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture to analyse.

    `image` is BGR [height, width, 3]; `index` counts the frames handed out; `media` is seconds that
    never go back, for durations; `time` is when it happened, `captured` when this machine had it.
    `finer` gives the same moment from a finer stream, for a picture that people look at; None when
    there is none, or it is away.
    """

    image: Image
    index: int
    media: float
    time: datetime
    captured: datetime
    finer: Finer | None = None


@dataclass(slots=True)
class SourceCounts:
    """What a source has done so far.

    `read` counts frames taken from the video, `given` those handed out to be analysed; `dropped`
    those that were due but replaced by a newer one because nobody took them in time. `finer` are
    the pictures that the main stream gave when it was asked, `missed` those it could not give.
    """

    read: int = 0
    given: int = 0
    dropped: int = 0
    reconnects: int = 0
    finer: int = 0
    missed: int = 0


class FrameSource(Protocol):
    """Frames at the pace they are to be analysed; a context manager that opens and closes.

    Entering raises InputError when a person must mend something; a camera that is merely away does
    not raise, it is `stalled` and comes back.
    """

    @property
    def state(self) -> SourceState:
        """What the source is doing; `ended` and `failed` are final."""
        ...

    @property
    def detail(self) -> str | None:
        """Why it is stalled or failed, or its main stream is, for a person; holds no password."""
        ...

    @property
    def counts(self) -> SourceCounts:
        """What it has done so far."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def read(self, timeout: float) -> Frame | None:
        """Return the next frame to analyse, None when none is due within `timeout` seconds."""
        ...
