"""Signing in and out."""

from __future__ import annotations

import hmac
from datetime import datetime

import sqlalchemy as sa

from ingest.accounts import book, passwords, tokens
from ingest.accounts.account import Session, SignedIn, Viewer
from ingest.accounts.origin import origin
from ingest.audit import book as audit
from ingest.refusal import SignInNeeded
from ingest.store.engine import reading, writing


class AccountService:
    """Passwords, sessions and API tokens at the door."""

    def __init__(self, reader: sa.Engine, writer: sa.Engine) -> None:
        self._reader = reader
        self._writer = writer

    def login(
        self, name: str, password: str, address: str, now: datetime, replaces: str | None = None
    ) -> SignedIn:
        """Return a new session; the one that it `replaces` in this browser ends.

        Raises SignInNeeded, the same for every reason.

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
            if allowed:
                self._refused(row.name if row is not None else None, address, now)
            raise SignInNeeded("name or password is wrong, or there were too many wrong tries")
        with writing(self._writer) as connection:
            book.welcome(connection, row.name, address, now)
            if replaces:
                book.close_session(connection, replaces, now)
            token, session = book.open_session(connection, book.as_account(row), now)
            audit.note(connection, now, session.viewer.actor, "signed-in", row.name, of=address)
        return SignedIn(token=token, session=session)

    def _refused(self, name: str | None, address: str, now: datetime) -> None:
        """Write down a wrong try; of an unknown name not the name, it may be a password."""
        with writing(self._writer) as connection:
            audit.note(connection, now, "nobody", "sign-in-refused", name or "unknown", of=address)

    def logout(self, token: str, now: datetime) -> None:
        """End the session of this cookie, if there is one, and all that ended by themselves."""
        with writing(self._writer) as connection:
            found = book.find_session(connection, token, now)
            if found is not None:
                audit.note(connection, now, found.viewer.actor, "signed-out", found.viewer.name)
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
            found = book.token_viewer(connection, token, now)
            stale = found is not None and tokens.stale(connection, token, now)
        if stale:
            with writing(self._writer) as connection:
                tokens.use(connection, token, now)
        return found

    def csrf_ok(self, session: Session, given: str | None) -> bool:
        """Tell whether a form carries this session's token."""
        return given is not None and hmac.compare_digest(session.csrf.encode(), given.encode())
