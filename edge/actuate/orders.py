"""Commands from the ingest: which are for us, done once, and what we say of them.

Retained, expired, unreadable and misaddressed ones never run. A command that is asked twice gets
the word of the first time. Its life counts from when it came, by the clock that never jumps; the
clock on the wall has a say where something keeps it right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Literal, get_args

from edge import messages
from edge.actuate.ledger import KEEP, Ledger
from edge.actuate.words import Words
from edge.messages import Address, Stamp
from linli.clock import Clock
from linli.codec import decode_part
from linli.commands import COMMANDS, AckData, CommandMessage, CommandName, Effect, Phase
from linli.errors import PayloadError, StoreError
from linli.live import LIVE_VIEW
from linli.log import get_logger
from linli.mqtt import Delivery
from linli.topics import Topic, topic_filter

log = get_logger(__name__)

SENDER = "svc-command"
HARMLESS: frozenset[CommandName] = frozenset({"door-release"})
"""Done late, twice, or where the disk takes no id: the door is as the lift has it."""
Dropped = Literal["retained", "misaddressed", "unreadable", "duplicate", "words"]
DROPPED: tuple[Dropped, ...] = get_args(Dropped)


class Order:
    """A command to one of our devices; `finish` it once, from any thread.

    It came at `received`, monotonic seconds.
    """

    def __init__(
        self, orders: Orders, topic: Topic, command: CommandMessage, received: float
    ) -> None:
        self.topic = topic
        self.command = command
        self.received = received
        self._orders = orders

    @property
    def harmless(self) -> bool:
        """Whether it does no harm late or twice."""
        return self.topic.name in HARMLESS

    def finish(
        self,
        phase: Phase,
        code: str = "ok",
        detail: str | None = None,
        effect: Effect | None = None,
    ) -> None:
        """Say what came of it."""
        self._orders.say(self, phase, code, detail, effect)

    def expired(self) -> bool:
        """Tell whether it has waited too long to be begun, and finish it then."""
        expired = self._orders.too_late(self)
        if expired:
            self.finish("expired", "expired")
        return expired


Handler = Callable[[Order], None]


class Orders:
    """Takes commands in the uplink's thread. `words` are what is to be sent of them.

    `dropped` counts, by reason, what was not begun, and words that never left.
    """

    def __init__(
        self, address: Address, ledger: Ledger, clock: Clock, stamp: Callable[[], Stamp]
    ) -> None:
        self.dropped: Counter[Dropped] = Counter()
        self.words = Words()
        self._address = address
        self._ledger = ledger
        self._clock = clock
        self._stamp = stamp
        self._handlers: dict[tuple[str, str], Handler] = {}

    def serve(self, handlers: Mapping[tuple[str, str], Handler]) -> None:
        """Say who does which command of which device from now on: (device, command) → handler.

        A handler must not wait: it takes the order and finishes it later.
        """
        self._handlers = dict(handlers)

    @property
    def subscription(self) -> str:
        """Where our commands come in."""
        return topic_filter(self._address.site, node=self._address.node, kind="command")

    def take(self, delivery: Delivery) -> None:
        """Begin a command, or say or count why not."""
        order = self._read(delivery)
        if order is None:
            return
        try:
            said = self._ledger.said(order.command.id)
        except StoreError as error:
            if not order.harmless:
                log.warning("commands: %s; nothing is begun", error)
                self._word(order.topic, _unkept(order))
                return
            said = None
        if said is not None:
            self.dropped["duplicate"] += 1
            self._word(order.topic, said)
        elif self.too_late(order):
            self.say(order, "expired", "expired")
        else:
            self._begin(order)

    def too_late(self, order: Order) -> bool:
        """Tell whether a command may not be begun any more.

        A harmless one may for as long as the ledger would know it again.
        """
        command, grace = order.command, KEEP if order.harmless else timedelta()
        life = command.expirytime - command.time
        if life <= timedelta():
            return True
        waited = timedelta(seconds=self._clock.monotonic() - order.received)
        stamp = self._stamp()
        over = stamp.sync == "synced" and stamp.now - grace >= command.expirytime
        return over or waited >= life + grace

    def say(
        self,
        order: Order,
        phase: Phase,
        code: str,
        detail: str | None = None,
        effect: Effect | None = None,
    ) -> bool:
        """Keep and send a word on a command; tell whether it may go on."""
        ack = AckData(
            command=order.command.id, phase=phase, code=code, effect=effect, detail=detail
        )
        try:
            self._ledger.note(ack, self._clock.now())
        except StoreError as error:
            log.warning("commands: %s", error)
            if phase == "accepted" and not order.harmless:
                self._word(order.topic, _unkept(order))
                return False
        self._word(order.topic, ack)
        return True

    def _begin(self, order: Order) -> None:
        topic = order.topic
        handler = self._handlers.get((topic.device, topic.name))
        if handler is None:
            known = any(device == topic.device for device, _ in self._handlers)
            self.say(order, "failed", "unknown-command" if known else "unknown-device")
        elif self.say(order, "accepted", "ok"):
            log.info("commands: %s for %s", topic.name, topic.device)
            handler(order)

    def _read(self, delivery: Delivery) -> Order | None:
        if delivery.retain:
            self.dropped["retained"] += 1
            return None
        try:
            topic = Topic.parse(delivery.topic)
            command = decode_part(delivery.payload, CommandMessage)
        except (ValueError, PayloadError):
            self.dropped["unreadable"] += 1
            return None
        ours = (topic.site, topic.area, topic.node) == (
            self._address.site,
            self._address.area,
            self._address.node,
        )
        meant = command.type == topic.type and topic.name in (*COMMANDS, LIVE_VIEW)
        if not (ours and meant and command.source == f"/{topic.site}/{SENDER}"):
            self.dropped["misaddressed"] += 1
            return None
        return Order(self, topic, command, self._clock.monotonic())

    def _word(self, topic: Topic, ack: AckData) -> None:
        there = self._address.topic(topic.device, "ack", topic.name)
        if self.words.add(there, messages.ack(there, self._stamp(), ack)):
            self.dropped["words"] += 1


def _unkept(order: Order) -> AckData:
    return AckData(command=order.command.id, phase="failed", code="store")
