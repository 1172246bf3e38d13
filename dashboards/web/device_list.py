"""Which devices a page of the list shows: by text, place, kind and state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar
from urllib.parse import parse_qs, urlencode

from dashboards.web.registry_words import kind_word
from dashboards.web.whereabouts import Standing, inside, place_of
from dashboards.web.words import Words
from ingest.accounts.account import Viewer
from ingest.registry.records import Place
from ingest.services import Services
from ingest.services.estate import BoxGlance, Glance
from ingest.services.views import Health

SIZE = 48
NEW_SHOWN = 12
MOST_TEXT, MOST_PLACE, MOST_PAGES = 64, 131, 10_000
HEALTHS: tuple[Health, ...] = ("down", "degraded", "unknown", "ok")
_RANK = {health: place for place, health in enumerate(HEALTHS)}
T = TypeVar("T")


class Wanted(NamedTuple):
    """What is looked for; empty is all. Pages, of devices and of edge boxes, count from 1."""

    text: str = ""
    place: str = ""
    kind: str = ""
    state: str = ""
    page: int = 1
    boxes: int = 1

    @property
    def query(self) -> str:
        """Return it as the query of an address."""
        given = {"q": self.text, "place": self.place, "kind": self.kind, "state": self.state}
        parts = {name: value for name, value in given.items() if value}
        turned = {"page": self.page, "boxes": self.boxes}
        return urlencode(parts | {name: str(at) for name, at in turned.items() if at > 1})

    @property
    def all(self) -> bool:
        """Tell whether nothing is left out."""
        return not (self.text or self.place or self.kind or self.state)

    def on(self, page: int) -> Wanted:
        """Return the same on another page."""
        return self._replace(page=page)

    def at_boxes(self, page: int) -> Wanted:
        """Return the same on another page of edge boxes."""
        return self._replace(boxes=page)


EVERYTHING = Wanted()


def wanted(
    text: str = "",
    *,
    place: str = "",
    kind: str = "",
    state: str = "",
    page: int = 1,
    boxes: int = 1,
) -> Wanted:
    """Return it held to what makes sense."""
    return Wanted(
        text=" ".join(text.split())[:MOST_TEXT],
        place=place[:MOST_PLACE],
        kind=kind[:32],
        state=state if state in HEALTHS else "",
        page=max(1, min(page, MOST_PAGES)),
        boxes=max(1, min(boxes, MOST_PAGES)),
    )


def read(query: str) -> Wanted:
    """Return what a query says, whatever it is."""
    given = {name: values[0] for name, values in parse_qs(query[:600]).items()}
    return wanted(
        text=given.get("q", ""),
        place=given.get("place", ""),
        kind=given.get("kind", ""),
        state=given.get("state", ""),
        page=_number(given.get("page", "")),
        boxes=_number(given.get("boxes", "")),
    )


def chosen(devices: Sequence[Glance], want: Wanted) -> list[Glance]:
    """Return the devices that fit: the worst first, then by name."""
    text = want.text.casefold()
    found = [
        one
        for one in devices
        if (not want.place or inside(place_of(one), want.place))
        and (not want.kind or one.kind == want.kind)
        and (not want.state or one.health == want.state)
        and (not text or text in f"{one.label}\n{one.node}/{one.device}".casefold())
    ]
    return sorted(found, key=_worst)


def part(found: Sequence[T], page: int) -> tuple[Sequence[T], int]:
    """Return one page of a list, the last one when it is shorter, and how many pages there are."""
    pages = max(1, -(-len(found) // SIZE))
    start = (min(page, pages) - 1) * SIZE
    return found[start : start + SIZE], pages


def names(services: Services, viewer: Viewer, words: Words) -> dict[str, str]:
    """Return what places are called, by path."""
    return {one.id: called(one, words) for one in services.registry.places(viewer)}


def choices(known: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the buildings and public areas that can be chosen, by name."""
    found = [(path, name) for path, name in known.items() if path.count("/") == 1]
    return sorted(found, key=lambda one: (len(one[1]), one[1]))


def whereabouts(view: Standing, known: Mapping[str, str], words: Words) -> str:
    """Return where a device is, from the building down."""
    levels = place_of(view).split("/")
    paths = ["/".join(levels[:depth]) for depth in range(2, len(levels) + 1)]
    said = [known.get(path) or words.area(path.rpartition("/")[2]) for path in paths]
    return " · ".join(said)


def kinds(devices: Sequence[Glance], words: Words) -> list[tuple[str, str]]:
    """Return the kinds that there are, by name."""
    return sorted(
        ((one, kind_word(one, words)) for one in {known.kind for known in devices}), key=_name
    )


def called(place: Place, words: Words) -> str:
    """Return a place's name; one that has only its id is called as incidents call it."""
    own = place.id.rpartition("/")[2]
    return words.area(own) if place.label in (own, place.id) else place.label


def worst_first(boxes: Sequence[BoxGlance]) -> list[BoxGlance]:
    """Return edge boxes, those first that somebody must see to."""
    return sorted(boxes, key=_worst)


def _worst(one: Glance | BoxGlance) -> tuple[int, str, str]:
    return _RANK[one.health], one.label, one.node


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 6 else 1


def _name(pair: tuple[str, str]) -> str:
    return pair[1]
