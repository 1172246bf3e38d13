from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Queue

import httpx2
import pytest
import sqlalchemy as sa
from house import SITE, Folder

from ingest.accounts import book as accounts
from ingest.store.engine import reading, writing
from ingest.store.incidents import transition
from linli.broker import free_port
from linli.clock import SystemClock

ALONE = Path(__file__).parents[1] / "support" / "web_alone.py"


class Web:
    """A real web process over a folder that the test fills, woken by a real pipe."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        folder.clock = SystemClock()  # type: ignore[assignment]
        config = folder.path / "ingest.toml"
        config.write_text(f'data = "."\n[site]\nid = "{SITE}"\nlabel = "x"\n{folder.toml}')
        with writing(folder.state) as connection:
            self.token = accounts.add_token(
                connection, "guest", "t", ["see"], now=datetime.now(UTC), lasts=timedelta(days=1)
            )
        self.config = config
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        read, self.pipe = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, str(ALONE), str(self.config), str(self.port)],
            pass_fds=(read,),
            env={**os.environ, "LINLI_WAKE": str(read)},
            stderr=subprocess.PIPE,
        )
        os.close(read)

    def wait_ready(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                if httpx2.get(self.url + "/healthz", timeout=1).status_code == 200:
                    return
            except httpx2.HTTPError:
                assert time.monotonic() < deadline, "the server did not start"
                assert self.process.poll() is None
                threading.Event().wait(0.02)

    def fall(self) -> None:
        """Kill it as a power cut does, and start it again on the same port."""
        self.process.kill()
        self.process.wait()
        assert self.process.stderr is not None
        self.process.stderr.close()
        os.close(self.pipe)
        self.start()
        self.wait_ready()

    def happen(self, **data) -> str:
        message = self.folder.event(**data)
        self.folder.put_event(message)
        os.write(self.pipe, b".")
        return message.id

    def headers(self, **more: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", **more}

    @contextmanager
    def listening(self, **headers: str) -> Iterator[Iterator[tuple[str, str]]]:
        with httpx2.stream(
            "GET", self.url + "/api/v1/stream", headers=self.headers(**headers), timeout=20
        ) as answer:
            assert answer.status_code == 200, answer.read()
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield frames(answer.iter_lines())

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        assert self.process.stderr is not None
        self.process.stderr.close()
        os.close(self.pipe)


def frames(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Yield (id, data); comments come as ("", text)."""
    name = data = ""
    for line in lines:
        if line.startswith(":"):
            yield "", line[1:].strip()
        elif line.startswith("id: "):
            name = line[4:]
        elif line.startswith("data: "):
            data = line[6:]
        elif not line and name:
            yield name, data
            name = data = ""


@pytest.fixture
def web(tmp_path: Path):
    folder = Folder(tmp_path)
    web = Web(folder)
    web.wait_ready()
    yield web
    web.close()
    folder.close()


def transitions(stream: Iterator[tuple[str, str]], number: int) -> list[dict]:
    found: list[dict] = []
    for name, data in stream:
        if name:
            found.append({**json.loads(data), "number": int(name)})
            if len(found) == number:
                return found
    raise AssertionError("the stream ended")


def test_a_stream_begins_at_once_goes_on_and_resumes_without_a_gap(web: Web) -> None:
    web.happen(zone="a")
    with web.listening(**{"Last-Event-ID": "0"}) as stream:
        assert next(stream) == ("", "here")
        (first,) = transitions(stream, 1)
        ids = [web.happen(zone=zone) for zone in "bcd"]
        seen = transitions(stream, 3)
    assert [one["event_id"] for one in seen] == ids
    missed = [web.happen(zone=zone) for zone in "ef"]
    with web.listening(**{"Last-Event-ID": str(seen[-1]["number"])}) as stream:
        assert [one["event_id"] for one in transitions(stream, 2)] == missed
    with web.listening(**{"Last-Event-ID": str(first["number"] - 1)}) as stream:
        again = transitions(stream, 6)
    assert [one["number"] for one in again] == sorted({one["number"] for one in again})
    with web.listening() as stream:
        assert next(stream) == ("", "here")
        web.happen(zone="g")
        assert len(transitions(stream, 1)) == 1
    bad = httpx2.get(web.url + "/api/v1/stream", headers=web.headers(**{"Last-Event-ID": "x"}))
    assert bad.status_code == 422


def test_over_kills_of_the_server_every_change_is_seen_exactly_once(web: Web) -> None:
    sent: list[str] = []
    seen: list[dict] = []
    last = "0"
    for turn in range(2):
        sent += [web.happen(zone=f"z{turn}{one}") for one in "ab"]
        with web.listening(**{"Last-Event-ID": last}) as stream:
            seen += transitions(stream, 1)  # the second is on its way when the server falls
            last = str(seen[-1]["number"])
            web.fall()
    web.happen(zone="last")
    sent.append(web.happen(zone="very-last"))
    with web.listening(**{"Last-Event-ID": last}) as stream:
        while not seen or seen[-1].get("event_id") != sent[-1]:
            seen += transitions(stream, 1)
    numbers = [one["number"] for one in seen]
    assert numbers == sorted(set(numbers))
    # PostgreSQL gives no number twice, not even of what a fall took back: the table says which are.
    with reading(web.folder.state) as connection:
        kept = connection.scalars(sa.select(transition.c.id).order_by(transition.c.id)).all()
    assert numbers == [one for one in kept if one <= numbers[-1]], "a number was skipped"
    opened = [one["event_id"] for one in seen if one["step"] == "opened"]
    assert set(sent) <= set(opened)
    assert len(opened) == len(set(opened))


def test_who_knows_more_than_there_is_is_told_to_read_anew(web: Web) -> None:
    web.happen(zone="a")
    with web.listening(**{"Last-Event-ID": "0"}) as stream:
        (first,) = transitions(stream, 1)
    with web.listening(**{"Last-Event-ID": "999999"}) as stream:
        assert next(stream) == ("", "here")
        name, data = next(stream)
        assert (int(name) >= first["number"], data) == (True, "{}")
        sent = web.happen(zone="b")
        (row,) = transitions(stream, 1)
    assert (row["event_id"], row["number"]) == (sent, int(name) + 1)


def test_a_fact_is_on_the_stream_within_a_moment(web: Web) -> None:
    """At 50 messages a second; the target of 60 ms has a margin here for a busy machine."""
    seen: Queue[tuple[str, float]] = Queue()
    sent: dict[str, float] = {}
    number = 60

    def listen() -> None:
        with web.listening() as stream:
            for name, data in stream:
                if not name:
                    seen.put(("", 0.0))
                    continue
                row = json.loads(data)
                if row["actor"].startswith("rule:edge@"):  # and not of the storm that they make
                    seen.put((row["event_id"], time.monotonic()))
                if seen.qsize() == number:
                    return

    listener = threading.Thread(target=listen)
    listener.start()
    seen.get(timeout=45)
    pause = threading.Event()
    for index in range(number):
        message = web.folder.event(zone=f"z{index}")
        web.folder.put_event(message)
        sent[message.id] = time.monotonic()
        os.write(web.pipe, b".")
        pause.wait(0.02)
    delays = sorted(at - sent[name] for name, at in (seen.get(timeout=45) for _ in range(number)))
    web.process.terminate()
    listener.join(45)
    assert len(delays) == number
    if web.folder.state.dialect.name == "sqlite":  # the target is that of the default
        assert delays[len(delays) // 2] < 0.15, delays


def test_sigterm_ends_the_process_while_streams_are_open(web: Web) -> None:
    with web.listening() as stream:
        assert next(stream) == ("", "here")
        started = time.monotonic()
        web.process.send_signal(signal.SIGTERM)
        assert list(stream) == []
        web.process.wait(45)
    assert time.monotonic() - started < 15, "the graceful end of 20 s was waited for"
    assert web.process.stderr is not None
    assert b"Traceback" not in web.process.stderr.read()


def test_without_the_pipe_it_still_comes(web: Web) -> None:
    os.close(web.pipe)
    web.pipe = os.open(os.devnull, os.O_WRONLY)
    with web.listening() as stream:
        assert next(stream) == ("", "here")
        web.happen()
        assert len(transitions(stream, 1)) == 1
