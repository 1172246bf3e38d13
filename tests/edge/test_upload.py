"""Sending pictures to a real small HTTP server that gives every answer an ingest may give."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from edge.messages import Address
from edge.pictures import MemoryEvidence, Picture
from edge.sealing import OpenSeal
from edge.upload import KEY_EVERY, Uploader, back_off, open_client
from linli.clock import ManualClock
from linli.ids import uuid7

START = datetime(2026, 3, 2, 11, 24, 5, tzinfo=UTC)
JPEG = b"\xff\xd8 not really \xff\xd9"
PUBLIC = bytes(range(32))
KEY = b'{"id":"x","key":"' + base64.b64encode(PUBLIC) + b'"}'


@dataclass
class Server:
    """Answers each PUT with the next of `answers`, with the last one for ever."""

    answers: list[tuple[int, dict[str, str]]] = field(default_factory=lambda: [(201, {})])
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0
    key: tuple[int, bytes] = (200, KEY)
    asked: list[dict[str, str]] = field(default_factory=list)


@dataclass
class World:
    server: Server
    clock: ManualClock
    store: MemoryEvidence
    uploader: Uploader
    seal: OpenSeal

    def put(self, number: int = 0) -> Picture:
        moment = START + timedelta(seconds=number)
        picture = Picture(
            id=uuid7(moment),
            sha256=hashlib.sha256(JPEG).hexdigest(),
            bytes=len(JPEG),
            redaction="heads",
            expires=moment + timedelta(days=30),
            device="cam",
            episode=uuid7(moment),
        )
        self.store.put(picture, JPEG)
        return picture

    def pass_time(self, seconds: int) -> list[int]:
        """Let time pass in steps of a second; return the seconds at which requests came."""
        moments = []
        for second in range(seconds):
            before = len(self.server.requests)
            while self.uploader.turn() == 0:
                pass
            moments += [second] * (len(self.server.requests) - before)
            self.clock.advance(1)
        return moments


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody there: asking it would fail all
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append(dict(self.headers))
            status, body = server.key
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.requests.append((self.path, dict(self.headers), body))
            status, headers = (
                server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
            )
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.port = http.server_address[1]
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    clock, seal = ManualClock(START), OpenSeal()
    store = MemoryEvidence(seal=seal)
    with open_client() as client:
        uploader = Uploader(
            store,
            seal,
            client,
            clock,
            address=Address("c001", "b03", "c001-n01"),
            url=f"http://127.0.0.1:{server.port}/",
            key="secret",
            jitter=lambda: 1.0,
        )
        yield World(server, clock, store, uploader, seal)
    http.shutdown()
    http.server_close()
    thread.join()


@pytest.mark.parametrize("status", [200, 201, 204])
def test_taken_picture_leaves_and_says_what_it_is(world: World, status: int) -> None:
    world.server.answers = [(status, {})]
    picture = world.put()
    assert world.pass_time(3) == [0]
    path, headers, body = world.server.requests[0]
    assert (path, body) == (f"/api/v1/evidence/{picture.id}", JPEG)
    digest = base64.b64encode(hashlib.sha256(JPEG).digest()).decode()
    wanted = {
        "Authorization": "Bearer secret",
        "Content-Type": "application/vnd.linli.sealed",
        "Content-Digest": f"sha-256=:{digest}:",
        "Linli-Node": "c001/c001-n01",
        "Linli-Device": "cam",
        "Linli-Redaction": "heads",
        "Linli-Expires": "2026-04-01T11:24:05Z",
    }
    assert {name: headers.get(name) for name in wanted} == wanted
    assert (world.store.waiting(), world.uploader.counts.sent) == ((), 1)


@pytest.mark.parametrize("status", [400, 409, 413, 415])
def test_what_will_never_be_taken_is_buried(world: World, status: int) -> None:
    world.server.answers = [(status, {}), (201, {})]
    first, _ = world.put(0), world.put(1)
    assert world.pass_time(100) == [0, 0]
    assert world.store.buried == {first.id: f"HTTP {status}"}
    assert (world.store.waiting(), world.uploader.counts.dead) == ((), 1)


@pytest.mark.parametrize("status", [302, 401, 403, 404, 429, 500, 502, 503])
def test_what_may_be_taken_later_is_kept_and_tried_again(world: World, status: int) -> None:
    world.server.answers = [(status, {})]
    picture = world.put()
    assert world.pass_time(190) == [0, 2, 6, 14, 30, 62, 122, 182]
    assert world.store.waiting() == (picture,)
    world.server.answers = [(201, {})]
    world.pass_time(61)
    assert world.store.waiting() == ()


@pytest.mark.parametrize(("status", "others"), [(404, 2), (500, 2), (401, 0), (429, 0), (503, 0)])
def test_one_bad_picture_blocks_no_other_but_the_whole_node_waits(
    world: World, status: int, others: int
) -> None:
    world.server.answers = [(status, {}), (201, {})]
    for number in range(3):
        world.put(number)
    assert world.pass_time(1) == [0] * (1 + others)
    world.pass_time(3)
    assert world.store.waiting() == ()


@pytest.mark.parametrize(
    ("value", "second"),
    [("7", 7), ("Mon, 02 Mar 2026 11:24:35 GMT", 30), ("-5", 2), ("soon", 2), ("99999", 3600)],
)
def test_retry_after_is_honoured(world: World, value: str, second: int) -> None:
    world.server.answers = [(503, {"Retry-After": value}), (201, {})]
    world.put()
    assert world.pass_time(second + 2) == [0, second]


def test_without_a_server_nothing_is_lost(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.uploader._url = "http://127.0.0.1:9"
    world.put(0)
    world.put(1)
    world.pass_time(130)
    assert len(world.store.waiting()) == 2
    assert world.uploader.counts.failed == 7
    assert sum("not taken" in line for line in caplog.messages) == 1
    world.uploader._url = f"http://127.0.0.1:{world.server.port}"
    world.pass_time(61)
    assert world.store.waiting() == ()


def test_thread_sends_when_woken_and_stops(world: World) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=world.uploader.run, args=(stop,))
    thread.start()
    world.put()
    world.uploader.wake()
    sent = threading.Event()
    for _ in range(6000):
        if world.uploader.counts.sent:
            break
        sent.wait(0.01)
    stop.set()
    world.uploader.wake()
    thread.join(45)
    assert (thread.is_alive(), world.store.waiting()) == (False, ())


@pytest.mark.parametrize(
    ("failure", "fraction", "seconds"),
    [(1, 0.0, 1.0), (1, 1.0, 2.0), (3, 1.0, 8.0), (6, 0.5, 45.0), (10_000, 1.0, 60.0)],
)
def test_back_off(failure: int, fraction: float, seconds: float) -> None:
    assert back_off(failure, fraction) == seconds


def test_the_key_is_asked_for_before_the_first_picture_and_every_hour(world: World) -> None:
    world.seal.known = False
    world.put()
    assert world.pass_time(3) == [0]
    assert world.seal.taken == [PUBLIC]
    (headers,) = world.server.asked
    assert headers["Authorization"] == "Bearer secret"
    assert headers["Linli-Node"] == "c001/c001-n01"
    for _ in range(2):
        world.clock.advance(KEY_EVERY)
        world.uploader.turn()
    assert len(world.server.asked) == 3


@pytest.mark.parametrize(
    "key", [(404, b""), (200, b"{}"), (200, b'{"key":"??"}'), (200, b"no"), (401, KEY)]
)
def test_without_a_key_no_picture_is_sent_and_none_is_lost(
    world: World, key: tuple[int, bytes]
) -> None:
    world.server.key, world.seal.known = key, False
    picture = world.put()
    assert world.pass_time(30) == []
    assert world.store.waiting() == (picture,)
    assert 3 <= len(world.server.asked) <= 8  # ever more rarely
    world.server.key = (200, KEY)
    assert len(world.pass_time(60)) == 1


def test_an_old_key_serves_while_the_ingest_gives_none(world: World) -> None:
    world.server.key = (503, b"")
    world.put()
    assert world.pass_time(3) == [0]
