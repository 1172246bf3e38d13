"""Clients of a real broker that a test drives by hand: what each may write, and what it hears."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from linli.clock import SystemClock
from linli.mqtt import Delivery, LinkOptions, PahoLink, Will

SITE = "c001"
EDGE, OTHER, GONE = "c001-n01", "c001-n02", "c001-n03"


def context(ca: Path, mine: Path | None = None) -> ssl.SSLContext:
    """A client's view of TLS: it trusts `ca`, and is who the files in the folder `mine` say."""
    made = ssl.create_default_context(cafile=str(ca))
    if mine is not None:
        made.load_cert_chain(mine / "client.crt", mine / "client.key")
    return made


class Client:
    """One connection under one identity."""

    def __init__(
        self,
        port: int,
        name: str,
        *,
        username: str | None = None,
        password: str | None = None,
        tls: ssl.SSLContext | None = None,
        hears: tuple[str, ...] = (),
        will: Will | None = None,
    ) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.answers: dict[int, str | None] = {}
        self.ups = self.downs = 0
        options = LinkOptions(
            host="localhost",
            port=port,
            client_id=name,
            username=username,
            password=password,
            tls=tls,
            subscriptions=hears,
            will=will,
        )
        self.name = name
        self.link = PahoLink(options, self, SystemClock())

    def on_up(self) -> None:
        self.ups += 1

    def on_down(self, reason: str) -> None:
        self.downs += 1

    def on_sent(self, token: int, error: str | None) -> None:
        self.answers[token] = error

    def on_message(self, delivery: Delivery) -> None:
        self.heard.append((delivery.topic, delivery.payload))
        self.link.ack(delivery)

    def until(self, there: Callable[[], Any], seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not there():
            assert time.monotonic() < end, f"{self.name}: it did not happen"
            self.link.step(0.02)

    def up(self) -> Client:
        self.until(lambda: self.ups)
        return self

    def says(self, topic: str, payload: bytes = b"x", *, retain: bool = False) -> str | None:
        """Publish and return what the broker answers: None when it takes it."""
        token = self.link.publish(topic, payload, retain=retain)
        self.until(lambda: token in self.answers)
        return self.answers[token]

    def caught_up(self) -> Client:
        """Return when everything sent to it before has come: answers come in order."""
        assert self.says(f"linli/v1/{SITE}/b03/{self.name}/self/health/report") is None
        return self

    def refused(self) -> bool:
        """Tell whether the broker shuts it out, by trying once."""
        for _ in range(500):
            self.link.step(0.02)
            if self.ups:
                return False
            if self.link._attempt:
                return True
        raise AssertionError("neither let in nor shut out")
