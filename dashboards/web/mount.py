"""Adds the pages to the application of the ingest."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from dashboards.web import (
    access_pages,
    account_pages,
    call_pages,
    camera_pages,
    channel_form_pages,
    channel_pages,
    command_pages,
    device_pages,
    drill_pages,
    duty_pages,
    floor_pages,
    health_pages,
    incident_pages,
    join_pages,
    live_pages,
    note_pages,
    notice_pages,
    order_pages,
    paper_log_pages,
    paper_pages,
    people_pages,
    phone_pages,
    pocket_pages,
    refused,
    registry_pages,
    report_pages,
    roster_pages,
    rule_pages,
    rule_text_pages,
    scenario_pages,
    settings_pages,
    silence_pages,
    teach_pages,
    tour_pages,
    trend_pages,
    version_pages,
    wall_pages,
    zone_pages,
)
from dashboards.web.desk import Desk
from dashboards.web.files import Assets, assets_version, web_file
from dashboards.web.language import LANGUAGES, catalog
from dashboards.web.live import Hub
from dashboards.web.visit import House
from ingest.services import Services
from linli.clock import Clock
from linli.errors import InputError


def mount(app: FastAPI, services: Services, *, site: str, zone: str, clock: Clock) -> None:
    """Serve the pages below `/`, after every route that `app` already has.

    `site` is the community's name as people read it, `zone` the IANA name of its time zone.
    Raises InputError when the zone is unknown or the pages were never built.
    """
    for language in LANGUAGES:
        catalog(language)
    desk = Desk(services, _zone(zone), clock)
    hub = Hub(services.feed, live_pages.renderer(desk), assets_version())
    pages = FastAPI(title="Linli", openapi_url=None, docs_url=None, redoc_url=None)
    pages.state.house = House(services, desk, hub, clock, site)
    # A deed with an incident is any last part of an address, so orders come before.
    for part in (
        access_pages,
        account_pages,
        phone_pages,
        pocket_pages,
        order_pages,
        note_pages,
        notice_pages,
        incident_pages,
        device_pages,
        camera_pages,
        floor_pages,
        health_pages,
        command_pages,
        drill_pages,
        tour_pages,
        duty_pages,
        channel_form_pages,
        channel_pages,
        registry_pages,
        report_pages,
        call_pages,
        paper_log_pages,
        paper_pages,
        people_pages,
        roster_pages,
        rule_pages,
        rule_text_pages,
        settings_pages,
        silence_pages,
        trend_pages,
        wall_pages,
        zone_pages,
        scenario_pages,
        version_pages,
        teach_pages,
        join_pages,
        live_pages,
    ):
        pages.include_router(part.router)
    pages.mount("/static", GZipMiddleware(Assets(directory=web_file("static"))), name="static")
    refused.install(pages)
    app.mount("/", pages, name="pages")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise InputError(
            f"unknown time zone {name!r}",
            where="site.timezone",
            hint="Use an IANA name such as 'Asia/Shanghai'; on small systems install tzdata",
        ) from None
