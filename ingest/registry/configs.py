"""What each edge box is to watch: every version of its configuration document, and which it runs.

A version is never changed. To roll back is to write a new version with the content of an old one.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa
from msgspec import Meta

from ingest.registry.nodes import report_of
from ingest.store.registry import edge_config
from linli.edge_config import EdgeConfig
from linli.errors import InputError
from linli.log import redact_addresses
from linli.packs import completed
from linli.settings import convert

MOST_BYTES = 480 * 1024
"""An edge reads 512 KiB; one taught place takes about 70."""
Why = Annotated[str, Meta(min_length=1, max_length=500)]


class ConfigDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A document to be the next version, and why."""

    why: Why
    document: dict[str, Any]


class ConfigRestore(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An old version whose content is wanted again, and why."""

    why: Why
    version: Annotated[int, Meta(ge=1, lt=2**53)]


class ConfigVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version: who made it, when and why. `document` is an `EdgeConfig` as it was given."""

    version: int
    at: datetime
    actor: str
    why: str
    restores: int | None
    document: dict[str, Any] | None = None


class RunningConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What the edge last said: the version it runs, 0 for its own file alone.

    `refused` is the version it could not use, with the reason in `detail`.
    """

    version: int
    refused: int | None
    detail: str | None
    at: datetime


class ConfigState(msgspec.Struct, frozen=True, kw_only=True):
    """The version that is wanted of an edge, beside the one it runs; null when none is known."""

    edge: str
    wanted: ConfigVersion | None
    running: RunningConfig | None


def checked(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document that an edge of this version can use. Raises InputError that says where."""
    config = convert(completed(document, "document"), EdgeConfig, where="document")
    for camera in config.camera:
        said = f"{camera.source} {camera.evidence_source}"
        without = said.replace("{password}", "***")
        if redact_addresses(without) != without:
            raise InputError(
                "a password is kept on the edge box alone",
                where=f"document: camera {camera.id}: source",
                hint="Name its file in password_file, and write {password} in its place",
            )
    if len(_encoded(document)) > MOST_BYTES:
        raise InputError(f"the document has more than {MOST_BYTES} bytes", where="document")
    return document


def latest(connection: sa.Connection, node: str) -> ConfigVersion | None:
    """Return the version that is wanted of a node."""
    query = edge_config.select().where(edge_config.c.node == node)
    row = connection.execute(query.order_by(edge_config.c.version.desc()).limit(1)).first()
    return None if row is None else _version(row)


def one(connection: sa.Connection, node: str, version: int) -> ConfigVersion | None:
    """Return a version of a node's."""
    here = edge_config.c.node == node, edge_config.c.version == version
    row = connection.execute(edge_config.select().where(*here)).first()
    return None if row is None else _version(row)


def versions(
    connection: sa.Connection, node: str, *, before: int | None, limit: int
) -> list[ConfigVersion]:
    """Return the versions of a node's, newest first, without their documents."""
    columns = [column for column in edge_config.c if column.name != "body"]
    query = sa.select(*columns).where(edge_config.c.node == node)
    if before is not None:
        query = query.where(edge_config.c.version < before)
    query = query.order_by(edge_config.c.version.desc()).limit(limit)
    return [_version(row) for row in connection.execute(query)]


def add(
    connection: sa.Connection,
    node: str,
    document: dict[str, Any],
    *,
    actor: str,
    why: str,
    now: datetime,
    restores: int | None = None,
) -> ConfigVersion:
    """Make a checked document the wanted one; the same content again makes no new version."""
    before = latest(connection, node)
    if before is not None and before.document == document:
        return before
    made = ConfigVersion(
        version=before.version + 1 if before is not None else 1,
        at=now,
        actor=actor,
        why=why,
        restores=restores,
        document=document,
    )
    values = {
        "node": node,
        "version": made.version,
        "at": now,
        "actor": actor,
        "why": why,
        "restores": restores,
        "body": _encoded(document).decode(),
    }
    connection.execute(edge_config.insert(), values)
    return made


def running(connection: sa.Connection, node: str) -> RunningConfig | None:
    """Return what a node last said of the version it runs."""
    report, at = report_of(connection, node) or (None, None)
    if report is None or report.config is None or at is None:
        return None
    said = report.config
    return RunningConfig(version=said.version, refused=said.refused, detail=said.detail, at=at)


def _encoded(document: dict[str, Any]) -> bytes:
    return msgspec.json.encode(document)


def _version(row: sa.Row[Any]) -> ConfigVersion:
    body: str | None = getattr(row, "body", None)
    return ConfigVersion(
        version=row.version,
        at=row.at,
        actor=row.actor,
        why=row.why,
        restores=row.restores,
        document=None if body is None else msgspec.json.decode(body, type=dict[str, Any]),
    )
