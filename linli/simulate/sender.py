"""One made-up edge at the broker: births, status, reports, facts; receipts are honoured."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from linli.clock import Clock
from linli.codec import decode_part, encode
from linli.errors import LinkError, PayloadError
from linli.events import NodeState, Receipt, Reject, Status
from linli.ids import short_id
from linli.log import get_logger
from linli.mqtt import Delivery, LinkFactory, LinkOptions, Will
from linli.simulate import wire
from linli.simulate.community import Box, Device
from linli.simulate.lane import Lane
from linli.simulate.said import Said
from linli.simulate.timekeeping import SET, Timekeeping
from linli.topics import SYSTEM_AREA, ingest_status_topic, node_status_topic, topic_filter

log = get_logger(__name__)

ROOM = 256
"""Facts of a lane held beyond which time stands still."""
MOST_AWAY = 10_000
"""The same for an edge that is back from being cut off, until it has caught up."""
_REPORT_EVERY = 60.0
_REPORT_EXPIRY = 120


@dataclass(slots=True)
class Counts:
    """What all edges of a run did."""

    sent: int = 0
    resent: int = 0
    receipted: int = 0
    unreadable: int = 0
    refused: int = 0
    rejected: Counter[str] = field(default_factory=Counter)


class Sender:
    """Belongs to one thread, which calls `step` again and again."""

    def __init__(
        self,
        box: Box,
        devices: tuple[Device, ...],
        options: LinkOptions,
        *,
        key: str,
        clock: Clock,
        counts: Counts,
        factory: LinkFactory,
        keeps: Timekeeping = SET,
    ) -> None:
        """`keeps` is how the edge keeps time; `at` is the community's, for its reports."""
        self.ready = self.away = False
        self.at = clock.now()
        self._keeps = keeps
        self._room = ROOM
        self._box, self._devices = box, devices
        self._clock, self._counts = clock, counts
        self._lanes = {
            lane: Lane(wire.stream_id(key, box, lane), keeps) for lane in ("event", "telemetry")
        }
        self._session = short_id()
        self._since = clock.now()
        self._began = clock.monotonic()
        self._report_at = 0.0
        self._ingest: Status | None = None
        self._ingest_topic = str(ingest_status_topic(box.site))
        self._status_topic = str(node_status_topic(box.site, box.area, box.id))
        ours = {"area": SYSTEM_AREA, "node": box.id, "device": "ingest"}
        lost = encode(Status(state="lost", session=self._session))
        self._link = factory(
            LinkOptions(
                host=options.host,
                port=options.port,
                client_id=box.id,
                username=box.id,
                password=options.password,
                protocol=options.protocol,
                subscriptions=(
                    topic_filter(box.site, **ours, kind="receipt"),
                    topic_filter(box.site, **ours, kind="reject"),
                    self._ingest_topic,
                ),
                will=Will(self._status_topic, lost),
                tls=options.tls,
            ),
            self,
            clock,
        )

    @property
    def held(self) -> int:
        """How many facts have no receipt yet."""
        return sum(len(lane) for lane in self._lanes.values())

    @property
    def has_room(self) -> bool:
        """Whether more may be said."""
        most = max(len(lane) for lane in self._lanes.values())
        if self.away:  # no receipt can come: what ends an outage is that time goes on
            self._room = MOST_AWAY
            return True
        if most < ROOM:
            self._room = ROOM
        return most < self._room

    def put(self, said: Said) -> None:
        """Hold what was said until a receipt covers it."""
        self._lanes[said.lane].put(said)

    def step(self) -> int:
        """Handle traffic and send what is due, without waiting; return what came and went."""
        if self.away:
            if self._link.connected:
                self._link.cut()
            return 0
        moved = self._link.step(0)
        if not self._link.connected:
            return moved
        try:
            return moved + self._send()
        except LinkError as error:
            log.info("simulate: %s: %s", self._box.id, error)
            return moved

    def close(self) -> None:
        """Say goodbye and leave."""
        if self._link.connected:
            try:
                self._publish_status("stopped")
            except LinkError as error:
                log.info("simulate: %s: %s", self._box.id, error)
        self._link.close()

    def on_up(self) -> None:
        """Tell who we are; what is held goes again once the ingest is ready."""
        self._start_over()
        self._report_at = self._clock.monotonic()
        self._publish_status("ready")
        for topic, payload in wire.births(self._box, self._devices, self._clock.now()):
            self._link.publish(topic, payload, retain=True)

    def on_down(self, reason: str) -> None:
        """Hold everything until we are up again."""
        log.info("simulate: %s is down (%s)", self._box.id, reason)
        self._start_over()

    def on_message(self, delivery: Delivery) -> None:
        """Take a receipt, a reject or the ingest's status."""
        try:
            self._take(delivery)
        except (PayloadError, ValueError) as error:
            self._counts.unreadable += 1
            log.warning("simulate: unreadable message on %s: %s", delivery.topic, error)
        self._link.ack(delivery)

    def on_sent(self, token: int, error: str | None) -> None:
        """Count what the broker refused; it goes again, as no receipt will come."""
        del token
        if error is not None:
            self._counts.refused += 1

    def _take(self, delivery: Delivery) -> None:
        if delivery.topic == self._ingest_topic:
            self._take_status(decode_part(delivery.payload, Status))
        elif delivery.topic.split("/")[-2] == "receipt":
            receipt = decode_part(delivery.payload, Receipt)
            for lane in self._lanes.values():
                if lane.stream == receipt.stream:
                    self._counts.receipted += lane.confirm(receipt)
        else:
            reject = decode_part(delivery.payload, Reject)
            for lane in self._lanes.values():
                if lane.stream == reject.stream and lane.drop(int(reject.sequence or 0)):
                    self._counts.rejected[reject.code] += 1

    def _take_status(self, status: Status) -> None:
        known = self._ingest
        if status.state in {"lost", "stopped"} and known and known.session != status.session:
            return
        if known is None or known.session != status.session:
            for lane in self._lanes.values():
                lane.again()
        self._ingest = status
        self.ready = status.state == "ready"

    def _start_over(self) -> None:
        self._ingest, self.ready = None, False
        for lane in self._lanes.values():
            lane.again()

    def _publish_status(self, state: NodeState) -> None:
        status = Status(state=state, session=self._session, agent=wire.AGENT, since=self._since)
        self._link.publish(self._status_topic, encode(status), retain=True)

    def _send(self) -> int:
        now = self._clock.monotonic()
        if now >= self._report_at:
            self._report_at = now + _REPORT_EVERY
            pending = (
                ("events", len(self._lanes["event"])),
                ("telemetry", len(self._lanes["telemetry"])),
            )
            topic, payload = wire.report(
                self._box,
                self._devices,
                self.at if self._keeps.unset is not None else self._clock.now(),
                uptime=now - self._began,
                pending=pending,
                clock=self._keeps,
            )
            self._link.publish(topic, payload, qos=0, expiry=_REPORT_EXPIRY)
        moved = 0
        for lane in self._lanes.values() if self.ready else ():
            for topic, payload in lane.overdue(now):
                self._link.publish(topic, payload)
                self._counts.resent += 1
                moved += 1
            for topic, payload in lane.fresh(now):
                self._link.publish(topic, payload)
                self._counts.sent += 1
                moved += 1
        return moved
