"""What a scenario of a camera found lately, and what it would have found on trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboards.web.camera_picture import Still, of
from dashboards.web.moments import Calendar, Moment
from ingest.accounts.account import Viewer
from ingest.incidents.incident import Incident
from ingest.refusal import Gone, NotThere, NotUsable
from ingest.services import Services
from ingest.services.lines import Match
from linli.zone_config import SHADOW_GROUP

LOOKED_BACK = timedelta(days=7)
_MOST, _SHOWN, _TRIALS = 200, 3, 6


@dataclass(frozen=True, slots=True)
class Found:
    """One incident: its page, when, and its picture."""

    id: str
    at: Moment
    still: Still | None


@dataclass(frozen=True, slots=True)
class Findings:
    """Seven days: incidents, how many of them people called true and false, and trials.

    `tried` is None when nothing was ever counted on trial: that is not 0. `more`: at least so many.
    `trials` are pictures of what would have alarmed.
    """

    incidents: int
    more: bool
    true: int
    false: int
    newest: tuple[Found, ...]
    tried: int | None
    tried_last: Moment | None
    trials: tuple[Still, ...]


def findings(
    services: Services,
    viewer: Viewer,
    where: tuple[str, str, str, str],
    calendar: Calendar,
) -> Findings:
    """Return what came of `where`: node, device, event and zone."""
    node, device, event, zone = where
    page = services.incidents.list(
        viewer, device=f"{node}/{device}", events=(event,), order="newest", limit=_MOST
    )
    since = calendar.now - LOOKED_BACK
    ours = [one for one in page.items if one.key.zone == zone and one.last >= since]
    tried, last = _tried(services, viewer, where, calendar)
    return Findings(
        incidents=len(ours),
        more=page.next is not None and len(page.items) == len(ours),
        true=sum(one.label == "true-alarm" for one in ours),
        false=sum(one.label == "false-alarm" for one in ours),
        newest=_newest(services, viewer, ours, calendar),
        tried=tried,
        tried_last=calendar.optional(last),
        trials=_trials(services, viewer, where, calendar),
    )


def _newest(
    services: Services, viewer: Viewer, ours: Sequence[Incident], calendar: Calendar
) -> tuple[Found, ...]:
    return tuple(
        Found(one.id, calendar.moment(one.last), of(services, viewer, one, calendar))
        for one in ours[:_SHOWN]
    )


def _trials(
    services: Services, viewer: Viewer, where: tuple[str, str, str, str], calendar: Calendar
) -> tuple[Still, ...]:
    if not viewer.may("look"):
        return ()
    node, device, event, zone = where
    evidence, now = services.evidence, calendar.now
    stills = []
    for one in evidence.trials(viewer, (node, device), event, zone, now)[:_TRIALS]:
        try:
            path = evidence.link(viewer, one.id, now, "trial")
        except (NotThere, Gone):
            continue
        stills.append(Still(one.id, path, calendar.moment(one.received)))
    return tuple(stills)


def _tried(
    services: Services, viewer: Viewer, where: tuple[str, str, str, str], calendar: Calendar
) -> tuple[int | None, datetime | None]:
    """Return how often it would have begun on trial, by the readings that the edge sends."""
    node, device, event, _zone = where
    match = Match(node=(node,), device=(f"{node}/{device}",), group=(SHADOW_GROUP,), name=(event,))
    count, last = 0, None
    known = services.series.list(viewer, match)
    try:
        for one in known:
            since = calendar.now - LOOKED_BACK
            found = services.series.readings(
                viewer, one.series, since, calendar.now + timedelta(seconds=60), limit=5000
            )
            count += sum(round(reading.value) for reading in found.items)
            last = max([reading.time for reading in found.items], default=last)
    except NotUsable:
        return None, None
    return (count if known else None), last
