from __future__ import annotations

import hashlib
import json
from pathlib import Path

import cv2
import pytest
import vision
from beside import SHARED, needs_shared
from click.testing import CliRunner, Result

from linli.cli.models import command
from linli.cli.models.evaluation.names import match
from linli.errors import InputError

LEFT = 100


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return vision.bright_square_model(tmp_path_factory.mktemp("model") / "square.onnx")


def folder(path: Path, label: str, *, classes: str | None = None) -> Path:
    (path / "images").mkdir()
    (path / "labels").mkdir()
    cv2.imwrite(str(path / "images" / "a.png"), vision.square_image(LEFT))
    cv2.imwrite(str(path / "images" / "b.png"), vision.square_image(None))
    (path / "labels" / "a.txt").write_text(label)
    if classes is not None:
        (path / "classes.txt").write_text(classes, encoding="utf-8")
    return path


def truth(kind: int, shift: int = 0) -> str:
    x = (LEFT + shift + vision.SQUARE / 2) / vision.WIDTH
    return f"{kind} {x} 0.5 {vision.SQUARE / vision.WIDTH} {vision.SQUARE / vision.HEIGHT}\n"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(
        command, ["eval", *(str(each) for each in arguments)], catch_exceptions=False
    )


@pytest.mark.parametrize(
    ("label", "classes", "figures", "expected"),
    [
        (truth(0), None, (1.0, 1.0), {"person": (1.0, 1.0, 1.0, 1.0, 1)}),
        (truth(1), "ebike\nperson\n", (1.0, 1.0), {"person": (1.0, 1.0, 1.0, 1.0, 1)}),
        (
            truth(0),
            "ebike\nperson\n",
            (0.0, 0.0),
            {"ebike": (0.0, 0.0, None, 0.0, 1), "person": (None, None, 0.0, None, 0)},
        ),
        (truth(0, 12), None, (0.5, 1.0), {"person": (0.5, 1.0, 1.0, 1.0, 1)}),
        (truth(0, 40), None, (0.0, 0.0), {"person": (0.0, 0.0, 0.0, 0.0, 1)}),
        (
            truth(0) + truth(0, 200),
            None,
            (0.505, 0.505),
            {"person": (0.505, 0.505, 1.0, 0.5, 2)},
        ),
    ],
)
def test_boxes_are_measured_as_coco_does(
    model: Path,
    tmp_path: Path,
    label: str,
    classes: str | None,
    figures: tuple[float, float],
    expected: dict[str, tuple[float | None, ...]],
) -> None:
    result = run(model, folder(tmp_path, label, classes=classes), "--json")
    measured = json.loads(result.stdout)
    assert (measured["AP"], measured["AP50"]) == pytest.approx(figures, abs=0.001)
    assert measured["pictures"] == 2
    assert measured["iou"] == 0.5
    keys = ("AP", "AP50", "precision", "recall", "n")
    for name, row in expected.items():
        got = [measured["per_class"][name][key] for key in keys]
        assert got == [each if each is None else pytest.approx(each, abs=0.001) for each in row]
    assert "2/2 pictures" in result.stderr


def test_a_class_that_the_labels_lack_is_counted_where_it_is_said(
    model: Path, tmp_path: Path
) -> None:
    """So one reads what is said of e-bikes on photographs on which there is none."""
    data = folder(tmp_path, "0 0.1 0.1 0.1 0.1\n", classes="wheelchair\n")
    for name in "cd":
        cv2.imwrite(str(data / "images" / f"{name}.png"), vision.square_image(LEFT))
    rows = json.loads(run(model, data, "--json").stdout)["per_class"]
    assert rows["person"] == {
        "AP": None,
        "AP50": None,
        "precision": 0.0,
        "recall": None,
        "n": 0,
        "found": 0,
        "false": 3,
        "pictures_with_false": 3,
        "threshold": 0.3,
    }
    assert rows["wheelchair"]["recall"] == 0.0
    assert rows["wheelchair"]["threshold"] is None
    assert (rows["bicycle"]["false"], rows["bicycle"]["pictures_with_false"]) == (0, 0)
    assert len(rows) == 81


@pytest.mark.parametrize(("iou", "found"), [(0.3, 1), (0.5, 0)])
def test_the_overlap_can_be_chosen(model: Path, tmp_path: Path, iou: float, found: int) -> None:
    shift = 30  # of 72 pixels: IoU 42 / 102
    result = run(model, folder(tmp_path, truth(0, shift)), "--iou", iou, "--json")
    measured = json.loads(result.stdout)
    row = measured["per_class"]["person"]
    assert (row["found"], row["false"]) == (found, 1 - found)
    assert measured["AP50"] == 0.0  # AP stays COCO's, whatever is chosen


def test_an_overlap_is_a_number(model: Path, tmp_path: Path) -> None:
    result = run(model, folder(tmp_path, truth(0)), "--iou", "nan")
    assert result.exit_code == 2
    assert "'--iou': must be a number" in result.stderr


@pytest.mark.parametrize(
    ("given", "threshold", "found"),
    [
        ((), 0.3, 1),
        (("0.89",), 0.89, 1),
        (("0.95",), 0.95, 0),
        (("0.95", "person=0.5"), 0.5, 1),
        (("person=0.95",), 0.95, 0),
        (("Person=0.95",), 0.95, 0),  # the labels' word for it
        (("person=0.95", "0.2"), 0.95, 0),
        (("bicycle=0.95",), 0.3, 1),
    ],
)
def test_thresholds_can_be_chosen(
    model: Path, tmp_path: Path, given: tuple[str, ...], threshold: float, found: int
) -> None:
    data = folder(tmp_path, truth(0), classes="Person\n")
    options = [part for each in given for part in ("--threshold", each)]
    row = json.loads(run(model, data, "--json", *options).stdout)["per_class"]["Person"]
    assert (row["threshold"], row["found"]) == (threshold, found)
    assert row["AP"] == 1.0  # over all scores


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("much", "CLASS=SCORE, not 'much'"),
        ("person=much", "CLASS=SCORE, not 'person=much'"),
        ("1.5", "a score of 0.01 to 1"),
        ("0", "a score of 0.01 to 1"),
        ("nan", "a score of 0.01 to 1"),
        ("dragon=0.5", "names no class of the model"),
        ("ebike=0.5", "names no class of the model"),  # of the labels alone
    ],
)
def test_wrong_thresholds_are_refused(model: Path, tmp_path: Path, given: str, said: str) -> None:
    with pytest.raises(InputError, match="--threshold") as caught:
        run(model, folder(tmp_path, truth(1), classes="ebike\nperson\n"), "--threshold", given)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_model_of_the_catalogue_has_its_thresholds(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "models"
    kept.mkdir()
    (kept / "squares.onnx").write_bytes(model.read_bytes())
    content = model.read_bytes()
    (kept / "catalog.toml").write_text(
        f"""[[model]]
name = "squares"
version = "1"
summary = "bright squares"
classes = "coco"
input = [416, 416]
decoder = "yolox"
thresholds = {{ person = 0.95 }}
sha256 = "{hashlib.sha256(content).hexdigest()}"
size = {len(content)}
licence = "none"
source = "made by this test"
"""
    )
    monkeypatch.setenv("LINLI_MODELS", str(kept))
    (tmp_path / "data").mkdir()
    data = folder(tmp_path / "data", truth(0))
    rows = json.loads(run("squares", data, "--json").stdout)["per_class"]
    assert (rows["person"]["threshold"], rows["person"]["found"]) == (0.95, 0)
    assert rows["bicycle"]["threshold"] == 0.3
    lower = json.loads(run("squares", data, "--json", "--threshold", "0.4").stdout)
    assert lower["per_class"]["person"]["found"] == 1


def test_people_get_a_table(model: Path, tmp_path: Path) -> None:
    data = folder(tmp_path, truth(0) + truth(1, 200), classes="人\n电动车\nperson\n")
    lines = run(model, data).stdout.splitlines()
    assert lines[0] == "AP 0.000   AP50 0.000   2 pictures, IoU 0.5"
    rows = [line.split() for line in lines[1:-1]]
    assert rows[0][:4] == ["n", "found", "false", "on"]
    assert rows[1] == ["人", "1", "0", "0", "0", "-", "0.000", "0.000", "0.000", "-"]
    assert rows[2] == ["电动车", "1", "0", "0", "0", "-", "0.000", "0.000", "0.000", "-"]
    assert rows[3] == ["person", "0", "0", "1", "1", "0.000", "-", "-", "-", "0.3"]
    assert lines[-1] == "neither labelled nor said: 79 more classes of the model"


def test_help_has_an_example() -> None:
    assert (
        "linli models eval yolox_nano.onnx"
        in CliRunner().invoke(command, ["eval", "--help"]).output
    )


def test_names_of_classes_may_be_chinese(model: Path, tmp_path: Path) -> None:
    data = folder(
        tmp_path, truth(0) + truth(2, 200), classes="\ufeff电动车\r\n三轮车\r\nPerson\r\n"
    )
    model = model.rename(model.with_name("电动车.onnx"))
    try:
        result = CliRunner().invoke(command, ["eval", str(model), str(data), "--json"])
    finally:
        model.rename(model.with_name("square.onnx"))
    assert list(json.loads(result.stdout)["per_class"])[:2] == ["电动车", "Person"]
    assert "the model has no class 电动车: these objects count as not found" in result.stderr


@pytest.mark.parametrize(
    ("names", "known", "expected"),
    [
        (["cell phone", "Person"], ["person", "cell-phone"], {"cell-phone": 0, "person": 1}),
        (["电动车", "自行车"], ["电动车"], {"电动车": 0}),
        (["电动车1", "自行车1"], ["person"], {}),
        (["person", "dog"], ["cat"], {}),
        (["E-Bike", "cellphone"], ["ebike", "cell-phone"], {"ebike": 0, "cell-phone": 1}),
        (["ebike", "---"], ["e-bike"], {"e-bike": 0}),
    ],
)
def test_names_are_matched_as_ids_or_as_they_stand(
    names: list[str], known: list[str], expected: dict[str, int]
) -> None:
    assert match(names, known, "classes.txt") == expected


def test_two_names_of_one_class_are_refused() -> None:
    with pytest.raises(InputError, match="'Person' and 'person' are both"):
        match(["Person", "person"], ["person"], "classes.txt")


@pytest.mark.shared
@needs_shared("data")
def test_yolox_nano_is_as_good_as_its_reference() -> None:
    result = CliRunner().invoke(
        command,
        [
            "eval",
            str(SHARED / "models/yolox_nano.onnx"),
            str(SHARED / "data/coco-val128"),
            "--json",
        ],
    )
    measured = json.loads(result.stdout)
    assert measured["AP"] == pytest.approx(0.330, abs=0.005)
    assert measured["AP50"] == pytest.approx(0.498, abs=0.005)
    assert measured["per_class"]["person"]["AP50"] == pytest.approx(0.628, abs=0.01)
    assert measured["per_class"]["person"]["n"] == 350
