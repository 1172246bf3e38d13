from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import vision
from click.testing import CliRunner

from linli.cli.models import command
from linli.cli.models.evaluation.folder import read_labelled
from linli.cli.models.evaluation.labelled import Truth, read_picture
from linli.errors import InputError

BOX = "0.5 0.5 0.1 0.1"


def yolo(path: Path, label: str | bytes, *, classes: str | None = None) -> Path:
    for name in ("images", "labels"):
        (path / name).mkdir(parents=True)
    for name in "ab":
        cv2.imwrite(str(path / "images" / f"{name}.png"), vision.square_image(None))
    (path / "labels" / "a.txt").write_bytes(label if isinstance(label, bytes) else label.encode())
    if classes is not None:
        (path / "classes.txt").write_text(classes, encoding="utf-8")
    return path


def document(**changed: object) -> dict[str, Any]:
    return {
        "info": {"description": "what nobody reads"},
        "images": [
            {"id": 7, "file_name": "a.png", "width": 416, "height": 240, "license": 1},
            {"id": 3, "file_name": "b.png", "width": 416, "height": 240},
        ],
        "categories": [{"id": 12, "name": "ebike"}, {"id": 5, "name": "person"}],
        "annotations": [
            {"id": 1, "image_id": 3, "category_id": 5, "bbox": [41.6, 24, 104, 120], "area": 1},
            {"id": 2, "image_id": 3, "category_id": 12, "bbox": [0, 0, 10, 10], "iscrowd": 1},
        ],
        **changed,
    }


def coco(path: Path, content: object, *, at: str = "labels.json", pictures: str = "images") -> Path:
    (path / pictures).mkdir(parents=True, exist_ok=True)
    for name in "ab":
        cv2.imwrite(str(path / pictures / f"{name}.png"), vision.square_image(None))
    (path / at).parent.mkdir(exist_ok=True)
    (path / at).write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def refused(folder: Path, labels: Path | None = None) -> str:
    with pytest.raises(InputError) as caught:
        read_labelled(folder, labels)
    said = str(caught.value)
    assert str(folder) in said
    assert "\n" not in said
    return said


def test_yolo_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    label = "\ufeff1 0.5 0.5 0.2 0.4\r\n\r\n0 0.105 0.1 0.22 0.1\r\n".encode()
    found = read_labelled(yolo(tmp_path, label, classes="电动车\nperson\n"), None)
    assert found.names == ("电动车", "person")
    assert [each.picture.name for each in found.pictures] == ["a.png", "b.png"]
    first, second = found.pictures[0].truths
    assert (first.kind, second.kind) == (1, 0)
    assert first.box == pytest.approx((0.4, 0.3, 0.2, 0.4))
    assert found.pictures[1].truths == ()
    assert capsys.readouterr().err == "without a label file, taken as empty: 1 picture\n"


def test_labels_without_a_picture_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = yolo(tmp_path, f"0 {BOX}\n")
    for name in ("b", "c", "classes"):
        (data / "labels" / f"{name}.txt").write_text(
            f"0 {BOX}\n" if name != "classes" else "person"
        )
    assert len(read_labelled(data, None).pictures) == 2
    assert capsys.readouterr().err == "without a picture, left out: 1 label file\n"


def test_the_list_of_names_may_lie_beside_the_labels(tmp_path: Path) -> None:
    data = yolo(tmp_path, f"1 {BOX}\n")
    (data / "labels" / "classes.txt").write_text("a\nb\n")
    assert read_labelled(data, None).names == ("a", "b")


def test_without_a_list_the_names_are_those_of_coco(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert read_labelled(yolo(tmp_path, f"79 {BOX}\n"), None).names[79] == "toothbrush"
    assert "no classes.txt" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("label", "classes", "said"),
    [
        (f"99 {BOX}\n", None, "line 1 must be class (0..79) x y width height (0..1), not '99 0.5"),
        (f"1 {BOX}\n", "ebike\n", "line 1 must be class (0..0)"),
        (f"-1 {BOX}\n", None, "line 1 must be"),
        ("0 0.5 0.5 0.1\n", None, "line 1 must be"),
        (f"0 {BOX} 0.9\n", None, "line 1 must be"),
        (f"\nx {BOX}\n", None, "line 2 must be"),
        (f"0.5 {BOX}\n", None, "line 1 must be"),
        ("0 0.5 0.5 wide 0.1\n", None, "line 1 must be"),
        ("0 0.5 0.5 nan 0.1\n", None, "line 1 must be"),
        ("0 0.5 0.5 inf 0.1\n", None, "line 1 must be"),
        ("0 0.5 0.5 -0.1 0.1\n", None, "line 1 must be"),
        ("0 208 120 72 72\n", None, "line 1 must be"),
        (b"\xff\xfe0", None, "is not UTF-8"),
        ("", None, "no labelled object"),
        (f"0 {BOX}\n", "\n", "one name a line"),
        (f"0 {BOX}\n", "a\na\n", "one name a line"),
    ],
)
def test_bad_yolo_labels_are_refused(
    tmp_path: Path, label: str | bytes, classes: str | None, said: str
) -> None:
    assert said in refused(yolo(tmp_path, label, classes=classes))


def test_folders_without_labels_or_pictures_are_refused(tmp_path: Path) -> None:
    assert "no such folder" in refused(tmp_path / "nowhere")
    assert "must hold images/ and labels/" in refused(tmp_path)
    (tmp_path / "images").mkdir()
    assert "must hold images/ and labels/" in refused(tmp_path)
    (tmp_path / "labels").mkdir()
    assert "no pictures" in refused(tmp_path)


@pytest.mark.parametrize(
    ("at", "pictures"),
    [("labels.json", "images"), ("annotations/instances.json", "."), ("_annotations.json", ".")],
)
def test_coco_labels(tmp_path: Path, at: str, pictures: str) -> None:
    found = read_labelled(coco(tmp_path, document(), at=at, pictures=pictures), None)
    assert found.names == ("ebike", "person")
    assert [each.picture.name for each in found.pictures] == ["a.png", "b.png"]
    assert found.pictures[0].truths == ()
    person, crowd = found.pictures[1].truths
    assert (person.kind, person.crowd) == (1, False)
    assert person.box == pytest.approx((0.1, 0.1, 0.25, 0.5))
    assert crowd == Truth(0, (0, 0, 10 / 416, 10 / 240), crowd=True)


def test_coco_labels_may_lie_elsewhere(tmp_path: Path) -> None:
    data = coco(tmp_path / "data", document(), at="one.json")
    coco(data, document(), at="two.json")
    assert "2 JSON documents (one.json, two.json)" in refused(data)
    assert "--labels" in refused(data)
    assert len(read_labelled(data, data / "two.json").pictures) == 2


def without(key: str, field: str) -> Callable[[dict[str, Any]], object]:
    def change(made: dict[str, Any]) -> object:
        del made[key][0][field]
        return made

    return change


def with_value(key: str, field: str, value: object) -> Callable[[dict[str, Any]], object]:
    def change(made: dict[str, Any]) -> object:
        made[key][0][field] = value
        return made

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda made: "{", "not COCO labels"),
        (lambda made: "\ud800".encode("utf-8", "surrogatepass").decode("latin1"), "not COCO"),
        (lambda made: "[" * 100_000, "not COCO labels"),
        (lambda made: [], "not COCO labels: Expected `object`, got `array`"),
        (lambda made: {"images": []}, "missing required field `annotations`"),
        (lambda made: {**made, "images": []}, "no images in it"),
        (lambda made: {**made, "annotations": []}, "no labelled object"),
        (without("images", "width"), "$.images[0]: not COCO labels: Object missing"),
        (without("annotations", "bbox"), "required field `bbox`"),
        (without("categories", "name"), "required field `name`"),
        (with_value("images", "height", 0), "$.images[0].height"),
        (with_value("images", "id", 3), "$.images[1]: id 3 is there twice"),
        (
            with_value("images", "file_name", "gone.png"),
            "$.images[0]: file_name 'gone.png' is not",
        ),
        (
            with_value("images", "file_name", "../a.png"),
            "$.images[0]: file_name '../a.png' leads out",
        ),
        (with_value("images", "file_name", "a/../../b"), "file_name 'a/../../b' leads out of"),
        (with_value("images", "file_name", "/etc/a.png"), "file_name '/etc/a.png' leads out of"),
        (with_value("categories", "id", 5), "$.categories[1]: id 5 is there twice"),
        (with_value("annotations", "bbox", [1, 2, 3]), "$.annotations[0].bbox"),
        (with_value("annotations", "bbox", [1, 2, -3, 4]), "$.annotations[0].bbox[2]"),
        (with_value("annotations", "bbox", [1, 2, "3", 4]), "$.annotations[0].bbox[2]"),
        (with_value("annotations", "image_id", 99), "$.annotations[0]: image_id 99 is of none"),
        (with_value("annotations", "category_id", 9), "$.annotations[0]: category_id 9 is of"),
    ],
)
def test_bad_coco_labels_are_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    assert said in refused(coco(tmp_path, change(document())))


def test_labels_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    assert "cannot be read" in refused(tmp_path, tmp_path / "nowhere.json")
    assert "cannot be read" in refused(tmp_path, tmp_path)


def test_broken_pictures_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("no picture")
    with pytest.raises(InputError, match=r"a\.jpg: not a picture"):
        read_picture(tmp_path / "a.jpg")
    data = yolo(tmp_path / "data", f"0 {BOX}\n")
    (data / "images" / "b.png").write_bytes((data / "images" / "a.png").read_bytes()[:200])
    model = vision.bright_square_model(tmp_path / "square.onnx")
    with pytest.raises(InputError, match=r"b\.png: not a picture"):
        CliRunner().invoke(command, ["eval", str(model), str(data)], catch_exceptions=False)


def test_a_picture_that_was_not_copied_to_its_end_is_refused(tmp_path: Path) -> None:
    """OpenCV would fill the rest with grey, in which nothing is found."""
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    jpeg = cv2.imencode(".jpg", noise)[1].tobytes()
    thumbnail = cv2.imencode(".jpg", noise[:8, :8])[1].tobytes()
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    whole = jpeg[:2] + segment + jpeg[2:]
    path = tmp_path / "a.jpg"
    path.write_bytes(whole + b"what a telephone adds")
    assert read_picture(path).shape == (60, 80, 3)
    for length in (0, 3, 40, len(segment) + 20, len(whole) // 2, len(whole) - 2):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"a\.jpg: not a picture"):
            read_picture(path)
    path.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        read_picture(path)


def test_coco_and_yolo_labels_give_the_same_figures(tmp_path: Path) -> None:
    model = vision.bright_square_model(tmp_path / "square.onnx")
    left, side = 100, vision.SQUARE
    top = (vision.HEIGHT - side) // 2
    x, y = (left + side / 2) / vision.WIDTH, 0.5
    line = f"0 {x} {y} {side / vision.WIDTH} {side / vision.HEIGHT}\n"
    first = yolo(tmp_path / "yolo", line, classes="person\n")
    box = {"image_id": 7, "category_id": 5, "bbox": [left, top, side, side]}
    second = coco(tmp_path / "coco", document(annotations=[box]))
    measured = []
    for data in (first, second):
        cv2.imwrite(str(data / "images" / "a.png"), vision.square_image(left))
        result = CliRunner().invoke(command, ["eval", str(model), str(data), "--json"])
        measured.append(json.loads(result.stdout)["per_class"]["person"])
    assert measured[0] == measured[1]
    assert measured[0]["recall"] == 1.0
