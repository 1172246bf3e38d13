"""The channels by which people are told: how each does, a test message, what messages say."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Form
from fastapi.responses import Response

from dashboards.web.channels import channel_card
from dashboards.web.language import msg
from dashboards.web.notices import LANGUAGES
from dashboards.web.visit import Acting, SignedIn, Visit
from dashboards.web.words import Words
from ingest.notify.message import Language
from ingest.notify.texts import Kind
from ingest.services.channels import MessageText
from ingest.services.notify import TrialResult

router = APIRouter()
KINDS: dict[Kind, str] = {
    "call": msg("Somebody is called"),
    "reminder": msg("It is still open"),
    "seen": msg("Somebody has taken it"),
    "ended": msg("It is over by itself"),
    "resolved": msg("It is dealt with"),
}
Tongue = Literal["zh", "en"]


@router.get("/channels")
def channels(visit: SignedIn, done: str = "") -> Response:
    """Show every channel; for administrators."""
    return _page(visit, done=done == "yes")


@router.post("/channels/{channel}/test")
def try_channel(
    visit: Acting,
    channel: str,
    address: Annotated[str, Form(min_length=1, max_length=512)],
    language: Annotated[Tongue, Form()] = "zh",
) -> Response:
    """Send a test message now and show what the provider said."""
    services, now = visit.house.services, visit.house.clock.now()
    found = services.notify.test(visit.viewer, channel, address.strip(), language, now)
    return _page(visit, tried=channel, result=found)


def _page(
    visit: Visit, tried: str = "", result: TrialResult | None = None, *, done: bool = False
) -> Response:
    services = visit.house.services
    words = Words(visit.language, {})
    states = services.channels.list(visit.viewer).items
    return visit.page(
        "channels.html",
        channels=[channel_card(one, words, visit.calendar) for one in states],
        texts=[(visit.frame.say(name), _texts(visit, kind)) for kind, name in KINDS.items()],
        tongues=get_args(Tongue),
        own=next(short for short, long in LANGUAGES.items() if long == visit.language),
        tried=tried,
        result=result,
        done=done,
        may_administer=visit.viewer.may_everywhere("administer"),
    )


def _texts(visit: Visit, kind: Kind) -> list[tuple[Language, MessageText]]:
    services, now = visit.house.services, visit.house.clock.now()
    return [(one, services.channels.text(visit.viewer, kind, one, now)) for one in LANGUAGES]
