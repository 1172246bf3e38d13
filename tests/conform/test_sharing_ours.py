"""Our own part that shares, and a small district, tried over real sockets by the command itself."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from brokers import NEEDS_MOSQUITTO
from conforming import conform, not_passed
from msgspec.structs import replace
from sharing import NODE, Community, furnish, settings_in
from toy_sharers import ToyStreet

from ingest.consumers import share
from ingest.consumers.share import share_of
from ingest.registry import add_device
from ingest.settings import Mqtt
from ingest.store.choose import database_of
from ingest.store.engine import reading, writing
from ingest.store.share import share_count
from linli.clock import ManualClock, SystemClock
from linli.mqtt import Delivery, LinkOptions, PahoLink

pytestmark = [pytest.mark.broker, NEEDS_MOSQUITTO]


class Behind(SystemClock):
    """Its hand is two minutes behind, until it is set."""

    right = False

    def now(self) -> datetime:
        return super().now() - timedelta(minutes=0 if self.right else 2)


def counted_to(community: Community, count: int) -> None:
    """Wait until as many cameras are counted."""
    counted = threading.Event()
    while not counted.wait(0.05):
        with reading(community.reader) as connection:
            rows = connection.execute(share_count.select()).all()
        if any(row.kind == "camera" and row.count == count for row in rows):
            counted.set()


def test_our_own_part_passes_every_clause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share, "COUNT_EVERY", 0.0)
    with conform("community") as trial:
        settings = replace(settings_in(tmp_path), mqtt=Mqtt(port=trial.port))
        past = datetime.now(UTC) - timedelta(minutes=3)
        community = Community(database_of(settings), ManualClock(past))
        furnish(community.writer)
        clock = Behind()
        (runner,) = share_of(settings, community.reader, community.writer, clock)
        runner.start()
        try:
            counted_to(community, 1)
            clock.right = True  # what was counted two minutes ago may be told now
            trial.wait_for("let something end there")
            one = community.staff(community.happens(), "resolve")
            trial.wait_for("judge it a false alarm")
            community.staff(one, "label", label="false-alarm")
            trial.wait_for("let something else end there")
            community.staff(community.happens("gas"), "resolve")
            clock.right = False
            with writing(community.writer) as connection:
                add_device(connection, node_name=NODE, name="cam-2", kind="camera", label="x")
            counted_to(community, 2)
            clock.right = True
            report = trial.end()
        finally:
            runner.stop()
            community.close()
    assert not_passed(report) == {}
    assert (report["code"], report["who"]) == (0, "svc-share")


class Street(ToyStreet):
    """Counts over a real connection, and leaves what it counts in a file."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file

    def on_up(self) -> None:
        """Nothing to be told."""

    def on_down(self, reason: str) -> None:
        """It comes back by itself."""

    def on_sent(self, token: int, error: str | None) -> None:
        """Nothing is sent."""

    def on_message(self, delivery: Delivery) -> None:
        self.hear(delivery.topic, delivery.payload, delivery.retain)
        fresh = self.file.with_suffix(".new")
        fresh.write_text(self.tally(), encoding="utf-8")
        fresh.replace(self.file)
        self.link.ack(delivery)

    @contextmanager
    def running(self, port: int) -> Iterator[None]:
        """Count until the end of the block."""
        options = LinkOptions(
            host="127.0.0.1",
            port=port,
            client_id="street",
            username="street",
            keep_session=True,
            subscriptions=("linli/v1/up/330106/003/#",),
        )
        self.link = PahoLink(options, self, SystemClock())
        stop = threading.Event()

        def turn() -> None:
            while not stop.is_set():
                self.link.step(0.05)

        thread = threading.Thread(target=turn)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(60)
            self.link.close()


def test_a_small_district_passes_every_clause(tmp_path: Path) -> None:
    file = tmp_path / "counts.json"
    tally = f"cat {shlex.quote(str(file))}"
    street, more = Street(file), ("--path", "330106/003", "--tally", tally)
    with conform("district", *more) as trial, street.running(trial.port):
        report = trial.end()
    assert not_passed(report) == {}
    assert (report["code"], report["who"]) == (0, "street")
