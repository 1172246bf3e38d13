"""What is known, taken away as files: NGSI-LD for a city's platform, tables for a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from ingest.accounts.account import Viewer
from ingest.exports.fiware import Happening, Reading, Thing, alert_of, entity_of
from ingest.incidents.incident import Incident
from ingest.refusal import NotUsable
from ingest.series.timeseries import from_millis, to_millis
from ingest.services.desk import Services
from ingest.services.views import DeviceView
from ingest.spreadsheet import table

MOST = 10_000
"""Rows of one file; the newest."""
_PAGE = 200
_RECENT = timedelta(days=1)
_FAULT = "lamp-fault"
INCIDENTS = (
    "number", "id", "event", "severity", "state", "area", "node", "device", "zone", "first",
    "last", "opened", "cleared", "acknowledged", "acknowledged_by", "resolved", "resolved_by",
    "label", "count",
)  # fmt: skip
DEVICES = (
    "site", "area", "node", "device", "label", "kind", "standing", "state", "health", "last_seen",
)  # fmt: skip
READINGS = ("series", "time", "value", "quality")


class Exports:
    """Reads through the other services, so that everybody takes away what they may see."""

    def __init__(self, house: Services) -> None:
        self._house = house

    def fiware(self, viewer: Viewer, now: datetime) -> list[dict[str, Any]]:
        """Return devices in use, and incidents that are not resolved. Raises NotAllowed."""
        viewer.within("see")
        open_ones = list(self._incidents(viewer, ("open", "acknowledged", "in-progress")))
        faulty = {(one.key.node, one.key.device) for one in open_ones if one.key.event == _FAULT}
        labels = self._areas(viewer, now)
        readings = self._readings(viewer, now)
        made = []
        known = self._house.devices.list(viewer, now)
        kinds = {(one.node, one.device): one.kind for one in known}
        for one in known:
            if one.standing == "confirmed":
                thing = _thing(one, labels, readings.get((one.node, one.device), {}))
                made.append(entity_of(thing, (one.node, one.device) in faulty))
        for found in open_ones:
            if not found.key.drill:
                kind = kinds.get((found.key.node, found.key.device), "")
                made.append(alert_of(_happening(found, kind, labels)))
        return made

    def incidents(self, viewer: Viewer) -> str:
        """Return the newest incidents as a table. Raises NotAllowed."""
        rows = (_incident(one) for one in self._incidents(viewer, ()))
        return table(INCIDENTS, rows)

    def devices(self, viewer: Viewer, now: datetime) -> str:
        """Return all devices as a table. Raises NotAllowed."""
        found = self._house.devices.list(viewer, now)
        return table(DEVICES, ([getattr(one, name) for name in DEVICES] for one in found))

    def readings(self, viewer: Viewer, series: str, start: datetime, end: datetime) -> str:
        """Return single readings of one series as a table. Raises NotAllowed, NotUsable."""
        if end <= start:
            raise NotUsable("the span has no length", where="end")
        rows: list[Sequence[object]] = []
        cursor = None
        while len(rows) < MOST:
            page = self._house.series.readings(
                viewer, series, start, end, cursor=cursor, limit=MOST - len(rows)
            )
            rows += [(series, one.time, one.value, one.quality) for one in page.items]
            cursor = page.next
            if cursor is None:
                break
        return table(READINGS, rows)

    def _incidents(self, viewer: Viewer, states: Sequence[Any]) -> Iterator[Incident]:
        cursor, count = None, 0
        while count < MOST:
            page = self._house.incidents.list(
                viewer, states=states, order="newest", cursor=cursor, limit=_PAGE
            )
            yield from page.items
            count += len(page.items)
            cursor = page.next
            if cursor is None:
                return

    def _areas(self, viewer: Viewer, now: datetime) -> dict[str, str]:
        found = self._house.devices.list(viewer, now)
        return {one.area: one.area_label or one.area for one in found}

    def _readings(self, viewer: Viewer, now: datetime) -> dict[tuple[str, str], dict[str, Reading]]:
        end = to_millis(now) + 1
        start = end - int(_RECENT.total_seconds() * 1000)
        found: dict[tuple[str, str], dict[str, Reading]] = {}
        for one in self._house.series.newest(viewer, start, end):
            reading = Reading(one.value, from_millis(one.time))
            found.setdefault((one.key.node, one.key.device), {})[one.key.name] = reading
        return found


def _thing(one: DeviceView, labels: dict[str, str], readings: dict[str, Reading]) -> Thing:
    return Thing(
        site=one.site,
        area=one.area,
        node=one.node,
        device=one.device,
        kind=one.kind,
        label=one.label,
        area_label=labels.get(one.area, one.area),
        state=one.state,
        well=one.health == "ok",
        seen=one.last_seen,
        readings=readings,
    )


def _happening(one: Incident, kind: str, labels: dict[str, str]) -> Happening:
    return Happening(
        id=one.id,
        number=one.number,
        site=one.key.site,
        node=one.key.node,
        device=one.key.device,
        kind=kind,
        event=one.key.event,
        severity=one.severity,
        state=one.state,
        active=one.condition_active,
        first=one.first,
        ended=one.cleared,
        opened=one.opened,
        area_label=labels.get(one.area, one.area),
    )


def _incident(one: Incident) -> list[object]:
    of_key = {"event", "node", "device", "zone"}
    return [getattr(one.key if name in of_key else one, name) for name in INCIDENTS]
