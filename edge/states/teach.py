"""From a few pictures per state to a lesson, with what it knows of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from edge.geometry import Box
from edge.states.features import FEWEST as FEWEST_PIXELS
from edge.states.features import Image, Patch, Vector, contrast, features, patch_of, pixels
from edge.states.lesson import (
    FLICKERING,
    MOST_STATES,
    OFF,
    ON,
    RESERVED,
    Lesson,
    StateLearned,
    check_crop,
    lesson_of,
)
from edge.states.light import relit
from edge.states.model import Floats, Numbers, fit, temperature
from linli.counted import counted
from linli.errors import InputError
from linli.topics import is_id

LIGHTS = 12
"""Other lights made of each picture."""
FEWEST = 2
ADVISED = 6
"""Pictures of a state from which nothing is said about their number."""
_LIMIT = 4.0  # times the usual distance of a picture that was not learned
_DARK = 0.06  # of full brightness; less contrast is noise to most cameras
_SEED = 0
_EXAMPLES = "empty (空), half (半满), full (满), open (开), closed (关), on (亮), off (灭)"

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class _Looks:
    """All examples in all lights [n, SIZE]: the state and the picture that each is of."""

    looks: Floats
    states: Numbers
    pictures: Numbers
    contrast: float

    def but(self, picture: int) -> tuple[Floats, Numbers]:
        """Return looks and states of all other pictures."""
        others = self.pictures != picture
        return self.looks[others], self.states[others]


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """A lesson, and for each picture in order of states the distance without having learned it.

    `odd` are (state, number of the picture within it) that look unlike the rest of their state.
    """

    lesson: Lesson
    odd: tuple[tuple[str, int], ...]


def teach(
    examples: Mapping[str, Sequence[Image]],
    crop: Box,
    made: datetime,
    progress: Progress = lambda _done, _all: None,
) -> Taught:
    """Learn states from BGR pictures of one camera, the place being `crop` (0..1) in each.

    The same pictures give the same lesson. `progress` is told of pictures done, out of all.
    Raises InputError.
    """
    check_examples(examples)
    try:
        check_crop(crop)
    except ValueError as error:
        raise InputError(str(error), where="crop") from None
    names = list(examples)
    steps = _Steps(progress, 2 * sum(len(pictures) for pictures in examples.values()))
    looks = _looks(examples, crop, steps)
    distances, states = _held_out(looks, len(names), steps)
    limits = _limits(distances, states)
    heat = temperature(distances, states)
    taken = distances.argmin(axis=1)
    learned = [
        StateLearned(
            state=name,
            pictures=len(examples[name]),
            taken_for={
                names[other]: count
                for other, count in enumerate(np.bincount(taken[states == number]).tolist())
                if count
            },
            limit=float(limits[number]),
        )
        for number, name in enumerate(names)
    ]
    model = fit(looks.looks, looks.states, len(names))
    lesson = lesson_of(
        model,
        crop,
        learned,
        made=made,
        temperature=heat,
        contrast=min(_DARK, looks.contrast / 2),
    )
    return Taught(lesson, tuple(_odd(names, distances, states, limits)))


def check_examples(examples: Mapping[str, Sequence[object]]) -> None:
    """Raise InputError unless these can be taught."""
    if not 2 <= len(examples) <= MOST_STATES:
        raise InputError(
            f"teach 2 to {MOST_STATES} states, not {len(examples)}",
            where="states",
            hint="Give a folder of pictures for each, such as empty/ and full/",
        )
    for name, pictures in examples.items():
        check_name(name, where="states")
        if len(pictures) < FEWEST:
            raise InputError(
                f"{counted(len(pictures), 'picture')}; at least {FEWEST} are needed, "
                f"{ADVISED} to 10 are good",
                where=name,
            )
    if FLICKERING in examples and {ON, OFF} & examples.keys():
        raise InputError(
            "no single picture shows it",
            where=FLICKERING,
            hint=f"Teach {ON} and {OFF}; flickering is then seen in how they change",
        )


def check_name(name: str, where: str) -> None:
    """Raise InputError unless a state may be called so: its name is that of a reading, an id."""
    if not is_id(name):
        raise InputError(
            f"a state's name is made of a-z, 0-9 and -, not {name!r}",
            where=where,
            hint=f"Such as {_EXAMPLES}",
        )
    if name in RESERVED:
        raise InputError("a reading has this name", where=name, hint="Call the state otherwise")


def advice(lesson: Lesson) -> Iterator[tuple[str, str]]:
    """Give (state, plain words) for what would make the lesson better."""
    for one in lesson.states:
        if one.pictures < ADVISED:
            yield one.state, f"only {counted(one.pictures, 'picture')}: add some, in other light"
        for other, count in one.taken_for.items():
            if other != one.state:
                alike = f"{count} of {one.pictures} taken for {other}"
                yield one.state, f"{alike}: the two look alike, add pictures of both"


def _looks(examples: Mapping[str, Sequence[Image]], crop: Box, steps: _Steps) -> _Looks:
    rng = np.random.default_rng(_SEED)
    looks: list[Vector] = []
    states: list[int] = []
    pictures: list[int] = []
    least = 1.0
    number = 0
    for state, (name, images) in enumerate(examples.items()):
        for image in images:
            patch = _patch(image, crop, name)
            least = min(least, contrast(patch))
            lit = [relit(image, crop, rng) for _ in range(LIGHTS)]
            looks += [features(one) for one in (patch, *lit) if one is not None]
            added = len(looks) - len(states)
            states += [state] * added
            pictures += [number] * added
            number += 1
            steps.done()
    return _Looks(np.stack(looks), np.array(states), np.array(pictures), least)


def _patch(image: Image, crop: Box, name: str) -> Patch:
    x1, y1, x2, y2 = pixels(image, crop)
    patch = patch_of(image, crop)
    if patch is None or min(x2 - x1, y2 - y1) < FEWEST_PIXELS:
        raise InputError(
            f"the place has {x2 - x1} x {y2 - y1} pixels in a picture, "
            f"{FEWEST_PIXELS} x {FEWEST_PIXELS} are needed",
            where=f"{name}, crop",
            hint="Choose a larger place, or let the camera send larger pictures",
        )
    return patch


def _held_out(looks: _Looks, count: int, steps: _Steps) -> tuple[Floats, Numbers]:
    """Return the distances [pictures, states] of each picture as it is to what others taught."""
    firsts = np.flatnonzero(np.diff(looks.pictures, prepend=-1))
    rows = []
    for picture, first in enumerate(firsts):
        model = fit(*looks.but(picture), count)
        rows.append(model.distances(looks.looks[first : first + 1])[0])
        steps.done()
    return np.stack(rows), looks.states[firsts]


def _limits(distances: Floats, states: Numbers) -> npt.NDArray[np.float64]:
    """Return for each state the distance from which a picture is like none of its examples.

    Between what is usual for the state and for all: few pictures say little of their own state.
    """
    own = distances[np.arange(len(states)), states]
    usual = np.array([np.median(own[states == state]) for state in np.unique(states)])
    return _LIMIT * np.sqrt(usual * np.median(own))


def _odd(
    names: Sequence[str], distances: Floats, states: Numbers, limits: Floats
) -> Iterator[tuple[str, int]]:
    own = distances[np.arange(len(states)), states]
    starts = np.searchsorted(states, np.arange(len(names)))
    for row in np.flatnonzero(own > limits[states]):
        state = int(states[row])
        yield names[state], int(row - starts[state])


class _Steps:
    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def done(self) -> None:
        self._done += 1
        self._progress(self._done, self._total)
