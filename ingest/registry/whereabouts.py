"""Where edges and devices stood at some time, by the registry and its history."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from ingest.registry.plan import FieldChange
from ingest.registry.records import Key
from ingest.store.registry import device, node, registry_change

_FIELDS = msgspec.json.Decoder(tuple[FieldChange, ...])


class _Move(NamedTuple):
    at: datetime
    before: str | None
    after: str | None
    created: bool


class Whereabouts:
    """Answers for the whole registry as it was when this was read."""

    def __init__(self, now: dict[Key, str | None], moves: dict[Key, list[_Move]]) -> None:
        self._now = now
        self._moves = moves

    @classmethod
    def read(cls, connection: sa.Connection) -> Whereabouts:
        """Read where everything stands and what the history tells of places."""
        now: dict[Key, str | None] = {}
        for row in connection.execute(sa.select(node)):
            now["edge", row.node] = f"{row.site}/{row.subject or row.area}"
        for row in connection.execute(sa.select(device)):
            name = f"{row.node}/{row.device}"
            now["device", name] = f"{row.site}/{row.subject}" if row.subject else None
        return cls(now, _moves(connection))

    def of(self, node: str, device: str, at: datetime) -> str | None:
        """Return the place path of a device; None when neither it nor its edge is known.

        A move counts from when it was written into the registry.
        """
        edge = self._at(("edge", node), at)
        return self._at(("device", f"{node}/{device}"), at) or edge

    def _at(self, key: Key, at: datetime) -> str | None:
        for move in self._moves.get(key, ()):
            if at < move.at:
                # Before it was written down it stood where it was first said to stand.
                return move.after if move.created else move.before
        return self._now.get(key)


def _moves(connection: sa.Connection) -> dict[Key, list[_Move]]:
    """Return changes of places by record, oldest first."""
    table = registry_change.c
    query = sa.select(table.type, table.record, table.at, table.action, table.body).where(
        table.type.in_(("edge", "device")), table.body.contains('"place"', autoescape=True)
    )
    found: dict[Key, list[_Move]] = defaultdict(list)
    for row in connection.execute(query.order_by(table.id)):
        for one in _FIELDS.decode(row.body):
            if one.field == "place":
                before, after = (None if x is None else str(x) for x in (one.before, one.after))
                move = _Move(row.at, before, after, row.action == "created")
                found[row.type, row.record].append(move)
    return found
