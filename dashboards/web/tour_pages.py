"""The guided tour: three steps on a drill that only its learner sees."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form
from fastapi.responses import Response

from dashboards.web.cards import card
from dashboards.web.desk import Context
from dashboards.web.language import msg
from dashboards.web.visit import Acting, SignedIn, Visit
from dashboards.web.words import Words
from ingest.services.tour import LESSONS, PLACE, Lesson, Tour

router = APIRouter()
Try = Literal["acknowledge", "assign", "resolve", "false-alarm"]
COLLEAGUES = (msg("Trainee Wang (made up)"), msg("Trainee Li (made up)"))
_TITLES: dict[Lesson, str] = {
    "acknowledge": msg("Say that you have seen it"),
    "assign": msg("Give it to somebody"),
    "resolve": msg("Say that it is dealt with"),
}
_ADVICE: dict[Lesson, str] = {
    "acknowledge": msg(
        "An e-bike was taken into a lift. Press “Acknowledge”: then the others know that somebody "
        "takes care of it, and nobody is called again."
    ),
    "assign": msg(
        "Somebody has to go there. Choose a colleague and press “Give it”: it then stands under "
        "their tasks."
    ),
    "resolve": msg(
        "Your colleague calls: the e-bike is out of the lift. Press “Resolve”, so that it leaves "
        "the list."
    ),
}
_WRONG = msg("Not this one now; nothing was done. Read the step once more.")


@router.get("/tour")
def tour(visit: SignedIn) -> Response:
    """Show the step that this person is at, or how it begins."""
    found = visit.house.services.tours.get(visit.viewer)
    return visit.page("tour.html", **_told(visit, found))


@router.post("/tour/begin")
def begin(visit: Acting) -> Response:
    """Begin, or begin again."""
    visit.house.services.tours.begin(visit.viewer, visit.house.clock.now())
    return visit.go("/tour")


@router.post("/tour/{tried}")
def act(visit: Acting, tried: Try, to: Annotated[str, Form(max_length=8)] = "") -> Response:
    """Try something; only the right thing leads on."""
    known = to if to in {str(number) for number in range(len(COLLEAGUES))} else None
    visit.house.services.tours.act(visit.viewer, tried, visit.house.clock.now(), known)
    return visit.go("/tour")


def _told(visit: Visit, found: Tour | None) -> Context:
    say = visit.frame.say
    names = [say(one) for one in COLLEAGUES]
    if found is None:
        return {"tour": None, "steps": [say(_TITLES[one]) for one in LESSONS]}
    words = Words(visit.language, {PLACE: say(msg("Practice lift"))})
    moments = (found.begun, *found.done)
    lesson = found.lesson
    return {
        "tour": found,
        "card": card(found.incident, words, visit.calendar, lambda _: "none"),
        "steps": [say(_TITLES[one]) for one in LESSONS],
        "at": len(found.done),
        "lesson": lesson,
        "advice": "" if lesson is None else say(_ADVICE[lesson]),
        "wrong": say(_WRONG) if found.wrong else None,
        "colleagues": names,
        "given_to": None if found.given_to is None else names[int(found.given_to)],
        "seconds": [
            round((after - before).total_seconds())
            for before, after in zip(moments, found.done, strict=False)
        ],
    }
