"""What an ingest wants a box to watch: laid under its own file, tried, kept while it works."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import httpx2
import msgspec
import pytest
from fastapi import FastAPI, Request, Response
from house import ADMIN, NODE, NODE_KEY, NOON, Folder
from served import Served, served

from edge.agent.host import Host, Say, settings_now
from edge.agent.wanted import MOST_BYTES, WantedConfig
from edge.kept import FILE, Kept, Refused, Wanted, read_kept, write_kept
from edge.settings import EdgeSettings, laid_over, load_box, load_settings, settings_over
from edge.upload import open_client
from ingest.app import create_app
from ingest.services.registry import Seen
from linli.errors import InputError, StoreError
from linli.events import ConfigReport
from linli.process import StopSignal

EXAMPLE = json.loads(
    (Path(__file__).parents[2] / "docs/reference/examples/edge-config/camera.json").read_text()
)


def document(fps: float = 5.0) -> dict[str, Any]:
    return {**EXAMPLE, "camera": [{**EXAMPLE["camera"][0], "fps": fps}]}


def version(number: int, **camera: Any) -> Wanted:
    return Wanted(version=number, document=document(**camera))


class Office:
    """An ingest that knows one box, and answers what a test wants it to."""

    def __init__(self) -> None:
        self.wanted: Wanted | None = None
        self.answer: Response | None = None
        self.asked: list[str | None] = []
        self.app = FastAPI()
        self.app.add_api_route("/api/v1/edge-config", self._config)

    async def _config(self, request: Request) -> Response:
        known = request.headers.get("if-none-match")
        self.asked.append(known)
        if self.answer is not None:
            return self.answer
        assert request.headers["authorization"] == "Bearer the key"
        assert request.headers["linli-node"] == "c001/c001-n07"
        if self.wanted is None:
            return Response(status_code=404)
        if known == f'"{self.wanted.version}"':
            return Response(status_code=304)
        body = {**msgspec.to_builtins(self.wanted), "actor": "user:boss", "why": "x"}
        return Response(json.dumps(body), media_type="application/json")


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


def write_config(folder: Path, url: str, more: str = "") -> Path:
    path = folder / "edge.toml"
    (folder / "node.key").write_text("the key\n")
    (folder / "data").mkdir(exist_ok=True)
    path.write_text(
        '[node]\nsite = "c001"\narea = "b03"\nid = "c001-n07"\n'
        f'[ingest]\nurl = "{url}"\nkey_file = "node.key"\n{more}'
    )
    return path


@pytest.fixture
def client() -> Iterator[httpx2.Client]:
    with open_client() as client:
        yield client


@pytest.fixture
def make(config: Path, client: httpx2.Client) -> Callable[[], WantedConfig]:
    def made() -> WantedConfig:
        return WantedConfig(config, load_box(config), "the key", client, jitter=lambda: 0.5)

    return made


def test_what_the_file_says_is_pinned_key_by_key() -> None:
    below = {"model": {"file": "builtin", "threads": 4}, "camera": [1, 2], "x": 1}
    above = {"model": {"threads": 1}, "camera": [3], "node": {"id": "n"}}
    assert laid_over(below, above) == {
        "model": {"file": "builtin", "threads": 1},
        "camera": [3],
        "x": 1,
        "node": {"id": "n"},
    }
    assert below["model"] == {"file": "builtin", "threads": 4}


def test_the_file_wins_over_the_ingest(tmp_path: Path) -> None:
    path = write_config(tmp_path, "http://x", "[model]\nthreads = 2\n")
    found = settings_over(path, version(3))
    assert (found.model.file, found.model.threads) == ("builtin", 2)
    assert found.camera[0].password_file == str(tmp_path / "cam-e1.password")
    write_kept(tmp_path / "data", Kept(good=version(3)))
    assert load_settings(path) == found


@pytest.mark.parametrize(
    "sneaky",
    [
        {"node": {"site": "c001", "area": "b03", "id": "other"}},
        {"ingest": {"url": "http://evil", "key_file": "node.key"}},
        {"mqtt": {"host": "evil"}},
        {"data": "/tmp/evil"},
    ],
)
def test_who_a_box_is_never_comes_from_the_ingest(tmp_path: Path, sneaky) -> None:
    path = write_config(tmp_path, "http://x")
    with pytest.raises(InputError, match="version 1: unknown setting"):
        settings_over(path, Wanted(version=1, document={**EXAMPLE, **sneaky}))


def test_a_new_version_is_asked_for_once(office, make) -> None:
    wanted = make()
    assert 50 < wanted.ask() < 70
    assert (wanted.news.is_set(), wanted.candidates()) == (False, [None])
    office.wanted = version(3)
    wanted.ask()
    assert wanted.news.is_set()
    wanted.ask()
    assert office.asked == [None, None, '"3"']
    assert wanted.candidates() == [version(3), None]
    assert not wanted.news.is_set()


def test_what_worked_is_kept_over_a_restart(office, make, config) -> None:
    office.wanted = version(3)
    wanted = make()
    wanted.ask()
    assert wanted.report() == ConfigReport(version=0)
    wanted.runs(version(3))
    assert wanted.report() == ConfigReport(version=3)
    assert make().candidates() == [None]
    wanted.works(version(3))
    again = make()
    assert again.candidates() == [version(3)]
    assert again.report() == ConfigReport(version=3)
    again.ask()
    assert office.asked[-1] == '"3"'


def test_what_breaks_a_rule_is_refused_and_not_tried_again(office, make) -> None:
    make().works(version(3))
    wanted = make()
    office.wanted = version(4, fps=100)
    wanted.ask()
    assert wanted.candidates() == [version(3)]
    said = wanted.report()
    assert (said.version, said.refused) == (3, 4)
    assert "camera[0].fps" in (said.detail or "")
    again = make()
    again.ask()
    assert office.asked[-1] == '"4"'
    office.wanted = version(5)
    again.ask()
    assert again.candidates() == [version(5), version(3)]
    again.runs(version(5))
    again.works(version(5))
    assert again.report() == ConfigReport(version=5)


@pytest.mark.parametrize(
    "answer",
    [
        Response(status_code=401),
        Response(status_code=500),
        Response("<html>", media_type="text/html"),
        Response('{"version": 0, "document": {}}'),
        Response('{"version": 1}'),
        Response(b"x" * (MOST_BYTES + 1)),
    ],
)
def test_an_answer_that_is_none_changes_nothing(office, make, answer) -> None:
    office.answer = answer
    make().works(version(3))
    wanted = make()
    assert wanted.ask() <= 2
    assert wanted.candidates() == [version(3)]
    assert wanted.report() == ConfigReport(version=3)


def test_it_asks_more_rarely_while_nobody_answers(office, server, make) -> None:
    server.stop()
    wanted = make()
    pauses = [wanted.ask() for _ in range(8)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (1.5, 45.0)
    server.start()
    assert wanted.ask() > 45


def test_a_damaged_or_unwritable_memory_costs_no_more_than_asking_again(
    tmp_path: Path, make, office
) -> None:
    (tmp_path / "data" / FILE).write_text("{")
    assert read_kept(tmp_path / "data") == Kept()
    with pytest.raises(StoreError):
        write_kept(tmp_path / "nowhere", Kept(refused=Refused(version=1, detail="x")))
    (tmp_path / "data" / FILE).unlink()
    (tmp_path / "data").rmdir()
    wanted = make()
    wanted.works(version(3))
    assert wanted.candidates() == [version(3)]


class Watcher:
    """An agent that does as a test says."""

    def __init__(self, settings: EdgeSettings, say: Say, act: Callable[[Watcher], None]) -> None:
        self.settings, self.say, self.act = settings, say, act
        self.ended = self.left = False

    def __enter__(self) -> Self:
        if self.settings.camera[0].fps == 13:
            raise InputError("the model does not run", where="model.file")
        return self

    def __exit__(self, *error: object) -> None:
        self.left = True

    def run(self, stop: StopSignal) -> None:
        self.act(self)
        stop.wait(20)

    def end(self) -> None:
        self.ended = True


class Stage:
    """Runs a host whose agents each play one scene."""

    def __init__(self) -> None:
        self.agents: list[Watcher] = []
        self.stop = StopSignal()

    def play(self, config: Path, *scenes: Scene) -> None:
        left = iter(scenes)

        def make(settings: EdgeSettings, say: Say) -> Watcher:
            self.agents.append(Watcher(settings, say, lambda one: next(left)(self, one)))
            return self.agents[-1]

        Host(config, make).run(self.stop)

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
    write_kept(config.parent / "data", Kept(good=version(1, fps=1)))
    office.wanted = version(2, fps=2)

    def nothing(stage: Stage, agent: Watcher) -> None:
        assert agent.say() in (ConfigReport(version=1), ConfigReport(version=2))

    def fall(stage: Stage, agent: Watcher) -> None:
        assert agent.say() == ConfigReport(version=2)
        raise InputError("no such video file", where="cam-e1")

    stage = run_host(config, nothing, fall, done)
    assert stage.rates == [1, 2, 1]
    assert read_kept(config.parent / "data") == Kept(
        good=version(1, fps=1),
        refused=Refused(version=2, detail="cam-e1: no such video file"),
    )


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
    with pytest.raises(InputError, match=r"model.*ingest"):
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
