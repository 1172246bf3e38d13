"""What an archive says of itself, and what may stand in it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from ingest.notify import links, push_desk, vault
from ingest.store.migrate import File

Pictures = Literal["all", "safety", "none"]
FORMAT = 1
MANIFEST = "manifest.json"
DATABASES: tuple[File, ...] = ("state", "series", "journal")
"""In this order: a cursor of state or series then never stands above the journal's last row."""
SECRETS = (links.KEY_FILE, push_desk.KEY_FILE, vault.KEY_FILE)
EVIDENCE = "evidence/"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One file of an archive."""

    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The last file of an archive: what must be before it, and how many rows.

    `keys` are the ids of the keys that pictures waiting on edges are sealed for. `left` counts
    pictures that were not meant to be in it, `vanished` those whose bytes were not there.
    `audit` is the newest row of the log of who did what, as an anchor; older archives name none.
    """

    format: int
    linli: str
    site: str
    made: datetime
    files: dict[str, Entry]
    rows: dict[str, dict[str, int]]
    keys: tuple[str, ...]
    pictures: int
    left: int
    vanished: int
    audit: str | None = None

    def same_contents(self, other: dict[str, Entry]) -> str | None:
        """Return the name of the first file that is missing, changed or too many; None for none."""
        for name in sorted(self.files.keys() | other.keys()):
            if self.files.get(name) != other.get(name):
                return name
        return None
