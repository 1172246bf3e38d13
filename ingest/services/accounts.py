"""Signing in and out."""

from __future__ import annotations

import hmac
from datetime import datetime

import sqlalchemy as sa

from ingest.accounts import book, passwords
from ingest.accounts.account import Session, SignedIn, Viewer
from ingest.accounts.origin import origin
from ingest.refusal import SignInNeeded
from ingest.store.engine import reading, writing


class AccountService:
    """Passwords, sessions and API tokens at the door."""

    def __init__(self, reader: sa.Engine, writer: sa.Engine) -> None:
        self._reader = reader
        self._writer = writer

    def login(self, name: str, password: str, address: str, now: datetime) -> SignedIn:
        """Return a new session. Raises SignInNeeded, the same for every reason.

        Ten wrong tries from one address for one name within 15 minutes lock that pair; thirty from
        anywhere lock the name where it has not signed in before.
        """
        address = origin(address)
        with writing(self._writer) as connection:
            # Counted before it is checked, so that many tries at once do not slip through.
            allowed = book.begin_try(connection, name, address, now)
            row = book.find(connection, name)
        usable = allowed and row is not None and not row.disabled
        right = passwords.fits(password, row.password_hash if row is not None and usable else None)
        if row is None or not right:
            raise SignInNeeded("name or password is wrong, or there were too many wrong tries")
        with writing(self._writer) as connection:
            book.welcome(connection, row.name, address, now)
            token, session = book.open_session(connection, book.as_account(row), now)
        return SignedIn(token=token, session=session)

    def logout(self, token: str, now: datetime) -> None:
        """End the session of this cookie, if there is one, and all that ended by themselves."""
        with writing(self._writer) as connection:
            book.close_session(connection, token, now)

    def session(self, token: str | None, now: datetime) -> Session | None:
        """Return the session of this cookie, None when there is none or it ended."""
        if not token:
            return None
        with reading(self._reader) as connection:
            return book.find_session(connection, token, now)

    def bearer(self, token: str, now: datetime) -> Viewer | None:
        """Return whose API token this is, None when nobody's."""
        with reading(self._reader) as connection:
            return book.token_viewer(connection, token, now)

    def csrf_ok(self, session: Session, given: str | None) -> bool:
        """Tell whether a form carries this session's token."""
        return given is not None and hmac.compare_digest(session.csrf.encode(), given.encode())
