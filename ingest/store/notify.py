"""The tables of notifications in `state.db`: who is told of what, how, and what came of it.

Created is always waiting + leased + sent + suppressed + dead: a row only ever changes its state,
and what is deleted for its age is counted on in `forgotten`.
"""

from __future__ import annotations

import sqlalchemy as sa

from ingest.store.engine import RowId, UtcDateTime
from ingest.store.evidence import metadata

__all__ = ["channel_pace", "climb", "forgotten", "metadata", "notification", "notifier"]

climb = sa.Table(
    "climb",
    metadata,
    sa.Column("incident", sa.Text, primary_key=True),
    sa.Column("team", sa.Text, nullable=False),
    sa.Column("due", UtcDateTime),  # when the next rung is reached, NULL when it has ended
    sa.Column("ended", sa.Text),  # why
    sa.Column("body", sa.Text, nullable=False),  # JSON of Climb, its ladder included
)
sa.Index("ix_climb_due", climb.c.due)

notification = sa.Table(
    "notification",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("incident", sa.Text, nullable=False),
    sa.Column("call", sa.BigInteger, nullable=False),  # the incident's row that it is for
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("rung", sa.Integer, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),  # person:ID, team:ID, or the part that is meant
    sa.Column("place", sa.Integer, nullable=False),  # of this contact among those of the owner
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("urgency", sa.Integer, nullable=False),  # small is urgent
    sa.Column("state", sa.Text, nullable=False),  # waiting | leased | sent | suppressed | dead
    sa.Column("reason", sa.Text),  # of suppressed and dead
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("doubts", sa.Integer, nullable=False),  # leases that ended without an answer
    sa.Column("next_at", UtcDateTime, nullable=False),
    sa.Column("lease_until", UtcDateTime),
    sa.Column("code", sa.Text),  # what the provider said last
    sa.Column("words", sa.Text),
    sa.Column("reference", sa.Text),
    sa.Column("created", UtcDateTime, nullable=False),
    sa.Column("ended", UtcDateTime),
    sa.Column("body", sa.Text, nullable=False),  # JSON of the owner's contacts as they were
)
sa.Index(
    "ix_notification_next",
    notification.c.channel,
    notification.c.state,
    notification.c.urgency,
    notification.c.next_at,
)
sa.Index("ix_notification_incident", notification.c.incident, notification.c.id)
sa.Index("ix_notification_ended", notification.c.ended)

channel_pace = sa.Table(
    "channel_pace",
    metadata,
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),  # JSON of Bucket
)

notifier = sa.Table(
    "notifier",  # one row
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("transition", sa.BigInteger, nullable=False),  # the last one that was read
    sa.Column("audited", UtcDateTime),
    sa.Column("overdue", sa.BigInteger, nullable=False),  # found by the last audit
    sa.Column("requeued", sa.BigInteger, nullable=False),  # by all audits
    sa.Column("pinged", UtcDateTime),  # when somebody outside was last told that all is well
    sa.Column("words", sa.Text, nullable=False),  # what is wrong, empty when nothing is
)

forgotten = sa.Table(
    "forgotten",  # how many rows of a table were deleted for their age
    metadata,
    sa.Column("what", sa.Text, primary_key=True),  # notification | live_look
    sa.Column("channel", sa.Text, primary_key=True),  # this and the next two of notifications
    sa.Column("state", sa.Text, primary_key=True),
    sa.Column("reason", sa.Text, primary_key=True),  # empty for none
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("doubts", sa.BigInteger, nullable=False),
)
