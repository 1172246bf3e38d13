from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from shelf import Shelf, serve

from edge.catalog.fetch import IN_VAIN, TRIES, Part, fetch, open_client
from linli.errors import InputError, LinkError, StoreError

CONTENT = bytes(range(256)) * 400
OTHER = CONTENT[::-1]


@pytest.fixture(scope="module")
def client() -> Iterator[httpx2.Client]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1")
        with open_client() as opened:
            yield opened


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with serve(Shelf(CONTENT)) as serving:
        yield serving


class Run:
    """One fetch with everything that it said."""

    def __init__(self, client: httpx2.Client, folder: Path) -> None:
        self.part = Part(folder / "x.part")
        self.client = client
        self.shown: list[tuple[int, int | None]] = []
        self.pauses: list[float] = []
        self.why: list[str] = []

    def __call__(self, url: str, size: int | None = len(CONTENT)) -> bytes:
        fetch(
            url,
            self.part,
            client=self.client,
            size=size,
            progress=lambda done, total: self.shown.append((done, total)),
            pause=lambda seconds, why: (self.pauses.append(seconds), self.why.append(why)),
        )
        return self.part.path.read_bytes()


@pytest.fixture
def run(client: httpx2.Client, tmp_path: Path) -> Run:
    return Run(client, tmp_path)


@pytest.mark.parametrize("size", [len(CONTENT), None])
def test_a_file_comes_whole_with_progress(run: Run, shelf: Shelf, size: int | None) -> None:
    assert run(shelf.url + "/a.onnx", size) == CONTENT
    assert run.shown[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in run.shown] == sorted(done for done, _ in run.shown)
    assert run.pauses == []
    assert "Range" not in shelf.asked[0]


@pytest.mark.parametrize(
    ("faults", "requests"),
    [
        (["cut"], 2),
        (["cut", "cut", "cut"], 4),
        (["cut", "empty", "empty"], 4),
        (["503", "429"], 3),
        (["moved"], 2),
        (["nameless"], 2),
        (["dated"], 2),
        (["cut", "ignores"], 2),
        (["cut", "shifted"], 3),
    ],
)
def test_what_passes_is_tried_again(
    run: Run, shelf: Shelf, faults: list[str], requests: int
) -> None:
    shelf.faults = list(faults)
    assert run(shelf.url + "/a.onnx") == CONTENT
    assert len(shelf.asked) == requests


def test_the_rest_is_asked_for_with_the_servers_mark(run: Run, shelf: Shelf) -> None:
    shelf.faults = ["cut"]
    run(shelf.url + "/a.onnx")
    assert shelf.asked[1]["Range"] == f"bytes={len(CONTENT) // 4}-"
    assert shelf.asked[1]["If-Range"] == shelf.tag
    assert shelf.asked[1]["Accept-Encoding"] == "identity"
    assert run.pauses == [1.0]


def test_a_weak_tag_is_no_mark_a_date_is(run: Run, shelf: Shelf) -> None:
    shelf.faults = ["dated"]
    run(shelf.url + "/a.onnx")
    assert shelf.asked[1]["If-Range"] == "Mon, 02 Mar 2026 08:00:00 GMT"


def test_a_file_that_changed_meanwhile_comes_anew(run: Run, shelf: Shelf) -> None:
    shelf.always = "cut"
    shelf.faults = ["cut", *["empty"] * IN_VAIN]
    with pytest.raises(LinkError):
        run(shelf.url + "/a.onnx")
    assert 0 < run.part.size < len(CONTENT)
    shelf.always, shelf.content = "", OTHER
    assert run(shelf.url + "/a.onnx") == OTHER


def test_a_later_command_goes_on_where_the_first_ended(run: Run, shelf: Shelf) -> None:
    shelf.faults = ["cut", *["empty"] * IN_VAIN]
    with pytest.raises(LinkError, match=r"25,600 bytes are kept. Run the same command again"):
        run(shelf.url + "/a.onnx")
    assert run(shelf.url + "/a.onnx") == CONTENT
    assert shelf.asked[-1]["Range"] == "bytes=25600-"


def test_nothing_is_asked_when_all_is_here(run: Run, shelf: Shelf) -> None:
    run(shelf.url + "/a.onnx")
    run(shelf.url + "/a.onnx")
    assert len(shelf.asked) == 1


def test_a_part_that_is_too_long_begins_anew(run: Run, shelf: Shelf) -> None:
    run.part.path.write_bytes(CONTENT + b"more")
    assert run(shelf.url + "/a.onnx") == CONTENT


def test_a_part_longer_than_the_servers_file_begins_anew(run: Run, shelf: Shelf) -> None:
    run.part.path.write_bytes(OTHER)
    assert run(shelf.url + "/a.onnx", None) == CONTENT


@pytest.mark.parametrize(
    ("always", "said"),
    [
        ("404", "the server says HTTP 404"),
        ("403", "the server says HTTP 403"),
        ("page", "the server's file has 19 bytes, the catalogue says 102,400"),
        ("long", "the server's file has 102,409 bytes"),
        ("packed", "packs the file"),
        ("endless", "sends more than 102,400 bytes"),
        ("moved", "cannot be fetched"),
    ],
)
def test_what_no_other_try_mends_is_said_at_once(
    run: Run, shelf: Shelf, always: str, said: str
) -> None:
    shelf.always = always
    with pytest.raises(InputError) as caught:
        run(shelf.url + "/a.onnx")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert run.pauses == []
    assert run.part.size == 0


def test_a_server_that_is_away_is_tried_only_a_few_times(run: Run, shelf: Shelf) -> None:
    shelf.always = "500"
    with pytest.raises(LinkError, match="HTTP 500"):
        run(shelf.url + "/a.onnx")
    assert len(shelf.asked) == IN_VAIN
    with pytest.raises(LinkError, match="cannot be fetched"):
        run("http://127.0.0.1:1/a.onnx")


def test_a_server_that_promises_more_than_it_has_is_given_up(run: Run, shelf: Shelf) -> None:
    shelf.always = "long"
    with pytest.raises(LinkError, match="cannot be fetched"):
        run(shelf.url + "/a.onnx", None)
    assert len(shelf.asked) <= TRIES


def test_a_server_that_never_answers_is_given_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/a.onnx"
        with httpx2.Client(timeout=0.05, trust_env=False) as hasty:
            run = Run(hasty, tmp_path)
            with pytest.raises(LinkError, match="timed out"):
                run(url)
    assert len(run.pauses) == IN_VAIN - 1


def test_tries_have_an_end_even_when_each_brings_something(run: Run, shelf: Shelf) -> None:
    shelf.always = "ignores"
    shelf.faults = ["cut", "cut"] * TRIES
    shelf.content = CONTENT * 4
    run(shelf.url + "/a.onnx", len(shelf.content))
    assert len(shelf.asked) <= TRIES
    assert max(run.pauses) <= 30


@pytest.mark.parametrize("url", ["ftp://host/a", "http://", "no address"])
def test_a_bad_address_is_refused(run: Run, url: str) -> None:
    with pytest.raises(InputError):
        run(url)


def test_a_disk_that_refuses_is_said(run: Run, shelf: Shelf, tmp_path: Path) -> None:
    run.part = Part(tmp_path / "none" / "x.part")
    with pytest.raises(StoreError, match="cannot be written"):
        run(shelf.url + "/a.onnx")
