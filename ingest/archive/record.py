"""What became of backups, place by place: a file that can be read while everything is down."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec

NAME = "backups.json"


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
    """When the last try began, and how each place is, by its address."""

    tried: datetime | None = None
    places: dict[str, Standing] = {}

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
        return Record(tried=now, places=found)


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
