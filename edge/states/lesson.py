"""What was taught about one place, and the file it is kept in: numbers only, no picture.

One JSON object, described field by field in docs/scene-states.md; arrays are base64 of 32-bit
floats, lowest byte first. Nobody can be recognised in a mean over 6 by 6 cells.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from edge.geometry import Box
from edge.states.features import SIZE
from edge.states.model import AXES, StateModel
from linli.errors import InputError
from linli.events import Fraction, Slug

MOST_STATES = 12
ON, OFF, FLICKERING = "on", "off", "flickering"
RESERVED = frozenset({"fill-level", "switching-rate", "known"})
"""Readings beside those of the states: no state may be called so."""

FILL_LEVELS = {"empty": 0.0, "half": 0.5, "full": 1.0, "overflowing": 1.0}
"""What these states say of how full something is; the contract carries 0..1, so over is 1 too."""

_MOST_BYTES = 1024 * 1024
_FLOAT = np.dtype("<f4")
_Positive = Annotated[float, Meta(gt=0)]
_Count = Annotated[int, Meta(ge=0, le=100_000)]


class StateLearned(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One state: how many pictures taught it, and what each was taken for without itself.

    `limit` is the squared distance from which a picture is like none of those.
    """

    state: Slug
    pictures: Annotated[int, Meta(ge=1, le=100_000)]
    taken_for: dict[Slug, _Count]
    limit: _Positive

    @property
    def known(self) -> float:
        """The share of its pictures that were known without having been learned, 0..1."""
        return self.taken_for.get(self.state, 0) / self.pictures


class Lesson(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of the file. Raises ValueError when its parts do not fit together."""

    format: Literal["linli-states/1"] = "linli-states/1"
    made: Annotated[datetime, Meta(tz=True)]
    crop: tuple[Fraction, Fraction, Fraction, Fraction]
    states: Annotated[tuple[StateLearned, ...], Meta(min_length=2, max_length=MOST_STATES)]
    temperature: _Positive
    contrast: Fraction
    rest: _Positive
    means: bytes
    scale: bytes
    axes: bytes
    spread: bytes

    def __post_init__(self) -> None:
        check_crop(self.crop)
        names = self.names
        if len(set(names)) != len(names):
            raise ValueError(f"a state is there twice: {', '.join(names)}")
        count = len(self.spread) // _FLOAT.itemsize
        if not 1 <= count <= AXES:
            raise ValueError(f"spread must hold 1 to {AXES} numbers, not {count}")
        sizes = {"means": len(names) * SIZE, "scale": SIZE, "axes": count * SIZE, "spread": count}
        for field, size in sizes.items():
            held = len(getattr(self, field))
            if held != size * _FLOAT.itemsize:
                raise ValueError(f"{field} must hold {size} numbers, has {held} bytes")
            if not np.isfinite(_numbers(getattr(self, field))).all():
                raise ValueError(f"{field} holds numbers that are none")
        if not all(math.isfinite(one) for one in (self.temperature, self.rest)):
            raise ValueError("temperature and rest must be finite")

    @property
    def names(self) -> tuple[str, ...]:
        """The states' names, in the order of the model's means."""
        return tuple(state.state for state in self.states)

    @property
    def is_lamp(self) -> bool:
        """Whether this is a lamp, which may flicker."""
        return set(self.names) == {ON, OFF}

    @property
    def is_fill(self) -> bool:
        """Whether each state says how full something is."""
        return set(self.names) <= FILL_LEVELS.keys()

    @property
    def shown(self) -> tuple[str, ...]:
        """The states that may be published: those taught, and flickering for a lamp."""
        return (*self.names, FLICKERING) if self.is_lamp else self.names

    def model(self) -> StateModel:
        """Return the numbers as a model."""
        return StateModel(
            means=_numbers(self.means).reshape(-1, SIZE),
            scale=_numbers(self.scale),
            axes=_numbers(self.axes).reshape(-1, SIZE),
            spread=_numbers(self.spread),
            rest=self.rest,
        )


def lesson_of(
    model: StateModel,
    crop: Box,
    states: Iterable[StateLearned],
    *,
    made: datetime,
    temperature: float,
    contrast: float,
) -> Lesson:
    """Return a model and what is known of it as a lesson."""
    return Lesson(
        made=made,
        crop=crop,
        states=tuple(states),
        temperature=temperature,
        contrast=contrast,
        rest=model.rest,
        means=_bytes(model.means),
        scale=_bytes(model.scale),
        axes=_bytes(model.axes),
        spread=_bytes(model.spread),
    )


def check_crop(crop: Box) -> None:
    """Raise ValueError unless `crop` is x1, y1, x2, y2 in 0..1 with an area."""
    x1, y1, x2, y2 = crop
    if not (0 <= x1 < x2 <= 1 and 0 <= y1 < y2 <= 1):
        text = ", ".join(f"{value:g}" for value in crop)
        raise ValueError(f"a crop is left, top, right, bottom in 0..1, left < right: not {text}")


def save(lesson: Lesson, path: Path) -> None:
    """Write the file whole or not at all. Raises InputError."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(msgspec.json.format(msgspec.json.encode(lesson), indent=1))
        part.replace(path)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", where=str(path)) from None


def load(path: Path) -> tuple[Lesson, str]:
    """Read a file; return the lesson and the file's sha256. Raises InputError."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path)) from None
    return _decoded(content, str(path))


def as_document(lesson: Lesson) -> dict[str, Any]:
    """Return a lesson as plain data, for an edge's configuration document."""
    made: dict[str, Any] = msgspec.to_builtins(lesson)
    return made


def of_document(taught: Mapping[str, Any], where: str) -> tuple[Lesson, str]:
    """Return the lesson of a configuration document and its sha256. Raises InputError."""
    return _decoded(msgspec.json.encode(taught, order="sorted"), where)


def _decoded(content: bytes, where: str) -> tuple[Lesson, str]:
    hint = "Make it with: linli states teach"
    if len(content) > _MOST_BYTES:
        raise InputError("too large for what states were taught", where=where, hint=hint)
    try:
        lesson = msgspec.json.decode(content, type=Lesson)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise InputError(f"not what states were taught ({error})", where=where, hint=hint) from None
    return lesson, hashlib.sha256(content).hexdigest()


def _numbers(content: bytes) -> npt.NDArray[np.float32]:
    return np.frombuffer(content, _FLOAT)


def _bytes(numbers: npt.NDArray[np.floating]) -> bytes:
    return np.ascontiguousarray(numbers, _FLOAT).tobytes()
