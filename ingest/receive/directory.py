"""The registry as the receiver sees it: one snapshot of `state.db`, read again when it changed."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from ingest.receive.check import Standing
from ingest.registry.book import revision
from ingest.store.engine import Changes, reading
from ingest.store.registry import CONFIRMED, device, node
from linli.topics import SELF


@dataclass(frozen=True, slots=True)
class Directory:
    """Confirmed nodes and devices with the (site, area) each belongs to."""

    nodes: dict[str, tuple[str, str]]
    devices: dict[tuple[str, str], tuple[str, str]]

    def standing(self, site: str, area: str, node: str, device: str) -> Standing:
        """Tell whether a device is known there, unknown, or known in another area."""
        home = self.nodes.get(node)
        if home is not None and device != SELF:
            if home != (site, area):
                return "moved"
            home = self.devices.get((node, device))
        if home is None:
            return "unknown"
        return "known" if home == (site, area) else "moved"


class DirectoryWatch:
    """Reads the directory again when the registry changed.

    `state.db` is written all the time, mostly by what nodes say of themselves; so what has changed
    is asked in three steps, each dearer and rarer than the one before.
    """

    def __init__(self, reader: sa.Engine) -> None:
        self._reader = reader
        self._changes = Changes(reader)
        self._revision: int | None = None
        self._last: Directory | None = None

    def refresh(self) -> Directory | None:
        """Return the directory if it changed since the last call. Raises StoreError."""
        if not self._changes.seen() and self._last is not None:
            return None
        with reading(self._reader) as connection:
            now = revision(connection)
            if now == self._revision and self._last is not None:
                return None
            found = _read(connection)
        self._revision = now
        if found == self._last:
            return None
        self._last = found
        return found

    def close(self) -> None:
        """Give the watching connection back."""
        self._changes.close()


def read_directory(reader: sa.Engine) -> Directory:
    """Read all confirmed nodes and devices. Raises StoreError."""
    with reading(reader) as connection:
        return _read(connection)


def _read(connection: sa.Connection) -> Directory:
    nodes = connection.execute(
        sa.select(node.c.node, node.c.site, node.c.area).where(node.c.standing == CONFIRMED)
    )
    homes = {name: (site, area) for name, site, area in nodes}
    devices = connection.execute(
        sa.select(device.c.node, device.c.device, device.c.site, device.c.area).where(
            device.c.standing == CONFIRMED
        )
    )
    behind = {(name, one): (site, area) for name, one, site, area in devices}
    return Directory(homes, behind)
