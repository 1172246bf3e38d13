"""`state.db`: accounts, evidence, cursors. The web process writes it.

The tables of the registry, incidents, work orders and rules, which are in the same file, stand in
`ingest.store.registry`, `ingest.store.incidents`, `ingest.store.orders`, `ingest.store.rules` and
`ingest.store.chain` and `ingest.store.idempotency`, `ingest.store.influx`, `ingest.store.notify`,
and `ingest.store.access` (screens, and the audit log).

Instants are integer microseconds (see `ingest.store.engine`). Columns named `body` hold a whole
msgspec value as JSON; the columns beside it are what queries need of it.
"""

from __future__ import annotations

import sqlalchemy as sa

from ingest.store.engine import RowId, UtcDateTime
from ingest.store.share import metadata

boot = sa.Table(
    "boot",
    metadata,
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("boot", sa.Text, primary_key=True),  # `bootid` of a node whose clock is not set
    sa.Column("started", UtcDateTime, nullable=False),  # by our own clock, no later than this
)

event = sa.Table(
    "event",  # outlives the journal, which forgets after some days
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),  # as in the journal
    sa.Column("event_id", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Column("received", sa.BigInteger, nullable=False),
    sa.Column("incident", sa.Text),  # what it belongs to, NULL when it could not be used
    # NULL in rows of an older version, and where it could not be read.
    sa.Column("area", sa.Text),
    sa.Column("device", sa.Text),
    sa.Column("phase", sa.Text),
    sa.Column("severity", sa.Text),
    sa.Column("confidence", sa.Double),
    sa.Column("dwell", sa.Double),
)
sa.Index("ix_event_time", event.c.time, event.c.id)
sa.Index("ix_event_event_id", event.c.event_id)
sa.Index("ix_event_node", event.c.node, event.c.id)

cursor = sa.Table(
    "cursor",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("poisoned", sa.BigInteger, nullable=False),  # rows it could not use and skipped
)

tally = sa.Table(
    "tally",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),  # the kind of a message
    sa.Column("value", sa.BigInteger, nullable=False),  # journal rows of it up to the cursor
)

lane = sa.Table(
    "lane",
    metadata,
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),  # of the messages that this stream carries
)

account = sa.Table(
    "account",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("created", UtcDateTime, nullable=False),
    sa.Column("disabled", sa.Boolean, nullable=False),
    sa.Column("areas", sa.Text),  # separated by spaces, NULL for the whole site
)

session = sa.Table(
    "session",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("account", sa.Text, sa.ForeignKey("account.id"), nullable=False),
    sa.Column("csrf", sa.Text, nullable=False),
    sa.Column("created", UtcDateTime, nullable=False),
    sa.Column("expires", UtcDateTime, nullable=False),
)

api_token = sa.Table(
    "api_token",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("token_hash", sa.Text, nullable=False, unique=True),
    sa.Column("account", sa.Text, sa.ForeignKey("account.id"), nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),  # separated by spaces
    sa.Column("created", UtcDateTime, nullable=False),
    sa.Column("expires", UtcDateTime, nullable=False),
    sa.Column("areas", sa.Text),  # as of an account, which limits it too
    sa.Column("used", UtcDateTime),  # last, to the hour
)

login_failure = sa.Table(
    "login_failure",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
)
sa.Index("ix_login_failure_at", login_failure.c.at)

login_origin = sa.Table(
    "login_origin",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("address", sa.Text, primary_key=True),  # this name has signed in from there
    sa.Column("at", UtcDateTime, nullable=False),
)

evidence = sa.Table(
    "evidence",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("site", sa.Text, nullable=False),
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("device", sa.Text, nullable=False),
    sa.Column("redaction", sa.Text, nullable=False),
    sa.Column("received", UtcDateTime, nullable=False),
    sa.Column("expires", UtcDateTime, nullable=False),
    sa.Column("deleted", UtcDateTime),  # when its bytes went, NULL while they are kept
    sa.Column("sent_sha256", sa.Text, nullable=False),  # of what the node sent
    sa.Column("sha256", sa.Text, nullable=False),  # of what is kept, after re-encoding
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("area", sa.Text),  # of a photograph by hand; of others it is their node's
    sa.Column("trial", sa.Text),  # event/zone of the scenario on trial that it is of
)
sa.Index("ix_evidence_trial", evidence.c.node, evidence.c.device, evidence.c.trial, evidence.c.id)
sa.Index("ix_evidence_expires", evidence.c.deleted, evidence.c.expires)

evidence_look = sa.Table(
    "evidence_look",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("evidence", sa.Text, sa.ForeignKey("evidence.id"), nullable=False),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)
sa.Index("ix_evidence_look_evidence", evidence_look.c.evidence, evidence_look.c.id)

secret = sa.Table(
    "secret",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
)
