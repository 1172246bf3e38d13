"""How many heads the redaction covers on real photographs, by the labels in models/heads."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
from beside import SHARED, needs_shared

from edge.catalog.load import load_model
from edge.redactor import Redactor
from linli.clock import SystemClock

ROOT = Path(__file__).parents[2]
CLIP = ROOT / "models" / "demo" / "elevator.mp4"
PICTURES = SHARED / "data/coco-val128/images"


@pytest.fixture(scope="module")
def heads() -> ModuleType:
    path = ROOT / "bench" / "heads.py"
    if not path.exists():
        pytest.skip("bench/ is there in a checkout only: run it in a clone")
    spec = importlib.util.spec_from_file_location("heads_bench", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_labels_are_boxes_within_their_pictures(heads: ModuleType) -> None:
    labels = heads.labels_of(heads.LABELS)
    boxes = np.concatenate(list(labels.values()))
    assert len(boxes) > 250
    assert boxes.min() >= 0
    assert boxes.max() <= 1
    assert (boxes[:, :2] < boxes[:, 2:]).all()


def test_a_head_is_covered_when_nearly_all_of_it_is_hidden(heads: ModuleType) -> None:
    image = np.zeros((200, 200, 3), np.uint8)
    standing = np.array([[0.4, 0.1, 0.6, 0.9]])
    mask = heads.hidden_part(image, standing)
    boxes = np.array([[0.45, 0.1, 0.55, 0.25], [0.45, 0.7, 0.55, 0.85], [0.5, 0.1, 0.55, 0.15]])
    covered, missed = heads.heads_in("x.jpg", mask, boxes)  # the third is too small to count
    assert (covered.size, covered.hidden, missed.hidden) == (30, 1, 0)
    figures = heads.figures([covered, missed], [0.1])
    assert (figures["heads"], figures["covered"]) == (2, 0.5)
    assert figures["missed"] == ["x.jpg: 30 px, 0.00 hidden"]


@pytest.mark.shared
@needs_shared("data/coco-val128")
def test_nineteen_of_twenty_heads_are_covered_with_what_is_shipped(heads: ModuleType) -> None:
    found = heads.measure(PICTURES, heads.labels_of(heads.LABELS), load_model("builtin"))
    closer = found["closer"]
    assert closer["heads"] > 200
    assert closer["covered"] >= 0.95
    assert min(closer["by_size"].values()) >= 0.9
    assert closer["covered"] > found["one look"]["covered"]
    assert closer["picture_hidden"] < 0.33  # else it would be easy


def test_the_e_bike_under_a_rider_stays_visible(heads: ModuleType) -> None:
    detector = load_model("builtin")
    clip = cv2.VideoCapture(str(CLIP))
    clip.set(cv2.CAP_PROP_POS_MSEC, 8400)  # where the demo's event begins
    image = np.asarray(clip.read()[1], np.uint8)
    clip.release()
    found = detector.detect(image)
    best = found.scores[found.classes == detector.names.index("ebike")].argmax()
    box = found.boxes[found.classes == detector.names.index("ebike")][best]
    mask = heads.hidden_part(image, Redactor(detector, SystemClock()).people(image))
    x1, y1, x2, y2 = np.round(box * np.tile(image.shape[1::-1], 2)).astype(int)
    assert mask[y1:y2, x1:x2].mean() < 0.3
