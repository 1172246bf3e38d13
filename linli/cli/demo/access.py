"""Who may come into a demo: its node, its camera, an administrator, and the demo itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from ingest.accounts import book
from ingest.registry import add_device, add_node
from ingest.settings import load_settings
from ingest.store.choose import database_of
from ingest.store.engine import writing
from linli.cli.demo.files import AREA, CAMERA, NODE, SITE, DemoFiles
from linli.settings import write_secret

ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Access:
    """`password` is None when the administrator was made by an earlier demo on the same folder."""

    password: str | None
    token: str


def give_access(files: DemoFiles, now: datetime) -> Access:
    """Register the demo's node and camera, and make an administrator and a token."""
    database = database_of(load_settings(files.ingest_toml))
    database.prepare()
    engine = database.writer("state")
    try:
        with writing(engine) as connection:
            if not files.node_key.exists():
                write_secret(files.node_key, _register(connection, files.place))
            password = None
            if book.find(connection, ADMIN) is None:
                password = book.add_account(connection, ADMIN, "admin", now)
            token = book.add_token(
                connection, ADMIN, "linli demo", {"see"}, now=now, lasts=timedelta(days=1)
            )
    finally:
        engine.dispose()
    return Access(password, token)


def _register(connection: sa.Connection, place: str) -> str:
    key = add_node(connection, site=SITE, area=AREA, name=NODE, label="演示边缘盒 Demo edge")
    add_device(
        connection,
        node_name=NODE,
        name=CAMERA,
        kind="camera",
        label="演示摄像头 Demo camera",
        subject=place,
    )
    return key
