"""The receiving loop: collect, commit once, then answer the senders and the broker.

One thread. What is not committed is not acknowledged, so the broker brings it again.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Literal, Protocol

from ingest.receive.answers import receipt, reject
from ingest.receive.batch import Stream
from ingest.receive.check import Registry, check, refuse
from ingest.receive.floods import Floods, sender_of
from ingest.receive.isolate import isolate
from ingest.receive.pace import Pace
from ingest.receive.parking import replay
from ingest.receive.probe import Prober
from ingest.receive.rival import Rival
from ingest.receive.writer import JournalWriter, Outcome
from ingest.store.engine import to_micros
from ingest.store.journal import turned_away
from linli.clock import Clock
from linli.codec import decode_part, encode
from linli.errors import LinkError, PayloadError, StoreError
from linli.events import NodeState, Status
from linli.ids import short_id
from linli.log import get_logger
from linli.mqtt import Delivery, Link, LinkFactory, LinkOptions, Will
from linli.process import StopSignal
from linli.topics import (
    PREFIX,
    VERSION,
    ingest_status_topic,
    probe_topic,
    topic_filter,
)

log = get_logger(__name__)

KINDS = ("event", "telemetry", "meta", "health")
BATCH = 1000
MOST_AT_ONCE = 2000  # a broker that brings more than was asked for makes no commit take minutes
LONGEST_WAIT = 0.2
LONGEST_LINGER = 0.005
IDLE = 0.25
REJECT_EXPIRY = 86_400
FIRST_RETRY = 0.5
LONGEST_RETRY = 10.0
LOOK_AROUND = 0.5
TICK = 5.0
MOST_UNACKNOWLEDGEABLE = 1000
GRAIN = 0.01  # seconds: asking the clock for each message is dear
_NOT_BROKEN = frozenset({"unknown-device", "location-mismatch", "conflict"})
"""Codes of good messages: what is wrong is what is registered, or what came before."""

Arrival = tuple[int, Delivery]
"""A message and when it came, in microseconds: it may wait long for a store that fails."""
Point = Literal["before-commit", "after-commit", "after-ack", "after-receipt"]


class RegistryWatch(Protocol):
    """Says what is known of devices, and when that has changed."""

    def refresh(self) -> Registry | None:
        """Return the registry if it changed since the last call. Raises StoreError."""
        ...


def _nothing(said: object) -> None:
    del said


class Receiver:
    """Drives one link and one journal. `tend` is called now and then while nothing arrives.

    `reach` is told each point at which a crash must do no harm, when messages are on their way;
    `beat` is told again and again that it gets on, and whether it has its broker; `newcomer` says
    that another ingest may be at work, see `ingest.receive.rival`.
    """

    def __init__(
        self,
        *,
        site: str,
        options: LinkOptions,
        make_link: LinkFactory,
        writer: JournalWriter,
        registry: RegistryWatch,
        clock: Clock,
        wake: Callable[[], None] = lambda: None,
        tend: Callable[[], None] = lambda: None,
        reach: Callable[[Point], None] = _nothing,
        beat: Callable[[bool], None] = _nothing,
        pace: Pace | None = None,
        prober: Prober | None = None,
        newcomer: bool = False,
    ) -> None:
        self._site = site
        self._session = short_id()
        self._rival = Rival(self._session, newcomer=newcomer)
        self._writer = writer
        self._watch = registry
        self._clock = clock
        self._wake = wake
        self._tend = tend
        self._reach = reach
        self._beat = beat
        self._pace = pace or Pace()
        self._floods = Floods()
        self._registry: Registry | None = None
        self._replay_due = False
        self._replaying: Iterator[int] = iter(())
        self._reserved = f"{PREFIX}/{VERSION}/{site}/_"
        self._status_topic = str(ingest_status_topic(site))
        self._prober = prober
        self._probe_topic = str(probe_topic(site))
        self._link: Link = make_link(self._own(options), self, clock)
        self._waiting: list[Arrival] = []
        self._without_ack = 0
        self._counts: Counter[str] = Counter()
        self._received = 0
        self._stamp_at = self._since = 0.0
        self._look_at = 0.0
        self._stored_at = 0.0
        self._failures = 0
        self._commit_took = 0.0
        self._retry_at: float | None = None
        self._heard = False
        self._said: NodeState | None = None

    def run(self, stop: StopSignal) -> None:
        """Receive until told to stop, then commit what waits and leave politely."""
        try:
            while not stop.is_set():
                self.step(IDLE)
        finally:
            self.close()

    def close(self) -> None:
        """Commit what waits, say goodbye, close the link."""
        while self._waiting and self._link.connected and self._ready:
            self._flush()
        with contextlib.suppress(StoreError):
            self._writer.tell()
        self._pay(self._pace.owed(), self._clock.monotonic())
        self._say("stopped")
        self._link.close()

    def step(self, idle: float) -> None:
        """Do one turn: wait up to `idle` seconds when nothing is going on."""
        now = self._clock.monotonic()
        if now >= self._look_at:
            self._look_around(now)
        self._pay(self._pace.due(now), now)
        idle = max(0.0, min(idle, self._look_at - now))
        if self._retry_at is not None:
            self._link.step(max(0.0, min(idle, self._retry_at - now)))
            if self._clock.monotonic() >= self._retry_at:
                self._retry()
            return
        self._heard = False
        may_take = self._link.connected and not self._rival.possible(now)
        # Where a commit is dear, more of them is worth a moment; it ends with the next message.
        linger = min(LONGEST_LINGER, self._commit_took / 4)
        owed = self._pace.wait(now)
        came = self._link.step(
            linger if self._waiting and may_take else idle if owed is None else min(idle, owed)
        )
        # A broker may bring a kept session's messages before the link is up; without it there is
        # nobody to answer.
        if (
            self._waiting
            and may_take
            and self._link.connected
            and (
                (came == 0 and not self._heard)
                or len(self._waiting) >= min(BATCH, self._link.window)
                or self._clock.monotonic() - self._since >= LONGEST_WAIT
            )
        ):
            self._flush()

    def on_up(self) -> None:
        """Say that we are there: edges send only while we are."""
        self._rival.up(self._clock.monotonic())
        self._say("ready" if self._ready else "init")

    def on_down(self, reason: str) -> None:
        """Forget what was not committed; the broker or its sender brings it again."""
        del reason
        self._rival.down()
        self._counts["dropped"] += sum(1 for _, delivery in self._waiting if delivery.qos == 0)
        self._waiting.clear()
        self._without_ack = 0
        self._floods.judged()
        if self._prober is not None:
            self._prober.on_down()

    def on_message(self, delivery: Delivery) -> None:
        """Take a message into the batch."""
        if delivery.topic.startswith(self._reserved) and delivery.topic != self._probe_topic:
            # Our own status comes back to us; nothing in a reserved area is a device's.
            if delivery.topic == self._status_topic:
                with contextlib.suppress(PayloadError):
                    self._rival.hear(decode_part(delivery.payload, Status))
            self._link.ack(delivery)
            return
        now = self._clock.monotonic()
        sender = node, is_fact = sender_of(delivery.topic)
        if node and not (
            self._floods.admit(sender, now) and self._pace.admit(node, now, fact=is_fact)
        ):
            self._counts[turned_away(node)] += 1
            self._link.ack(delivery)
            return
        if not self._waiting:
            self._since = now
        if delivery.qos == 0:
            # The window bounds what the broker may leave unacknowledged; this bounds the rest.
            if self._without_ack >= MOST_UNACKNOWLEDGEABLE:
                self._counts["dropped"] += 1
                return
            self._without_ack += 1
        if now >= self._stamp_at:
            self._stamp_at = now + GRAIN
            self._received = to_micros(self._clock.now())
        self._waiting.append((self._received, delivery))

    def on_sent(self, token: int, error: str | None) -> None:
        """Note an answer of the broker: more may be behind it."""
        del token
        self._heard = True
        if error is not None:
            log.warning("the broker refused an answer of the ingest: %s", error)

    @property
    def _ready(self) -> bool:
        waits = self._retry_at is not None or self._rival.possible(self._clock.monotonic())
        return self._registry is not None and not waits

    def _own(self, options: LinkOptions) -> LinkOptions:
        lost = encode(Status(state="lost", session=self._session))
        return replace(
            options,
            keep_session=True,
            subscriptions=(
                *(topic_filter(self._site, kind=kind) for kind in KINDS),
                self._probe_topic,
            ),
            will=Will(self._status_topic, lost, delay=0),
        )

    def _look_around(self, now: float) -> None:
        """Follow the registry, replay what waited for it, and let the journal forget."""
        self._look_at = now + LOOK_AROUND
        self._beat(self._link.connected)
        try:
            registry = self._watch.refresh()
            if registry is not None:
                self._registry = registry
                self._replay_due = True
            if self._ready and self._link.connected and self._said != "ready":
                self._say("ready")
            self._replay()
            if not self._waiting:
                self._tick(now)
                self._tend()
            if self._prober is not None and self._ready and self._link.connected:
                self._prober.step(self._link)
        except StoreError as error:
            log.warning("cannot look after the journal now: %s", error)

    def _replay(self) -> None:
        """Bring in one slice of what waited for its device, the next one after the next turn."""
        if self._replay_due and self._registry is not None:
            received = to_micros(self._clock.now())
            self._replaying = replay(self._writer, self._registry, self._site, received)
        self._replay_due = True  # a slice that fails ends them all; begin anew then
        if next(self._replaying, 0):
            self._wake()
            self._look_at = 0.0
        self._replay_due = False

    def _tick(self, now: float) -> None:
        """Write down that we are listening when nothing else has said so for a while."""
        if self._ready and self._link.connected and now - self._stored_at >= TICK:
            self._writer.tick(self._site, to_micros(self._clock.now()))
            self._stored_at = now
            self._wake()

    def _retry(self) -> None:
        self._retry_at = None
        if self._waiting and self._link.connected:
            self._flush()
        if self._ready:
            self._failures = 0
            self._say("ready")

    def _flush(self) -> None:
        started = self._clock.monotonic()
        arrivals = self._waiting[:MOST_AT_ONCE]
        try:
            outcomes = isolate(arrivals, self._commit, self._give_up)
        except StoreError as error:
            self._hold(error)
            return
        self._commit_took = self._clock.monotonic() - started
        stored = sum(outcome.stored for outcome in outcomes)
        self._pass("after-commit", stored)
        answered = self._answer(arrivals, outcomes)
        self._pass("after-ack", stored)
        now = self._clock.monotonic()
        if stored:
            self._stored_at = now
        self._wake()
        if self._prober is not None:
            self._prober.stored(stream for outcome in outcomes for stream in outcome.streams)
        for stream in (stream for outcome in answered for stream in outcome.streams):
            self._pace.owe(stream, now)
        self._pay(self._pace.due(now), now)
        self._pass("after-receipt", stored)

    def _answer(self, done: Sequence[Arrival], outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        """Refuse, then acknowledge at once: the broker fills its window while we do the rest.

        Return what receipts may cover. Once one covers a refused row its sender has forgotten it;
        a link that breaks here brings all of it again, and then it is answered.
        """
        self._waiting = self._waiting[len(done) :]
        self._without_ack = sum(1 for _, delivery in self._waiting if delivery.qos == 0)
        try:
            for outcome in outcomes:
                self._refuse(outcome)
        except LinkError:
            return ()
        finally:
            if not self._waiting:
                self._floods.judged()
        for _, delivery in done:
            self._link.ack(delivery)
        self._link.flush()
        return outcomes

    def _commit(self, arrivals: Sequence[Arrival]) -> Outcome:
        registry = self._registry
        if registry is None:
            raise StoreError("the registry could not be read yet")
        batch = self._writer.batch(arrivals[0][0])
        for received, delivery in arrivals:
            address, payload = delivery.topic, delivery.payload
            batch.received = received
            batch.take(address, payload, check(address, payload, received, registry))
        batch.counts.update(self._counts)
        self._beat(True)  # a batch with bad messages is stored one by one, which may take long
        self._pass("before-commit", len(batch.rows))
        outcome = self._writer.commit(batch)
        self._counts.clear()
        return outcome

    def _give_up(self, arrival: Arrival) -> Outcome:
        received, delivery = arrival
        batch = self._writer.batch(received)
        address, payload = delivery.topic, delivery.payload
        batch.take(address, payload, refuse(address, payload, "it cannot be stored"))
        return self._writer.commit(batch)

    def _hold(self, error: StoreError) -> None:
        """Keep everything unacknowledged, tell the edges to wait, try again later."""
        self._failures += 1
        pause = min(LONGEST_RETRY, FIRST_RETRY * 2.0 ** (self._failures - 1))
        self._retry_at = self._clock.monotonic() + pause
        if self._failures == 1:
            log.error("nothing can be stored, so nothing is acknowledged; trying on: %s", error)
            self._say("init")

    def _refuse(self, outcome: Outcome) -> None:
        now = self._clock.monotonic()
        for refusal in outcome.refusals:
            if refusal.code not in _NOT_BROKEN:
                self._floods.refused(sender_of(refusal.address), now)
            if refusal.node:
                self._link.publish(*reject(self._site, refusal), expiry=REJECT_EXPIRY)

    def _pay(self, streams: Iterable[Stream], now: float) -> None:
        """Send receipts; what a link does not take is still owed."""
        with contextlib.suppress(LinkError):
            for stream in streams:
                self._link.publish(*receipt(self._site, stream), retain=True)
                self._pace.paid(stream, now)

    def _pass(self, point: Point, stored: int) -> None:
        if stored:
            self._reach(point)

    def _say(self, state: NodeState) -> None:
        status = Status(state=state, session=self._session, since=self._clock.now())
        with contextlib.suppress(LinkError):
            self._link.publish(self._status_topic, encode(status), retain=True)
            self._said = state
