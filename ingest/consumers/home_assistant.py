"""Keeps what Home Assistant knows of the devices as the registry has it."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from ingest.consumers.own_link import own_link
from ingest.consumers.runner import Runner
from ingest.home_assistant import discovery
from ingest.home_assistant.discovery import Known
from ingest.settings import IngestSettings
from ingest.store.engine import reading
from ingest.store.registry import CONFIRMED, device, node
from linli.clock import Clock
from linli.errors import LinkError
from linli.events import DescribeData
from linli.log import get_logger
from linli.mqtt import Delivery, LinkOptions, PahoLink
from linli.mqtt.link import Link, LinkFactory

log = get_logger(__name__)

USER = "svc-discovery"
TURN = 0.2
LOOK_AGAIN = 15.0
"""Seconds."""
MOST_AT_ONCE = 50


class DiscoveryJob:
    """Publishes, retained, what is new or other, and takes away what is gone.

    What is retained is read from the broker on each connection, so nothing is kept here, and what
    went while this was not running is taken away, too. `refused` counts what the broker forbids.
    """

    def __init__(
        self,
        options: LinkOptions,
        site: str,
        *,
        reader: sa.Engine,
        clock: Clock,
        make_link: LinkFactory,
    ) -> None:
        self.refused = 0
        self._site = site
        self._reader = reader
        self._clock = clock
        self._there: dict[str, bytes] = {}
        self._due = 0.0
        self._link: Link = make_link(options, self, clock)

    def step(self) -> bool:
        """Do one turn. Raises StoreError."""
        self._link.step(TURN)
        if self._link.connected and self._clock.monotonic() >= self._due:
            more = self._bring_up_to_date()
            self._due = self._clock.monotonic() + (TURN if more else LOOK_AGAIN)
        return True

    def close(self) -> None:
        """Leave the broker, after the last step."""
        self._link.close()

    def on_up(self) -> None:
        """Wait a moment for what is retained, then compare."""
        self._there.clear()
        self._due = self._clock.monotonic() + 2 * TURN

    def on_down(self, reason: str) -> None:
        """Say so once."""
        log.warning("home assistant: the broker is gone: %s", reason)

    def on_message(self, delivery: Delivery) -> None:
        """Note what is retained; tell everything again when Home Assistant starts."""
        if delivery.topic == discovery.STATUS:
            if delivery.payload == b"online" and not delivery.retain:
                self._there = dict.fromkeys(self._there, b"")
                self._due = 0.0
        elif discovery.is_ours(delivery.topic, self._site) and delivery.retain:
            self._there[delivery.topic] = delivery.payload
        self._link.ack(delivery)

    def on_sent(self, token: int, error: str | None) -> None:
        """Count what the broker refused."""
        del token
        if error is not None:
            self.refused += 1
            if self.refused == 1:
                log.warning("home assistant: the broker refused a message: %s", error)

    def _bring_up_to_date(self) -> bool:
        """Publish some of what differs; tell whether there is more."""
        wanted = {discovery.topic_of(one): discovery.payload(one) for one in self._known()}
        gone = dict.fromkeys(self._there.keys() - wanted.keys(), b"")
        other = {where: what for where, what in wanted.items() if self._there.get(where) != what}
        both = sorted({**gone, **other}.items())
        for where, what in both[:MOST_AT_ONCE]:
            try:
                self._link.publish(where, what, retain=True)
            except LinkError:
                return True
            if what:
                self._there[where] = what
            else:
                del self._there[where]
        return len(both) > MOST_AT_ONCE

    def _known(self) -> list[Known]:
        """Return devices in use behind edges in use. Raises StoreError."""
        query = (
            sa.select(device)
            .join(node, node.c.node == device.c.node)
            .where(device.c.standing == CONFIRMED, node.c.standing == CONFIRMED)
        )
        with reading(self._reader) as connection:
            return [_device(row) for row in connection.execute(query)]


def _device(row: sa.Row[tuple[object, ...]]) -> Known:
    kept = row._mapping  # noqa: SLF001 - SQLAlchemy's documented name
    said = None
    if kept["described"] is not None:
        said = msgspec.json.decode(kept["described"], type=DescribeData)
    named = (kept["capabilities"] or "").split()
    return Known(
        site=kept["site"],
        area=kept["area"],
        node=kept["node"],
        device=kept["device"],
        kind=kept["kind"],
        label=kept["label"],
        vendor=kept["vendor"] or (said.vendor if said else None),
        model=kept["model"] or (said.model if said else None),
        capabilities=(*named, *(said.capabilities if said else ())),
    )


def discovery_of(settings: IngestSettings, reader: sa.Engine, clock: Clock) -> tuple[Runner, ...]:
    """Return what tells Home Assistant, none where that is not wanted. Raises InputError."""
    own, mqtt = settings.home_assistant, settings.mqtt
    if not own.enabled:
        return ()
    options = own_link(mqtt, own, USER, (discovery.ALL, discovery.STATUS))
    job = DiscoveryJob(options, settings.site.id, reader=reader, clock=clock, make_link=PahoLink)
    return (Runner("home-assistant", job),)
