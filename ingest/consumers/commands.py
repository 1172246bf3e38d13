"""The one way of commands to the broker, and of nodes' words on them back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

import sqlalchemy as sa

from ingest.commands import book
from ingest.commands.command import SENDER, TTL, Command, answered, failed, message, overdue
from ingest.consumers.live import live_command
from ingest.consumers.own_link import own_link
from ingest.feed import Feed
from ingest.live.desk import Ask, LiveDesk
from ingest.refusal import NotUsable, Refusal
from ingest.settings import IngestSettings
from ingest.store.engine import reading, writing
from linli.clock import Clock
from linli.codec import decode_part, encode
from linli.commands import COMMANDS, AckMessage, AskData, CommandName
from linli.errors import LinkError, PayloadError
from linli.live import LIVE_VIEW
from linli.log import get_logger
from linli.mqtt import Delivery, LinkOptions
from linli.mqtt.link import Link, LinkFactory
from linli.topics import PREFIX, REQUEST_AREA, VERSION, Topic, topic_filter

log = get_logger(__name__)

TURN = 0.05
LOOK_AGAIN = 0.5
"""Seconds."""
_MOST_SENT = 1000


Request: TypeAlias = Callable[[str, str, CommandName, AskData, datetime], object]
"""User of the broker, device, command, what is asked, now. Raises Refusal, StoreError."""


class CommandJob:
    """Publishes what is submitted at once or not at all, and writes down what nodes say of it.

    `submit` is called from any thread, the rest from the thread of the job. `strays` counts words
    on commands that are none of ours, or of another device; `refused` what other systems asked for
    under `_req/` and may not have, each said in the log.
    """

    def __init__(
        self,
        options: LinkOptions,
        *,
        reader: sa.Engine,
        writer: sa.Engine,
        feed: Feed,
        clock: Clock,
        make_link: LinkFactory,
        request: Request | None = None,
        live: LiveDesk | None = None,
    ) -> None:
        """`live` is what people look at; its questions to edges go and come the same way."""
        self.strays = self.refused = 0
        self._request = request
        self._live = live or LiveDesk()
        self._reader = reader
        self._writer = writer
        self._feed = feed
        self._clock = clock
        self._waiting: deque[Command] = deque()
        self._sent: dict[int, str] = {}
        self._due = 0.0
        self._link: Link = make_link(options, self, clock)

    def submit(self, command: Command) -> None:
        """Hand over a command that is written down already."""
        self._waiting.append(command)

    def step(self) -> bool:
        """Do one turn. Raises StoreError."""
        self._link.step(TURN)
        while self._waiting:
            self._publish(self._waiting.popleft())
        for ask in self._live.asks(self._clock.now()):
            self._lend(ask)
        if self._clock.monotonic() >= self._due:
            self._due = self._clock.monotonic() + LOOK_AGAIN
            self._look_for_overdue()
        return True

    def close(self) -> None:
        """Leave the broker, after the last step."""
        self._link.close()

    def on_up(self) -> None:
        """Nothing to do: what could not go was given up."""

    def on_down(self, reason: str) -> None:
        """Say so once."""
        log.warning("commands: the broker is gone: %s", reason)

    def on_message(self, delivery: Delivery) -> None:
        """Take a node's word on a command. Raises StoreError, then the broker brings it again."""
        if not delivery.retain and self._request is not None and is_request(delivery.topic):
            self._ask(delivery, self._request)
        elif not delivery.retain:
            self._take(delivery)
        self._link.ack(delivery)

    def on_sent(self, token: int, error: str | None) -> None:
        """Give up what the broker refused."""
        name = self._sent.pop(token, None)
        if name is not None and error is not None:
            log.warning("commands: the broker refused one: %s", error)
            self._give_up(name, "refused")

    def _publish(self, command: Command) -> None:
        now = self._clock.now()
        if overdue(command, now) is not command:
            return  # it waited too long for this thread; the row says timeout soon
        left = max(int((command.expires - now).total_seconds()), 1)
        try:
            token = self._link.publish(
                str(Topic(*command.topic)), encode(message(command)), expiry=left
            )
        except LinkError:
            self._give_up(command.id, "no-broker")
            return
        while len(self._sent) >= _MOST_SENT:
            self._sent.pop(next(iter(self._sent)))
        self._sent[token] = command.id

    def _lend(self, ask: Ask) -> None:
        topic, command = live_command(ask)
        try:
            self._link.publish(str(topic), encode(command), expiry=TTL.seconds)
        except LinkError:
            self._live.refuse(ask, "no-broker")

    def _ask(self, delivery: Delivery, request: Request) -> None:
        try:
            topic = Topic.parse(delivery.topic)
            ask = decode_part(delivery.payload, AskData)
            if topic.kind != "command" or topic.name not in COMMANDS:
                raise NotUsable("no such command", where=topic.name)
            request(topic.node, topic.device, topic.name, ask, self._clock.now())
        except (ValueError, PayloadError, Refusal) as error:
            self.refused += 1
            log.warning("commands: a request is refused: %s: %s", delivery.topic[:200], error)

    def _take(self, delivery: Delivery) -> None:
        try:
            topic = Topic.parse(delivery.topic)
            said = decode_part(delivery.payload, AckMessage)
        except (ValueError, PayloadError):
            self.strays += 1
            return
        now = self._clock.now()
        of_live = topic.name == LIVE_VIEW and said.source == topic.source
        if of_live and self._live.heard((topic.node, topic.device), said.data, now):
            return
        with writing(self._writer) as connection:
            known = book.get(connection, said.data.command)
            ours = known is not None and (topic.node, topic.device, topic.name) == (
                known.node,
                known.device,
                known.name,
            )
            if known is None or not ours or said.source != topic.source:
                self.strays += 1
                return
            book.keep(connection, answered(known, said.data, now))
        self._feed.tell("devices")

    def _give_up(self, name: str, code: str) -> None:
        with writing(self._writer) as connection:
            known = book.get(connection, name)
            if known is not None and known.state == "sent":
                book.keep(connection, failed(known, code, self._clock.now()))
        self._feed.tell("devices")

    def _look_for_overdue(self) -> None:
        now = self._clock.now()
        with reading(self._reader) as connection:
            late = [one for one in book.unfinished(connection) if overdue(one, now) is not one]
        if not late:
            return
        with writing(self._writer) as connection:
            for one in late:
                known = book.get(connection, one.id)  # a word may have come meanwhile
                if known is not None:
                    book.keep(connection, overdue(known, now))
        self._feed.tell("devices")


def is_request(topic: str) -> bool:
    """Tell whether another system asks us for something."""
    return topic.split("/")[3:4] == [REQUEST_AREA]


def link_of(settings: IngestSettings) -> LinkOptions:
    """Return the session that commands go out by. Raises InputError for a secret without a file."""
    commands, site = settings.commands, settings.site.id
    asked = (topic_filter(site, area=REQUEST_AREA),) if commands.integrators else ()
    answers = f"{PREFIX}/{VERSION}/{site}/+/+/+/ack/+"
    return own_link(settings.mqtt, commands, SENDER, (answers, *asked))
