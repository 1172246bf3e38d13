import importlib.util
from pathlib import Path

import pytest
import vision

from edge.catalog.entry import Catalog
from linli.errors import InputError
from linli.settings import load

SCRIPT = Path(__file__).parents[2] / "models" / "ship.py"
spec = importlib.util.spec_from_file_location("ship", SCRIPT)
assert spec is not None
assert spec.loader is not None
script = importlib.util.module_from_spec(spec)
spec.loader.exec_module(script)

COMMENT = "# What stands here stays.\n"


def entries(folder: Path) -> list[tuple[str, int, str]]:
    models = load(folder / "catalog.toml", Catalog).model
    return [(entry.name, len(entry.quality), entry.file or "") for entry in models]


def test_a_new_file_takes_the_place_of_the_old_one_and_of_its_figures(tmp_path: Path) -> None:
    (tmp_path / "catalog.toml").write_text(COMMENT)
    (tmp_path / "builtin").mkdir()
    file = vision.blind_model(tmp_path / "builtin" / "a.onnx")
    said = {"summary": "sees nothing", "thresholds": {"person": 0.5}, "aliases": ["builtin"]}
    said["rivals"] = ["bicycle", "motorcycle"]
    script.ship(file, "ours", said, tmp_path)
    assert entries(tmp_path) == [("ours", 0, "builtin/a.onnx")]
    measured = {"on": "nothing", "how": "linli models eval ours", "figures": {"AP": 0.0}}
    script.ship(file, "ours", {"quality": [measured]}, tmp_path)
    script.ship(file, "ours", {}, tmp_path)
    assert entries(tmp_path) == [("ours", 1, "builtin/a.onnx")]
    vision.bright_square_model(file)
    entry = script.ship(file, "ours", {"thresholds": script.scores(["person=0.4"])}, tmp_path)
    assert entries(tmp_path) == [("ours", 0, "builtin/a.onnx")]
    assert (entry.thresholds, entry.aliases) == ({"person": 0.4}, ("builtin",))
    assert entry.rivals == ("bicycle", "motorcycle")
    assert (tmp_path / "catalog.toml").read_text().startswith(COMMENT)


def test_a_file_that_is_no_model_is_not_entered(tmp_path: Path) -> None:
    file = vision.model_of_unknown_family(tmp_path / "a.onnx")
    with pytest.raises(InputError, match="no decoder knows"):
        script.ship(file, "ours", {"summary": "a"}, tmp_path)
    assert not (tmp_path / "catalog.toml").exists()
