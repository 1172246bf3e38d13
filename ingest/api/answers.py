"""Answers made of our own types, and what the OpenAPI document says of them."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import Response

from ingest.api.incident_lists import SHOWN as OF_INCIDENTS
from ingest.api.problems import MEDIA_TYPE, Problem
from ingest.api.registry_lists import SHOWN as OF_REGISTRY
from ingest.api.stored_lists import SHOWN as OF_STORE
from ingest.commands.command import Command
from ingest.floors.book import FloorPlan
from ingest.incidents.incident import Incident, Transition
from ingest.incidents.lists import Waiting
from ingest.incidents.preview import SilencePreview
from ingest.incidents.silence import Silence
from ingest.influx.book import InfluxStatus
from ingest.orders.order import Order, OrderStep
from ingest.registry.configs import ConfigDraft, ConfigRestore, ConfigState, ConfigVersion
from ingest.registry.plan import Preview
from ingest.registry.watched import WatchedDraft, WatchedState
from ingest.rules.trial import Trial
from ingest.rules.versions import RuleVersion
from ingest.series.storage import Storage
from ingest.services.access import SHOWN as OF_ACCESS
from ingest.services.availability import SHOWN as OF_AVAILABILITY
from ingest.services.called import Choice
from ingest.services.channels import ChannelList, MessageText
from ingest.services.counts import SHOWN as OF_COUNTS
from ingest.services.duty import SHOWN as OF_DUTY
from ingest.services.foresight import SHOWN as OF_FORESIGHT
from ingest.services.happened import SHOWN as OF_HISTORY
from ingest.services.joining import SHOWN as OF_JOINING
from ingest.services.lines import LatestRow, SeriesRow
from ingest.services.live import SHOWN as OF_LIVE
from ingest.services.notice import NoticeView
from ingest.services.notify import NoteList, NoteView, NotifyView, TrialResult
from ingest.services.push import PhoneList
from ingest.services.repairs import SHOWN as OF_REPAIRS
from ingest.services.rules import FiredView, RulesView
from ingest.services.statistics import SHOWN as OF_STATISTICS
from ingest.services.trends import SHOWN as OF_TRENDS
from ingest.services.views import (
    ChainView,
    DeviceView,
    EvidenceRecord,
    SealKey,
    Stats,
    TrialPictureList,
)
from ingest.services.waste import BinList, RoundView
from linli.edge_config import EdgeConfig

REFERENCE = "#/components/schemas/{name}"
_ENCODER = msgspec.json.Encoder()


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
    TrialPictureList,
    Problem,
    NoteList,
    NoteView,
    NoticeView,
    NotifyView,
    TrialResult,
    ChannelList,
    PhoneList,
    MessageText,
    Waiting,
    Silence,
    SilencePreview,
    Order,
    OrderStep,
    HandedIn,
    AlertsTaken,
    LatestRow,
    SeriesRow,
    Choice,
    Storage,
    BinList,
    RoundView,
    FiredView,
    RulesView,
    RuleVersion,
    Trial,
    Link,
    Me,
    Health,
    Incident,
    Command,
    *OF_LIVE,
    DeviceView,
    Stats,
    ChainView,
    InfluxStatus,
    EvidenceRecord,
    SealKey,
    Transition,
    FloorPlan,
    Preview,
    ConfigState,
    ConfigVersion,
    ConfigDraft,
    WatchedDraft,
    WatchedState,
    ConfigRestore,
    EdgeConfig,
    *OF_AVAILABILITY,
    *OF_ACCESS,
    *OF_JOINING,
    *OF_DUTY,
    *OF_FORESIGHT,
    *OF_REPAIRS,
    *OF_STATISTICS,
    *OF_COUNTS,
    *OF_TRENDS,
    *OF_HISTORY,
    *OF_INCIDENTS,
    *OF_REGISTRY,
    *OF_STORE,
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
