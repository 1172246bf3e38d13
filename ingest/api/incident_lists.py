"""Lists of incidents, of what was done about them, and of what happened."""

from __future__ import annotations

import msgspec

from ingest.api.listing import Listing
from ingest.incidents.incident import Incident, Transition
from ingest.incidents.lists import Precision
from ingest.incidents.silence import Silence
from ingest.orders.order import Order, OrderStep
from ingest.services.cards import TapView
from ingest.services.happened import HappenedEvent, HappenedStep
from ingest.services.links import LinkLook


class ListedIncident(Incident, frozen=True, kw_only=True):
    """An incident in a list, with what its area and its device are called."""

    area_label: str
    device_label: str


class IncidentList(Listing, frozen=True, kw_only=True):
    """A page of incidents."""

    items: tuple[ListedIncident, ...]


class TransitionList(Listing, frozen=True, kw_only=True):
    """The history of an incident, oldest first."""

    items: tuple[Transition, ...]


class LinkBook(msgspec.Struct, frozen=True, kw_only=True):
    """Who opened an incident by link and who tapped its cards, oldest first, a thousand each."""

    looks: tuple[LinkLook, ...]
    taps: tuple[TapView, ...]


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


class HappenedEventList(Listing, frozen=True, kw_only=True):
    """A page of events, newest first."""

    items: tuple[HappenedEvent, ...]


class HappenedStepList(Listing, frozen=True, kw_only=True):
    """A page of steps of incidents, newest first."""

    items: tuple[HappenedStep, ...]


SHOWN: tuple[type, ...] = (
    IncidentList,
    TransitionList,
    LinkBook,
    PrecisionList,
    SilenceList,
    DrillList,
    OrderList,
    OrderStepList,
    HappenedEventList,
    HappenedStepList,
)
"""What the API answers with."""
