"""The whole agent on a real clip with a real tiny model; broker in memory, ingest a few lines."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from quick_ingest import NODE, QuickIngest
from vision import ZONE, bright_square_model, empty_clip, square_clip

from edge.agent import Agent
from edge.agent.crew import Crew
from edge.settings import Camera, EdgeSettings, Model, Scenario, Zone
from edge.source.file import FileSource
from linli.clock import SystemClock
from linli.codec import decode
from linli.errors import InputError, LinliError
from linli.events import (
    DescribeMessage,
    ReportMessage,
    Status,
    TelemetryMessage,
)
from linli.process import StopSignal
from linli.topics import Topic


@dataclass
class Told:
    lines: list[dict[str, Any]] = field(default_factory=list)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["kind"] == kind]


def _camera(source: Path | str, camera: str = "cam", **changes: Any) -> Camera:
    rule = Scenario(event="zone-dwell", labels=("person",), zone="middle", dwell=1.0)
    options: dict[str, Any] = {"speed": "max", **changes}
    return Camera(
        id=camera,
        label="试 Try",
        source=str(source),
        zone=(Zone(id="middle", points=ZONE, anchor="center"),),
        scenario=(rule,),
        **options,
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bright_square_model(tmp_path_factory.mktemp("model") / "square.onnx")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return square_clip(tmp_path_factory.mktemp("clip") / "square.mp4")


def _settings(folder: Path, model: Path, *cameras: Camera) -> EdgeSettings:
    return EdgeSettings(
        data=str(folder / "edge"), node=NODE, model=Model(file=str(model)), camera=cameras
    )


@contextlib.contextmanager
def _agent(settings: EdgeSettings, ingest: QuickIngest, told: Told) -> Iterator[Agent]:
    agent = Agent(settings, SystemClock(), version="1", tell=told.lines.append, connect=ingest.link)
    with agent:
        yield agent


def test_a_person_in_the_zone_becomes_a_begin_and_an_end(
    tmp_path: Path, model: Path, clip: Path
) -> None:
    ingest, told = QuickIngest(), Told()
    with _agent(_settings(tmp_path, model, _camera(clip)), ingest, told) as agent:
        agent.run(StopSignal(), drain=60)
        summary = agent.summary()
        agent.verdict()
    begin, end = ingest.events()
    assert (begin.data.phase, end.data.phase) == ("begin", "end")
    assert begin.data.episode == end.data.episode
    assert begin.data.snapshot is not None
    assert begin.data.snapshot.bytes
    kept = [one.name for one in (tmp_path / "edge" / "pictures").iterdir() if one.is_file()]
    assert not [name for name in kept if name.endswith(".jpg")], "nobody gave a key to seal it"
    assert [line["state"] for line in told.of("camera")] == ["streaming", "ended"]
    lines = told.of("event")
    assert [line["id"] for line in lines] == [begin.id, end.id]
    assert [line["sequence"] for line in lines] == [1, 2]
    assert summary["events_produced"] == 2
    assert summary["frames_read"] == 100
    assert summary["frames_inferred"] == 50
    assert summary["frames_dropped"] == 0
    assert summary["detections"] > 40
    assert (summary["tracks"], summary["pictures"]) == (1, 1)
    assert summary["spool"]["events"] == {"pending": 0, "evicted": 0, "dead": 0}


def test_node_and_cameras_say_what_they_are_and_how_they_do(
    tmp_path: Path, model: Path, clip: Path
) -> None:
    ingest = QuickIngest()
    with _agent(_settings(tmp_path, model, _camera(clip)), ingest, Told()) as agent:
        agent.run(StopSignal(), drain=60)
    messages = {
        topic: decode(Topic.parse(topic), payload).message
        for topic, payload, _ in ingest.broker.published
        if "/_sys/" not in topic
    }
    place = "linli/v1/c001/b03/c001-n01"
    described = messages[f"{place}/cam/meta/describe"]
    assert isinstance(described, DescribeMessage)
    assert (described.data.kind, described.data.label) == ("camera", "试 Try")
    assert f"{place}/self/meta/describe" in messages
    report = messages[f"{place}/self/health/report"]
    assert isinstance(report, ReportMessage)
    assert [camera.device for camera in report.data.cameras] == ["cam"]
    readings = messages[f"{place}/cam/telemetry/camera"]
    assert isinstance(readings, TelemetryMessage)
    assert {one.n for one in readings.data.readings} == {"fps", "inference-time", "people"}
    status = messages[f"{place}/self/health/status"]
    assert isinstance(status, Status)
    assert status.state == "stopped"


def test_an_empty_picture_raises_nothing(tmp_path: Path, model: Path) -> None:
    ingest = QuickIngest()
    camera = _camera(empty_clip(tmp_path / "empty.mp4"))
    with _agent(_settings(tmp_path, model, camera), ingest, Told()) as agent:
        agent.run(StopSignal(), drain=60)
        agent.verdict()
        assert agent.summary()["frames_inferred"] == 20
    assert ingest.events() == []


def test_undelivered_facts_are_said_and_sent_by_the_next_start(
    tmp_path: Path, model: Path, clip: Path
) -> None:
    ingest = QuickIngest()
    ingest.answering = False
    settings = _settings(tmp_path, model, _camera(clip))
    with _agent(settings, ingest, Told()) as agent:
        agent.run(StopSignal(), drain=0.2)
        with pytest.raises(LinliError, match="3 facts and 0 pictures left to send"):
            agent.verdict()
    ingest.answering = True
    later = _settings(tmp_path, model, _camera(empty_clip(tmp_path / "empty.mp4")))
    with _agent(later, ingest, Told()) as agent:
        agent.run(StopSignal(), drain=60)
        agent.verdict()
    assert [event.data.phase for event in ingest.events()] == ["begin", "end"]
    assert sorted({int(event.sequence) for event in ingest.events()}) == [1, 2]


def test_one_bad_camera_stops_no_other_and_is_named_at_the_end(
    tmp_path: Path, model: Path, clip: Path
) -> None:
    ingest, told = QuickIngest(), Told()
    cameras = (_camera(tmp_path / "none.mp4", "bad"), _camera(clip, "good"))
    with _agent(_settings(tmp_path, model, *cameras), ingest, told) as agent:
        agent.run(StopSignal(), drain=60)
        with pytest.raises(InputError, match=r"none\.mp4: no such video file"):
            agent.verdict()
    assert len(ingest.events()) == 2
    states = [(line["device"], line["state"]) for line in told.of("camera")]
    assert ("bad", "failed") in states
    assert ("good", "ended") in states


def test_when_no_camera_can_be_used_nothing_is_waited_for(tmp_path: Path, model: Path) -> None:
    ingest = QuickIngest()
    ingest.broker.stop()
    settings = _settings(tmp_path, model, _camera(tmp_path / "none.mp4"))
    clock = SystemClock()
    with _agent(settings, ingest, Told()) as agent:
        began = clock.monotonic()
        agent.run(StopSignal(), drain=100)
        assert clock.monotonic() - began < 60
        with pytest.raises(InputError, match="no such video file"):
            agent.verdict()


def test_duration_counts_from_the_first_frame(tmp_path: Path, model: Path) -> None:
    ingest, clock = QuickIngest(), SystemClock()
    camera = _camera("pattern:empty", speed=1.0)
    with _agent(_settings(tmp_path, model, camera), ingest, Told()) as agent:
        began = clock.monotonic()
        agent.run(StopSignal(), duration=0.5, drain=60)
        assert clock.monotonic() - began >= 0.5
        agent.verdict()
        assert agent.summary()["frames_inferred"] >= 1


def test_a_signal_ends_it_gracefully(tmp_path: Path, model: Path) -> None:
    ingest, told, stop = QuickIngest(), Told(), StopSignal()
    camera = _camera("pattern:square", speed=1.0)
    with _agent(_settings(tmp_path, model, camera), ingest, told) as agent:
        threading.Timer(0.3, stop.set).start()
        agent.run(stop)
        agent.verdict()
    assert told.of("camera")[-1]["state"] == "ended"
    status = ingest.broker.retained["linli/v1/c001/b03/c001-n01/self/health/status"]
    assert msgspec.json.decode(status)["state"] == "stopped"


def test_a_thread_that_falls_ends_the_agent(
    tmp_path: Path, model: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall(self: FileSource, timeout: float) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(FileSource, "read", fall)
    settings = _settings(tmp_path, model, _camera(clip))
    with (
        _agent(settings, QuickIngest(), Told()) as agent,
        pytest.raises(LinliError, match="cam fell: RuntimeError: a bug"),
    ):
        agent.run(StopSignal(), drain=60)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": "FILE/x"}, "cannot write into this folder"),
        ({"model": Model(file="none.onnx")}, "no such model file"),
    ],
)
def test_what_cannot_be_started_is_one_clear_error(
    tmp_path: Path, model: Path, clip: Path, changes: dict[str, Any], message: str
) -> None:
    (tmp_path / "FILE").write_text("x")
    if "data" in changes:
        changes = {"data": str(tmp_path / changes["data"])}
    settings = msgspec.structs.replace(_settings(tmp_path, model, _camera(clip)), **changes)
    with pytest.raises(InputError, match=message), _agent(settings, QuickIngest(), Told()):
        pass


def test_label_that_no_class_has_is_an_input_error(tmp_path: Path, model: Path, clip: Path) -> None:
    rule = Scenario(event="zone-dwell", labels=("dragon",), zone="middle")
    camera = msgspec.structs.replace(_camera(clip), scenario=(rule,))
    settings = _settings(tmp_path, model, camera)
    with pytest.raises(InputError, match="dragon"), _agent(settings, QuickIngest(), Told()):
        pass


def test_crew_tells_of_the_fallen_and_of_the_expected() -> None:
    def refuse() -> None:
        raise InputError("mend it")

    crew = Crew()
    crew.start("one", refuse)
    crew.join("one")
    with pytest.raises(InputError, match="mend it"):
        crew.check()


def test_an_episode_that_a_fallen_agent_left_open_is_ended_by_the_next_start(
    tmp_path: Path, model: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest, told = QuickIngest(), Told()
    with monkeypatch.context() as patch:
        patch.setattr("edge.pipeline.CameraPipeline.finish", lambda _: [])
        with _agent(_settings(tmp_path, model, _camera(clip)), ingest, Told()) as agent:
            patch.setattr("edge.pipeline.CameraPipeline._ended", _fall)
            with pytest.raises(LinliError, match="cam fell"):
                agent.run(StopSignal(), drain=60)
    later = _settings(tmp_path, model, _camera(empty_clip(tmp_path / "empty.mp4")))
    with _agent(later, ingest, told) as agent:
        agent.run(StopSignal(), drain=60)
        agent.verdict()
    begin, end = ingest.events()
    assert (begin.data.phase, end.data.phase) == ("begin", "end")
    assert end.data.episode == begin.data.episode
    assert (end.time, end.data.since) == (begin.time, begin.data.since)
    assert [line["id"] for line in told.of("event")] == [end.id]


def _fall(*_: object) -> None:
    raise RuntimeError("the power went")
