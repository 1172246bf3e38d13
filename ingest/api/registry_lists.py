"""Lists of what is registered, what is wanted of it, and who changed it."""

from __future__ import annotations

import msgspec

from ingest.api.listing import Listing
from ingest.commands.command import Command
from ingest.floors.book import FloorPlan
from ingest.registry.book import Entry
from ingest.registry.config_changes import ConfigChange
from ingest.registry.configs import ConfigVersion
from ingest.registry.records import Device, Edge, Person, Place, Team
from ingest.services.views import DeviceView, NodeView


class FloorPlanList(Listing, frozen=True, kw_only=True):
    """Floor plans by id, each with the devices that stand on it."""

    items: tuple[FloorPlan, ...]


class CommandList(Listing, frozen=True, kw_only=True):
    """The last commands to a device, newest first."""

    items: tuple[Command, ...]


class DeviceList(Listing, frozen=True, kw_only=True):
    """Devices, and the edge boxes behind which they are."""

    items: tuple[DeviceView, ...]
    nodes: tuple[NodeView, ...]


class NodeList(Listing, frozen=True, kw_only=True):
    """Edge boxes as they do."""

    items: tuple[NodeView, ...]


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


SHOWN: tuple[type, ...] = (
    FloorPlanList,
    CommandList,
    DeviceList,
    NodeList,
    PlaceList,
    EdgeList,
    DeviceRecordList,
    TeamList,
    PersonList,
    ChangeList,
    ConfigVersionList,
    ConfigChangeList,
)
"""What the API answers with."""
