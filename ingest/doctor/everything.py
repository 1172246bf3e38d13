"""All that can be looked at, from outside by the command and from inside by the web process."""

from __future__ import annotations

from collections.abc import Iterator

from ingest.doctor import (
    backups,
    certificates,
    delivery,
    disk,
    door,
    edges,
    influx,
    machine,
    notices,
    share,
)
from ingest.doctor.sources import Sources
from ingest.repairs.finding import Finding
from linli.errors import InputError
from linli.process import rss


def of_files(sources: Sources) -> Iterator[Finding]:
    """Yield what the ingest's own files say. Raises StoreError."""
    for part in (delivery, edges, influx, door, share, notices, backups, disk, certificates):
        yield from part.look(sources)


def from_inside(sources: Sources) -> list[Finding]:
    """Return what an ingest that runs can see of itself. Raises StoreError.

    Whether the broker can be reached is asked only when nothing comes from there: who knocks each
    minute and goes again would fill its log.
    """
    found: list[Finding] = []
    try:
        found.extend(machine.look(sources.settings))
    except InputError as error:
        found.append(machine.unusable("secret", error))
    found.extend(of_files(sources))
    found.append(machine.memory("web", rss()))
    if any(one.code == "receiver-silent" for one in found):
        found.append(machine.broker(sources.settings))
    return found
