"""The topic grammar of the contract: one type that parses and prints itself.

Always eight levels: `linli/v1/{site}/{area}/{node}/{device}/{kind}/{name}`. Ids are lower-case
ASCII; human names travel in payloads only. An area that starts with `_` is reserved (`_sys`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PREFIX = "linli"
VERSION = "v1"
SYSTEM_AREA = "_sys"
REQUEST_AREA = "_req"
"""Where other systems ask for commands; the node's level is the user of the broker who asks."""
SELF = "self"
PROBE = "probe"
"""Kind of the messages by which the ingest tries its own chain; they come from `PROBE_NODE`."""
PROBE_NODE = "svc-ingest"
ID_PATTERN = r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?"
SHARE_AREA = "_share"
"""What a community may tell its district; nothing else crosses the bridge."""
DISTRICTS = "up"
"""Stands where a community's id would, at a broker of a district."""
RESERVED_AREAS = frozenset({SYSTEM_AREA, REQUEST_AREA, SHARE_AREA})

_ID = re.compile(ID_PATTERN, re.ASCII)
_FIELDS = ("site", "area", "node", "device", "kind", "name")


def is_id(text: str) -> bool:
    """Tell whether `text` may stand as one level of a topic."""
    return _ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Topic:
    """One address on the broker. Raises ValueError for a level that the grammar forbids."""

    site: str
    area: str
    node: str
    device: str
    kind: str
    name: str

    def __post_init__(self) -> None:
        for field in _FIELDS:
            value: str = getattr(self, field)
            if field == "area" and value in RESERVED_AREAS:
                continue
            if not is_id(value):
                raise ValueError(f"topic level {field} must match {ID_PATTERN}, not {value!r}")

    def __str__(self) -> str:
        levels = (self.site, self.area, self.node, self.device, self.kind, self.name)
        return "/".join((PREFIX, VERSION, *levels))

    @classmethod
    def parse(cls, text: str) -> Topic:
        """Read a topic. Raises ValueError when it is not one of ours."""
        levels = text.split("/")
        if len(levels) != len(_FIELDS) + 2 or levels[0] != PREFIX or levels[1] != VERSION:
            raise ValueError(f"topic must be {PREFIX}/{VERSION}/ and six ids, not {text!r}")
        return cls(*levels[2:])

    @property
    def source(self) -> str:
        """The CloudEvents `source` that a message on this topic must carry."""
        return f"/{self.site}/{self.node}/{self.device}"

    @property
    def type(self) -> str:
        """The CloudEvents `type` that a message on this topic must carry."""
        return f"linli.{self.kind}.{self.name}"


def topic_filter(
    site: str,
    *,
    area: str = "+",
    node: str = "+",
    device: str = "+",
    kind: str = "+",
    name: str = "+",
) -> str:
    """Return a subscription filter; a level left out matches anything."""
    for level in (site, area, node, device, kind, name):
        if level != "+" and level not in RESERVED_AREAS and not is_id(level):
            raise ValueError(f"filter level must be an id or '+', not {level!r}")
    return f"{PREFIX}/{VERSION}/{site}/{area}/{node}/{device}/{kind}/{name}"


def shared_prefix(site: str) -> str:
    """Return what topics begin with that a community's broker passes to its district's."""
    return f"{PREFIX}/{VERSION}/{site}/{SHARE_AREA}/"


def shared_topic(site: str, kind: str, name: str) -> str:
    """Return where a community tells one thing. Raises ValueError for what is no id."""
    for level in (site, kind, name):
        if not is_id(level):
            raise ValueError(f"topic level must match {ID_PATTERN}, not {level!r}")
    return f"{shared_prefix(site)}{kind}/{name}"


def parse_shared(text: str) -> tuple[str, str, str] | None:
    """Return site, kind and name of what a community tells, None for any other topic."""
    levels = text.split("/")
    if len(levels) != 6 or levels[:2] != [PREFIX, VERSION] or levels[3] != SHARE_AREA:
        return None
    site, kind, name = levels[2], levels[4], levels[5]
    fits = is_id(site) and kind in {"event", "registry"} and is_id(name)
    return (site, kind, name) if fits else None


def district_prefix(path: str, site: str) -> str:
    """Return what takes its place there; `path` is the district's code and the street's."""
    return f"{PREFIX}/{VERSION}/{DISTRICTS}/{path}/{site}/"


def districts_filter() -> str:
    """Return the filter of all that communities tell their district."""
    return f"{PREFIX}/{VERSION}/{DISTRICTS}/#"


def receipt_topic(site: str, node: str, stream: str) -> Topic:
    """Where the ingest tells `node` what of `stream` it keeps."""
    return Topic(site, SYSTEM_AREA, node, "ingest", "receipt", stream)


def reject_topic(site: str, node: str, code: str) -> Topic:
    """Where the ingest tells `node` that a message was refused for good."""
    return Topic(site, SYSTEM_AREA, node, "ingest", "reject", code)


def ingest_status_topic(site: str) -> Topic:
    """Where the ingest says, retained, whether it is there."""
    return Topic(site, SYSTEM_AREA, "all", "ingest", "health", "status")


def probe_topic(site: str) -> Topic:
    """Where the ingest tries the whole chain, to itself; nothing else is believed there."""
    return Topic(site, SYSTEM_AREA, PROBE_NODE, "ingest", PROBE, "chain")


def node_status_topic(site: str, area: str, node: str) -> Topic:
    """Where a node says, retained and by its last will, whether it is there."""
    return Topic(site, area, node, SELF, "health", "status")
