from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from edge.redact import LONGEST_SIDE, MOST_BYTES, head_of, redact_heads

Image = npt.NDArray[np.uint8]


def noise(height: int = 480, width: int = 640) -> Image:
    return np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8)


def shown(image: Image, *people: tuple[float, float, float, float]) -> Image:
    picture = redact_heads(image, np.array(people, np.float32).reshape(-1, 4))
    assert picture is not None
    assert picture.redaction == "heads"
    decoded = cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.asarray(decoded, np.uint8)


def detail(image: Image) -> float:
    """How much a pixel differs from its neighbour: high in a picture, almost none in a blur."""
    return float(np.abs(np.diff(image.astype(np.int16), axis=1)).mean())


@pytest.mark.parametrize(
    ("box", "share"),
    [
        ((100, 100, 200, 400), 0.3),
        ((100, 100, 200, 320), 0.3),
        ((100, 100, 200, 260), 0.525),
        ((100, 100, 200, 200), 0.75),
        ((100, 100, 220, 200), 0.75),
        ((100, 100, 300, 200), 1.0),
        ((100, 100, 110, 130), 1.0),
    ],
)
def test_the_less_a_person_stands_the_more_is_head(box: tuple[float, ...], share: float) -> None:
    x1, y1, x2, y2 = head_of(np.array(box, np.float32))
    assert x1 < box[0]
    assert x2 > box[2]
    assert y1 < box[1]
    assert (y2 - box[1]) / (box[3] - box[1]) == pytest.approx(share, abs=0.001)


def test_heads_lose_their_detail_and_the_rest_keeps_it() -> None:
    picture = shown(noise(), (0.25, 0.1, 0.5, 0.9))
    head, body = picture[48:160, 160:320], picture[200:420, 160:320]
    assert detail(head) < 2
    assert detail(body) > 40
    assert detail(picture[:, 400:]) > 40


def test_a_head_is_a_few_grey_levels_of_information() -> None:
    face = np.zeros((400, 400, 3), np.uint8)
    face[:] = 120
    cv2.circle(face, (180, 60), 8, (255, 255, 255), -1)
    cv2.circle(face, (220, 60), 8, (255, 255, 255), -1)
    hidden = shown(face, (0.35, 0.05, 0.65, 0.95))[20:140, 150:250].astype(int)
    eyes, between = hidden[40, 30], hidden[40, 50]
    assert np.abs(eyes - between).max() < 12


@pytest.mark.parametrize(
    "box",
    [
        (0.0, 0.0, 0.2, 0.6),
        (0.9, 0.5, 1.0, 1.0),
        (0.0, 0.0, 1.0, 1.0),
        (0.5, 0.5, 0.502, 0.505),
        (0.5, 0.5, 0.5, 0.5),
        (0.0, 0.95, 1.0, 1.0),
    ],
)
def test_boxes_at_the_edge_and_tiny_ones_are_hidden(
    box: tuple[float, float, float, float],
) -> None:
    picture = shown(noise(), box)
    x, y = round((box[0] + box[2]) / 2 * 640), round(box[1] * 480)
    assert picture.shape == (480, 640, 3)
    if box[2] - box[0] > 0.01:
        spot = picture[min(y, 474) : y + 6, max(x - 3, 0) : x + 3]
        assert detail(spot) < 12


@pytest.mark.parametrize(
    ("size", "expected"),
    [((1080, 1920), (720, 1280)), ((1920, 1080), (1280, 720)), ((240, 416), (240, 416))],
)
def test_pictures_are_at_most_so_long(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert shown(np.zeros((*size, 3), np.uint8)).shape[:2] == expected
    assert max(expected) <= LONGEST_SIDE


def test_the_jpeg_has_no_metadata_and_a_bounded_size() -> None:
    picture = redact_heads(noise(1280, 1280), np.empty((0, 4), np.float32))
    assert picture is not None
    assert len(picture.jpeg) <= MOST_BYTES
    assert picture.jpeg.startswith(b"\xff\xd8")
    for name in (b"Exif", b"http://ns.adobe.com", b"Photoshop", b"ICC_PROFILE"):
        assert name not in picture.jpeg


def test_the_frame_itself_is_left_alone() -> None:
    image = noise()
    before = image.copy()
    shown(image, (0.2, 0.2, 0.4, 0.9))
    assert (image == before).all()


def test_what_cannot_be_redacted_is_no_picture() -> None:
    people = np.array([[np.nan, 0, 1, 1]], np.float32)
    assert redact_heads(noise(), people) is None
    assert redact_heads(np.empty((0, 0, 3), np.uint8), people[:0]) is None
