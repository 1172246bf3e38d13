"""How soon the server answers with a page or a list, and what many open pages cost it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import threading
import time
from datetime import UTC, datetime
from typing import Any, Self

import httpx2
import numpy as np
import psutil
from load import family_rss, until
from processes import Client
from web_estate import Estate

from ingest.api.visitor import COOKIE
from linli.cli.demo.watch import Watcher
from linli.clock import SystemClock

RATE = 20.0
STREAMS_EACH = 4  # of a session; more are sent to rest
FLOOR_MS = 60.0
FROM_NOW = "9" * 18  # a transition that is not yet: the stream begins with what comes next


def server(estate: Estate, arguments: argparse.Namespace) -> dict[str, Any]:
    """Ask for each page so often, in turns; milliseconds until all of it has come."""
    pages = {
        "/": "desk",
        "/incidents?group=waiting": "incidents, open",
        "/incidents?group=resolved": "incidents, resolved",
        f"/incidents/{estate.incident}": "one incident",
        "/devices": "devices",
        f"/devices/{estate.device}": "one device",
        "/registry": "registry",
        "/m": "phone",
        "/wall": "wall",
        "/duty": "duty",
        "/settings/silences": "silences",
        "/cameras": "cameras",
        "/trends": "trends",
        "/settings/rules": "rules",
        "/api/v1/incidents?limit=100": "API incidents",
        f"/api/v1/incidents/{estate.incident}": "API one incident",
        "/api/v1/devices?limit=100": "API devices",
        "/api/v1/registry/devices?limit=100": "API registry",
        "/api/v1/incidents?state=resolved&limit=100": "API incidents, resolved",
        "/api/v1/events?limit=100": "API events",
    }
    took: dict[str, list[float]] = {path: [] for path in pages}
    cookies = {COOKIE: estate.sessions[0]}
    with httpx2.Client(base_url=estate.url, cookies=cookies, timeout=30) as client:
        sizes, answers = {}, {}
        for number in range(arguments.rounds + 1):
            for path in list(took):
                started = time.perf_counter()
                answer = client.get(path)
                spent = (time.perf_counter() - started) * 1000
                if number:  # the first one warms up
                    took[path].append(spent)
                elif answer.status_code != 200:
                    answers[path] = answer.status_code
                    del took[path]
                sizes[path] = len(answer.content)
    found: dict[str, Any] = {
        f"{pages[path]} ({path.partition('?')[0][:40]})": {
            "p50_ms": round(float(np.percentile(one, 50)), 1),
            "p95_ms": round(float(np.percentile(one, 95)), 1),
            "kb": round(sizes[path] / 1000, 1),
        }
        for path, one in took.items()
    }
    slow = [name for name, one in found.items() if one["p95_ms"] > FLOOR_MS]
    return {**found, "not there": answers, f"over {FLOOR_MS:.0f} ms": slow}


def streams(estate: Estate, arguments: argparse.Namespace) -> dict[str, Any]:
    """Send events with no desk open, then with many."""
    sender = Client(estate.mqtt, "bench", keep=False)
    try:
        alone = _send(estate, sender, arguments.seconds)
        crowd = _Crowd(estate, arguments.listeners)
        with crowd:
            beside = _send(estate, sender, arguments.seconds)
    finally:
        sender.link.close()
    return {
        **{f"alone: {name}": value for name, value in alone.items()},
        **{f"{arguments.listeners} desks: {name}": value for name, value in beside.items()},
        "fragments a desk": round(crowd.fragments / arguments.listeners, 1),
        "streams lost": crowd.lost,
    }


def _send(estate: Estate, sender: Client, seconds: float) -> dict[str, Any]:
    watcher = Watcher(estate.url, estate.token, SystemClock(), after=FROM_NOW)
    watcher.start()
    time.sleep(2.0)
    sent: dict[str, datetime] = {}
    spent, started = _spent(estate.parent), time.monotonic()
    for number in range(int(seconds * RATE)):
        while (left := started + number / RATE - time.monotonic()) > 0:
            sender.link.step(min(0.01, left))
        now = datetime.now(UTC)
        topic, payload = estate.community.event(now)
        sender.link.publish(topic, payload)
        sender.link.step(0.0)
        message = json.loads(payload)
        if message["data"]["phase"] == "begin":
            sent[message["id"]] = now
    until(lambda: len(sent.keys() - watcher.visible().keys()) == 0, 60, "facts are missing")
    wall = time.monotonic() - started
    watcher.stop()
    seen = watcher.visible()
    late = [(seen[one] - at).total_seconds() * 1000 for one, at in sent.items()]
    return {
        "p50_ms": round(float(np.percentile(late, 50)), 1),
        "p95_ms": round(float(np.percentile(late, 95)), 1),
        "cores": round((_spent(estate.parent) - spent) / wall, 2),
        "rss_mb": family_rss(estate.parent),
    }


def _spent(parent: int) -> float:
    processes = [psutil.Process(parent), *psutil.Process(parent).children(recursive=True)]
    return sum(one.cpu_times().user + one.cpu_times().system for one in processes)


class _Crowd:
    """So many open desks, read by one loop in a thread of its own."""

    def __init__(self, estate: Estate, listeners: int) -> None:
        self._estate = estate
        self._listeners = listeners
        self.fragments = 0
        self.lost = 0
        self._open = 0

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        for number in range(self._listeners):
            asyncio.run_coroutine_threadsafe(self._listen(number), self._loop)
        until(lambda: self._open == self._listeners, 60, "not all streams open")
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _hang_up(self) -> None:
        lost = self.lost
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        self.lost = lost

    async def _listen(self, number: int) -> None:
        """Read a stream as a browser does, and throw it away."""
        host, port = self._estate.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=1 << 22)
        session = self._estate.sessions[number // STREAMS_EACH]
        writer.write(
            f"GET /live?page=desk HTTP/1.1\r\nHost: {host}:{port}\r\n"
            f"Cookie: {COOKIE}={session}\r\nAccept-Encoding: gzip\r\n\r\n".encode()
        )
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            while line := await reader.readline():
                if line.startswith(b"event: hello"):
                    self._open += 1
                elif line.startswith(b"event: desk"):
                    self.fragments += 1
            self.lost += 1
        writer.close()
