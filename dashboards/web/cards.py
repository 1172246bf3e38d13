"""Incidents as the pages show them: values ready to print, every word already chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from dashboards.web.language import msg
from dashboards.web.moments import Calendar, Moment
from dashboards.web.words import LABELS, Words
from ingest.duty.deadlines import Deadlines
from ingest.incidents.incident import Incident, State, Step, Transition
from linli.clock import clamped
from linli.events import Redaction, Severity

PictureState = Literal["shown", "coming", "gone", "withheld", "hidden", "none"]
Album = Callable[[str], PictureState]
STRIP_SHOWN = 12

BLURRED: dict[Redaction, str] = {
    "heads": msg("Heads were blurred on site before anything was kept."),
    "persons": msg("People were blurred on site before anything was kept."),
    "withheld": msg("No picture"),
}
# A step that only brings figures up to date is not told, nor what is seen on the cards themselves.
STEPS: dict[Step, str | None] = {
    "updated": None,
    "opened": msg("Seen by the system: %(what)s"),
    "repeated": msg("It happened again"),
    "reopened": msg("It happened again soon after; opened once more"),
    "worsened": msg("Became more severe: %(severity)s"),
    "pictured": msg("A picture was taken"),
    "cleared": msg("It ended on site"),
    "recurred": msg("It goes on on site"),
    "acknowledged": msg("%(who)s acknowledged it"),
    "started": msg("%(who)s began to handle it"),
    "resolved": msg("%(who)s resolved it"),
    "resumed": msg("%(who)s took it up again"),
    "labelled": msg("%(who)s marked it: %(label)s"),
    "shelved": msg("%(who)s shelved it until %(until)s"),
    "unshelved": msg("Calls are no longer held back"),
    "joined": msg("It is part of another incident"),
    "left": msg("It stands by itself again"),
    "gathered": None,
    "released": None,
    "waited": None,
    "reminded": msg("Reminder: acknowledged, not finished"),
    "unacknowledged": msg("Not finished in time; it waits for someone again"),
    "noted": msg("%(who)s wrote it down"),
    "undone": msg("%(who)s took back the last step"),
}
_DRILLED = msg("%(who)s began a drill: nothing happened there")
_SILENCED = msg("A silence holds back calls until %(until)s")


@dataclass(frozen=True, slots=True)
class Box:
    """Where the object is in the picture, in thousandths of its sides."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Due:
    """By when somebody should have seen it, or be done with it, and whether that is past."""

    by: str
    over: bool


@dataclass(frozen=True, slots=True)
class Card:
    """One incident at a glance. `version` changes whenever anything shown here does."""

    id: str
    number: int
    version: str
    severity: Severity
    severity_word: str
    state: State
    state_word: str
    label_word: str | None
    active: bool
    what: str
    where: str
    place: str
    since: Moment
    last: Moment
    count: int
    picture: PictureState
    box: Box | None
    blurred: str
    acknowledged_by: str | None
    resolved: Moment | None
    late: bool
    shelved: Moment | None = None
    part: bool = False
    parts: int = 0
    drill: bool = False
    due: Due | None = None

    @property
    def cleared_unseen(self) -> bool:
        """It is over, and nobody has said that they saw it."""
        return self.state == "open" and not self.active


@dataclass(frozen=True, slots=True)
class Row:
    """One line of an incident's history."""

    id: int
    at: Moment
    text: str
    note: str | None
    step: str
    photo: str | None = None
    """The id of a photograph that a person added; empty when it is no longer kept."""


@dataclass(frozen=True, slots=True)
class Done:
    """One thing that the edge did by itself; `result` is done, failed or skipped."""

    text: str
    result: str


@dataclass(frozen=True, slots=True)
class Detail:
    """One incident in full."""

    card: Card
    rows: tuple[Row, ...]
    actions: tuple[Done, ...]
    confidence: int | None
    dwell: float | None
    model: str | None
    checksum: str | None
    first: Moment
    cleared: Moment | None
    source: str
    strip: tuple[str, ...] = ()
    """The ids of all pictures that are there, oldest first."""


def card(
    incident: Incident,
    words: Words,
    calendar: Calendar,
    album: Album,
    *,
    limits: Deadlines | None = None,
) -> Card:
    """Put one incident into words; `limits` say by when it is to be seen and done."""
    picture, due = _picture(incident, album), _due(incident, calendar, limits)
    bbox = incident.picture.bbox if incident.picture else None
    label, shelved = incident.label, incident.aside == "shelved"
    return Card(
        id=incident.id,
        number=incident.number,
        version=f"{incident.version}-{picture}" + ("-over" if due and due.over else ""),
        due=due,
        severity=incident.severity,
        severity_word=words.severity(incident.severity),
        state=incident.state,
        state_word=words.state(incident.state),
        label_word=words.say(LABELS[label]) if label else None,
        active=incident.condition_active,
        what=words.what(incident),
        where=words.where(incident.key),
        place=words.place(incident),
        since=calendar.moment(incident.first),
        last=calendar.moment(incident.last),
        count=incident.count,
        picture=picture,
        box=_box(bbox) if bbox else None,
        blurred=words.say(BLURRED[incident.picture.redaction if incident.picture else "withheld"]),
        acknowledged_by=words.actor(incident.acknowledged_by) if incident.acknowledged_by else None,
        resolved=calendar.optional(incident.resolved),
        late=incident.late,
        shelved=calendar.optional(incident.shelved_until) if shelved else None,
        part=incident.aside == "part",
        parts=incident.parts,
        drill=incident.key.drill,
    )


def detail(
    incident: Incident,
    history: tuple[Transition, ...],
    words: Words,
    calendar: Calendar,
    album: Album,
    *,
    limits: Deadlines | None = None,
) -> Detail:
    """Put one incident and its history into words."""
    model = incident.model
    confidence = incident.confidence
    return Detail(
        card=card(incident, words, calendar, album, limits=limits),
        rows=_rows(incident, history, words, calendar, album),
        strip=_strip(history, album),
        actions=tuple(
            Done(words.action(one.type, one.result), one.result) for one in incident.actions
        ),
        confidence=round(confidence * 100) if confidence is not None else None,
        dwell=incident.dwell,
        model=f"{model.name} {model.version}" if model else None,
        checksum=model.sha256[:12] if model else None,
        first=calendar.moment(incident.first),
        cleared=calendar.optional(incident.cleared),
        source=str(incident.key),
    )


def _due(incident: Incident, calendar: Calendar, limits: Deadlines | None) -> Due | None:
    if limits is None or incident.state == "resolved" or incident.aside is not None:
        return None
    limit = limits.of(incident.key.event, incident.severity)
    within = limit.acknowledge if incident.state == "open" else limit.resolve
    if within is None:
        return None
    by = clamped(incident.opened + within)
    return Due(calendar.brief(by), over=by <= calendar.now)


def _strip(history: tuple[Transition, ...], album: Album) -> tuple[str, ...]:
    found = [row.picture.id for row in history if row.picture is not None and row.picture.id]
    shown = [one for one in dict.fromkeys(found) if album(one) == "shown"]
    return tuple(shown[-STRIP_SHOWN:])


def _picture(incident: Incident, album: Album) -> PictureState:
    if incident.picture is None:
        return "none"
    if incident.picture.id is None:
        return "withheld"
    return album(incident.picture.id)


def _box(bbox: tuple[float, float, float, float]) -> Box:
    left, top, right, bottom = (round(min(max(side, 0.0), 1.0) * 1000) for side in bbox)
    return Box(left, top, max(right - left, 1), max(bottom - top, 1))


def _rows(
    incident: Incident,
    history: tuple[Transition, ...],
    words: Words,
    calendar: Calendar,
    album: Album,
) -> tuple[Row, ...]:
    rows: list[Row] = []
    for step in reversed(history):
        text = STEPS[step.step]
        if step.step == "shelved" and step.actor.startswith("silence:"):
            text = _SILENCED
        if step.step == "opened" and incident.key.drill:
            text = _DRILLED
        if step.step == "joined" and step.until is not None:
            text = None  # its cause is over, which it is soon seen to outlast or not
        if text is not None:
            said = words.say(text) % {
                "what": words.what(incident),
                "who": words.actor(step.actor),
                "severity": words.severity(step.severity or incident.severity),
                "label": words.say(LABELS[step.label]) if step.label else "",
                "until": calendar.clock(step.until) if step.until else "",
            }
            photo = step.photo
            if photo is not None and album(photo) != "shown":
                photo = ""
            rows.append(Row(step.id, calendar.moment(step.at), said, step.note, step.step, photo))
    return tuple(rows)
