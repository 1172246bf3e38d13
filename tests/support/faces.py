"""Faces that OpenCV's own detector finds in pictures; run where OpenCV still has one.

    .venv-render/bin/python tests/support/faces.py PICTURE…

Prints JSON: for each picture a list of x, y, width, height in pixels, 24 and more.
"""

from __future__ import annotations

import json
import sys

import cv2

CASCADES = ("haarcascade_frontalface_default.xml", "haarcascade_frontalface_alt2.xml")
SMALLEST = 24


def faces(path: str, cascades: list[cv2.CascadeClassifier]) -> list[list[int]]:
    grey = cv2.equalizeHist(cv2.imread(path, cv2.IMREAD_GRAYSCALE))
    return [
        [int(value) for value in box]
        for one in cascades
        for box in one.detectMultiScale(grey, 1.15, 3, minSize=(SMALLEST, SMALLEST))
    ]


if __name__ == "__main__":
    known = [cv2.CascadeClassifier(cv2.data.haarcascades + name) for name in CASCADES]
    json.dump({path: faces(path, known) for path in sys.argv[1:]}, sys.stdout)
