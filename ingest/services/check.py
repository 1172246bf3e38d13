"""Whether what is written down still holds: things may have been retired or renamed since."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from ingest.duty import book
from ingest.duty.book import Kind
from ingest.duty.checks import Fault
from ingest.notify.routes import Routes
from ingest.notify_settings import Notify
from ingest.services.papers import around, faults_of, read

_KINDS: tuple[Kind, ...] = ("routes", "contacts", "ladder", "roster")


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """How many documents there are of each sort, and every rule that one breaks by now."""

    numbers: dict[str, int]
    faults: tuple[Fault, ...]


def checked(connection: sa.Connection, notify: Notify) -> Checked:
    """Look at everything that says who is told. Raises StoreError."""
    there = around(connection, notify)
    numbers: dict[str, int] = {"channels": len(there.channels)}
    faults: list[Fault] = []
    for kind in _KINDS:
        papers = book.some(connection, kind)
        numbers[kind] = len(papers)
        for paper in papers:
            value = read(paper)
            if isinstance(value, Routes):
                numbers[kind] = len(value.routes)
            name = kind if paper.name == book.ONLY else f"{kind} {paper.name}"
            faults += [
                (f"{name}: {where}", what) for where, what in faults_of(paper.name, value, there)
            ]
    if not numbers["routes"]:
        faults.append(("routes", "there is none: nobody is told"))
    return Checked(numbers=numbers, faults=tuple(faults))
