from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest
import vision
from click.testing import CliRunner

from linli.cli.models import command
from linli.cli.models.evaluate import match
from linli.errors import InputError

SHARED = Path(__file__).parents[3] / "shared"
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


@pytest.mark.parametrize(
    ("label", "classes", "expected"),
    [
        (truth(0), None, {"AP": 1.0, "AP50": 1.0, "per_class": {"person": (1.0, 1.0, 1)}}),
        (
            truth(1),
            "ebike\nperson\n",
            {"AP": 1.0, "AP50": 1.0, "per_class": {"person": (1.0, 1.0, 1)}},
        ),
        (
            truth(0),
            "ebike\nperson\n",
            {"AP": 0.0, "AP50": 0.0, "per_class": {"ebike": (0.0, 0.0, 1)}},
        ),
        (truth(0, 12), None, {"AP": 0.5, "AP50": 1.0, "per_class": {"person": (0.5, 1.0, 1)}}),
        (
            truth(0) + truth(0, 200),
            None,
            {"AP": 0.505, "AP50": 0.505, "per_class": {"person": (0.505, 0.505, 2)}},
        ),
    ],
)
def test_boxes_are_measured_as_coco_does(
    model: Path, tmp_path: Path, label: str, classes: str | None, expected: dict[str, object]
) -> None:
    data = folder(tmp_path, label, classes=classes)
    result = CliRunner().invoke(command, ["eval", str(model), str(data), "--json"])
    measured = json.loads(result.stdout)
    rows = {name: (row["AP"], row["AP50"], row["n"]) for name, row in measured["per_class"].items()}
    assert {**measured, "per_class": rows} == {
        key: pytest.approx(value, abs=0.001)
        if isinstance(value, float)
        else {
            name: pytest.approx(row, abs=0.001)
            for name, row in value.items()  # type: ignore[attr-defined]
        }
        for key, value in expected.items()
    }
    assert "2/2 pictures" in result.stderr


def test_people_get_a_table(model: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["eval", str(model), str(folder(tmp_path, truth(0)))])
    assert result.stdout.splitlines()[0] == "AP 1.000   AP50 1.000"
    assert result.stdout.splitlines()[1].split() == [
        "person",
        "AP",
        "1.000",
        "AP50",
        "1.000",
        "n",
        "1",
    ]


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
    assert list(json.loads(result.stdout)["per_class"]) == ["电动车", "Person"]
    assert "the model has no class 电动车: these objects count as not found" in result.stderr


@pytest.mark.parametrize(
    ("names", "known", "expected"),
    [
        (["cell phone", "Person"], ["person", "cell-phone"], {"cell-phone": 0, "person": 1}),
        (["电动车", "自行车"], ["电动车"], {"电动车": 0}),
        (["电动车1", "自行车1"], ["person"], {}),
        (["person", "dog"], ["cat"], {}),
    ],
)
def test_names_are_matched_as_ids_or_as_they_stand(
    names: list[str], known: list[str], expected: dict[str, int]
) -> None:
    assert match(names, known) == expected


def test_two_names_of_one_class_are_refused() -> None:
    with pytest.raises(InputError, match="'Person' and 'person' are both"):
        match(["Person", "person"], ["person"])


@pytest.mark.parametrize(
    ("label", "classes", "said"),
    [
        ("99 0.5 0.5 0.1 0.1\n", None, "line 1 must be class (0..79)"),
        ("0 0.5 0.5 0.1\n", None, "line 1 must be"),
        ("0 0.5 0.5 0.1 0.1 0.9\n", None, "line 1 must be"),
        ("\nx 0.5 0.5 0.1 0.1\n", None, "line 2 must be"),
        ("", None, "no labelled object"),
        (truth(0), "\n", "one name a line"),
        (truth(0), "a\na\n", "one name a line"),
    ],
)
def test_bad_folders_are_refused(
    model: Path, tmp_path: Path, label: str, classes: str | None, said: str
) -> None:
    data = folder(tmp_path, label, classes=classes)
    with pytest.raises(InputError) as caught:
        CliRunner().invoke(command, ["eval", str(model), str(data)], catch_exceptions=False)
    assert said in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_folders_and_broken_pictures_are_refused(model: Path, tmp_path: Path) -> None:
    def run() -> str:
        with pytest.raises(InputError) as caught:
            CliRunner().invoke(command, ["eval", str(model), str(tmp_path)], catch_exceptions=False)
        return str(caught.value)

    assert "must hold images/ and labels/" in run()
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    assert "no pictures" in run()
    (tmp_path / "images" / "a.jpg").write_text("no picture")
    assert "not a picture" in run()


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "data").is_dir(), reason="no labelled photographs in ../shared")
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
    assert measured["AP"] == pytest.approx(0.330, abs=0.01)
    assert measured["AP50"] == pytest.approx(0.498, abs=0.01)
    assert measured["per_class"]["person"]["AP50"] == pytest.approx(0.628, abs=0.02)
