"""A broker, a client and the processes of the ingest, for the benchmarks."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from bare_consumer import USER as BARE
from wire import SITE, Sent

from linli.broker import free_port, plan_broker
from linli.clock import SystemClock
from linli.codec import decode_part
from linli.events import Receipt
from linli.mqtt import Delivery, LinkOptions, PahoLink
from linli.process import linli_argv
from linli.settings import write_secret

USERS = {"svc-ingest": "one", BARE: "bare", "bench": "two"}
PATIENCE = 300.0


class Broker:
    """mosquitto with Linli's own configuration, and two identities more."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.plan = plan_broker(folder, site=SITE, port=self.port, users=USERS)
        if self.plan.kind != "mosquitto":
            sys.exit("no mosquitto on this machine: apt-get install mosquitto")
        with (folder / "acl.conf").open("a") as rules:
            rules.write(f"\nuser {BARE}\ntopic readwrite #\nuser bench\ntopic readwrite #\n")

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(self.plan.argv)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()


class Client:
    """A link of our own with nothing to do but count; `upto` is what receipts cover in all."""

    def __init__(self, port: int, user: str, filters: tuple[str, ...] = (), *, keep: bool) -> None:
        options = LinkOptions(
            host="127.0.0.1",
            port=port,
            client_id=user,
            username=user,
            password=USERS[user],
            keep_session=keep,
            subscriptions=filters,
        )
        self.answered = 0
        self._upto: dict[str, int] = {}
        self.link = PahoLink(options, self, SystemClock())
        self.step_until(lambda: self.link.connected)

    def on_up(self) -> None: ...

    def on_down(self, reason: str) -> None: ...

    def on_sent(self, token: int, error: str | None) -> None:
        assert error is None, (token, error)
        self.answered += 1

    def on_message(self, delivery: Delivery) -> None:
        self.link.ack(delivery)
        if "/ingest/receipt/" in delivery.topic and delivery.payload:
            receipt = decode_part(delivery.payload, Receipt)
            self._upto[delivery.topic] = receipt.upto

    @property
    def upto(self) -> int:
        return sum(self._upto.values())

    def forget_receipts(self) -> None:
        """Take the retained ones away: the next run speaks of the same streams."""
        for topic in self._upto:
            self.link.publish(topic, b"", retain=True)
        self.answered = 0
        self.step_until(lambda: self.answered == len(self._upto))

    def step_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError("the broker or the ingest does not answer")
            self.link.step(0.02)

    def send(self, messages: list[Sent], window: int = 800) -> None:
        for number, (topic, payload) in enumerate(messages):
            self.link.publish(topic, payload)
            while number - self.answered > window:
                self.link.step(0.02)
        self.step_until(lambda: self.answered == len(messages))


def write_config(folder: Path, data: Path, mqtt_port: int, http_port: int = 0) -> Path:
    """Write `ingest.toml`; the messages come from few nodes, so that these may be fast."""
    secret = folder / "svc-ingest.secret"
    if not secret.exists():
        write_secret(secret, USERS["svc-ingest"])
    config = folder / f"{data.name}.toml"
    config.write_text(
        f'data = "{data}"\n[site]\nid = "{SITE}"\nlabel = "Bench"\n'
        f'[mqtt]\nport = {mqtt_port}\nusername = "svc-ingest"\npassword_file = "{secret}"\n'
        f"[http]\nport = {http_port or free_port()}\n"
        "[rate]\nmessages = 1000000\nburst = 1000000\n"
    )
    return config


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    argv = linli_argv("ingest", *arguments)
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)
