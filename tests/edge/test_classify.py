from __future__ import annotations

import math
from pathlib import Path

import colours
import numpy as np
import pytest
import vision

from edge.classify.classes import Classes, read_classes
from edge.classify.classification import Category, Classification
from edge.classify.classifier import Classifier, FakeClassifier, cut, load_classifier, read
from edge.geometry import Box
from linli.errors import InputError


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return colours.colour_model(tmp_path_factory.mktemp("model") / "colours.onnx")


def fake() -> Classifier:
    classes = Classes(colours.NAMES, {}, 0.8)
    return FakeClassifier(classes, [Classification("bright", None, 0.9)])


@pytest.fixture(params=["onnx", "fake"])
def classifier(request: pytest.FixtureRequest, path: Path) -> Classifier:
    return load_classifier(path) if request.param == "onnx" else fake()


def test_each_says_one_of_its_classes(classifier: Classifier) -> None:
    said = classifier.classify(colours.plain(200))
    assert said.label == "bright"
    assert said.probability >= classifier.classes.threshold
    assert classifier.model.name


@pytest.mark.parametrize("box", [(0.5, 0, 0.5, 1), (0, 0, 1.1, 1), (0.9, 0, 0.1, 1)])
def test_a_box_that_is_none_is_refused(classifier: Classifier, box: Box) -> None:
    with pytest.raises(ValueError, match="a box must be"):
        classifier.classify(colours.plain(200), box)


@pytest.mark.parametrize(
    "image", [np.zeros((0, 5, 3), np.uint8), np.zeros((5, 5), np.uint8), np.zeros((5, 5, 4))]
)
def test_what_is_no_picture_is_refused(classifier: Classifier, image: colours.Image) -> None:
    with pytest.raises(ValueError, match="a picture must be"):
        classifier.classify(image)


@pytest.mark.parametrize(
    ("grey", "label", "category"),
    [
        (220, "bright", Category.RECYCLABLE),
        (30, "dark", Category.RESIDUAL),
        (132, None, None),
        (124, None, None),
    ],
)
def test_what_is_not_likely_enough_is_unknown(
    path: Path, grey: int, label: str | None, category: Category | None
) -> None:
    said = load_classifier(path).classify(colours.plain(grey))
    assert (said.label, said.category, said.unknown) == (label, category, label is None)
    x = (grey - 128) / 16
    assert said.probability == pytest.approx(1 / (1 + math.exp(-2 * abs(x))), abs=1e-4)


def test_only_the_box_is_looked_at(path: Path) -> None:
    classifier = load_classifier(path)
    image = colours.plain(0)
    image[10:30, 30:60] = 255
    assert classifier.classify(image, (0.5, 0.25, 1.0, 0.75)).label == "bright"
    assert classifier.classify(image, (0.0, 0.0, 0.5, 1.0)).label == "dark"


@pytest.mark.parametrize("size", [(3, 500), (1, 1), (16, 16), (700, 900)])
def test_pictures_of_any_size_fill_the_input(path: Path, size: tuple[int, int]) -> None:
    assert load_classifier(path).classify(colours.plain(220, *size)).label == "bright"


def test_a_large_picture_is_averaged_not_sampled(path: Path) -> None:
    image = colours.plain(0, 320, 320)
    image[::2] = 255  # every other line: half bright
    probabilities = load_classifier(path).probabilities(image)
    assert probabilities.tolist() == pytest.approx([0.5, 0.5], abs=0.04)


@pytest.mark.parametrize(
    ("box", "shape"),
    [
        ((0, 0, 1, 1), (40, 60)),
        ((0.5, 0.5, 1, 1), (20, 30)),
        ((0.999, 0.999, 1, 1), (1, 1)),
        ((0.5, 0.5, 0.5001, 0.5001), (1, 1)),
    ],
)
def test_a_box_holds_at_least_one_pixel(box: Box, shape: tuple[int, int]) -> None:
    assert cut(colours.plain(1), box).shape == (*shape, 3)


def test_the_file_gives_version_and_hash(path: Path) -> None:
    model = load_classifier(path, name="bins").model
    assert (model.name, model.version, len(model.sha256)) == ("bins", "7", 64)


def test_a_threshold_given_goes_before_the_models(path: Path) -> None:
    classifier = load_classifier(path, threshold=0.55)
    assert classifier.classify(colours.plain(132)).label == "bright"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"names": ""}, "2 classes without names"),
        ({"names": '["one"]'}, "metadata names 1 class, the output has 2"),
        ({"categories": '{"dark": "residual"}'}, "each class one category; look at: bright"),
        ({"categories": '{"dark": "residual", "bright": "gold"}'}, "metadata categories"),
        ({"categories": "[]"}, "metadata categories"),
        ({"threshold": "0"}, "the threshold must be above 0 and at most 1, not '0'"),
        ({"threshold": "nan"}, "the threshold must be"),
        ({"threshold": "much"}, "the threshold must be"),
    ],
)
def test_metadata_that_does_not_fit_is_refused(
    tmp_path: Path, change: dict[str, str], said: str
) -> None:
    path = colours.colour_model(tmp_path / "a.onnx", colours.FACTS | change)
    with pytest.raises(InputError, match=said) as raised:
        load_classifier(path)
    assert raised.value.where == str(path)
    assert "docs/models.md" in raised.value.hint


def test_a_model_without_threshold_needs_one() -> None:
    facts = {"names": '["dark", "bright"]'}
    with pytest.raises(ValueError, match="below which probability"):
        read_classes(facts, 2, None)
    assert read_classes(facts, 2, 0.5).threshold == 0.5


def test_outputs_that_are_no_probabilities_are_refused(tmp_path: Path) -> None:
    path = colours.colour_model(tmp_path / "a.onnx", softmax=False)
    with pytest.raises(InputError, match="no probabilities that sum to 1"):
        load_classifier(path)
    with pytest.raises(InputError, match="no probabilities"):
        read(np.array([[np.nan, 1]], np.float32), where="a.onnx")


def test_a_detector_is_no_classifier(tmp_path: Path) -> None:
    for path in (
        vision.bright_square_model(tmp_path / "square.onnx"),
        vision.model_of_unknown_family(tmp_path / "unknown.onnx"),
        colours.colour_model(tmp_path / "open.onnx", shape=(1, 3, "h", "w")),
    ):
        with pytest.raises(InputError, match="not a classifier: inputs"):
            load_classifier(path)


@pytest.mark.parametrize("content", [None, b"", b"not a model"])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"no such model file|not an ONNX model"):
        load_classifier(path)


@pytest.mark.parametrize(
    ("label", "category", "probability"),
    [(None, Category.FOOD, 0.2), ("a", None, 1.5), ("a", None, float("nan")), (None, None, -0.1)],
)
def test_what_does_not_fit_together_is_refused(
    label: str | None, category: Category | None, probability: float
) -> None:
    with pytest.raises(ValueError):
        Classification(label, category, probability)


def test_the_categories_have_the_names_on_the_bins() -> None:
    assert [c.chinese for c in Category] == ["可回收物", "有害垃圾", "厨余垃圾", "其他垃圾"]
