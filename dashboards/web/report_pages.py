"""The weekly report: a page that prints well, and the same as CSV."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from dashboards.web.figures import Teller
from dashboards.web.options import DAYS
from dashboards.web.report import WEEK, Report, name_of, report, sheet
from dashboards.web.trend_pages import bins, teller_of, words_of, worse
from dashboards.web.visit import SignedIn, Visit
from dashboards.web.words import Words

router = APIRouter()


@router.get("/report")
def last_week(visit: SignedIn) -> Response:
    """Go to the week that is over."""
    calendar = visit.calendar
    return visit.go(f"/report/{name_of(calendar.now.astimezone(calendar.zone).date() - WEEK)}")


@router.get("/report/{week}.csv")
def as_csv(visit: SignedIn, week: str) -> Response:
    """Give the figures of a week as CSV."""
    words = words_of(visit)
    found = _report(visit, week, teller_of(visit, words), words)
    house = visit.house
    house.services.access.exported(visit.viewer, f"report {found.week}", house.clock.now())
    return Response(
        sheet(found, words),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="linli-{found.week}.csv"',
            "Cache-Control": "no-store",
        },
    )


@router.get("/report/{week}")
def one_week(visit: SignedIn, week: str) -> Response:
    """Show how a week went beside the one before."""
    words = words_of(visit)
    teller = teller_of(visit, words)
    found = _report(visit, week, teller, words)
    calendar = visit.calendar
    newest = calendar.now.date() - found.last < WEEK
    return visit.page(
        "report.html",
        report=found,
        figures=found.figures,
        weekdays=[visit.frame.say(name) for _, name in DAYS],
        teller=teller,
        # What gets worse and what is in bins is known of now alone: it belongs to the newest weeks.
        worse=worse(visit) if newest else None,
        bins=bins(visit, teller) if newest else None,
        made=calendar.clock(calendar.now),
    )


def _report(visit: Visit, week: str, teller: Teller, words: Words) -> Report:
    visit.viewer.within("see")
    calendar = visit.calendar
    return report(week, teller, words, calendar.now, calendar.zone)
