"""A recording through a configuration: why it begins or does not, doors, drawings, the command."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import cv2
import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from click.testing import CliRunner, Result

from edge.detect.detections import Detections
from edge.detect.detector import FakeDetector
from edge.look import Lack
from edge.pipeline import CameraPipeline
from edge.replay.course import Story, why
from edge.replay.draw import drawn
from edge.replay.folder import FolderSource
from edge.replay.held import held_door
from edge.replay.play import Played, Player
from edge.replay.strip import _MOST, Album, held, strip
from edge.settings import Camera, Line, Scenario, Zone
from linli.cli.edge.replay.command import replay as replay_command
from linli.cli.edge.replay.setup import as_recorded, of_config
from linli.clock import ManualClock
from linli.door_config import Door, HttpRelay
from linli.errors import InputError
from linli.hours import Window

CLIP = Path(__file__).parents[2] / "models/demo/elevator.mp4"
FLOOR = "0.18,0.74 0.49,0.43 0.73,0.6 0.84,1 0.18,1"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMES = ("person", "ebike")
FPS = 5.0
ZONE = Zone(id="car", points=((0.4, 0.0), (1.0, 0.0), (1.0, 1.0), (0.4, 1.0)))
RULE = Scenario(event="ebike-in-elevator", labels=("ebike",), zone="car", dwell=1.0, gone_after=2.0)
IN, OUT = (0.5, 0.3, 0.8, 0.9, 0.9, 1), (0.05, 0.3, 0.3, 0.9, 0.9, 1)
UNSURE = (0.5, 0.3, 0.8, 0.9, 0.2, 1)
DOOR = Door(
    id="lift-1",
    label="l",
    relay=HttpRelay(hold="http://192.0.2.1/?t={seconds}", release="http://192.0.2.1/"),
)
Row = tuple[float, ...]


def folder(path: Path, count: int, *, noise: bool = False) -> Path:
    path.mkdir(exist_ok=True)
    for old in path.iterdir():
        old.unlink()
    random = np.random.default_rng(1)
    image = np.full((60, 100, 3), 90, np.uint8)
    for number in range(count):
        if noise and not number:
            image = random.integers(0, 256, (240, 400, 3), np.uint8)
        cv2.imwrite(str(path / f"{number:04}.png"), image)
    return path


def play(
    tmp_path: Path, script: list[list[Row]], rule: Scenario = RULE, camera: Camera | None = None
) -> Player:
    camera = camera or Camera(
        id="c1", label="c", source="x", fps=FPS, zone=(ZONE,), scenario=(rule,)
    )
    clock = ManualClock(START)
    seen = []
    for rows in script:
        table = np.array(rows, np.float32).reshape(-1, 6)
        kinds = table[:, 5].astype(np.int64)
        seen.append(Detections(table[:, :4], table[:, 4], kinds, NAMES))
    pipeline = CameraPipeline(
        camera, FakeDetector(NAMES, seen, rivals=NAMES), clock, zone=ZoneInfo("Asia/Shanghai")
    )
    source = FolderSource(folder(tmp_path / "in", len(script)), every=1 / FPS, clock=clock)
    return Player(camera, pipeline, source, clock, [held_door(DOOR)])


def played(player: Player) -> Played:
    for _ in player.moments():
        pass
    return player.played


def story(tmp_path: Path, script: list[list[Row]], rule: Scenario = RULE) -> Story:
    return played(play(tmp_path, script, rule)).stories[0]


@pytest.mark.parametrize(
    ("script", "rule", "says"),
    [
        pytest.param(
            [[IN]] * 3 + [[]] * 20, {}, "votes|nearest at 0.4 s: dwell 0.4 of 1$", id="dwell"
        ),
        pytest.param(
            [[IN]] * 2 + [[UNSURE]] * 10 + [[]] * 12,
            {"dwell": 0.1},
            r"nearest at 0.2 s: votes 2 of 3$",
            id="votes",
        ),
        pytest.param(
            [[OUT]] * 7, {}, "not counted: 7 frames outside the zone$", id="outside the zone"
        ),
        pytest.param(
            [[IN]] * 7,
            {"during": (Window(begin="22:00", end="06:00"),)},
            "not counted: 7 frames outside its hours$",
            id="outside the hours",
        ),
        pytest.param(
            [[(*IN[:4], 0.35, 1)]] * 7,
            {"score": 0.6},
            "nothing of its kinds was followed",
            id="never sure",
        ),
        pytest.param(
            [[IN]] * 7,
            {"at_least": 2},
            "not counted: 7 frames too few at once, nearest at_least 1 of 2$",
            id="too few",
        ),
        pytest.param([[(*IN[:5], 0)]] * 7, {}, "nothing of its kinds was followed", id="a person"),
        pytest.param(
            [[IN]] * 12,
            {"shadow": True},
            "begins at 1.0 s in shadow: nothing is sent",
            id="in shadow",
        ),
        pytest.param(
            [[IN]] * 8 + [[]] * 20,
            {},
            r"ebike \(best 0.90\): begins at 1.0 s, last seen 1.4 s, ends at 3.4 s",
            id="begins",
        ),
        pytest.param(
            [[IN]] * 8, {}, "last seen 1.4 s, ends at 1.4 s", id="ends with the recording"
        ),
    ],
)
def test_why_it_begins_or_does_not(
    tmp_path: Path, script: list[list[Row]], rule: dict[str, object], says: str
) -> None:
    found = story(tmp_path, script, msgspec.structs.replace(RULE, **rule))
    assert any(re.search(says, line) for line in why(found)), why(found)


def test_no_door_is_held_for_what_was_called_something_else_so_far_and_it_is_said(
    tmp_path: Path,
) -> None:
    rule = msgspec.structs.replace(RULE, door="lift-1", doubt=3.0)
    other = (*IN[:5], 0)
    script = [[other]] * 10 + [[IN]] + [[other]] * 20
    said = played(play(tmp_path, script, rule))
    (doubted,) = said.stories
    assert held(said.doors[0]) == "never"
    assert why(doubted)[-1] == (
        "no suspicion for a door: 1 frame called something else so far, nearest rival 0.11 of 0.33"
    )
    assert why(doubted)[0].endswith("votes 1 of 3, dwell 0 of 1")
    said = played(play(tmp_path, script, msgspec.structs.replace(rule, doubt=0.0)))
    assert held(said.doors[0]) == "2.0 s to 5.0 s (suspicion)"


def test_the_same_object_back_in_the_cooldown_begins_nothing_and_it_is_said(tmp_path: Path) -> None:
    found = story(tmp_path, [[IN]] * 8 + [[]] * 12 + [[IN]] * 8)
    assert len(found.begun) == 1
    assert [span.phase for span in found.spans] == ["suspect", "confirmed", "cooldown"]
    assert (found.courses[0].begun, found.courses[0].ended) == pytest.approx((1.0, 3.4))


def test_of_many_that_did_not_begin_the_nearest_are_told(tmp_path: Path) -> None:
    found = story(tmp_path, [[IN]])
    (course,) = found.courses
    found.courses = [
        replace(course, number=n, lacks=(Lack("dwell", float(n), 100.0),)) for n in range(50)
    ]
    said = why(found)
    assert len(said) == 21
    assert "dwell 49 of 100" in said[-2]
    assert "dwell 30 of 100" in said[0]
    assert said[-1] == "30 more did not begin, none came nearer"


def test_the_door_is_held_as_the_lease_says(tmp_path: Path) -> None:
    rule = msgspec.structs.replace(RULE, door="lift-1")
    (door,) = played(play(tmp_path, [[IN]] * 11 + [[]] * 30, rule)).doors
    assert held(door) == "0.0 s to 6.0 s (sight)"
    (door,) = played(play(tmp_path, [[IN]] + [[]] * 30, rule)).doors
    assert held(door) == "0.0 s to 3.0 s (suspicion)"
    (door,) = played(play(tmp_path, [[IN]] * 3, rule)).doors
    assert held(door) == "0.0 s to the end (suspicion)"
    (door,) = played(play(tmp_path, [[IN]] * 11, RULE)).doors
    assert held(door) == "never"


def test_lines_are_counted_to_the_end(tmp_path: Path) -> None:
    line = Line(id="gate", points=((0.5, 0.0), (0.5, 1.0)))
    camera = Camera(id="c1", label="c", source="x", fps=FPS, line=(line,))
    script: list[list[Row]] = [
        [(0.2 + 0.05 * n, 0.3, 0.3 + 0.05 * n, 0.9, 0.9, 0)] for n in range(10)
    ]
    player = play(tmp_path, script, camera=camera)
    assert played(player).counts == {"gate": {"in": 0, "out": 1, "occupancy": 0}}


def test_what_is_drawn_shows_no_head_and_nothing_where_nobody_looked(tmp_path: Path) -> None:
    person = (0.45, 0.2, 0.55, 0.8, 0.9, 0)
    folder(tmp_path / "in", 1, noise=True)
    player = play(tmp_path, [[]])
    folder(tmp_path / "in", 1, noise=True)
    (clean,) = [drawn(one, Camera(id="c", label="c", source="x")) for one in player.moments()]
    player = play(tmp_path, [[person]])
    folder(tmp_path / "in", 1, noise=True)
    (hidden,) = [drawn(one, Camera(id="c", label="c", source="x")) for one in player.moments()]
    head = (slice(70, 95), slice(226, 254))
    assert detail(clean[head]) > 20
    assert detail(hidden[head]) < 8

    class Blind:
        frame = type("F", (), {"image": np.zeros((60, 100, 3), np.uint8)})
        found, looks, news = Detections.nothing(NAMES), [], False

        def picture(self) -> None:
            return None

    grey = drawn(Blind(), Camera(id="c", label="c", source="x"))  # type: ignore[arg-type]
    assert int(grey.min()) < 100  # the words
    assert np.median(grey) == 200


def detail(part: npt.NDArray[np.uint8]) -> float:
    return float(np.abs(np.diff(part.astype(np.int16), axis=1)).mean())


def test_the_album_is_bounded_however_long_the_recording() -> None:
    album = Album()
    picture = np.zeros((40, 60, 3), np.uint8)
    for number in range(5000):
        if album.wants(news=number % 7 == 0):
            album.keep(number / 5, picture, news=number % 7 == 0)
    assert len(album._news) <= _MOST
    assert len(album._between) <= _MOST
    assert len(album.chosen()) == 4
    assert strip(Played([], []), Album(), "empty").shape[1] == 1280


def replay(*arguments: object) -> Result:
    return CliRunner().invoke(replay_command, [str(one) for one in arguments])


def test_the_clip_begins_one_ebike_and_is_drawn(tmp_path: Path) -> None:
    sheet, film = tmp_path / "s.png", tmp_path / "v.mp4"
    done = replay(
        CLIP, "--pack", "ebike-in-elevator", "--zone", FLOOR, "--start", "2026-03-01T08:00",
        "--strip", sheet, "--video", film, "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    (rule,) = said["scenarios"]
    (session,) = rule["sessions"]
    assert (rule["begun"], session["label"]) == (1, "ebike")
    assert 7 < session["first"] < session["begun"] < 10 < session["ended"]
    assert session["ended"] == round(session["ended"], 3)
    assert said["start"] == "2026-03-01T00:00:00+00:00"
    drawn_sheet = cv2.imread(str(sheet))
    assert drawn_sheet is not None
    assert drawn_sheet.shape[1] == 1280
    video = cv2.VideoCapture(str(film))
    assert int(video.get(cv2.CAP_PROP_FRAME_COUNT)) == said["frames"] == 85
    good, frame = video.read()
    assert good
    assert frame.shape[0] > 360  # the words below


CONFIG = """
[node]
site = "c001"
area = "b03"
id = "c001-n07"

[[camera]]
id = "c1"
label = "c"
source = "rtsp://linli:{password}@192.0.2.7/stream2"
evidence_source = "rtsp://linli:{password}@192.0.2.7/stream1"
password_file = "nowhere.password"

[[camera.zone]]
id = "car"
points = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]

[[camera.scenario]]
pack = "closed-zone-entry"
zone = "car"

[[camera]]
id = "c2"
label = "c"
source = "pattern:empty"
"""


def test_a_live_camera_is_replayed_as_it_is_watched_live(tmp_path: Path) -> None:
    (tmp_path / "edge.toml").write_text(CONFIG)
    live = of_config(tmp_path / "edge.toml", "c1", None)
    camera = as_recorded(live, tmp_path / "a.mp4", None, None).camera
    assert (camera.source_kind, camera.addresses, camera.password_file) == ("file", (), None)
    assert (camera.gated, camera.watched_over) == (True, True)
    drawn_one = of_config(tmp_path / "edge.toml", "c2", None)
    camera = as_recorded(drawn_one, tmp_path / "a.mp4", 2.0, None).camera
    assert (camera.gated, camera.watched_over, camera.fps) == (False, False, 2.0)


def test_a_folder_through_a_configuration_at_the_hour_it_was_recorded(tmp_path: Path) -> None:
    config = tmp_path / "edge.toml"
    config.write_text(CONFIG)
    pictures = folder(tmp_path / "night", 3)
    (pictures / "0001.png").write_bytes(b"no picture")
    (pictures / "notes.txt").write_text("no picture either")
    done = replay(pictures, "--config", config, "--camera", "c1", "--every", 1)
    assert done.exit_code == 0, done.output
    assert "2.0 s, 2 frames" in done.output
    assert "closed-zone-entry in car: 0 begun" in done.output
    assert "nothing of its kinds was followed (person)" in done.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "give --config or --pack"),
        (("--pack", "loitering", "--config", "CONFIG"), "give --config or --pack"),
        (("--pack", "loitering", "--camera", "c1"), "--camera goes with --config"),
        (("--pack", "loitring"), "there is no pack 'loitring'"),
        (("--pack", "loitering", "--zone", "1,2"), "--pack"),
        (("--pack", "loitering", "--zone", "left"), "is not like"),
        (("--pack", "loitering", "--start", "noon"), "noon"),
        (("--pack", "blocked-fire-lane"), "knows no car"),
        (("--pack", "loitering", "--every", "5", "--fps", "30"), None),
        (("--pack", "ebike-in-elevator", "--every", "5"), "gone_after must be at least"),
        (("--pack", "loitering", "--model", "nothing"), "nothing"),
        (("--pack", "loitering", "--video", "seen.avi"), "written as .mp4"),
        (("--pack", "loitering", "--strip", "seen.jpg"), "written as .png"),
        (("--pack", "loitering", "--strip", "no/such/folder.png"), "No such file"),
        (("--config", "CONFIG"), "has 2 cameras"),
        (("--config", "CONFIG", "--camera", "c3"), "there is no camera 'c3'"),
        (("--config", "nothing.toml"), "nothing.toml"),
    ],
)
def test_what_cannot_be_played_is_one_clear_error(
    tmp_path: Path, arguments: tuple[str, ...], says: str | None
) -> None:
    (tmp_path / "edge.toml").write_text(CONFIG)
    given = [str(tmp_path / "edge.toml") if one == "CONFIG" else one for one in arguments]
    done = replay(folder(tmp_path / "in", 2), *given)
    told = f"{done.exception} {done.output}"
    if says is None:
        assert done.exit_code == 0, told
    else:
        assert says in told
        assert isinstance(done.exception, InputError | SystemExit)
        assert done.exit_code != 0


@pytest.mark.parametrize("what", ["missing", "empty", "text", "broken"])
def test_what_is_no_recording_is_said(tmp_path: Path, what: str) -> None:
    path = tmp_path / what
    if what == "empty":
        path.mkdir()
    elif what == "text":
        path.write_text("no video")
    elif what == "broken":
        path.mkdir()
        (path / "a.png").write_bytes(b"no picture")
    done = replay(path, "--pack", "loitering")
    assert isinstance(done.exception, InputError), done.output
