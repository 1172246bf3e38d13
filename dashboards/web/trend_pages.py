"""Trends: when and where incidents come, how they were handled, and what gets worse."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from dashboards.web.figures import Span, Teller
from dashboards.web.language import msg
from dashboards.web.options import DAYS
from dashboards.web.visit import SignedIn, Visit
from dashboards.web.words import Words
from ingest.refusal import NotAllowed
from ingest.services.called import Lang
from ingest.services.trends import WorseList
from ingest.services.waste import BinList, RoundView

router = APIRouter()
PERIODS = {7: msg("Last 7 days"), 28: msg("Last 28 days"), 91: msg("Last 13 weeks")}
USUAL = 28


@router.get("/trends")
def trends(
    visit: SignedIn,
    days: Annotated[int, Query(ge=1, le=366)] = USUAL,
    area: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """Show how the last days went, of the whole site or one area."""
    visit.viewer.within("see")
    teller, now = teller_of(visit), visit.calendar.now
    span = Span(midnight(visit, now) - timedelta(days=days - 1), now, now, area)
    return visit.page(
        "trends.html",
        days=days,
        area=area,
        areas=areas(visit, teller),
        periods=PERIODS,
        weekdays=[visit.frame.say(name) for _, name in DAYS],
        figures=teller.tell(span),
        worse=worse(visit),
        teller=teller,
        bins=bins(visit, teller),
    )


def teller_of(visit: Visit, words: Words | None = None) -> Teller:
    """Return what puts figures into this visit's words."""
    return Teller(visit.house.services, visit.viewer, words or words_of(visit))


def words_of(visit: Visit) -> Words:
    """Return words with what devices and people are called, as far as this viewer may know."""
    services, viewer = visit.house.services, visit.viewer
    try:
        return Words(visit.language, services.devices.labels(viewer), services.links.names(viewer))
    except NotAllowed:
        return Words(visit.language, {})


def lang_of(visit: Visit) -> Lang:
    """Return the language as services name it."""
    return "zh" if visit.language == "zh-CN" else "en"


def midnight(visit: Visit, at: datetime) -> datetime:
    """Return the beginning of a day of the site."""
    zone = visit.calendar.zone
    return datetime.combine(at.astimezone(zone).date(), time(), zone)


def areas(visit: Visit, teller: Teller) -> list[tuple[str, str]]:
    """Return the areas that this viewer may choose from."""
    called = teller.called
    lang = lang_of(visit)
    return sorted((one, called.area(one, lang)) for one in called.areas if visit.viewer.knows(one))


def worse(visit: Visit) -> WorseList:
    """Return what gets worse."""
    services = visit.house.services
    return services.trends.worse(visit.viewer, visit.calendar.now, lang_of(visit))


def bins(visit: Visit, teller: Teller) -> tuple[BinList, RoundView, dict[str, str]] | None:
    """Return bins, the next round and what its places are called; None where there is nothing."""
    services, now = visit.house.services, visit.calendar.now
    waste = services.waste
    try:
        found = waste.bins(visit.viewer, now)
        if not found.items:
            return None
        areas_of = {one.place: one.place.partition("/")[2].partition("/")[0] for one in found.items}
        names = {place: teller.area(area) for place, area in areas_of.items()}
        return found, waste.round(visit.viewer, now), names
    except NotAllowed:
        return None
