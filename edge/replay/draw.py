"""What was seen, drawn on a redacted picture: zones, lines, boxes, and how scenarios stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from edge.geometry import Box
from edge.look import Look
from edge.redact import RedactedPicture, Withheld
from edge.replay.course import Phase
from edge.replay.play import Moment
from edge.settings import Camera, Line, Zone

Image = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

COLOURS: dict[Phase, Colour] = {  # BGR
    "none": (150, 150, 150),
    "suspect": (20, 160, 240),
    "confirmed": (50, 50, 220),
    "cooldown": (190, 130, 60),
}
INK, PAPER = (45, 40, 35), (250, 250, 248)
FONT, LINE = cv2.FONT_HERSHEY_SIMPLEX, cv2.LINE_AA
ROW = 20
_SMALLEST = 480  # pixels; smaller pictures are enlarged so that words can be read
_LEAST = 0.1


def drawn(moment: Moment, camera: Camera) -> Image:
    """Return the moment's picture, without heads, with all that was seen in it."""
    picture = canvas(moment.picture(), moment.frame.image.shape[1::-1])
    for zone in camera.zone:
        _zone(picture, zone, _phase(look for look in moment.looks if look.zone.id == zone.id))
    for line in camera.line:
        _line(picture, line)
    _boxes(picture, moment)
    return picture


def told(picture: Image, moment: Moment) -> Image:
    """Return a drawn picture with its time and a row for each scenario below it."""
    band = np.full((2 * (ROW * (len(moment.looks) + 1) // 2 + 3), picture.shape[1], 3), 0, np.uint8)
    band[:] = PAPER
    at = f"{moment.frame.media:.1f} s  {moment.frame.time:%Y-%m-%d %H:%M:%S} UTC"
    words(band, (6, ROW - 4), at)
    for row, look in enumerate(moment.looks, 2):
        words(band, (6, ROW * row - 4), standing(look), colour=COLOURS[_phase([look])])
    return np.asarray(np.concatenate((picture, band)), np.uint8)


def canvas(redacted: RedactedPicture | Withheld, size: tuple[int, int]) -> Image:
    """Return a redacted picture to draw on, of even size; grey when it was withheld."""
    if isinstance(redacted, RedactedPicture):
        jpeg = np.frombuffer(redacted.jpeg, np.uint8)
        image = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)
    else:
        image = np.full((size[1], size[0], 3), 200, np.uint8)
        words(image, (8, size[1] // 2), "withheld: nobody can tell where heads are")
    scale = max(_SMALLEST / image.shape[1], 1.0)
    width, height = (2 * round(side * scale / 2) for side in image.shape[1::-1])
    return np.asarray(cv2.resize(image, (width, height)), np.uint8)


def standing(look: Look) -> str:
    """Return in a line where a scenario stands."""
    rule = look.scenario
    said = [
        f"{session.phase} " + ", ".join(str(lack) for lack in look.lacks_of(session))
        for session in look.state.sessions
    ]
    lacks = ", ".join(str(lack) for lack in look.lacking())
    if (doubt := look.doubt()) is not None:
        said.append(f"no door: {doubt}")
    head = f"{rule.event}/{rule.zone}" + (" (shadow)" if rule.shadow else "")
    return "   ".join([head, *(said or [lacks or "nothing"])])


def words(
    image: Image, place: tuple[int, int], text: str, *, colour: Colour = INK, size: float = 0.45
) -> None:
    """Write a line whose left foot is at `place`; what it cannot becomes `?`."""
    plain = text.encode("ascii", "replace").decode()
    cv2.putText(image, plain, place, FONT, size, colour, 1, LINE)


def _phase(looks: Iterable[Look]) -> Phase:
    order: tuple[Phase, ...] = ("none", "cooldown", "suspect", "confirmed")
    phases: list[Phase] = [one.phase for look in looks for one in look.state.sessions]
    return max(phases, key=order.index, default="none")


def _boxes(picture: Image, moment: Moment) -> None:
    found, status = moment.found, _followed(moment.looks)
    for box, score, kind in zip(found.boxes, found.scores, found.classes, strict=True):
        if score >= _LEAST:
            _box(picture, box, COLOURS["none"], f"{found.names[kind]} {score:.2f}")
    for box, phase, text in status:
        _box(picture, box, COLOURS[phase], text, 2)


def _followed(looks: Iterable[Look]) -> list[tuple[Box, Phase, str]]:
    """Return the sessions in sight: box, phase, what they lack."""
    return [
        (one.box, one.phase, ", ".join(str(lack) for lack in look.lacks_of(one)))
        for look in looks
        for one in look.state.sessions
        if one.seen == look.state.now or one.phase == "cooldown"
    ]


def _box(
    picture: Image,
    box: Sequence[float] | npt.NDArray[np.floating],
    colour: Colour,
    text: str,
    thick: int = 1,
) -> None:
    height, width = picture.shape[:2]
    x1, x2 = (round(float(box[at]) * (width - 1)) for at in (0, 2))
    y1, y2 = (round(float(box[at]) * (height - 1)) for at in (1, 3))
    cv2.rectangle(picture, (x1, y1), (x2, y2), colour, thick, LINE)
    foot = max(y1 - 4, 12) if thick == 1 else max(y2 - 5, 12)
    words(picture, (x1 + 2, foot), text, colour=colour, size=0.4)


def _zone(picture: Image, zone: Zone, phase: Phase) -> None:
    points = _pixels(picture, zone.points)
    tinted = picture.copy()
    cv2.fillPoly(tinted, [points], COLOURS[phase])
    cv2.addWeighted(tinted, 0.12, picture, 0.88, 0, dst=picture)
    cv2.polylines(picture, [points], True, COLOURS[phase], 2, LINE)


def _line(picture: Image, line: Line) -> None:
    points = _pixels(picture, line.points)
    start, end = ((int(x), int(y)) for x, y in points)
    cv2.line(picture, start, end, COLOURS["cooldown"], 2, LINE)
    middle = ((start[0] + end[0]) // 2, (start[1] + end[1]) // 2)
    along = np.array([end[0] - start[0], end[1] - start[1]], np.float64)
    right = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1.0) * 30
    tip = (int(middle[0] + right[0]), int(middle[1] + right[1]))
    cv2.arrowedLine(picture, middle, tip, COLOURS["cooldown"], 2, LINE, tipLength=0.3)
    words(picture, (tip[0] + 4, tip[1]), f"{line.id}: in", colour=COLOURS["cooldown"])


def _pixels(picture: Image, points: Iterable[tuple[float, float]]) -> npt.NDArray[np.int32]:
    height, width = picture.shape[:2]
    at = np.array(list(points), np.float64) * [width - 1, height - 1]
    return np.asarray(at.round(), np.int32)
