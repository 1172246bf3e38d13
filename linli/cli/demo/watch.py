"""The demo's own eye on the API: when each incident became visible, and what is stored."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx2

from linli.clock import Clock
from linli.log import get_logger

log = get_logger(__name__)

_VISIBLE = frozenset({"opened", "reopened", "repeated"})
PAGE = 1000


class Watcher:
    """Follows the API's event stream in a thread; notes when an event's incident was visible."""

    def __init__(self, url: str, token: str, clock: Clock, *, after: str = "0") -> None:
        """`after` is the transition that the stream goes on from; 0 is before the first."""
        self._url = url
        self._token = token
        self._clock = clock
        self._after = after
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._visible: dict[str, datetime] = {}
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following."""
        self._stop.set()

    def visible(self) -> dict[str, datetime]:
        """Return when the incident of each event id was first seen in the stream."""
        with self._lock:
            return dict(self._visible)

    def stored(self) -> set[str]:
        """Return the ids of all events that the API says are stored."""
        return {str(event["id"]) for event in self._pages("/api/v1/events")}

    def stats(self) -> dict[str, Any]:
        """Return the chain's numbers."""
        answer: dict[str, Any] = self._get("/api/v1/stats", {})
        return answer

    def _pages(self, path: str) -> Iterator[dict[str, Any]]:
        after = 0
        while True:
            page = self._get(path, {"after": after, "limit": PAGE})["items"]
            yield from page
            if len(page) < PAGE:
                return
            after = page[-1]["cursor"]

    def _get(self, path: str, query: dict[str, int]) -> Any:
        answer = httpx2.get(
            self._url + path,
            params=query,
            headers=self._headers(),
            timeout=10.0,
            trust_env=False,
        ).raise_for_status()
        return answer.json()

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def _run(self) -> None:
        last = self._after
        while not self._stop.is_set():
            try:
                last = self._follow(last)
            except httpx2.HTTPError as error:
                log.info("demo: event stream: %s", error)
                self._stop.wait(0.2)

    def _follow(self, last: str) -> str:
        headers = {**self._headers(), "Last-Event-ID": last}
        with httpx2.stream(
            "GET",
            f"{self._url}/api/v1/stream",
            headers=headers,
            timeout=httpx2.Timeout(5, read=60),
            trust_env=False,
        ) as answer:
            answer.raise_for_status()
            for line in answer.iter_lines():
                if self._stop.is_set():
                    break
                if line.startswith("id:"):
                    last = line.removeprefix("id:").strip()
                elif line.startswith("data:"):
                    self._note(line.removeprefix("data:"))
        return last

    def _note(self, data: str) -> None:
        now = self._clock.now()
        transition = json.loads(data)
        if transition.get("step") in _VISIBLE and transition.get("event_id"):
            with self._lock:
                self._visible.setdefault(transition["event_id"], now)
