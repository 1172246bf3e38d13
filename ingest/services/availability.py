"""How much of the last days a device or its edge box was there, and since when it is so."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from ingest.accounts.account import Viewer
from ingest.refusal import NotThere
from ingest.series import reports, uptime
from ingest.series.timeseries import Point, Readable, SeriesKey, from_millis, to_millis
from ingest.series.uptime import Share
from ingest.services.views import DeviceView
from linli.topics import PROBE_NODE, SELF

WEEK, MONTH = timedelta(days=7), timedelta(days=30)
STEP = timedelta(minutes=10)
LEAST_HOURS = 1.0
"""A share of less than this says nothing yet."""
_LISTENED = (PROBE_NODE, "journal_position")
"""Linli's own figure that is told each minute while the ingest runs."""
_STEP, _SECOND = STEP // timedelta(milliseconds=1), 1000


class AvailabilityView(msgspec.Struct, frozen=True, kw_only=True):
    """`of` a camera: whether pictures came; else whether its edge box was heard of.

    `week` and `month` are of the last 7 and 30 days, null while less than an hour is known; times
    in which the ingest itself did not run are not known, unless the edge told of them later.
    `there` says how it is now, `since` when, by ten minutes but never before it was first heard of;
    `all_along`: since before these 30 days.
    """

    of: Literal["camera", "box"]
    week: Share | None = None
    month: Share | None = None
    there: bool | None = None
    since: datetime | None = None
    all_along: bool = False


SHOWN: tuple[type, ...] = (AvailabilityView,)
"""What the API answers with."""


class AvailabilityService:
    """Reads the reports of edge boxes as they are kept among the readings."""

    def __init__(self, charts: Readable) -> None:
        self._charts = charts

    def of(self, viewer: Viewer, view: DeviceView, now: datetime) -> AvailabilityView:
        """Return it of one device. Raises NotAllowed, NotThere, StoreError."""
        viewer.within("see")
        if not viewer.knows(view.area):
            raise NotThere("no such device in use")
        keys = self._charts.keys((view.node, PROBE_NODE))
        camera = _one(keys, view.site, view.node, view.device, reports.STREAMING)
        box = _one(keys, view.site, view.node, SELF, reports.UPTIME)
        clock = next((one for one in keys if (one.node, one.group) == _LISTENED), None)
        bare = AvailabilityView(of="camera" if camera else "box")
        found = camera or box
        if found is None or clock is None:
            return bare
        end = (to_millis(now) // _STEP + 1) * _STEP
        start = end - (MONTH // STEP) * _STEP
        heard = self._charts.query(found, start, end, _STEP)
        listened = [one.count > 0 for one in self._charts.query(clock, start, end, _STEP)]
        steps = uptime.known([_there(one, camera is not None) for one in heard], listened)
        return self._view(bare, found, steps, start)

    def _view(
        self, bare: AvailabilityView, key: SeriesKey, steps: list[float | None], start: int
    ) -> AvailabilityView:
        state = uptime.since(steps)
        return msgspec.structs.replace(
            bare,
            week=_share(steps[-(WEEK // STEP) :]),
            month=_share(steps),
            there=state[0] if state else None,
            since=self._since(key, steps, start, state[1]) if state else None,
            all_along=state is not None and state[1] == 0,
        )

    def _since(
        self, key: SeriesKey, steps: list[float | None], start: int, number: int
    ) -> datetime:
        """Return when a step began; of the first one known when it was heard of."""
        began = start + number * _STEP
        if any(one is not None for one in steps[:number]):
            return from_millis(began)
        exact = self._charts.query(key, began, began + _STEP, _SECOND)
        return next((one.time for one in exact if one.count), from_millis(began))


def _share(steps: list[float | None]) -> Share | None:
    found = uptime.share(steps, STEP / timedelta(hours=1))
    return found if found is not None and found.hours >= LEAST_HOURS else None


def _one(keys: list[SeriesKey], site: str, node: str, device: str, name: str) -> SeriesKey | None:
    wanted = (site, node, device, reports.GROUP, name)
    return next(
        (one for one in keys if (one.site, one.node, one.device, one.group, one.name) == wanted),
        None,
    )


def _there(one: Point, camera: bool) -> float | None:
    if not one.count:
        return None
    return one.mean if camera else 1.0
