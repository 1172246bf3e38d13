from __future__ import annotations

import json
from pathlib import Path

import colours
import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from edge.classify.classifier import load_classifier
from linli.cli.models.classification.folder import read_sorted
from linli.cli.models.classification.measure import OTHER, Figures, measure
from linli.cli.models.classification.report import document, table
from linli.cli.models.classification.run import measure_folder
from linli.cli.models.evaluate import evaluate
from linli.errors import InputError


def pictures(folder: Path, kind: str, *greys: int) -> None:
    (folder / kind).mkdir(parents=True, exist_ok=True)
    for number, grey in enumerate(greys):
        cv2.imwrite(str(folder / kind / f"{number}.png"), colours.plain(grey))


def measured(folder: Path) -> tuple[Figures, list[str]]:
    said: list[str] = []
    model = colours.colour_model(folder.parent / "colours.onnx")
    return measure_folder(load_classifier(model), folder, 0.8, said.append), said


def test_a_folder_for_each_class_is_measured(tmp_path: Path) -> None:
    folder = tmp_path / "sorted"
    pictures(folder, "bright", 220, 230, 30, 130)
    pictures(folder, "dark", 20, 40)
    pictures(folder, "cats", 200, 129, 127, 132)
    figures, said = measured(folder)
    assert said == ["10/10 pictures"]
    assert document(figures) == {
        "pictures": 10,
        "accuracy": round(5 / 6, 4),
        "ece": pytest.approx((0.44 + 1.0) / 6, abs=0.01),
        "threshold": 0.8,
        "named": round(5 / 6, 4),
        "accuracy_of_named": 0.8,
        "others": 4,
        "others_unknown": 0.75,
        "per_class": {
            "dark": {"precision": round(2 / 3, 4), "recall": 1.0, "n": 2, "said": {"dark": 2}},
            "bright": {
                "precision": round(2 / 3, 4),
                "recall": 0.5,
                "n": 4,
                "said": {"dark": 1, "bright": 2, "unknown": 1},
            },
        },
    }
    lines = list(table(figures))
    assert lines[0].startswith("accuracy 0.833")
    assert lines[2] == "other things: 4, called unknown 0.750"
    assert lines[-1].split() == ["bright", "4", "0.667", "0.500"]


def test_no_figure_is_not_zero() -> None:
    rows = np.array([[0.6, 0.4], [0.55, 0.45]], np.float32)
    figures = measure(rows, np.array([0, 0]), ("a", "b"), 0.9)
    assert (figures.named, figures.accuracy_of_named, figures.refused) == (0.0, None, None)
    assert (figures.classes["b"].precision, figures.classes["b"].recall) == (None, None)
    assert document(figures)["others_unknown"] is None


def test_pictures_of_other_things_do_not_count_as_mistakes_in_accuracy() -> None:
    rows = np.array([[0.9, 0.1], [0.9, 0.1]], np.float32)
    figures = measure(rows, np.array([0, OTHER]), ("a", "b"), 0.5)
    assert (figures.accuracy, figures.refused) == (1.0, 0.0)
    assert figures.classes["a"].precision == 0.5


def test_folders_are_named_as_classes_or_their_ids(tmp_path: Path) -> None:
    for name in ("Cell Phone", "纸"):
        pictures(tmp_path, name, 5)
    (tmp_path / "Cell Phone" / "notes.txt").write_text("not a picture")
    truths = [p.truth for p in read_sorted(tmp_path, ["book", "cell-phone"])]
    assert truths == [1, None]


def test_what_cannot_be_measured_is_refused(tmp_path: Path) -> None:
    names = ["dark", "bright"]
    with pytest.raises(InputError, match="no such folder"):
        read_sorted(tmp_path / "nowhere", names)
    with pytest.raises(InputError, match="no pictures in sub-folders"):
        read_sorted(tmp_path, names)
    pictures(tmp_path / "sorted", "cats", 5)
    with pytest.raises(InputError, match="The model's classes: dark, bright"):
        read_sorted(tmp_path / "sorted", names)
    pictures(tmp_path / "sorted", "dark", 5)
    (tmp_path / "sorted" / "dark" / "z.jpg").write_bytes(b"\xff\xd8broken")
    with pytest.raises(InputError, match=r"z\.jpg: not a picture"):
        measured(tmp_path / "sorted")


def eval_of(folder: Path, *options: str) -> dict[str, object]:
    model = colours.colour_model(folder.parent / "colours.onnx")
    result = CliRunner().invoke(
        evaluate, [str(model), str(folder), "--json", *options], catch_exceptions=False
    )
    answer: dict[str, object] = json.loads(result.stdout)
    return answer


def test_the_command_takes_classifiers_too(tmp_path: Path) -> None:
    folder = tmp_path / "sorted"
    pictures(folder, "bright", 220, 132)
    assert (eval_of(folder)["threshold"], eval_of(folder)["named"]) == (0.8, 0.5)
    assert eval_of(folder, "--threshold", "0.55")["named"] == 1.0
    for options, said in (
        (["--threshold", "bright=0.5"], "A classifier has one threshold"),
        (["--threshold", "0"], "must be a probability above 0"),
        (["--pictures", str(tmp_path / "drawn")], "are for detectors"),
    ):
        with pytest.raises(InputError, match=said):
            eval_of(folder, *options)
