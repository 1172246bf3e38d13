"""The tables of incidents in `state.db`: what people work on, row by row, and who is not called.

`incident` and `silence` are caches of what stands in their `body`; the columns beside it are what
queries need of it. Those that may be NULL in every row came with a later version.
"""

from __future__ import annotations

import sqlalchemy as sa

from ingest.store.engine import RowId, UtcDateTime
from ingest.store.floors import metadata
from linli.events import SEVERITIES

__all__ = [
    "NOT_OPEN",
    "RESOLVED_LAST",
    "UNRESOLVED",
    "episode",
    "incident",
    "metadata",
    "silence",
    "transition",
]

incident = sa.Table(
    "incident",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False, unique=True),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("device", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("urgency", sa.Integer, nullable=False),  # small is urgent; resolved ones last
    sa.Column("last", UtcDateTime, nullable=False),
    sa.Column("clears", UtcDateTime),  # when the condition went away, NULL while it holds
    sa.Column("picture", sa.Text),
    sa.Column("body", sa.Text, nullable=False),  # JSON of Incident: a cache of its transitions
    sa.Column("site", sa.Text),
    sa.Column("event", sa.Text),
    sa.Column("label", sa.Text),
    sa.Column("outage", sa.Boolean),
    sa.Column("aside", sa.Text),  # shelved | part, NULL when it stands by itself
    sa.Column("part_of", sa.Text),
    sa.Column("due", UtcDateTime),  # when time alone changes it next
    sa.Column("area", sa.Text),
    sa.Column("load", UtcDateTime),  # when people were called for it, NULL when no storm counts it
)
RESOLVED_LAST = len(SEVERITIES)
"""The urgency of what is resolved: behind that of every severity."""
# No bound values: only so does a database see that the indexes of the unresolved fit.
UNRESOLVED = incident.c.urgency < sa.literal_column(str(RESOLVED_LAST))
NOT_OPEN = incident.c.state != sa.literal_column("'open'")
TAKEN_ON = sa.and_(UNRESOLVED, NOT_OPEN)
sa.Index(
    "uq_incident_open",
    incident.c.key,
    unique=True,
    sqlite_where=incident.c.state != "resolved",
)
sa.Index("ix_incident_key", incident.c.key, incident.c.number)
sa.Index("ix_incident_urgency", incident.c.urgency, incident.c.number.desc())
sa.Index("ix_incident_due", incident.c.due, incident.c.number)
sa.Index("ix_incident_load", incident.c.site, incident.c.load)
# Of parts alone: with all the others in it, it would be taken for finding what is none.
sa.Index(
    "ix_incident_part_of",
    incident.c.part_of,
    incident.c.number,
    sqlite_where=incident.c.part_of.is_not(None),
)
sa.Index("ix_incident_last", incident.c.last)
sa.Index("ix_incident_device", incident.c.node, incident.c.device, incident.c.number)
sa.Index("ix_incident_area", incident.c.area, incident.c.number)
# Only what waits or is worked on, so counting it never reads the incidents themselves.
sa.Index(
    "ix_incident_unresolved",
    incident.c.urgency,
    incident.c.state,
    incident.c.aside,
    incident.c.area,
    incident.c.node,
    incident.c.device,
    sqlite_where=UNRESOLVED,
)
sa.Index(
    "ix_incident_taken_on",
    incident.c.urgency,
    incident.c.number.desc(),
    sqlite_where=TAKEN_ON,
)
sa.Index(
    "ix_incident_aside",
    incident.c.aside,
    incident.c.urgency,
    incident.c.number.desc(),
    sqlite_where=incident.c.aside.is_not(None),
)
sa.Index(
    "ix_incident_drill",
    incident.c.label,
    incident.c.id,
    sqlite_where=incident.c.label == sa.literal_column("'drill'"),
)

transition = sa.Table(
    "transition",
    metadata,
    sa.Column("id", RowId, primary_key=True),  # also the id of the live stream
    sa.Column("incident", sa.Text, sa.ForeignKey("incident.id"), nullable=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("recorded", UtcDateTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),  # JSON of Transition
    sqlite_autoincrement=True,
)
sa.Index("ix_transition_incident", transition.c.incident, transition.c.id)
sa.Index("ix_transition_at", transition.c.at, transition.c.id)
sa.Index("ix_transition_step", transition.c.step, transition.c.at)

episode = sa.Table(
    "episode",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("episode", sa.Text, primary_key=True),
    sa.Column("incident", sa.Text, sa.ForeignKey("incident.id"), nullable=False),
    sa.Column("ended", sa.Boolean, nullable=False),
)
sa.Index("ix_episode_incident", episode.c.incident, episode.c.ended)

silence = sa.Table(
    "silence",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("starts", UtcDateTime, nullable=False),
    sa.Column("ends", UtcDateTime, nullable=False),  # or when a person ended it
    sa.Column("body", sa.Text, nullable=False),  # JSON of Silence
)
sa.Index("ix_silence_ends", silence.c.ends)
