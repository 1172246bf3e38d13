"""The ingest's own trial of the whole chain: a message each minute, through the real broker.

The receiver sends it to itself as an edge would: numbered, counted before it is sent, sent again
after the link broke, and forgotten once the journal has it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ingest.receive.batch import Stream
from ingest.receive.writer import JournalWriter
from ingest.store.journal import PROBE_COUNTER
from linli.clock import Clock
from linli.codec import encode
from linli.errors import LinkError
from linli.events import ProbeData, ProbeMessage, schema_uri, sequence_text
from linli.ids import uuid7
from linli.mqtt import Link
from linli.topics import PROBE, PROBE_NODE, probe_topic

STREAM: Final = "70726f62"
EVERY = 60.0
AFTER_START = 10.0
"""Seconds: what the broker still held of an earlier run comes before the first one of this run."""


class Prober:
    """Makes one probe after another; the next one only when the last has arrived."""

    def __init__(self, site: str, writer: JournalWriter, clock: Clock) -> None:
        self._topic = probe_topic(site)
        self._writer = writer
        self._clock = clock
        self._due: float | None = None
        self._held: tuple[int, bytes] | None = None
        self._sent = False

    def on_down(self) -> None:
        """The link broke: what was on its way has to be sent again."""
        self._sent = False

    def step(self, link: Link) -> None:
        """Make and send what is due, on a link that is up. Raises StoreError."""
        now = self._clock.monotonic()
        if self._due is None:
            self._due = now + AFTER_START
        if self._held is None and now >= self._due:
            self._held = self._make()
            self._due = now + EVERY
        if self._held is None or self._sent:
            return
        try:
            link.publish(str(self._topic), self._held[1])
        except LinkError:
            return
        self._sent = True

    def stored(self, streams: Iterable[Stream]) -> None:
        """Forget the probe that the journal has now."""
        if self._held is None:
            return
        sequence, _ = self._held
        for stream in streams:
            if (stream.node, stream.id) == (PROBE_NODE, STREAM) and stream.positions.has(sequence):
                self._held, self._sent = None, False

    def _make(self) -> tuple[int, bytes]:
        """Count one more and return its sequence and its bytes."""
        number = self._writer.count_up(PROBE_COUNTER)
        # The sequence follows what has arrived, so that a probe that was lost leaves no gap that
        # would be taken for a fact that an edge gave up; the number tells of it.
        positions = self._writer.batch(0).load_stream(PROBE_NODE, STREAM).positions
        sequence = max((last for _, last in positions.ranges), default=positions.upto) + 1
        now = self._clock.now()
        message = ProbeMessage(
            specversion="1.0",
            id=uuid7(now),
            source=self._topic.source,
            type=self._topic.type,
            time=now,
            datacontenttype="application/json",
            dataschema=schema_uri(PROBE),
            clocksync="synced",
            stream=STREAM,
            sequence=sequence_text(sequence),
            low=sequence_text(sequence),
            data=ProbeData(number=number),
        )
        return sequence, encode(message)
