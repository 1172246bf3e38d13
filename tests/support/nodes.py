"""The edges' side of a real mosquitto, driven by hand, and a site that knows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from brokers import RunningBroker, running_broker
from facts import AREA, DEVICE, EVENT_TOPIC, NODE, SITE, STREAM

from ingest.registry import add_device, add_node
from ingest.settings import IngestSettings, load_settings
from ingest.store.engine import open_writer, writing
from ingest.store.files import path_of, prepare
from linli.clock import SystemClock
from linli.codec import decode_part
from linli.events import Receipt, Reject, Status
from linli.mqtt import Delivery, LinkOptions, PahoLink
from linli.settings import write_secret

OTHER = "c001-n02"


@dataclass
class Node:
    """An edge's side of the wire: publishes, and hears what the ingest answers."""

    name: str = NODE
    stream: str = STREAM
    upto: int = 0
    ranges: tuple[tuple[int, int], ...] = ()
    rejects: list[Reject] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    sent: int = 0
    link: PahoLink | None = None

    def connect(self, port: int) -> None:
        base = f"linli/v1/{SITE}/_sys"
        options = LinkOptions(
            host="127.0.0.1",
            port=port,
            client_id=self.name,
            username=self.name,
            password="two",
            subscriptions=(
                f"{base}/{self.name}/ingest/receipt/+",
                f"{base}/{self.name}/ingest/reject/+",
                f"{base}/all/ingest/health/status",
            ),
        )
        self.link = PahoLink(options, self, SystemClock())

    def on_up(self) -> None: ...

    def on_down(self, reason: str) -> None: ...

    def on_sent(self, token: int, error: str | None) -> None:
        assert error is None
        self.sent += 1

    def on_message(self, delivery: Delivery) -> None:
        kind = delivery.topic.split("/")[6]
        if kind == "receipt":
            receipt = decode_part(delivery.payload, Receipt)
            assert receipt.stream == self.stream
            self.upto, self.ranges = receipt.upto, receipt.ranges
        elif kind == "reject":
            self.rejects.append(decode_part(delivery.payload, Reject))
        else:
            self.states.append(decode_part(delivery.payload, Status).state)
        assert self.link is not None
        self.link.ack(delivery)

    def until(self, condition: Callable[[], bool]) -> None:
        assert self.link is not None
        for _ in range(2000):
            self.link.step(0.02)
            if condition():
                return
        raise AssertionError(f"it did not happen: {self}")

    def send(self, payload: bytes) -> None:
        assert self.link is not None
        self.link.publish(EVENT_TOPIC.replace(NODE, self.name), payload)


@contextmanager
def running_site(folder: Path) -> Iterator[tuple[IngestSettings, RunningBroker]]:
    """Yield a broker and the settings of an ingest that knows `NODE` and `OTHER`; none runs yet."""
    (folder / "b").mkdir()
    with running_broker(folder / "b", {"svc-ingest": "one", NODE: "two", OTHER: "two"}) as broker:
        write_secret(folder / "secret", "one")
        config = folder / "ingest.toml"
        config.write_text(
            f'[site]\nid = "{SITE}"\nlabel = "x"\n[mqtt]\nport = {broker.port}\n'
            'username = "svc-ingest"\npassword_file = "secret"\n'
            "[rate]\nmessages = 200\nburst = 400\n"
        )
        loaded = load_settings(config)
        prepare(loaded.folder)
        engine = open_writer(path_of(loaded.folder, "state"))
        with writing(engine) as connection:
            for name in (NODE, OTHER):
                add_node(connection, site=SITE, area=AREA, name=name, label="x")
                add_device(connection, node_name=name, name=DEVICE, kind="camera", label="x")
        engine.dispose()
        yield loaded, broker
