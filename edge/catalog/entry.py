"""What a catalogue says of each model; docs/models.md explains every field."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath
from typing import Annotated, Literal

from msgspec import Meta, field

from edge.detect.names import COCO, slug
from linli.events import Sha256, Slug
from linli.settings import Settings

Task = Literal["detection", "classification"]
Score = Annotated[float, Meta(ge=0.1, le=1)]  # below 0.1 nothing is decoded
Overlap = Annotated[float, Meta(gt=0, le=1)]
Side = Annotated[int, Meta(ge=8, le=8192)]
Line = Annotated[str, Meta(min_length=1, max_length=200)]
Web = Annotated[str, Meta(pattern=r"^https?://[^\s/]+", max_length=400)]
Bytes = Annotated[int, Meta(ge=1, le=1 << 40)]

COCO_IDS: tuple[str, ...] = tuple(slug(name) for name in COCO)


class Measured(Settings, frozen=True, kw_only=True):
    """Figures of one measurement: `on` which pictures or machine, and `how` to repeat it."""

    on: Line
    figures: Annotated[dict[str, float], Meta(min_length=1)]
    how: Line


class Entry(Settings, frozen=True, kw_only=True):
    """One model. Without `sha256` its file cannot be told from another.

    `thresholds` are the scores from which a class counts, `threshold` for classes it does not name;
    a classifier has one `threshold`, its file's when not given. `overlap` is the IoU from which two
    boxes of one class are one object, and two boxes of classes that are `rivals`: what is seen is
    one of them, so the better score says which. `second` is a classifier of the catalogue with two
    classes: what a detector calls by the first of them is looked at again with it. `file` is the
    path of a model that Linli brings, below `models/`; `url` is where to get one that it does not.
    """

    name: Slug
    version: Annotated[str, Meta(min_length=1, max_length=32)]
    task: Task = "detection"
    summary: Line
    classes: Annotated[tuple[Slug, ...], Meta(min_length=1, max_length=1000)] | Literal["coco"]
    input: tuple[Side, Side]
    decoder: Slug
    threshold: Score | None = None
    thresholds: dict[Slug, Score] = field(default_factory=dict)
    overlap: Overlap = 0.45
    rivals: tuple[Slug, ...] = ()
    second: Slug | None = None
    sha256: Sha256 | None = None
    size: Bytes | None = None
    licence: Line
    source: Line
    url: Web | None = None
    file: str | None = None
    aliases: tuple[Slug, ...] = ()
    quality: tuple[Measured, ...] = ()
    speed: tuple[Measured, ...] = ()
    card: str | None = None

    def __post_init__(self) -> None:
        names = self.names
        if len(set(names)) != len(names):
            raise ValueError(f"classes of {self.name!r} must each have another name")
        for key, named in (("thresholds", self.thresholds.keys()), ("rivals", set(self.rivals))):
            strange = sorted(named - set(names))
            if strange:
                raise ValueError(
                    f"{key} of {self.name!r} name {', '.join(strange)}, which it does not know"
                )
        if self.task == "classification" and self.thresholds:
            raise ValueError(f"{self.name!r} classifies: it has one threshold, not one a class")
        if self.task == "classification" and self.second is not None:
            raise ValueError(f"{self.name!r} classifies: a second look is for detectors")
        if self.size is not None and self.sha256 is None:
            raise ValueError(f"{self.name!r} has a size, it needs the sha256 of that file too")
        if self.file is not None and (self.size is None or self.url is not None):
            raise ValueError(
                f"{self.name!r} has a file of its own: it needs sha256, size and no url"
            )
        for path in (self.file, self.card):
            if path is not None and not _is_below(path):
                raise ValueError(f"{path!r} must be a path below models/")

    @property
    def names(self) -> tuple[str, ...]:
        """The classes, as ids."""
        return COCO_IDS if self.classes == "coco" else self.classes

    def threshold_of(self, label: str) -> float | None:
        """Return the score from which a class counts, None where the entry does not say."""
        return self.thresholds.get(label, self.threshold)


class Catalog(Settings, frozen=True, kw_only=True):
    """The whole file."""

    model: tuple[Entry, ...] = ()

    def __post_init__(self) -> None:
        counts = Counter(name for entry in self.model for name in (entry.name, *entry.aliases))
        twice = sorted(name for name, count in counts.items() if count > 1)
        if twice:
            raise ValueError(f"model {', '.join(twice)} is there twice; each name must be unique")


def _is_below(path: str) -> bool:
    parts = PurePosixPath(path)
    return bool(parts.parts) and not parts.is_absolute() and ".." not in parts.parts
