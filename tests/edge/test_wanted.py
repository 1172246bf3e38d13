"""What an ingest wants a box to watch: laid under its own file, checked, kept once it worked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from fastapi import Response
from office import EXAMPLE, Office, version, write_config
from served import Served, served

from edge.agent.wanted import MOST_BYTES, WantedConfig
from edge.kept import FILE, Kept, Refused, Wanted, read_kept, write_kept
from edge.settings import laid_over, load_box, load_settings, settings_over
from edge.upload import open_client
from linli.errors import InputError, StoreError
from linli.events import ConfigReport


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
