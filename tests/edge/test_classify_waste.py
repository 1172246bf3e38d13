"""The shipped waste classifier: on made pictures, and on photographs held out of its training."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from beside import SHARED, lacking

from edge.classify.classification import Category
from edge.classify.classifier import OnnxClassifier, load_classifier
from linli.cli.models.classification.measure import OTHER, Figures, measure
from linli.resources import resource

ROOT = Path(__file__).parents[2]
MODEL = resource("models", "builtin", "waste.onnx")
MOST_BYTES = 4_000_000
NAMES = ("cardboard", "glass", "metal", "paper", "plastic", "trash")


@pytest.fixture(scope="module")
def waste() -> OnnxClassifier:
    return load_classifier(MODEL, name="linli-waste", threads=2)


def test_it_is_small_and_says_what_it_is(waste: OnnxClassifier) -> None:
    assert MODEL.stat().st_size <= MOST_BYTES
    assert waste.classes.names == NAMES
    assert 0.3 <= waste.classes.threshold < 1
    categories = {name: waste.classes.categories[name] for name in NAMES}
    assert categories.pop("trash") is Category.RESIDUAL
    assert set(categories.values()) == {Category.RECYCLABLE}


def test_nothing_at_all_is_unknown(waste: OnnxClassifier) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (192, 256, 3), dtype=np.uint8)
    for image in (noise, np.zeros((192, 256, 3), np.uint8), np.full((99, 40, 3), 128, np.uint8)):
        assert waste.classify(image).unknown


def test_a_box_is_the_same_as_its_pixels(waste: OnnxClassifier) -> None:
    image = np.random.default_rng(2).integers(0, 255, (200, 400, 3), dtype=np.uint8)
    boxed = waste.probabilities(image, (0.25, 0.5, 0.75, 1.0))
    assert np.array_equal(boxed, waste.probabilities(image[100:200, 100:300].copy()))
    assert boxed.sum() == pytest.approx(1, abs=1e-4)


def held_out() -> list[tuple[Path, int]]:
    """Return the held-out photographs by the very function that divided them for training."""
    spec = importlib.util.spec_from_file_location("trashnet", ROOT / "models/waste/trashnet.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["trashnet"] = module
    spec.loader.exec_module(module)
    return [(s.path, s.kind) for s in module.parts(SHARED / "data/trashnet", 1)["held"]]


@pytest.fixture(scope="module")
def figures(waste: OnnxClassifier) -> Figures:
    if why := lacking("data/trashnet", "data/coco-val128"):
        pytest.skip(why)
    samples = held_out()
    samples += [(path, OTHER) for path in sorted((SHARED / "data/coco-val128").rglob("*.jpg"))]
    rows = []
    for path, _ in samples:
        image = cv2.imread(str(path))
        assert image is not None
        rows.append(waste.probabilities(np.asarray(image, np.uint8)))
    truth = np.array([kind for _, kind in samples], np.int64)
    return measure(np.stack(rows), truth, waste.classes.names, waste.classes.threshold)


@pytest.mark.shared
def test_photographs_held_out_are_told_apart(figures: Figures) -> None:
    assert figures.pictures - figures.others == 505
    assert figures.accuracy >= 0.9
    assert figures.ece <= 0.03
    assert figures.accuracy_of_named is not None
    assert figures.accuracy_of_named >= 0.95
    assert figures.named >= 0.85


@pytest.mark.shared
def test_pictures_of_other_things_are_unknown(figures: Figures) -> None:
    assert figures.others == 128
    assert figures.refused is not None
    assert figures.refused >= 0.95
