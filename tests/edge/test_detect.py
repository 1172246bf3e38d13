from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import vision

from edge.detect.decoder import Candidates, Input, Signature
from edge.detect.detections import Detections
from edge.detect.detector import Detector, FakeDetector, kinds_of, load_detector, suppress
from edge.detect.families import decoder_for
from edge.detect.letterbox import PAD, Letterbox
from edge.detect.names import COCO, class_names, slug
from linli.errors import InputError

NAMES = ("person", "bicycle")


def detections(*rows: tuple[float, float, float, float, float, int]) -> Detections:
    table = np.array(rows, np.float32).reshape(-1, 6)
    return Detections(table[:, :4], table[:, 4], table[:, 5].astype(np.int64), NAMES)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ((0, 0, 1.1, 1, 0.5, 0), "within 0..1"),
        ((0, np.nan, 1, 1, 0.5, 0), "within 0..1"),
        ((0.5, 0, 0.4, 1, 0.5, 0), "x1 <= x2"),
        ((0, 0, 1, 1, 1.5, 0), "scores"),
        ((0, 0, 1, 1, np.nan, 0), "scores"),
        ((0, 0, 1, 1, 0.5, 2), "classes"),
        ((0, 0, 1, 1, 0.5, -1), "classes"),
    ],
)
def test_detections_that_do_not_fit_are_refused(row: tuple[float, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        detections(row)  # type: ignore[arg-type]


def test_detections_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="shapes"):
        Detections(
            np.zeros((2, 4), np.float32), np.zeros(1, np.float32), np.zeros(1, np.int64), NAMES
        )


def test_detections_are_chosen_by_name() -> None:
    both = detections((0, 0, 1, 1, 0.9, 1), (0, 0, 0.5, 1, 0.4, 0))
    assert len(both) == 2
    assert both.of(["person"]).scores.tolist() == pytest.approx([0.4])
    assert len(both.of(["umbrella"])) == 0
    assert len(both.where(both.scores > 0.5)) == 1


def test_a_network_of_any_size_gets_no_grey_below_a_wide_picture() -> None:
    box = Letterbox(Input(416, 416, step=32))
    for height, full in ((432, 256), (768, 416), (432, 256)):
        image = np.full((height, 768, 3), 7, np.uint8)
        tensor, extent = box.fill(image)
        assert tensor.shape == (1, 3, full, 416)
        shown = round(height * 416 / 768)
        assert (tensor[0, :, : shown - 1] == 7).all()
        assert (tensor[0, :, shown + 1 :] == PAD).all()
        assert extent.tolist() == pytest.approx([416, height * 416 / 768] * 2)


def test_sizes_of_pictures_may_take_turns() -> None:
    box = Letterbox(Input(416, 416))
    images = [np.full((side, side, 3), side % 251, np.uint8) for side in (100, 200, 300, 400, 500)]
    for image in images * 2:
        assert (box.fill(image)[0] == image[0, 0, 0]).all()


@pytest.mark.parametrize(
    ("height", "width", "inner", "scale"),
    [
        (240, 416, (240, 416), 1.0),
        (432, 768, (234, 416), 416 / 768),
        (832, 416, (416, 208), 0.5),
        (104, 104, (416, 416), 4.0),
        (2, 4000, (1, 416), 0.104),
    ],
)
def test_letterbox(height: int, width: int, inner: tuple[int, int], scale: float) -> None:
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0], image[..., 2] = 10, 200
    tensor, extent = Letterbox(Input(416, 416)).fill(image)
    assert extent.tolist() == pytest.approx([width * scale, height * scale] * 2)
    assert tensor.shape == (1, 3, 416, 416)
    assert tensor.dtype == np.float32
    assert (tensor[0, :, : inner[0], : inner[1]] == np.float32([[[10]], [[0]], [[200]]])).all()
    assert (tensor[0, :, inner[0] :] == PAD).all()
    assert (tensor[0, :, :, inner[1] :] == PAD).all()


def test_letterbox_pads_again_when_the_picture_changes_its_shape() -> None:
    box = Letterbox(Input(416, 416))
    box.fill(np.zeros((416, 416, 3), np.uint8))
    tensor, _ = box.fill(np.zeros((208, 416, 3), np.uint8))
    assert (tensor[0, :, 208:] == PAD).all()
    assert (tensor[0, :, :208] == 0).all()


@pytest.mark.parametrize(("height", "width"), [(240, 416), (352, 320), (3, 4000), (704, 640)])
def test_a_stretched_picture_fills_the_input(height: int, width: int) -> None:
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0], image[..., 2] = 51, 255
    box = Letterbox(Input(320, 352, stretch=True, unit=1 / 255))
    for _ in range(2):
        tensor, extent = box.fill(image)
        assert extent.tolist() == pytest.approx([320, 352, 320, 352])
        assert tensor.shape == (1, 3, 352, 320)
        assert np.ptp(tensor[0], axis=(1, 2)).tolist() == [0, 0, 0]
        assert tensor[0, :, 0, 0].tolist() == pytest.approx([0.2, 0, 1])


@pytest.mark.parametrize(
    ("boxes", "scores", "classes", "kept"),
    [
        ([[0, 0, 10, 10], [1, 0, 11, 10]], [0.5, 0.9], [0, 0], [1]),
        ([[0, 0, 10, 10], [1, 0, 11, 10]], [0.5, 0.9], [0, 1], [1, 0]),
        ([[0, 0, 10, 10], [8, 0, 18, 10]], [0.9, 0.5], [0, 0], [0, 1]),
        ([[0, 0, 10, 10]] * 3, [0.2, 0.3, 0.1], [0, 0, 0], [1]),
        ([], [], [], []),
    ],
)
def test_suppression_is_by_class(
    boxes: list[list[float]], scores: list[float], classes: list[int], kept: list[int]
) -> None:
    table = np.array(boxes, np.float32).reshape(-1, 4)
    found = Candidates(table, np.array(scores, np.float32), np.array(classes, np.int64))
    result = suppress(found, kinds_of(("person", "ebike"), ()))
    assert result.scores.tolist() == pytest.approx([scores[index] for index in kept])
    assert result.classes.tolist() == [classes[index] for index in kept]


def test_of_rivals_in_one_place_the_best_score_decides() -> None:
    names = ("ebike", "person", "wheelchair", "bicycle")
    table = np.array([[0, 0, 10, 10], [0, 0, 10, 10], [1, 0, 11, 10], [50, 0, 60, 10]], np.float32)
    scores = np.array([0.5, 0.4, 0.6, 0.3], np.float32)
    found = Candidates(table, scores, np.array([0, 1, 2, 0], np.int64))
    result = suppress(found, kinds_of(names, ("wheelchair", "ebike")))
    assert result.classes.tolist() == [2, 1, 0]
    assert result.boxes[2].tolist() == [50, 0, 60, 10]
    assert len(suppress(found, kinds_of(names, ("bicycle", "ebike"))).scores) == 4


def test_suppression_keeps_the_best_of_too_many() -> None:
    boxes = np.array([[n * 20, 0, n * 20 + 10, 10] for n in range(150)], np.float32)
    scores = np.linspace(0.1, 0.9, 150, dtype=np.float32)
    result = suppress(Candidates(boxes, scores, np.zeros(150, np.int64)), kinds_of(("person",), ()))
    assert result.scores.tolist() == scores[::-1][:100].tolist()


@pytest.mark.parametrize(
    ("metadata", "count", "names"),
    [
        ({}, 80, tuple(slug(name) for name in COCO)),
        ({}, 2, None),
        ({"names": '["Person", "e bike"]'}, 2, ("person", "e-bike")),
        ({"names": "{0: 'person', 1: 'ebike'}"}, 2, ("person", "ebike")),
        ({"names": '{"1": "b", "0": "a"}'}, 2, ("a", "b")),
        ({"classes": "a, b,c"}, 3, ("a", "b", "c")),
    ],
)
def test_class_names(metadata: dict[str, str], count: int, names: tuple[str, ...] | None) -> None:
    assert class_names(metadata, count) == names


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"names": "a,b"}, "names 2 classes"),
        ({"names": "a,a,b"}, "names 2"),
        ({"names": "a,b,人"}, "人"),
    ],
)
def test_class_names_that_do_not_fit_are_refused(metadata: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        class_names(metadata, 3)


def test_coco_has_its_80_classes() -> None:
    assert len(set(COCO)) == 80
    assert (COCO[0], COCO[9], COCO[11], COCO[79]) == (
        "person",
        "traffic light",
        "stop sign",
        "toothbrush",
    )


@pytest.mark.parametrize(
    "signature",
    [
        Signature(((1, 3, 352, 352),), ((1, 85, 22, 11),)),
        Signature(((1, 3, 352, 352),), ((1, 5, 22, 22),)),
        Signature(((1, 3, 352, None),), ((1, 85, 22, None),)),
        Signature(((1, 3, 416, 416),), ((1, 10647, 85),)),
        Signature(((1, 3, 416, 416),), ((1, 3549, 5),)),
        Signature(((1, 3, 410, 416),), ((1, 3549, 85),)),
        Signature(((1, 3, None, 416),), ((1, None, 85),)),
        Signature(((1, 3, None, None),), ((1, None, 5),)),
        Signature(((1, 3, 416, 416), (1, 2)), ((1, 3549, 85),)),
        Signature(((1, 3, 416, 416),), ((1, 3549, 85), (1,))),
    ],
)
def test_shapes_of_no_known_family_are_refused(signature: Signature) -> None:
    with pytest.raises(InputError) as caught:
        decoder_for(signature, where="m.onnx")
    for part in ("m.onnx", str(signature), "Known: YOLOX", "; FastestDet"):
        assert part in str(caught.value)


@pytest.fixture(scope="module")
def square_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return vision.bright_square_model(tmp_path_factory.mktemp("model") / "Bright Square.onnx")


def real(path: Path) -> Detector:
    return load_detector(path)


def fake(path: Path) -> Detector:
    half = vision.SQUARE / 2 / vision.WIDTH
    wide = vision.SQUARE / 2 / vision.HEIGHT
    seen = detections((0.5 - half, 0.5 - wide, 0.5 + half, 0.5 + wide, 0.9, 0))
    return FakeDetector(NAMES, [seen])


@pytest.mark.parametrize("make", [real, fake])
def test_every_detector_sees_a_person_and_then_nothing(make: object, square_model: Path) -> None:
    detector: Detector = make(square_model)  # type: ignore[operator]
    assert detector.names[:2] == NAMES
    assert len(detector.model.sha256) == 64
    left = (vision.WIDTH - vision.SQUARE) // 2
    seen = detector.detect(vision.square_image(left))
    assert seen.names == detector.names
    assert [seen.names[index] for index in seen.classes] == ["person"]
    assert seen.scores[0] == pytest.approx(0.9)
    x1, y1, x2, y2 = seen.boxes[0] * np.array([vision.WIDTH, vision.HEIGHT] * 2)
    assert (x1, x2) == pytest.approx((left, left + vision.SQUARE), abs=0.5)
    assert (y1, y2) == pytest.approx((84, 84 + vision.SQUARE), abs=0.5)
    assert len(detector.detect(vision.square_image(None))) == 0


def test_a_loaded_model_says_what_it_is(square_model: Path) -> None:
    model = load_detector(square_model).model
    assert model.name == "bright-square"
    assert model.sha256.startswith(model.version)
    assert load_detector(square_model, name="mine").model.name == "mine"


def test_the_names_in_a_model_are_used(square_model: Path, tmp_path: Path) -> None:
    model = onnx.load(square_model)
    onnx.helper.set_model_props(
        model, {"names": json.dumps([f"thing {n}" for n in range(80)]), "version": "1.4.0"}
    )
    path = tmp_path / "named.onnx"
    onnx.save(model, path)
    detector = load_detector(path)
    assert detector.names[79] == "thing-79"
    assert detector.model.version == "1.4.0"


def test_models_that_cannot_be_used_are_refused_in_one_line(
    square_model: Path, tmp_path: Path
) -> None:
    (tmp_path / "text.onnx").write_text("hello")
    (tmp_path / "empty.onnx").touch()
    (tmp_path / "cut.onnx").write_bytes(square_model.read_bytes()[:3000])
    vision.model_of_unknown_family(tmp_path / "other.onnx")
    for name, said in (
        ("text.onnx", "not an ONNX model"),
        ("empty.onnx", "not an ONNX model"),
        ("cut.onnx", "not an ONNX model"),
        ("none.onnx", "no such model file"),
        ("other.onnx", "outputs [1]"),
    ):
        with pytest.raises(InputError) as caught:
            load_detector(tmp_path / name)
        assert said in str(caught.value)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)
