"""Answers made of our own types, and what the OpenAPI document says of them."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import Response

from ingest.api.problems import MEDIA_TYPE, Problem
from ingest.commands.command import Command
from ingest.floors.book import FloorPlan
from ingest.incidents.incident import Incident, Transition
from ingest.incidents.lists import Precision, Waiting
from ingest.incidents.silence import Silence
from ingest.influx.book import InfluxStatus
from ingest.orders.order import Order, OrderStep
from ingest.registry.book import Entry
from ingest.registry.config_changes import ConfigChange
from ingest.registry.configs import ConfigDraft, ConfigRestore, ConfigState, ConfigVersion
from ingest.registry.plan import Preview
from ingest.registry.records import Device, Edge, Person, Place, Team
from ingest.registry.watched import WatchedDraft, WatchedState
from ingest.rules.trial import Trial
from ingest.rules.versions import RuleVersion
from ingest.series.storage import Storage
from ingest.services.access import SHOWN as OF_ACCESS
from ingest.services.called import Choice
from ingest.services.cards import TapView
from ingest.services.channels import ChannelList, MessageText
from ingest.services.counts import SHOWN as OF_COUNTS
from ingest.services.duty import SHOWN as OF_DUTY
from ingest.services.foresight import SHOWN as OF_FORESIGHT
from ingest.services.history import SHOWN as OF_HISTORY
from ingest.services.history import HappenedEvent, HappenedStep
from ingest.services.lines import LatestRow, SeriesRow
from ingest.services.links import LinkLook
from ingest.services.live import SHOWN as OF_LIVE
from ingest.services.notify import NoteList, NoteView, NotifyView, TrialResult
from ingest.services.push import PhoneList
from ingest.services.rules import FiredView, RulesView, RuleVersionView
from ingest.services.series import ReadingView
from ingest.services.statistics import SHOWN as OF_STATISTICS
from ingest.services.trends import SHOWN as OF_TRENDS
from ingest.services.views import (
    ChainView,
    DeviceView,
    EventView,
    EvidenceRecord,
    NodeView,
    RejectView,
    SealKey,
    SeriesInfo,
    SeriesPoint,
    Stats,
)
from ingest.services.waste import BinList, RoundView
from linli.edge_config import EdgeConfig

REFERENCE = "#/components/schemas/{name}"
_ENCODER = msgspec.json.Encoder()


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """Base of lists; `next` is the cursor of what follows, null at the end."""

    next: str | None = None


class ListedIncident(Incident, frozen=True, kw_only=True):
    """An incident in a list, with what its area and its device are called."""

    area_label: str
    device_label: str


class IncidentList(Listing, frozen=True, kw_only=True):
    """A page of incidents."""

    items: tuple[ListedIncident, ...]


class FloorPlanList(Listing, frozen=True, kw_only=True):
    """Floor plans by id, each with the devices that stand on it."""

    items: tuple[FloorPlan, ...]


class HappenedEventList(Listing, frozen=True, kw_only=True):
    """A page of events, newest first."""

    items: tuple[HappenedEvent, ...]


class HappenedStepList(Listing, frozen=True, kw_only=True):
    """A page of steps of incidents, newest first."""

    items: tuple[HappenedStep, ...]


class TransitionList(Listing, frozen=True, kw_only=True):
    """The history of an incident, oldest first."""

    items: tuple[Transition, ...]


class LinkBook(msgspec.Struct, frozen=True, kw_only=True):
    """Who opened an incident by link and who tapped its cards, oldest first, a thousand each."""

    looks: tuple[LinkLook, ...]
    taps: tuple[TapView, ...]


class CommandList(Listing, frozen=True, kw_only=True):
    """The last commands to a device, newest first."""

    items: tuple[Command, ...]


class PrecisionList(Listing, frozen=True, kw_only=True):
    """How often each device was right about each event."""

    items: tuple[Precision, ...]


class SilenceList(Listing, frozen=True, kw_only=True):
    """Silences, the newest first."""

    items: tuple[Silence, ...]


class DrillList(msgspec.Struct, frozen=True, kw_only=True):
    """Drills that go on, newest first."""

    items: tuple[Incident, ...]


class OrderList(Listing, frozen=True, kw_only=True):
    """Work orders, the newest first."""

    items: tuple[Order, ...]


class OrderStepList(Listing, frozen=True, kw_only=True):
    """What happened to an order, oldest first."""

    items: tuple[OrderStep, ...]


class DeviceList(Listing, frozen=True, kw_only=True):
    """All devices and edge boxes."""

    items: tuple[DeviceView, ...]
    nodes: tuple[NodeView, ...]


class PlaceList(Listing, frozen=True, kw_only=True):
    """Places by their paths."""

    items: tuple[Place, ...]


class EdgeList(Listing, frozen=True, kw_only=True):
    """Edge boxes as they are registered."""

    items: tuple[Edge, ...]


class DeviceRecordList(Listing, frozen=True, kw_only=True):
    """Devices as they are registered."""

    items: tuple[Device, ...]


class TeamList(Listing, frozen=True, kw_only=True):
    """Teams."""

    items: tuple[Team, ...]


class PersonList(Listing, frozen=True, kw_only=True):
    """People who work here."""

    items: tuple[Person, ...]


class ChangeList(Listing, frozen=True, kw_only=True):
    """What changed in the registry, newest first."""

    items: tuple[Entry, ...]


class ConfigVersionList(Listing, frozen=True, kw_only=True):
    """Versions of an edge box's configuration, newest first, without their documents."""

    items: tuple[ConfigVersion, ...]


class ConfigChangeList(msgspec.Struct, frozen=True, kw_only=True):
    """What one version of a configuration changed, at most 500 settings."""

    items: tuple[ConfigChange, ...]


class EventList(Listing, frozen=True, kw_only=True):
    """Stored events, oldest first."""

    items: tuple[EventView, ...]


class RejectList(Listing, frozen=True, kw_only=True):
    """Refused messages, newest first."""

    items: tuple[RejectView, ...]


class SeriesList(Listing, frozen=True, kw_only=True):
    """All series."""

    items: tuple[SeriesInfo, ...]


class RuleVersionList(Listing, frozen=True, kw_only=True):
    """Versions of the rules, the newest first."""

    items: tuple[RuleVersionView, ...]


class ReadingList(Listing, frozen=True, kw_only=True):
    """Single readings, oldest first."""

    items: tuple[ReadingView, ...]


class SeriesData(msgspec.Struct, frozen=True, kw_only=True):
    """One series over a span; points without data have null values."""

    series: str
    step: int
    points: tuple[SeriesPoint, ...]


class HandedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A photograph is kept; `picture` is its id."""

    picture: str


class AlertsTaken(msgspec.Struct, frozen=True, kw_only=True):
    """How many alerts came, how many of them changed an incident, how many the sender left out."""

    taken: int
    changed: int
    left_out: int


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A path to open within 60 s, by the same caller."""

    path: str


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who is signed in; `csrf` goes into the header X-CSRF-Token of what changes anything."""

    name: str
    role: str
    csrf: str
    expires: str


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The service is up."""

    status: str


SHOWN: tuple[type, ...] = (
    Problem,
    NoteList,
    NoteView,
    NotifyView,
    TrialResult,
    ChannelList,
    PhoneList,
    MessageText,
    LinkBook,
    IncidentList,
    TransitionList,
    PrecisionList,
    Waiting,
    SilenceList,
    Silence,
    DrillList,
    OrderList,
    OrderStepList,
    Order,
    OrderStep,
    HandedIn,
    AlertsTaken,
    DeviceList,
    EventList,
    RejectList,
    SeriesList,
    SeriesData,
    LatestRow,
    SeriesRow,
    Choice,
    ReadingList,
    Storage,
    BinList,
    RoundView,
    FiredView,
    RulesView,
    RuleVersionList,
    RuleVersion,
    Trial,
    Link,
    Me,
    Health,
    Incident,
    Command,
    CommandList,
    *OF_LIVE,
    DeviceView,
    Stats,
    ChainView,
    InfluxStatus,
    EvidenceRecord,
    SealKey,
    Transition,
    FloorPlan,
    FloorPlanList,
    PlaceList,
    EdgeList,
    DeviceRecordList,
    TeamList,
    PersonList,
    ChangeList,
    Preview,
    ConfigState,
    ConfigVersion,
    ConfigVersionList,
    ConfigDraft,
    WatchedDraft,
    WatchedState,
    ConfigChangeList,
    ConfigRestore,
    EdgeConfig,
    *OF_ACCESS,
    *OF_DUTY,
    *OF_FORESIGHT,
    *OF_STATISTICS,
    *OF_COUNTS,
    *OF_TRENDS,
    *OF_HISTORY,
    HappenedEventList,
    HappenedStepList,
)


def answer(
    part: msgspec.Struct, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """Return it as JSON."""
    return Response(_ENCODER.encode(part), status, headers, "application/json")


def tells(kind: type, *problems: int, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """Return what a route answers, for `responses`: a type of `SHOWN`, and problems by status."""
    return {
        status: {
            "description": (kind.__doc__ or "").strip().partition("\n")[0],
            "content": {"application/json": {"schema": _reference(kind)}},
        },
        **fails(*problems),
    }


def fails(*problems: int) -> dict[int | str, dict[str, Any]]:
    """Return the problems a route may answer with, for `responses`."""
    content = {MEDIA_TYPE: {"schema": _reference(Problem)}}
    return {status: {"description": _WHY[status], "content": content} for status in problems}


def _reference(kind: type) -> dict[str, str]:
    return {"$ref": REFERENCE.format(name=kind.__name__)}


_WHY = {
    400: "A parameter breaks a rule",
    401: "Nobody is signed in, or the credentials are wrong",
    403: "The role or the token does not allow this, or the CSRF token is missing",
    404: "There is no such thing, or none that the caller may see",
    409: "It contradicts what is already kept",
    410: "It was there and is no more, or the address has ended",
    412: "It was changed since the caller looked at it, or would do something else by now",
    413: "The body is too large",
    415: "The body is not of a format that is taken here",
    422: "A parameter or the body has the wrong form",
    428: "It is there already: say in If-Match which state of it is meant",
    503: "The store does not answer, or too many streams are open; try again",
}


def rows_of(kind: type) -> dict[int | str, dict[str, Any]]:
    """Return what a route answers that gives a flat array of a type of `SHOWN`."""
    name = REFERENCE.format(name=kind.__name__)
    schema = {"schema": {"type": "array", "items": {"$ref": name}}}
    return {
        200: {
            "description": (kind.__doc__ or "").partition("\n")[0],
            "content": {"application/json": schema},
        },
        **fails(400, 401, 403, 422, 503),
    }
