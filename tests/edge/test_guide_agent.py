"""A guidance point as the agent runs it: a clip in, page and counts out, no picture kept."""

from __future__ import annotations

import json
import socket
import threading
import urllib.request
from pathlib import Path

import cv2
import numpy as np
import pytest
from beside import SHARED, lacking
from quick_ingest import NODE, QuickIngest

from edge.agent import Agent
from edge.settings import Camera, EdgeSettings, Guide
from linli.clock import SystemClock
from linli.errors import InputError
from linli.events import TelemetryMessage
from linli.process import StopSignal

TRASHNET = SHARED / "data/trashnet"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def clip(path: Path, item: Path, *, seconds: int = 8) -> Path:
    """Write a video of a grey place, into which an item is held from the second second on."""
    held = cv2.resize(cv2.imread(str(item)), (320, 240))
    place = np.full((240, 320, 3), 120, np.uint8)
    place[180:] = 60
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (320, 240))
    for number in range(seconds * 10):
        writer.write(held if 20 <= number < seconds * 10 - 20 else place)
    writer.release()
    return path


def settings(
    folder: Path, source: Path | str, speed: float | str = "max", **guide: object
) -> EdgeSettings:
    point = Guide(player="none", **guide)  # type: ignore[arg-type]
    camera = Camera(id="guide-1", label="指引", source=str(source), speed=speed, guide=point)
    return EdgeSettings(data=str(folder), node=NODE, camera=(camera,))


@pytest.mark.shared
def test_an_item_is_classified_by_the_projects_model_and_counted(tmp_path: Path) -> None:
    if why := lacking("data/trashnet"):
        pytest.skip(why)
    items = sorted((TRASHNET / "cardboard").glob("*.jpg"))
    source = clip(tmp_path / "clip.mp4", items[0])
    ingest, data = QuickIngest(), tmp_path / "data"
    asked = settings(data, source, port=free_port())
    with Agent(asked, SystemClock(), version="1", connect=ingest.link) as agent:
        agent.run(StopSignal(), drain=60)
        agent.verdict()
        summary = agent.summary()
    counts = {
        one.n: one.v
        for message in ingest.kept
        if isinstance(message, TelemetryMessage) and message.type == "linli.telemetry.guide"
        for one in message.data.readings
    }
    assert counts == {"recyclable": 1, "hazardous": 0, "food": 0, "residual": 0, "unknown": 0}
    names = {
        one.n
        for message in ingest.kept
        if isinstance(message, TelemetryMessage) and message.type == "linli.telemetry.camera"
        for one in message.data.readings
    }
    assert "fps" in names
    assert "people" not in names  # nobody looked for them
    kept = [one for one in data.rglob("*") if one.is_file()]
    assert not [one for one in kept if one.suffix in {".jpg", ".png", ".webp"}], kept
    assert not any(b"\xff\xd8\xff" in one.read_bytes() for one in kept)
    assert summary["pictures"] == 0
    assert summary["tracks"] == 1


def test_the_page_is_served_while_the_agent_runs(tmp_path: Path) -> None:
    port = free_port()
    asked = settings(tmp_path / "data", "pattern:empty", speed=1.0, port=port)
    stop = StopSignal()
    said: list[object] = []

    def look() -> None:
        for _ in range(3000):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/state", timeout=2) as one:
                    said.append(json.loads(one.read()))
                    break
            except OSError:
                threading.Event().wait(0.02)
        stop.set()

    watcher = threading.Thread(target=look)
    ingest = QuickIngest()
    with Agent(asked, SystemClock(), version="1", connect=ingest.link) as agent:
        watcher.start()
        agent.run(stop, drain=1)
        watcher.join()
    assert said == [{"shown": "idle"}]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": "builtin"}, "finds things"),
        ({"model": "no-such-model"}, "no-such-model"),
    ],
)
def test_a_model_that_is_no_classifier_is_refused(
    tmp_path: Path, change: dict[str, str], words: str
) -> None:
    asked = settings(tmp_path / "data", "pattern:empty", **change)
    agent = Agent(asked, SystemClock(), version="1", connect=QuickIngest().link)
    with pytest.raises(InputError, match=words), agent:
        pass


def test_a_guidance_point_watches_nothing_else() -> None:
    with pytest.raises(ValueError, match="watches nothing else"):
        Camera(
            id="cam",
            label="x",
            source="pattern:empty",
            guide=Guide(),
            state=({"id": "bin", "file": "x"},),  # type: ignore[arg-type]
        )
