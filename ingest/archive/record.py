"""What became of backups, place by place: a file that can be read while everything is down."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

NAME = "backups.json"
_MOST = 64
"""Addresses that are remembered: `--to` may name another each time."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One place: `good` is when the last archive that is there was made.

    `since` and `why` tell of trouble: when it began and what was said last; None while all is well.
    """

    good: datetime | None = None
    since: datetime | None = None
    why: str | None = None

    def after(self, now: datetime, why: str | None) -> Standing:
        """Return it after one more try, which failed because of `why` or did not."""
        if why is None:
            return Standing(good=now)
        return Standing(good=self.good, since=self.since or now, why=why)


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """When the last try began, and how each place is, by its address.

    `begun` says since when this data folder writes to an address: archives there that are older are
    of another life of the community's data, before a restore or on another machine.
    """

    tried: datetime | None = None
    places: dict[str, Standing] = {}
    begun: dict[str, datetime] = {}

    @property
    def failed(self) -> bool:
        """Whether any place lacks the newest."""
        return any(one.why is not None for one in self.places.values())

    def after(self, now: datetime, outcomes: Mapping[str, str | None]) -> Record:
        """Return it after a try; places that were not tried are forgotten."""
        found = {
            address: self.places.get(address, Standing()).after(now, why)
            for address, why in outcomes.items()
        }
        return Record(tried=now, places=found, begun=self.begun)

    def knows(self, address: str) -> bool:
        """Tell whether what is there may be of this data folder."""
        known = self.places.get(address)
        return address in self.begun or (known is not None and known.good is not None)

    def begin(self, now: datetime, addresses: Iterable[str]) -> Record:
        """Return it with addresses that are written to from now on."""
        now = now.replace(microsecond=0)  # as names of archives know it
        begun = dict.fromkeys(addresses, now)
        kept = sorted((self.begun | begun).items(), key=lambda one: one[1])[-_MOST:]
        return msgspec.structs.replace(self, begun=dict(kept))


def read(folder: Path) -> Record:
    """Return the record of a data folder; an empty one when there is none that can be read."""
    try:
        return msgspec.json.decode((folder / NAME).read_bytes(), type=Record)
    except (OSError, msgspec.DecodeError):
        return Record()


def write(folder: Path, record: Record) -> None:
    """Keep it, whole or not at all. Raises OSError."""
    fresh = folder / f"{NAME}.new"
    fresh.write_bytes(msgspec.json.encode(record))
    with fresh.open("rb") as opened:
        os.fsync(opened.fileno())
    fresh.replace(folder / NAME)
