"""Teaching a camera what the states of a place look like, from pictures."""

from __future__ import annotations

import importlib
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from dashboards.web import cameras, picture_form
from dashboards.web.camera_picture import Still, looking, stills
from dashboards.web.edge_version import outcome, standing
from dashboards.web.fault_words import of_config, of_lesson
from dashboards.web.language import msg
from dashboards.web.moments import Moment
from dashboards.web.visit import SignedIn, Visit, check_token, same_site
from dashboards.web.words import Words
from dashboards.web.zone_pages import no_document
from ingest.evidence.picture import PHOTO_BYTES, photo
from ingest.refusal import (
    Gone,
    NotThere,
    NotUsable,
    Outdated,
    RulesBroken,
    TooMuch,
    WrongKind,
)
from ingest.registry.watched import WatchedState
from ingest.services.registry import Seen
from linli.errors import InputError
from linli.topics import is_id

if TYPE_CHECKING:
    from dashboards.web.school_room import Pictures, Report

router = APIRouter()
_SHOWN, _UPLOADS, _MOST_FILES = 24, 3, 40
_LARGEST = 1024 * 1024
_FEWEST, _MOST = 2, 20  # pictures of a state
_ONE = threading.BoundedSemaphore(1)
STATES = {
    "empty": msg("Empty"),
    "half": msg("Half full"),
    "full": msg("Full"),
    "overflowing": msg("Overflowing"),
    "on": msg("Lit"),
    "off": msg("Not lit"),
    "open": msg("Open"),
    "closed": msg("Closed"),
}
_NOWHERE = {"", "states", "crop", "taught"}
"""What is no name of a picture or of a state, among what a refusal is about."""
_WHY = {
    "person": msg("somebody is in front"),
    "dark": msg("too dark"),
    "moved": msg("the camera was moved"),
    "strange": msg("unlike any example"),
    "unsure": msg("two states look alike"),
}
_EVENTS = {"full": "bin-full", "overflowing": "bin-full", "off": "lamp-fault", "open": "door-open"}


class WrongError(InputError):
    """Something is wrong with what was sent, said in the language of the page."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody sent: the place, and of which pictures they said what.

    Of an upload that is no photograph there are no bytes.
    """

    name: str
    points: str
    labels: Mapping[str, str]
    uploads: tuple[tuple[str, str, bytes], ...]
    version: str


@dataclass(frozen=True, slots=True)
class Place:
    """A taught place: when, its states with examples known of all, and the teaching before."""

    id: str
    file: str
    at: Moment | None
    known: tuple[tuple[str, int, int], ...]
    before: Moment | None


@router.get("/cameras/{node}/{device}/teach")
def begin(visit: SignedIn, node: str, device: str, saved: int = 0) -> Response:
    """Show the taught places and the newest pictures to teach from."""
    try:
        state = visit.house.services.configs.watched(visit.viewer, node, device)
    except NotThere:
        return no_document(visit, node, device)
    return _page(visit, state, saved=saved)


@router.post("/cameras/{node}/{device}/teach")
async def teach(visit: SignedIn, request: Request, node: str, device: str) -> Response:
    """Learn from the chosen pictures and show what came of it; nothing is kept yet."""
    same_site(request)
    visit.viewer.require("arrange")
    async with request.form(max_files=_MOST_FILES, max_fields=80) as form:
        check_token(visit, _text(form, "csrf_token"))
        asked = await _asked(form)
    return await run_in_threadpool(_learn, visit, (node, device), asked)


@router.post("/cameras/{node}/{device}/teach/save")
async def save(visit: SignedIn, request: Request, node: str, device: str) -> Response:
    """Put what was learned into the edge's document, or take a taught place out of it."""
    same_site(request)
    visit.viewer.require("arrange")
    async with request.form(max_files=0, max_fields=40, max_part_size=_LARGEST) as form:
        check_token(visit, _text(form, "csrf_token"))
        fields = {name: _text(form, name) for name in ("name", "taught", "version", "gone", "back")}
        alarm = [str(one) for one in form.getlist("alarm") if one in STATES]
    return await run_in_threadpool(_keep, visit, (node, device), fields, alarm)


async def _asked(form: FormData) -> Asked:
    uploads = []
    for number in range(_UPLOADS):
        state = _text(form, f"state.{number}")
        for file in form.getlist(f"files.{number}"):
            if isinstance(file, UploadFile) and file.filename and state in STATES:
                name = file.filename[-60:]
                data = await file.read(PHOTO_BYTES + 1)
                # Made smaller one by one: together they are more than the memory should hold.
                uploads.append((state, name, await run_in_threadpool(_smaller, data)))
    labels = {
        name.removeprefix("label."): str(value)
        for name, value in form.items()
        if name.startswith("label.") and value in {*STATES, "ask"}
    }
    return Asked(
        name=_text(form, "name").strip(),
        points=_text(form, "points.0"),
        labels=labels,
        uploads=tuple(uploads),
        version=_text(form, "version"),
    )


def _smaller(data: bytes) -> bytes:
    """Return a photograph made smaller, nothing where it is none."""
    try:
        return photo(data).data
    except (NotUsable, TooMuch, WrongKind):
        return b""


def _learn(visit: Visit, where: tuple[str, str], asked: Asked) -> Response:
    state = visit.house.services.configs.watched(visit.viewer, *where)
    try:
        report = _report(visit, where, asked)
    except InputError as error:
        return _page(visit, state, asked=asked, wrong=_said(visit, error))
    return _page(visit, state, asked=asked, report=report)


def _report(visit: Visit, where: tuple[str, str], asked: Asked) -> Report:
    say = visit.frame.say
    if not is_id(asked.name):
        raise WrongError(say(msg("The name is made of a-z, 0-9 and -, such as bin-3")))
    corners = picture_form.corners_of(asked.points)
    if len(corners) < 2:
        raise WrongError(say(msg("Mark the place on the picture first")))
    crop = tuple(edge(one[axis] for one in corners) / 100 for edge in (min, max) for axis in (0, 1))
    room = school()
    if room is None:
        raise WrongError(say(msg("This server cannot teach: its edge part is not installed")))
    if not _ONE.acquire(blocking=False):  # it takes seconds, and others need the threads
        raise WrongError(say(msg("Somebody else is teaching just now. Try again in a minute.")))
    try:
        examples, rest = _pictures(visit, where, asked)
        _check_counts(visit, examples)
        made: Report = room.teach(examples, rest, crop, visit.house.clock.now())
    finally:
        _ONE.release()
    return made


def _check_counts(visit: Visit, examples: Mapping[str, Sequence[object]]) -> None:
    """Say in the reader's language what is asked for most often. Raises InputError."""
    say = visit.frame.say
    if len(examples) < _FEWEST:
        raise WrongError(say(msg("Choose pictures of two states at least, such as empty and full")))
    for state, pictures in examples.items():
        name, count = say(STATES[state]), len(pictures)
        if count < _FEWEST:
            few = msg("%(state)s has only one picture; two are needed, six to ten are good")
            raise WrongError(say(few) % {"state": name})
        if count > _MOST:
            many = msg("%(state)s has %(count)s pictures; 20 at most, ten are enough")
            raise WrongError(say(many) % {"state": name, "count": count})


def _pictures(
    visit: Visit, where: tuple[str, str], asked: Asked
) -> tuple[dict[str, list[tuple[str, bytes]]], Pictures]:
    """Return the examples by state and the rest; each look at a kept one is written down."""
    evidence, now = visit.house.services.evidence, visit.house.clock.now()
    ours = {one.id for one in _stills(visit, where)}
    examples: dict[str, list[tuple[str, bytes]]] = {}
    rest: list[tuple[str, bytes]] = []
    for name, label in asked.labels.items():
        if name not in ours:
            continue
        try:
            data = evidence.read(visit.viewer, name, now, "teaching").data
        except (NotThere, Gone):
            continue
        (rest if label == "ask" else examples.setdefault(label, [])).append((name, data))
    for state, name, data in asked.uploads:
        if not data:
            bad = visit.frame.say(msg("This is no JPEG that can be read, or it is too large"))
            raise WrongError(bad, where=name)
        examples.setdefault(state, []).append((name, data))
    return examples, rest


def _keep(
    visit: Visit, where: tuple[str, str], fields: Mapping[str, str], alarm: list[str]
) -> Response:
    configs, viewer = visit.house.services.configs, visit.viewer
    state = configs.watched(viewer, *where)
    name = fields["name"] or fields["gone"] or fields["back"]
    places = list(state.watched.state)
    at = next((at for at, one in enumerate(places) if one.get("id") == name), len(places))
    before = places[at] if at < len(places) else {}
    try:
        if fields["back"]:
            places[at : at + 1] = [{**before, "taught": _before(visit, where, name)}]
        elif fields["gone"]:
            places[at : at + 1] = []
        else:
            places[at : at + 1] = [_place(name, fields["taught"], alarm, before)]
    except InputError as error:
        return _page(visit, state, wrong=_said(visit, error))
    said = msg("Earlier teaching again: %(name)s") if fields["back"] else msg("Taught: %(name)s")
    why = visit.frame.say(said) % {"name": name}
    seen, now = Seen(frozenset({fields["version"]})), visit.house.clock.now()
    try:
        given = {"why": why, "state": places}
        made = configs.put_watched(viewer, *where, given, seen=seen, now=now)
    except Outdated:
        say = msg("Somebody changed something meanwhile. Look at it again.")
        return _page(visit, state, wrong=visit.frame.say(say))
    except RulesBroken as error:
        return _page(visit, state, wrong=_faults(visit, error))
    told = outcome(state.version, made.version)
    return visit.go(f"/cameras/{where[0]}/{where[1]}/teach?saved={told}")


def _said(visit: Visit, error: InputError) -> str:
    words = Words(visit.language, {})
    ours = isinstance(error, WrongError)
    what = error.what if ours else of_lesson(error.what, words)
    where = words.say(STATES[error.where]) if error.where in STATES else error.where
    return what if where in _NOWHERE else f"{where}{words.say(msg(': '))}{what}"


def _faults(visit: Visit, error: RulesBroken) -> str:
    words = Words(visit.language, {})
    return words.say(msg(". ")).join(of_config(what, words) for _, what in error.faults)


def _before(visit: Visit, where: tuple[str, str], name: str) -> dict[str, Any]:
    taught = visit.house.services.configs.taught_before(visit.viewer, *where).get(name)
    if taught is None:
        raise WrongError(visit.frame.say(msg("There is no earlier teaching of it.")))
    return taught


def _place(name: str, text: str, alarm: list[str], before: Mapping[str, Any]) -> dict[str, Any]:
    """Return a place as the document says it; what else was set for it before stays."""
    try:
        taught = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        taught = {}
    room = school()
    if room is not None:
        room.check(taught)
    stays = {key: before[key] for key in ("every", "dwell", "severity") if key in before}
    place: dict[str, Any] = {"id": name, **stays, "taught": taught}
    if alarm:
        same = list(before.get("alarm", ())) == alarm
        event = before["event"] if same else _EVENTS.get(alarm[0], "state-alarm")
        place |= {"alarm": alarm, "event": event}
    return place


def school() -> Any:
    """Return the module that teaches; None where the edge's part is not installed."""
    try:
        return importlib.import_module("dashboards.web.school_room")
    except ImportError:
        return None


def _stills(visit: Visit, where: tuple[str, str]) -> tuple[Still, ...]:
    return stills(visit.house.services, visit.viewer, where, visit.calendar, _SHOWN)


def _page(
    visit: Visit,
    state: WatchedState,
    *,
    asked: Asked | None = None,
    report: Report | None = None,
    wrong: str | None = None,
    saved: int = 0,
) -> Response:
    words = Words(visit.language, {})
    where = state.edge, state.camera
    name = asked.name if asked else ""
    before = next((one for one in state.watched.state if one.get("id") == name), None)
    pictures = _stills(visit, where)
    return visit.page(
        "teach.html",
        status=422 if wrong else 200,
        camera=state,
        places=_places(visit, state, words),
        looking=looking(visit.house.services, visit.viewer, where, visit.calendar, words),
        sayings=cameras.sayings(visit.language),
        pictures=pictures,
        paths={one.id: one.path for one in pictures},
        states={name: words.say(said) for name, said in STATES.items()},
        reasons={name: words.say(said) for name, said in _WHY.items()},
        labels=asked.labels if asked else {},
        name=name,
        again=before is not None,
        points=asked.points if asked else "",
        uploads=range(_UPLOADS),
        report=report,
        useless=[words.say(STATES[one]) for one in report.useless] if report else [],
        alarms=_alarms(report, before) if report else {},
        taught=msgspec.json.encode(report.taught).decode() if report else "",
        standing=standing(state.version, state.running, visit.calendar, words),
        version=asked.version if asked else str(state.version),
        wrong=wrong,
        saved=saved,
    )


def _alarms(report: Report, before: Mapping[str, Any] | None) -> dict[str, bool]:
    """Return the states that people can be told of, and whether they are told by now."""
    told = (before or {}).get("alarm", ())
    return {one.state: one.state in told for one in report.known if one.state in _EVENTS}


def _places(visit: Visit, state: WatchedState, words: Words) -> list[Place]:
    where = state.edge, state.camera
    before = visit.house.services.configs.taught_before(visit.viewer, *where)
    made = []
    for one in state.watched.state:
        name, taught = str(one.get("id")), one.get("taught") or {}
        made.append(
            Place(
                id=name,
                file=str(one.get("file") or ""),
                at=_made(visit, taught),
                known=tuple(_known(it, words) for it in taught.get("states", ())),
                before=_made(visit, before.get(name, {})),
            )
        )
    return made


def _made(visit: Visit, taught: Mapping[str, Any]) -> Moment | None:
    try:
        return visit.calendar.moment(datetime.fromisoformat(str(taught["made"])))
    except (KeyError, ValueError):
        return None


def _known(state: Mapping[str, Any], words: Words) -> tuple[str, int, int]:
    """Return a state in words, how many of its examples the others know, and of how many."""
    name = str(state.get("state"))
    said = words.say(STATES[name]) if name in STATES else name
    right = state.get("taken_for", {}).get(name, 0)
    return said, int(right), int(state.get("pictures", 0))


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return re.sub(r"\r\n", "\n", value) if isinstance(value, str) else ""
