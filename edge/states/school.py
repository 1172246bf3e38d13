"""Teaching from pictures as people bring them: files at the command line, uploads on a page."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from edge.geometry import Box
from edge.states.features import Image
from edge.states.photo import decoded
from edge.states.teach import Progress, Taught, check_examples, teach
from linli.errors import InputError

MOST_PICTURES = 20
"""Of one state; each is left out once to see whether the others know it, which takes its time."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture as a file holds it; `name` is what messages call it."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Schooled:
    """What was learned, and the pictures decoded, by state."""

    taught: Taught
    images: Mapping[str, Sequence[Image]]

    @property
    def never_known(self) -> tuple[str, ...]:
        """The states none of whose pictures was known when left out: better not to be used."""
        return tuple(one.state for one in self.taught.lesson.states if not one.known)


def teach_photos(
    photos: Mapping[str, Sequence[Photo]],
    crop: Box,
    made: datetime,
    progress: Progress = lambda _done, _all: None,
) -> Schooled:
    """Learn states from the pictures of each, whole ones of one camera, the place being `crop`.

    Raises InputError that names the picture or the state: too few or too many, one that cannot be
    read, the same one twice.
    """
    check_examples(photos)
    for state, some in photos.items():
        if len(some) > MOST_PICTURES:
            raise InputError(
                f"{len(some)} pictures; {MOST_PICTURES} at most",
                where=state,
                hint="Ten are enough: keep those of different hours",
            )
    images = {
        state: [decoded(one.data, where=one.name) for one in some] for state, some in photos.items()
    }
    _check_twins(photos)
    return Schooled(teach(images, crop, made, progress), images)


def _check_twins(photos: Mapping[str, Sequence[Photo]]) -> None:
    """Refuse one picture twice: of two states it misleads, of one it would know itself."""
    seen: dict[str, Photo] = {}
    for photo in (photo for some in photos.values() for photo in some):
        twin = seen.setdefault(hashlib.sha256(photo.data).hexdigest(), photo)
        if twin is not photo:
            raise InputError(
                f"is the same picture as {twin.name}",
                where=photo.name,
                hint="Take one of them out",
            )
