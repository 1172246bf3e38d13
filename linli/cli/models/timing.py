"""Timing models in turns, so that they see the same machine."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.catalog.book import Book
from edge.catalog.load import load_any
from edge.detect.detector import OnnxDetector
from edge.detect.letterbox import Image
from linli.counted import counted
from linli.errors import InputError

MOST_PICTURES = 64
_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
_DRAWN = (432, 768, 3)

Step = Callable[[Image], object]


@dataclass(frozen=True, slots=True)
class Spread:
    """The median, and from where to where four fifths of the values are."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Timing(Spread):
    """Milliseconds for a picture; `ratio` is to the reference in the same turn."""

    ratio: Spread | None

    def plain(self) -> dict[str, Any]:
        """Return what machines read."""
        row = {f"{name}_ms": value for name, value in asdict(spread(self)).items()}
        return row | {"ratio": None if self.ratio is None else asdict(self.ratio)}


def load_step(name: str, book: Book, *, threads: int) -> Step:
    """Return what a model does with one picture. Raises InputError."""
    model = load_any(name, threads=threads, book=book)
    return model.detect if isinstance(model, OnnxDetector) else model.classify


def take_turns(
    steps: Mapping[str, Step],
    pictures: Sequence[Image],
    rounds: int,
    *,
    against: str | None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Timing]:
    """Let every model have a turn at each round, on the same picture, another one first each time.

    `clock` gives seconds. A first turn of each is not counted.
    """
    for step in steps.values():
        step(pictures[0])
    names = list(steps)
    spent: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        picture = pictures[turn % len(pictures)]
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            started = clock()
            steps[name](picture)
            spent[name].append((clock() - started) * 1000)
    return {name: _timing(spent[name], spent[against] if against else None) for name in names}


def pictures_of(folder: Path | None) -> list[Image]:
    """Return the first pictures of a folder; a drawn one without a folder. Raises InputError."""
    if folder is None:
        grain = np.random.default_rng(0).integers(0, 256, _DRAWN, np.uint8)
        return [np.asarray(cv2.GaussianBlur(grain, (0, 0), 8), np.uint8)]
    if not folder.is_dir():
        raise InputError("no such folder", where=str(folder))
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    if not files:
        raise InputError("no pictures in it", where=str(folder))
    return [_read(path) for path in files[:MOST_PICTURES]]


@contextmanager
def one_core(threads: int) -> Iterator[None]:
    """Give OpenCV as many threads as the models have, for a while."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(threads)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def machine() -> str:
    """Say in words on what this runs."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{named[0] if named else platform.machine()}, {counted(os.cpu_count() or 1, 'core')}"


def spread(values: Spread | Sequence[float]) -> Spread:
    """Return median, 10th and 90th percentile, rounded for people."""
    if isinstance(values, Spread):
        return Spread(values.median, values.low, values.high)
    low, high = np.percentile(values, [10, 90])
    return Spread(*(round(float(value), 3) for value in (statistics.median(values), low, high)))


def _timing(spent: list[float], reference: list[float] | None) -> Timing:
    own = spread(spent)
    ratio = None
    if reference is not None:
        ratio = spread([mine / theirs for mine, theirs in zip(spent, reference, strict=True)])
    return Timing(own.median, own.low, own.high, ratio)


def _read(path: Path) -> Image:
    image = cv2.imread(str(path))
    if image is None:
        raise InputError("not a picture that can be read", where=str(path))
    return np.asarray(image, np.uint8)
