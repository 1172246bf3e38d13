"""What forms offer to choose from: places, devices, kinds of incidents, people, by name."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from dashboards.web.language import msg
from dashboards.web.registry_words import kind_word
from dashboards.web.visit import Visit
from dashboards.web.words import EVENTS, KEPT, Words
from ingest.registry.records import Person, Place, Team
from linli.events import SEVERITIES

Options = tuple[tuple[str, str], ...]
BARE = {
    "zone-dwell": msg("Staying in a watched area"),
    "bin-full": msg("Bin full"),
    "lamp-fault": msg("Lamp broken"),
    "camera-tampered": msg("Camera disturbed"),
}
"""What happens of which it is usually said of what object it was seen."""
MOST = 1000
MOST_TICKS = 200
DAYS = (
    ("mon", msg("Monday")),
    ("tue", msg("Tuesday")),
    ("wed", msg("Wednesday")),
    ("thu", msg("Thursday")),
    ("fri", msg("Friday")),
    ("sat", msg("Saturday")),
    ("sun", msg("Sunday")),
)
NONE = (("", "—"),)


def severities(words: Words) -> Options:
    """Return how bad things are, the worst first."""
    return tuple((one, words.severity(one)) for one in SEVERITIES)


def days(words: Words) -> Options:
    """Return the days of the week."""
    return tuple((name, words.say(said)) for name, said in DAYS)


def areas(visit: Visit, words: Words) -> Options:
    """Return buildings and public areas, by the slug that incidents carry."""
    found = visit.house.services.registry.places(visit.viewer)
    return tuple(
        (one.id.partition("/")[2], _called(one, words)) for one in found if one.id.count("/") == 1
    )


def devices(visit: Visit) -> Options:
    """Return edge boxes and devices; nothing when they are too many to choose from."""
    return tuple(visit.house.services.registry.labels(visit.viewer, MOST_TICKS).items())


def kinds(visit: Visit, words: Words) -> Options:
    """Return the kinds of devices that there are."""
    found = visit.house.services.registry.kinds(visit.viewer)
    return tuple((kind, kind_word(kind, words)) for kind in found)


def events(visit: Visit, words: Words, *, derived: bool = True) -> Options:
    """Return the kinds of happenings that have a name.

    With `derived` those that rules raise, else those that are kept and raise nothing by themselves.
    """
    names = {one: event_word(one, words) for one in (EVENTS if derived else {**EVENTS, **KEPT})}
    if derived:
        found = visit.house.services.rules.get(visit.viewer).rules
        names |= {one.incident: one.label for one in found if one.incident}
    return tuple(sorted(names.items(), key=lambda pair: pair[1]))


def event_word(name: str, words: Words) -> str:
    """Return what a kind of happening is called, without what it was seen of."""
    known = BARE.get(name) or EVENTS.get(name) or KEPT.get(name)
    return words.say(known) if known else name


def people(visit: Visit) -> Options:
    """Return the people who work here."""
    found = visit.house.services.registry.list(visit.viewer, "person", limit=MOST).items
    return tuple((one.id, one.label) for one in found if isinstance(one, Person))


def teams(visit: Visit) -> Options:
    """Return the teams."""
    found = visit.house.services.registry.list(visit.viewer, "team", limit=MOST).items
    return tuple((one.id, one.label) for one in found if isinstance(one, Team))


def names(options: Options, chosen: Iterable[str], words: Words) -> str:
    """Return chosen values as people call them, in one line."""
    known = dict(options)
    comma = "、" if words.language == "zh-CN" else ", "
    return comma.join(known.get(one, one) for one in chosen)


def instant(text: object, visit: Visit) -> datetime | None:
    """Return the instant of a date and time on the site's clocks, None for what is none."""
    try:
        return datetime.fromisoformat(str(text)).replace(tzinfo=visit.calendar.zone)
    except ValueError:
        return None


def wall(at: datetime, visit: Visit) -> str:
    """Return an instant as a field of date and time takes it."""
    return at.astimezone(visit.calendar.zone).strftime("%Y-%m-%dT%H:%M")


def _called(place: Place, words: Words) -> str:
    own = place.id.rpartition("/")[2]
    return words.area(own) if place.label in (own, place.id) else place.label
