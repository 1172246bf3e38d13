"""The first account, so that somebody can come in."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from ingest.accounts.book import accounts, add_account
from linli.clock import Clock
from linli.log import get_logger
from linli.settings import write_secret

log = get_logger(__name__)

ADMIN = "admin"
ADMIN_PASSWORD_FILE = "admin-password"  # noqa: S105 - the name of a file


def make_first_account(connection: sa.Connection, folder: Path, clock: Clock) -> None:
    """Make the account `admin` when no administrator is there; its password goes to a 0600 file.

    The file is for whoever installs this; it is never read by the service and should be deleted.
    """
    if any(ADMIN in (one.role, one.name) for one in accounts(connection)):
        return
    password = add_account(connection, ADMIN, "admin", clock.now())
    write_secret(folder / ADMIN_PASSWORD_FILE, password)
    log.warning("account %r made; its password is in %s", ADMIN, folder / ADMIN_PASSWORD_FILE)
