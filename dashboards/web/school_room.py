"""Teaching a place its states from pictures, with the very code that an edge judges by.

Needs the extra `edge`. No picture outlives the call: what is learned are numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from edge.states.judge import Judge
from edge.states.lesson import as_document, of_document
from edge.states.photo import decoded
from edge.states.school import Photo, teach_photos

Crop = tuple[float, float, float, float]
Pictures = Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Known:
    """How well a state is known: of `pictures`, left out once each, so many were `right`."""

    state: str
    pictures: int
    right: int
    taken_for: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said of a picture that taught nothing; `state` None with the reason in `why`."""

    picture: str
    state: str | None
    why: str | None
    confidence: float


@dataclass(frozen=True, slots=True)
class Report:
    """What was learned, as a part of a document, and what it knows of itself."""

    taught: dict[str, Any]
    known: tuple[Known, ...]
    odd: tuple[tuple[str, str], ...]
    """State and name of pictures that look unlike the rest of their state."""
    answers: tuple[Answer, ...]

    @property
    def useless(self) -> tuple[str, ...]:
        """The states none of whose pictures was known when left out."""
        return tuple(one.state for one in self.known if not one.right)


def check(taught: Mapping[str, Any]) -> None:
    """Raise InputError unless it is what was taught."""
    of_document(taught, where="taught")


def teach(examples: Mapping[str, Pictures], rest: Pictures, crop: Crop, made: datetime) -> Report:
    """Learn from whole pictures of one camera, and ask of the rest. Raises InputError."""
    photos = {
        state: [Photo(name, data) for name, data in pictures]
        for state, pictures in examples.items()
    }
    taught = teach_photos(photos, crop, made).taught
    judge = Judge(taught.lesson)
    answers = []
    for name, data in rest:
        said = judge.answer(decoded(data, where=name))
        answers.append(Answer(name, said.state, said.why, said.confidence))
    return Report(
        taught=as_document(taught.lesson),
        known=tuple(
            Known(
                state=one.state,
                pictures=one.pictures,
                right=one.taken_for.get(one.state, 0),
                taken_for=tuple(
                    (name, count) for name, count in one.taken_for.items() if name != one.state
                ),
            )
            for one in taught.lesson.states
        ),
        odd=tuple((state, examples[state][number][0]) for state, number in taught.odd),
        answers=tuple(answers),
    )
