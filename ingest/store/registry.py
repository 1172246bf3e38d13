"""The registry's tables in `state.db`: places, edges, devices, teams, people, configurations.

Columns of a set of short words hold them separated by spaces. What people say of a thing and what
it says of itself live side by side in `node` and `device`: the second never overwrites the first.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from ingest.store.engine import RowId, UtcDateTime

metadata = sa.MetaData()
"""Of the whole of `state.db`; `ingest.store.state` adds the rest of its tables."""

CONFIRMED: Final = "confirmed"
DISCOVERED: Final = "discovered"
RETIRED: Final = "retired"

place = sa.Table(
    "place",
    metadata,
    sa.Column("place", sa.Text, primary_key=True),  # a path of ids: c001/b03/u1/e1
    sa.Column("kind", sa.Text, nullable=False),  # site | building | area | unit | point
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("label_en", sa.Text),
    sa.Column("retired_at", UtcDateTime),
)

node = sa.Table(
    "node",
    metadata,
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("site", sa.Text, nullable=False),
    sa.Column("area", sa.Text, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("standing", sa.Text, nullable=False),  # confirmed | discovered | retired
    sa.Column("key_hash", sa.Text),  # SHA-256 of the node's key, NULL when it has none
    sa.Column("last_seen", UtcDateTime),
    sa.Column("status", sa.Text),  # JSON of linli.events.Status
    sa.Column("report", sa.Text),  # JSON of linli.events.ReportData
    sa.Column("reported", UtcDateTime),
    sa.Column("label_en", sa.Text),
    sa.Column("subject", sa.Text),  # its place below the site, NULL when that is its area
    sa.Column("vendor", sa.Text),
    sa.Column("model", sa.Text),
    sa.Column("network", sa.Text),  # node or node/device that it hangs behind
    sa.Column("power", sa.Text),
    sa.Column("retired_at", UtcDateTime),
)

device = sa.Table(
    "device",
    metadata,
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("device", sa.Text, primary_key=True),
    sa.Column("site", sa.Text, nullable=False),
    sa.Column("area", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("subject", sa.Text),
    sa.Column("standing", sa.Text, nullable=False),  # confirmed | discovered | retired
    sa.Column("last_seen", UtcDateTime),
    sa.Column("camera", sa.Text),  # JSON of linli.events.CameraReport
    sa.Column("described", sa.Text),  # JSON of linli.events.DescribeData
    sa.Column("label_en", sa.Text),
    sa.Column("vendor", sa.Text),
    sa.Column("model", sa.Text),
    sa.Column("capabilities", sa.Text),
    sa.Column("network", sa.Text),
    sa.Column("power", sa.Text),
    sa.Column("retired_at", UtcDateTime),
)

team = sa.Table(
    "team",
    metadata,
    sa.Column("team", sa.Text, primary_key=True),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("label_en", sa.Text),
    sa.Column("retired_at", UtcDateTime),
)

person = sa.Table(
    "person",  # who works here; not necessarily someone with an account
    metadata,
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("label_en", sa.Text),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("phone", sa.Text),
    sa.Column("team", sa.Text),
    sa.Column("languages", sa.Text),
    sa.Column("account", sa.Text),  # the name by which this person signs in
    sa.Column("retired_at", UtcDateTime),
)

registry_change = sa.Table(
    "registry_change",  # only ever added to; its last id tells readers that something is new
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("batch", sa.Text, nullable=False),  # one for all that was changed in one step
    sa.Column("type", sa.Text, nullable=False),  # place | edge | device | team | person
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),  # JSON: field by field, private ones without value
    sqlite_autoincrement=True,
)
sa.Index("ix_registry_change_record", registry_change.c.type, registry_change.c.record)

edge_config = sa.Table(
    "edge_config",  # only ever added to: the newest version of a node is the one wanted
    metadata,
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("restores", sa.BigInteger),  # the version whose content this one has again
    sa.Column("body", sa.Text, nullable=False),  # JSON of linli.edge_config.EdgeConfig, as given
)
