"""Precision over recall of every labelled class, one small plot each."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from edge.detect.letterbox import Image
from linli.cli.models.evaluation.draw import Colour, blank, write
from linli.cli.models.evaluation.measure import ClassResult, Result
from linli.counted import counted

_SIDE, _LEFT, _TOP = 240, 44, 60
_WIDE, _HIGH = _LEFT + _SIDE + 20, _TOP + _SIDE + 48
_COLUMNS = 4
_GRID: Colour = (225, 225, 225)
_FRAME: Colour = (150, 150, 150)
_CURVE: Colour = (180, 100, 20)
_DOT: Colour = (40, 40, 200)
_SHIFT = 4  # bits of a pixel's fraction


def curves(result: Result, drawn_as: Mapping[str, str]) -> bytes:
    """Return a PNG: classes with objects, most objects first; a dot where the threshold lies.

    `drawn_as` spells class names in ASCII.
    """
    shown = [(name, each) for name, each in result.classes.items() if each.n]
    shown.sort(key=lambda item: -item[1].n)
    plots = [_plot(drawn_as[name], each, result.iou) for name, each in shown]
    columns = min(len(plots), _COLUMNS)
    plots += [blank(_WIDE, _HIGH)] * (-len(plots) % columns)
    rows = [np.hstack(plots[at : at + columns]) for at in range(0, len(plots), columns)]
    _, png = cv2.imencode(".png", np.vstack(rows))
    return png.tobytes()


def _plot(name: str, each: ClassResult, iou: float) -> Image:
    plot = blank(_WIDE, _HIGH)
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        for ends in (((tick, 0.0), (tick, 1.0)), ((0.0, tick), (1.0, tick))):
            colour = _FRAME if tick in (0, 1) else _GRID
            cv2.line(plot, _pixel(*ends[0]), _pixel(*ends[1]), colour)
        if tick in (0, 0.5, 1):
            x, y = _pixel(tick, tick)
            write(plot, f"{tick:g}", (x - 8, _TOP + _SIDE + 18))
            write(plot, f"{tick:g}", (_LEFT - 26, y + 4))
    write(plot, name, (_LEFT, 20))
    write(plot, _said(each, iou), (_LEFT, 38), _FRAME)
    write(plot, "precision", (4, _TOP - 6), _FRAME)
    write(plot, "recall", (_LEFT + _SIDE - 44, _TOP + _SIDE + 36), _FRAME)
    hits = np.cumsum(each.hits)
    recall, precision = hits / each.n, hits / np.arange(1, len(hits) + 1)
    points = np.column_stack((_LEFT + recall * _SIDE, _TOP + (1 - precision) * _SIDE))
    fixed = np.round(points * (1 << _SHIFT)).astype(np.int32)
    cv2.polylines(plot, [fixed], False, _CURVE, 2, cv2.LINE_AA, _SHIFT)
    if each.precision is not None and each.recall is not None:
        cv2.circle(plot, _pixel(each.recall, each.precision), 5, _DOT, cv2.FILLED, cv2.LINE_AA)
    return plot


def _said(each: ClassResult, iou: float) -> str:
    if each.threshold is None:
        return f"{counted(each.n, 'object')}, unknown to the model"
    return f"{counted(each.n, 'object')}, dot at {each.threshold:g}, IoU {iou:g}"


def _pixel(recall: float, precision: float) -> tuple[int, int]:
    return round(_LEFT + recall * _SIDE), round(_TOP + (1 - precision) * _SIDE)
