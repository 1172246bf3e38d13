"""Where an incident is, as the registry knows it: from the site down to the device."""

from __future__ import annotations

from dashboards.web.words import Words
from ingest.accounts.account import Viewer
from ingest.incidents.incident import Incident
from ingest.refusal import NotAllowed, NotThere
from ingest.registry.records import Device, Edge, Place, Record, RecordType
from ingest.services.registry import RegistryService


def path_of(
    registry: RegistryService, viewer: Viewer, incident: Incident, words: Words
) -> tuple[str, ...]:
    """Return what each level is called, the site first and the thing itself last.

    Empty when the registry does not know the thing; an incident says where it is all the same.
    """

    def known(what: RecordType, name: str) -> Record | None:
        try:
            return registry.get(viewer, what, name)
        except (NotThere, NotAllowed):
            return None

    key = incident.key
    thing, edge = known("device", f"{key.node}/{key.device}"), known("edge", key.node)
    place = thing.place if isinstance(thing, Device) else None
    place = place or (edge.place if isinstance(edge, Edge) else None)
    if place is None:
        return ()
    levels = place.split("/")
    labels = []
    for depth in range(1, len(levels) + 1):
        found = known("place", "/".join(levels[:depth]))
        own = levels[depth - 1]
        named = isinstance(found, Place) and found.label not in (own, found.id)
        labels.append(found.label if named and found is not None else words.area(own))
    last = thing or edge
    return (*labels, last.label) if last is not None else tuple(labels)
