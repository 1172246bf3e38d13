"""A box starts again when something else is wanted of it, and goes back when that falls."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest
from fastapi import Response
from house import ADMIN, NODE, NODE_KEY, NOON, Folder
from office import Office, document, version, write_config
from served import Served, served

from edge.agent.host import Host, Say, settings_now
from edge.kept import Kept, Refused, read_kept, write_kept
from edge.settings import EdgeSettings
from ingest.app import create_app
from ingest.services.registry import Seen
from linli.errors import InputError, StoreError
from linli.events import ConfigReport
from linli.process import StopSignal


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def server(office: Office) -> Iterator[Served]:
    with served(office.app) as running:
        yield running


@pytest.fixture
def config(tmp_path: Path, server: Served) -> Path:
    return write_config(tmp_path, server.url)


class Watcher:
    """An agent that does as a test says."""

    def __init__(
        self, stage: Stage, settings: EdgeSettings, say: Say, act: Callable[[Watcher], None]
    ) -> None:
        self.stage, self.settings, self.say, self.act = stage, settings, say, act
        self.ended = self.left = False
        self.rates = [settings.camera[0].fps]

    def __enter__(self) -> Self:
        if self.settings.camera[0].fps == 13:
            raise InputError("the model does not run", where="model.file")
        return self

    def __exit__(self, *error: object) -> None:
        self.left = True

    def run(self, stop: StopSignal) -> None:
        self.act(self)
        deadline = time.monotonic() + 60
        while not stop.wait(0.02) and time.monotonic() < deadline:
            if self.stage.raise_when():
                raise self.stage.raises

    def change(self, settings: EdgeSettings) -> bool:
        rate = settings.camera[0].fps
        if rate == 21:
            raise InputError("the model knows no dragon", where="camera cam-e1")
        self.rates += [rate] if rate == 20 else []
        return rate == 20  # what these agents can go over to

    def end(self) -> None:
        self.ended = True


class Stage:
    """Runs a host whose agents each play one scene."""

    def __init__(self) -> None:
        self.agents: list[Watcher] = []
        self.stop = StopSignal()
        self.raise_when: Callable[[], bool] = lambda: False
        self.raises: Exception = RuntimeError()
        self.host: Host

    def play(self, config: Path, *scenes: Scene) -> None:
        left = iter(scenes)

        def make(settings: EdgeSettings, say: Say) -> Watcher:
            self.raise_when = lambda: False
            self.agents.append(Watcher(self, settings, say, lambda one: next(left)(self, one)))
            return self.agents[-1]

        self.host = Host(config, make)
        self.host.run(self.stop)

    @property
    def rates(self) -> list[float]:
        return [one.settings.camera[0].fps for one in self.agents]


Scene = Callable[[Stage, Watcher], None]


def run_host(config: Path, *scenes: Scene) -> Stage:
    stage = Stage()
    stage.play(config, *scenes)
    return stage


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.agent.wanted.EVERY", 0.02)
    monkeypatch.setattr("edge.agent.host.TRIAL", 0.0)


def done(stage: Stage, agent: Watcher) -> None:
    stage.stop.set()


def done_later(stage: Stage, agent: Watcher) -> None:
    threading.Timer(0.3, stage.stop.set).start()


def test_a_box_starts_again_when_something_else_is_wanted(office, config, fast) -> None:
    office.wanted = version(1, fps=1)

    def change(stage: Stage, agent: Watcher) -> None:
        assert agent.say() == ConfigReport(version=1)
        office.wanted = version(2, fps=2)

    stage = run_host(config, change, done_later)
    assert stage.rates == [1, 2]
    assert [(one.left, one.ended) for one in stage.agents] == [(True, False), (True, True)]
    assert read_kept(config.parent / "data").good == version(2, fps=2)


def test_a_version_that_does_not_start_is_refused_for_the_last_good_one(
    office, config, fast
) -> None:
    office.wanted = version(1, fps=1)

    def change(stage: Stage, agent: Watcher) -> None:
        office.wanted = version(2, fps=13)

    def after(stage: Stage, agent: Watcher) -> None:
        said = agent.say()
        assert said is not None
        assert (said.version, said.refused) == (1, 2)
        assert said.detail == "model.file: the model does not run"
        stage.stop.set()

    assert run_host(config, change, after).rates == [1, 13, 1]


def test_a_version_that_falls_on_trial_is_refused_for_the_last_good_one(
    office, config, fast, monkeypatch
) -> None:
    monkeypatch.setattr("edge.agent.host.TRIAL", 60.0)
    office.wanted = version(1, fps=1)
    write_kept(config.parent / "data", Kept(good=version(1, fps=1)))

    def change(stage: Stage, agent: Watcher) -> None:
        assert agent.say() == ConfigReport(version=1)
        office.wanted = version(2, fps=2)

    def fall(stage: Stage, agent: Watcher) -> None:
        assert agent.say() == ConfigReport(version=2)
        raise InputError("no such video file", where="cam-e1")

    stage = run_host(config, change, fall, done)
    assert stage.rates == [1, 2, 1]
    assert read_kept(config.parent / "data") == Kept(
        good=version(1, fps=1),
        refused=Refused(version=2, detail="cam-e1: no such video file"),
    )


def until(stage: Stage, there: Callable[[], bool]) -> None:
    """End the stage when something has come, from another thread: the agent is at work."""

    def look() -> None:
        deadline = time.monotonic() + 60
        while not there() and time.monotonic() < deadline:
            time.sleep(0.01)
        stage.stop.set()

    threading.Thread(target=look, daemon=True).start()


def test_an_agent_goes_over_to_another_version_while_at_work(office, config, fast) -> None:
    office.wanted = version(1, fps=1)

    def change(stage: Stage, agent: Watcher) -> None:
        office.wanted = version(2, fps=20)
        until(stage, lambda: read_kept(config.parent / "data").good == version(2, fps=20))

    stage = run_host(config, change)
    (agent,) = stage.agents
    assert agent.rates == [1, 20]
    assert agent.say() == ConfigReport(version=2)


def test_a_version_that_an_agent_refuses_at_work_changes_nothing(office, config, fast) -> None:
    office.wanted = version(1, fps=1)

    def change(stage: Stage, agent: Watcher) -> None:
        office.wanted = version(2, fps=21)
        until(stage, lambda: read_kept(config.parent / "data").refused is not None)

    stage = run_host(config, change)
    (agent,) = stage.agents
    assert agent.rates == [1]
    assert agent.say() == ConfigReport(
        version=1, refused=2, detail="camera cam-e1: the model knows no dragon"
    )


def test_one_that_falls_on_trial_after_it_went_over_is_refused(
    office, config, fast, monkeypatch
) -> None:
    monkeypatch.setattr("edge.agent.host.TRIAL", 60.0)
    write_kept(config.parent / "data", Kept(good=version(1, fps=1)))

    def fall(stage: Stage, agent: Watcher) -> None:
        office.wanted = version(2, fps=20)
        stage.raises = InputError("no such zone")
        stage.raise_when = lambda: 20 in agent.rates

    stage = run_host(config, fall, done)
    assert stage.rates == [1, 1]
    assert read_kept(config.parent / "data").refused == Refused(version=2, detail="no such zone")


OWN = """
[node]
site = "c001"
area = "b03"
id = "c001-n07"
[[camera]]
id = "cam"
label = "x"
source = "pattern:empty"
fps = {fps}
"""


def test_its_own_file_is_read_again_when_asked_to(tmp_path: Path, caplog) -> None:
    path = tmp_path / "edge.toml"
    path.write_text(OWN.format(fps=1))
    stage = Stage()

    def edit(stage: Stage, agent: Watcher) -> None:
        path.write_text("broken")
        stage.host.reload()
        stage.stop.wait(0)
        until_reloaded(stage, lambda: "going on as before" in caplog.text, 20)
        until_reloaded(stage, lambda: 20 in agent.rates, 2)

    def until_reloaded(stage: Stage, there: Callable[[], bool], fps: int) -> None:
        def then() -> None:
            deadline = time.monotonic() + 60
            while not there() and time.monotonic() < deadline:
                time.sleep(0.01)
            path.write_text(OWN.format(fps=fps))
            stage.host.reload()

        threading.Thread(target=then, daemon=True).start()

    def last(stage: Stage, agent: Watcher) -> None:
        stage.stop.set()

    stage.play(path, edit, last)
    assert [one.rates for one in stage.agents] == [[1, 20], [2]]


def test_an_agent_may_ask_for_another(tmp_path: Path) -> None:
    path = tmp_path / "edge.toml"
    path.write_text(OWN.format(fps=1))
    stage = Stage()
    stage.play(path, lambda stage, agent: stage.host.renew(), done)
    assert stage.rates == [1, 1]
    assert [one.ended for one in stage.agents] == [False, True]


def test_what_cannot_start_any_more_starts_as_before(tmp_path: Path, caplog) -> None:
    path = tmp_path / "edge.toml"
    path.write_text(OWN.format(fps=1))
    stage = Stage()

    def edit(stage: Stage, agent: Watcher) -> None:
        path.write_text(OWN.format(fps=13))
        stage.host.reload()

    stage.play(path, edit, done)
    assert stage.rates == [1, 13, 1]
    assert "starting as before" in caplog.text


def test_a_full_disk_is_not_laid_to_a_configuration(office, config, fast, monkeypatch) -> None:
    monkeypatch.setattr("edge.agent.host.TRIAL", 60.0)
    office.wanted = version(2)

    def fall(stage: Stage, agent: Watcher) -> None:
        raise StoreError("no space left")

    with pytest.raises(StoreError):
        run_host(config, fall)
    assert read_kept(config.parent / "data") == Kept()


def test_without_an_ingest_the_last_good_one_is_enough(office, server, config, fast) -> None:
    write_kept(config.parent / "data", Kept(good=version(4, fps=4)))
    server.stop()
    assert run_host(config, done).rates == [4]
    assert settings_now(config)[1] == 4
    server.start()


def test_a_box_that_was_never_told_anything_says_so(office, config) -> None:
    with pytest.raises(InputError, match=r"camera.*ingest"):
        run_host(config, done)
    with pytest.raises(InputError, match="ingest"):
        settings_now(config)


def test_a_file_that_says_everything_needs_no_ingest(tmp_path: Path) -> None:
    path = tmp_path / "edge.toml"
    path.write_text(
        '[node]\nsite = "c001"\narea = "b03"\nid = "c001-n07"\n[model]\nfile = "builtin"\n'
        '[[camera]]\nid = "cam"\nlabel = "x"\nsource = "pattern:empty"\nfps = 3\n'
    )
    stage = run_host(path, done)
    assert (stage.rates, stage.agents[0].say()) == ([3], None)
    assert settings_now(path)[1] == 0


def test_what_an_agent_raises_ends_the_host_and_its_threads(office, config, fast) -> None:
    office.wanted = version(1)

    def fall(stage: Stage, agent: Watcher) -> None:
        raise StoreError("disk full")

    before = threading.active_count()
    with pytest.raises(StoreError):
        run_host(config, fall)
    assert threading.active_count() == before


def test_cameras_do_not_wait_for_an_ingest_that_hangs(office, config, fast) -> None:
    write_kept(config.parent / "data", Kept(good=version(4, fps=4)))
    asked: list[int] = []

    def look(stage: Stage, agent: Watcher) -> None:
        asked.append(len(office.asked))
        stage.stop.set()

    office.answer = Response(status_code=503)
    assert run_host(config, look).rates == [4]
    assert asked[0] <= 1


def test_a_real_ingest_tells_a_real_box(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "ingest")
    app = create_app(folder.settings, clock=folder.clock)
    service = app.state.services.configs
    draft = {"why": "first", "document": document(2)}
    service.put(ADMIN, NODE, draft, seen=Seen(), now=NOON)
    with served(app) as server:
        path = write_config(tmp_path, server.url)
        (tmp_path / "node.key").write_text(NODE_KEY)
        found, number = settings_now(path)
        assert (number, found.camera[0].fps) == (1, 2.0)
        (tmp_path / "node.key").write_text("another key")
        with pytest.raises(InputError):
            settings_now(path)
    folder.close()
