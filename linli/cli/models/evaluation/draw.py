"""Text on pictures, which OpenCV can only do in ASCII."""

from __future__ import annotations

import cv2
import numpy as np

from edge.detect.letterbox import Image

Colour = tuple[int, int, int]  # blue, green, red

WHITE: Colour = (255, 255, 255)
INK: Colour = (50, 50, 50)
_FONT, _SIZE = cv2.FONT_HERSHEY_SIMPLEX, 0.45


def blank(width: int, height: int) -> Image:
    """Return a white picture."""
    return np.full((height, width, 3), 255, np.uint8)


def write(image: Image, text: str, at: tuple[int, int], colour: Colour = INK) -> None:
    """Write text with its lower left corner at x, y."""
    cv2.putText(image, ascii_of(text), at, _FONT, _SIZE, colour, 1, cv2.LINE_AA)


def label(image: Image, text: str, at: tuple[int, int], colour: Colour) -> None:
    """Write white text on a coloured ground above x, y, moved so that all of it is seen."""
    (width, height), below = cv2.getTextSize(ascii_of(text), _FONT, _SIZE, 1)
    x = max(min(at[0], image.shape[1] - width - 4), 0)
    y = max(min(at[1], image.shape[0]), height + below + 2)
    cv2.rectangle(image, (x, y - height - below - 2), (x + width + 3, y), colour, cv2.FILLED)
    write(image, text, (x + 2, y - below), WHITE)


def ascii_of(text: str) -> str:
    """Return text with a question mark for each character that cannot be drawn."""
    return text.encode("ascii", "replace").decode()
