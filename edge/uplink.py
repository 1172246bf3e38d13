"""The spool's way to the broker: drain while the ingest is ready, drop only on its receipt.

Events go before telemetry, each lane in the order of its sequence, but that new events pass a long
backlog of old ones; a bounded number of rows waits for its receipt. The broker's acknowledgement
removes nothing. What got no receipt in time is sent again; after a new connection or a new session
of the ingest everything held is.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge.actuate.orders import Orders
from edge.flight import Course, Flight
from edge.messages import Address
from edge.spool import LANES, Lane, Row, Spool
from linli.clock import Clock
from linli.codec import decode_part, encode
from linli.errors import LinkError, PayloadError, StoreError
from linli.events import NodeState, Receipt, Reject, Status
from linli.log import get_logger
from linli.mqtt import Delivery, LinkFactory, LinkOptions, Will
from linli.topics import (
    SYSTEM_AREA,
    Topic,
    ingest_status_topic,
    node_status_topic,
    topic_filter,
)

log = get_logger(__name__)

TURN = 0.02
REPORT_EVERY = 60.0
REPORT_PAUSE = 3.0
REPORT_EXPIRY = 120
WORD_EXPIRY = 60
"""Seconds that a word on a command is worth sending."""
LONGEST_TURN, LONGEST_CONNECT = 15.0, 120.0
"""Seconds; looking up a name may take long where nobody answers."""

Document = tuple[Topic, bytes]


@dataclass(slots=True)
class UplinkCounts:
    """What happened since the start."""

    sent: int = 0
    resent: int = 0
    confirmed: int = 0
    rejected: int = 0
    refused: int = 0
    unreadable: int = 0


class Uplink:
    """Drives one link; everything but `counts` belongs to the thread that calls `turn`."""

    def __init__(
        self,
        address: Address,
        options: LinkOptions,
        connect: LinkFactory,
        spool: Spool,
        clock: Clock,
        *,
        session: str,
        agent: str,
        documents: Sequence[Document] = (),
        report: Callable[[], Document] | None = None,
        orders: Orders | None = None,
    ) -> None:
        """`options` names broker and credentials; client id, subscriptions and will are set here.

        `documents` are published retained, `report` every minute, the first at once; `orders`
        takes the commands.
        """
        self.counts = UplinkCounts()
        self._address = address
        self._spool = spool
        self._clock = clock
        self._session = session
        self._agent = agent
        self._since = clock.now()
        self._documents = documents
        self._report = report
        self._orders = orders
        self._reported_at = 0.0
        self._report_wanted = threading.Event()
        self._documents_wanted = threading.Event()
        self._courses = {lane: Course(passes=lane == "events") for lane in LANES}
        self._ingest: Status | None = None
        self._ingest_topic = str(ingest_status_topic(address.site))
        self._status_topic = str(node_status_topic(address.site, address.area, address.node))
        self._link = connect(self._complete(options), self, clock)

    @property
    def connected(self) -> bool:
        """Whether the broker hears us."""
        return self._link.connected

    @property
    def ingest_ready(self) -> bool:
        """Whether the ingest said that it takes facts."""
        return self._ingest is not None and self._ingest.state == "ready"

    def run(
        self, stop: threading.Event, beat: Callable[[float], None] = lambda _longest: None
    ) -> None:
        """Take turns until told to stop, then leave politely. Raises StoreError.

        `beat` is told before each turn how many seconds it may take.
        """
        try:
            while not stop.is_set():
                beat(LONGEST_TURN if self._link.connected else LONGEST_CONNECT)
                self.turn(TURN)
        finally:
            self.close()

    def turn(self, timeout: float) -> None:
        """Handle what came in within `timeout` seconds, then send what may be sent."""
        self._link.step(timeout)
        try:
            self._send()
        except LinkError as error:
            log.info("uplink: %s", error)
        except PayloadError as error:
            log.error("uplink: health report breaks the contract: %s", error)  # noqa: TRY400

    def describe(self, documents: Sequence[Document]) -> None:
        """Publish other documents from now on, at once if we are up; from any thread."""
        self._documents = documents
        self._documents_wanted.set()

    def report_soon(self) -> None:
        """Report within seconds instead of a minute; from any thread."""
        self._report_wanted.set()

    def close(self) -> None:
        """Say that we stopped, and disconnect without the will."""
        if self._link.connected:
            try:
                self._publish_status("stopped")
            except LinkError as error:
                log.info("uplink: %s", error)
        self._link.close()

    def on_up(self) -> None:
        """Tell who we are; what is held goes again from the start once the ingest is ready."""
        self._start_over()
        self._reported_at = self._clock.monotonic() - REPORT_EVERY
        self._publish_status("ready")
        self._publish_documents()

    def on_down(self, reason: str) -> None:
        """Hold everything until we are up again."""
        log.info("uplink: down (%s)", reason)
        self._start_over()

    def on_message(self, delivery: Delivery) -> None:
        """Take a receipt, a reject or the ingest's status."""
        try:
            self._take(delivery)
        except PayloadError as error:
            if not self.counts.unreadable:
                log.warning("uplink: unreadable message on %s: %s", delivery.topic, error)
            self.counts.unreadable += 1
        except StoreError as error:
            log.error("uplink: %s", error)  # noqa: TRY400 - expected, one line says it all
        self._link.ack(delivery)

    def on_sent(self, token: int, error: str | None) -> None:
        """Note the broker's answer; a refused row is kept and tried again later."""
        if self._orders is not None:
            self._orders.words.answered(token)
        for lane, course in self._courses.items():
            sequence = course.answered(token, error)
            if sequence is not None and error is not None:
                if not self.counts.refused:
                    log.warning("uplink: broker refused %s %d: %s; kept", lane, sequence, error)
                self.counts.refused += 1

    def _complete(self, options: LinkOptions) -> LinkOptions:
        site, node = self._address.site, self._address.node
        lost = encode(Status(state="lost", session=self._session))
        ours = {"area": SYSTEM_AREA, "node": node, "device": "ingest"}
        return dataclasses.replace(
            options,
            client_id=node,
            subscriptions=(
                topic_filter(site, **ours, kind="receipt"),
                topic_filter(site, **ours, kind="reject"),
                self._ingest_topic,
                *([self._orders.subscription] if self._orders is not None else []),
            ),
            will=Will(self._status_topic, lost),
        )

    def _take(self, delivery: Delivery) -> None:
        if delivery.topic == self._ingest_topic:
            self._take_status(decode_part(delivery.payload, Status))
            return
        kind = delivery.topic.split("/")[-2]
        if kind == "command" and self._orders is not None:
            self._orders.take(delivery)
            return
        if kind == "receipt":
            receipt = decode_part(delivery.payload, Receipt)
            self.counts.confirmed += self._spool.confirm(receipt)
            for lane in LANES:
                if self._spool.stream(lane) == receipt.stream:
                    self._courses[lane].confirm(receipt)
            return
        reject = decode_part(delivery.payload, Reject)
        row = self._spool.reject(reject)
        if row is not None:
            self.counts.rejected += 1
            self._courses[row.lane].forget(row.sequence)
            log.warning(
                "uplink: ingest refused %s %d: %s at %s",
                *(row.lane, row.sequence, reject.code, reject.path),
            )

    def _take_status(self, status: Status) -> None:
        known = self._ingest
        if status.state in {"lost", "stopped"} and known and known.session != status.session:
            return
        if known is None or known.session != status.session:
            self._reset_courses()
        if known is None or known.state != status.state:
            log.info("uplink: ingest is %s", status.state)
        self._ingest = status

    def _start_over(self) -> None:
        self._ingest = None
        self._reset_courses()
        if self._orders is not None:
            self._orders.words.start_over()

    def _reset_courses(self) -> None:
        for course in self._courses.values():
            course.reset()

    def _publish_documents(self) -> None:
        self._documents_wanted.clear()
        for topic, payload in self._documents:
            self._link.publish(str(topic), payload, retain=True)

    def _publish_status(self, state: NodeState) -> None:
        status = Status(state=state, session=self._session, agent=self._agent, since=self._since)
        self._link.publish(self._status_topic, encode(status), retain=True)

    def _send(self) -> None:
        if not self._link.connected:
            return
        if self._documents_wanted.is_set():
            self._publish_documents()
        now = self._clock.monotonic()
        pause = REPORT_PAUSE if self._report_wanted.is_set() else REPORT_EVERY
        if self._report is not None and now >= self._reported_at + pause:
            self._report_wanted.clear()
            self._reported_at = now
            topic, payload = self._report()
            self._link.publish(str(topic), payload, qos=0, expiry=REPORT_EXPIRY)
        if self._orders is not None:
            self._orders.words.send(self._publish_word)
        if self.ingest_ready:
            for lane in LANES:
                for flight, upto in self._courses[lane].steer(self._spool.last(lane)):
                    self._drain(lane, flight, upto, now)

    def _drain(self, lane: Lane, flight: Flight, upto: int, now: float) -> None:
        for sequence in flight.due(now):
            row = self._spool.get(lane, sequence)
            if row is None:
                flight.forget(sequence)
                continue
            flight.again(sequence, self._publish(row), now)
            self.counts.resent += 1
        room = flight.room()
        if room <= 0 or upto <= flight.after:
            return
        rows = self._spool.page(lane, flight.after, room, upto)
        for row in rows:
            flight.add(row.sequence, self._publish(row), now)
            self.counts.sent += 1
        if not rows:
            flight.after = upto

    def _publish_word(self, topic: Topic, payload: bytes) -> int:
        return self._link.publish(str(topic), payload, expiry=WORD_EXPIRY)

    def _publish(self, row: Row) -> int:
        return self._link.publish(row.topic, row.payload)
