"""A contact sheet of the worst mistakes: what was said and is not there, what is and was missed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from itertools import zip_longest
from pathlib import Path

import cv2
import numpy as np

from edge.detect.detections import Floats
from edge.detect.letterbox import Image
from edge.redact import redact_heads
from linli.cli.models.evaluation.draw import Colour, blank, label, write
from linli.cli.models.evaluation.labelled import read_picture
from linli.cli.models.evaluation.measure import Judged, Result, Verdict
from linli.errors import InputError

MOST = 24
_SIDE, _CAPTION, _GAP, _COLUMNS = 320, 26, 6, 4
_CONTEXT = 0.5  # of the mistakes' extent, shown around them
_LEAST = 0.4  # of the picture, shown at least
_COLOURS: Mapping[Verdict, Colour] = {  # drawn in this order, the worst on top
    "right": (60, 150, 40),
    "missed": (0, 150, 235),
    "false": (50, 50, 220),
}
_LEGEND: Mapping[Verdict, str] = {
    "false": "said, not there",
    "missed": "there, not said",
    "right": "right",
}
_QUALITY = 85

People = Callable[[Path, Image], Floats]


def contact_sheet(result: Result, people: People, drawn_as: Mapping[str, str]) -> bytes | None:
    """Return a JPEG of the pictures with the worst mistakes; None when there is none.

    Half of them have the highest-scored false boxes, half the largest missed ones. Such a sheet is
    made to be shown around, so heads are made unrecognisable: `people` gives the boxes [n, 4] of
    those on a picture, in 0..1. `drawn_as` spells class names in ASCII. Raises InputError.
    """
    chosen = _worst(result)
    if not chosen:
        return None
    judged: dict[Path, list[Judged]] = defaultdict(list)
    for each in result.judged:
        judged[each.picture].append(each)
    columns = min(len(chosen), _COLUMNS)
    tiles = [_tile(path, judged[path], people, drawn_as) for path in chosen]
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[at : at + columns]) for at in range(0, len(tiles), columns)]
    sheet = np.vstack([_legend(rows[0].shape[1]), *rows])
    _, jpeg = cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return jpeg.tobytes()


def _worst(result: Result) -> list[Path]:
    """Return the pictures with mistakes, worst first; the two kinds by turns."""
    false = [each for each in result.judged if each.verdict == "false"]
    missed = [each for each in result.judged if each.verdict == "missed"]
    false.sort(key=lambda each: -(each.score or 0))
    missed.sort(key=lambda each: -each.box[2] * each.box[3])
    turns = (each for pair in zip_longest(false, missed) for each in pair if each is not None)
    return list(dict.fromkeys(each.picture for each in turns))[:MOST]


def _tile(path: Path, judged: list[Judged], people: People, drawn_as: Mapping[str, str]) -> Image:
    """Return a square with the part of the picture around its mistakes, and its name below."""
    image = read_picture(path)
    picture = redact_heads(image, people(path, image))
    if picture is None:
        raise InputError("cannot be drawn", where=str(path))
    shown = np.asarray(cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), 1), np.uint8)
    size = np.array([shown.shape[1], shown.shape[0]] * 2)
    window = _window([each for each in judged if each.verdict != "right"])
    x1, y1, x2, y2 = (round(float(side)) for side in window * size)
    part = shown[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]
    scale = _SIDE / max(part.shape[:2])
    width, height = (max(round(side * scale), 1) for side in (part.shape[1], part.shape[0]))
    tile = blank(_SIDE + _GAP, _SIDE + _CAPTION)
    tile[:height, :width] = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)
    for verdict in _COLOURS:
        for each in judged:
            if each.verdict == verdict:
                corners = (_corners(each) * size - [x1, y1, x1, y1]) * scale
                _draw(tile[:height, :width], each, corners, drawn_as[each.name])
    write(tile, path.name[-40:], (4, height + 16))
    return tile


def _draw(part: Image, each: Judged, corners: Floats, name: str) -> None:
    x1, y1, x2, y2 = (round(float(side)) for side in corners)
    cv2.rectangle(part, (x1, y1), (x2, y2), _COLOURS[each.verdict], 2)
    text = name if each.score is None else f"{name} {each.score:.2f}"
    label(part, text, (x1, y1), _COLOURS[each.verdict])


def _window(mistakes: list[Judged]) -> Floats:
    """Return the corners, in 0..1, of what to show of a picture: its mistakes and some context."""
    corners = np.array([_corners(each) for each in mistakes])
    low, high = corners[:, :2].min(axis=0), corners[:, 2:].max(axis=0)
    half = np.maximum((high - low) * (0.5 + _CONTEXT), _LEAST / 2)
    centre = (low + high) / 2
    window: Floats = np.clip(np.concatenate((centre - half, centre + half)), 0, 1)
    return window


def _corners(each: Judged) -> Floats:
    x, y, width, height = each.box
    return np.array([x, y, x + width, y + height], np.float32)


def _legend(width: int) -> Image:
    strip = blank(width, _CAPTION)
    for number, (verdict, text) in enumerate(_LEGEND.items()):
        label(strip, text, (4 + number * 140, _CAPTION - 4), _COLOURS[verdict])
    return strip
