"""Hostile messages through a real broker into a real receiver: it stays small and goes on."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from brokers import NEEDS_MOSQUITTO
from facts import DEVICE, SITE, event_bytes
from hostile import HOSTILE
from nodes import OTHER, Node, running_site

from linli.process import linli_argv

pytestmark = [pytest.mark.broker, NEEDS_MOSQUITTO]
MOST_GROWTH = 50 * 2**20
ROUNDS = 10
"""Of all that is hostile: the first two are refused by name, the others turned away unread."""
CODES = {"json", "schema", "size", "privacy"}
OTHER_STREAM = "abcdef0e"


def largest(pid: int) -> int:
    """Return the most bytes that a process ever had in memory."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no such line")


def good(sequence: int) -> bytes:
    return event_bytes(sequence, source=f"/{SITE}/{OTHER}/{DEVICE}", stream=OTHER_STREAM)


@contextmanager
def running_receiver(config: Path) -> Iterator[int]:
    argv = linli_argv("ingest", "receiver", "--config", str(config))
    with subprocess.Popen(argv, stderr=subprocess.DEVNULL) as process:
        try:
            yield process.pid
        finally:
            process.kill()


def test_nothing_that_is_sent_makes_the_receiver_large_or_stops_it(tmp_path: Path) -> None:
    with running_site(tmp_path) as (_, broker):
        bad, other = Node(), Node(OTHER, OTHER_STREAM)
        for node in (bad, other):
            node.connect(broker.port)
        with running_receiver(tmp_path / "ingest.toml") as receiver:
            other.until(lambda: "ready" in other.states)
            other.send(good(1))
            other.until(lambda: other.upto == 1)
            before = largest(receiver)
            bad.until(lambda: "ready" in bad.states)
            for payload in [*HOSTILE.values()] * ROUNDS:
                bad.send(payload)
            bad.until(lambda: bad.sent == ROUNDS * len(HOSTILE))
            other.send(good(2))
            other.until(lambda: other.upto == 2)
            bad.until(lambda: {one.code for one in bad.rejects} >= CODES)
            assert largest(receiver) - before < MOST_GROWTH
