"""What Linli writes into InfluxDB: measurements, tags, fields; `reference.py` makes a page of it.

A measurement always carries all of its tags, and no tag shares a name with a field: InfluxDB 3
fixes the tags of a table when it is first written, and knows a column by one name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

FieldType = Literal["float", "integer", "string"]
SLOTS = 10_000
"""Values of the tag `slot`: an incident's number, modulo this."""
NOTHING = "-"
"""Value of a tag that does not apply; line protocol cannot carry an empty one."""


class Tag(msgspec.Struct, frozen=True):
    """An indexed text; every combination of values is one more series."""

    name: str
    meaning: str


class Field(msgspec.Struct, frozen=True):
    """A value; one that does not apply, or is not known, is left out of the point."""

    name: str
    type: FieldType
    meaning: str
    unit: str = ""
    optional: bool = False


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement. `most_series`: how many combinations of tag values are written at most."""

    name: str
    meaning: str
    time: str
    tags: tuple[Tag, ...]
    fields: tuple[Field, ...]
    most_series: int


_SITE = Tag("site", "the community")
_AREA = Tag("area", "where the node stands, such as a building")
_NODE = Tag("node", "the edge box")
_DEVICE = Tag("device", "what hangs on it; `self` is the node")
_WHERE = (_SITE, _AREA, _NODE, _DEVICE)
_SEVERITY = Tag("severity", "`critical`, `high`, `medium`, `low`")
_FLAG = "1 or 0"

READING = Measurement(
    name="reading",
    meaning="One measured value.",
    time="when it was measured",
    tags=(
        *_WHERE,
        Tag("group", "the telemetry message's name"),
        Tag("name", "what is measured"),
        Tag("unit", "UCUM code"),
        Tag("quality", "`good`, or why it is not"),
    ),
    fields=(Field("value", "float", "the value, in `unit`"),),
    most_series=20_000,
)
EVENT = Measurement(
    name="event",
    meaning="One phase of one thing that happened, as an edge said it.",
    time="when it happened",
    tags=(
        *_WHERE,
        Tag("name", "such as `ebike-in-elevator`"),
        Tag("zone", "part of the picture, `-` without one"),
        Tag("phase", "`begin`, `update`, `end`"),
        _SEVERITY,
    ),
    fields=(
        Field("event_id", "string", "the message's id"),
        Field("episode", "string", "one for all phases of one happening"),
        Field("label", "string", "what was seen"),
        Field("late", "integer", f"{_FLAG}: received more than 5 minutes after it happened"),
        Field("delay", "float", "from happening to received", "s"),
        Field("confidence", "float", "0..1", "1", optional=True),
        Field("dwell", "float", "how long it had stayed", "s", optional=True),
    ),
    most_series=20_000,
)
_INCIDENT_NOW = (
    Field("incident_id", "string", "the incident"),
    Field("number", "integer", "its short number"),
    Field("state", "string", "`open`, `acknowledged`, `in-progress`, `resolved`"),
    Field("open", "integer", f"{_FLAG}: not resolved"),
    Field("condition_active", "integer", f"{_FLAG}: what raised it goes on"),
    Field("title", "string", "what its rule calls it, else its kind"),
    Field("url", "string", "path of its page"),
)
INCIDENT = Measurement(
    name="incident",
    meaning="One transition of one incident: for counting and for times to act.",
    time="when the transition happened",
    tags=(
        *_WHERE,
        Tag("name", "the kind of incident"),
        _SEVERITY,
        Tag("transition", "`opened`, `acknowledged`, `resolved`, … ([incidents](../incidents.md))"),
        Tag("by", "`rule`, `user`, `silence`: never who"),
    ),
    fields=(
        *_INCIDENT_NOW,
        Field("label", "string", "`true-alarm`, `false-alarm`, `drill`", optional=True),
        Field(
            "seconds_to_acknowledge",
            "float",
            "since it was opened or re-opened; on the transition that acknowledges",
            "s",
            optional=True,
        ),
        Field(
            "seconds_to_resolve",
            "float",
            "since it was opened or re-opened; on the transition that resolves",
            "s",
            optional=True,
        ),
    ),
    most_series=50_000,
)
INCIDENT_STATE = Measurement(
    name="incident_state",
    meaning="What an incident is after each transition: the last point of a slot is the incident.",
    time="when it came to be so here; never before the incident's earlier points",
    tags=(
        _SITE,
        Tag("slot", f"the incident's number modulo {SLOTS}, in four digits"),
    ),
    fields=(
        *_INCIDENT_NOW,
        Field("severity", "string", "the worst so far"),
        Field("urgency", "integer", "0 is critical, 3 is low"),
        Field("name", "string", "the kind of incident"),
        Field("area", "string", "where its node stands"),
        Field("node", "string", "the edge box"),
        Field("device", "string", "what saw it"),
        Field("count", "integer", "episodes so far"),
        Field("first", "integer", "when it began, milliseconds since 1970 UTC", "ms"),
        Field("shelved", "integer", f"{_FLAG}: nobody is called for it"),
        Field("part", "integer", f"{_FLAG}: part of another incident"),
    ),
    most_series=SLOTS,
)
HEALTH = Measurement(
    name="health",
    meaning="A node's report about itself, every minute.",
    time="when the report was made",
    tags=(_SITE, _AREA, _NODE),
    fields=(
        Field("uptime", "float", "of the agent", "s"),
        Field("rss", "integer", "memory of the agent", "By"),
        Field("disk_free", "integer", "where the spool lies", "By"),
        Field("spool_depth", "integer", "facts without a receipt, all lanes"),
        Field("evicted", "integer", "facts given up for lack of room, all lanes, ever"),
        Field("dead", "integer", "facts refused for good, all lanes, ever"),
        Field("oldest", "float", "age of the oldest waiting fact", "s", optional=True),
        Field("cameras", "integer", "configured"),
        Field("streaming", "integer", "cameras that stream"),
        Field("agent", "string", "version of the software"),
        Field("config_version", "integer", "configuration it runs", optional=True),
        Field("config_refused", "integer", f"{_FLAG}: it could not use a newer", optional=True),
    ),
    most_series=2_000,
)
HEALTH_LANE = Measurement(
    name="health_lane",
    meaning="One lane of a node's spool, from the same report.",
    time="when the report was made",
    tags=(_SITE, _AREA, _NODE, Tag("lane", "`events`, `telemetry`")),
    fields=(
        Field("pending", "integer", "facts without a receipt"),
        Field("evicted", "integer", "given up for lack of room, ever"),
        Field("dead", "integer", "refused for good, ever"),
        Field("oldest", "float", "age of the oldest waiting fact", "s", optional=True),
    ),
    most_series=4_000,
)
HEALTH_CAMERA = Measurement(
    name="health_camera",
    meaning="One camera, from the same report.",
    time="when the report was made",
    tags=_WHERE,
    fields=(
        Field("fps", "float", "frames inferred", "/s"),
        Field("dropped", "integer", "frames dropped since the report before"),
        Field("state", "string", "`starting`, `streaming`, `stalled`, `ended`, `failed`"),
        Field("streaming", "integer", _FLAG),
    ),
    most_series=20_000,
)
PRESENCE = Measurement(
    name="presence",
    meaning="A node came, left or was lost.",
    time="when the ingest had it: a last will has no time of its own",
    tags=(_SITE, _AREA, _NODE),
    fields=(
        Field("state", "string", "`init`, `ready`, `stopped`, `lost`"),
        Field("up", "integer", f"{_FLAG}: `ready`"),
    ),
    most_series=2_000,
)
LABEL = Measurement(
    name="label",
    meaning="What people call things; written again each hour and when it changes.",
    time="when it was written",
    tags=(
        _SITE,
        Tag("kind", "`area`, `node`, `device`"),
        Tag("area", "the area"),
        Tag("node", "the node, `-` for an area"),
        Tag("device", "the device, `-` for an area or a node"),
    ),
    fields=(
        Field("label", "string", "what people call it"),
        Field("label_en", "string", "in English", optional=True),
        Field("option", "string", "`label (id)`, for a variable of a dashboard"),
    ),
    most_series=30_000,
)
LINLI = Measurement(
    name="linli",
    meaning="How Linli itself does, about every 15 seconds while InfluxDB answers.",
    time="when it was looked at",
    tags=(
        _SITE,
        Tag("metric", "see below"),
        Tag("of", "which one, `-` where there is only one"),
    ),
    fields=(Field("value", "float", "see below"),),
    most_series=1_000,
)
MEASUREMENTS = (
    READING,
    EVENT,
    INCIDENT,
    INCIDENT_STATE,
    HEALTH,
    HEALTH_LANE,
    HEALTH_CAMERA,
    PRESENCE,
    LABEL,
    LINLI,
)
METRICS: dict[str, str] = {
    "stored": "messages taken from the journal so far, `of` a kind (`event`, `telemetry`, …)",
    "counter": "what the receiver has counted so far, `of` a counter (`duplicates`, `parked`, …)",
    "rejected": "messages refused and still listed, `of` a code (`schema`, `privacy`, …)",
    "evicted": "facts given up by a node's spool before they came, `of` a node",
    "journal_position": "row of the journal that was committed last",
    "lag": "journal rows that a consumer has not done, `of` one (`incidents`, `series`, `influx`); "
    "for `influx`, beyond those that are written together with this point",
    "poisoned": "rows that a consumer could not use, ever, `of` a consumer",
    "open": "unresolved incidents, `of` a severity",
    "canary": "always 0; tells a server that refuses everything from one bad point",
    "influx_parked": "points that InfluxDB refused and that wait for a person",
    "chain": "probes of the whole chain so far, `of` `produced`, `stored`, `lost`",
    "chain_seconds": "from made to the live feed, over the last hour, `of` `p50`, `p95`",
    "chain_green": "1 or 0: every probe comes through; not written while nobody can know",
}


def names_twice() -> Iterator[str]:
    """Yield what breaks the rules of a measurement; nothing when all is well."""
    for one in MEASUREMENTS:
        names = [tag.name for tag in one.tags] + [field.name for field in one.fields]
        for name in {name for name in names if names.count(name) > 1 or name == "time"}:
            yield f"{one.name}.{name}"
