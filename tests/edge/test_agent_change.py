"""An agent that goes over to other settings while it is at work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from quick_ingest import NODE, QuickIngest
from vision import ZONE, bright_square_model

from edge.agent import Agent
from edge.settings import Camera, EdgeSettings, Model, Scenario, StatusAt, Zone
from linli.clock import SystemClock
from linli.codec import decode
from linli.errors import InputError
from linli.events import ConfigReport, DescribeMessage, ReportMessage
from linli.process import StopSignal
from linli.topics import Topic

PATIENCE = 60.0
RULE = Scenario(event="zone-dwell", labels=("person",), zone="middle", dwell=0.5, gone_after=600)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bright_square_model(tmp_path_factory.mktemp("model") / "square.onnx")


def camera(name: str, **changes: Any) -> Camera:
    options: dict[str, Any] = {"source": "pattern:square", "speed": 10.0, "scenario": (RULE,)}
    zone = Zone(id="middle", points=ZONE, anchor="center")
    return Camera(id=name, label=name, zone=(zone,), **{**options, **changes})


@dataclass
class Work:
    """An agent at work on two cameras, and all that it tells."""

    settings: EdgeSettings
    agent: Agent
    ingest: QuickIngest
    lines: list[dict[str, Any]]

    def wait(self, there: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not there():
            assert time.monotonic() < deadline, self.lines
            time.sleep(0.01)

    def look_on(self) -> None:
        """Wait until the first camera has been looked at some more."""
        before = self.agent.standing().cameras[0].inferred
        self.wait(lambda: self.agent.standing().cameras[0].inferred > before + 5)

    def phases(self) -> list[str]:
        return [line["phase"] for line in self.lines if line["kind"] == "event"]

    def states(self, device: str) -> list[str]:
        return [line["state"] for line in self.lines if line.get("device") == device]

    def change(self, *cameras: Camera) -> bool:
        return self.agent.change(msgspec.structs.replace(self.settings, camera=cameras))


ONE, TWO = camera("one"), camera("two", source="pattern:empty", scenario=())


@pytest.fixture
def work(tmp_path: Path, model: Path) -> Iterator[Work]:
    with at_work(tmp_path, model) as work:
        work.wait(lambda: "begin" in work.phases() and "streaming" in work.states("two"))
        yield work


@contextmanager
def at_work(
    folder: Path, model: Path, config: Callable[[], ConfigReport | None] = lambda: None
) -> Iterator[Work]:
    settings = EdgeSettings(
        data=str(folder), node=NODE, model=Model(file=str(model)), camera=(ONE, TWO)
    )
    ingest, stop, lines = QuickIngest(), StopSignal(), list[dict[str, Any]]()
    agent = Agent(
        settings,
        SystemClock(),
        version="1",
        tell=lines.append,
        connect=ingest.link,
        config=config,
    )
    with agent:
        thread = threading.Thread(target=agent.run, args=(stop,))
        thread.start()
        try:
            yield Work(settings, agent, ingest, lines)
        finally:
            stop.set()
            thread.join(PATIENCE)


def test_a_scenario_that_is_gone_ends_what_it_began_and_no_camera_starts_again(work: Work) -> None:
    assert work.change(msgspec.structs.replace(ONE, scenario=(), label="once"), TWO)
    work.wait(lambda: work.phases() == ["begin", "end"])
    assert work.states("one") == work.states("two") == ["streaming"]


def test_what_goes_on_under_other_settings_is_not_begun_anew(work: Work) -> None:
    stricter = msgspec.structs.replace(RULE, severity="high", gone_after=500.0)
    assert work.change(msgspec.structs.replace(ONE, scenario=(stricter,)), TWO)
    work.look_on()
    assert work.phases() == ["begin"]


def test_another_source_starts_that_camera_again_and_ends_what_went_on(work: Work) -> None:
    assert work.change(msgspec.structs.replace(ONE, source="pattern:empty"), TWO)
    work.wait(lambda: work.states("one") == ["streaming", "ended", "streaming"])
    assert work.phases() == ["begin", "end"]
    assert work.states("two") == ["streaming"]
    assert work.agent.standing().cameras[0].events == 2, "its counts of events go on"


def test_what_cannot_be_changes_nothing(work: Work) -> None:
    dragon = msgspec.structs.replace(RULE, labels=("dragon",))
    faster = msgspec.structs.replace(TWO, fps=9.0)
    with pytest.raises(InputError, match="dragon"):
        work.change(msgspec.structs.replace(ONE, scenario=(dragon,)), faster)
    work.look_on()
    assert work.phases() == ["begin"]
    assert work.states("two") == ["streaming"]


def test_another_version_is_told_at_once_not_with_the_next_minutes_report(
    tmp_path: Path, model: Path
) -> None:
    runs = [ConfigReport(version=3)]
    with at_work(tmp_path, model, lambda: runs[-1]) as work:
        told: list[ConfigReport | None] = []
        route = work.ingest.broker.route

        def hear(topic: str, payload: bytes, *, retain: bool, qos: int) -> None:
            route(topic, payload, retain=retain, qos=qos)
            message = decode(Topic.parse(topic), payload).message
            if isinstance(message, ReportMessage):
                told.append(message.data.config)

        work.ingest.broker.route = hear  # type: ignore[method-assign]
        work.wait(lambda: bool(work.lines))
        runs.append(ConfigReport(version=3, refused=4, detail="no"))
        work.wait(lambda: runs[-1] in told)


def test_a_new_label_is_described(work: Work) -> None:
    assert work.change(msgspec.structs.replace(ONE, label="三号楼"), TWO)
    topic = f"linli/v1/{NODE.site}/{NODE.area}/{NODE.id}/one/meta/describe"

    def described() -> bool:
        message = work.ingest.broker.retained.get(topic)
        if message is None:
            return False
        return msgspec.json.decode(message, type=DescribeMessage).data.label == "三号楼"

    work.wait(described)


@pytest.mark.parametrize(
    "changes",
    [
        {"camera": (ONE,)},
        {"camera": (ONE, camera("three"))},
        {"timezone": "UTC"},
        {"status": StatusAt(port=0)},
    ],
)
def test_everything_else_needs_another_agent(
    tmp_path: Path, model: Path, changes: dict[str, Any]
) -> None:
    settings = EdgeSettings(
        data=str(tmp_path), node=NODE, model=Model(file=str(model)), camera=(ONE, TWO)
    )
    agent = Agent(settings, SystemClock(), version="1", connect=QuickIngest().link)
    assert not agent.change(msgspec.structs.replace(settings, **changes))
