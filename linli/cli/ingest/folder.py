"""The state of an ingest, for commands that change it while the ingest may be running."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from ingest.accounts.account import Viewer
from ingest.settings import IngestSettings
from ingest.store.choose import database_of
from ingest.store.engine import writing


@contextmanager
def state(settings: IngestSettings) -> Iterator[sa.Connection]:
    """Yield one transaction on it; it is made or brought up to date first."""
    database = database_of(settings)
    database.prepare()
    engine = database.writer("state")
    try:
        with writing(engine) as connection:
            yield connection
    finally:
        engine.dispose()


def operator() -> Viewer:
    """Return whoever is at the command line, for services that write down who did something."""
    kind, _, name = actor().partition(":")
    return Viewer(account=kind, name=name or kind, role="admin", kind="cli")


def actor() -> str:
    """Return how someone at the command line is written into histories."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a container may run as someone without a name
        return "cli"
