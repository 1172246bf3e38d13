"""Whether a camera still shows its place: black, covered, frozen or turned away, with debounce.

Pure: a thumbnail and a time in, a condition out. What is remembered of a place is where its edges
are on average, 80 by 45 cells, in memory alone: who passes leaves no trace, and light changes it
little.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from edge.geometry import Floats

Gray = npt.NDArray[np.uint8]
Condition = Literal["good", "black", "covered", "frozen", "moved"]

THUMBNAIL = (160, 90)
_CELLS = (80, 45)
_SPREAD = 3  # cells: as far as leaves in the wind move an edge
_DARK, _FLAT = 16.0, 4.0  # of 255: below both there is no light to see by
_BARE = 0.25  # of the edges that the place has: a hand or a bag leaves fewer
_STILL = 0.02  # of 255, mean: even the quietest sensor has more noise than that
_ALIKE = 0.45  # correlation with the place's edges: the same view keeps more when a lamp goes out
_LEARN = 120.0  # seconds in which half of what is remembered is the new
_KNOWN = 20.0  # seconds of good pictures before anything is compared with them


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds that a condition must last before it is believed, and that it takes to be over.

    `frozen` is longer: some coders send the same picture for seconds when nothing moves; so is
    `moved`: a lorry may stop before the lens. `away` is for a camera that starts again. After
    `settled` seconds a view that stays is the camera's new place.
    """

    begin: float = 10.0
    frozen: float = 30.0
    moved: float = 30.0
    away: float = 60.0
    end: float = 5.0
    settled: float = 600.0


@dataclass(frozen=True, slots=True, eq=False)
class Eye:
    """What is known of one camera; `condition` is the one believed since `since`.

    `seeming` is what pictures have shown since `seemed`; `place` are the edges remembered
    [45, 80], `sharp` how many there are, `known` the seconds they were learned over.
    """

    condition: Condition = "good"
    since: float = 0.0
    seeming: Condition = "good"
    seemed: float = 0.0
    last: Gray | None = None
    place: Floats | None = None
    sharp: float = 0.0
    known: float = 0.0
    now: float = 0.0


def look(eye: Eye, image: Gray, now: float, patience: Patience) -> Eye:
    """Return what is known after a thumbnail [90, 160] at `now`, in seconds that never go back."""
    passed = max(now - eye.now, 0.0) if eye.last is not None else 0.0
    now = max(now, eye.now)
    edges, sharp = _edges(image)
    seeming = _seeming(eye, image, edges, sharp)
    seemed = eye.seemed if seeming == eye.seeming and eye.last is not None else now
    eye = replace(eye, seeming=seeming, seemed=seemed, last=image, now=now)
    if seeming == "moved" and eye.condition == "moved" and now - seemed >= patience.settled:
        return replace(eye, condition="good", since=now, seeming="good", place=None, known=0.0)
    if seeming == "good":
        eye = _learned(eye, edges, sharp, passed)
    if seeming != eye.condition and now - seemed >= _due(seeming, patience):
        return replace(eye, condition=seeming, since=seemed)
    return eye


def thumbnail(image: npt.NDArray[np.uint8]) -> Gray:
    """Return a picture [h, w, 3] BGR as the grey thumbnail that `look` takes."""
    small = cv2.resize(image, THUMBNAIL, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)


def _due(seeming: Condition, patience: Patience) -> float:
    longer = {"good": patience.end, "frozen": patience.frozen, "moved": patience.moved}
    return longer.get(seeming, patience.begin)


def _seeming(eye: Eye, image: Gray, edges: Floats, sharp: float) -> Condition:
    if float(image.mean()) < _DARK and float(image.std()) < _FLAT:
        return "black"
    if eye.last is not None and float(cv2.absdiff(image, eye.last).mean()) < _STILL:
        return "frozen"
    if eye.place is None or eye.known < _KNOWN:
        return "good"
    if sharp < _BARE * eye.sharp:
        return "covered"
    return "moved" if _alike(edges, eye.place) < _ALIKE else "good"


def _edges(image: Gray) -> tuple[Floats, float]:
    """Return where edges are [45, 80], blurred, and how many there are in all."""
    smooth = cv2.GaussianBlur(image, (3, 3), 0).astype(np.float32)
    across, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    strength = np.minimum(
        cv2.magnitude(across, down), 120.0
    )  # a lamp's rim is no more than a wall's
    cells = cv2.resize(strength, _CELLS, interpolation=cv2.INTER_AREA)
    edges: Floats = np.asarray(cv2.GaussianBlur(cells, (_SPREAD, _SPREAD), 0), np.float32)
    return edges, float(cells.mean())


def _alike(edges: Floats, place: Floats) -> float:
    """Return the correlation of two maps of edges, -1..1; 1 when one of them has no pattern."""
    ours, theirs = edges - edges.mean(), place - place.mean()
    size = float(np.sqrt((ours**2).sum() * (theirs**2).sum()))
    return float((ours * theirs).sum()) / size if size > 0 else 1.0


def _learned(eye: Eye, edges: Floats, sharp: float, passed: float) -> Eye:
    if eye.place is None:
        return replace(eye, place=edges, sharp=sharp)
    weight = 1 - 0.5 ** (passed / _LEARN)
    return replace(
        eye,
        place=(1 - weight) * eye.place + weight * edges,
        sharp=(1 - weight) * eye.sharp + weight * sharp,
        known=eye.known + passed,
    )
