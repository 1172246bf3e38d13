"""`linli states`, as a property manager uses it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import places
import pytest
import vision

from linli.cli.main import main

Run = Callable[..., tuple[int, str, str]]
CROP = ",".join(str(value) for value in places.LAMP)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["states", *map(str, arguments)])
        said = capsys.readouterr()
        code = ended.value.code
        return int(code) if isinstance(code, int) else 0, said.out, said.err

    return call


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("lamp")
    pictures = places.write_folders(places.lamps(4), root / "lamp-1")
    with pytest.raises(SystemExit):
        main(["states", "teach", str(pictures), "--crop", CROP, "--out", str(root / "lamp.json")])
    return root


def test_teaching_says_how_well_each_state_is_known(run: Run, folder: Path, tmp_path: Path) -> None:
    out, sheet = tmp_path / "lamp.json", tmp_path / "sheet.jpg"
    code, said, _ = run(
        "teach", folder / "lamp-1", "--crop", CROP, "--out", out, "--sheet", sheet, "--json"
    )
    document = json.loads(said)
    assert code == 0
    assert [(one["state"], one["pictures"], one["known"]) for one in document["states"]] == [
        ("off", 4, 1.0),
        ("on", 4, 1.0),
    ]
    assert document["states"][0]["advice"] == ["only 4 pictures: add some, in other light"]
    assert document["flickering"] is True
    assert document["crop"] == list(places.LAMP)
    assert document["bytes"] == out.stat().st_size
    drawn = cv2.imread(str(sheet))
    assert drawn is not None
    assert drawn.shape[1] == 6 * 192


def test_plain_words(run: Run, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "lamp.json"
    code, said, _ = run("teach", folder / "lamp-1", "--crop", CROP, "--out", out)
    assert code == 0
    assert "4 of 4 known when left out" in said
    assert "off: only 4 pictures: add some, in other light" in said
    assert "flickering is seen by itself" in said
    code, said, _ = run("show", out)
    assert code == 0
    assert f"crop {CROP}" in said
    document = json.loads(run("show", out, "--json")[1])
    assert len(document["sha256"]) == 64


def test_a_state_that_was_never_known_is_written_only_by_force(run: Run, tmp_path: Path) -> None:
    lamps = places.lamps(4)
    others = [places.lamp(lit=lit, day=0.5, seed=90) for lit in (0, 1)]
    alike = {"half": others, **lamps}
    pictures, out = places.write_folders(alike, tmp_path / "lamp-1"), tmp_path / "lamp.json"
    arguments = ("teach", pictures, "--crop", CROP, "--out", out)
    code, said, err = run(*arguments)
    assert (code, out.exists()) == (2, False)
    assert "half           0 of 2 known when left out" in said
    assert "half: not written: none of its pictures was known when left out. Add" in err
    code, said, _ = run(*arguments, "--json")
    assert (code, json.loads(said)["file"], out.exists()) == (2, None, False)
    code, said, _ = run(*arguments, "--force")
    assert (code, out.exists()) == (0, True)
    assert "lamp.json: " in said


def test_trying_other_pictures(run: Run, folder: Path, tmp_path: Path) -> None:
    others = {
        "off": [places.lamp(lit=0, day=0.4, seed=90)],
        "on": [places.lamp(lit=0, day=0.4, seed=91)],
        "later": [np.zeros((60, 80, 3), np.uint8)],
    }
    pictures = places.write_folders(others, tmp_path / "other")
    sheet = tmp_path / "tried.jpg"
    code, said, _ = run("try", folder / "lamp.json", pictures, "--sheet", sheet)
    assert code == 0
    lines = said.splitlines()
    assert "later/0.png: unknown: too dark to tell" in lines[0]
    assert "off/0.png: off (0." in lines[1]
    assert lines[2].endswith("WRONG")
    assert lines[3] == "2 pictures of known state: 1 right, 1 wrong, 0 unknown"
    assert sheet.stat().st_size > 1000
    rows = [
        json.loads(line)
        for line in run("try", folder / "lamp.json", pictures, "--json")[1].splitlines()
    ]
    assert [row.get("verdict") for row in rows] == [None, "right", "wrong", None]
    assert rows[0]["why"] == "dark"
    assert rows[3] == {"pictures": 2, "right": 1, "wrong": 1, "unknown": 0}


def clip(path: Path, lit: Callable[[float], float], seconds: float) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (80, 60))
    for number in range(round(seconds * 10)):
        writer.write(places.lamp(lit=lit(number / 10), day=0.4, seed=number))
    writer.release()
    return path


def test_trying_a_video_shows_flicker(run: Run, folder: Path, tmp_path: Path) -> None:
    video = clip(tmp_path / "lamp.mp4", lambda t: float((t * 1.2) % 1 < 0.5 or t < 5), 25)
    code, said, _ = run("try", folder / "lamp.json", video, "--json")
    rows: list[dict[str, Any]] = [json.loads(line) for line in said.splitlines()]
    assert code == 0
    assert [row["state"] for row in rows] == ["on", "flickering"]
    assert rows[1]["rate"] == pytest.approx(1.2, rel=0.2)
    code, said, _ = run("try", folder / "lamp.json", video)
    assert "s flickering (1." in said
    dark = clip(tmp_path / "dark.mp4", lambda _: 0.0, 2)
    _, said, _ = run("try", folder / "lamp.json", dark, "--crop", "0,0.9,0.05,1")
    assert "unknown" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "none.json"], "none.json: cannot be read"),
        (["teach", "none", "--out", "x.json"], "none: no such folder"),
        (["teach", "empty", "--out", "x.json"], "empty: holds no folder"),
        (["teach", "one", "--out", "x.json"], "teach 2 to 12 states, not 1"),
        (["teach", "two", "--out", "x.json"], "0.jpg: not a picture"),
        (["teach", "many", "--out", "x.json"], "21 pictures; 20 at most"),
        (["teach", "twins", "--out", "x.json"], "on/9.png: is the same picture as twins/off/"),
        (["teach", "good", "--out", "none/x.json"], "none/x.json: cannot be written"),
        (["teach", "good", "--crop", "1,2", "--out", "x"], "'1,2'"),
        (["teach", "good", "--crop", "0.5,0.5,0.501,0.501", "--out", "x"], "12 x 12 are needed"),
        (["teach", "中文", "--out", "x.json"], "not '满'. Such as empty (空)"),
        (["teach", "good", "--crop", "0,0,2,1", "--out", "x"], "in 0..1"),
        (["try", "lamp.json", "one"], "one: no pictures in it"),
        (["try", "lamp.json", "none.jpg"], "none.jpg: cannot be read"),
        (["try", "lamp.json", "two/on/0.jpg"], "0.jpg: not a picture"),
        (["take", "cam", "Full", "--crop", "0,0,1,1", "--into", "x", "--config", "x"], "'Full'"),
    ],
)
def test_mistakes_are_one_line(
    run: Run,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("empty", "one/on", "two/on", "two/off", "many/on", "many/off"):
        Path(name).mkdir(parents=True)
    for name in ("two/on", "two/off"):
        for number in range(2):
            Path(name, f"{number}.jpg").write_bytes(b"not a jpeg")
    for number in range(21):
        for name in ("many/on", "many/off"):
            Path(name, f"{number}.png").touch()
    places.write_folders(places.lamps(2), Path("good"))
    places.write_folders(places.lamps(2), Path("twins"))
    for name in ("中文/满", "中文/空"):
        Path(name).mkdir(parents=True)
    shutil.copy(next(Path("twins/off").iterdir()), "twins/on/9.png")
    Path("lamp.json").write_bytes((folder / "lamp.json").read_bytes())
    code, out, err = run(*arguments)
    assert code == 2
    assert words in err
    assert "Traceback" not in err
    assert out == ""


CONFIG = """
[node]
site = "c001"
area = "b03"
id = "c001-n07"
[model]
file = "model.onnx"
[[camera]]
id = "cam"
label = "c"
source = "{source}"
speed = "max"
[[camera.state]]
id = "lamp-1"
file = "lamp.json"
{extra}
"""


def settings(folder: Path, source: str, extra: str = "") -> Path:
    vision.bright_square_model(folder / "model.onnx")
    path = folder / "edge.toml"
    path.write_text(CONFIG.format(source=source, extra=extra))
    return path


def test_an_example_is_taken_when_nobody_is_there(run: Run, tmp_path: Path) -> None:
    config = settings(tmp_path, "pattern:empty")
    into = tmp_path / "bin-3"
    arguments = ["full", "--crop", "0.3,0.3,0.6,0.6", "--into", into, "--config", config]
    code, said, _ = run("take", "cam", *arguments, "--json")
    assert code == 0
    path = Path(json.loads(said)["file"])
    taken = cv2.imread(str(path))
    assert taken is not None
    assert path.parent == into / "full"
    height, width = taken.shape[:2]
    assert taken[int(0.4 * height), int(0.4 * width)].max() > 20
    for y, x in ((0.1, 0.4), (0.9, 0.4), (0.4, 0.1), (0.4, 0.9)):
        assert taken[int(y * height), int(x * width)].max() < 10
    code, _, err = run("take", "cam-2", *arguments)
    assert (code, "There is: cam" in err) == (2, True)


def test_no_picture_is_taken_of_people(run: Run, tmp_path: Path) -> None:
    vision.square_clip(tmp_path / "clip.mp4", seconds=3, enters=0, leaves=3)
    config = settings(tmp_path, "clip.mp4")
    code, said, err = run(
        *("take", "cam", "full", "--crop", "0.1,0,0.9,1"),
        *("--into", tmp_path / "x", "--config", config),
    )
    assert (code, said) == (2, "")
    assert "somebody was there all the time" in err
    assert not (tmp_path / "x").exists()


def test_settings_with_states_are_checked(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = settings(tmp_path, "pattern:empty", 'alarm = ["full"]\nevent = "bin-full"')
    with pytest.raises(SystemExit):
        main(["edge", "check", "--config", str(config)])
    assert "lamp.json: cannot be read" in capsys.readouterr().err
    (tmp_path / "lamp.json").write_bytes((folder / "lamp.json").read_bytes())
    with pytest.raises(SystemExit):
        main(["edge", "check", "--config", str(config)])
    assert "alarm names 'full', which was not taught" in capsys.readouterr().err
