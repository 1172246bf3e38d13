"""Models that Linli brings, and models that classify."""

from __future__ import annotations

import shutil
from pathlib import Path

import colours
import pytest
import vision
from click.testing import CliRunner

from edge.catalog.book import Book
from edge.catalog.check import check_file, open_classifier, open_detector
from edge.catalog.digest import sha256_of
from edge.catalog.entry import Catalog, Entry
from edge.catalog.install import pull, remove
from edge.catalog.load import load_model
from linli.cli.models import command
from linli.cli.models.show import state
from linli.errors import InputError
from linli.settings import convert

COLOURS = {
    "name": "colours",
    "version": "7",
    "task": "classification",
    "summary": "dark or bright",
    "classes": ["dark", "bright"],
    "input": [colours.SIDE, colours.SIDE],
    "decoder": "softmax",
    "licence": "MIT",
    "source": "our own",
}


def entry(path: Path | None = None, **changes: object) -> Entry:
    facts = {"sha256": sha256_of(path), "size": path.stat().st_size} if path is not None else {}
    return convert({**COLOURS, **facts, **changes}, Entry, where="test")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return colours.colour_model(tmp_path_factory.mktemp("model") / "colours.onnx")


def test_a_classifier_of_the_catalogue_is_opened_with_its_threshold(model: Path) -> None:
    classifier = open_classifier(entry(model), model)
    assert classifier.model.name == "colours"
    assert classifier.classes.threshold == 0.8  # its file's own
    assert open_classifier(entry(model, threshold=0.6), model).classes.threshold == 0.6
    check_file(entry(model), model)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"classes": ["bright", "dark"]}, "has the classes dark, bright, the catalogue says"),
        ({"input": [32, 16]}, "has the input 16 x 16, the catalogue says 32 x 16"),
        ({"decoder": "yolox"}, "no decoder for classification is called 'yolox'"),
        ({"task": "detection"}, "no decoder for detection is called 'softmax'"),
        ({"task": "detection", "decoder": "yolox"}, "no decoder knows"),
        ({"size": 7}, "bytes, the file of model 'colours' has 7"),
    ],
)
def test_a_classifier_that_is_not_what_the_catalogue_says_is_refused(
    model: Path, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(InputError) as caught:
        check_file(entry(model, **changes), model)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_classifier_is_no_detector_and_the_other_way_round(model: Path, tmp_path: Path) -> None:
    shutil.copy(model, tmp_path / "colours.onnx")
    book = Book(Catalog(), Catalog(model=(entry(model),)), tmp_path)
    with pytest.raises(InputError, match="colours: is for classification, not for detection"):
        load_model("colours", book=book)
    with pytest.raises(InputError, match="is for detection, not for classification"):
        open_classifier(entry(model, task="detection"), model)
    with pytest.raises(InputError, match="one threshold, not one a class"):
        entry(model, thresholds={"dark": 0.5})


def test_a_classifier_of_ones_own_is_entered_checked_and_timed(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINLI_MODELS", str(tmp_path))

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(command, arguments, catch_exceptions=False)
        assert done.exit_code == 0
        return done.stdout

    run("add", str(model), "--name", "ours", "--licence", "MIT", "--source", "us")
    assert "ours: good" in run("verify").splitlines()
    assert "counts from  what its file says" in run("show", "ours")
    assert "ours" in run("bench", "--rounds", "1")
    with pytest.raises(InputError, match="its metadata names the classes dark, bright"):
        run(*("add", str(model), "--name", "b", "--licence", "MIT"), *("--classes", "x,y"))


def brought(folder: Path, **changes: object) -> Book:
    mine = entry(**{"aliases": ["builtin"], "sha256": "0" * 64, "size": 7, **changes})
    return Book(Catalog(model=(mine,)), Catalog(), folder)


def test_a_model_that_linli_brings_is_found_by_its_alias_and_stays(tmp_path: Path) -> None:
    book = brought(tmp_path, file="catalog.toml")  # any file that every installation has
    model = book.find("builtin")
    assert (model.origin, model.here, state(model)) == ("built-in", True, "wrong file")
    with pytest.raises(InputError, match=r"comes with Linli\. There is nothing to fetch"):
        pull(book, "builtin", progress=print, pause=print)
    with pytest.raises(InputError, match="comes with Linli and stays"):
        remove(book, "builtin")
    assert model.path.exists()


def test_a_model_that_linli_should_bring_and_does_not_is_said(tmp_path: Path) -> None:
    book = brought(tmp_path, file="builtin/none.onnx", task="detection", decoder="yolox")
    assert state(book.find("builtin")) == "missing"
    with pytest.raises(InputError, match=r"is not on this machine\. Install Linli again"):
        load_model("builtin", book=book)


def test_an_unknown_hash_is_not_compared(tmp_path: Path) -> None:
    path = vision.blind_model(tmp_path / "blind.onnx")
    unseen = entry(
        task="detection", classes="coco", decoder="yolox", input=[416, 416], threshold=0.5
    )
    assert open_detector(unseen, path).thresholds[0] == 0.5
