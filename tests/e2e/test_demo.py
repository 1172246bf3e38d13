"""The main job from a video file to a person's page, with real processes and a real model."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import psutil
import pytest
from beside import SHARED, needs_shared
from brokers import NEEDS_MOSQUITTO
from demos import RunningDemo, run_demo
from vision import bright_square_model, empty_clip, model_of_unknown_family, square_clip

from edge.settings import load_settings
from linli.cli.demo.files import write_files
from linli.cli.demo.inputs import DemoInputs
from linli.cli.demo.scene import Scene

VIDEO = SHARED / "media" / "one-by-one-person.mp4"
MODEL = SHARED / "models" / "yolox_nano.onnx"
NEEDS_SHARED = needs_shared("media/one-by-one-person.mp4", "models/yolox_nano.onnx")
KEYS = {
    *("frames_read", "frames_inferred", "detections", "tracks", "events_produced"),
    *("events_stored", "duplicates", "lost", "rejected", "incidents", "latency_ms", "rss_mb"),
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bright_square_model(tmp_path_factory.mktemp("model") / "square.onnx")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return square_clip(tmp_path_factory.mktemp("clip") / "a.mp4", seconds=8, enters=1, leaves=6)


@pytest.mark.parametrize(
    "broker", [pytest.param("", marks=[pytest.mark.broker, NEEDS_MOSQUITTO]), "embedded"]
)
def test_one_happening_is_one_incident_and_nothing_is_lost(
    model: Path, clip: Path, broker: str
) -> None:
    done = run_demo(
        *("--video", str(clip), "--model", str(model), "--speed", "max", "--json"),
        env={"LINLI_BROKER": broker},
    )
    assert done.code == 0, done.said
    summary = done.summary
    assert set(summary) == KEYS
    assert summary["events_produced"] == summary["events_stored"] == 2
    assert (summary["incidents"], summary["lost"], summary["rejected"]) == (1, 0, 0)
    assert summary["frames_read"] >= summary["frames_inferred"] > 0
    assert summary["latency_ms"]["p50"] > 0
    assert set(summary["rss_mb"]) == {"broker", "edge", "ingest", "receiver", "web"}


def test_a_picture_without_anybody_raises_nothing(model: Path, tmp_path: Path) -> None:
    clip = empty_clip(tmp_path / "empty.mp4")
    done = run_demo("--video", str(clip), "--model", str(model), "--speed", "max", "--json")
    assert done.code == 0, done.said
    assert (done.summary["events_produced"], done.summary["incidents"]) == (0, 0)
    assert done.summary["frames_inferred"] > 0
    assert done.summary["latency_ms"] == {"p50": None, "p95": None, "max": None}


def test_ctrl_c_ends_all_of_it(model: Path, clip: Path) -> None:
    demo = RunningDemo.start("--video", str(clip), "--model", str(model))
    said = demo.until(lambda text: "开始 begins" in text)
    folder = Path(re.search(r"Data\s+(\S+)", said)[1])  # type: ignore[index]
    family = psutil.Process(demo.process.pid).children(recursive=True)
    assert len(family) >= 5
    assert demo.interrupt() == 0
    gone, alive = psutil.wait_procs(family, timeout=30)
    assert not alive, [process.cmdline() for process in alive]
    assert len(gone) == len(family)
    assert not folder.exists()
    assert "Traceback" not in "".join(demo.lines)


def test_a_kept_folder_goes_on_where_it_was(model: Path, clip: Path, tmp_path: Path) -> None:
    arguments = ("--video", str(clip), "--model", str(model), "--speed", "max", "--json")
    first = run_demo(*arguments, "--data", str(tmp_path / "kept"))
    assert "只显示这一次" in first.said
    second = run_demo(*arguments, "--data", str(tmp_path / "kept"))
    assert (first.code, second.code) == (0, 0), second.said
    assert "首次启动" in second.said
    assert second.summary["events_stored"] == 2
    assert second.summary["incidents"] == 1, "the same place again is the same incident"


@pytest.mark.shared
@NEEDS_SHARED
def test_real_people_in_a_real_video_become_an_incident() -> None:
    done = run_demo(
        *("--video", str(VIDEO), "--model", str(MODEL), "--speed", "max"),
        *("--duration", "8", "--json"),
    )
    assert done.code == 0, done.said
    assert done.summary["detections"] > 20
    assert done.summary["tracks"] >= 1
    assert done.summary["events_produced"] >= 2
    assert done.summary["incidents"] == 1
    assert done.summary["lost"] == 0


def broken(tmp_path: Path, name: str) -> Path:
    path = tmp_path / name
    path.write_bytes(b"this is not what it says" * 100)
    return path


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"--video": "none.mp4"}, "none.mp4: no such video file"),
        ({"--video": "BROKEN.mp4"}, "BROKEN.mp4"),
        ({"--model": "none.onnx"}, "none.onnx: no such model file"),
        ({"--model": "yolox-tin"}, "Did you mean 'yolox-tiny'?"),
        ({"--model": "BROKEN.onnx"}, "BROKEN.onnx"),
        ({"--data": "/proc/nowhere"}, "/proc/nowhere"),
        ({"--speed": "fast"}, "--speed"),
        ({"--duration": "-1"}, "--duration"),
    ],
)
def test_bad_input_is_one_clear_line(
    model: Path, clip: Path, tmp_path: Path, change: dict[str, str], said: str
) -> None:
    options = {"--video": str(clip), "--model": str(model), "--speed": "max"}
    for option, value in change.items():
        known = value.startswith("BROKEN")
        options[option] = str(broken(tmp_path, value)) if known else value
    done = run_demo(*(text for pair in options.items() for text in pair), "--json")
    assert done.code != 0
    assert said in done.said
    assert "Traceback" not in done.said
    complaints = [line for line in done.said.splitlines() if line.startswith(("linli:", "Error:"))]
    assert len(complaints) == 1, done.said


def test_a_model_whose_outputs_no_decoder_knows_is_refused(clip: Path, tmp_path: Path) -> None:
    other = model_of_unknown_family(tmp_path / "other.onnx")
    done = run_demo("--video", str(clip), "--model", str(other), "--json")
    assert done.code == 2
    assert "other.onnx" in done.said
    assert "Traceback" not in done.said


def test_a_port_in_use_is_said_so(model: Path, clip: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run_demo("--video", str(clip), "--model", str(model), "--port", str(port))
    assert done.code == 2
    assert f"port {port} is in use" in done.said


@pytest.mark.parametrize(
    ("own_clip", "ebikes", "event", "labels"),
    [
        (True, True, "ebike-in-elevator", ("ebike",)),
        (True, False, "zone-dwell", ("person",)),
        (False, True, "zone-dwell", ("person", "ebike")),
        (False, False, "zone-dwell", ("person",)),
    ],
)
def test_what_is_looked_for_follows_the_video_and_what_the_model_knows(
    tmp_path: Path, own_clip: bool, ebikes: bool, event: str, labels: tuple[str, ...]
) -> None:
    given = DemoInputs("a.mp4", "m.onnx", Scene(own_clip=own_clip, ebikes=ebikes))
    camera = load_settings(write_files(tmp_path, given, 1, "max").edge_toml).camera[0]
    (rule,) = camera.scenario
    assert (rule.event, rule.labels) == (event, labels)
    assert camera.subject == f"b01/{rule.zone}"


def test_a_fallen_edge_is_not_called_a_success(model: Path, clip: Path) -> None:
    demo = RunningDemo.start("--video", str(clip), "--model", str(model), "--duration", "60")
    demo.until(lambda text: "开始 begins" in text)
    edge = next(
        process
        for process in psutil.Process(demo.process.pid).children()
        if "edge" in process.cmdline()
    )
    edge.kill()
    assert demo.process.wait(30) == 1
    assert "the edge ended with code -9" in "".join(demo.lines)


def test_two_demos_do_not_share_a_folder(model: Path, clip: Path, tmp_path: Path) -> None:
    data = tmp_path / "kept"
    arguments = ("--video", str(clip), "--model", str(model), "--data", str(data))
    first = RunningDemo.start(*arguments)
    first.until(lambda text: "Dashboard" in text)
    before = (data / "edge.toml").read_text()
    second = run_demo(*arguments)
    assert second.code == 2
    assert "another demo runs on this data folder" in second.said
    assert (data / "edge.toml").read_text() == before
    assert first.interrupt() == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--speed", "2"), "--speed: a camera has its own pace"),
        (("--json",), "--json: a camera never ends by itself"),
    ],
)
def test_a_camera_takes_no_pace_and_never_ends(
    model: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = run_demo("--video", "rtsp://127.0.0.1:1/x", "--model", str(model), *arguments)
    assert done.code == 2
    assert said in done.said


def test_a_proxy_of_the_machine_is_not_asked(model: Path, clip: Path) -> None:
    done = run_demo(
        *("--video", str(clip), "--model", str(model), "--speed", "max", "--json"),
        env={"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"},
    )
    assert done.code == 0, done.said
    assert done.summary["events_stored"] == 2
