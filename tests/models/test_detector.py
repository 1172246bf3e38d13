"""The detector that Linli brings keeps what its card promises, where the photographs are."""

import json

import pytest
from beside import SHARED, needs_shared
from click.testing import CliRunner

from edge.catalog.load import load_model
from linli.cli.models import command
from linli.resources import resource

DATA = SHARED / "data"
needs_photographs = needs_shared("data")


def measured(folder: str) -> dict[str, dict[str, float]]:
    arguments = ["eval", "builtin", str(DATA / folder), "--iou", "0.3", "--json"]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.stderr
    per_class: dict[str, dict[str, float]] = json.loads(result.stdout)["per_class"]
    return per_class


def test_it_is_small_and_knows_what_must_not_alarm() -> None:
    detector = load_model("builtin")
    assert detector.names == ("person", "ebike", "bicycle", "stroller", "wheelchair")
    for file in ("detector.onnx", "second.onnx"):
        assert resource("models", "builtin", file).stat().st_size < 4_000_000


@pytest.mark.shared
@needs_photographs
def test_e_bikes_and_people_are_found_in_real_elevators() -> None:
    seen = measured("elevator-ebike-dev")
    assert (seen["ebike"]["n"], seen["person"]["n"]) == (17, 12)
    assert seen["ebike"]["found"] >= 12
    assert seen["ebike"]["false"] <= 1
    assert seen["person"]["found"] >= 11


@pytest.mark.shared
@needs_photographs
def test_a_wheelchair_is_hardly_ever_called_an_e_bike() -> None:
    assert measured("wheelchair-dev")["ebike"]["pictures_with_false"] <= 1
