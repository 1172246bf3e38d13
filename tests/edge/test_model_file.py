"""A model file swapped for garbage: the last good one goes on, and it is said."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import onnx
import pytest
from quick_ingest import NODE, QuickIngest
from vision import bright_square_model

from edge.agent import Agent
from edge.agent.model_file import COPY, Loaded, ModelFile, load_wanted
from edge.settings import Camera, EdgeSettings, Model
from linli.clock import SystemClock
from linli.errors import InputError
from linli.events import ReportMessage
from linli.process import StopSignal


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return bright_square_model(tmp_path / "model.onnx")


@pytest.fixture
def settings(tmp_path: Path, file: Path) -> EdgeSettings:
    camera = Camera(id="cam", label="x", source="pattern:empty", speed="max")
    return EdgeSettings(
        data=str(tmp_path / "data"), node=NODE, model=Model(file=str(file)), camera=(camera,)
    )


class Watched:
    """A file that is looked at, and how often another agent was asked for."""

    def __init__(self, settings: EdgeSettings, loaded: Loaded) -> None:
        self.asked = 0
        self.file = ModelFile(settings, self._ask)
        self.file.runs(loaded)

    def _ask(self) -> None:
        self.asked += 1

    def look(self) -> str | None:
        self.file.look()
        return self.file.fault


def swap(file: Path, content: bytes) -> None:
    """Put another file in its place, as whoever copies one does."""
    fresh = file.with_name("other")
    fresh.write_bytes(content)
    fresh.replace(file)


def other_model(file: Path) -> bytes:
    """Return a model that is good and another: its metadata differs."""
    model = onnx.load_model_from_string(file.read_bytes())
    onnx.helper.set_model_props(
        model, {**{one.key: one.value for one in model.metadata_props}, "version": "2"}
    )
    content: bytes = model.SerializeToString()
    return content


def test_garbage_while_it_runs_is_said_and_forgotten_when_the_file_is_back(
    settings: EdgeSettings, file: Path
) -> None:
    good, watched = file.read_bytes(), Watched(settings, load_wanted(settings))
    assert watched.look() is None
    swap(file, b"garbage")
    fault = watched.look()
    assert fault is not None
    assert "not an ONNX model" in fault
    file.unlink()
    assert "no such model file" in (watched.look() or "")
    swap(file, good)
    assert watched.look() is None
    assert watched.asked == 0, "what runs is this very model"


def test_a_start_on_garbage_goes_on_with_the_last_good_one(
    settings: EdgeSettings, file: Path
) -> None:
    before = load_wanted(settings).detector
    good = file.read_bytes()
    swap(file, b"garbage")
    loaded = load_wanted(settings)
    assert loaded.fault is not None
    assert loaded.detector.model == before.model, "events name it as before"
    watched = Watched(settings, loaded)
    assert watched.file.fault == loaded.fault
    assert watched.look() is not None
    swap(file, good)
    assert watched.look() is None
    assert watched.asked == 0


def test_another_good_model_is_taken_up_by_another_agent(
    settings: EdgeSettings, file: Path
) -> None:
    watched = Watched(settings, load_wanted(settings))
    swap(file, other_model(file))
    assert watched.look() is None
    assert watched.look() is None
    assert watched.asked == 1
    assert load_wanted(settings).detector.model.version == "2"


@pytest.mark.parametrize("harm", ["none", "other", "damaged"])
def test_without_a_good_copy_of_this_file_there_is_no_start(
    settings: EdgeSettings, file: Path, harm: str, tmp_path: Path
) -> None:
    if harm == "other":
        wrong = EdgeSettings(
            data=settings.data,
            node=NODE,
            model=Model(file=str(bright_square_model(tmp_path / "b.onnx"))),
            camera=settings.camera,
        )
        load_wanted(wrong)
    if harm == "damaged":
        load_wanted(settings)
        (settings.folder / COPY).write_bytes(b"cut sho")
    swap(file, b"garbage")
    with pytest.raises(InputError, match="not an ONNX model"):
        load_wanted(settings)


def test_an_agent_says_it_in_its_report_and_goes_on(settings: EdgeSettings, file: Path) -> None:
    load_wanted(settings)
    swap(file, b"garbage")
    ingest = QuickIngest()
    agent = Agent(settings, SystemClock(), version="1", connect=ingest.link)
    with agent:
        agent.run(StopSignal(), duration=0.5, drain=60)
        standing = agent.standing()
        deadline = time.monotonic() + 60
        while not (reports := _reports(ingest)):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert "not an ONNX model" in (standing.model_fault or "")
    assert standing.cameras[0].inferred > 0
    assert "not an ONNX model" in (reports[0].data.model or "")


def _reports(ingest: QuickIngest) -> list[ReportMessage]:
    return [
        msgspec.json.decode(payload, type=ReportMessage)
        for topic, payload, _ in list(ingest.broker.published)
        if topic.endswith("/health/report")
    ]
