"""The clip that the demo plays, seen by the built-in detector with the demo's own settings."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from demos import run_demo

from edge.catalog.load import load_model
from edge.pipeline import CameraPipeline, EpisodeFact
from edge.settings import Camera, load_settings
from edge.source.file import FileSource
from linli.cli.demo.files import write_files
from linli.cli.demo.inputs import BUILTIN, DemoInputs
from linli.cli.demo.scene import Scene
from linli.clock import ManualClock
from linli.resources import resource

CLIP = resource("models", "demo", "elevator.mp4")
SECONDS = 17.0
APPEARS = 6.2  # seconds; the first frame in which a wheel of the e-bike can be seen
START = datetime(2026, 3, 1, 8, tzinfo=UTC)


def watching(tmp_path: Path) -> Camera:
    inputs = DemoInputs(str(CLIP), BUILTIN, Scene(own_clip=True, ebikes=True))
    return load_settings(write_files(tmp_path, inputs, 1, "max").edge_toml).camera[0]


def play(pipeline: CameraPipeline, clock: ManualClock) -> list[tuple[float, EpisodeFact]]:
    """Play the clip at full speed; return each fact with the second of the clip it came at."""
    facts: list[tuple[float, EpisodeFact]] = []
    with FileSource(CLIP, fps=5.0, speed="max", clock=clock) as source:
        while frame := source.read(1.0):
            facts += [(frame.media, fact) for fact in pipeline.process(frame)]
    assert source.state == "ended"
    return facts


def test_the_clip_is_small_and_plays_to_its_end() -> None:
    assert CLIP.stat().st_size <= 1_500_000
    clock = ManualClock(START)
    with FileSource(CLIP, fps=30.0, speed="max", clock=clock) as source:
        frames = []
        while frame := source.read(1.0):
            frames.append(frame)
    assert source.state == "ended"
    assert frames[-1].media == pytest.approx(SECONDS, abs=0.2)
    empty, ride = frames[-1].image, frames[len(frames) * 10 // 17].image
    assert empty.shape == (360, 480, 3)
    assert 60 < empty.mean() < 200, "bright enough to see"
    assert abs(ride.astype(int) - empty).mean() > 8, "at second 10 something stands in the car"


def test_the_e_bike_is_confirmed_by_second_ten_and_nothing_else_is(tmp_path: Path) -> None:
    clock = ManualClock(START)
    pipeline = CameraPipeline(watching(tmp_path), load_model(BUILTIN), clock)
    facts = play(pipeline, clock)
    assert [fact.phase for _, fact in facts] == ["begin", "end"], facts
    (began, begin), (_, end) = facts
    assert APPEARS < began <= 10.0
    assert (begin.scenario.event, begin.label) == ("ebike-in-elevator", "ebike")
    assert begin.picture is not None
    assert end.dwell > 4
    assert pipeline.finish() == []


def test_a_newcomer_sees_exactly_one_incident() -> None:
    done = run_demo("--speed", "max", "--json")
    assert done.code == 0, done.said
    assert "ebike-in-elevator  开始 begins" in done.said
    summary = done.summary
    assert (summary["events_produced"], summary["events_stored"]) == (2, 2)
    assert (summary["incidents"], summary["lost"], summary["rejected"]) == (1, 0, 0)
