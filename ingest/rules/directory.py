"""What rules ask of the registry, in `state.db`."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from ingest.registry import book
from ingest.rules.facts import Spot
from ingest.rules.rule_set import BOX, UNKNOWN, Known
from ingest.rules.spans import SECOND
from ingest.store.registry import CONFIRMED, RETIRED, device, node
from linli.topics import SELF

ASK_AGAIN = 30 * SECOND
"""How long, by the ingest's clock, an answer is believed."""
_NODE = sa.select(node.c.standing, node.c.subject).where(node.c.node == sa.bindparam("of_node"))
_DEVICE = sa.select(device.c.kind, device.c.standing, device.c.subject).where(
    device.c.node == sa.bindparam("of_node"), device.c.device == sa.bindparam("of_device")
)
_NODES = sa.select(node.c.site, node.c.area, node.c.node, node.c.subject).where(
    node.c.last_seen.is_not(None), node.c.standing == CONFIRMED
)
_DEVICES = sa.select(
    device.c.site,
    device.c.area,
    device.c.node,
    device.c.device,
    device.c.kind,
    device.c.subject,
).where(device.c.last_seen.is_not(None), device.c.standing == CONFIRMED)
_RETIRED_NODES = sa.select(node.c.node).where(node.c.standing == RETIRED)
_RETIRED_DEVICES = sa.select(device.c.node, device.c.device).where(device.c.standing == RETIRED)


class Directory:
    """Answers, remembered for a short while; `connection` is that of whoever asks now."""

    def __init__(self, connection: sa.Connection | None = None) -> None:
        self.connection = connection
        self._known: dict[tuple[str, str], Known] = {}
        self._since = 0
        self._revision = -1

    def forget(self, now: int) -> None:
        """Ask again from now on, when it has been long enough: devices describe themselves."""
        if now - self._since >= ASK_AGAIN:
            self._known.clear()
            self._since = now

    def refresh(self, connection: sa.Connection) -> bool:
        """Ask by this connection from now on; tell whether people changed the registry meanwhile.

        Then everything is asked anew.
        """
        self.connection = connection
        revision = book.revision(connection)
        if revision == self._revision:
            return False
        self._known.clear()
        self._revision = revision
        return True

    def retired(self) -> frozenset[tuple[str, str]]:
        """Return node and device of everything that is in use no more."""
        assert self.connection is not None
        gone = self.connection.execute(_RETIRED_DEVICES).all()
        boxes = self.connection.scalars(_RETIRED_NODES)
        return frozenset((row.node, row.device) for row in gone) | {(one, SELF) for one in boxes}

    def find(self, of_node: str, of_device: str) -> Known:
        """Return what is known of a device, or of the box itself."""
        found = self._known.get((of_node, of_device))
        if found is None:
            found = self._known[of_node, of_device] = self._ask(of_node, of_device)
        return found

    def heard_of(self) -> Iterator[tuple[Spot, Known]]:
        """Yield every device and box in use that was heard of before."""
        assert self.connection is not None
        for one in self.connection.execute(_NODES):
            yield Spot(one.site, one.area, one.node, SELF, one.subject), Known(BOX, one.subject)
        for row in self.connection.execute(_DEVICES):
            spot = Spot(row.site, row.area, row.node, row.device, row.subject)
            yield spot, Known(row.kind, row.subject)

    def read_all(self) -> None:
        """Answer from now on without asking, for a long look at history."""
        assert self.connection is not None
        for one in self.connection.execute(node.select()):
            self._known[one.node, SELF] = Known(BOX, one.subject, one.standing == CONFIRMED)
        for row in self.connection.execute(device.select()):
            known = Known(row.kind, row.subject, row.standing == CONFIRMED)
            self._known[row.node, row.device] = known
        self.connection = None

    def _ask(self, of_node: str, of_device: str) -> Known:
        if self.connection is None:
            return UNKNOWN
        if of_device == SELF:
            box = self.connection.execute(_NODE, {"of_node": of_node}).first()
            return UNKNOWN if box is None else Known(BOX, box.subject, box.standing == CONFIRMED)
        wanted = {"of_node": of_node, "of_device": of_device}
        found = self.connection.execute(_DEVICE, wanted).first()
        if found is None:
            return UNKNOWN
        return Known(found.kind, found.subject, found.standing == CONFIRMED)
